"""The one writer: a thread that owns the writing connection and commits whatever waits together.

Coroutines and threads hand it closures. Each closure runs whole or not at all; those that wait at the same moment
share one commit, and so one flush of the disk. Nothing is answered, published or acted upon before that commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from array import array
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Any, TypeVar, cast

from peewee import AutoField, Database, Field, Model

from core.contract import Json, canonical_object
from core.store.carried import Row, packed
from core.store.chain import GENESIS, StoredEvent, head_from_row, head_signature, is_signed, mac_of
from core.store.database import CUT, FAILURES, FORGED, StoreError, explain
from core.store.pending import Mark, Pending, add_to, insert_into, update_of
from core.store.tables_work import ChainHead, Counter, Event, Lease
from core.store.tickets import Ticket, settle_all

T = TypeVar("T")

MS_PER_DAY = 86_400_000
GROUP = 512
"""Closures that may share one commit."""
TURNS = 8
"""Of the event loop, for which closures are gathered while more of them come."""

UNCHAINED = frozenset({ChainHead, Counter, Event, Lease})
"""Tables that are no state of their own: the chain itself, its running totals, and who holds the lease."""

_EVENT_FIELDS = ("seq", "at", "kind", "work_item", "payload", "mac")
_COUNTED = (("agent", "day"), ("runs", "failures", "milliseconds", "tokens", "cost"), "last_at")
_HEAD_SQL = "UPDATE chain_head SET seq = {0}, mac = {0}, signature = {0} WHERE id = 1"


@cache
def _defaults(model: type[Model]) -> Json:
    return {name: f.default for name, f in model._meta.fields.items() if f.default is not None}


@cache
def _own_key(model: type[Model]) -> str:
    """The field of a table's key where the row itself has it; "" where it is a number that the store gives out."""
    key = cast("Field", model._meta.primary_key)
    return "" if isinstance(key, AutoField) else str(key.name)


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
        key: bytes,
        head: tuple[int, bytes],
        clock: Callable[[], int],
        last_keys: dict[type[Model], int],
    ) -> None:
        """`head` is the number and mac of the last event; `last_keys` the highest number of some tables."""
        self._db = database
        self._key = key
        self._clock = clock
        self._pending = Pending(database)
        self._event_row = insert_into(Event, _EVENT_FIELDS, database.param)
        self._count = add_to(Counter, *_COUNTED, database.param)
        self.last_keys = last_keys
        self._once: dict[Callable[..., Any], Any] = {}
        self.seq, self.mac = head
        self.now = clock()
        self.events: list[StoredEvent] = []
        self._rows: list[Row] = []
        self._begin = _Begin(*head, 0, (0, 0), {})
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
        return list(self._db.execute_sql(text.replace("?", self._db.param), tuple(parameters)).fetchall())

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
            self._db.execute_sql("RELEASE closure")
            self._has_savepoint = False

    def undo_closure(self) -> None:
        begin = self._begin
        self.seq, self.mac, self.last_keys = begin.seq, begin.mac, begin.last_keys
        del self.events[begin.events :]
        self._rows = []
        self._once.clear()
        self._pending.cut(begin.pending)
        if self._has_savepoint:
            self._db.execute_sql("ROLLBACK TO closure")
            self._db.execute_sql("RELEASE closure")
            self._has_savepoint = False

    def write_all(self) -> None:
        """Write what waits of all closures."""
        self._pending.carry_out()

    def _next_key(self, model: type[Model]) -> int:
        if model not in self.last_keys:
            text = f'SELECT COALESCE(MAX("id"), 0) FROM "{model._meta.table_name}"'
            self.last_keys[model] = int(self._db.execute_sql(text).fetchone()[0])
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
        self._db.execute_sql("SAVEPOINT closure")
        self._has_savepoint = True


@dataclass(slots=True)
class _Begin:
    """Where a transaction stood when a closure began."""

    seq: int
    mac: bytes
    events: int
    pending: Mark
    last_keys: dict[type[Model], int]


class Writer:
    """Owns the writing thread. `write` from coroutines, `write_now` from plain threads."""

    def __init__(
        self,
        database: Database,
        key: bytes,
        path: str,
        publish: Callable[[Sequence[StoredEvent]], None],
        clock: Callable[[], int],
    ) -> None:
        self._db, self._key, self._path, self._publish, self._clock = database, key, path, publish, clock
        self._queue: queue.SimpleQueue[Sequence[Ticket] | None] = queue.SimpleQueue()
        self._gathered: dict[asyncio.AbstractEventLoop, list[Ticket]] = {}
        """By event loop, what it has asked for since it last handed over."""
        self._closed = self._is_checked = False
        self._head = (0, GENESIS)
        """Number and mac of the last event that this process has committed."""
        self._last_keys: dict[type[Model], int] = {}
        """By table, the highest number that was given out until then."""
        self._thread = threading.Thread(target=self._serve, name="apm-writer", daemon=True)
        self._thread.start()

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run the closure in the writer's next commit; its result once that commit is durable.

        Raises what the closure raised (nothing of it is kept) or StoreError when the database could not commit.
        A caller that is cancelled does not undo the write.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._check_open()
        gathered = self._gathered.setdefault(loop, [])
        if not gathered:
            loop.call_soon(self._hand_over, loop, 1, TURNS)
        gathered.append(Ticket(work, future, loop))
        return await future

    def write_now(self, work: Callable[[Transaction], T]) -> T:
        """The same for a thread without an event loop: blocks until the commit."""
        future: Future[T] = Future()
        self._check_open()
        self._queue.put((Ticket(work, future, None),))
        return future.result()

    def close(self) -> None:
        """Commit what waits, then end the thread."""
        if not self._closed:
            self._closed = True
            for loop in tuple(self._gathered):
                self._hand_over(loop, 0, 0)
            self._queue.put(None)
            self._thread.join()

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("the store is closed")

    def _hand_over(self, loop: asyncio.AbstractEventLoop, seen: int, turns: int) -> None:
        """Give the thread what was gathered, unless more came in the last turn of the loop: then there may be yet more.

        A thread that is woken for one closure takes the interpreter away from whoever is about to ask for the next.
        """
        gathered = self._gathered.get(loop, ())
        if len(gathered) > seen and turns:
            loop.call_soon(self._hand_over, loop, len(gathered), turns - 1)
        elif gathered:
            del self._gathered[loop]
            self._queue.put(gathered)

    def _serve(self) -> None:
        with self._db.connection_context():
            ended = False
            while not ended:
                tickets, ended = self._next_tickets()
                for at in range(0, len(tickets), GROUP):
                    self._commit(tickets[at : at + GROUP])

    def _next_tickets(self) -> tuple[Sequence[Ticket], bool]:
        """Everything that waits, and whether it is the last."""
        tickets: list[Ticket] = []
        gathered = self._queue.get()
        while gathered is not None:
            tickets += gathered
            try:
                gathered = self._queue.get_nowait()
            except queue.Empty:
                return tickets, False
        return tickets, True

    def _commit(self, group: Sequence[Ticket]) -> None:
        try:
            events = self._committed(group)
        except (*FAILURES, StoreError) as error:
            self._last_keys = {}
            if len(group) > 1:
                # One of them may be at fault, or all of them: each by itself shows, and costs no other its commit.
                for ticket in group:
                    self._commit([ticket])
                return
            group[0].error = error if isinstance(error, StoreError) else explain(error, self._path)
            events = []
        if events:
            self._publish(events)
        self._settle(group)

    def _committed(self, group: Sequence[Ticket]) -> list[StoredEvent]:
        """Run the closures in one transaction; the events that it has committed. Raises what the database does."""
        with self._db.atomic():
            tx = self._transaction()
            for ticket in group:
                self._run(tx, ticket)
            tx.write_all()
            if tx.events:
                signature = head_signature(self._key, tx.seq, tx.mac)
                self._db.execute_sql(_HEAD_SQL.format(self._db.param), (tx.seq, tx.mac, signature))
        self._head, self._last_keys = (tx.seq, tx.mac), tx.last_keys
        return tx.events

    def _transaction(self) -> Transaction:
        """A transaction that continues the chain where the database, not our memory, says it ends."""
        row = self._db.execute_sql("SELECT seq, mac, signature FROM chain_head WHERE id = 1").fetchone()
        if not self._is_checked:
            self._check_end(0 if row is None else int(row[0]))
            if row is not None and row[0] and not is_signed(self._key, head_from_row(row)):
                raise StoreError(FORGED.format(path=self._path, last=row[0]))
            self._is_checked = True
        if row is None:
            self._db.execute_sql(f"INSERT INTO chain_head (id, seq, mac) VALUES (1, 0, {self._db.param})", (GENESIS,))
            row = (0, GENESIS, None)
        head = int(row[0]), bytes(row[1])
        # Another process has written where the chain does not end as we have left it.
        keys = self._last_keys if head == self._head else {}
        return Transaction(self._db, self._key, head, self._clock, keys)

    def _check_end(self, head: int) -> None:
        """Raises StoreError where the journal does not end at its head: what was cut off would be done once more."""
        last = self._db.execute_sql("SELECT COALESCE(MAX(seq), 0) FROM events").fetchone()[0]
        if last != head:
            raise StoreError(CUT.format(path=self._path, last=last, head=head))

    @staticmethod
    def _run(tx: Transaction, ticket: Ticket) -> None:
        ticket.result = ticket.error = None
        tx.begin_closure()
        try:
            ticket.result = ticket.work(tx)
            tx.end_closure()
        except FAILURES:
            # Not for certain this closure's: rows of those before it may have been written only now.
            raise
        except Exception as error:
            tx.undo_closure()
            ticket.error = error

    @staticmethod
    def _settle(group: Sequence[Ticket]) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[Ticket]] = {}
        for ticket in group:
            if ticket.loop is None:
                ticket.settle()
            else:
                by_loop.setdefault(ticket.loop, []).append(ticket)
        for loop, tickets in by_loop.items():
            # A loop that was closed meanwhile has nobody left who waits.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(settle_all, tickets)


def milliseconds_now() -> int:
    """The system's clock, milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
