"""What a person does to a question or a work item, wherever it is shown: the same keys, the same checks, one place.

Mixins of widgets and screens. The class that uses one says which question or work item is in hand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from core.contract import Json
from core.sanitise import one_line
from core.store.rows import EscalationRow, WorkItemRow
from tui.words import DAY, HOUR

if TYPE_CHECKING:
    from textual.dom import DOMNode

    from tui.app import ApmApp

    _Node = DOMNode
else:
    _Node = object

SNOOZES = (("1 hour", HOUR), ("4 hours", 4 * HOUR), ("until tomorrow", DAY), ("3 days", 3 * DAY), ("1 week", 7 * DAY))


class QuestionDeeds(_Node):
    """Answering, acknowledging and putting away the question in hand."""

    def question_in_hand(self) -> EscalationRow | None:
        raise NotImplementedError

    def question_left(self, question: EscalationRow) -> None:
        """The question in hand has been answered or put away."""

    def action_accept(self) -> None:
        question = self.question_in_hand()
        if question is None:
            return
        if question.recommended is None:
            _app(self).tell("Nothing is recommended here: answer with the number of an option.")
            return
        self.take(question, option_of(question, question.recommended))

    def action_values(self) -> None:
        """The answer that carries values; there is at most one in practice, so the first."""
        question = self.question_in_hand()
        if question is None:
            return
        option = next((o for o in question.options if o.get("asks")), None)
        if option is None:
            _app(self).tell("No answer to this question takes values.")
            return
        self.take(question, option)

    def action_other(self) -> None:
        question = self.question_in_hand()
        if question is None:
            return
        others = [o for o in question.options if o["key"] != question.recommended]
        if not others:
            _app(self).tell("There is no other answer.")
        elif len(others) == 1:
            self.take(question, others[0])
        else:
            from tui.screens.choice import Choice, ChoiceDialog

            choices = [Choice(o["key"], one_line(o["label"]), one_line(o.get("consequence", ""))) for o in others]
            dialog = ChoiceDialog("Which other answer?", choices)
            self._then(dialog, lambda key: self.take(question, option_of(question, key)))

    def action_acknowledge(self) -> None:
        question = self.question_in_hand()
        if question is None:
            return
        app = _app(self)

        def work(tx: Any) -> None:
            from core.governance import life

            life.acknowledge(tx, question.id, by=app.person)

        app.do(work, f"Question {question.id}: seen. No reminders for 30 minutes.")

    def action_snooze(self) -> None:
        question = self.question_in_hand()
        if question is None:
            return
        from tui.screens.choice import Choice, ChoiceDialog

        app = _app(self)

        def snooze(picked: str) -> None:
            name, span = SNOOZES[int(picked)]

            def work(tx: Any) -> None:
                from core.governance import life

                life.snooze(tx, question.id, until=app.now() + span, by=app.person)

            app.do(work, f"Question {question.id} is put away: {name}.", lambda: self.question_left(question))

        choices = [Choice(str(n), name) for n, (name, _) in enumerate(SNOOZES)]
        self._then(ChoiceDialog("Put it away for how long?", choices), snooze)

    def take(self, question: EscalationRow, option: Json) -> None:
        """Answer with this option, after asking for what it needs: values, or a reason."""
        if option.get("asks"):
            from tui.screens.answer_form import AnswerForm

            form = AnswerForm(question, option, self._needs_reason(question, option))
            self._then(form, lambda given: self._answer(question, option, given[0], given[1]))
        elif self._needs_reason(question, option):
            from tui.screens.reason import ReasonDialog

            dialog = ReasonDialog(one_line(option["label"]), one_line(option.get("consequence", "")))
            self._then(dialog, lambda reason: self._answer(question, option, None, reason))
        else:
            self._answer(question, option, None, "")

    @staticmethod
    def _needs_reason(question: EscalationRow, option: Json) -> bool:
        return bool(option["key"] != question.recommended)

    def _answer(self, question: EscalationRow, option: Json, values: Any, reason: str) -> None:
        app = _app(self)

        def work(tx: Any) -> None:
            from core.governance import escalations

            escalations.resolve(
                tx,
                question.id,
                option=option["key"],
                answer=values,
                reason=reason,
                by=app.person,
                shown_digest=question.payload_digest,
            )

        label = one_line(option["label"], 60)
        app.do(work, f"Question {question.id} is answered: {label}.", lambda: self.question_left(question))

    def _then(self, dialog: Any, use: Callable[[Any], None]) -> None:
        """Show the dialog; what it is closed with goes to `use`, unless it was left."""
        _app(self).push_screen(dialog, lambda given: None if given is None else use(given))


class WorkItemDeeds(_Node):
    """Pausing, accepting and cancelling the work item in hand."""

    def work_item_in_hand(self) -> WorkItemRow | None:
        raise NotImplementedError

    def action_pause(self) -> None:
        item = self.work_item_in_hand()
        if item is None:
            return
        paused = item.facts.paused_at is not None
        app = _app(self)

        def work(tx: Any) -> None:
            from core.orchestration import work_items

            (work_items.resume if paused else work_items.pause)(tx, item.id, by=app.person)

        done = "goes on" if paused else "is paused; what runs is finished first"
        app.do(work, f"Work item {item.id} {done}.")

    def action_accept(self) -> None:
        item = self.work_item_in_hand()
        if item is None:
            return
        app = _app(self)
        if item.state != "proposed":
            app.tell(f"Work item {item.id} is {item.state}; only a proposed one can be accepted.")
            return

        def work(tx: Any) -> None:
            from core.orchestration import work_items

            work_items.accept(tx, item.id, by=app.person)

        app.do(work, f"Work item {item.id} is accepted.")

    def action_cancel(self) -> None:
        item = self.work_item_in_hand()
        if item is None:
            return
        from tui.screens.choice import ConfirmDialog

        app = _app(self)

        def work(tx: Any) -> None:
            from core.orchestration import work_items

            work_items.cancel(tx, item.id, by=app.person)

        def confirmed(yes: bool | None) -> None:
            if yes:
                app.do(work, f"Work item {item.id} is cancelled.")

        title = f"Cancel work item {item.id}?"
        text = f"{one_line(item.title, 80)}: its worktree is removed, its branch and its record stay."
        app.push_screen(ConfirmDialog(title, text, "Cancel it", "Keep it"), confirmed)


def option_of(question: EscalationRow, key: str) -> Json:
    """The option with this key; raises LookupError when the question does not offer it."""
    for option in question.options:
        if option["key"] == key:
            return option
    raise LookupError(f"question {question.id} does not offer {key!r}")


def _app(node: Any) -> ApmApp:
    return cast("ApmApp", node.app)
