"""What was asked for, as goals over the figures of one run. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from tests.bench_engine.contestants import OURS, RAW_GROUP, RAW_LARGE, Contestant
from tests.bench_engine.standard import Shape
from tests.bench_engine.state import WORK_ITEMS, Grown, Resumed
from tests.bench_engine.table import Goal, Line, fastest_rival

LIMITS = (RAW_GROUP, RAW_LARGE)
NOT_RUN = "that part was not run"


def all_goals(shapes: Sequence[Shape], lines: Mapping[Contestant, Line], resume: Resumed, growth: Grown) -> list[Goal]:
    """`shapes` begin with one work item at a time in sequence, and end with fifty at once, side by side."""
    one, many = shapes[0], shapes[-1]
    ours = lines.get(OURS)
    slow, fast = (ours.rate(one), ours.rate(many)) if ours else (None, None)
    return [
        Goal(many.name, 10_000, "steps/s", fast, reason=_why(lines, OURS)),
        Goal(one.name, 2_000, "steps/s", slow, reason=_why(lines, OURS)),
        *(
            Goal(f"share of {c.title}, {many.name}", 33, "%", _percent(fast, lines.get(c), many), reason=_why(lines, c))
            for c in LIMITS
        ),
        Goal("database per step", 1_200, "bytes", _bytes(ours, many), most=True, reason=_why(lines, OURS)),
        *_resume_goals(resume),
        _growth_goal(growth),
        *_rival_goals(lines, one, slow),
        *_rival_goals(lines, many, fast),
    ]


def _why(lines: Mapping[Contestant, Line], contestant: Contestant) -> str:
    """Why a contestant has no figures, if it has none."""
    return lines[contestant].reason if contestant in lines else NOT_RUN


def _resume_goals(resume: Resumed) -> list[Goal]:
    return [
        Goal(f"{WORK_ITEMS:,} unfinished work items: {what}", 2, "s", _median(seconds), True, True, resume.reason)
        for what, seconds in (("the first delegation", resume.first), ("all looked at", resume.looked))
    ]


def _growth_goal(growth: Grown) -> Goal:
    empty, long = _median(growth.empty), _median(growth.long)
    slower = 100 * (1 - long / empty) if empty and long else None
    what = f"slower on {growth.recorded:,} recorded steps" if growth.recorded else "slower on a long journal"
    return Goal(what, 20, "%", slower, most=True, reason=growth.reason)


def _rival_goals(lines: Mapping[Contestant, Line], shape: Shape, rate: float | None) -> list[Goal]:
    rival = fastest_rival(list(lines.values()), shape)
    if rival is None or rate is None:
        return []
    return [Goal(f"against {rival[0]}, {shape.name}", 1, "times", rate / rival[1], strict=True)]


def _median(samples: Sequence[float]) -> float | None:
    return statistics.median(samples) if samples else None


def _percent(rate: float | None, of: Line | None, shape: Shape) -> float | None:
    whole = of.rate(shape) if of else None
    return 100 * rate / whole if rate and whole else None


def _bytes(ours: Line | None, shape: Shape) -> float | None:
    """The largest of the runs."""
    found = [o.bytes / o.steps for o in ours.runs.get(shape, ()) if o.steps] if ours else []
    return max(found, default=None)
