"""What an empty section says: that there is nothing, what would stand here, and what to press."""

from __future__ import annotations

from collections.abc import Mapping

from core.store.reads_triage import TriageCounts
from tui.questions.sections import Section
from tui.text.words import Line, plural, span_of_time

_EMPTY: Mapping[str, tuple[Line, ...]] = {
    "overdue": (
        (("✓ Nothing is overdue.", "good"),),
        (("Questions whose time has passed stand here until they are answered.", "dim"),),
    ),
    "immediate": (
        (("✓ Nothing is immediate.", "good"),),
        (("^", "accent"), (" on a question makes it more urgent.", "dim")),
    ),
    "snoozed": (
        (("Nothing is put away.", "dim"),),
        (("s", "accent"), (" on a question puts it away for a while.", "dim")),
    ),
    "acknowledged": (
        (("Nothing is only seen.", "dim"),),
        (("!", "accent"), (" on a question stops its reminders for half an hour.", "dim")),
    ),
    "mine": (
        (("Nothing was handed to you.", "dim"),),
        (("o", "accent"), (" on a question hands it to somebody else.", "dim")),
    ),
    "by-person": ((("No person has answered anything today (UTC).", "dim"),),),
    "by-rule": (
        (("No rule has answered anything today (UTC).", "dim"),),
        (("A", "accent"), (" on a question accepts it and wishes for a rule.", "dim")),
    ),
    "by-time-out": ((("Nothing was decided by time-out today (UTC).", "good"),),),
}


def empty_lines(section: Section, counts: TriageCounts, now: int) -> tuple[Line, ...]:
    """The lines for a section without rows."""
    lines = _EMPTY.get(section.shown.key)
    if lines is not None:
        return (*lines, (), _onward())
    return (
        (("✓ Inbox zero", "good"),),
        (("Nothing waits for you." if counts.everything else "No question is open.", "dim"),),
        (),
        *_today(counts),
        *_ahead(counts, now),
        (),
        _onward(),
        (("esc", "accent"), (" back to the work", "dim"), ("   n", "accent"), (" writes a new work item", "dim")),
    )


def _onward() -> Line:
    return (("[ ]", "accent"), (" other sections", "dim"))


def _today(counts: TriageCounts) -> tuple[Line, ...]:
    """How many were answered today, and by whom or what."""
    if not counts.answered:
        return ((("Nothing was answered today (UTC).", "dim"),),)
    parts = (
        (counts.by_person, "by a person"),
        (counts.by_rule, "by rule"),
        (counts.by_time_out, "by time-out"),
    )
    told = ", ".join(f"{count:,} {how}" for count, how in parts if count)
    return (((f"{counts.answered:,}", "strong"), (f" answered today (UTC): {told}", "dim")),)


def _ahead(counts: TriageCounts, now: int) -> tuple[Line, ...]:
    """What is put away or seen, and when the next of it wants an answer."""
    lines: list[Line] = []
    away = [f"{count:,} {word}" for count, word in ((counts.snoozed, "put away"), (counts.seen, "seen")) if count]
    if away:
        lines.append(((", ".join(away), "dim"),))
    if counts.overdue:
        lines.append(((f"▲ {plural(counts.overdue, 'of them is', 'of them are')} overdue", "bad"),))
    moments = [
        (moment, word)
        for moment, word in ((counts.next_back, "The next one comes back"), (counts.next_due, "The next one is due"))
        if moment is not None
    ]
    for moment, word in sorted(moments):
        lines.append(((f"{word} in ", "dim"), (span_of_time(moment - now), "text")))
    return tuple(lines)
