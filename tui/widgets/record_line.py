"""The line under the header of the screens of what is on record: what is shown, and what is new of it."""

from __future__ import annotations

from textual.reactive import reactive

from tui.text.words import Line
from tui.widgets.painted import PaintedLine, cells_of


class RecordLine(PaintedLine):
    """Two halves, as the screen says them; always there, so that a list below it never moves.

    The name of the screen and the left half stay at every width; of the right half, which has a `short` form, as much
    as there is room for.
    """

    left: reactive[Line] = reactive(())
    right: reactive[Line] = reactive(())
    short: reactive[Line] = reactive(())

    def __init__(self, name: str) -> None:
        super().__init__()
        self._heading: Line = ((f" {name} ", "strong"), (" ", "text"))

    def halves(self, width: int) -> tuple[Line, Line]:
        left: Line = (*self._heading, *self.left)
        for wanted in (self.right, self.short):
            right: Line = ((" ", "text"), *wanted, (" ", "text")) if wanted else ()
            if cells_of(left) + cells_of(right) <= width:
                return left, right
        return left, ()
