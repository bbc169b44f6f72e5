"""How the interpreter is set in a process that drives an engine or shows the app."""

from __future__ import annotations

import gc
import sys

THRESHOLDS = (50_000, 20, 100)
"""Objects by which the youngest generation has grown when it is gone over, and how many times for each older one. At
Python's own (700, 10, 10) a quarter of the engine's time went into looking at what a step has made and still needs."""
WATCHED_THRESHOLDS = (10_000, 10, 100)
"""Where a person presses keys: to go over 50,000 objects that a screen has drawn, and over a million of those that
lived on, held up its event loop for 25 and 67 ms; over these it is 13 and 33."""
SWITCH_SECONDS = 0.000_5
"""After which a thread that computes lets another have its turn. At Python's own 5 ms the writer waits so long after
each of its statements while the agents are busy, and then they for it; a key that is pressed waits less as well."""


def tune(*, watched: bool = False) -> None:
    """From now on leave alone what is loaded, which stays to the end, look at what is new less often, and let threads
    take turns more often. `watched` where a person looks on."""
    if not gc.get_freeze_count():
        gc.freeze()
    gc.set_threshold(*(WATCHED_THRESHOLDS if watched else THRESHOLDS))
    sys.setswitchinterval(SWITCH_SECONDS)
