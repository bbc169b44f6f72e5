"""The line under the header of the screens of what is on record: what is shown, and what is new of it."""

from __future__ import annotations

from textual.reactive import reactive

from tui.text.words import Line
from tui.widgets.painted import PaintedLine, cells_of


class RecordLine(PaintedLine):
    """Two halves, as the screen says them; always there, so that a list below it never moves.

    The name of the screen is left out where there is no room for it.
    """

    left: reactive[Line] = reactive(())
    right: reactive[Line] = reactive(())

    def __init__(self, name: str) -> None:
        super().__init__()
        self._heading: Line = ((f" {name} ", "strong"),)

    def halves(self, width: int) -> tuple[Line, Line]:
        left: Line = ((" ", "text"), *self.left)
        right: Line = ((" ", "text"), *self.right, (" ", "text")) if self.right else ()
        room = width - cells_of(left) - cells_of(right)
        return (*self._heading, *left) if room >= cells_of(self._heading) else left, right
