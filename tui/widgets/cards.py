"""Answers to choose from: each a number, a label and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.actions import bindings
from tui.text.words import Line
from tui.widgets.painted import Painted, wrap


@dataclass(frozen=True, slots=True)
class Card:
    """One answer. `badge` stands behind the label, `note` (its consequence) below it.

    `number` is the digit that takes it, where that is not its place in the list.
    """

    key: str
    label: str
    note: str = ""
    badge: str = ""
    number: int | None = None


class Cards(Painted, ScrollView, can_focus=True):
    """A short list of cards; the cursor is on the recommended one at first."""

    PLACES: ClassVar[tuple[str, ...]] = ("options",)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("options")]

    class Taken(Message):
        """A card was chosen."""

        def __init__(self, card: Card) -> None:
            self.card = card
            super().__init__()

    def __init__(self, *, widget_id: str | None = None) -> None:
        super().__init__(id=widget_id)
        self.cards: tuple[Card, ...] = ()
        self.cursor = 0
        self._lines: list[tuple[int, Line]] = []

    def show(self, cards: Sequence[Card], cursor: int = 0) -> None:
        self.cards, self.cursor = tuple(cards), cursor
        self._lay_out()
        self.refresh(layout=True)

    def number_at(self, n: int) -> int:
        """The digit that takes the card at this place."""
        return self.cards[n].number or n + 1

    def at_number(self, number: int) -> Card | None:
        """The card that this digit takes."""
        return next((card for n, card in enumerate(self.cards) if self.number_at(n) == number), None)

    def copied(self) -> tuple[str, str] | None:
        """The card under the cursor with its note, and what it is."""
        if not self.cards:
            return None
        card = self.cards[self.cursor]
        return "\n".join(part for part in (card.label, card.note) if part), f"answer {self.number_at(self.cursor)}"

    def _lay_out(self) -> None:
        """For the width there is; without one yet, wrapping would ask for a scroll bar that nobody needs.

        Whether there is a bar is said here: it takes a cell from every line, and lines that fit without it may not fit
        beside it, so that the layout would keep whichever it came to first.
        """
        width, height = self.size
        self._lines = self._lines_at(width) if width else []
        has_bar = len(self._lines) > height
        if has_bar:
            width -= self.styles.scrollbar_size_vertical
            self._lines = self._lines_at(width)
        self.show_vertical_scrollbar = has_bar
        self.virtual_size = Size(width, len(self._lines))

    def _lines_at(self, width: int) -> list[tuple[int, Line]]:
        """Every line with the number of its card. Wide enough, a note stands beside its label, else below it."""
        made: list[tuple[int, Line]] = []
        for n, card in enumerate(self.cards):
            label = ((f" {self.number_at(n)} ", "accent"), (card.label, "strong"))
            badge: Line = (("  ", "text"), (f"{card.badge}", "good")) if card.badge else ()
            made += [(n, line) for line in wrap((*label, *badge), width - 1, indent=3)]
            if card.note:
                note: Line = (("   ", "text"), (card.note, "dim"))
                made += [(n, line) for line in wrap(note, width - 1, indent=3)]
        return made

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines_at(width))

    def get_content_width(self, container: Size, viewport: Size) -> int:
        longest = max((max(cell_len(c.label + c.badge) + 8, cell_len(c.note) + 6) for c in self.cards), default=20)
        return min(longest, container.width)

    def on_resize(self) -> None:
        self._lay_out()
        self._keep_in_sight()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        n = self.scroll_offset.y + y
        base = self.base
        if not 0 <= n < len(self._lines):
            return Strip.blank(width, base)
        card, line = self._lines[n]
        if card == self.cursor:
            name = "cursor" if self.has_focus else "cursor-blurred"
            base += self.tone(name)
        edge = "▌" if card == self.cursor and self.has_focus else " "
        return self.strip(((edge, "accent"), *line), width, base)

    def action_down(self, step: int) -> None:
        self.cursor = max(0, min(self.cursor + step, len(self.cards) - 1))
        self._keep_in_sight()
        self.refresh()

    def action_take(self) -> None:
        if self.cards:
            self.post_message(self.Taken(self.cards[self.cursor]))

    def _keep_in_sight(self) -> None:
        lines = [n for n, (card, _) in enumerate(self._lines) if card == self.cursor]
        if not lines:
            return
        top, height = self.scroll_offset.y, self.size.height
        if lines[0] < top:
            self.scroll_to(y=lines[0], animate=False, force=True)
        elif lines[-1] >= top + height:
            self.scroll_to(y=lines[-1] - height + 1, animate=False, force=True)

    def on_click(self, event: events.Click) -> None:
        """A click shows which card is meant; a double click takes it."""
        inside = event.get_content_offset(self)
        n = self.scroll_offset.y + inside.y if inside is not None else -1
        if 0 <= n < len(self._lines):
            self.cursor = self._lines[n][0]
            self.refresh()
            if event.chain > 1:
                self.action_take()
