"""`python -m tests.bench_engine`: the journal's speed against its limit and its rivals, all measured in one run.

Measured, never asserted: what misses its goal says so, and the exit code only tells whether our own were measured.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from tests.bench.machine import as_line, load_average, machine
from tests.bench_engine.contestants import OURS, OWN, RAW_GROUP, RAW_LARGE, Contestant, NotMeasured, own_python, run
from tests.bench_engine.profiling import profile
from tests.bench_engine.standard import RESULT_BYTES, Outcome, Shape
from tests.bench_engine.table import Goal, Line, fastest_rival, goals_text, lines_text

PROFILED_SECONDS = 60.0
LIMITS = (RAW_GROUP, RAW_LARGE)
PARTS = ("ours", "git", "raw")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench_engine", description=__doc__.split("\n")[0])
    parser.add_argument("--only", metavar="PARTS", help=f"of {','.join(PARTS)}; all by default")
    parser.add_argument("--items", type=int, default=100, help="work items of a run with 50 at once; a fifth for one")
    parser.add_argument("--runs", type=int, default=3, help="the figures are medians of so many runs")
    parser.add_argument("--seconds", type=float, default=10.0, help="a run is cut there; what was done by then counts")
    parser.add_argument("--profile", action="store_true", help="draw screenshots/hot_path.svg instead")
    given = parser.parse_args(arguments)
    if given.profile:
        print(profile(shapes(given.items, PROFILED_SECONDS)[-1]))
        return 0
    parts = tuple((given.only or ",".join(PARTS)).split(","))
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        parser.error(f"there is no part {unknown[0]!r}; known are {', '.join(PARTS)}")
    return _run(Plan(parts, shapes(given.items, given.seconds), given.runs))


@dataclass(frozen=True, slots=True)
class Plan:
    parts: tuple[str, ...]
    shapes: tuple[Shape, ...]
    runs: int


def shapes(items: int, seconds: float) -> tuple[Shape, ...]:
    """One and fifty at once, in sequence and side by side."""
    few = max(1, items // 5)
    return tuple(
        Shape(n, at_once, beside, seconds) for n, at_once in ((few, 1), (items, 50)) for beside in (False, True)
    )


def _run(plan: Plan) -> int:
    began = perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        facts = as_line(machine(Path(folder)))
    lines = _measured(plan)
    print(facts)
    print(f"\nThe goals, worst first\n{goals_text(_goals(plan, lines))}")
    print(f"\nThe workload, medians of {plan.runs} runs by turns\n{lines_text(list(lines.values()), plan.shapes)}")
    print("* cut by the time limit: the steps that were done by then, by that time.")
    print(f"\n{perf_counter() - began:.0f} s in all, load {load_average()[0]:.2f} at the end.")
    return 1 if any(line.reason for line in lines.values() if not line.is_rival) else 0


def _measured(plan: Plan) -> dict[Contestant, Line]:
    """Every contestant's runs. They take turns, so that a busy moment of the machine falls on all of them."""
    contestants = [c for c in OWN if c.part in plan.parts]
    runs: dict[Contestant, dict[Shape, list[Outcome]]] = {c: {} for c in contestants}
    reasons: dict[Contestant, str] = {}
    step_bytes = RESULT_BYTES
    for turn in range(plan.runs):
        for shape in plan.shapes:
            for contestant in contestants:
                if contestant in reasons or not _takes(contestant, shape, plan.shapes):
                    continue
                print(f"run {turn + 1} of {plan.runs}: {contestant.title}, {shape.name} …", file=sys.stderr)
                try:
                    outcome = run(contestant, own_python(), shape, step_bytes)
                    runs[contestant].setdefault(shape, []).append(outcome)
                    step_bytes = outcome.bytes // outcome.steps if contestant == OURS else step_bytes
                except NotMeasured as error:
                    reasons[contestant] = str(error)
                    runs[contestant] = {}
    return {c: Line(c.title, runs[c], reasons.get(c, ""), c.is_rival) for c in contestants}


def _takes(contestant: Contestant, shape: Shape, among: Sequence[Shape]) -> bool:
    """Git costs so much more than a journal that two shapes say all there is to say."""
    return contestant.part != "git" or shape in (among[0], among[-1])


def _goals(plan: Plan, lines: dict[Contestant, Line]) -> list[Goal]:
    one, many = plan.shapes[0], plan.shapes[-1]
    ours = lines.get(OURS)
    fast, slow = (ours.rate(many), ours.rate(one)) if ours else (None, None)
    found = [
        Goal("50 at once, side by side", 10_000, "steps/s", fast),
        Goal("one at a time, in sequence", 2_000, "steps/s", slow),
        *(Goal(f"share of {c.title}, 50 at once", 33, "%", _percent(fast, lines.get(c), many)) for c in LIMITS),
        Goal("database per step", 1_200, "bytes", _bytes(ours, many), most=True),
    ]
    for shape, rate in ((one, slow), (many, fast)):
        rival = fastest_rival(list(lines.values()), shape)
        if rival is not None and rate is not None:
            found.append(Goal(f"against {rival[0]}, {shape.name}", 1, "times", rate / rival[1], strict=True))
    return found


def _percent(rate: float | None, of: Line | None, shape: Shape) -> float | None:
    whole = of.rate(shape) if of else None
    return 100 * rate / whole if rate and whole else None


def _bytes(ours: Line | None, shape: Shape) -> float | None:
    found = [o.bytes / o.steps for o in ours.runs.get(shape, ())] if ours else []
    return max(found, default=None)


if __name__ == "__main__":
    sys.exit(main())
