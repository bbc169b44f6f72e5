"""Closing a store: it ends whoever has read, however often, and leaves no connection behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest

from core.store.database import StoreError
from core.store.schema import WorkItem
from core.store.store import READERS, Reader, Store
from core.store.transaction import Transaction

LONG_SECONDS = 20.0
"""Of a thread that is waited for: beyond it, it hangs."""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    opened = Store.open(tmp_path / "state")
    opened.write_now(add)
    return opened


def add(tx: Transaction) -> int:
    number = tx.insert(WorkItem, title="x", type="feature", origin="human", created_at=tx.now)
    tx.event("work_item.created", work_item=number)
    return number


def count(reader: Reader) -> int:
    return len(reader.rows(WorkItem.select(WorkItem.id)))


def begun(*work: Callable[[], object]) -> list[threading.Thread]:
    """Daemons, which hold up nobody's end where they hang."""
    threads = [threading.Thread(target=one, daemon=True) for one in work]
    for thread in threads:
        thread.start()
    return threads


def assert_closes(store: Store, *, closers: int = 1) -> None:
    """It ends, and SQLite has taken away the log, as it does when the last connection is closed."""
    assert_ended(begun(*[store.close] * closers))
    assert not store.path.with_name("apm.db-wal").exists()


def assert_ended(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join(LONG_SECONDS)
        assert not thread.is_alive(), "closing the store never ends"


def read_beside_each_other(store: Store, threads: int) -> None:
    """Have so many reading threads begin, each with a connection."""
    together = threading.Barrier(threads, timeout=LONG_SECONDS)

    def read(reader: Reader) -> int:
        together.wait()
        return count(reader)

    with ThreadPoolExecutor(threads) as askers:
        assert list(askers.map(lambda _: store.read_now(read), range(threads))) == [1] * threads


@pytest.mark.parametrize("threads", range(READERS + 1))
def test_however_many_threads_have_read_all_connections_are_given_back(store: Store, threads: int) -> None:
    if threads:
        read_beside_each_other(store, threads)

    assert_closes(store)


def test_a_thread_of_somebody_elses_that_has_read_is_not_waited_for(store: Store) -> None:
    class Inline(asyncio.SelectorEventLoop):
        """Does what is meant for a thread at once, as a loop that is to do the same every time."""

        def run_in_executor(self, executor: object, func: Callable[..., object], *args: object) -> asyncio.Future:  # type: ignore[type-arg]
            done = self.create_future()
            done.set_result(func(*args))
            return done

    read_beside_each_other(store, READERS)
    loop = Inline()
    assert loop.run_until_complete(store.read(count)) == 1
    loop.close()

    assert_closes(store)


def test_two_threads_that_close_it_at_once_do_not_wait_for_each_other(store: Store) -> None:
    read_beside_each_other(store, READERS)

    assert_closes(store, closers=8)


def test_closing_it_again_changes_nothing(store: Store) -> None:
    assert_closes(store)
    assert_closes(store)

    store.close()


def test_a_read_that_is_under_way_ends_first(store: Store) -> None:
    reads, may_end, found = threading.Event(), threading.Event(), list[int]()

    def slow(reader: Reader) -> None:
        reads.set()
        may_end.wait(LONG_SECONDS)
        found.append(count(reader))

    [asker] = begun(lambda: store.read_now(slow))
    assert reads.wait(LONG_SECONDS)
    [closer] = begun(store.close)
    may_end.set()

    assert_ended([asker, closer])
    assert found == [1]
    assert_closes(store)


def test_a_thread_that_could_not_open_the_database_is_none_to_close(store: Store) -> None:
    log = store.path.with_name("apm.db-wal")
    away = log.rename(log.with_name("away"))
    log.mkdir()
    with pytest.raises(StoreError, match="cannot be opened"):
        store.read_now(count)
    log.rmdir()
    away.rename(log)

    assert store.read_now(count) == 1
    assert_closes(store)


def test_whoever_reads_a_store_that_is_closed_is_told(store: Store) -> None:
    store.close()

    with pytest.raises(RuntimeError, match="shutdown"):
        asyncio.run(store.read(count))
    with pytest.raises(RuntimeError, match="shutdown"):
        store.read_now(count)


def test_a_write_that_comes_while_it_closes_is_committed_or_refused(store: Store) -> None:
    """What a thread was about to hand over would stand behind the end of the queue, and wait for ever."""
    writer, is_handing_over, end_is_put = store._writer, threading.Event(), threading.Event()
    queue = writer._queue

    class Late:
        """The queue, in which a switch of threads comes before whatever is handed over."""

        def put(self, group: Any) -> None:
            if group is None:
                end_is_put.set()
            else:
                is_handing_over.set()
                end_is_put.wait(0.2)
            queue.put(group)

        def __getattr__(self, name: str) -> Any:
            return getattr(queue, name)

    writer._queue = cast("Any", Late())
    told: list[int] = []
    writing = begun(lambda: told.append(store.write_now(add)))
    assert is_handing_over.wait(LONG_SECONDS)
    assert_ended([*begun(store.close), *writing])

    assert told == [2]
