"""Whether the journal is what was written: the whole chain and its head, read in one snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from peewee import Value, fn

from core.store.chain import STRETCH, ChainFault, StoredEvent, event_from_row, faults, first_of, head_from_row
from core.store.schema import TABLES, ChainHead, Delegation, Event, Turn
from core.store.store import Reader
from core.store.transaction import UNCHAINED

WINDOW = 2_000
"""Events held in memory at a time."""
SHOWN_FAULTS = 100
"""A journal with holes all over is as bad with its first hundred."""


@dataclass(frozen=True, slots=True)
class Audit:
    """How many events were read, the first faults found among them, and how many more are in archives."""

    events: int
    faults: tuple[ChainFault, ...]
    archived: int = 0

    @property
    def is_whole(self) -> bool:
        return not self.faults


def verify(reader: Reader, key: bytes) -> Audit:
    """Check every event against the one before it, and the last against the head, which is signed. A read closure, of
    one moment: an event that is committed meanwhile is neither among the events nor the head."""
    row = reader.one(ChainHead.select(ChainHead.seq, ChainHead.mac, ChainHead.signature).where(ChainHead.id == 1))
    head = None if row is None else head_from_row(row)
    counted = _Counted(reader)
    found: list[ChainFault] = []
    for fault in chain(faults(key, counted, head), _beyond(reader)):
        if len(found) < SHOWN_FAULTS:
            found.append(fault)
    return Audit(counted.events, tuple(found), counted.archived)


def _beyond(reader: Reader) -> Iterator[ChainFault]:
    """Rows that stand in an event behind the last one: the end was cut off, and the head moved to hide it. Or rows
    without any event: all of the journal is gone."""
    last = reader.one(Event.select(fn.COALESCE(fn.MAX(Event.seq), 0)))
    if last == (0,):
        full = next((m for m in TABLES if m not in UNCHAINED and reader.one(m.select(Value(1)).limit(1))), None)
        if full is not None:
            yield ChainFault(0, f"there is no event at all, and {full._meta.table_name} has rows")
        return
    for model in (Delegation, Turn):
        row = reader.one(model.select(fn.MAX(model.event)))
        if row and last and type(row[0]) is int and row[0] > last[0]:
            table = model._meta.table_name
            yield ChainFault(row[0], f"a row of {table} stands in event {row[0]}, and the journal ends at {last[0]}")


def events_of(reader: Reader) -> Iterator[StoredEvent]:
    """Every event in order, a window at a time."""
    return iter(_Counted(reader))


class _Counted:
    """Every event in order, a window at a time, and how many there were."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.events = self.archived = 0

    def __iter__(self) -> Iterator[StoredEvent]:
        last = -(2**63)
        while True:
            query = (
                Event.select(Event.seq, Event.at, Event.kind, Event.work_item, Event.payload, Event.mac)
                .where(Event.seq > last)
                .order_by(Event.seq)
                .limit(WINDOW)
            )
            window = self._reader.rows(query)
            for row in window:
                event = event_from_row(row)
                if event.kind == STRETCH:
                    self.archived += event.seq - first_of(event) + 1
                else:
                    self.events += 1
                yield event
            if len(window) < WINDOW:
                return
            last = window[-1][0]
