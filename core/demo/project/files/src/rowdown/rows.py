"""From the text of a CSV file to rows of cells."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

Row = list[str]

DELIMITERS = (",", ";", "\t", "|")


class BadTable(ValueError):
    """The text is not a table; the message says what is wrong with it."""


def read_rows(text: str) -> list[Row]:
    """Read CSV text; the first row is the header, and every row is as long as it.

    Raises:
        BadTable: there is no header, a quote is never closed, or a row is longer than the header.
    """
    text = text.removeprefix("\ufeff")
    reader = csv.reader(io.StringIO(text), delimiter=find_delimiter(text), strict=True)
    try:
        rows = [[cell.strip() for cell in row] for row in reader if row]
    except csv.Error as error:
        raise BadTable(f"line {reader.line_num}: {error}") from error
    if not rows:
        raise BadTable("there is no header row")
    width = len(rows[0])
    for number, row in enumerate(rows[1:], start=1):
        if len(row) > width:
            raise BadTable(f"row {number} has {len(row)} cells, the header has {width}")
        row.extend([""] * (width - len(row)))
    return rows


def find_delimiter(text: str) -> str:
    """Tell the delimiter by the header: the candidate that occurs there most often."""
    header = text.partition("\n")[0]
    return max(DELIMITERS, key=header.count)


def pick_columns(rows: list[Row], names: Sequence[str]) -> list[Row]:
    """Keep the named columns, in the order of the names.

    Raises:
        BadTable: the header has no such column.
    """
    header = rows[0]
    for name in names:
        if name not in header:
            raise BadTable(f"no column {name!r}; there are {', '.join(header)}")
    places = [header.index(name) for name in names]
    return [[row[place] for place in places] for row in rows]
