"""What commands print: one JSON document, or text that holds nothing a terminal would obey.

Answers go to standard output; progress, notes and errors to standard error.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click

from core.sanitise import one_line, sanitise

GAP = "  "
LEAST_WIDTH = 16
"""A column that has to shrink keeps at least so many cells."""


_emitted: list[bool] = []


def emit_json(value: Any) -> None:
    """Print the command's JSON document. Beyond ASCII everything is escaped: no encoding breaks it, no terminal
    obeys it."""
    click.echo(json.dumps(value, indent=2, allow_nan=False))
    _emitted.append(True)


def has_emitted() -> bool:
    """Whether this command has printed its one document: what goes wrong afterwards must not print another."""
    return bool(_emitted)


def forget_emitted() -> None:
    _emitted.clear()


def say(text: str = "") -> None:
    """A line (or several) of the answer."""
    click.echo(sanitise(text))


def note(text: str) -> None:
    """A line beside the answer."""
    click.echo(sanitise(text), err=True)


def table(headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Rows under their headers. In a terminal the widest column gives way; in a pipe nothing is cut."""
    cells = [[one_line(_text(value), 10_000) for value in row] for row in rows]
    widths = [max(_width(row[n]) for row in [list(headers), *cells]) for n in range(len(headers))]
    if sys.stdout.isatty():
        _shrink(widths, shutil.get_terminal_size().columns)
    for row in [[h.upper() for h in headers], *cells]:
        say(GAP.join(_fitted(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip())


def facts(pairs: Iterable[tuple[str, Any]]) -> None:
    """Names with their values beside them; a value of several lines goes on below itself, an empty one is left out."""
    shown = [(name, sanitise(_text(value)).rstrip()) for name, value in pairs if value not in (None, "", [], ())]
    width = max((_width(name) for name, _ in shown), default=0)
    for name, text in shown:
        for n, line in enumerate(text.splitlines() or [""]):
            say(f"{_fitted(name if n == 0 else '', width)}{GAP}{line}".rstrip())


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_text(v) for v in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _width(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)


def _fitted(text: str, width: int) -> str:
    from rich.cells import set_cell_size

    if _width(text) > width:
        return set_cell_size(text, width - 1) + "…"
    return set_cell_size(text, width)


def _shrink(widths: list[int], available: int) -> None:
    """Take from the widest column until the row fits or no column can give any more."""
    while sum(widths) + len(GAP) * (len(widths) - 1) > available:
        widest = max(range(len(widths)), key=widths.__getitem__)
        if widths[widest] <= LEAST_WIDTH:
            return
        widths[widest] -= 1
