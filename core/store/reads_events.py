"""Reads of single events: what a list shows of them, and the whole of one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from peewee import Case, Model, fn

from core.store.chain import STRETCH
from core.store.event_facts import AGENT, DELEGATED, EventFacts, Who, event_facts, refs
from core.store.reads import Connection
from core.store.schema import Conflict, Decision, Delegation, Escalation, Event, Project, ScopeProposal, WorkItem

HEAD_CHARACTERS = 16_000
"""Of a payload that are read for a list. Facts stand before the rows, and rows are what makes a payload long."""
TOGETHER = 500
"""Events that are read together by their numbers."""


def events_by_number(reader: Connection, numbers: Collection[int]) -> dict[int, EventFacts]:
    """The events of these numbers; one that is not there is not in it."""
    return {event.seq: event for event in events_in_turn(reader, numbers)}


def events_in_turn(reader: Connection, numbers: Iterable[int]) -> Iterator[EventFacts]:
    window: list[int] = []
    for number in numbers:
        window.append(number)
        if len(window) == TOGETHER:
            yield from _window(reader, window)
            window = []
    if window:
        yield from _window(reader, window)


def _window(reader: Connection, numbers: Sequence[int]) -> Iterator[EventFacts]:
    # SUBSTR would read the whole of a payload: of a delegation, of which there are many, the row says enough.
    head = Case(None, ((Event.kind == DELEGATED, ""),), fn.SUBSTR(Event.payload, 1, HEAD_CHARACTERS))
    query = Event.select(Event.seq, Event.at, Event.kind, Event.work_item, head).where(Event.seq.in_(list(numbers)))
    found = reader.rows(query)
    delegations = _delegations(reader, [(row[0], row[3]) for row in found if row[2] == DELEGATED])
    for seq, at, kind, work_item, payload in found:
        if kind == DELEGATED:
            facts = delegations.get(seq, {})
            who = Who(AGENT, facts.get("agent", ""))
            yield EventFacts(seq, at, kind, work_item, facts, who, refs(work_item, facts))
        else:
            yield event_facts(seq, at, kind, work_item, payload)


_DELEGATION = ("agent", "phase", "round", "subject", "status", "runtime", "milliseconds")


def _delegations(reader: Connection, events: Sequence[tuple[int, int | None]]) -> dict[int, dict[str, Any]]:
    """What is on record of the delegations of these events. By their work items, for which there is an index."""
    if not events:
        return {}
    items = sorted({item for _, item in events if item is not None})
    columns = [getattr(Delegation, name) for name in _DELEGATION]
    query = Delegation.select(Delegation.event, Delegation.id, *columns).where(
        Delegation.work_item.in_(items) & Delegation.event.in_([seq for seq, _ in events])
    )
    return {
        event: {"delegation": number, **dict(zip(_DELEGATION, values, strict=True))}
        for event, number, *values in reader.rows(query)
    }


# What a list shows of them


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """An event with the title of what it is about, as that is called now; "" where it has none."""

    event: EventFacts
    title: str = ""

    @property
    def seq(self) -> int:
        return self.event.seq


def _absent(reader: Connection, number: int) -> EventFacts:
    """What stands for an event that is not there: the stretch that holds its place, or nothing."""
    row = reader.one(Event.select(Event.kind, Event.at).where(Event.seq > number).order_by(Event.seq).limit(1))
    if row is not None and row[0] == STRETCH:
        return EventFacts(number, row[1], STRETCH, None)
    return EventFacts(number, 0, None, None)


_TITLES: Mapping[str, tuple[type[Model], tuple[Any, ...]]] = {
    "escalation": (Escalation, (Escalation.question,)),
    "decision": (Decision, (Decision.agent, Decision.kind)),
    "conflict": (Conflict, (Conflict.topic,)),
    "proposal": (ScopeProposal, (ScopeProposal.agent, ScopeProposal.kind)),
    "project": (Project, (Project.name,)),
    "work_item": (WorkItem, (WorkItem.title,)),
}
"""Where the title of a record stands. An event that names several is about the first of them."""


def subject_of(found: Mapping[str, int]) -> tuple[str, int] | None:
    """Which of an event's references says best what it is about."""
    return next(((name, found[name]) for name in _TITLES if name in found), None)


def history_rows(reader: Connection, numbers: Collection[int]) -> dict[int, HistoryRow]:
    """The rows of these events. One that is missing has a row that says so."""
    events = events_by_number(reader, numbers)
    subjects = {number: subject_of(event.refs) for number, event in events.items()}
    titles = _titles(reader, {subject for subject in subjects.values() if subject is not None})
    made = {}
    for number in numbers:
        event, subject = events.get(number), subjects.get(number)
        if event is None:
            event = _absent(reader, number)
        made[number] = HistoryRow(event, titles.get(subject, "") if subject is not None else "")
    return made


def _titles(reader: Connection, subjects: Collection[tuple[str, int]]) -> dict[tuple[str, int], str]:
    found: dict[tuple[str, int], str] = {}
    for name, (model, columns) in _TITLES.items():
        numbers = [number for kind, number in subjects if kind == name]
        if numbers:
            key: Any = model._meta.primary_key
            for number, *words in reader.rows(model.select(key, *columns).where(key.in_(numbers))):
                found[name, number] = " ".join(str(word) for word in words if word)
    return found


# The whole of one


@dataclass(frozen=True, slots=True)
class EventDocument:
    """An event as it lies in the journal: its canonical JSON text, its hash, and that of the event before it."""

    seq: int
    at: int
    kind: str
    work_item: int | None
    payload: str
    mac: bytes
    before: bytes | None


def event_document(reader: Connection, seq: int) -> EventDocument | None:
    columns = (Event.seq, Event.at, Event.kind, Event.work_item, Event.payload, Event.mac)
    row = reader.one(Event.select(*columns).where(Event.seq == seq))
    if row is None:
        return None
    before = reader.one(Event.select(Event.mac).where(Event.seq == seq - 1))
    number, at, kind, work_item, payload, mac = row
    return EventDocument(number, at, kind, work_item, payload, bytes(mac), bytes(before[0]) if before else None)
