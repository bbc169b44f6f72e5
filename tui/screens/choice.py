"""Small choices: one of a few, or yes and no."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import Widget

from tui.actions import bindings
from tui.screens.dialog import Dialog
from tui.widgets.cards import Card, Cards
from tui.widgets.document import Document, Paragraph

Choice = Card


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
        if number <= len(self.choices):
            self.dismiss(self.choices[number - 1].key)

    @on(Cards.Taken)
    def _taken(self, message: Cards.Taken) -> None:
        self.dismiss(message.card.key)


class ConfirmDialog(Dialog[bool]):
    """Yes and no, each with its key; leaving it is no."""

    PLACES: ClassVar[tuple[str, ...]] = ("confirm",)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("confirm")]

    def __init__(self, title: str, text: str, yes: str, no: str) -> None:
        super().__init__()
        self.title_text, self._text = title, text
        self._cards = (Card("no", f"{no}  (n)"), Card("yes", f"{yes}  (y)"))

    def body(self) -> Iterable[Widget]:
        yield Document(focusable=False, widget_id="text")
        yield Cards(widget_id="cards")

    def on_mount(self) -> None:
        self.query_one(Document).show([Paragraph(((self._text, "text"),)), Paragraph(())])
        self.query_one(Cards).show(self._cards)

    @on(Cards.Taken)
    def _taken(self, message: Cards.Taken) -> None:
        self.dismiss(message.card.key == "yes")

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)
