"""An event loop on which time passes only when nothing else is left to do, and nothing happens beside it.

What a thread would do is done in a step of the loop, a drawn moment after it was asked for. So the order of everything
is drawn from the seed, and a simulated hour takes as long as what happens in it.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from random import Random
from typing import Any

LONGEST_ANSWER_SECONDS = 0.004
"""What a thread takes at most for what it is asked."""


class Killed(BaseException):
    """The process ends here, in the middle of whatever it is at."""


class _Turns(selectors.DefaultSelector):
    """Waits for nothing: where the loop would sleep, its clock is put forward instead."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.loop.take_turn()
        found: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        if not found and timeout is None:
            raise RuntimeError("nothing is left to do, and yet something is waited for")
        if not found and timeout:
            self.loop.now += timeout
        return found


class VirtualLoop(asyncio.SelectorEventLoop):
    """`now` is its time in seconds. After `turns_left` turns of the loop, where that is set, Killed is raised."""

    def __init__(self, now: float, chance: Random) -> None:
        self.now, self.chance = now, chance
        self.turns = 0
        self.turns_left: int | None = None
        selector = _Turns()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.now

    def take_turn(self) -> None:
        self.turns += 1
        if self.turns_left is not None:
            self.turns_left -= 1
            if self.turns_left <= 0:
                self.turns_left = None
                raise Killed

    def a_moment(self) -> float:
        return self.chance.random() * LONGEST_ANSWER_SECONDS

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """The function's result after a moment; the loop's own thread does it."""
        future: asyncio.Future[Any] = self.create_future()

        def answer() -> None:
            if future.cancelled():
                return
            try:
                found = func(*args)
            except Exception as error:
                future.set_exception(error)
            else:
                future.set_result(found)

        self.call_later(self.a_moment(), answer)
        return future
