"""Questions that take no answer any more: how it came to that, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.sanitise import one_line
from core.store import reads, reads_escalations, states
from tui.screens.questions.question_about import label_of

if TYPE_CHECKING:
    from core.store.reads import Connection
    from core.store.rows import AnswerRow, EscalationRow

ENDED = frozenset({"resolved", "merged"})
"""States in which no answer is taken; an expired or withdrawn question takes one, as late."""


def how_it_ended(reader: Connection, number: int, now: int) -> str:
    """How the question ended; "" while it takes an answer."""
    question = reads.escalation(reader, number)
    if question is None or states.escalation_state(question, now) not in ENDED:
        return ""
    return ending(question, reads_escalations.answers(reader, number))


def ending(question: EscalationRow, answers: Sequence[AnswerRow]) -> str:
    """How a question ended that takes no answer any more."""
    given = [answer for answer in answers if answer.undone_at is None]
    if not given:
        return f"Question {question.id} was merged into another one."
    by, label = one_line(given[-1].by, 60), label_of(question, given[-1].option)
    return f"Question {question.id} is already answered by {by}: {label}."
