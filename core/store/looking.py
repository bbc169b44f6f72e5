"""When somebody who waits for other processes' commits reads, without a query and without a thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

LOOK_SECONDS = 3.0
"""How often they read although the log looks untouched: two writes in one tick of the file system's clock look alike,
and a lease grows old by itself."""


class Marked(Protocol):
    def write_mark(self) -> tuple[int, int]:
        """Another value after every write."""


class Looking:
    """Asked a few times a second whether there is something to read."""

    def __init__(self, store: Marked, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` counts seconds from anywhere."""
        self._store, self._clock = store, clock
        self._mark: tuple[int, int] | None = None
        self._looked_at = 0.0

    def is_due(self) -> bool:
        """Whether somebody wrote since this was last true, or it is long ago."""
        mark, now = self._store.write_mark(), self._clock()
        if mark == self._mark and now < self._looked_at + LOOK_SECONDS:
            return False
        self._mark, self._looked_at = mark, now
        return True
