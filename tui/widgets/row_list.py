"""A list of any length on the Line API: only the rows in sight are formatted, and each once.

The cursor follows a row's key, not its number: when rows come and go around it, the row under the cursor stays
under it, on the same line of the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.cache import LRUCache
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.actions import bindings
from tui.widgets.painted import COMPONENTS, Painted, fit, plain, wrap
from tui.words import Line, Span

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Column:
    """A column: fixed `width` in cells, or None to share what is left. Ranks above 0 go first when space is short."""

    title: str
    width: int | None = None
    right: bool = False
    rank: int = 0
    least: int = 12
    """A flexible column's least width; below it the column of the highest rank is left out."""


def widths(columns: Sequence[Column], total: int, gap: int = 1) -> tuple[int, ...]:
    """The width of each column, 0 for those left out. Their sum with the gaps never exceeds `total`."""
    shown = list(range(len(columns)))
    while True:
        fixed = sum(columns[n].width or 0 for n in shown) + gap * max(len(shown) - 1, 0)
        flexible = [n for n in shown if columns[n].width is None]
        room = total - fixed
        droppable = [n for n in shown if columns[n].rank]
        if room >= sum(columns[n].least for n in flexible) or not droppable:
            break
        shown.remove(max(droppable, key=lambda n: columns[n].rank))
    given = [0] * len(columns)
    for n in shown:
        given[n] = columns[n].width or 0
    for position, n in enumerate(flexible):
        share, extra = divmod(max(room, 0), len(flexible))
        given[n] = share + (1 if position < extra else 0)
    return tuple(given)


class RowList(Painted, ScrollView, Generic[R], can_focus=True):
    """Rows of `cells(row)`, one line each, known by `key(row)`."""

    PLACES: ClassVar[tuple[str, ...]] = ("list",)
    FILTER_HINT: ClassVar[str] = "words to find, !words to leave out"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("list")]
    COMPONENT_CLASSES: ClassVar[set[str]] = set(COMPONENTS)
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

    class FilterAsked(Message):
        """`/` was pressed in this list."""

        def __init__(self, rows: RowList[Any]) -> None:
            self.rows = rows
            super().__init__()

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
        self.filter_text = ""
        self.is_loaded = False
        self._all: Sequence[R] = ()
        self._rows: Sequence[R] = ()
        self._cursor = 0
        self._strips: LRUCache[tuple[Any, ...], Strip] = LRUCache(1024)

    @property
    def rows(self) -> Sequence[R]:
        """The rows that the filter lets through."""
        return self._rows

    @property
    def total(self) -> int:
        return len(self._all)

    @property
    def cursor(self) -> int:
        return self._cursor

    @property
    def row(self) -> R | None:
        """The row under the cursor."""
        return self._rows[self._cursor] if 0 <= self._cursor < len(self._rows) else None

    def set_rows(self, rows: Sequence[R]) -> None:
        """New contents. The cursor stays on its row, and that row on its line of the screen."""
        before = self._key_of(self.row)
        self.is_loaded, self._all = True, rows
        self._take(before)

    def set_filter(self, text: str) -> None:
        """Show only rows that hold every word of `text` (any case); a word after `!` must be absent."""
        before = self._key_of(self.row)
        self.filter_text = text
        self._take(before)

    @property
    def filter_note(self) -> str:
        """What the filter is and how much it lets through."""
        return f"/{self.filter_text}: {len(self.rows)} of {self.total}"

    def redraw(self) -> None:
        """Format every row anew: the words depend on something beside the rows, such as the time."""
        self._strips.clear()
        self.refresh()

    def go_to(self, key: Hashable) -> bool:
        """Put the cursor on the row with this key; whether there is one."""
        for n, row in enumerate(self._rows):
            if self.row_key(row) == key:
                self._move(n)
                return True
        return False

    def _key_of(self, row: R | None) -> Hashable:
        return None if row is None else self.row_key(row)

    def _take(self, before: Hashable) -> None:
        line = self._cursor - self.scroll_offset.y
        self._rows = self._matching()
        keys = {self.row_key(row): n for n, row in enumerate(self._rows)} if before is not None else {}
        self._cursor = keys.get(before, min(self._cursor, max(len(self._rows) - 1, 0)))
        self._strips.clear()
        self._set_virtual_size()
        if self._cursor:
            self.scroll_to(y=max(self._cursor - line, 0), animate=False, force=True)
        self._keep_in_sight()
        self.refresh()
        if self._key_of(self.row) != before:
            self._announce()

    def _matching(self) -> Sequence[R]:
        words = self.filter_text.casefold().split()
        if not words:
            return self._all
        wanted = [w for w in words if not w.startswith("!")]
        refused = [w[1:] for w in words if w.startswith("!") and len(w) > 1]
        kept = []
        for row in self._all:
            text = self.text_of(row).casefold()
            if all(w in text for w in wanted) and not any(w in text for w in refused):
                kept.append(row)
        return kept

    def text_of(self, row: R) -> str:
        """What a filter looks at."""
        return " ".join(plain(cell) for cell in self.row_cells(row))

    # Drawing

    @property
    def _top(self) -> int:
        return 1 if self.heading and self._rows else 0

    @property
    def _page(self) -> int:
        return max(self.scrollable_content_region.height - self._top, 1)

    def _set_virtual_size(self) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._rows) + self._top)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips.clear()

    def on_resize(self) -> None:
        self._strips.clear()
        self._set_virtual_size()
        self._keep_in_sight()

    def on_focus(self) -> None:
        self._draw_row(self._cursor)

    def on_blur(self) -> None:
        self._draw_row(self._cursor)

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        base = self.rich_style
        if not self._rows:
            return self._empty_line(y, width, base)
        if self._top and y == 0:
            return self._cached(("heading", width), lambda: self._heading(width, base))
        n = self.scroll_offset.y + y - self._top
        if not 0 <= n < len(self._rows):
            return Strip.blank(width, base)
        at = (n == self._cursor) + (n == self._cursor and self.has_focus)
        return self._cached((n, width, at), lambda: self._row(n, width, base, at))

    def _cached(self, key: tuple[Any, ...], draw: Callable[[], Strip]) -> Strip:
        strip = self._strips.get(key)
        if strip is None:
            strip = self._strips[key] = draw()
        return strip

    def _row(self, n: int, width: int, base: Style, at: int) -> Strip:
        if at:
            base += self.get_component_rich_style("row--cursor" if at == 2 else "row--cursor-blurred", partial=True)
        return self.strip(self._join(self.row_cells(self._rows[n]), width, at), width, base)

    def _join(self, cells: Sequence[Line], width: int, at: int) -> Line:
        """One line of all the cells. The first column of the screen tells where the cursor is, without colour."""
        spans: list[Span] = [("▌" if at == 2 else " ", "accent")]
        given = widths(self.columns, width - 2, self.GAP)
        shown = [(cell, size, column) for cell, size, column in zip(cells, given, self.columns, strict=True) if size]
        for position, (cell, size, column) in enumerate(shown):
            spans += [(" " * self.GAP, "text")] if position else []
            spans += fit(cell, size, right=column.right)
        return tuple(spans)

    def _heading(self, width: int, base: Style) -> Strip:
        titles = [((column.title, "faint"),) for column in self.columns]
        base += self.get_component_rich_style("row--heading", partial=True)
        return self.strip(self._join(titles, width, 0), width, base)

    def _empty_line(self, y: int, width: int, base: Style) -> Strip:
        lines: list[Line]
        if not self.is_loaded:
            lines = []
        elif self.filter_text and self._all:
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
        to = max(0, min(to, len(self._rows) - 1))
        if to == self._cursor or not self._rows:
            return
        before, self._cursor = self._cursor, to
        self._draw_row(before)
        self._draw_row(to)
        self._keep_in_sight()
        self._announce()

    def _announce(self) -> None:
        self.post_message(self.Moved(self, self.row))

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
        self._move(0 if direction < 0 else len(self._rows) - 1)

    def action_open(self) -> None:
        if self.row is not None:
            self.post_message(self.Opened(self, self.row))

    def action_filter(self) -> None:
        self.post_message(self.FilterAsked(self))

    def action_sideways(self, direction: int) -> None:
        self.post_message(self.Sideways(direction))

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor; a click on the row under the cursor, in a focused list, opens it."""
        inside = event.get_content_offset(self)
        if inside is None or not self._rows:
            return
        n = self.scroll_offset.y + inside.y - self._top
        if inside.y < self._top or not 0 <= n < len(self._rows):
            return
        if n == self._cursor and event.chain > 1:
            self.action_open()
        else:
            self._move(n)
