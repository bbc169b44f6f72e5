"""From rows of cells to the lines of a Markdown table."""

from __future__ import annotations

from collections.abc import Sequence

from rowdown.amounts import is_number
from rowdown.rows import Row

NARROWEST = 3


def render(rows: Sequence[Row]) -> str:
    """Draw the rows as a table, the first row as its header; ends with a line break."""
    cells = [[escape(cell) for cell in row] for row in rows]
    columns = list(zip(*cells, strict=True))
    widths = [max(NARROWEST, *(display_width(cell) for cell in column)) for column in columns]
    right = [is_numeric(column[1:]) for column in columns]
    lines = [_line(row, widths, right) for row in cells]
    lines.insert(1, _rule(widths, right))
    return "\n".join(lines) + "\n"


def escape(cell: str) -> str:
    """Keep a cell on one line and its pipes out of the table's own."""
    return cell.replace("|", r"\|").replace("\r\n", "<br>").replace("\n", "<br>")


def is_numeric(cells: Sequence[str]) -> bool:
    """Say whether a column holds numbers and nothing else; empty cells do not count."""
    filled = [cell for cell in cells if cell]
    return bool(filled) and all(is_number(cell) for cell in filled)


def display_width(text: str) -> int:
    """Count the columns that the text takes on a screen."""
    # TODO: wide characters take two columns; until they count as two, such tables look ragged.
    return len(text)


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = (
        cell.rjust(width) if to_right else cell.ljust(width)
        for cell, width, to_right in zip(cells, widths, right, strict=True)
    )
    return f"| {' | '.join(padded)} |"


def _rule(widths: Sequence[int], right: Sequence[bool]) -> str:
    dashes = (
        "-" * (width - 1) + ":" if to_right else "-" * width
        for width, to_right in zip(widths, right, strict=True)
    )
    return f"| {' | '.join(dashes)} |"
