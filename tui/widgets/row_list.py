"""A list of any length on the Line API: only the rows in sight are formatted, and each once.

The cursor follows a row's key, not its number: when rows come and go around it, the row under the cursor stays
under it, on the same line of the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from rich.style import Style
from textual import events, on
from textual.binding import BindingType
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from tui.actions import bindings
from tui.text.words import Line, Span
from tui.widgets.columns import Column, laid_out
from tui.widgets.filtering import filter_words, lets_through
from tui.widgets.following import follow
from tui.widgets.marks import MARK, Marking
from tui.widgets.painted import Painted, plain, styles_of, wrap

R = TypeVar("R")
NOT_READ: tuple[Line, ...] = ((("·", "faint"),),)
"""The line of a row that is still to be read."""


class RowList(Marking, Painted, ScrollView, Generic[R], can_focus=True):
    """Rows of `cells(row)`, one line each, known by `key(row)`. A row of fewer cells than columns spans them."""

    PLACES: ClassVar[tuple[str, ...]] = ("list",)
    FILTER_HINT: ClassVar[str] = "words to find, !words to leave out"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("list")]
    GAP = 1

    class _OfRow(Message):
        def __init__(self, rows: RowList[Any], row: Any) -> None:
            self.rows, self.row = rows, row
            super().__init__()

        @property
        def control(self) -> RowList[Any]:
            return self.rows

    class Opened(_OfRow):
        """The row under the cursor was entered (enter, or a double click)."""

    class Moved(_OfRow):
        """Another row is under the cursor."""

    class Reread(_OfRow):
        """The row under the cursor says something else than before."""

    class Marked(_OfRow):
        """Rows were marked or unmarked; `rows.marked` says which are now."""

    class FilterAsked(_OfRow):
        """`/` was pressed in this list."""

    class Sideways(Message):
        """The list was left to one side: -1 left, 1 right."""

        def __init__(self, direction: int) -> None:
            self.direction = direction
            super().__init__()

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        key: Callable[[R], Hashable],
        cells: Callable[[R], Sequence[Line]],
        empty: Sequence[Line] = (),
        heading: bool = True,
        widget_id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=widget_id, classes=classes)
        self.columns, self.row_key, self.row_cells = tuple(columns), key, cells
        self.empty, self.heading = tuple(empty), heading
        self.filter_text, self.is_loaded, self._cursor = "", False, 0
        self._all: Sequence[R] = ()
        self._rows: Sequence[R] = ()
        self._announced: tuple[Hashable, R | None] | None = None
        self._has_cursor_in_sight = True
        self._strips: LRUCache[tuple[Any, ...], Strip] = LRUCache(1024)
        self._drawn_with: tuple[Any, ...] = ()
        """What the strips were drawn with."""
        self._painted: dict[int, Strip] = {}
        """What stands on each line of the screen."""

    @property
    def rows(self) -> Sequence[R]:
        """The rows that the filter lets through."""
        return self._rows

    @property
    def total(self) -> int:
        """How many rows there are without a filter."""
        return len(self._all)

    @property
    def count(self) -> int:
        """How many rows the filter lets through."""
        return len(self._rows)

    def key_at(self, n: int) -> Hashable:
        return self.row_key(self._rows[n])

    def keys_of(self, rows: range) -> Iterable[Hashable]:
        return map(self.key_at, rows)

    def row_at(self, n: int) -> R | None:
        return self._rows[n]

    def number_of(self, key: Hashable) -> int | None:
        """Which row has this key."""
        return next((n for n in range(self.count) if self.key_at(n) == key), None)

    @property
    def cursor(self) -> int:
        return self._cursor

    @property
    def row(self) -> R | None:
        """The row under the cursor."""
        return self.row_at(self._cursor) if 0 <= self._cursor < self.count else None

    def set_rows(self, rows: Sequence[R]) -> None:
        """New contents. The cursor stays on its row, and that row on its line of the screen."""
        self.is_loaded, self._all = True, rows
        self._take()

    def set_filter(self, text: str) -> None:
        """Show only rows that hold every word of `text` (any case); a word after `!` must be absent."""
        self.filter_text = text
        self._take()

    @property
    def filter_note(self) -> str:
        """What the filter is and how much it lets through."""
        return f"/{self.filter_text}: {self.let_through}{self.marks_note}"

    @property
    def let_through(self) -> str:
        return f"{self.count} of {self.total}"

    def redraw(self) -> None:
        """Format the rows in sight anew, and paint those lines that look otherwise than before.

        Painting a line costs far more than formatting it, and little of what changes is in sight.
        """
        self._strips.clear()
        width = self.scrollable_content_region.width
        for y in range(self.scrollable_content_region.height):
            if self._painted.get(y) != self._line(y):
                self.refresh(Region(0, y, width, 1))
            else:
                self.line_drawn(y)

    def line_drawn(self, y: int) -> None:
        """What is known of the row on this line now stands on the screen."""

    def go_to(self, key: Hashable) -> bool:
        """Put the cursor on the row with this key; whether there is one."""
        n = self.number_of(key)
        if n is not None:
            self._move(n)
        return n is not None

    def _take(self) -> None:
        rows = self._matching()
        where = {self.row_key(row): n for n, row in enumerate(rows)} if self.count else {}
        held = self._held
        cursor, at = (follow(self.key_at, self.count, n, where.get) for n in (self._cursor, held))
        marks = self.kept_marks(frozenset(where), where.get) if self.mark_count else None
        self._rows = rows
        self._arrange(cursor, at - (held - self.scroll_offset.y))
        if marks is not None:
            self._set_marks(*marks)

    @property
    def _held(self) -> int:
        """The row that keeps its line of the screen: the one under the cursor; the top one, where that is not seen."""
        return self._cursor if self._has_cursor_in_sight else min(self.scroll_offset.y, max(self.count - 1, 0))

    def _arrange(self, cursor: int, top: int) -> None:
        """Other rows are in place: the cursor goes to that one of them, and the view begins with row `top`."""
        stays = self._has_cursor_in_sight
        self._cursor = cursor
        self._set_virtual_size()
        self.scroll_to(y=max(top, 0), animate=False, force=True)
        if stays:
            self._keep_in_sight()
        self._note_sight()
        self.redraw()
        self._announce()

    def _matching(self) -> Sequence[R]:
        words = filter_words(self.filter_text)
        return [row for row in self._all if lets_through(words, self.text_of(row))] if any(words) else self._all

    def text_of(self, row: R) -> str:
        """What a filter looks at."""
        return " ".join(plain(cell) for cell in self.row_cells(row))

    # Drawing

    @property
    def _top(self) -> int:
        return 1 if self.heading and self.count else 0

    @property
    def _page(self) -> int:
        return max(self.scrollable_content_region.height - self._top, 1)

    def _set_virtual_size(self) -> None:
        size, height = Size(self.scrollable_content_region.width, self.count + self._top), self.container_size.height
        if size.width == self.virtual_size.width and min(size.height, self.virtual_size.height) > height > 0:
            # The scroll bar stays, so that nothing on the screen has to be laid out anew.
            self.set_reactive(Widget.virtual_size, size)
            self._scroll_update(size)
        else:
            self.virtual_size = size

    def on_resize(self) -> None:
        self._strips.clear()
        stays = self._has_cursor_in_sight
        self._set_virtual_size()
        if stays:
            self._keep_in_sight()
        self._note_sight()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._note_sight()

    def _note_sight(self) -> None:
        """Other rows are in sight, or another number of them."""
        top = self.scroll_offset.y
        self._has_cursor_in_sight = top <= self._cursor < top + self._page

    @on(events.Focus)
    @on(events.Blur)
    def _draw_cursor(self) -> None:
        self._draw_row(self._cursor)

    def render_line(self, y: int) -> Strip:
        strip = self._painted[y] = self._line(y)
        self.line_drawn(y)
        return strip

    def _line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        base = self.base
        look = base, styles_of(self.app), getattr(self.app, "ascii_glyphs", False)
        if look != self._drawn_with:
            self._drawn_with = look
            self._strips.clear()
        if not self.count:
            return self._empty_line(y, width, base)
        if self._top and y == 0:
            return self._cached(("heading", width), lambda: self._heading(width, base))
        n = self.scroll_offset.y + y - self._top
        if not 0 <= n < self.count:
            return Strip.blank(width, base)
        at = (n == self._cursor) + (n == self._cursor and self.has_focus)
        is_marked = self.is_marked(n)
        return self._cached((n, width, at, is_marked), lambda: self._row(n, width, base, at, is_marked))

    def _cached(self, key: tuple[Any, ...], draw: Callable[[], Strip]) -> Strip:
        strip = self._strips.get(key)
        if strip is None:
            strip = self._strips[key] = draw()
        return strip

    def _row(self, n: int, width: int, base: Style, at: int, is_marked: bool) -> Strip:
        if at:
            base += self.tone("cursor" if at == 2 else "cursor-blurred")
        row = self.row_at(n)
        cells = NOT_READ if row is None else self.row_cells(row)
        return self.strip(self._join(cells, width, at, is_marked), width, base)

    @property
    def _lead(self) -> int:
        """Cells before the first column: where the cursor is and, in a list with marks, what is marked."""
        return 3 if self.MARKS else 1

    def _join(self, cells: Sequence[Line], width: int, at: int, is_marked: bool = False) -> Line:
        """One line of all the cells. The first cells of the line tell cursor and mark without colour."""
        spans: list[Span] = [("▌" if at == 2 else " ", "accent")]
        spans += [(MARK if is_marked else " ", "accent"), (" ", "text")] if self.MARKS else []
        return (*spans, *laid_out(cells, self.columns, width - 1 - self._lead, self.GAP))

    def _heading(self, width: int, base: Style) -> Strip:
        titles = [((column.title, "faint"),) for column in self.columns]
        return self.strip(self._join(titles, width, 0), width, base)

    def _empty_line(self, y: int, width: int, base: Style) -> Strip:
        lines: list[Line]
        if not self.is_loaded:
            lines = []
        elif self.filter_text and self.total:
            lines = [(("Nothing matches this filter.", "dim"),), (("esc", "accent"), (" drops it", "dim"))]
        else:
            lines = [piece for line in self.empty for piece in wrap(line, width - 4)]
        n = y - max((self.size.height - len(lines)) // 3, 0)
        if not 0 <= n < len(lines):
            return Strip.blank(width, base)
        indent = max((width - sum(len(text) for text, _ in lines[n])) // 2, 1)
        return self.strip(((" " * indent, "text"), *lines[n]), width, base)

    # Moving

    def _move(self, to: int) -> None:
        to = max(0, min(to, self.count - 1))
        if to == self._cursor or not self.count:
            return
        before, self._cursor = self._cursor, to
        self._draw_row(before)
        self._draw_row(to)
        self._keep_in_sight()
        self._note_sight()
        self._announce()
        self._reach(before)

    def _announce(self) -> None:
        """Say that another row is under the cursor, that the one there has been read, or that it has changed."""
        row, before = self.row, self._announced
        here = self._announced = (self.key_at(self._cursor) if self._cursor < self.count else None), row
        if before is None or before[0] != here[0] or (before[1] is None) != (row is None):
            self.post_message(self.Moved(self, row))
        elif before[1] != row:
            self.post_message(self.Reread(self, row))

    def marks_changed(self, rows: range | None = None) -> None:
        """Other rows are marked: some of these, or any."""
        top = self.scroll_offset.y
        for n in range(top, top + self._page):
            if rows is None or n in rows:
                self._draw_row(n)
        if (refresh_titles := getattr(self.screen, "refresh_titles", None)) is not None:
            refresh_titles()
        self.post_message(self.Marked(self, self.row))

    def _draw_row(self, n: int) -> None:
        self.refresh_line(n + self._top)

    def _keep_in_sight(self) -> None:
        top, page = self.scroll_offset.y, self._page
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False, force=True)
        elif self._cursor >= top + page:
            self.scroll_to(y=self._cursor - page + 1, animate=False, force=True)

    def action_down(self, step: int) -> None:
        self._move(self._cursor + step)

    def action_half(self, direction: int) -> None:
        self._move(self._cursor + direction * max(self._page // 2, 1))

    def action_page(self, direction: int) -> None:
        self._move(self._cursor + direction * self._page)

    def action_end(self, direction: int) -> None:
        self._move(0 if direction < 0 else self.count - 1)

    def action_open(self) -> None:
        if self.row is not None:
            self.post_message(self.Opened(self, self.row))

    def action_filter(self) -> None:
        self.post_message(self.FilterAsked(self, self.row))

    def action_sideways(self, direction: int) -> None:
        self.post_message(self.Sideways(direction))

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor, a second one opens; with ctrl, or on the marks' column, it marks."""
        inside = event.get_content_offset(self)
        if inside is None or not self.count:
            return
        n = self.scroll_offset.y + inside.y - self._top
        if inside.y < self._top or not 0 <= n < self.count:
            return
        if self.MARKS and (event.ctrl or inside.x < self._lead):
            self._move(n)
            self.toggle_mark(n)
        elif n == self._cursor and event.chain > 1:
            self.action_open()
        else:
            self._move(n)
