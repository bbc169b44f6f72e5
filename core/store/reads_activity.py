"""Reads of what was run: commands with what they gave, and calls of agents with what they cost. Newest first."""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from peewee import Model

from core.contract import Json
from core.store import rows
from core.store.newest_first import NewestFirst, pattern, whole_number
from core.store.reads import Connection, build, select
from core.store.schema import Delegation, Event, Evidence


@dataclass(frozen=True, slots=True)
class CommandRow:
    """A command for a list, without its output."""

    id: int
    work_item: int | None
    delegation: int | None
    agent: str
    command: list[str]
    cwd: str
    exit_code: int | None
    tool: str
    tool_version: str
    timed_out: bool
    at: int
    milliseconds: int

    @property
    def is_done(self) -> bool:
        return self.exit_code == 0 and not self.timed_out


@dataclass(frozen=True, slots=True)
class CallRow:
    """A recorded delegation, with the model, tokens and dollars that its answer names; None of what it does not."""

    delegation: rows.DelegationRow
    model: str | None = None
    tokens: int | None = None
    cost: float | None = None

    @property
    def id(self) -> int:
        return self.delegation.id


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which commands or calls are meant. Words are casefolded."""

    wanted: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    failed_only: bool = False


@dataclass(frozen=True, slots=True)
class Activity:
    """What was found up to the row `head`. To be given back, to go on from there."""

    asked: Wanted
    head: int
    order: Sequence[int]
    found: array[int]


Holds = Callable[[str], bool]


# Commands


def commands(reader: Connection, asked: Wanted, before: Activity | None = None) -> Activity:
    """The numbers of the commands that are meant."""
    failed = [(Evidence.exit_code != 0) | Evidence.exit_code.is_null() | Evidence.timed_out]
    return _grown(reader, asked, before, Evidence, failed, _may_be_command, _commands_that_match)


def command_rows(reader: Connection, numbers: Collection[int]) -> dict[int, CommandRow]:
    query = select(CommandRow, Evidence).where(Evidence.id.in_(list(numbers)))
    return {row.id: row for row in build(CommandRow, Evidence, reader.rows(query))}


def command_record(reader: Connection, number: int) -> rows.EvidenceRow | None:
    """One command with all that was kept of its output."""
    query = select(rows.EvidenceRow, Evidence).where(Evidence.id == number)
    found = build(rows.EvidenceRow, Evidence, reader.rows(query))
    return found[0] if found else None


def command_holds(row: CommandRow) -> Holds:
    """Whether a word of a filter is found in a command: its words, its folder, who ran it, how it ended."""
    ended = "done" if row.is_done else "failed timed out" if row.timed_out else "failed"
    texts = (*row.command, row.agent, row.cwd, row.tool, *ended.split())
    return _holder(texts, row.work_item)


def _may_be_command(word: str) -> Any:
    like = pattern(word)
    meant = (Evidence.command**like) | (Evidence.agent**like) | (Evidence.cwd**like) | (Evidence.tool**like)
    if (number := whole_number(word)) is not None:
        meant |= Evidence.work_item == number
    if word in "done":
        meant |= Evidence.exit_code == 0
    if any(word in said for said in ("failed", "timed", "out")):
        meant |= (Evidence.exit_code != 0) | Evidence.exit_code.is_null() | Evidence.timed_out
    return meant


def _commands_that_match(reader: Connection, numbers: Sequence[int], asked: Wanted) -> list[int]:
    return [number for number, row in command_rows(reader, numbers).items() if meant(asked, command_holds(row))]


# Calls of agents


def calls(reader: Connection, asked: Wanted, before: Activity | None = None) -> Activity:
    """The numbers of the delegations that are meant."""
    failed = [Delegation.status == "FAILURE"]
    return _grown(reader, asked, before, Delegation, failed, _may_be_call, _calls_that_match)


def call_rows(reader: Connection, numbers: Collection[int]) -> dict[int, CallRow]:
    found = _delegations(reader, numbers)
    figures = _figures(reader, [row.event for row in found])
    return {row.id: CallRow(row, **figures.get(row.event, {})) for row in found}


def delegation(reader: Connection, number: int) -> rows.DelegationRow | None:
    return next(iter(_delegations(reader, [number])), None)


CALL_WORDS = {"SUCCESS": "done", "FAILURE": "failed", "BLOCKED": "blocked"}
"""How a call ended, as a filter finds it."""


def call_holds(row: rows.DelegationRow) -> Holds:
    """Whether a word of a filter is found in a call: agent, phase, task, runtime, how it ended."""
    texts = (row.agent, row.phase, row.subject, row.runtime, CALL_WORDS.get(row.status, row.status))
    return _holder(texts, row.work_item)


def _delegations(reader: Connection, numbers: Collection[int]) -> tuple[rows.DelegationRow, ...]:
    query = select(rows.DelegationRow, Delegation).where(Delegation.id.in_(list(numbers)))
    return build(rows.DelegationRow, Delegation, reader.rows(query))


def _figures(reader: Connection, events: Collection[int]) -> dict[int, Json]:
    query = Event.select(Event.seq, Event.payload).where(Event.seq.in_(list(events)))
    return {seq: _measured(payload) for seq, payload in reader.rows(query)}


def _measured(payload: str) -> Json:
    """Model, tokens and cost where the answer says them. A figure of another type is none."""
    answered = json.loads(payload).get("response")
    said = answered.get("metadata") if isinstance(answered, dict) else None
    said = said if isinstance(said, dict) else {}
    model, tokens, cost = said.get("model"), said.get("tokens"), said.get("cost")
    return {
        "model": model if isinstance(model, str) and model else None,
        "tokens": tokens if isinstance(tokens, int) else None,
        "cost": float(cost) if isinstance(cost, int | float) else None,
    }


def _may_be_call(word: str) -> Any:
    like = pattern(word)
    columns = (Delegation.agent, Delegation.phase, Delegation.subject, Delegation.runtime, Delegation.status)
    meant = reduce(or_, (column**like for column in columns))
    if (number := whole_number(word)) is not None:
        meant |= Delegation.work_item == number
    return meant | Delegation.status.in_([status for status, said in CALL_WORDS.items() if word in said])


def _calls_that_match(reader: Connection, numbers: Sequence[int], asked: Wanted) -> list[int]:
    return [row.id for row in _delegations(reader, numbers) if meant(asked, call_holds(row))]


# Both


TOGETHER = 500


def _grown(
    reader: Connection,
    asked: Wanted,
    before: Activity | None,
    model: type[Model],
    failed: Sequence[Any],
    may_be: Callable[[str], Any],
    that_match: Callable[[Connection, Sequence[int], Wanted], list[int]],
) -> Activity:
    """Rows are only ever added, with the next number: without a filter the order is a range, and what was found
    before stays found."""
    key: Any = model._meta.primary_key
    newest = reader.rows(model.select(key).order_by(key.desc()).limit(1))
    head = int(newest[0][0]) if newest else 0
    if asked == Wanted():
        return Activity(asked, head, range(head, 0, -1), array("q"))
    goes_on = before is not None and before.asked == asked
    since = before.head if before is not None and goes_on else 0
    conditions = [key > since, *(failed if asked.failed_only else []), *(may_be(word) for word in asked.wanted)]
    fresh = [row[0] for row in reader.rows(model.select(key).where(*conditions).order_by(key))]
    if asked.wanted or asked.refused:
        windows = (fresh[n : n + TOGETHER] for n in range(0, len(fresh), TOGETHER))
        fresh = [number for window in windows for number in sorted(that_match(reader, window, asked))]
    if before is None or not goes_on:
        found = array("q", fresh)
    else:
        count = len(before.order)
        found = before.found if len(before.found) == count else before.found[:count]
        found.extend(fresh)
    return Activity(asked, head, NewestFirst(found, len(found)), found)


def meant(asked: Wanted, holds: Holds) -> bool:
    return all(holds(word) for word in asked.wanted) and not any(holds(word) for word in asked.refused)


def _holder(texts: Collection[str], work_item: int | None) -> Holds:
    folded = [text.casefold() for text in texts]
    return lambda word: (
        any(word in text for text in folded) or (work_item is not None and whole_number(word) == work_item)
    )


def running(live: rows.LiveRow, now: int) -> tuple[rows.DelegationRow, ...]:
    """What agents are at now, as rows that are not recorded yet: without a number, and without an event."""
    return tuple(_running(found, number, now) for number, found in enumerate(live.delegations, 1))


def _running(found: Mapping[str, Any], number: int, now: int) -> rows.DelegationRow:
    since = int(found.get("since", now))
    return rows.DelegationRow(
        id=-number,
        work_item=int(found.get("work_item", 0)),
        phase=str(found.get("phase", "")),
        round=0,
        agent=str(found.get("agent", "")),
        subject=str(found.get("subject", "")),
        status="RUNNING",
        runtime="",
        request_digest="",
        at=since,
        milliseconds=now - since,
        event=0,
    )
