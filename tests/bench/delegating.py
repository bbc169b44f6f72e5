"""What a delegation costs beside the agent's own work: agents that do nothing, under the real engine."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from core.phases import PHASES
from tests.bench.driven import Driven, Execution, NoOp, driven
from tests.bench.measure import Figure, duration, settled

UNTIL = "R1"
"""The last phase that needs no project, so that no git and no tool is in the figure."""
WARM_UP, WORK_ITEMS = 5, 40
AT_ONCE, ROUNDS = 8, 5
FLOOR_MS = 2.0


def _chains() -> frozenset[tuple[str, str]]:
    """Agents of one phase of which the second is asked as soon as the first, and nobody beside it, has answered."""
    found = set()
    for phase in PHASES:
        groups = [tuple(step.agent for step in group) for group in phase.groups]
        for before, after in pairwise([*groups, (phase.gate_agent,)]):
            if len(before) == len(after) == 1:
                found.add((before[0], after[0]))
    return frozenset(found)


CHAINS = _chains()


def measure(place: Path) -> list[Figure]:
    return asyncio.run(_measure(place))


async def _measure(place: Path) -> list[Figure]:
    idle = NoOp()
    async with driven(place / "one-by-one", idle.as_runtimes()) as run:
        for _ in range(WARM_UP):
            await run.drive(UNTIL, {"title": "warm-up"})
        settled()
        numbers = [await run.drive(UNTIL, {"title": "measured"}) for _ in range(WORK_ITEMS)]
        gaps = [gap for n in numbers for gap in between(idle.executions[n])]
        spread = [_per_delegation(run, n, idle.executions[n]) for n in numbers]
    return [
        duration("from one agent's answer to the next one's request", gaps, "ms", floor=FLOOR_MS),
        duration("a whole work item D1 to R1, divided by its delegations", spread, "ms", floor=FLOOR_MS),
        duration(f"the same, {AT_ONCE} work items at once", await _side_by_side(place), "ms", floor=FLOOR_MS),
    ]


def between(executions: Sequence[Execution]) -> list[float]:
    """Seconds from an agent's answer to the next agent's request, where nothing but that lies between the two."""
    return [b.began - a.ended for a, b in pairwise(executions) if (a.role, b.role) in CHAINS]


def _per_delegation(run: Driven, number: int, executions: Sequence[Execution]) -> float:
    marks = run.marks[number]
    whole = marks[("phase.passed", UNTIL)] - marks[("work_item.accepted", "")]
    return (whole - sum(e.ended - e.began for e in executions)) / len(executions)


async def _side_by_side(place: Path) -> list[float]:
    """Seconds a delegation of several work items that share the engine, a sample each time all of them are through."""
    idle = NoOp()
    samples = []
    async with driven(place / "at-once", idle.as_runtimes()) as run:
        for _ in range(1 + ROUNDS):
            numbers = await asyncio.gather(*(run.drive(UNTIL, {"title": "measured"}) for _ in range(AT_ONCE)))
            began = min(run.marks[n][("work_item.accepted", "")] for n in numbers)
            ended = max(run.marks[n][("phase.passed", UNTIL)] for n in numbers)
            samples.append((ended - began) / sum(len(idle.executions[n]) for n in numbers))
    return samples[1:]
