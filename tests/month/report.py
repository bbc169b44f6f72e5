"""The month as plain text: a table for each week, what was proposed on what figures, and what changed in authority."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.month import arithmetic
from tests.month.days import DAYS, START, at, told, week_of
from tests.month.figures import COLUMNS, CONFLICT_COLUMNS, Count, Figures, Grant, Line, Reviewed, Standing, Week

INDENT = " " * 4

_WHY = {
    "": "proposed",
    "decides it already": "no: the agent decides it already",
    "ceiling": "no: a ceiling, which no record lifts",
    "too few answers": f"no: fewer than {arithmetic.NEEDS_ANSWERS} answers",
    "bound too low": f"no: the bound is below {arithmetic.NEEDS_BOUND}",
    "cool-down": "no: rejected, and cooling down",
}


@dataclass(frozen=True, slots=True)
class Told:
    """A line of the chronicle."""

    at: int
    text: str


def report(figures: Figures, chronicle: Sequence[Told]) -> list[str]:
    lines = [
        "A month of governance, counted by apm",
        f"{told(START)} to {told(at(DAYS, '23:59'))} (UTC); {figures.briefings} daily briefings, "
        f"{len(figures.reviews)} scope reviews, {figures.open_at_end} questions open at the end",
    ]
    for number, week in enumerate(figures.weeks, 1):
        lines += ["", *_heading(f"Week {number}"), *_table(week), *_conflicts(week), ""]
        happened = [(line.at, [f"{told(line.at)}  {line.text}"]) for line in chronicle if week_of(line.at) == number]
        happened += [(found.at, _review(found)) for found in figures.reviews if week_of(found.at) == number]
        for _, block in sorted(happened, key=lambda entry: entry[0]):
            lines += block
    lines += ["", *_heading("The month"), *_month(figures.weeks)]
    lines += ["", *_heading("Proposed at once, after a person took a decision back"), *_at_once(figures)]
    lines += ["", *_heading("What changed in authority"), *map(_grant, figures.grants)]
    return [*lines, "", *_heading("The arithmetic of the kinds that were followed"), *_sums(figures)]


def _heading(text: str) -> list[str]:
    return [text, "-" * len(text)]


def _table(week: Week) -> list[str]:
    return _counts([*week.agents, ("together", week.total)])


def _month(weeks: Sequence[Week]) -> list[str]:
    rows = [(f"week {n}", week.total) for n, week in enumerate(weeks, 1)]
    return _counts([*rows, ("together", sum((week.total for week in weeks), Count()))])


def _counts(rows: Iterable[tuple[str, Count]]) -> list[str]:
    header = f"{'':10}" + "".join(f"{name.replace('_', ' '):>10}" for name in COLUMNS)
    return [header, *(f"{name:10}" + "".join(f"{getattr(c, n):10}" for n in COLUMNS) for name, c in rows)]


def _conflicts(week: Week) -> list[str]:
    told_of = (f"{getattr(week.conflicts, name)} {name.replace('_', ' ')}" for name in CONFLICT_COLUMNS)
    return [f"conflicts: {', '.join(told_of)}"]


def _review(found: Reviewed) -> list[str]:
    lines = [f"{told(found.at)}  scope review, asked for by {found.by}; undecided after it:"]
    lines += [f"{INDENT}{_line(line)}" for line in found.lines] or [f"{INDENT}nothing is proposed"]
    followed = [f"{INDENT}  {_standing(standing)}" for standing in found.standings]
    return [*lines, f"{INDENT}the kinds that are followed here:", *followed]


def _line(line: Line) -> str:
    joined = " and " if line.change == "collaboration" else "."
    what = f"{line.change:14}{line.agent}{joined}{line.subject}"
    return f"{what:50}{_share(line)}"


def _share(line: Line) -> str:
    if line.change == "collaboration":
        return f"{line.n} conflicts, {line.accepted} settled by a rule"
    if line.change == "contraction":
        return f"{line.accepted} of {line.n} of its own decisions stand{_bound(line.bound)}"
    saves = "" if line.saves is None else "; spares {} questions a week at {:.0f} s: {} h".format(*line.saves)
    return f"{line.accepted} of {line.n} accepted{_bound(line.bound)}{saves}"


def _bound(bound: float | None) -> str:
    return "" if bound is None else f", lower bound {bound:.4f}"


def _standing(found: Standing) -> str:
    name = f"{found.agent}.{found.kind} ({found.mode})"
    share = f"{found.accepted} of {found.n}{_bound(found.bound)}"
    former = f"; {found.former} under a former SOP do not count" if found.former else ""
    return f"{name:48}{share:33}{_WHY.get(found.why, found.why)}{former}"


def _at_once(figures: Figures) -> list[str]:
    return [f"{told(found.at)}  {_line(found.line)}" for found in figures.at_once]


def _grant(grant: Grant) -> str:
    return (
        f"{told(grant.at)}  {grant.agent}.{grant.kind} becomes {grant.mode}: from then on it decided "
        f"{grant.decided_since} itself and {grant.asked_since} went to a person"
    )


def _sums(figures: Figures) -> list[str]:
    lines: list[str] = []
    for number, last in enumerate(figures.reviews[-1].standings):
        # Where a kind was proposed its figures of that day, where it never was those of the last day.
        every = [(found.at, found.standings[number]) for found in figures.reviews]
        moment, shown = next(((at, s) for at, s in every if s.why == ""), (figures.reviews[-1].at, last))
        lines += [f"{shown.agent}.{shown.kind} on {told(moment)}; {_WHY.get(shown.why, shown.why)}:"]
        lines += [f"    {line}" for line in arithmetic.spelled_out(shown.accepted, shown.n)]
    return lines
