"""Reads of what a delegation on a model did step by step, and of the calls that it paid for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from peewee import Case, fn

from core.store.reads import Connection
from core.store.reads_delegations import Called
from core.store.schema import Event, Spend, Turn

LONGEST = 2_000_000
"""Characters of a turn's event that are read; of a longer one only its length is told."""
MOST_TURNS = 1_000
"""Of one delegation that are told, the newest."""
MOST_CALLS = 2_000


class TurnRow(NamedTuple):
    """A step. `content` is what the runtime kept, of any shape; None where it is too long to read."""

    number: int
    kind: str
    at: int
    content: Any
    length: int


class CallRow(NamedTuple):
    """One call of a model. What it used is None while it runs; `cost` also where no price is known."""

    provider: str
    model: str
    reserved_cost: float
    reserved_tokens: int
    cost: float | None
    tokens: int | None
    input: int
    output: int
    cache_read: int
    cache_write: int
    request_id: str
    is_lost: bool
    is_running: bool


def _is_of(table: Any, called: Called) -> Any:
    return (
        (table.work_item == called.work_item)
        & (table.phase == called.phase)
        & (table.round == called.round)
        & (table.agent == called.agent)
        & (table.subject == called.subject)
    )


def turns(reader: Connection, called: Called, *, after: int = 0) -> Iterator[TurnRow]:
    """Behind this number, in order, one read at a time: together they may be far larger than what is told of them."""
    numbers = reader.rows(
        Turn.select(Turn.number)
        .where(_is_of(Turn, called) & (Turn.number > after))
        .order_by(Turn.number.desc())
        .limit(MOST_TURNS)
    )
    length = fn.LENGTH(Event.payload)
    text = Case(None, ((length > LONGEST, ""),), Event.payload)
    for (number,) in reversed(numbers):
        query = Turn.select(Turn.number, Turn.kind, Turn.at, text, length).join(Event, on=(Event.seq == Turn.event))
        for n, kind, at, payload, size in reader.rows(query.where(_is_of(Turn, called) & (Turn.number == number))):
            yield TurnRow(n, kind, at, json.loads(payload).get("content") if payload else None, int(size))


def calls(reader: Connection, called: Called) -> tuple[CallRow, ...]:
    """In the order in which they were begun."""
    used = [Spend.input_tokens, Spend.output_tokens, Spend.cache_read_tokens, Spend.cache_write_tokens]
    query = Spend.select(
        Spend.provider,
        Spend.model,
        Spend.reserved_cost,
        Spend.reserved_tokens,
        Spend.cost,
        Spend.tokens,
        *(fn.COALESCE(column, 0) for column in used),
        Spend.request_id,
        Spend.is_lost,
        Spend.settled_at.is_null(),
    )
    found = reader.rows(query.where(_is_of(Spend, called)).order_by(Spend.id).limit(MOST_CALLS))
    return tuple(CallRow._make((*values[:-2], bool(values[-2]), bool(values[-1]))) for values in found)
