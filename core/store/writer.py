"""The one writer: a thread that owns the writing connection and commits whatever waits together.

Coroutines and threads hand it closures. Each closure runs whole or not at all; those that wait at the same moment
share one commit, and so one flush of the disk. Nothing is answered, published or acted upon before that commit.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from peewee import Database

from core.store.chain import GENESIS, StoredEvent, head_from_row, head_signature, is_signed
from core.store.database import CUT, FAILURES, FORGED, StoreError, explain
from core.store.tickets import Ticket, settle_all
from core.store.transaction import Ending, Transaction

logger = logging.getLogger(__name__)

T = TypeVar("T")

Listener = Callable[[Sequence[StoredEvent]], None]
Publish = Callable[[Sequence[StoredEvent]], Mapping[asyncio.AbstractEventLoop, Sequence[Listener]]]
"""Tells of a commit on the writer's thread; whom it is still to be told on event loops."""

GROUP = 512
"""Closures that may share one commit."""
QUIET, TURNS = 4, 16
"""Closures are gathered until none has come for so many turns of the event loop, and for so many turns at the most."""

_HEAD_SQL = "UPDATE chain_head SET seq = ?, mac = ?, signature = ? WHERE id = 1"


@dataclass(slots=True)
class _Gathered:
    """What an event loop has asked for since it last handed over."""

    tickets: list[Ticket] = field(default_factory=list)
    before: int = 1
    """How many it handed over last: those who are answered together ask for the next together, or nearly so."""
    is_waiting: bool = False
    """Whether what it handed over last is not committed yet."""


@dataclass(frozen=True, slots=True)
class _Group:
    """What was handed over at once, by an event loop or by a thread, in the order in which it is carried out."""

    tickets: Sequence[Ticket]
    loop: asyncio.AbstractEventLoop | None = None


class Writer:
    """Owns the writing thread. `write` from coroutines, `write_now` from plain threads."""

    def __init__(
        self,
        database: Database,
        key: bytes,
        path: str,
        publish: Publish,
        clock: Callable[[], int],
        check: Callable[..., None],
    ) -> None:
        """`check` is that of the OpenedFiles."""
        self._db, self._key, self._path, self._publish, self._clock = database, key, path, publish, clock
        self._check_files = check
        self._queue: queue.SimpleQueue[_Group | None] = queue.SimpleQueue()
        self._gathered: dict[asyncio.AbstractEventLoop, _Gathered] = {}
        """By event loop; no entry where nothing is on its way."""
        self._handing_over = threading.Lock()
        """Held while something is put on its way: what comes behind the end of the queue would wait for ever."""
        self._closed = self._is_checked = False
        self._ending: Ending | None = None
        """Where the journal ended when this process last looked; None after a failure."""
        self._thread = threading.Thread(target=self._serve, name="apm-writer", daemon=True)
        self._thread.start()

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run the closure in the writer's next commit; its result once that commit is durable.

        Raises what the closure raised (nothing of it is kept) or StoreError when the database could not commit. A
        caller that is cancelled does not undo the write.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        with self._handing_over:
            self._check_open()
            gathered = self._gathered.get(loop)
            if gathered is None:
                gathered = self._gathered[loop] = _Gathered()
                loop.call_soon(self._hand_over, loop, 0, 0, TURNS)
            gathered.tickets.append(Ticket(work, future, loop))
        return await future

    def write_now(self, work: Callable[[Transaction], T]) -> T:
        """The same for a thread without an event loop: blocks until the commit."""
        future: Future[T] = Future()
        with self._handing_over:
            self._check_open()
            self._queue.put(_Group((Ticket(work, future, None),)))
        return future.result()

    def close(self) -> None:
        """Commit what waits, then end the thread. Whoever else closes it meanwhile waits for that too."""
        with self._handing_over:
            if not self._closed:
                self._closed = True
                for gathered in tuple(self._gathered.values()):
                    if gathered.tickets:
                        self._queue.put(_Group(tuple(gathered.tickets)))
                        gathered.tickets.clear()
                self._queue.put(None)
        self._thread.join()

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("the store is closed")

    def _hand_over(self, loop: asyncio.AbstractEventLoop, seen: int, quiet: int, turns: int) -> None:
        """Give the thread what was gathered, unless there may be yet more: `seen` had come a turn of the loop ago, and
        nothing for `quiet` turns before that.

        A thread that is woken takes the interpreter away from whoever is about to ask for the next, and they from it.
        """
        gathered = self._gathered.get(loop)
        if gathered is None or gathered.is_waiting:
            return
        count = len(gathered.tickets)
        quiet = quiet + 1 if count == seen else 0
        if count == gathered.before == 1 or quiet == QUIET or not turns:
            self._put(loop)
        else:
            loop.call_soon(self._hand_over, loop, count, quiet, turns - 1)

    def _put(self, loop: asyncio.AbstractEventLoop) -> None:
        """Hand over what there is. What comes after that waits for its commit."""
        with self._handing_over:
            gathered = self._gathered[loop]
            if not gathered.tickets:
                del self._gathered[loop]
                return
            tickets = gathered.tickets[:GROUP]
            del gathered.tickets[:GROUP]
            gathered.before, gathered.is_waiting = len(tickets), True
            self._queue.put(_Group(tickets, loop))

    def _serve(self) -> None:
        """The connection is opened with the first commit: one that cannot be is told to whoever asked for that, and
        tried again by the next."""
        ended = False
        while not ended:
            groups, ended = self._next_groups()
            if groups:
                self._commit(groups)
        self._db.close()

    def _next_groups(self) -> tuple[Sequence[_Group], bool]:
        """Everything that waits, and whether it is the last."""
        groups: list[_Group] = []
        group = self._queue.get()
        while group is not None:
            groups.append(group)
            try:
                group = self._queue.get_nowait()
            except queue.Empty:
                return groups, False
        return groups, True

    def _commit(self, groups: Sequence[_Group]) -> None:
        tickets = [ticket for group in groups for ticket in group.tickets]
        loops = [group.loop for group in groups if group.loop is not None]
        try:
            events = self._committed(tickets)
        except Exception as error:
            # The database's own, or of a value that its driver does not take: that shows only when rows are written.
            self._ending = None
            if len(tickets) > 1 and tickets[0].is_begun:
                # One of them may be at fault, or all of them: each by itself shows, and costs no other its commit.
                for ticket in tickets:
                    self._commit([_Group((ticket,))])
                tickets = []
            for ticket in tickets:
                ticket.error = explain(error, self._path) if isinstance(error, FAILURES) else error
            events = []
        self._answer(tickets, events, loops)

    def _committed(self, tickets: Sequence[Ticket]) -> list[StoredEvent]:
        """Run the closures in one transaction; the events that it has committed. Raises what the database does."""
        # Not by way of peewee, here and in the transaction: its part in a short statement is larger than SQLite's.
        self._check_files()
        connection = self._db.connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            self._check_files(is_writing=True)
            tx = self._transaction(connection.execute)
            for ticket in tickets:
                ticket.run(tx)
            tx.write_all()
            if tx.events:
                signature = head_signature(self._key, tx.seq, tx.mac)
                connection.execute(_HEAD_SQL, (tx.seq, tx.mac, signature))
            connection.execute("COMMIT")
        except BaseException:
            # SQLite has undone some failures itself.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._ending = tx.ending
        return tx.events

    def _transaction(self, execute: Callable[..., Any]) -> Transaction:
        """A transaction that continues the chain where the database, not our memory, says it ends."""
        row = execute("SELECT seq, mac, signature FROM chain_head WHERE id = 1").fetchone()
        if not self._is_checked:
            self._check_end(execute, 0 if row is None else int(row[0]))
            if row is not None and row[0] and not is_signed(self._key, head_from_row(row)):
                raise StoreError(FORGED.format(path=self._path, last=row[0]))
            self._is_checked = True
        if row is None:
            execute("INSERT INTO chain_head (id, seq, mac) VALUES (1, 0, ?)", (GENESIS,))
            row = (0, GENESIS, None)
        seq, mac = int(row[0]), bytes(row[1])
        if self._ending is None or (seq, mac) != (self._ending.seq, self._ending.mac):
            # Another process has written. Where the chain ends as we have left it, nobody has.
            self._ending = Ending(seq, mac, {})
        return Transaction(self._db, execute, self._key, self._ending, self._clock)

    def _check_end(self, execute: Callable[..., Any], head: int) -> None:
        """Raises StoreError where the journal does not end at its head: what was cut off would be done once more."""
        last = execute("SELECT COALESCE(MAX(seq), 0) FROM events").fetchone()[0]
        if last != head:
            raise StoreError(CUT.format(path=self._path, last=last, head=head))

    def _answer(
        self, tickets: Sequence[Ticket], events: Sequence[StoredEvent], loops: Sequence[asyncio.AbstractEventLoop]
    ) -> None:
        """Tell whoever listens, then whoever waits. An event loop is woken once for both, and for what it has gathered
        while what these `loops` had handed over was on its way."""
        heard = self._publish(events) if events else {}
        in_threads: list[Ticket] = []
        waiting: dict[asyncio.AbstractEventLoop, list[Ticket]] = {}
        for ticket in tickets:
            (in_threads if ticket.loop is None else waiting.setdefault(ticket.loop, [])).append(ticket)
        for loop in {*heard, *waiting, *loops}:
            news = loop, loop in loops, heard.get(loop, ()), events, waiting.get(loop, ())
            try:
                loop.call_soon_threadsafe(self._arrive, *news)
            except RuntimeError:
                # A loop that was closed meanwhile has nobody left who waits.
                self._gathered.pop(loop, None)
        settle_all(in_threads)

    def _arrive(
        self,
        loop: asyncio.AbstractEventLoop,
        is_free: bool,
        listeners: Iterable[Listener],
        events: Sequence[StoredEvent],
        tickets: Iterable[Ticket],
    ) -> None:
        """On the event loop: whoever has waited goes on first. What they ask for next and what has come meanwhile share
        a commit: agents and writer need the same interpreter, and take it from each other where they work at once."""
        tell(listeners, events)
        settle_all(tickets)
        if is_free:
            self._gathered[loop].is_waiting = False
            loop.call_soon(self._hand_over, loop, 0, 0, TURNS)


def tell(listeners: Iterable[Listener], events: Sequence[StoredEvent]) -> None:
    """What was committed stays so, whoever cannot hear of it: neither the others nor the writer are to suffer."""
    for listener in listeners:
        try:
            listener(events)
        except Exception:
            logger.exception("a listener could not take in %s events", len(events))


def milliseconds_now() -> int:
    """The system's clock, milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
