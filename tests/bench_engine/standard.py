"""The standard workload, and how a program that runs it says what it has measured. Only the standard library.

A work item has six phases; a phase is five workers and then one gate; every step is an async no-op that returns 500
bytes of JSON, and its result is durable before anything that depends on it starts. In a sequence each worker depends
on the one before; side by side the five depend on the phase before alone. A phase depends on the gate before it.

Every program takes the same words and ends with one line of JSON on standard output, so that each can run in an
interpreter and a virtual environment of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

PHASES, WORKERS = 6, 5
STEPS = PHASES * (WORKERS + 1)
"""Of one work item."""
RESULT_BYTES = 500


@dataclass(frozen=True, slots=True)
class Shape:
    """One run: so many work items, so many of them at once, their workers in a sequence or side by side."""

    items: int
    at_once: int
    side_by_side: bool
    seconds: float
    """The run is cut here; the steps that were done by then count."""

    @property
    def name(self) -> str:
        return f"{self.at_once} at once, {'side by side' if self.side_by_side else 'in sequence'}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run gave. `bytes` is the database's growth in bytes, its log included; 0 where that was not looked at."""

    steps: int
    seconds: float
    synchronous: str
    cut: bool = False
    bytes: int = 0

    @property
    def rate(self) -> float:
        return self.steps / self.seconds


@cache
def result(phase: int, step: int) -> dict[str, object]:
    """What a step returns: 500 bytes as JSON without spaces."""
    bare = {"phase": phase, "step": step, "text": ""}
    short = RESULT_BYTES - len(json.dumps(bare, separators=(",", ":")))
    return {**bare, "text": "x" * short}


class Meter:
    """Counts the steps of a run and takes its time."""

    def __init__(self, seconds: float) -> None:
        self.steps = 0
        self._limit, self._began = seconds, time.perf_counter()

    def restart(self) -> None:
        """Begin anew: what was prepared until now is not part of the run."""
        self.steps, self._began = 0, time.perf_counter()

    @property
    def elapsed(self) -> float:
        return time.perf_counter() - self._began

    @property
    def is_over(self) -> bool:
        return self.elapsed > self._limit

    def outcome(self, synchronous: str, *, cut: bool) -> Outcome:
        return Outcome(self.steps, self.elapsed, synchronous, cut)


async def run_items(shape: Shape, meter: Meter, one: Callable[[int], Awaitable[object]]) -> bool:
    """Run `one` for every work item's number, so many at once; whether the time ran out."""
    numbers = iter(range(1, shape.items + 1))

    async def lane() -> None:
        for number in numbers:
            await one(number)

    try:
        async with asyncio.timeout(max(0.0, shape.seconds - meter.elapsed)), asyncio.TaskGroup() as lanes:
            for _ in range(min(shape.at_once, shape.items)):
                lanes.create_task(lane())
    except TimeoutError:
        return True
    return False


def words(shape: Shape, folder: Path) -> list[str]:
    """The words of a program's command line; `parse` reads them."""
    found = ["--items", str(shape.items), "--at-once", str(shape.at_once), "--seconds", str(shape.seconds)]
    return [*found, *(["--side-by-side"] if shape.side_by_side else []), str(folder)]


def parse(parser: argparse.ArgumentParser, given: Sequence[str] | None = None) -> tuple[Shape, argparse.Namespace]:
    parser.add_argument("folder", type=Path, help="an empty folder for the database")
    parser.add_argument("--items", type=int, default=50)
    parser.add_argument("--at-once", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--side-by-side", action="store_true")
    found = parser.parse_args(given)
    return Shape(found.items, found.at_once, found.side_by_side, found.seconds), found


def tell(outcome: Outcome) -> None:
    print(json.dumps(asdict(outcome)))
    sys.stdout.flush()


def told(output: str) -> Outcome:
    """What a program told. Raises ValueError when its last line is no outcome."""
    lines = output.strip().splitlines()
    try:
        return Outcome(**json.loads(lines[-1]))
    except (IndexError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"it told no figures but {lines[-1] if lines else 'nothing'!r}") from error
