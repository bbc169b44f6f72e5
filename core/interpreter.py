"""How the interpreter is set in a process that drives an engine or shows the app."""

from __future__ import annotations

import gc
import sys

THRESHOLDS = (50_000, 20, 100)
"""Objects by which the youngest generation has grown when it is gone over, and how many times for each older one. At
Python's own (700, 10, 10) a quarter of the engine's time went into looking at what a step has made and still needs."""
SWITCH_SECONDS = 0.000_5
"""After which a thread that computes lets another have its turn. At Python's own 5 ms the writer waits so long after
each of its statements while the agents are busy, and then they for it; a key that is pressed waits less as well."""


def tune() -> None:
    """From now on leave alone what is loaded, which stays to the end, look at what is new less often, and let threads
    take turns more often."""
    if not gc.get_freeze_count():
        gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    sys.setswitchinterval(SWITCH_SECONDS)
