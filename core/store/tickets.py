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

    __slots__ = ("error", "future", "loop", "result", "work")

    def __init__(
        self,
        work: Callable[[Any], Any],
        future: Future[Any] | asyncio.Future[Any],
        loop: asyncio.AbstractEventLoop | None,
    ) -> None:
        self.work, self.future, self.loop = work, future, loop
        self.result: Any = None
        self.error: BaseException | None = None

    def run(self, tx: Transaction) -> None:
        """Run the closure of a write, and keep what it returns or raises. Raises what the database fails with."""
        self.result = self.error = None
        tx.begin_closure()
        try:
            self.result = self.work(tx)
            tx.end_closure()
        except FAILURES:
            # Not for certain this closure's: rows of those before it may have been written only now.
            raise
        except Exception as error:
            tx.undo_closure()
            self.error = error

    def settle(self) -> None:
        if isinstance(self.future, asyncio.Future) and self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


def settle_all(tickets: Iterable[Ticket]) -> None:
    for ticket in tickets:
        ticket.settle()
