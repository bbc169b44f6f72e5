"""From rows of cells to the lines of a Markdown table."""

from __future__ import annotations

from collections.abc import Sequence

from rowdown.rows import Row

NARROWEST = 3


def render(rows: Sequence[Row]) -> str:
    """Draw the rows as a table, the first row as its header; ends with a line break."""
    cells = [[escape(cell) for cell in row] for row in rows]
    columns = list(zip(*cells, strict=True))
    widths = [max(NARROWEST, *(display_width(cell) for cell in column)) for column in columns]
    lines = [_line(row, widths) for row in cells]
    lines.insert(1, _line(["-" * width for width in widths], widths))
    return "\n".join(lines) + "\n"


def escape(cell: str) -> str:
    """Keep a cell on one line and its pipes out of the table's own."""
    return cell.replace("|", r"\|").replace("\r\n", "<br>").replace("\n", "<br>")


def display_width(text: str) -> int:
    """Count the columns that the text takes on a screen."""
    # TODO: wide characters take two columns; until they count as two, such tables look ragged.
    return len(text)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join(padded)} |"
