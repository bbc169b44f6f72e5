"""The real store as a simulated process sees it: answers take a drawn moment, the disk may be full."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from core.store.database import StoreError, sqlite_url
from core.store.store import Reader, Store
from core.store.transaction import Transaction
from tests.simulation.loop import VirtualLoop

T = TypeVar("T")


@dataclass
class Disk:
    """What all processes of a world share: how often it was written to, and how many writes it has no room for."""

    writes: int = 0
    refuses: int = 0


@dataclass
class _Pending:
    work: Callable[[Transaction], Any]
    future: asyncio.Future[Any]


@dataclass
class _Queue:
    """What waits for the next commit of a process, and whether the process is still there."""

    waiting: list[_Pending] = field(default_factory=list)
    is_dead: bool = False


class SimulatedStore(Store):
    """Commits with the real writer; on the event loop each is a step of its own, so that a seed decides its place."""

    disk: Disk
    _queue: _Queue

    @classmethod
    def on(cls, disk: Disk, state: Path, key: bytes, clock: Callable[[], int]) -> SimulatedStore:
        """The store of a prepared database. What is simulated is no power cut: nothing is flushed to a real disk."""
        store = cls(sqlite_url(state / "apm.db"), state / "apm.db", key, "off", clock)
        store.disk, store._queue = disk, _Queue()
        return store

    def read_now(self, work: Callable[[Reader], T]) -> T:
        return self._reading(work)

    def close(self) -> None:
        # Reads were this thread's own.
        self._db.close()
        super().close()

    def write_now(self, work: Callable[[Transaction], T]) -> T:
        found = super().write_now(work)
        self.disk.writes += 1
        return found

    async def write(self, work: Callable[[Transaction], T]) -> T:
        self._check_lives()
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        future: asyncio.Future[T] = loop.create_future()
        if not self._queue.waiting:
            loop.call_later(loop.a_moment(), self._commit)
        self._queue.waiting.append(_Pending(work, future))
        return await future

    async def read(self, work: Callable[[Reader], T]) -> T:
        self._check_lives()
        return await super().read(work)

    def write_mark(self) -> tuple[int, int]:
        """Not the file's time, which two writes may share: a simulated file system counts."""
        return self.disk.writes, 0

    def die(self, chance: Random) -> None:
        """The process is killed: of what waits a first part is committed, and nobody hears of it."""
        queue, self._queue = self._queue, _Queue(is_dead=True)
        for pending in queue.waiting[: chance.randint(0, len(queue.waiting))]:
            self._do(pending.work)
        for pending in queue.waiting:
            pending.future.cancel()

    def _commit(self) -> None:
        group, self._queue.waiting = self._queue.waiting, []
        for pending in group:
            found, error = self._do(pending.work)
            if pending.future.done():
                continue
            if error is None:
                pending.future.set_result(found)
            else:
                pending.future.set_exception(error)

    def _do(self, work: Callable[[Transaction], T]) -> tuple[T | None, Exception | None]:
        if self.disk.refuses:
            self.disk.refuses -= 1
            return None, StoreError("No space is left.")
        try:
            return self.write_now(work), None
        except Exception as error:
            return None, error

    def _check_lives(self) -> None:
        if self._queue.is_dead:
            raise asyncio.CancelledError
