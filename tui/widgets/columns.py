"""Columns of a list: their widths in the room there is, and cells laid out in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tui.text.words import Line, Span
from tui.widgets.painted import cells_of, fit


class Column(NamedTuple):
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


def laid_out(cells: Sequence[Line], columns: Sequence[Column], total: int, gap: int = 1) -> Line:
    """The cells beside each other, each in exactly the width of its column; fewer than that span the whole width."""
    if len(cells) != len(columns):
        return _spread(cells, total, gap)
    sized = zip(cells, widths(columns, total, gap), columns, strict=True)
    spans: list[Span] = []
    for cell, size, column in sized:
        if size:
            spans += [(" " * gap, "text")] if spans else []
            spans += fit(cell, size, right=column.right)
    return tuple(spans)


def _spread(cells: Sequence[Line], total: int, gap: int) -> Line:
    """A row that is not laid out in columns: its first cell in what the others, at the right edge, leave of it."""
    first, *others = cells
    after: list[Span] = [span for cell in others for span in ((" " * gap, "text"), *cell) if cell]
    return (*fit(first, max(total - cells_of(tuple(after)), 0)), *after)
