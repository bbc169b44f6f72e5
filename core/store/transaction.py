"""A transaction: what a closure of the writer gets, and how it is undone."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Any, TypeVar, cast

from peewee import AutoField, Database, Field, Model

from core.contract import Json, canonical_object
from core.store.carried import Row, packed
from core.store.chain import StoredEvent, mac_of
from core.store.pending import Mark, Pending, add_to, insert_into, update_of
from core.store.tables_work import ChainHead, Counter, Event, Lease

T = TypeVar("T")

MS_PER_DAY = 86_400_000

UNCHAINED = frozenset({ChainHead, Counter, Event, Lease})
"""Tables that are no state of their own: the chain itself, its running totals, and who holds the lease."""

_EVENT_FIELDS = ("seq", "at", "kind", "work_item", "payload", "mac")
_COUNTED = (("agent", "day"), ("runs", "failures", "milliseconds", "tokens", "cost"), "last_at")


@cache
def _defaults(model: type[Model]) -> Json:
    return {name: f.default for name, f in model._meta.fields.items() if f.default is not None}


@cache
def _own_key(model: type[Model]) -> str:
    """The field of a table's key where the row itself has it; "" where it is a number that the store gives out."""
    key = cast("Field", model._meta.primary_key)
    return "" if isinstance(key, AutoField) else str(key.name)


@dataclass(frozen=True, slots=True, eq=False)
class Ending:
    """Where a journal ends. Never changed; what is written makes another."""

    seq: int
    mac: bytes
    last_keys: dict[type[Model], int]
    """By table, the highest number that was given out until then, as far as it is known."""


class Unrecorded(AssertionError):
    """A closure changed rows and wrote no event for them: a fault of the program, and nothing is written."""


class Transaction:
    """What a closure gets: rows in, rows changed, and the event that carries the change.

    Rows wait until somebody reads or the group of closures ends. So a closure that only writes is undone by forgetting
    it; for one that reads what it has written itself there is a savepoint.
    """

    def __init__(
        self,
        database: Database,
        execute: Callable[..., Any],
        key: bytes,
        begin: Ending,
        clock: Callable[[], int],
    ) -> None:
        """`execute` is the writing connection's own."""
        self._db = database
        self._key = key
        self._clock = clock
        self._sql = execute
        self._pending = Pending(execute)
        self._event_row = insert_into(Event, _EVENT_FIELDS, database.param)
        self._count = add_to(Counter, *_COUNTED, database.param)
        self.last_keys = begin.last_keys.copy()
        self._once: dict[Callable[..., Any], Any] = {}
        self.seq, self.mac = begin.seq, begin.mac
        self.now = clock()
        self.events: list[StoredEvent] = []
        self._rows: list[Row] = []
        self._begin = _Begin(begin.seq, begin.mac, 0, (0, 0), {})
        self._has_savepoint = False

    @property
    def next_seq(self) -> int:
        """The number that the next event will have."""
        return self.seq + 1

    def rows(self, query: Any) -> list[tuple[Any, ...]]:
        self._write_pending()
        return list(self._db.execute(query).fetchall())

    def numbers(self, query: Any) -> array[int]:
        """The only column of a query for whole numbers."""
        self._write_pending()
        return array("q", map(itemgetter(0), self._db.execute(query)))

    def one(self, query: Any) -> tuple[Any, ...] | None:
        self._write_pending()
        row: tuple[Any, ...] | None = self._db.execute(query).fetchone()
        return row

    def sql(self, text: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of a query written out; `?` marks a parameter on every database."""
        self._write_pending()
        found: list[tuple[Any, ...]] = self._sql(text.replace("?", self._db.param), parameters).fetchall()
        return found

    def once(self, read: Callable[[Transaction], T]) -> T:
        """What a function reads of the `UNCHAINED` tables: the first time, and from then on what that was."""
        if read not in self._once:
            self._once[read] = read(self)
        found: T = self._once[read]
        return found

    def insert(self, model: type[Model], /, **values: Any) -> int:
        """A new row; its number, 0 where its key is a word. The next event carries it. Values are as the column
        stores them."""
        full = _defaults(model) | values
        own = _own_key(model)
        key = 0 if own else self._next_key(model)
        named = full if own else {"id": key, **full}
        self._pending.insert(insert_into(model, tuple(named), self._db.param), tuple(named.values()))
        if model not in UNCHAINED:
            self._rows.append((model._meta.table_name, full[own] if own else key, full))
        return key

    def update(self, model: type[Model], key: int | str, /, **values: Any) -> None:
        """Change columns of one row. The next event carries them."""
        self._pending.then(update_of(model, tuple(values), self._db.param), (*values.values(), key))
        if model not in UNCHAINED:
            self._rows.append((model._meta.table_name, key, values))

    def count(
        self, agent: str, *, runs: int = 0, failures: int = 0, milliseconds: int = 0, tokens: int = 0, cost: float = 0.0
    ) -> None:
        """Add to the agent's totals of today (UTC). `cost` in dollars."""
        row = (agent, self.now // MS_PER_DAY, runs, failures, milliseconds, tokens, cost, self.now)
        self._pending.insert(self._count, row)

    def then(self, text: str, parameters: Sequence[Any]) -> None:
        """Change one of the `UNCHAINED` tables by a statement written out, once the rows before it are written."""
        self._pending.then(text.replace("?", self._db.param), tuple(parameters))

    def execute(self, query: Any) -> Any:
        """A statement on one of the `UNCHAINED` tables, now; state goes through `insert` and `update`."""
        self._keep_undoable()
        self._once.clear()
        return self._db.execute(query)

    def event(self, kind: str, /, *, work_item: int | None = None, **facts: Any) -> int:
        """Write the event that carries every row changed since the last one; its number."""
        seq = self.seq + 1
        if self._rows:
            facts["rows"] = packed(self._rows, seq=seq, at=self.now, work_item=work_item)
        text = canonical_object(facts)
        mac = mac_of(self._key, self.mac, seq, self.now, kind, work_item, text)
        self._pending.insert(self._event_row, (seq, self.now, kind, work_item, text, mac))
        self.seq, self.mac, self._rows = seq, mac, []
        self.events.append(StoredEvent(seq, self.now, kind, work_item, text, mac))
        return seq

    def begin_closure(self) -> None:
        self.now, self._rows = self._clock(), []
        self._begin = _Begin(self.seq, self.mac, len(self.events), self._pending.mark(), self.last_keys.copy())

    def end_closure(self) -> None:
        """Raises Unrecorded where rows were changed without an event."""
        if self._rows:
            raise Unrecorded(f"rows of {self._rows[0][0]} were changed without an event")
        if self._has_savepoint:
            self._sql("RELEASE closure")
            self._has_savepoint = False

    def undo_closure(self) -> None:
        begin = self._begin
        self.seq, self.mac, self.last_keys = begin.seq, begin.mac, begin.last_keys
        del self.events[begin.events :]
        self._rows = []
        self._once.clear()
        self._pending.cut(begin.pending)
        if self._has_savepoint:
            self._sql("ROLLBACK TO closure")
            self._sql("RELEASE closure")
            self._has_savepoint = False

    def write_all(self) -> None:
        """Write what waits of all closures."""
        self._pending.carry_out()

    @property
    def ending(self) -> Ending:
        """Where the journal ends with all that was written here."""
        return Ending(self.seq, self.mac, self.last_keys.copy())

    def _next_key(self, model: type[Model]) -> int:
        if model not in self.last_keys:
            text = f'SELECT COALESCE(MAX("id"), 0) FROM "{model._meta.table_name}"'
            self.last_keys[model] = int(self._sql(text).fetchone()[0])
        self.last_keys[model] += 1
        return self.last_keys[model]

    def _write_pending(self) -> None:
        """Let a query see what was changed before it."""
        if self._pending.mark() != self._begin.pending:
            self._keep_undoable()
        self._pending.carry_out()
        self._begin.pending = (0, 0)

    def _keep_undoable(self) -> None:
        """Have a savepoint between what earlier closures have changed and what this one has."""
        if self._has_savepoint:
            return
        self._pending.carry_out(self._begin.pending)
        self._begin.pending = (0, 0)
        self._sql("SAVEPOINT closure")
        self._has_savepoint = True


@dataclass(slots=True)
class _Begin:
    """Where a transaction stood when a closure began."""

    seq: int
    mac: bytes
    events: int
    pending: Mark
    last_keys: dict[type[Model], int]
