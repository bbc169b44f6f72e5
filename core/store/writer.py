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
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeVar

from peewee import Database, Model

from core.store.chain import GENESIS, StoredEvent, head_from_row, head_signature, is_signed
from core.store.database import CUT, FAILURES, FORGED, StoreError, explain
from core.store.tickets import Ticket, settle_all
from core.store.transaction import Transaction

T = TypeVar("T")

GROUP = 512
"""Closures that may share one commit."""
TURNS = 8
"""Of the event loop, for which closures are gathered while more of them come."""

_HEAD_SQL = "UPDATE chain_head SET seq = {0}, mac = {0}, signature = {0} WHERE id = 1"


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
        """Commit what waits, then end the thread. Whoever else closes it meanwhile waits for that too."""
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
