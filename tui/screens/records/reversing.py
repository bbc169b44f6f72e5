"""Taking a decision back where it is read: in favour of another of its options or of none, with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.contract import ApmError
from core.governance import reversal
from core.sanitise import one_line
from core.store.rows import DecisionRow
from tui.screens.dialogs.choice import Choice, ChoiceDialog
from tui.screens.dialogs.reason import LineDialog
from tui.undoing import Undo, for_good
from tui.widgets.document import Paragraph

if TYPE_CHECKING:
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
    dialog = LineDialog(
        f"Take decision {number} back",
        about,
        "why? it goes on the record",
        needed="Say why it is taken back, or leave with esc.",
        draft_key=draft,
    )
    app.push_screen(dialog, lambda reason: None if reason is None else write(reason))
