"""Every read of the workspace: functions of a `Reader` that return frozen dataclasses.

Lists are windows, by key and never by offset, so that their price does not grow with what lies behind them.
"""

from __future__ import annotations

import json
from collections import Counter as Counted
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, TypeVar

from peewee import SQL, Model, fn

from core.contract import PHASE_CODES, Json
from core.store import rows, states
from core.store.schema import (
    Agent,
    Artifact,
    Counter,
    Decision,
    Delegation,
    Escalation,
    Event,
    Evidence,
    GateResult,
    Lease,
    PhaseRun,
    Project,
    WorkItem,
)
from core.store.store import Reader
from core.store.transaction import Transaction

R = TypeVar("R")

LEASE_STALE_MS = 15_000
"""A lease whose heartbeat is older belongs to nobody any more."""

_JSON_COLUMNS = frozenset(
    (
        *("tech", "settings", "thresholds", "capabilities", "technologies", "serves", "selection", "tools"),
        *("parameters", "tags", "content", "missing", "criteria", "judged", "command", "details", "chain"),
        *("options", "answer", "payload", "live", "context", "positions", "package", "analysis", "reasons"),
    )
)


Connection = Reader | Transaction
"""Reads work the same inside a write's closure, where they see what it has changed so far."""


@cache
def _columns(row_type: type[Any], model: type[Model]) -> tuple[tuple[Any, ...], tuple[bool, ...]]:
    names = [f.name for f in fields(row_type) if f.metadata.get("column", True)]
    columns = tuple(model._meta.fields[n] for n in names)
    return columns, tuple(n in _JSON_COLUMNS for n in names)


def select(row_type: type[R], model: type[Model]) -> Any:
    """A query for the columns that the row type names."""
    kind: Any = row_type
    return model.select(*_columns(kind, model)[0])


def build(row_type: type[R], model: type[Model], found: Iterable[tuple[Any, ...]]) -> tuple[R, ...]:
    kind: Any = row_type
    decode = _columns(kind, model)[1]
    return tuple(
        row_type(*(json.loads(v) if d and v is not None else v for v, d in zip(row, decode, strict=True)))
        for row in found
    )


def _all(reader: Connection, row_type: type[R], model: type[Model], query: Any) -> tuple[R, ...]:
    return build(row_type, model, reader.rows(query))


@cache
def _by_key_sql(row_type: Any, model: type[Model], column: str) -> str:
    """The statement that reads one row by a column, written once: building it costs more than running it."""
    fields_of = model._meta.fields
    names = ", ".join(f'"{c.column_name}"' for c in _columns(row_type, model)[0])
    return f'SELECT {names} FROM "{model._meta.table_name}" WHERE "{fields_of[column].column_name}" = ?'


def _by_key(reader: Connection, row_type: type[R], model: type[Model], column: str, value: Any) -> R | None:
    kind: Any = row_type
    found = build(row_type, model, reader.sql(_by_key_sql(kind, model, column), (value,)))
    return found[0] if found else None


def of_work_item(
    reader: Connection, row_type: type[R], model: type[Model], work_item: int, *, only: str = "", newest: int = 0
) -> tuple[R, ...]:
    """A work item's rows for which the condition `only` holds, oldest first; or the `newest` so many, newest first."""
    kind: Any = row_type
    text = _by_key_sql(kind, model, "work_item") + (f" AND {only}" if only else "")
    if newest:
        return build(row_type, model, reader.sql(f'{text} ORDER BY "id" DESC LIMIT ?', (work_item, newest)))
    return build(row_type, model, reader.sql(f'{text} ORDER BY "id"', (work_item,)))


def projects(reader: Connection) -> tuple[rows.ProjectRow, ...]:
    query = select(rows.ProjectRow, Project).where(Project.removed_at.is_null()).order_by(Project.name)
    return _all(reader, rows.ProjectRow, Project, query)


def project(reader: Connection, key: int | str) -> rows.ProjectRow | None:
    """By number or by name."""
    return _by_key(reader, rows.ProjectRow, Project, "id" if isinstance(key, int) else "name", key)


def agents(reader: Connection, *, active_only: bool = True) -> tuple[rows.AgentRow, ...]:
    query = select(rows.AgentRow, Agent).order_by(Agent.tier, Agent.id)
    return _all(reader, rows.AgentRow, Agent, query.where(Agent.is_active) if active_only else query)


def agent(reader: Connection, role: str) -> rows.AgentRow | None:
    return _by_key(reader, rows.AgentRow, Agent, "role", role)


def counters(reader: Connection, *, day: int | None = None) -> dict[str, rows.CounterRow]:
    """Totals per agent of that day (days since the epoch, UTC), or of all days."""
    query = Counter.select(
        Counter.agent,
        fn.SUM(Counter.runs),
        fn.SUM(Counter.failures),
        fn.SUM(Counter.milliseconds),
        fn.SUM(Counter.tokens),
        fn.SUM(Counter.cost),
        fn.MAX(Counter.last_at),
    ).group_by(Counter.agent)
    found = reader.rows(query if day is None else query.where(Counter.day == day))
    return {row[0]: rows.CounterRow(*row) for row in found}


def work_item_facts(reader: Connection, work_item: int) -> rows.WorkItemFactsRow | None:
    return _by_key(reader, rows.WorkItemFactsRow, WorkItem, "id", work_item)


def work_item(reader: Connection, work_item: int, *, live: rows.LiveRow | None = None) -> rows.WorkItemRow | None:
    facts = work_item_facts(reader, work_item)
    return _with_cells(reader, (facts,), live)[0] if facts else None


def work_items(
    reader: Connection,
    *,
    limit: int = 200,
    before: int | None = None,
    unfinished_only: bool = False,
    matching: str = "",
    among: Collection[int] | None = None,
    live: rows.LiveRow | None = None,
) -> tuple[rows.WorkItemRow, ...]:
    """Newest first: up to `limit` of them with an id below `before`, title containing `matching`, of those `among`."""
    query = select(rows.WorkItemFactsRow, WorkItem).order_by(WorkItem.id.desc()).limit(limit)
    if before is not None:
        query = query.where(WorkItem.id < before)
    if unfinished_only:
        query = query.where(_is_unfinished())
    if matching:
        query = query.where(WorkItem.title.contains(matching))
    if among is not None:
        query = query.where(WorkItem.id.in_(list(among)))
    return _with_cells(reader, _all(reader, rows.WorkItemFactsRow, WorkItem, query), live)


def unfinished(reader: Connection) -> list[tuple[int, int | None]]:
    """Number and project of every work item that has not come to its end."""
    return [
        (number, project)
        for number, project in reader.rows(WorkItem.select(WorkItem.id, WorkItem.project).where(_is_unfinished()))
    ]


def _is_unfinished() -> Any:
    return WorkItem.closed_at.is_null() & WorkItem.cancelled_at.is_null() & WorkItem.failed_at.is_null()


def _with_cells(
    reader: Connection, facts: Collection[rows.WorkItemFactsRow], live: rows.LiveRow | None
) -> tuple[rows.WorkItemRow, ...]:
    live = live or read_live(reader)
    ids = [f.id for f in facts]
    names = {p[0]: p[1] for p in reader.rows(Project.select(Project.id, Project.name))}
    questions = _open_questions(reader, ids)
    runs: dict[int, dict[str, rows.PhaseRunRow]] = {}
    query = select(rows.PhaseRunRow, PhaseRun).where(PhaseRun.work_item.in_(ids)).order_by(PhaseRun.id)
    for run in _all(reader, rows.PhaseRunRow, PhaseRun, query):
        runs.setdefault(run.work_item, {})[run.phase] = run
    made = []
    for f in facts:
        asked = questions.get(f.id, {})
        running = f.id in live.work_items
        cells = tuple(_cell(code, runs.get(f.id, {}).get(code), asked, running) for code in PHASE_CODES)
        state = states.work_item_state(f, questions=sum(asked.values()), running=running)
        rest = live.resting.get(f.id)
        phase, waits_for = _current_phase(cells, runs.get(f.id, {})), sum(asked.values())
        made.append(rows.WorkItemRow(f, names.get(f.project), state, phase, waits_for, cells, rest))
    return tuple(made)


def _cell(phase: str, run: rows.PhaseRunRow | None, asked: dict[str | None, int], running: bool) -> rows.PhaseCell:
    if run is None:
        return rows.PhaseCell(phase, "", 0, None, None)
    status = states.phase_status(run.outcome, questions=asked.get(phase, 0), running=running)
    spent = None if run.ended_at is None else run.ended_at - run.started_at
    return rows.PhaseCell(phase, status, run.round, run.started_at, spent)


def _current_phase(cells: tuple[rows.PhaseCell, ...], runs: Mapping[str, rows.PhaseRunRow]) -> str | None:
    """The phase the work is in: the last one that was entered, unless a later round went back to an earlier one.

    Last by the runs' numbers: a clock that was put back says nothing of what came after what.
    """
    entered = [c for c in cells if c.phase in runs]
    unfinished = [c for c in entered if c.status != "passed"]
    newest = unfinished or entered
    return max(newest, key=lambda c: runs[c.phase].id).phase if newest else None


def _open_questions(reader: Connection, ids: Collection[int]) -> dict[int, dict[str | None, int]]:
    """Open escalations that hold something back, counted by work item and the phase that waits."""
    found: dict[int, dict[str | None, int]] = {}
    for work_item_id, asked in holding(reader, ids).items():
        waiting = Counted(q.blocks if q.blocks in PHASE_CODES else q.phase for q in asked)
        found[work_item_id] = dict(waiting)
    return found


@dataclass(frozen=True, slots=True)
class Holding:
    """An open question that holds something back: the phase that raised it, and what it blocks."""

    id: int
    phase: str | None
    blocks: str


def holding(reader: Connection, ids: Collection[int]) -> dict[int, list[Holding]]:
    """The open questions that hold something back, by work item."""
    query = Escalation.select(Escalation.work_item, Escalation.id, Escalation.phase, Escalation.blocks).where(
        Escalation.work_item.in_(list(ids)) & is_waiting() & (Escalation.blocks != "")
    )
    found: dict[int, list[Holding]] = {}
    for work_item_id, *question in reader.rows(query):
        found.setdefault(work_item_id, []).append(Holding(*question))
    return found


def artifacts(reader: Connection, work_item: int) -> tuple[rows.ArtifactRow, ...]:
    return of_work_item(reader, rows.ArtifactRow, Artifact, work_item)


def artifact_content(reader: Connection, artifact: int) -> Json:
    """The content of a stored artifact; raises LookupError for a number that is none."""
    found = reader.sql('SELECT "content" FROM "artifacts" WHERE "id" = ?', (artifact,))
    if not found:
        raise LookupError(f"there is no artifact {artifact}")
    content: Json = json.loads(found[0][0])
    return content


def phase_runs(reader: Connection, work_item: int) -> tuple[rows.PhaseRunRow, ...]:
    return of_work_item(reader, rows.PhaseRunRow, PhaseRun, work_item)


def delegations(reader: Connection, work_item: int) -> tuple[rows.DelegationRow, ...]:
    return of_work_item(reader, rows.DelegationRow, Delegation, work_item)


def delegation_record(reader: Connection, event: int) -> Json:
    """What a recorded delegation asked and answered: {"request": …, "response": …}."""
    row = reader.one(Event.select(Event.payload).where(Event.seq == event))
    if row is None:
        raise LookupError(f"there is no event {event}")
    payload = json.loads(row[0])
    return {"request": payload.get("request", {}), "response": payload["response"]}


def gate_results(reader: Connection, work_item: int) -> tuple[rows.GateResultRow, ...]:
    return of_work_item(reader, rows.GateResultRow, GateResult, work_item)


def evidence(
    reader: Connection, *, work_item: int | None = None, delegation: int | None = None, limit: int = 200
) -> tuple[rows.EvidenceRow, ...]:
    """Commands that were run, newest first."""
    query = select(rows.EvidenceRow, Evidence).order_by(Evidence.id.desc()).limit(limit)
    if work_item is not None:
        query = query.where(Evidence.work_item == work_item)
    if delegation is not None:
        query = query.where(Evidence.delegation == delegation)
    return _all(reader, rows.EvidenceRow, Evidence, query)


def is_open() -> Any:
    """The condition of an escalation that nobody has answered, withdrawn, merged or let expire.

    One expression, that of the index over the open ones: with four conditions the planner would take the index of the
    few merged ones, which leads to nearly every row.
    """
    ends = (Escalation.resolved_at, Escalation.withdrawn_at, Escalation.expired_at, Escalation.merged_into)
    return fn.COALESCE(*ends).is_null()


def is_waiting() -> Any:
    """The condition of one that is open, or was merged into one that is: the merged ones close and open with it.

    One expression, which no index serves: for queries of a work item or a key, whose own index has few rows.
    """
    return SQL(WAITING)


WAITING = 'COALESCE("resolved_at", "withdrawn_at", "expired_at") IS NULL'
"""The same written out, for statements that are."""


def escalation(reader: Connection, escalation: int) -> rows.EscalationRow | None:
    return _by_key(reader, rows.EscalationRow, Escalation, "id", escalation)


def decisions(reader: Connection, *, work_item: int | None = None, limit: int = 200) -> tuple[rows.DecisionRow, ...]:
    """Newest first."""
    if work_item is not None:
        return of_work_item(reader, rows.DecisionRow, Decision, work_item, newest=limit)
    query = select(rows.DecisionRow, Decision).order_by(Decision.id.desc()).limit(limit)
    return _all(reader, rows.DecisionRow, Decision, query)


def events(
    reader: Connection, *, after: int = 0, last: int | None = None, work_item: int | None = None, limit: int = 1000
) -> tuple[rows.EventRow, ...]:
    """Events in order: those after a number, or the `last` so many."""
    query = select(rows.EventRow, Event).where(Event.seq > after)
    if work_item is not None:
        query = query.where(Event.work_item == work_item)
    if last is not None:
        found = _all(reader, rows.EventRow, Event, query.order_by(Event.seq.desc()).limit(last))
        return tuple(reversed(found))
    return _all(reader, rows.EventRow, Event, query.order_by(Event.seq).limit(limit))


def news(reader: Connection, after: int, limit: int = 10_000) -> list[tuple[int, int | None, str]]:
    """Number, work item and kind of the events after a number, in order. Without their payloads, which may be large."""
    columns = (Event.seq, Event.work_item, Event.kind)
    query = Event.select(*columns).where(Event.seq > after).order_by(Event.seq).limit(limit)
    return [(seq, work_item, kind) for seq, work_item, kind in reader.rows(query)]


def read_live(reader: Connection, now: int | None = None) -> rows.LiveRow:
    """What the holder of the lease says runs now; nothing when its heartbeat is stale."""
    from core.store.writer import milliseconds_now

    row = reader.one(Lease.select(Lease.pid, Lease.heartbeat_at, Lease.live).where(Lease.name == "engine"))
    if row is None or (now or milliseconds_now()) - row[1] > LEASE_STALE_MS:
        return rows.LiveRow(False, None, (), ())
    live = json.loads(row[2])
    resting = {int(number): until for number, until in live.get("resting", {}).items()}
    return rows.LiveRow(True, row[0], tuple(live.get("work_items", ())), tuple(live.get("delegations", ())), resting)
