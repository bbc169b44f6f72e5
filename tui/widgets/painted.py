"""Drawing by lines: spans of text with a tone become strips of an exact width in cells.

Nothing here parses markup, so text from an agent can hold any brackets; control characters are taken out where the
text enters (`core.sanitise`), before it becomes a span.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, cast

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from tui.words import ASCII, TONES, Line, Span

if TYPE_CHECKING:
    from tui.app import ApmApp

    _Widget = Widget
else:
    _Widget = object

COMPONENTS = frozenset({f"tone--{tone}" for tone in TONES} | {"row--cursor", "row--cursor-blurred", "row--heading"})
"""What a widget that draws this way names as its COMPONENT_CLASSES; styles/app.tcss colours them."""


def cells_of(line: Line) -> int:
    return sum(cell_len(text) for text, _ in line)


def plain(line: Line) -> str:
    return "".join(text for text, _ in line)


def fit(line: Line, width: int, *, right: bool = False) -> Line:
    """The line in exactly `width` cells: padded, or cut with an ellipsis. Wide characters are never halved."""
    if width <= 0:
        return ()
    room = width - cells_of(line)
    if room >= 0:
        pad: Line = ((" " * room, "text"),) if room else ()
        return (*pad, *line) if right else (*line, *pad)
    kept: list[Span] = []
    left = width - 1
    for text, tone in line:
        size = cell_len(text)
        if size <= left:
            kept.append((text, tone))
            left -= size
            continue
        cut = set_cell_size(text, left) if left else ""
        kept.append((cut.rstrip() + "…" + " " * (len(cut) - len(cut.rstrip())), tone))
        break
    else:
        kept.append(("…", "faint"))
    return tuple(kept)


def wrap(line: Line, width: int, *, indent: int = 0) -> list[Line]:
    """The line broken at spaces into lines of at most `width` cells; those after the first are indented."""
    width = max(width, 4)
    indent = min(indent, width // 2)
    lines: list[Line] = []
    current: list[Span] = []
    used = 0
    for word, tone in _words(line):
        size = cell_len(word)
        if used + size > width and word.strip() and used > (indent if lines else 0):
            lines.append(tuple(current))
            current, used = ([(" " * indent, "text")] if indent else []), indent
        if not word.strip() and used == (indent if lines else 0) and lines:
            continue
        room = width - used
        pieces = [word] if size <= room else _chopped(word, room, width - indent)
        for n, piece in enumerate(pieces):
            if n:
                lines.append(tuple(current))
                current, used = ([(" " * indent, "text")] if indent else []), indent
            current.append((piece, tone))
            used += cell_len(piece)
    lines.append(tuple(current))
    return lines


def _words(line: Line) -> Iterable[Span]:
    for text, tone in line:
        start = 0
        while start < len(text):
            blank = text[start] == " "
            end = start
            while end < len(text) and (text[end] == " ") == blank:
                end += 1
            yield text[start:end], tone
            start = end


def _chopped(word: str, first: int, rest: int) -> list[str]:
    """A word too long for a line, in pieces: the first as wide as the room left, the others as wide as a line."""
    if not word.strip():
        return [word[: max(first, 0)]]
    head = chop_cells(word, max(first, 2))[0]
    tail = word[len(head) :]
    return [head, *(chop_cells(tail, max(rest, 2)) if tail else ())]


class Painted(_Widget):
    """Mixin of widgets that draw lines of toned spans. No widget itself: style sheets follow the first widget base."""

    @property
    def apm(self) -> ApmApp:
        return cast("ApmApp", self.app)

    def tone(self, name: str) -> Style:
        return self.get_component_rich_style(f"tone--{name}", partial=True)

    def strip(self, line: Line, width: int, base: Style) -> Strip:
        """The line drawn on `base` in exactly `width` cells."""
        ascii_only = getattr(self.app, "ascii_glyphs", False)
        segments = [
            Segment(text.translate(ASCII) if ascii_only else text, base + self.tone(tone))
            for text, tone in fit(line, width)
            if text
        ]
        return Strip(segments, max(width, 0))


class PaintedLine(Painted, Widget):
    """One line of the screen: something at the left, something at the right; the right side gives way last."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(COMPONENTS)

    def halves(self, width: int) -> tuple[Line, Line]:
        """What stands left and right at this width."""
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        base = self.rich_style
        if y:
            return Strip.blank(width, base)
        left, right = self.halves(width)
        size = min(cells_of(right), width)
        return self.strip((*fit(left, width - size), *fit(right, size)), width, base)
