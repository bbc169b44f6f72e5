"""What commands print: one JSON document, or text that holds nothing a terminal would obey.

Answers go to standard output; progress, notes and errors to standard error.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import click

from core.sanitise import one_line, sanitise
from tui.cli import columns

Row = TypeVar("Row")

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


def up_to(limit: int, found: Sequence[Row]) -> Sequence[Row]:
    """The rows that a list shows, of one more than that if there are more: then it says so beside them."""
    if len(found) > limit:
        note(f"There are more than {limit:,}; --limit N shows more of them.")
    return found[:limit]


def table(headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Rows under their headers. A terminal that is too narrow gets them in several lines each; nothing is cut."""
    cells = [[one_line(_text(value), 10_000) for value in row] for row in rows]
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in columns.lines([header.upper() for header in headers], cells, room):
        say(line)
    if room is not None and not cells:
        note("None.")


def facts(pairs: Iterable[tuple[str, Any]]) -> None:
    """Names with their values beside them; a value of several lines goes on below itself, an empty one is left out."""
    shown = [(name, sanitise(_text(value)).rstrip()) for name, value in pairs if value not in (None, "", [], ())]
    width = max((columns.width(name) for name, _ in shown), default=0)
    for name, text in shown:
        for n, line in enumerate(text.splitlines() or [""]):
            say(f"{columns.padded(name if n == 0 else '', width)}{columns.GAP}{line}".rstrip())


def outline(value: Any) -> list[str]:
    """Nested data as lines for a person: `name: value`, what a name holds indented below it, `- ` before each item."""
    if isinstance(value, Mapping):
        return [line for name, held in value.items() for line in _named(name, held)]
    if isinstance(value, list | tuple):
        return [f"{'  ' if n else '- '}{line}" for item in value for n, line in enumerate(outline(item))]
    return _text(value).splitlines()


def _named(name: str, held: Any) -> list[str]:
    lines = outline(held)
    if len(lines) == 1 and not isinstance(held, Mapping | list | tuple):
        return [f"{name}: {lines[0]}"]
    return [f"{name}:", *(f"  {line}" for line in lines)] if lines else []


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_text(v) for v in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
