"""From the text of a CSV file to rows of cells."""

from __future__ import annotations

import csv
import io

Row = list[str]

DELIMITERS = (",", ";", "\t", "|")


class BadTable(ValueError):
    """The text is not a table; the message says what is wrong with it."""


def read_rows(text: str) -> list[Row]:
    """Read CSV text; the first row is the header, and every row is made as long as it.

    Raises:
        BadTable: there is no header, or a quote is never closed.
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
    return [[*row[:width], *[""] * (width - len(row))] for row in rows]


def find_delimiter(text: str) -> str:
    """Tell the delimiter by the header: the candidate that occurs there most often."""
    header = text.partition("\n")[0]
    return max(DELIMITERS, key=header.count)
