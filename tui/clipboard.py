"""Copying what is under the hands: to the terminal's clipboard, and to a file, which works everywhere.

The terminal's clipboard is reached by an escape sequence (OSC 52) that some terminals refuse and most bound in length;
whether it arrived cannot be known. The file gets everything.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.sanitise import one_line
from tui.text.words import plural
from tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from tui.app import ApmApp

FILE_NAME = "copied.txt"
MOST_OSC_BYTES = 74_994
"""Of a text, in UTF-8: in base 64 that is 99,992 characters, within the 100,000 that many terminals take."""

Copied = tuple[str, str]
"""A text, and what it is: `question 12`."""


def copy_here(app: ApmApp) -> None:
    """Copy what is selected with the mouse, else what the nearest widget around the focus or the screen offers."""
    found = copied_around(app)
    if found is None:
        app.tell("There is nothing here to copy.")
    else:
        copy_text(app, *found)


def copied_around(app: ApmApp) -> Copied | None:
    """The text that `y` copies, and what it is."""
    selected = app.screen.get_selected_text()
    if selected:
        return selected, "what is selected"
    return next((found for node in _around(app) if (found := _offered(node)) is not None), None)


def copy_text(app: ApmApp, text: str, what: str) -> None:
    """Copy a text, and say how much of what was copied, and where it is."""
    fits = len(text.encode()) <= MOST_OSC_BYTES
    if fits:
        app.copy_to_clipboard(text)
    much = plural(len(text), "character")
    file = app.workspace.state / FILE_NAME
    try:
        keep(file, text)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        taken = f"copied {much} of {what}; " if fits else ""
        app.complain(f"{taken}state/{FILE_NAME} cannot be written: {reason}.")
        return
    if fits:
        app.tell(f"copied {much} of {one_line(what, 80)}; also in state/{FILE_NAME}")
    else:
        app.tell(f"{much} of {one_line(what, 80)} are in state/{FILE_NAME}; too many for the terminal's clipboard")


def keep(file: Path, text: str) -> None:
    """Put the text in the file's place, for its owner's eyes only, whole or not at all. Raises OSError."""
    draft = file.with_name(f".{file.name}.{os.getpid()}.new")
    draft.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(text.encode("utf-8", "replace"))
        draft.replace(file)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def _around(app: ApmApp) -> Iterator[Any]:
    node: Any = app.focused or app.screen
    while node is not None:
        yield node
        node = node.parent


def _offered(node: Any) -> Copied | None:
    offer = getattr(node, "copied", None)
    if offer is not None:
        found: Copied | None = offer()
        return found
    return _row(node) if isinstance(node, RowList) else None


def _row(rows: RowList[Any]) -> Copied | None:
    """The row under the cursor, as its filter reads it."""
    row = rows.row
    if row is None:
        return None
    words = " ".join(rows.text_of(row).split())
    return words, f"a row of {str(getattr(rows, 'TITLE', '') or 'the list').lower()}"
