"""The routing decision: what the master does with an artifact's type."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter_ns

from core.orchestration import master
from tests.bench.measure import Figure, duration, settled

WARM_UP, SAMPLES = 2_000, 20_000
FLOOR_US = 1_000.0


def measure(place: Path) -> list[Figure]:
    """One call a sample; reading the clock twice is part of each."""
    types = tuple(master.ROUTES)
    settled()
    for n in range(WARM_UP):
        _timed(types[n % len(types)])
    samples = [_timed(types[n % len(types)]) for n in range(SAMPLES)]
    return [duration("master.route, the six types in turn", samples, "µs", floor=FLOOR_US)]


def _timed(artifact_type: str) -> float:
    began = perf_counter_ns()
    master.route(artifact_type)
    return (perf_counter_ns() - began) / 1e9
