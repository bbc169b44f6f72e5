"""One open workspace database: a writer, a few readers, and those who want to hear of commits."""

from __future__ import annotations

import asyncio
import json
import threading
from array import array
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from peewee import Database

from core.store.chain import StoredEvent, read_or_make_key
from core.store.database import (
    FAILURES,
    MIGRATED,
    OpenedFiles,
    alone,
    connect,
    explain,
    has_events,
    is_used,
    prepare,
    sqlite_url,
)
from core.store.tickets import Ticket, settle_all
from core.store.transaction import Transaction
from core.store.writer import Listener, Writer, milliseconds_now, tell

T = TypeVar("T")

READERS = 2
"""Reading threads, each with a connection of its own; WAL readers never wait for the writer."""


class Reader:
    """What a reading closure gets: queries in, tuples out. Never a model, never a write."""

    def __init__(self, database: Database) -> None:
        self._db, self._sql = database, database.connection().execute

    def rows(self, query: Any) -> list[tuple[Any, ...]]:
        return list(self._db.execute(query).fetchall())

    def numbers(self, query: Any) -> array[int]:
        """The only column of a query for whole numbers, in the query's order.

        As one text: each row by itself would hand the interpreter to another thread and wait to have it back.
        """
        text, parameters = self._db.get_sql_context().sql(query).query()
        found = self._db.execute_sql(
            f"WITH found(number) AS ({text}) SELECT json_group_array(number) FROM found", parameters
        )
        return array("q", json.loads(found.fetchone()[0]))

    def one(self, query: Any) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._db.execute(query).fetchone()
        return row

    def sql(self, text: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of a statement written out; `?` marks a parameter on every database."""
        found: list[tuple[Any, ...]] = self._sql(text.replace("?", self._db.param), parameters).fetchall()
        return found


class Store:
    """Reads and writes of one workspace. Use `Store.open`; close it, or use it as a context manager."""

    def __init__(self, url: str, path: Path, key: bytes, synchronous: str, clock: Callable[[], int]) -> None:
        self.path, self.clock = path, clock
        self._files = OpenedFiles(path)
        self.key = key
        self._db = connect(url, synchronous=synchronous)
        self._listeners: list[tuple[Listener, asyncio.AbstractEventLoop | None]] = []
        self._lock = threading.Lock()
        self._asked: dict[asyncio.AbstractEventLoop, list[Ticket]] = {}
        """By event loop, what it has asked for in this turn."""
        self._opened: list[Any] = []
        """The connections of whichever threads have read."""
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="apm-reader")
        self._writer = Writer(self._db, key, str(path), self._publish, clock, self._files.check)

    @classmethod
    def open(
        cls,
        state: Path,
        *,
        synchronous: str = "full",
        clock: Callable[[], int] = milliseconds_now,
    ) -> Store:
        """The database of the `state/` folder, made and migrated where needed.

        Raises StoreError in one sentence when it is newer than this code, damaged, full or not writable.
        """
        path = state / "apm.db"
        url = sqlite_url(path)
        try:
            state.mkdir(mode=0o700, parents=True, exist_ok=True)
            migrated = prepare(url)
            with alone(path):
                key = read_or_make_key(state / "journal.key", has_journal=lambda: is_used(path))
        except OSError as error:
            raise explain(error, path) from error
        store = cls(url, path, key, synchronous, clock)
        if migrated and has_events(path):
            # A rebuild from the events changes its schema at the same place.
            store.write_now(lambda tx: tx.event(MIGRATED, migrations=list(migrated)))
        return store

    def write(self, work: Callable[[Transaction], T]) -> Coroutine[Any, Any, T]:
        """As `Writer.write`."""
        return self._writer.write(work)

    def write_now(self, work: Callable[[Transaction], T]) -> T:
        return self._writer.write_now(work)

    async def read(self, work: Callable[[Reader], T]) -> T:
        """Run the closure on a reading thread; its result. Never blocks the event loop.

        What is asked for at the same moment shares a snapshot and the way to the thread and back, which costs more
        than reading a few rows.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        asked = self._asked.setdefault(loop, [])
        if not asked:
            loop.call_soon(self._hand_over, loop)
        asked.append(Ticket(work, future, loop))
        return await future

    def read_now(self, work: Callable[[Reader], T]) -> T:
        return self._readers.submit(self._reading, work).result()

    def write_mark(self) -> tuple[int, int]:
        """Another value after every write, of whichever process: the log's size and time. No query, no thread."""
        try:
            found = self._files.log.stat()
        except OSError:
            # Nothing is known of it: whoever asks looks at the store itself, which says what is wrong.
            return 0, 0
        return found.st_size, found.st_mtime_ns

    def subscribe(self, listener: Listener, loop: asyncio.AbstractEventLoop | None = None) -> Callable[[], None]:
        """Call the listener with each commit's events, on the writer's thread; what this returns ends that.

        With a loop it is called there, right before those are answered who wait there for the commit. Only this
        process's commits: others' are seen by `write_mark`.
        """
        subscribed = (listener, loop)
        with self._lock:
            self._listeners.append(subscribed)

        def end() -> None:
            with self._lock:
                if subscribed in self._listeners:
                    self._listeners.remove(subscribed)

        return end

    def close(self) -> None:
        """Commit what waits, let the reads end that were asked for, and give every connection back. Again, or by two
        threads at once, it does no harm."""
        self._writer.close()
        self._readers.shutdown()
        # Nobody reads any more: no thread has to be waited for that may never have begun.
        with self._lock:
            # One after another: SQLite takes its log away with the last, which no two can be at once.
            for connection in self._opened:
                connection.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        tickets = self._asked.pop(loop)
        for n in range(min(READERS, len(tickets))):
            share = tickets[n::READERS]
            try:
                reading = loop.run_in_executor(self._readers, self._read_some, share)
            except RuntimeError as error:
                # The store is closed: whoever asked is told.
                for ticket in share:
                    ticket.error = error
                settle_all(share)
            else:
                reading.add_done_callback(partial(_settle, share))

    def _read_some(self, tickets: Sequence[Ticket]) -> None:
        """Each closure for itself: one that fails takes none of the others with it."""

        def read_each(reader: Reader) -> None:
            for ticket in tickets:
                try:
                    ticket.result = None if ticket.future.done() else ticket.work(reader)
                except FAILURES as error:
                    ticket.error = explain(error, self.path)
                except BaseException as error:
                    ticket.error = error

        self._reading(read_each)

    def _reading(self, work: Callable[[Reader], T]) -> T:
        try:
            self._files.check()
            if self._db.connect(reuse_if_open=True):
                self._opened.append(self._db.connection())
            connection = self._db.connection()
            # One snapshot for all that the closure reads: a commit between two of its queries would tear the picture.
            connection.execute("BEGIN DEFERRED")
            try:
                return work(Reader(self._db))
            finally:
                # SQLite has ended some that failed itself.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        except FAILURES as error:
            raise explain(error, self.path) from error

    def _publish(self, events: Sequence[StoredEvent]) -> dict[asyncio.AbstractEventLoop, list[Listener]]:
        with self._lock:
            subscribed = tuple(self._listeners)
        tell((listener for listener, loop in subscribed if loop is None), events)
        on_loops: dict[asyncio.AbstractEventLoop, list[Listener]] = {}
        for listener, loop in subscribed:
            if loop is not None:
                on_loops.setdefault(loop, []).append(listener)
        return on_loops


def _settle(tickets: Sequence[Ticket], read: asyncio.Future[None]) -> None:
    """Hand the outcomes on; where the thread could not even begin, its fault to everybody."""
    if read.cancelled():
        for ticket in tickets:
            ticket.future.cancel()
    elif (error := read.exception()) is not None:
        for ticket in tickets:
            ticket.error = ticket.error or error
    settle_all(tickets)
