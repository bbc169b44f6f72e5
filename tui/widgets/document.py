"""A text to read: lines of toned spans, wrapped to the width, drawn only where they are in sight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from textual.binding import BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from tui.actions import bindings
from tui.text.words import Line
from tui.widgets.painted import Painted, cells_of, plain, wrap
from tui.widgets.row_list import RowList
from tui.widgets.searching import Search

TAIL_CELLS = 16


class Paragraph(NamedTuple):
    """A line of any length; what wraps is indented by `hang` cells.

    A `tail` stands behind the line in a column of its own, where there is room for one of `TAIL_CELLS`.
    """

    line: Line
    hang: int = 0
    tail: Line = ()

    def wrapped(self, width: int) -> list[Line]:
        column = cells_of(self.line)
        if not self.tail:
            return wrap(self.line, width, indent=self.hang)
        if width - column < TAIL_CELLS:
            below: Line = ((" " * self.hang, "text"), *self.tail)
            return [*wrap(self.line, width, indent=self.hang), *wrap(below, width, indent=self.hang)]
        first, *others = wrap(self.tail, width - column)
        pad: Line = ((" " * column, "text"),)
        return [(*self.line, *first), *((*pad, *line) for line in others)]


BLANK = Paragraph(())


def heading(title: str) -> Paragraph:
    return Paragraph(((title, "accent"),))


def text(value: str, tone: str = "text", *, indent: int = 0) -> list[Paragraph]:
    """Paragraphs of a text with line ends, which keeps its own indentation."""
    made = []
    for line in value.expandtabs(4).split("\n"):
        lead = indent + min(len(line) - len(line.lstrip(" ")), 40)
        made.append(Paragraph(((" " * lead, tone), (line.lstrip(" "), tone)), lead))
    return made


class Document(Painted, ScrollView, can_focus=True):
    """Scrollable paragraphs. Without `focusable` it leaves the focus to something beside it.

    The mouse selects what is drawn, line by line; `y` copies that, or the whole text as it was before wrapping.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("document",)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("document")]

    class Fitted(Message):
        """It has other room than before, and its lines are wrapped to it."""

    def __init__(self, *, focusable: bool = True, widget_id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=widget_id, classes=classes)
        self.can_focus = focusable
        self._paragraphs: Sequence[Paragraph] = ()
        self._lines: list[Line] = []
        self._wrapped_to = 0
        self._search: Search | None = None
        self.looked_for = ""
        """What was looked for last in this text."""

    @property
    def paragraphs(self) -> Sequence[Paragraph]:
        return self._paragraphs

    def show(self, paragraphs: Sequence[Paragraph], *, from_top: bool = False) -> None:
        """New contents; the place where one reads stays unless `from_top`."""
        if from_top:
            self.scroll_to(y=0, animate=False, force=True)
        if list(paragraphs) != list(self._paragraphs):
            self._paragraphs = tuple(paragraphs)
            self._rewrap()

    def copied(self) -> tuple[str, str] | None:
        """The whole text, and what it is."""
        if not self._paragraphs:
            return None
        title = str(getattr(self, "TITLE", "") or self.border_title or "")
        lines = (plain((*p.line, *p.tail)).rstrip() for p in self._paragraphs)
        return "\n".join(lines), title.lower() or "this text"

    def _rewrap(self) -> None:
        if self.is_attached and self.text_selection is not None:
            # It is bound to lines that are about to be others.
            self.screen.clear_selection()
        width = self.scrollable_content_region.width
        self._wrapped_to = width
        self._lines = [line for p in self._paragraphs for line in p.wrapped(width)] if width else []
        self.virtual_size = Size(width, len(self._lines))
        if self._search is not None:
            self._search.look(self._lines, self._search.words)
        if self.styles.height is not None and self.styles.height.is_auto:
            self.refresh(layout=True)
        self.refresh()

    def on_resize(self) -> None:
        if self.scrollable_content_region.width != self._wrapped_to:
            self._rewrap()
        self.post_message(self.Fitted())

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return sum(len(p.wrapped(width)) for p in self._paragraphs)

    def render_line(self, y: int) -> Strip:
        n = self.scroll_offset.y + y
        width = self.scrollable_content_region.width
        if not 0 <= n < len(self._lines):
            return Strip.blank(width, self.base)
        strip = self.strip(self._lines[n], width, self.base)
        if self._search is not None:
            strip = self._search.marked(strip, n)
        return self._selected(strip, n).apply_offsets(0, n)

    def _selected(self, strip: Strip, n: int) -> Strip:
        """The line with what is selected of it marked."""
        selection = self.text_selection
        span = selection.get_span(n) if selection is not None else None
        if span is None:
            return strip
        text = strip.text
        start, end = (cell_len(text[: at if at >= 0 else len(text)]) for at in span)
        style = self.screen.get_component_rich_style("screen--selection")
        marked = Segment.apply_style(strip.crop(start, end), None, style)
        return Strip.join([strip.crop(0, start), Strip(marked), strip.crop(end)])

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """What is selected, as it is drawn, and what ends it."""
        text = "\n".join(plain(line).rstrip() for line in self._lines)
        return (selection.extract(text), "\n") if text else None

    # Searching

    async def action_search(self) -> None:
        from tui.widgets.key_bar import KeyBar
        from tui.widgets.search_bar import SearchBar

        if self.screen.query(SearchBar):
            return
        self._search = Search()
        keys, bar = self.screen.query_one(KeyBar), SearchBar(self, self.screen.focused)
        assert isinstance(keys.parent, Widget)
        await keys.parent.mount(bar, before=keys)
        bar.focus()

    def look_for(self, words: str) -> None:
        """Mark the words, and bring the first place at or below the top of what is in sight into it."""
        if self._search is not None:
            self._search.look(self._lines, words)
            self._search.begin_at(self.scroll_offset.y)
            self._show_place()

    def go_to_place(self, direction: int) -> None:
        if self._search is not None:
            self._search.step(direction)
            self._show_place()

    def _show_place(self) -> None:
        assert self._search is not None
        if self._search.tops:
            top, page = self._search.tops[self._search.at], self.scrollable_content_region.height
            if not self.scroll_offset.y <= top < self.scroll_offset.y + page:
                self.scroll_to(y=max(top - page // 3, 0), animate=False, force=True)
        self.refresh()

    @property
    def search_note(self) -> str:
        """Which of how many places is looked at."""
        return self._search.note if self._search is not None else ""

    def end_search(self, words: str) -> None:
        """Nothing is marked any more; one reads on where the search led to."""
        self._search, self.looked_for = None, words
        self.refresh()

    def action_lines(self, step: int) -> None:
        self.scroll_to(y=self.scroll_offset.y + step, animate=False, force=True)

    def action_half(self, direction: int) -> None:
        self.action_lines(direction * max(self.size.height // 2, 1))

    def action_edge(self, direction: int) -> None:
        self.scroll_to(y=0 if direction < 0 else self.max_scroll_y, animate=False, force=True)

    def action_sideways(self, direction: int) -> None:
        self.post_message(RowList.Sideways(direction))
