"""Drawing by lines: spans of text with a tone become strips of an exact width in cells.

Nothing here parses markup, so text from an agent can hold any brackets; control characters are taken out where the
text enters (`core.sanitise`), before it becomes a span.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from weakref import WeakKeyDictionary

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.strip import Strip
from textual.widget import Widget

from tui.text.words import ASCII, Line, Span

if TYPE_CHECKING:
    from tui.app import ApmApp

    _Widget = Widget
else:
    _Widget = object


class Tone(NamedTuple):
    """A theme's variable for the letters, another for what is behind them."""

    letters: str = ""
    behind: str = ""
    bold: bool = False

    def style(self, variables: Mapping[str, str]) -> Style:
        return Style(
            color=_colour(variables.get(self.letters, "")),
            bgcolor=_colour(variables.get(self.behind, "")),
            bold=self.bold or None,
        )


def _colour(value: str) -> RichColor | None:
    if not value:
        return None
    parsed = Color.parse(value)
    return parsed.rich_color if parsed.a else None


_styles: WeakKeyDictionary[App[Any], tuple[Mapping[str, str], dict[str, Style]]] = WeakKeyDictionary()


def styles_of(app: App[Any]) -> dict[str, Style]:
    """Every tone in the theme. As component classes, each would be matched for each widget before the first frame."""
    known = _styles.get(app)
    if known is None or known[0] is not app.theme_variables:
        variables = app.theme_variables
        known = _styles[app] = variables, {name: tone.style(variables) for name, tone in TONES.items()}
    return known[1]


TONES: Mapping[str, Tone] = {
    "text": Tone("foreground"),
    "strong": Tone("foreground", bold=True),
    "dim": Tone("apm-dim"),
    "faint": Tone("apm-faint"),
    "accent": Tone("accent", bold=True),
    "run": Tone("accent"),
    "ask": Tone("warning"),
    "good": Tone("success"),
    "bad": Tone("error", bold=True),
    "loud": Tone("apm-loud", behind="warning", bold=True),
    "cursor": Tone(behind="apm-cursor"),
    "cursor-blurred": Tone(behind="apm-cursor-blurred"),
}
"""What each tone of a span is in a theme, and what lies behind the row under the cursor."""


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

    _base: Style | None = None

    @property
    def base(self) -> Style:
        """The style of the bare widget: `rich_style`, which asks every ancestor, until a style sheet is applied."""
        if self._base is None:
            self._base = self.rich_style
        return self._base

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._base = None

    def tone(self, name: str) -> Style:
        return styles_of(self.app)[name]

    def strip(self, line: Line, width: int, base: Style) -> Strip:
        """The line drawn on `base` in exactly `width` cells."""
        app = self.app
        tones, ascii_only = styles_of(app), getattr(app, "ascii_glyphs", False)
        segments = [
            Segment(text.translate(ASCII) if ascii_only else text, base + tones[tone])
            for text, tone in fit(line, width)
            if text
        ]
        return Strip(segments, max(width, 0))


class PaintedLine(Painted, Widget):
    """One line of the screen: something at the left, something at the right; the right side gives way last."""

    def halves(self, width: int) -> tuple[Line, Line]:
        """What stands left and right at this width."""
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        base = self.base
        if y:
            return Strip.blank(width, base)
        left, right = self.halves(width)
        size = min(cells_of(right), width)
        return self.strip((*fit(left, width - size), *fit(right, size)), width, base)
