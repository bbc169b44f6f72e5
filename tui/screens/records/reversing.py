"""Taking back what was decided or answered, where it is read: a decision in favour of another of its options or of
none, an answer so that the question waits again; each with a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from core.contract import ApmError
from core.governance import life, reversal
from core.sanitise import one_line
from core.store import reads_escalations
from core.store.rows import AnswerRow, DecisionRow, EscalationRow
from tui.screens.dialogs.choice import Choice, ChoiceDialog
from tui.screens.dialogs.reason import LineDialog
from tui.undoing import Undo, for_good
from tui.widgets.document import Paragraph

if TYPE_CHECKING:
    from core.store.reads import Connection
    from core.store.transaction import Transaction
    from tui.app import ApmApp

NONE = ""
"""In favour of none of the options."""
KEPT = "It stays on the record, and counts against its maker; what was done by it stays done."


async def take_back(app: ApmApp, number: int) -> None:
    """Ask in whose favour and why, then reverse the decision; or say why it cannot be reversed."""
    try:
        decision = await app.bridge.read(lambda reader, *_: reversal.reversible(reader, number))
    except ApmError as error:
        app.tell(str(error))
        return
    labels = {key: label for key, label in reversal.options(decision).items() if key != decision.choice}

    def ask(choice: str | None) -> None:
        if choice is not None:
            _ask_why(app, decision, choice or None, labels.get(choice, "none of its options"))

    if decision.reverses is not None:
        # A reversal gives way to what it took back.
        ask(NONE)
        return
    cards = [Choice(NONE, "None of its options", "it is asked anew when it comes up again"), *_cards(labels)]
    app.push_screen(ChoiceDialog(f"Take decision {number} back, in favour of what?", cards), ask)


def _cards(labels: dict[str, str]) -> list[Choice]:
    return [Choice(key, one_line(label, 120)) for key, label in labels.items()]


def _ask_why(app: ApmApp, decision: DecisionRow, choice: str | None, label: str) -> None:
    number, draft = decision.id, f"reverse:{decision.id}"

    def write(reason: str) -> None:
        made: list[int] = []

        def work(tx: Transaction) -> None:
            made.append(reversal.reverse(tx, number, by=app.person, reason=reason, choice=choice).decision)

        def back(tx: Transaction) -> None:
            reversal.reverse(tx, made[-1], by=app.person, reason=f"the reversal of decision {number} was a mistake")

        def then() -> None:
            app.drafts.pop(draft, None)

        done = f"Decision {number} is taken back."
        holds = Undo(f"Decision {number} holds again.", back) if decision.reverses is None else for_good(done)
        app.do(work, done, then, undo=holds)

    told = f"{one_line(decision.question, 300)}"
    was = f"{decision.choice or 'none of the options'}, by {one_line(decision.decided_by or decision.agent, 60)}"
    about = [
        Paragraph(((told, "text"),)),
        Paragraph((("it was  ", "dim"), (was, "text"))),
        Paragraph((("instead ", "dim"), (one_line(label, 120), "strong"))),
        Paragraph(((KEPT, "dim"),)),
    ]
    _with_reason(app, f"Take decision {number} back", about, draft, write)


async def take_answer_back(app: ApmApp, escalation: int, at: int) -> None:
    """Ask why, then take back the answer that was given at this moment; or say why it cannot be taken back."""

    def standing(reader: Connection) -> tuple[EscalationRow, AnswerRow]:
        row = life.answered(reader, escalation)
        *_, answer = (a for a in reads_escalations.answers(reader, escalation) if a.undone_at is None and not a.late)
        return row, answer

    try:
        row, answer = await app.bridge.read(lambda reader, *_: standing(reader))
    except ApmError as error:
        app.tell(str(error))
        return
    if answer.at != at:
        app.tell(f"Question {escalation} was answered anew since; that answer is taken back where it stands.")
        return
    _ask_why_not(app, row, answer)


def _ask_why_not(app: ApmApp, row: EscalationRow, answer: AnswerRow) -> None:
    draft = f"undo:{answer.id}"

    def write(reason: str) -> None:
        def work(tx: Transaction) -> None:
            life.undo(tx, row.id, by=app.person, reason=reason, answer=answer.id)

        def then() -> None:
            app.drafts.pop(draft, None)

        done = f"The answer to question {row.id} is taken back; it waits again."
        app.do(work, done, then, undo=for_good(done))

    label = next((str(o["label"]) for o in row.options if o["key"] == answer.option), answer.option)
    who = f", by {one_line(answer.by, 60)}"
    about = [
        Paragraph(((one_line(row.question, 300), "text"),)),
        Paragraph((("answered ", "dim"), (one_line(label, 120), "strong"), (who, "text"))),
        Paragraph((("It stays on the record. The question waits again, and what hung on the answer with it.", "dim"),)),
    ]
    _with_reason(app, f"Take the answer to #{row.id} back", about, draft, write)


def _with_reason(app: ApmApp, title: str, about: list[Paragraph], draft: str, write: Callable[[str], None]) -> None:
    dialog = LineDialog(
        title,
        about,
        "why? it goes on the record",
        needed="Say why it is taken back, or leave with esc.",
        draft_key=draft,
    )
    app.push_screen(dialog, lambda reason: None if reason is None else write(reason))
