"""What the calls of a delegation used and cost, kind by kind, as facts."""

from __future__ import annotations

from collections.abc import Sequence

from core.sanitise import one_line
from core.store.reads_turns import CallRow
from tui.text.amounts import dollars
from tui.text.words import plural
from tui.widgets.document import Paragraph

NAMES = 16
"""Cells of the column of names in a list of facts."""
MOST_REQUESTS = 12
KINDS = (("input", "read"), ("output", "written"), ("cache_read", "from the cache"), ("cache_write", "into the cache"))


def fact(name: str, value: str, tone: str = "text") -> Paragraph:
    """A name, and what it is, in a column of its own where there is room."""
    return Paragraph(((f"{name:<{NAMES}}", "dim"),), 2, tail=((one_line(value, 2_000), tone),))


def paid_paragraphs(calls: Sequence[CallRow]) -> list[Paragraph]:
    """Nothing where no call is on record."""
    if not calls:
        return []
    models = dict.fromkeys(f"{c.model} ({c.provider})" if c.provider else c.model for c in calls)
    ended = [c for c in calls if not c.is_running and not c.is_lost]
    used = sum(c.tokens or 0 for c in ended)
    kinds = [(sum(getattr(c, name) for c in ended), words) for name, words in KINDS]
    told = ", ".join(f"{number:,} {words}" for number, words in kinds if number)
    made = [fact("model", ", ".join(models)), fact("calls", _counted(calls))]
    made.append(fact("tokens", f"{used:,}{f': {told}' if told else ''}"))
    made.append(fact("cost", *_cost(ended)))
    numbers = [c.request_id for c in calls if c.request_id]
    if numbers:
        more = len(numbers) - MOST_REQUESTS
        made.append(fact("request ids", ", ".join(numbers[:MOST_REQUESTS]) + (f" and {more} more" if more > 0 else "")))
    return made


def _counted(calls: Sequence[CallRow]) -> str:
    running = [c for c in calls if c.is_running]
    lost = sum(c.is_lost for c in calls)
    parts = [plural(len(calls), "call")]
    if running:
        held = sum(c.reserved_tokens for c in running)
        parts.append(f"{len(running)} running, which may use {held:,} tokens")
    if lost:
        parts.append(f"{lost} ended unseen and count at the most they could cost")
    return "; ".join(parts)


def _cost(ended: Sequence[CallRow]) -> tuple[str, str]:
    """What is known of it, and its tone; what no price is known of is told apart from what cost nothing."""
    unknown = [c for c in ended if c.cost is None and c.tokens]
    known = sum(c.cost or 0.0 for c in ended)
    if not unknown:
        return dollars(known), "text"
    models = ", ".join(dict.fromkeys(c.model for c in unknown))
    if len(unknown) == len(ended):
        return f"not known: no price of {models}", "ask"
    return f"{dollars(known)}, and {plural(len(unknown), 'call')} of {models}, whose price is not known", "ask"
