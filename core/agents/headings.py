"""The headings of a Markdown or reStructuredText file, with the lines they take."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

MARKDOWN_SUFFIXES = (".md", ".markdown")
BULLET = re.compile(r"([-*+])([ \t]+)\S")
ANCHOR = re.compile(r"\s*(?:\.\. _.*:|<a (?:name|id)=.*)\s*$")
"""A link target: it belongs to the heading below it."""

_ATX = re.compile(r"(#{1,6})[ \t]+(.+?)[ \t]*#*\s*$")
_UNDERLINE_MARKDOWN = re.compile(r"(=|-)\1*\s*$")
_UNDERLINE_RST = re.compile(r"([=\-~^\"'`*+#.:_])\1{2,}\s*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


@dataclass(frozen=True, slots=True)
class Heading:
    """`at` is its first line, `end` the line after its last; `rank` its kind of marker: `##`, `under =`, `under ==`."""

    at: int
    end: int
    rank: str
    title: str


def is_rst(path: str) -> bool:
    """Whether a file is read as reStructuredText: everything that is not called Markdown."""
    return not path.lower().endswith(MARKDOWN_SUFFIXES)


def split_lines(text: str) -> list[str]:
    """Lines with their ends; only line feeds end a line, so joining gives the same text."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def find_headings(lines: Sequence[str], *, rst: bool) -> list[Heading]:
    """Headings outside code blocks and comments, of both forms: `## title`, and a title with a line below it."""
    found: list[Heading] = []
    underline = _UNDERLINE_RST if rst else _UNDERLINE_MARKDOWN
    hidden = set() if rst else _hidden(lines)
    for at, line in enumerate(lines):
        if at in hidden or not line.strip():
            continue
        atx = None if rst else _ATX.match(line)
        below = underline.match(lines[at + 1]) if at + 1 < len(lines) else None
        if atx:
            found.append(Heading(at, at + 1, atx[1], atx[2]))
        elif below and _can_be_title(lines, at, underline):
            over = rst and at > 0 and lines[at - 1].strip() == lines[at + 1].strip()
            found.append(Heading(at - over, at + 2, "under " + below[1] * (1 + over), line.strip()))
    return found


def _can_be_title(lines: Sequence[str], at: int, underline: re.Pattern[str]) -> bool:
    """A title is not indented, no list item and no underline; before it stands nothing, an overline, or an anchor."""
    line, before = lines[at], lines[at - 1] if at else ""
    if line[0].isspace() or BULLET.match(line) or underline.match(line):
        return False
    return not before.strip() or before.strip() == lines[at + 1].strip() or bool(ANCHOR.match(before))


def _hidden(lines: Sequence[str]) -> set[int]:
    """The lines of a Markdown file that are code or comment."""
    hidden: set[int] = set()
    fence, comment = "", False
    for at, line in enumerate(lines):
        mark = None if comment else _FENCE.match(line)
        if mark and (not fence or mark[1].startswith(fence)):
            fence = "" if fence else mark[1]
            hidden.add(at)
        elif fence or comment or line.lstrip().startswith("<!--"):
            hidden.add(at)
            comment = not fence and "-->" not in line
    return hidden
