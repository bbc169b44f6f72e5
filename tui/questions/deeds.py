"""What a person does to a question, wherever it is shown: the same keys, the same checks, one place.

Mixins of widgets and screens. The class that uses one says which question is in hand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from core.contract import UsageError
from core.sanitise import one_line
from core.store import states
from tui.background import in_background
from tui.questions.answering import NO_VALUES, Answering, app_of, option_of
from tui.questions.works import (
    Work,
    acknowledge_work,
    answer_work,
    ask_work,
    assign_work,
    escalate_work,
    merge_work,
    snooze_work,
)
from tui.undoing import Undo

if TYPE_CHECKING:
    from textual.dom import DOMNode

    from core.governance.asking import Said
    from core.store.rows import EscalationRow
    from tui.widgets.document import Paragraph

    _Node = DOMNode
else:
    _Node = object

__all__ = [
    "QuestionDeeds",
    "Work",
    "acknowledge_work",
    "answer_work",
    "ask_work",
    "assign_work",
    "escalate_work",
    "merge_work",
    "option_of",
    "snooze_work",
]

MOST_ALIKE = 50
"""Questions to merge into: so many are offered."""
OTHER_TIME = "other"


class QuestionDeeds(Answering):
    """Everything that is done to the question in hand besides reading it."""

    def action_acknowledge(self) -> None:
        question = self.question_for_key()
        if question is not None:
            work = acknowledge_work(question, app_of(self).person)
            self.do(question, work, "is seen: no reminders for 30 minutes.", "counts as not seen again.")

    def action_snooze(self) -> None:
        question = self.question_for_key()
        if question is None:
            return
        from tui.questions.snoozing import PRESETS
        from tui.screens.dialogs.choice import Choice, ChoiceDialog

        def snooze(picked: str) -> None:
            if picked == OTHER_TIME:
                self._ask_moment(question)
            else:
                self._snooze(question, PRESETS[int(picked)].until(app_of(self).now()))

        choices = [Choice(str(n), preset.name) for n, preset in enumerate(PRESETS)]
        choices.append(Choice(OTHER_TIME, "another time …"))
        self.ask(question, ChoiceDialog("Put it away for how long?", choices), snooze)

    def _ask_moment(self, question: EscalationRow) -> None:
        from tui.questions.snoozing import HINT, moment_of
        from tui.screens.dialogs.reason import LineDialog
        from tui.widgets.document import Paragraph

        def put_away(typed: str) -> None:
            self._snooze(question, moment_of(typed, app_of(self).now()))

        dialog = LineDialog(
            "Put it away until when?",
            [Paragraph(((HINT, "dim"),))],
            "a span of time, a time of day, or a date",
            needed="Say until when, or leave with esc.",
            check=lambda typed: moment_of(typed, app_of(self).now()),
        )
        self.ask(question, dialog, put_away)

    def _snooze(self, question: EscalationRow, until: int) -> None:
        from tui.questions.snoozing import told_away

        work = snooze_work(question, until, app_of(self).person)
        done = told_away(until, app_of(self).now(), question.due_at)
        self.do(question, work, done, "is back.", lambda: self.question_left(question))

    def action_assign(self) -> None:
        question = self.question_for_key()
        if question is not None:
            self._in_background(self._assign(question))

    async def _assign(self, question: EscalationRow) -> None:
        from core.governance.people import known_people
        from tui.screens.questions.hand_over import Handed, HandOverForm

        app, draft = app_of(self), f"assign:{question.id}"
        known = await app.bridge.read(lambda reader, _, __: known_people(reader))

        def handed(given: Handed) -> None:
            work = assign_work(question, given.to, given.note, app.person)
            told = f"is handed to {one_line(given.to, 60)}."
            before = f"is {question.assigned_to}'s again." if question.assigned_to else "is nobody's again."
            self.do(question, work, told, before, lambda: self.question_left(question), written=(draft,))

        others = [name for name in known if name != app.person]
        self.ask(question, HandOverForm(f"Hand over question {question.id}", others, draft), handed)

    def action_escalate(self) -> None:
        question = self.question_for_key()
        if question is None:
            return
        rank = states.URGENCIES.index(question.urgency)
        if rank == 0:
            app_of(self).tell(f"Question {question.id} is immediate already: hand it over, or answer it.")
            return
        from tui.screens.dialogs.reason import LineDialog
        from tui.widgets.document import Paragraph

        urgency, draft = states.URGENCIES[rank - 1].lower(), f"escalate:{question.id}"

        def press(reason: str) -> None:
            work = escalate_work(question, reason, app_of(self).person)
            self.do(question, work, f"is {urgency} now.", f"is {question.urgency.lower()} again.", written=(draft,))

        about = Paragraph(((one_line(question.question, 300), "text"),))
        said = "why, if you want to say; enter presses it"
        self.ask(question, LineDialog(f"Make it {urgency}", [about], said, draft_key=draft), press)

    def action_merge(self) -> None:
        question = self.question_for_key()
        if question is None:
            return
        self._in_background(self._pick_target(question))

    async def _pick_target(self, question: EscalationRow) -> None:
        from core.store import reads_escalations
        from tui.screens.dialogs.choice import Choice, ChoiceDialog

        asked = reads_escalations.Asked(kind=question.kind)
        found = await app_of(self).bridge.read(lambda reader, _, __: reads_escalations.page(reader, asked))
        alike = [row for row in found if row.id != question.id and _are_alike(question, row)][:MOST_ALIKE]
        if not alike:
            app_of(self).tell("No other open question takes the same answers, so there is none to merge it into.")
            return
        about = "what they have in common is one answer"
        choices = [Choice(str(row.id), _named(row), one_line(row.question, 120)) for row in alike]
        dialog = ChoiceDialog(f"Merge question {question.id} into which? ({about})", choices)
        self.ask(question, dialog, lambda key: self._merge(question, int(key)))

    def _merge(self, question: EscalationRow, into: int) -> None:
        work = merge_work([question.id], into, app_of(self).person)
        done = f"Merged into question {into}: {question.id}. One answer is the answer of both.  u undo"
        undo = Undo(f"Apart again: {question.id}.", work.back)
        app_of(self).do(work, done, lambda: self.question_left(question), undo=undo)

    def action_ask_back(self) -> None:
        question = self.question_for_key()
        if question is not None:
            self._in_background(self._ask_back(question))

    async def _ask_back(self, question: EscalationRow) -> None:
        """Ask; or reply, where a reply is awaited."""
        from core.governance import asking

        said = await app_of(self).bridge.read(lambda reader, _, __: asking.thread(reader, question))
        waiting = asking.open_ask(said)
        if waiting is None:
            self._show_ask(question)
        else:
            self._show_reply(question, waiting)

    def _show_ask(self, question: EscalationRow) -> None:
        from tui.screens.dialogs.reason import LineDialog

        draft = f"ask:{question.id}"

        def ask(text: str) -> None:
            work = ask_work(question, text, app_of(self).person)
            done, undone = "is asked back; it waits for the reply, and stays due.", "is not asked back any more."
            self.do(question, work, done, undone, lambda: self.question_left(question), written=(draft,))

        dialog = LineDialog(
            f"Ask back about question {question.id}",
            _asked_of(question),
            "what do you want to know before you answer?",
            needed="Say what you want to know, or leave with esc.",
            draft_key=draft,
        )
        self.ask(question, dialog, ask)

    def _show_reply(self, question: EscalationRow, waiting: Said) -> None:
        from tui.screens.dialogs.reason import LineDialog
        from tui.widgets.document import Paragraph

        app, draft = app_of(self), f"reply:{question.id}"

        def reply(text: str) -> None:
            def work(tx: Any) -> None:
                from core.governance import asking

                asking.reply(tx, question.id, text, by=app.person)

            done = f"Question {question.id} has its reply; it needs an answer again."
            self.write(question, work, done, written=(draft,))

        dialog = LineDialog(
            f"Reply to {one_line(waiting.by, 40)}",
            [Paragraph(((one_line(waiting.text, 1_000), "text"),))],
            "your reply; it goes on the record",
            needed="Write the reply, or leave with esc.",
            draft_key=draft,
        )
        self.ask(question, dialog, reply)

    def action_diff(self) -> None:
        question = self.question_shown()
        if question is None:
            return
        if question.work_item is None:
            app_of(self).tell("This question is about no single work item, so there is no diff.")
        else:
            app_of(self).open_diff(question.work_item)

    def action_work_item(self) -> None:
        question = self.question_shown()
        if question is None:
            return
        if question.work_item is None:
            app_of(self).tell("This question is about no single work item.")
        else:
            app_of(self).open_work_item(question.work_item)

    def copied(self) -> tuple[str, str] | None:
        """What `y` copies, and what it is."""
        question = self.question_shown()
        if question is None:
            return None
        from tui.screens.questions.question_text import plain_text

        return plain_text(question), f"question {question.id}"

    def question_shown(self) -> EscalationRow | None:
        """The question that the keys are about, whether or not it can be answered at this moment."""
        return self.question_in_hand()

    def applies(self, action_id: str) -> bool | str:
        """Whether an action makes sense here now; else why not."""
        place, _, name = action_id.partition(".")
        against = _AGAINST.get(name) if place in ("queue", "decision") else None
        if against is None and name not in _ALWAYS:
            return True
        question = self.question_shown()
        if question is None:
            return "there is no question here"
        closed = "" if name in _READS else _CLOSED.get(states.escalation_state(question, app_of(self).now()), "")
        return closed or (against(question) if against is not None else "") or True

    def _in_background(self, work: Any) -> None:
        in_background(app_of(self), work, group="dialogs")


def _named(question: EscalationRow) -> str:
    """Its number and what it is about: gates of several work items ask in the same words."""
    about = "" if question.work_item is None else f" for #{question.work_item} {question.phase or ''}"
    return f"question {question.id}{about}".rstrip()


_ALWAYS = frozenset({"ask", "ack", "snooze", "assign"})
"""Deeds that fit any question that waits."""
_READS = frozenset({"diff", "work"})
"""Deeds that only show something, whatever became of the question."""
_CLOSED = {"resolved": "it is answered already", "merged": "it was merged into another question"}


def _no_recommendation(question: EscalationRow) -> str:
    return "" if question.recommended is not None else "nothing is recommended: answer with a number"


def _no_values(question: EscalationRow) -> str:
    return "" if any(option.get("asks") for option in question.options) else NO_VALUES


_NO_WORK_ITEM = "it is about no single work item"
_AGAINST: dict[str, Callable[[EscalationRow], str]] = {
    "accept": _no_recommendation,
    "rule": lambda q: _no_recommendation(q) or ("" if q.kind == "decision" else "a rule is for decisions only"),
    "values": _no_values,
    "editor": _no_values,
    "other": lambda q: "" if len(q.options) > 1 else "there is no other answer",
    "escalate": lambda q: "it is immediate already" if q.urgency == states.URGENCIES[0] else "",
    "merge": lambda q: f"each {q.kind} is settled by itself" if q.kind in ("conflict", "scope") else "",
    "diff": lambda q: _NO_WORK_ITEM if q.work_item is None else "",
    "work": lambda q: _NO_WORK_ITEM if q.work_item is None else "",
}
"""What speaks against a deed, by the last part of its action's id; "" for nothing."""


def _are_alike(question: EscalationRow, target: EscalationRow) -> bool:
    from core.governance.life import check_alike

    try:
        check_alike(question, target)
    except UsageError:
        return False
    return True


def _asked_of(question: EscalationRow) -> list[Paragraph]:
    """Whom a question that is asked back reaches."""
    from tui.widgets.document import Paragraph

    reach = "Everybody here sees it; agents get it with the next request that it concerns."
    return [Paragraph(((one_line(question.question, 300), "text"),)), Paragraph(((reach, "dim"),))]
