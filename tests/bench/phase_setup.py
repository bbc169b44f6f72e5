"""From an artifact that has just been committed to the first request of the phase that it is routed to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from time import perf_counter

from core.contract import PHASE_CODES
from core.demo import sample
from core.orchestration.position import read_position
from core.orchestration.requests import PhaseContext
from core.phases import PHASE_BY_CODE
from core.store import reads
from core.store.store import Store
from tests.bench.driven import Driven, NoOp, add_sample_project, driven
from tests.bench.measure import Figure, duration, settled

UNTIL = "R1"
WARM_UP, WORK_ITEMS, WITH_PROJECT, READINGS = 3, 30, 8, 100
FLOOR_MS = 5.0


def measure(place: Path) -> list[Figure]:
    return asyncio.run(_measure(place))


async def _measure(place: Path) -> list[Figure]:
    idle = NoOp()
    async with driven(place / "plain", idle.as_runtimes()) as run:
        plain = await _engine_samples(run, idle, WORK_ITEMS, None)
        reading = await _reading_samples(run.workspace.store, max(idle.executions))
    idle = NoOp()
    async with driven(place / "with-project", idle.as_runtimes()) as run:
        project = await add_sample_project(run.workspace, place / sample.NAME)
        with_git = await _engine_samples(run, idle, WITH_PROJECT, project)
    return [
        duration("position, context and first request, read from the journal", reading, "ms", floor=FLOOR_MS),
        duration("in the engine: artifact committed to first agent asked", plain, "ms", floor=FLOOR_MS),
        duration("the same with a project, its worktree checked by git", with_git, "ms", floor=FLOOR_MS),
    ]


async def _engine_samples(run: Driven, idle: NoOp, work_items: int, project: int | None) -> list[float]:
    for _ in range(WARM_UP):
        await run.drive(UNTIL, {"title": "warm-up"}, project)
    settled()
    numbers = [await run.drive(UNTIL, {"title": "measured"}, project) for _ in range(work_items)]
    return [seconds for n in numbers for seconds in _set_ups(run, idle, n)]


def _set_ups(run: Driven, idle: NoOp, number: int) -> Iterator[float]:
    """Seconds from each phase's pass to the first request of the next one; the commit that opens it is part of it."""
    first: dict[str, float] = {}
    for execution in idle.executions[number]:
        first.setdefault(execution.orchestrator, execution.began)
    for before, after in pairwise(PHASE_CODES[: PHASE_CODES.index(UNTIL) + 1]):
        yield first[PHASE_BY_CODE[after].orchestrator] - run.marks[number][("phase.passed", before)]


async def _reading_samples(store: Store, number: int) -> list[float]:
    """Seconds to read where a work item stands, after four phases, and to make its last phase's first request."""
    settled()
    samples = []
    for _ in range(WARM_UP + READINGS):
        began = perf_counter()
        await _first_request(store, number)
        samples.append(perf_counter() - began)
    return samples[WARM_UP:]


async def _first_request(store: Store, number: int) -> str:
    position = await store.read(lambda r: read_position(r, number))
    run = position.run
    assert run is not None
    arrived = position.artifact(run.input_digest)
    incoming = await store.read(lambda r: reads.artifact_content(r, arrived.id))
    spec = PHASE_BY_CODE[run.phase]
    context = PhaseContext(spec, run, position, incoming, criteria=[], risks=[], project=None)
    return context.request(spec.groups[0][0], {}).digest
