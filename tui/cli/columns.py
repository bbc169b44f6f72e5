"""Tables on a terminal that is narrower than they are: nothing is cut, and words break only where a line is too short.

The column of prose takes the room that the others leave, or goes below its row. Where the others do not fit either,
those at the end of the row go below as well, each with its name; the first ones say which row it is and stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

GAP = "  "
INDENT = "    "
LEAST_PROSE = 24
"""Cells that prose needs to be read in a column; in fewer it is a tower of words."""
PROSE_WORDS = 4
"""A column with a text of so many words is prose."""
LONG_WORD = 32
"""A column with a longer word is dealt with like prose: a digest, a path, JSON."""
LEAST_TERMINAL = 20

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d(?:\.\d+)?Z")


def width(text: str) -> int:
    """Cells that the text takes in a terminal."""
    from rich.cells import cell_len

    return cell_len(text)


def padded(text: str, cells: int) -> str:
    return text + " " * (cells - width(text))


def lines(headers: Sequence[str], rows: Sequence[Sequence[str]], room: int | None = None) -> Iterator[str]:
    """The lines of a table, its headers first. Without `room` (in cells) each row is one line, however long."""
    if room is not None and _needs(_widths(headers, rows)) > room:
        rows = [[_to_the_minute(cell) for cell in row] for row in rows]
    widths = _widths(headers, rows)
    if room is None or _needs(widths) <= room:
        for row in (headers, *rows):
            yield _line(row, widths)
        return
    room = max(room, LEAST_TERMINAL)
    prose = _prose_column(rows)
    left = room - _needs([*(w for n, w in enumerate(widths) if n != prose), 0])
    if prose is not None and left >= max(LEAST_PROSE, width(headers[prose]), _longest_word(rows, prose)):
        widths[prose] = left
        yield _line(headers, widths)
        for row in rows:
            for n, part in enumerate(wrapped(row[prose], left) or [""]):
                yield _line([part if c == prose else cell if n == 0 else "" for c, cell in enumerate(row)], widths)
        return
    yield from _with_lines_below(headers, rows, widths, prose, room)


def wrapped(text: str, room: int) -> list[str]:
    """A text's lines of at most `room` cells. A word that is longer than a line is the only one that is broken."""
    from rich.cells import chop_cells

    found: list[str] = []
    for word in text.split():
        parts = chop_cells(word, room) if width(word) > room else [word]
        if found and width(found[-1]) + 1 + width(parts[0]) <= room:
            found[-1] += f" {parts.pop(0)}"
        found += parts
    return found


def _with_lines_below(
    headers: Sequence[str], rows: Sequence[Sequence[str]], widths: list[int], prose: int | None, room: int
) -> Iterator[str]:
    """As many of the first columns as fit in a row; under it the others by name, and the prose on lines of its own."""
    others = [n for n in range(len(headers)) if n != prose]
    kept = 1
    while kept < len(others) and _needs([widths[n] for n in others[: kept + 1]]) <= room:
        kept += 1
    above, below = others[:kept], others[kept:]
    for row in (headers, *rows):
        *parts, first = wrapped(row[above[0]], room) or [""]
        yield from parts
        yield _line([first, *(row[n] for n in above[1:])], [widths[n] for n in above])
        named = [] if row is headers else [f"{headers[n].lower()} {row[n]}".strip() for n in below if row[n]]
        said = "" if prose is None else row[prose]
        for text in (*_packed(named, room - len(INDENT)), *wrapped(said, room - len(INDENT))):
            yield f"{INDENT}{text}"


def _packed(texts: Sequence[str], room: int) -> list[str]:
    """The texts side by side on as few lines as hold them, each whole where it fits in a line."""
    found: list[str] = []
    for text in texts:
        if found and width(found[-1]) + len(GAP) + width(text) <= room:
            found[-1] += f"{GAP}{text}"
        else:
            found += [text] if width(text) <= room else wrapped(text, room)
    return found


def _prose_column(rows: Sequence[Sequence[str]]) -> int | None:
    """The widest column after the first that holds prose, or words too long for a column."""
    wide = [
        (max(width(row[n]) for row in rows), n)
        for n in range(1, len(rows[0]) if rows else 0)
        if any(len(row[n].split()) >= PROSE_WORDS for row in rows) or _longest_word(rows, n) > LONG_WORD
    ]
    return max(wide)[1] if wide else None


def _longest_word(rows: Sequence[Sequence[str]], column: int) -> int:
    return max((width(word) for row in rows for word in row[column].split()), default=0)


def _to_the_minute(cell: str) -> str:
    """A moment of the journal as people read it, in UTC as it was; any other text as it is."""
    found = _MOMENT.fullmatch(cell)
    return f"{found[1]} {found[2]}Z" if found else cell


def _widths(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(width(row[n]) for row in (headers, *rows)) for n in range(len(headers))]


def _needs(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return GAP.join(padded(cell, room) for cell, room in zip(cells, widths, strict=True)).rstrip()
