"""Small choices: one of a few, or yes and no."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget

from tui.actions import bindings
from tui.screens.dialogs.dialog import Dialog
from tui.widgets.cards import Card, Cards
from tui.widgets.document import BLANK, Document, Paragraph

Choice = Card
_STEPS = {"confirm.up": -1, "confirm.down": 1}
"""Which way these scroll."""


class ChoiceDialog(Dialog[str]):
    """Its answer is the key of the card that was taken."""

    PLACES: ClassVar[tuple[str, ...]] = ("choice",)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("choice")]

    def __init__(self, title: str, choices: Sequence[Card]) -> None:
        super().__init__()
        self.title_text, self.choices = title, tuple(choices)

    def body(self) -> Iterable[Widget]:
        yield Cards(widget_id="cards")

    def on_mount(self) -> None:
        self.query_one(Cards).show(self.choices)

    def action_pick(self, number: int) -> None:
        card = self.query_one(Cards).at_number(number)
        if card is not None:
            self.dismiss(card.key)

    @on(Cards.Taken)
    def _taken(self, message: Cards.Taken) -> None:
        self.dismiss(message.card.key)


class ConfirmDialog(Dialog[bool]):
    """Yes and no, each with its key and its number; leaving it is no, and a yes before it is drawn is none."""

    PLACES: ClassVar[tuple[str, ...]] = ("confirm",)
    CSS_PATH = "../../styles/confirm.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("confirm"), *bindings("choice")]
    TEXT_ID = "text"

    def __init__(self, title: str, text: str | Sequence[Paragraph], yes: str, no: str) -> None:
        super().__init__()
        self.title_text = title
        self._text = (Paragraph(((text, "text"),)),) if isinstance(text, str) else tuple(text)
        self._cards = (Card("no", f"{no}  (n)"), Card("yes", f"{yes}  (y)"))
        self._is_drawn = False

    def body(self) -> Iterable[Widget]:
        yield Document(focusable=False, widget_id=self.TEXT_ID)
        yield Cards(widget_id="cards")

    def on_mount(self) -> None:
        self.query_one(Document).show([*self._text, BLANK])
        self.query_one(Cards).show(self._cards)
        self.query_one(Cards).focus()
        self.call_after_refresh(self._arm)

    def _arm(self) -> None:
        self._is_drawn = True
        self._note_rest()

    @on(Document.Fitted)
    def _fitted(self) -> None:
        self.call_after_refresh(self._note_rest)

    def _note_rest(self) -> None:
        """Nothing of what is to be confirmed stays beyond an edge unnoticed."""
        if self.is_current:
            rest = " and ".join(where for where, step in (("above", -1), ("below", 1)) if self._is_more(step))
            self.query_one("#box").border_subtitle = Content(f"more {rest}" if rest else "")
            self.apm.show_keys()

    def _is_more(self, step: int) -> bool:
        """Whether there are lines that way. The last one is blank and does not count."""
        document = self.query_one(Document)
        at, last = document.scroll_offset.y, document.max_scroll_y
        return at > 0 if step < 0 else at < last - 1

    def applies(self, action_id: str) -> bool | str:
        """Whether there is something to scroll to; else why not."""
        step = _STEPS.get(action_id)
        return step is None or self._is_more(step) or "all of it can be seen"

    def action_scroll_text(self, step: int) -> None:
        self.query_one(Document).action_half(step)
        self.call_after_refresh(self._note_rest)

    @on(Cards.Taken)
    def _taken(self, message: Cards.Taken) -> None:
        self.action_answer(message.card.key == "yes")

    def action_answer(self, yes: bool) -> None:
        if self._is_drawn or not yes:
            self.dismiss(yes)

    def action_pick(self, number: int) -> None:
        if number <= len(self._cards):
            self.action_answer(self._cards[number - 1].key == "yes")
