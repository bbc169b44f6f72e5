"""A process that stands still at a chosen turn of its loop until another one has taken its work over."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from random import Random

from tests.simulation.world import World

STALE_SECONDS = 20
"""After which its lease is free for others."""
RIVAL_SECONDS = 0.5
"""Which the other one has to take it; in less, whoever stood still may be back before it has asked."""


def stand_still(turn: int) -> list[str]:
    """What does not hold when the process stands still after so many turns with a work item on its whole way."""
    folder = Path(tempfile.mkdtemp(prefix="apm-simulation-"))
    world = World(folder, Random(turn))
    try:
        world.run(1.0)
        world.calm_down()
        world.add("E1")
        world.stall(turn, STALE_SECONDS, is_rival_killed=False, rival_seconds=RIVAL_SECONDS)
        taken = [] if world.hands == 1 else [f"the lease changed hands {world.hands} times"]
        return taken + world.finish()
    finally:
        world.close()
        shutil.rmtree(folder)
