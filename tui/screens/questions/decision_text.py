"""What was decided for a work item in one phase: whose choice, what it is, on what ground; and who differed."""

from __future__ import annotations

from collections.abc import Sequence

from core.sanitise import one_line
from core.store.rows import DecisionRow
from core.store.rows_governance import ConflictRow
from tui.text.words import Line, Mark
from tui.widgets.document import BLANK, Paragraph, heading

DECIDED = Mark("✓", "decided", "good")
TAKEN_BACK = Mark("✗", "taken back", "bad")
WAITS = Mark("◆", "waits", "ask")
HANG = 4


def decision_paragraphs(decisions: Sequence[DecisionRow], conflicts: Sequence[ConflictRow]) -> list[Paragraph]:
    """Under a heading; nothing at all where nothing was decided."""
    if not decisions and not conflicts:
        return []
    made = [BLANK, heading("Decisions")]
    for decision in decisions:
        made += _decision(decision)
    return made + [_conflict(c) for c in conflicts]


def _decision(row: DecisionRow) -> list[Paragraph]:
    kind = one_line(row.kind.replace("_", " "), 60)
    told: Line = (("  ", "text"), (one_line(row.agent, 40), "text"), (f"  {kind}  ", "dim"))
    if row.reverted_at is not None:
        by = f"by {one_line(row.reverted_by or '', 60)}: {one_line(row.revert_reason or '', 300)}"
        return [Paragraph((*TAKEN_BACK.line(), *told, (by, "dim")), HANG)]
    if row.choice is None:
        where = f"for an answer to #{row.escalation}" if row.escalation else ""
        return [Paragraph((*WAITS.line(), *told, (where, "ask")), HANG)]
    who = "" if row.decided_by in (None, row.agent) else f"  by {one_line(row.decided_by or '', 60)}"
    first = Paragraph((*DECIDED.line(), *told, (one_line(row.choice, 60), "strong"), (who, "dim")), HANG)
    ground = one_line(row.reason or row.rule, 500)
    return [first, Paragraph(((" " * HANG, "text"), (ground, "faint")), HANG)] if ground else [first]


def _conflict(row: ConflictRow) -> Paragraph:
    mark = WAITS if row.resolved_at is None else DECIDED
    ended = f"{row.winner or 'neither'} ({row.decided_by})" if row.resolved_at else f"#{row.escalation}"
    topic = one_line(row.topic, 300)
    return Paragraph(
        (*mark.line(), (f"  {row.first} and {row.second} differ on {topic}: ", "text"), (ended, "dim")), HANG
    )
