"""Which questions, or answers of today, a section holds: their numbers in the order of the list."""

from __future__ import annotations

from collections.abc import Sequence

from core.store import reads_escalations, reads_triage, reads_windows
from core.store.reads import Connection
from core.store.reads_triage import AnsweredRow
from tui.questions.sections import Section
from tui.widgets.filtering import Words


def question_order(reader: Connection, section: Section, words: Words, person: str, now: int) -> Sequence[int]:
    """The numbers of the questions of a section that everybody has, filtered."""
    of_store = section.key if section.key in reads_escalations.SECTIONS else None
    return reads_windows.escalation_order(
        reader,
        of_store,
        *words,
        now,
        urgency="IMMEDIATE" if section.key == "immediate" else None,
        assigned_to=person if section.key == "mine" else None,
        person=person,
    )


def answer_order(reader: Connection, provenance: str, words: Words, now: int) -> Sequence[int]:
    """The numbers of today's answers, filtered, the newest first."""
    found = reads_triage.answered_today(reader, now, provenance)
    wanted, refused = words
    if not wanted and not refused:
        return found
    texts = {n: _answer_text(row) for n, row in reads_triage.answered(reader, found).items()}
    return [
        n
        for n in found
        if n in texts and all(w in texts[n] for w in wanted) and not any(w in texts[n] for w in refused)
    ]


def _answer_text(row: AnsweredRow) -> str:
    return " ".join((row.by, row.label, row.question, row.kind, row.reason, f"#{row.work_item}")).casefold()
