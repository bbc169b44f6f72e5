"""How often something may be read whose price grows with the workspace."""

from __future__ import annotations

import time
from collections.abc import Callable

SHARE = 10
"""A reading may take one part in so many of the time."""
CHEAP_SECONDS = 0.03
"""A reading that takes no longer may come as often as it likes."""


class Pace:
    """Holds an expensive reading back, and has it asked for again once it may come."""

    def __init__(self, later: Callable[[float, Callable[[], None]], object], ask: Callable[[], None]) -> None:
        """`later` calls back after so many seconds; `ask` has everything read again."""
        self._later, self._ask = later, ask
        self._from = 0.0
        self._is_waiting = False

    def is_due(self) -> bool:
        """Whether it may be read now; if not, it is asked for when it may."""
        wait = self._from - time.monotonic()
        if wait <= 0:
            return True
        if not self._is_waiting:
            self._is_waiting = True
            self._later(wait, self._again)
        return False

    def took(self, seconds: float) -> None:
        """What the reading cost, in seconds of its thread (`time.thread_time`): waiting for others costs nothing."""
        self._from = time.monotonic() + SHARE * seconds if seconds > CHEAP_SECONDS else 0.0

    def _again(self) -> None:
        self._is_waiting = False
        self._ask()
