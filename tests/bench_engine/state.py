"""What depends on what a workspace holds already: how soon it goes on, and whether it stays as fast."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass

from core.contract import Json
from tests.bench_engine.contestants import NotMeasured, own_python, spoken
from tests.bench_engine.standard import Shape

WORK_ITEMS = 10_000
RESUME_SECONDS, GROW_SECONDS = 1_200.0, 7_200.0
"""How long each may take, the filling included."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """Seconds from the engine's start to its first delegation, and until all work items were looked at; by run."""

    first: tuple[float, ...] = ()
    looked: tuple[float, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Grown:
    """Steps a second on an empty journal and on one with so many recorded steps; by run."""

    recorded: int = 0
    empty: tuple[float, ...] = ()
    long: tuple[float, ...] = ()
    reason: str = ""


def resumed(runs: int) -> Resumed:
    print(f"{WORK_ITEMS:,} unfinished work items are written, and then gone on with …", file=sys.stderr)
    try:
        found = _told("resuming", RESUME_SECONDS, "--work-items", str(WORK_ITEMS), "--runs", str(runs))
    except NotMeasured as error:
        return Resumed(reason=str(error))
    return Resumed(tuple(found["first"]), tuple(found["looked"]))


def grown(shape: Shape, steps: int, runs: int) -> Grown:
    print(f"{steps:,} steps are recorded, and then more on top of them …", file=sys.stderr)
    given = ("--steps", str(steps), "--runs", str(runs), "--items", str(shape.items), "--seconds", str(shape.seconds))
    try:
        found = _told("growing", GROW_SECONDS, *given)
    except NotMeasured as error:
        return Grown(reason=str(error))
    return Grown(found["recorded"], tuple(found["empty"]), tuple(found["long"]))


def _told(program: str, seconds: float, *given: str) -> Json:
    with tempfile.TemporaryDirectory(prefix="apm-bench-") as folder:
        output = spoken([str(own_python()), "-m", f"tests.bench_engine.{program}", *given, folder], seconds)
    found: Json = json.loads(output.strip().splitlines()[-1])
    return found
