"""Answering the question in hand, wherever it is shown: the same keys, the same checks, one place.

A mixin of widgets and screens. Nothing of governance is imported before an answer is given: the first frame waits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from core.contract import Json
from core.sanitise import one_line
from tui.background import in_background
from tui.questions.works import answer_work
from tui.undoing import Undo

if TYPE_CHECKING:
    from textual.dom import DOMNode

    from core.store.rows import EscalationRow
    from tui.app import ApmApp

    _Node = DOMNode
else:
    _Node = object

NO_VALUES = "No answer to this question takes values."
NOT_DRAWN = "This question was not drawn yet: press again."
HELD = "One press answers one question: let go of the key, and press it again."
SAID_MS = 4_000
"""As long as these notices stand: of keys that come in a row, the first one brings it."""


def draft_key(question: EscalationRow, option: Json) -> str:
    """Under which the app keeps what was written in the editor for this question, as it is, and this option."""
    return f"answer-file:{question.id}:{option['key']}:{question.payload_digest}"


class Answering(_Node):
    """The class that uses it says which question is in hand."""

    def question_in_hand(self) -> EscalationRow | None:
        raise NotImplementedError

    def is_drawing(self) -> bool:
        """A question is under the cursor, and not in hand because it is still to be drawn."""
        return False

    def question_for_key(self) -> EscalationRow | None:
        """The question in hand; a key that is held, or came before it was drawn, does nothing, and that is said."""
        if not self.is_pressed():
            return None
        question = self.question_in_hand()
        if question is None and self.is_drawing():
            self.say_not_drawn()
        return question

    def say_not_drawn(self) -> None:
        self._say_once(NOT_DRAWN)

    def is_pressed(self) -> bool:
        """Whether this is a press of its own, which counts for one question; that it is none is said."""
        app = app_of(self)
        if app.is_held:
            self._say_once(HELD)
        else:
            app.meant()
        return not app.is_held

    def _say_once(self, notice: str) -> None:
        now, before = app_of(self).now(), self._said
        if before is None or before[0] != notice or not 0 <= now - before[1] < SAID_MS:
            self._said = notice, now
            app_of(self).tell(notice)

    _said: tuple[str, int] | None = None

    def question_left(self, question: EscalationRow) -> None:
        """The question in hand has been answered or put away."""

    def action_accept(self) -> None:
        self._accept(propose=False)

    def action_accept_and_propose(self) -> None:
        """The same, with the wish that the next scope review looks whether this need be asked at all."""
        question = self.question_for_key()
        if question is None:
            return
        if question.kind != "decision":
            app_of(self).tell("A rule can be wished for a domain agent's decision only; `a` accepts this one.")
        else:
            self._accept(propose=True)

    def _accept(self, *, propose: bool) -> None:
        question = self.question_for_key()
        if question is None:
            return
        if question.recommended is None:
            app_of(self).tell("Nothing is recommended here: answer with the number of an option.")
            return
        self.take(question, option_of(question, question.recommended), propose=propose)

    def action_values(self) -> None:
        self._with_values(in_editor=False)

    def action_values_in_editor(self) -> None:
        self._with_values(in_editor=True)

    def _with_values(self, *, in_editor: bool) -> None:
        """The answer that carries values; there is at most one in practice, so the first."""
        question = self.question_for_key()
        if question is None:
            return
        option = next((o for o in question.options if o.get("asks")), None)
        if option is None:
            app_of(self).tell(NO_VALUES)
        elif in_editor:
            self._edit(question, option, None)
        else:
            self.take(question, option)

    def action_other(self) -> None:
        question = self.question_for_key()
        if question is None:
            return
        others = {n: o for n, o in enumerate(question.options, 1) if o["key"] != question.recommended}
        if not others:
            app_of(self).tell("There is no other answer.")
        elif len(others) == 1:
            self.take(question, *others.values())
        else:
            from tui.screens.dialogs.choice import Choice, ChoiceDialog

            # Under the digits that they have on the question's own cards: one digit is one answer.
            choices = [
                Choice(o["key"], one_line(o["label"]), one_line(o.get("consequence", "")), number=n)
                for n, o in others.items()
            ]
            dialog = ChoiceDialog("Which other answer?", choices)
            self.ask(question, dialog, lambda key: self.take(question, option_of(question, key)))

    def take(self, question: EscalationRow, option: Json, *, propose: bool = False) -> None:
        """Answer with this option, after asking for what it needs: values, or a reason."""
        if option.get("asks"):
            from tui.screens.questions.answer_form import AnswerForm, InEditor

            def filled(given: Any) -> None:
                if isinstance(given, InEditor):
                    self._edit(question, option, given.typed, propose=propose)
                else:
                    self._answer(question, option, given.values, given.reason, propose)

            self.ask(question, AnswerForm(question, option, _needs_reason(question, option)), filled)
        elif _needs_reason(question, option):
            from tui.screens.dialogs.reason import ReasonDialog

            label, follows = one_line(option["label"]), one_line(option.get("consequence", ""))
            dialog = ReasonDialog(label, follows, draft_key=f"reason:{question.id}:{option['key']}")
            self.ask(question, dialog, lambda reason: self._answer(question, option, None, reason, propose))
        else:
            self._answer(question, option, None, "", propose)

    def _edit(self, question: EscalationRow, option: Json, typed: dict[str, str] | None, propose: bool = False) -> None:
        """In the person's editor; back in the form, where it came from there and nothing came of it."""

        async def edit() -> None:
            from tui.questions.answer_file import answer_in_editor

            given = await answer_in_editor(app_of(self), question, option, _needs_reason(question, option), typed)
            if given is not None:
                self._answer(question, option, *given, propose)
            elif typed is not None:
                self.take(question, option, propose=propose)

        in_background(app_of(self), edit(), group="editing", exclusive=True)

    def _answer(self, question: EscalationRow, option: Json, values: Any, reason: str, propose: bool) -> None:
        work = answer_work(question, option["key"], values, reason, app_of(self).person, propose=propose)
        wished = " The next scope review looks at a rule for it." if propose else ""
        told = f"is answered: {one_line(option['label'], 60)}.{wished}"
        written = [f"{draft}:{question.id}:{option['key']}" for draft in ("answer", "reason")]
        written.append(draft_key(question, option))
        self.do(question, work, told, "waits again.", lambda: self.question_left(question), written=written)

    def do(
        self,
        question: EscalationRow,
        work: Any,
        done: str,
        undone: str,
        then: Callable[[], None] | None = None,
        *,
        written: Sequence[str] = (),
    ) -> None:
        """Write it, say so, and let `u` take it back. `done` and `undone` end a sentence about the question.

        `written` are the drafts that it is made of.
        """
        name = f"Question {question.id}"
        undo = Undo(f"{name} {undone}", work.back)
        self.write(question, work, f"{name} {done}  u undo", then, undo=undo, written=written)

    def write(
        self,
        question: EscalationRow,
        work: Any,
        done: str,
        then: Callable[[], None] | None = None,
        *,
        undo: Undo | None = None,
        written: Sequence[str] = (),
    ) -> None:
        """The drafts that it is made of are forgotten once it is on record, and copied where it never can be."""
        app = app_of(self)

        def on_record() -> None:
            for draft in written:
                app.drafts.pop(draft, None)
            if then is not None:
                then()

        async def refused() -> None:
            from tui.clipboard import copy_text
            from tui.questions.overtaken import how_it_ended

            texts = [text for draft in written for text in app.drafts.get(draft, {}).values() if text.strip()]
            ended = await app.bridge.read(lambda reader, _, now: how_it_ended(reader, question.id, now))
            if ended and texts:
                copy_text(app, "\n".join(texts), "what you wrote")

        app.do(work, done, on_record, undo=undo, refused=refused, once=done)

    def ask(self, question: EscalationRow, dialog: Any, use: Callable[[Any], None]) -> None:
        """Show the dialog about the question; what it is closed with goes to `use`, unless it was left."""
        app = app_of(self)
        dialog.question = question.id

        def used(given: Any) -> None:
            if given is not None:
                # The key that closed the dialog counted for this question; held down, for no other.
                app.meant()
                use(given)

        app.push_screen(dialog, used)


def _needs_reason(question: EscalationRow, option: Json) -> bool:
    return option["key"] != question.recommended and not option.get("explains")


def option_of(question: EscalationRow, key: str) -> Json:
    """The option with this key; raises LookupError when the question does not offer it."""
    for option in question.options:
        if option["key"] == key:
            return option
    raise LookupError(f"question {question.id} does not offer {key!r}")


def app_of(node: Any) -> ApmApp:
    return cast("ApmApp", node.app)
