"""What the interpreter's collector of reference cycles goes over while an engine drives."""

from __future__ import annotations

import gc

THRESHOLDS = (50_000, 20, 100)
"""Objects by which the youngest generation has grown when it is gone over, and how many times for each older one. At
Python's own (700, 10, 10) a quarter of the engine's time went into looking at what a step has made and still needs."""


def spare_what_stays() -> None:
    """From now on leave alone what is loaded, which stays to the end, and look at what is new less often."""
    if not gc.get_freeze_count():
        gc.freeze()
    gc.set_threshold(*THRESHOLDS)
