"""A whole D1 on the offline runtime: the demo's request and project, the agents and gate that come with apm."""

from __future__ import annotations

import asyncio
from pathlib import Path

from core.demo import sample
from tests.bench.driven import add_sample_project, driven
from tests.bench.measure import Figure, duration, settled

PHASE = "D1"
WARM_UP, WORK_ITEMS = 2, 15
FLOOR_S = 1.0


def measure(place: Path) -> list[Figure]:
    return asyncio.run(_measure(place))


async def _measure(place: Path) -> list[Figure]:
    """Seconds from the commit that accepts a work item to the commit that passes its D1; worktree included."""
    async with driven(place / "workspace") as run:
        project = await add_sample_project(run.workspace, place / sample.NAME)
        settled()
        samples = []
        for _ in range(WARM_UP + WORK_ITEMS):
            marks = run.marks[await run.drive(PHASE, sample.request(), project)]
            samples.append(marks[("phase.passed", PHASE)] - marks[("work_item.accepted", "")])
    return [
        duration("accepted to passed, worktree and six agents included", samples[WARM_UP:], "s", floor=FLOOR_S),
        duration("the first of a process, imports included", samples[:1], "s", floor=FLOOR_S),
    ]
