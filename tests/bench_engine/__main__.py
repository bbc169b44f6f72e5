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
from tests.bench_engine.contestants import OURS, OWN, Contestant, NotMeasured, own_python, run
from tests.bench_engine.environments import environment
from tests.bench_engine.goals import NOT_RUN, all_goals
from tests.bench_engine.profiling import profile
from tests.bench_engine.rivals.table import RIVALS
from tests.bench_engine.standard import RESULT_BYTES, Outcome, Shape
from tests.bench_engine.state import Grown, Resumed, grown, resumed
from tests.bench_engine.table import Line, goals_text, lines_text

CONTESTANTS = (*OWN, *RIVALS)
RESUME = "resume"
PARTS = (*dict.fromkeys(c.part for c in CONTESTANTS), RESUME)
PROFILED_SECONDS = 60.0
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured: which parts, in which shapes, how often; and how long the long journal is, 0 for none."""

    parts: tuple[str, ...]
    shapes: tuple[Shape, ...]
    runs: int
    long: int


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench_engine", description=__doc__.split("\n")[0])
    parser.add_argument("--only", metavar="PARTS", help=f"of {','.join(PARTS)}; all by default")
    parser.add_argument("--items", type=int, default=300, help="work items of a run with 50 at once; a fifth for one")
    parser.add_argument("--runs", type=int, default=3, help="the figures are medians of so many runs")
    parser.add_argument("--seconds", type=float, default=8.0, help="a run is cut there; what was done by then counts")
    parser.add_argument(
        "--long", type=int, nargs="?", const=MILLION, default=0, metavar="STEPS", help="also on a journal of a million"
    )
    parser.add_argument("--profile", action="store_true", help="draw screenshots/hot_path.svg instead")
    given = parser.parse_args(arguments)
    parts = tuple((given.only or ",".join(PARTS)).split(","))
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        parser.error(f"there is no part {unknown[0]!r}; known are {', '.join(PARTS)}")
    if given.profile:
        return _profiled(shapes(given.items, PROFILED_SECONDS)[-1])
    return _run(Plan(parts, shapes(given.items, given.seconds), given.runs, given.long))


def shapes(items: int, seconds: float) -> tuple[Shape, ...]:
    """One and fifty at once, in sequence and side by side."""
    few = max(1, items // 5)
    return tuple(
        Shape(n, at_once, beside, seconds) for n, at_once in ((few, 1), (items, 50)) for beside in (False, True)
    )


def _profiled(shape: Shape) -> int:
    try:
        print(profile(shape))
    except NotMeasured as error:
        print(f"There is no picture: {error}.", file=sys.stderr)
        return 1
    return 0


def _run(plan: Plan) -> int:
    began = perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        facts = as_line(machine(Path(folder)))
    lines = _measured(plan)
    resume = resumed(plan.runs) if RESUME in plan.parts else Resumed(reason=NOT_RUN)
    growth = grown(plan.shapes[-1], plan.long, plan.runs) if plan.long else Grown(reason="--long measures it")
    goals = all_goals(plan.shapes, lines, resume, growth)
    print(facts)
    print(f"\nThe goals, worst first\n{goals_text(goals)}")
    print(f"\nThe workload, medians of {plan.runs} runs by turns\n{lines_text(list(lines.values()), plan.shapes)}")
    print("* cut by the time limit: the steps that were done by then, by that time.")
    print(f"\n{perf_counter() - began:.0f} s in all, load {load_average()[0]:.2f} at the end.")
    return 1 if any(line.reason for line in lines.values() if not line.is_rival) else 0


def _measured(plan: Plan) -> dict[Contestant, Line]:
    """Every contestant's runs. They take turns, so that a busy moment of the machine falls on all of them."""
    contestants = [c for c in CONTESTANTS if c.part in plan.parts]
    runs: dict[Contestant, dict[Shape, list[Outcome]]] = {c: {} for c in contestants}
    pythons, reasons = _installed(contestants)
    step_bytes = RESULT_BYTES
    for turn in range(plan.runs):
        for shape in plan.shapes:
            for contestant in contestants:
                if contestant in reasons or not _takes(contestant, shape, plan.shapes):
                    continue
                print(f"run {turn + 1} of {plan.runs}: {contestant.title}, {shape.name} …", file=sys.stderr)
                try:
                    outcome = run(contestant, pythons[contestant], shape, step_bytes)
                except NotMeasured as error:
                    reasons[contestant] = str(error)
                    runs[contestant] = {}
                    continue
                runs[contestant].setdefault(shape, []).append(outcome)
                if contestant == OURS and outcome.steps:
                    step_bytes = outcome.bytes // outcome.steps
    return {c: Line(c.title, runs[c], reasons.get(c, ""), c.is_rival) for c in contestants}


def _installed(contestants: Sequence[Contestant]) -> tuple[dict[Contestant, Path], dict[Contestant, str]]:
    """Whose interpreter is where; and who could not be installed, with the reason."""
    pythons: dict[Contestant, Path] = {}
    reasons: dict[Contestant, str] = {}
    for contestant in contestants:
        try:
            pythons[contestant] = _python(contestant)
        except NotMeasured as error:
            reasons[contestant] = str(error)
    return pythons, reasons


def _python(contestant: Contestant) -> Path:
    if not contestant.packages:
        return own_python()
    return environment(contestant.part, contestant.packages, contestant.npm) / "bin" / "python"


def _takes(contestant: Contestant, shape: Shape, among: Sequence[Shape]) -> bool:
    """Git costs so much more than a journal that two shapes say all there is to say."""
    return contestant.part != "git" or shape in (among[0], among[-1])


if __name__ == "__main__":
    sys.exit(main())
