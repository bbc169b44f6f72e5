"""What a work item costs and what its running delegations tell, in the words of its screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from core.governance.budget_reads import Standing
from core.store.reads_spending import PhaseCost
from core.store.rows import DelegationRow, LiveRow
from tui.governance.tiers import told_of
from tui.screens.work.running import running_row
from tui.text import amounts
from tui.text.words import Line


class Doing(NamedTuple):
    """What a delegation that runs tells of itself, as a row below its own."""

    row: DelegationRow
    doing: str
    tokens: int
    dollars: float | None


def running_rows(work_item: int, live: LiveRow, now: int) -> tuple[DelegationRow | Doing, ...]:
    """Each of its delegations that runs, with a row below it for what it tells."""
    found: list[DelegationRow | Doing] = []
    for told in live.delegations:
        if told.get("work_item") == work_item:
            since = int(told.get("since", now))
            place = str(told.get("phase", "")), str(told.get("agent", "")), str(told.get("subject", ""))
            row = running_row(work_item, *place, at=since, milliseconds=now - since)
            doing = Doing(row, *told_of(told))
            found += [row, doing] if doing.doing or doing.tokens else [row]
    return tuple(found)


def doing_cells(row: Doing) -> tuple[Line, ...]:
    spent = amounts.used(row.tokens, row.dollars) if row.tokens else ""
    return (("└ ", "faint"), (row.doing, "run")), ((spent, "dim"),)


class Sum(NamedTuple):
    """What calls have used and cost; `dollars` lack the `unpriced` of them."""

    tokens: int
    dollars: float
    unpriced: int
    calls: int


def sum_of(costs: Sequence[PhaseCost]) -> Sum:
    return Sum(
        sum(c.tokens for c in costs),
        sum(c.dollars for c in costs),
        sum(c.unpriced for c in costs),
        sum(c.calls for c in costs),
    )


def phase_cells(costs: Sequence[PhaseCost], phase: str) -> tuple[Line, Line]:
    """Tokens and dollars; what no price is known of is told apart from what cost nothing."""
    used, paid, unpriced, calls = sum_of([c for c in costs if c.phase == phase])
    if not calls:
        return (("", "dim"),), (("", "dim"),)
    return ((amounts.tokens(used), "dim"),), ((amounts.price(paid, unpriced, calls), "ask" if unpriced else "text"),)


def total_line(costs: Sequence[PhaseCost], budget: Standing, warn_at: int, *, short: bool = False) -> Line:
    """What it has cost of what it may cost, and a mark where little of that is left."""
    used, paid, unpriced, calls = sum_of(costs)
    if not calls:
        return ()
    mark = amounts.budget_mark(budget.percent, warn_at)
    alarm: Line = ((f"{mark.glyph} {mark.word} ", mark.tone),) if mark is not None else ()
    told = amounts.price(paid, unpriced, calls)
    if short:
        return (*alarm, (f"{told}  ", "dim"))
    limit = budget.limit
    of = f" of {amounts.dollars(limit.dollars)}" if limit.dollars is not None else ""
    most = f" of {amounts.tokens(limit.tokens)}" if limit.tokens is not None else ""
    return (*alarm, (f"{told}{of}  {amounts.tokens(used)}{most} tok   ", "dim"))
