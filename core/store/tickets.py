"""A closure on its way to one of the store's threads, and the place its outcome goes to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any

from core.store.database import FAILURES
from core.store.transaction import Transaction


class Ticket:
    """One closure. Its future belongs to the event loop `loop`, or to a waiting thread where that is None."""

    __slots__ = ("error", "future", "is_begun", "loop", "result", "work")

    def __init__(
        self,
        work: Callable[[Any], Any],
        future: Future[Any] | asyncio.Future[Any],
        loop: asyncio.AbstractEventLoop | None,
    ) -> None:
        self.work, self.future, self.loop = work, future, loop
        self.result: Any = None
        self.error: BaseException | None = None
        self.is_begun = False
        """Whether the closure has run, so that what went wrong may be its fault."""

    def run(self, tx: Transaction) -> None:
        """Run the closure of a write, and keep what it returns or raises. Raises what the database fails with."""
        self.result, self.error, self.is_begun = None, None, True
        tx.begin_closure()
        try:
            self.result = self.work(tx)
            tx.end_closure()
        except FAILURES:
            # Not for certain this closure's: rows of those before it may have been written only now.
            raise
        except BaseException as error:
            # Of whatever kind: it belongs to whoever asked, and the thread has others to serve.
            tx.undo_closure()
            self.error = error

    def settle(self) -> None:
        if isinstance(self.future, asyncio.Future) and self.future.done():
            return
        error = self.error
        if error is None:
            self.future.set_result(self.result)
        elif isinstance(error, Exception) and not isinstance(error, StopIteration):
            self.future.set_exception(error)
        else:
            # No future can hold it, or whoever waits would take it for a word to itself: to stop, or to be cancelled.
            told = RuntimeError(f"a closure of the store raised {error!r}")
            told.__cause__ = error
            self.future.set_exception(told)


def settle_all(tickets: Iterable[Ticket]) -> None:
    for ticket in tickets:
        ticket.settle()
