"""What the keys of a question do in the inbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from core.store.rows import EscalationRow
from tui.background import is_left
from tui.questions.deeds import QuestionDeeds
from tui.text.words import plural

if TYPE_CHECKING:
    from textual.widget import Widget

    from tui.screens.triage.screen import Triage

FOR_ALL = frozenset({"answer", "accept", "other", "ack", "snooze", "assign", "escalate", "merge"})
"""The last part of the ids of actions that are for all questions that are marked."""


class TriageDeeds(QuestionDeeds):
    """What is done to a question of the inbox, or to all that are marked, once their plan was looked at."""

    @property
    def triage(self) -> Triage:
        return cast("Triage", self.screen)

    def question_in_hand(self) -> EscalationRow | None:
        return self.triage.question_in_hand()

    def is_drawing(self) -> bool:
        return self.triage.is_drawing()

    def question_shown(self) -> EscalationRow | None:
        return self.triage.question_shown()

    def question_left(self, question: EscalationRow) -> None:
        if not is_left(cast("Widget", self)):
            self.triage.go_on(question)

    def applies(self, action_id: str) -> bool | str:
        if action_id.startswith("triage."):
            return self.triage.applies(action_id)
        if action_id.startswith(("inbox.", "marks.")):
            return bool(self.triage.inbox.count) or "there is no question here"
        is_for_all = action_id.partition(".")[2] in FOR_ALL and self.triage.inbox.mark_count
        return True if is_for_all else super().applies(action_id)

    def _is_for_one(self) -> bool:
        """Whether the question under the cursor can be read. What takes one question at a time is for it, and says so
        where others are marked."""
        if self.triage.look_first():
            return False
        question, marked = self.question_in_hand(), self.triage.inbox.mark_count
        if question is not None and marked:
            stay = "the marked one waits" if marked == 1 else f"the {marked:,} marked ones wait"
            self.triage.apm.tell(f"This is about question {question.id} alone; {stay}.")
        return True

    def action_answer(self, number: int) -> None:
        if self.triage.look_first():
            return
        question = self.question_for_key()
        if question is None:
            return
        if number > len(question.options):
            self.triage.apm.tell(f"This question has {plural(len(question.options), 'answer')}.")
            return
        option = question.options[number - 1]
        if not self.triage.many.answer(option):
            self.take(question, option)

    def action_accept(self) -> None:
        if not self.triage.many.accept() and not self.triage.look_first():
            super().action_accept()

    def action_accept_and_propose(self) -> None:
        if self._is_for_one():
            super().action_accept_and_propose()

    def action_other(self) -> None:
        if not self.triage.many.other() and not self.triage.look_first():
            super().action_other()

    def action_values(self) -> None:
        if self._is_for_one():
            super().action_values()

    def action_values_in_editor(self) -> None:
        if self._is_for_one():
            super().action_values_in_editor()

    def action_ask_back(self) -> None:
        if self._is_for_one():
            super().action_ask_back()

    def action_acknowledge(self) -> None:
        if not self.triage.many.acknowledge() and not self.triage.look_first():
            super().action_acknowledge()

    def action_snooze(self) -> None:
        if not self.triage.many.snooze() and not self.triage.look_first():
            super().action_snooze()

    def action_assign(self) -> None:
        if not self.triage.many.assign() and not self.triage.look_first():
            super().action_assign()

    def action_escalate(self) -> None:
        if not self.triage.many.escalate() and not self.triage.look_first():
            super().action_escalate()

    def action_merge(self) -> None:
        if not self.triage.look_first() and not self.triage.many.merge():
            super().action_merge()
