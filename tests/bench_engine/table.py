"""What the runs come to: medians, the goals and how far from them, and both as text. Everything here is pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.bench_engine.standard import Outcome, Shape

Runs = Mapping[Shape, Sequence[Outcome]]


@dataclass(frozen=True, slots=True)
class Line:
    """One engine: its runs by shape; none, and the reason, where it was not measured."""

    title: str
    runs: Runs
    reason: str = ""
    is_rival: bool = False

    def rate(self, shape: Shape) -> float | None:
        """Steps a second, the median."""
        found = [outcome.rate for outcome in self.runs.get(shape, ())]
        return statistics.median(found) if found else None

    @property
    def synchronous(self) -> str:
        """As every run said it."""
        return " / ".join(sorted({o.synchronous for outcomes in self.runs.values() for o in outcomes}))


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure that was asked for. `most` turns it round: the measured value must not be above."""

    what: str
    wanted: float
    unit: str
    measured: float | None
    most: bool = False
    strict: bool = False
    """Whether the wanted value itself does not do."""
    reason: str = ""
    """Why it was not measured."""

    @property
    def verdict(self) -> str:
        if self.measured is None:
            return "not measured"
        if self.measured == self.wanted:
            return "NOT MET" if self.strict else "met"
        return "met" if (self.measured < self.wanted) == self.most else "NOT MET"

    @property
    def share(self) -> float:
        """How much of the goal was reached: 1 is all of it. What was not measured counts as nothing reached."""
        if self.measured is None:
            return 0.0
        if self.measured <= 0:
            return math.inf if self.most else 0.0
        return self.wanted / self.measured if self.most else self.measured / self.wanted


def worst_first(goals: Sequence[Goal]) -> list[Goal]:
    """What was measured and is farthest from its goal comes first; what was not measured comes last."""
    return sorted(goals, key=lambda goal: (goal.measured is None, goal.share))


def fastest_rival(lines: Sequence[Line], shape: Shape) -> tuple[str, float] | None:
    """Among those that did a step at all."""
    found = [(line.title, rate) for line in lines if line.is_rival and (rate := line.rate(shape))]
    return max(found, key=lambda each: each[1], default=None)


def number(value: float) -> str:
    """Three figures that count, however large or small the value is."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


_SIGNS = {(False, False): ">=", (False, True): ">", (True, False): "<=", (True, True): "<"}
"""By whether the goal is the most that may be, and whether it must not be reached itself."""


def goals_text(goals: Sequence[Goal]) -> str:
    rows = [("", "measured", "goal", "", "of the goal")]
    for goal in worst_first(goals):
        wanted = f"{_SIGNS[goal.most, goal.strict]} {number(goal.wanted)} {goal.unit}"
        if goal.measured is None:
            rows.append((goal.what, "", wanted, goal.verdict, goal.reason))
        else:
            reached = "all" if math.isinf(goal.share) else f"{100 * goal.share:,.0f} %"
            rows.append((goal.what, f"{number(goal.measured)} {goal.unit}", wanted, goal.verdict, reached))
    return aligned(rows, right={1, 2})


def lines_text(lines: Sequence[Line], shapes: Sequence[Shape]) -> str:
    """Steps a second of every engine, the median of its runs; `*` marks runs that were cut by the time limit."""
    rows = [("steps/s", "synchronous", *(shape.name for shape in shapes), "")]
    for line in lines:
        cells = tuple(_cell(line, shape) for shape in shapes)
        rows.append((line.title, line.synchronous, *cells, f"not measured: {line.reason}" if line.reason else ""))
    return aligned(rows, right=set(range(2, 2 + len(shapes))))


def _cell(line: Line, shape: Shape) -> str:
    rate = line.rate(shape)
    if rate is None:
        return "-"
    return (number(rate) if rate else "none") + ("*" if any(outcome.cut for outcome in line.runs[shape]) else "")


def aligned(rows: Sequence[Sequence[str]], *, right: set[int]) -> str:
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    return "\n".join(
        "  ".join(c.rjust(widths[n]) if n in right else c.ljust(widths[n]) for n, c in enumerate(row)).rstrip()
        for row in rows
    )
