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
from functools import cache
from operator import itemgetter
from typing import Any, TypeVar, cast

from peewee import Database, Field, Model

from core.contract import Json, canonical_json
from core.store.chain import GENESIS, StoredEvent, mac_of
from core.store.database import CUT, FAILURES, StoreError, explain
from core.store.tables_work import ChainHead, Counter, Event, Lease
from core.store.tickets import Ticket, settle_all

T = TypeVar("T")

GROUP = 512
"""Closures that may share one commit."""

UNCHAINED = frozenset({ChainHead, Counter, Event, Lease})
"""Tables that are no state of their own: the chain itself, its running totals, and who holds the lease."""

_EVENT_SQL = "INSERT INTO events (seq, at, kind, work_item, payload, mac) VALUES ({0}, {0}, {0}, {0}, {0}, {0})"
_HEAD_SQL = "UPDATE chain_head SET seq = {0}, mac = {0} WHERE id = 1"


@cache
def _defaults(model: type[Model]) -> Json:
    return {name: f.default for name, f in model._meta.fields.items() if f.default is not None}


@cache
def _insert_sql(model: type[Model], names: tuple[str, ...], mark: str) -> str:
    # Written once and kept: peewee builds the same statement in a tenth of a millisecond, every time.
    columns = ", ".join(f'"{model._meta.fields[n].column_name}"' for n in names)
    return f'INSERT INTO "{model._meta.table_name}" ({columns}) VALUES ({", ".join([mark] * len(names))})'


@cache
def _update_sql(model: type[Model], names: tuple[str, ...], mark: str) -> str:
    columns = ", ".join(f'"{model._meta.fields[n].column_name}" = {mark}' for n in names)
    key = cast("Field", model._meta.primary_key).column_name
    return f'UPDATE "{model._meta.table_name}" SET {columns} WHERE "{key}" = {mark}'


class Unrecorded(AssertionError):
    """A closure changed rows and wrote no event for them: a fault of the program, and nothing is written."""


class Transaction:
    """What a closure gets: rows in, rows changed, and the event that carries the change."""

    def __init__(self, database: Database, key: bytes, seq: int, mac: bytes, clock: Callable[[], int]) -> None:
        self._db = database
        self._key = key
        self._clock = clock
        self._event_sql = _EVENT_SQL.format(database.param)
        self.seq, self.mac = seq, mac
        self.now = clock()
        self.events: list[StoredEvent] = []
        self._rows: list[list[Any]] = []

    @property
    def next_seq(self) -> int:
        """The number that the next event will have."""
        return self.seq + 1

    def rows(self, query: Any) -> list[tuple[Any, ...]]:
        return list(self._db.execute(query).fetchall())

    def numbers(self, query: Any) -> array[int]:
        """The only column of a query for whole numbers."""
        return array("q", map(itemgetter(0), self._db.execute(query)))

    def one(self, query: Any) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._db.execute(query).fetchone()
        return row

    def insert(self, model: type[Model], /, **values: Any) -> int:
        """A new row; its key. The next event carries it. Values are as the column stores them."""
        full = _defaults(model) | values
        cursor = self._db.execute_sql(_insert_sql(model, tuple(full), self._db.param), tuple(full.values()))
        key = int(cursor.lastrowid)
        if model not in UNCHAINED:
            self._rows.append([model._meta.table_name, key, full])
        return key

    def update(self, model: type[Model], key: int | str, /, **values: Any) -> None:
        """Change columns of one row. The next event carries them."""
        self._db.execute_sql(_update_sql(model, tuple(values), self._db.param), (*values.values(), key))
        if model not in UNCHAINED:
            self._rows.append([model._meta.table_name, key, values])

    def sql(self, text: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of a statement written out; `?` marks a parameter on every database."""
        return list(self._db.execute_sql(text.replace("?", self._db.param), tuple(parameters)).fetchall())

    def execute(self, query: Any) -> Any:
        """A statement on one of the `UNCHAINED` tables, or a read; state goes through `insert` and `update`."""
        return self._db.execute(query)

    def event(self, kind: str, /, *, work_item: int | None = None, **facts: Any) -> int:
        """Write the event that carries every row changed since the last one; its number."""
        payload: Json = {**facts}
        if self._rows:
            payload["rows"] = self._rows
        text = canonical_json(payload)
        seq = self.seq + 1
        mac = mac_of(self._key, self.mac, seq, self.now, kind, work_item, text)
        self._db.execute_sql(self._event_sql, (seq, self.now, kind, work_item, text, mac))
        self.seq, self.mac, self._rows = seq, mac, []
        self.events.append(StoredEvent(seq, self.now, kind, work_item, text, mac))
        return seq

    def begin_closure(self) -> tuple[int, bytes, int]:
        self.now, self._rows = self._clock(), []
        return self.seq, self.mac, len(self.events)

    def roll_back_to(self, mark: tuple[int, bytes, int]) -> None:
        self.seq, self.mac = mark[0], mark[1]
        del self.events[mark[2] :]
        self._rows = []

    def check_recorded(self) -> None:
        if self._rows:
            raise Unrecorded(f"rows of {self._rows[0][0]} were changed without an event")


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
        self._queue: queue.SimpleQueue[Ticket | None] = queue.SimpleQueue()
        self._closed = self._is_checked = False
        self._thread = threading.Thread(target=self._serve, name="apm-writer", daemon=True)
        self._thread.start()

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run the closure in the writer's next commit; its result once that commit is durable.

        Raises what the closure raised (nothing of it is kept) or StoreError when the database could not commit.
        A caller that is cancelled does not undo the write.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._submit(Ticket(work, future, loop))
        return await future

    def write_now(self, work: Callable[[Transaction], T]) -> T:
        """The same for a thread without an event loop: blocks until the commit."""
        future: Future[T] = Future()
        self._submit(Ticket(work, future, None))
        return future.result()

    def close(self) -> None:
        """Commit what waits, then end the thread."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            self._thread.join()

    def _submit(self, ticket: Ticket) -> None:
        if self._closed:
            raise RuntimeError("the store is closed")
        self._queue.put(ticket)

    def _serve(self) -> None:
        with self._db.connection_context():
            ended = False
            while not ended:
                group, ended = self._next_group()
                if group:
                    self._commit(group)

    def _next_group(self) -> tuple[list[Ticket], bool]:
        first = self._queue.get()
        if first is None:
            return [], True
        group = [first]
        while len(group) < GROUP:
            try:
                ticket = self._queue.get_nowait()
            except queue.Empty:
                return group, False
            if ticket is None:
                return group, True
            group.append(ticket)
        return group, False

    def _commit(self, group: list[Ticket]) -> None:
        events: list[StoredEvent] = []
        try:
            with self._db.atomic():
                tx = self._transaction()
                for ticket in group:
                    self._run(tx, ticket)
                if tx.events:
                    self._db.execute_sql(_HEAD_SQL.format(self._db.param), (tx.seq, tx.mac))
                events = tx.events
        except (*FAILURES, StoreError) as error:
            failure = error if isinstance(error, StoreError) else explain(error, self._path)
            for ticket in group:
                ticket.error = ticket.error or failure
            events = []
        if events:
            self._publish(events)
        self._settle(group)

    def _transaction(self) -> Transaction:
        """A transaction that continues the chain where the database, not our memory, says it ends."""
        row = self._db.execute_sql("SELECT seq, mac FROM chain_head WHERE id = 1").fetchone()
        if not self._is_checked:
            self._check_end(0 if row is None else int(row[0]))
        if row is None:
            self._db.execute_sql(f"INSERT INTO chain_head (id, seq, mac) VALUES (1, 0, {self._db.param})", (GENESIS,))
            row = (0, GENESIS)
        return Transaction(self._db, self._key, int(row[0]), bytes(row[1]), self._clock)

    def _check_end(self, head: int) -> None:
        """Raises StoreError where the journal does not end at its head: what was cut off would be done once more."""
        last = self._db.execute_sql("SELECT COALESCE(MAX(seq), 0) FROM events").fetchone()[0]
        if last != head:
            raise StoreError(CUT.format(path=self._path, last=last, head=head))
        self._is_checked = True

    def _run(self, tx: Transaction, ticket: Ticket) -> None:
        mark = tx.begin_closure()
        # Not peewee's, which draws a random name for each: that takes as long as what it is for.
        self._db.execute_sql("SAVEPOINT closure")
        try:
            ticket.result = ticket.work(tx)
            tx.check_recorded()
            self._db.execute_sql("RELEASE closure")
        except Exception as error:
            tx.roll_back_to(mark)
            ticket.error = explain(error, self._path) if isinstance(error, FAILURES) else error
            if not self._db.connection().in_transaction:
                # A full disk makes SQLite roll back the whole transaction by itself: nothing more may join it.
                raise explain(error, self._path) from error
            self._db.execute_sql("ROLLBACK TO closure")
            self._db.execute_sql("RELEASE closure")

    @staticmethod
    def _settle(group: list[Ticket]) -> None:
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
