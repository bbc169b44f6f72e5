"""A JSON document to read: indented, keys apart from their values, bounded and sanitised."""

from __future__ import annotations

import json
import re
from typing import Any

from core.sanitise import sanitise
from tui.widgets.document import Paragraph

MOST_CHARACTERS = 200_000
"""Of a document that are shown; the whole of it is in the store."""
_KEY = re.compile(r'^(\s*)("(?:[^"\\]|\\.)*")(: ?)(.*)$')


def json_paragraphs(value: Any) -> list[Paragraph]:
    """A JSON document: keys apart from their values; what wraps is indented below its key."""
    shown = sanitise(json.dumps(value, indent=2, ensure_ascii=False), limit=MOST_CHARACTERS)
    return [_line(line) for line in shown.split("\n")]


def _line(line: str) -> Paragraph:
    lead = len(line) - len(line.lstrip(" "))
    match = _KEY.match(line)
    if match is None:
        return Paragraph(((line, "text"),), lead + 2)
    space, key, colon, value = match.groups()
    return Paragraph(((space, "text"), (key, "run"), (colon, "faint"), (value, "text")), lead + 2)
