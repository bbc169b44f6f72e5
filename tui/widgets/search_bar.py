"""The line in which words are typed that are looked for in a text; the text follows each key."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import on
from textual.binding import BindingType
from textual.strip import Strip

from tui.actions import bindings
from tui.widgets.fields import Field

if TYPE_CHECKING:
    from textual.widget import Widget

    from tui.widgets.document import Document

LEAST_CELLS = 12
"""For the words, beside how many places there are."""


class SearchBar(Field):
    """Enter goes from place to place, escape back to the text; what was looked for last stands there in grey."""

    PLACES: ClassVar[tuple[str, ...]] = ("search",)
    PLACES_END = True
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("search")]

    def __init__(self, document: Document, back: Widget | None) -> None:
        """`back` has the focus again in the end."""
        super().__init__(placeholder=document.looked_for or "words to find")
        self._document, self._back = document, back
        self._before = document.looked_for

    @on(Field.Changed)
    def _look(self, event: Field.Changed) -> None:
        event.stop()
        self._document.look_for(event.value)
        self.refresh()

    def action_hit(self, direction: int) -> None:
        if not self.value and self._before:
            self.value = self._before
            self.cursor_position = len(self.value)
            return
        self._document.go_to_place(direction)
        self.refresh()

    async def action_drop(self) -> None:
        self._document.end_search(self.value or self._before)
        if self._back is not None:
            self._back.focus()
        await self.remove()

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        note = f"  {self._document.search_note}"
        left = self.content_size.width - cell_len(note)
        if y or not note.strip() or left < LEAST_CELLS:
            return strip
        return Strip.join([strip.crop(0, left), Strip([Segment(note, self.rich_style)])])
