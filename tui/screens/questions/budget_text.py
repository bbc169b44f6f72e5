"""What a question about a budget rests on: every budget the call counts to, what it needs, what the work item cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.contract import Json
from core.governance.budget_reads import Standing, spender_of, standings
from core.sanitise import one_line
from core.store import reads
from core.store.reads import Connection
from core.store.reads_spending import PhaseCost, costs_by_phase
from core.store.rows import EscalationRow
from tui.text.amounts import budget_mark, dollars, of_limit, price, tokens
from tui.text.words import Line, Span, plural
from tui.widgets.document import BLANK, Paragraph, heading

SCOPE_WORDS = {
    "delegation": "this delegation",
    "work_item": "the work item",
    "day": "today (UTC)",
    "workspace": "the workspace",
}
NAMES = 17

NEARLY_FROM = 80
"""Percent from which little is left."""


@dataclass(frozen=True, slots=True)
class Spending:
    """What is used of the budgets at this moment, and what the work item has cost so far."""

    standings: tuple[Standing, ...] = ()
    costs: tuple[PhaseCost, ...] = ()


def spending_of(reader: Connection, row: EscalationRow, now: int) -> Spending | None:
    """On a store thread; None for a question that is about no budget, or about work whose spending is in an archive."""
    spender = spender_of(row.details.get("budget")) if row.kind == "budget" else None
    if spender is None or reads.work_item_facts(reader, spender.work_item) is None:
        return None
    return Spending(standings(reader, spender, now), tuple(costs_by_phase(reader, spender.work_item)))


def budget_paragraphs(row: EscalationRow, spending: Spending | None) -> list[Paragraph]:
    """Sections, each with a blank line before it; of a question that holds no amounts none."""
    asked: Any = row.details.get("budget")
    if row.kind != "budget" or not isinstance(asked, dict):
        return []
    made = [BLANK, heading("Measured"), *_needed(asked)]
    if spending is not None:
        made += _used(spending.standings, asked)
        made += cost_paragraphs(spending.costs, f"What work item {row.work_item} has cost so far")
    return made


def _needed(asked: Json) -> list[Paragraph]:
    unit, needed = asked.get("unit"), asked.get("needed")
    if not isinstance(needed, int | float) or isinstance(needed, bool) or not isinstance(unit, str):
        return []
    agent = one_line(str(asked.get("agent") or ""), 40)
    most: Line = (
        (f" {'the next call':<{NAMES}}", "text"),
        (f"{'up to ' + of_limit(unit, needed, None):<24}", "strong"),
    )
    return [Paragraph((*most, (agent, "dim")), NAMES + 1)]


def _used(found: Sequence[Standing], asked: Json) -> list[Paragraph]:
    """A line for each budget and unit that is limited, the one without room marked; one line where none is."""
    made = []
    for standing in found:
        limit, used = standing.limit, standing.used
        pairs = (("dollars", used.dollars, limit.dollars), ("tokens", used.tokens, limit.tokens))
        limited = [pair for pair in pairs if pair[2] is not None]
        for n, (unit, amount, most) in enumerate(limited):
            is_full = (limit.scope, unit) == (asked.get("scope"), asked.get("unit"))
            state = _state(amount, most, is_full)
            made.append(_line("" if n else limit.scope, of_limit(unit, amount, most), state, limit.by))
        if not limited:
            told = f"{dollars(used.dollars)}, {tokens(used.tokens)} tok"
            made.append(_line(limit.scope, told, ("· no limit", "faint"), limit.by))
        if used.lost and limit.scope == "work_item":
            lost = f"{plural(used.lost, 'call')} among them ended unseen: counted at the most it could cost"
            made.append(Paragraph(((" " * (NAMES + 1), "text"), (lost, "dim")), NAMES + 1))
    return made


def _state(used: float, most: float | None, is_full: bool) -> Span:
    percent = int(100 * used / most) if most else 100
    if is_full:
        return f"✗ no room, {percent} %", "bad"
    mark = budget_mark(percent, NEARLY_FROM)
    return (f"{mark.glyph} {mark.word}, {percent} %", mark.tone) if mark else (f"✓ {percent} %", "good")


def _line(scope: str, told: str, state: Span, by: str) -> Paragraph:
    who: Span = (f"  set by {one_line(by, 40)}" if by != "agents.yaml" else "", "dim")
    name = f" {SCOPE_WORDS.get(scope, scope):<{NAMES}}"
    return Paragraph(((name, "text"), (f"{told:<24}", "strong"), state, who), NAMES + 1)


def cost_paragraphs(costs: Sequence[PhaseCost], title: str) -> list[Paragraph]:
    """By phase and agent, and their sum; nothing where nothing was paid."""
    if not costs:
        return []
    wide = max(len(one_line(c.agent, 24)) for c in costs)
    made = [BLANK, heading(title)]
    for c in costs:
        made.append(_cost(f"{c.phase} {one_line(c.agent, 24):<{wide}}", c.calls, c.tokens, c.dollars, c.unpriced))
    if len(costs) > 1:
        calls, all_tokens = sum(c.calls for c in costs), sum(c.tokens for c in costs)
        total = sum(c.dollars for c in costs), sum(c.unpriced for c in costs)
        made.append(_cost(f"{'all':<{wide + 3}}", calls, all_tokens, *total, tone="strong"))
        if total[1]:
            made.append(Paragraph(((f" + {plural(total[1], 'call')} no price is known of", "dim"),), 3))
    return made


def _cost(name: str, calls: int, used: int, paid: float, unpriced: int, tone: str = "text") -> Paragraph:
    figures = f"{plural(calls, 'call'):>9} {tokens(used):>6} tok "
    told = price(paid, unpriced, calls)
    return Paragraph(((f" {name}", tone), (figures, "dim"), (f"{told:>9}", "dim" if unpriced >= calls else tone)), 3)
