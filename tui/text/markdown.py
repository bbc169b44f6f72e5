"""The part of Markdown that apm itself writes, as lines to paint: headings, lists, emphasis, code, escapes.

Nothing of a text is obeyed: links, images and HTML are shown as they are written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tui.text.words import Line, Span

_HEADING = re.compile(r"(#{1,6}) +(.*?)(?: +#+)? *$")
_BULLET = re.compile(r"( *)(?:[-*+]|\d{1,9}[.)]) +(.*)$")
_INLINE = re.compile(
    r"\\(?P<escaped>[!-/:-@\[-`{-~])"
    r"|(?P<ticks>`+)(?P<code>(?:(?!(?P=ticks)).)+?)(?P=ticks)(?!`)"
    r"|\*\*(?P<strong>(?=[^\s*])(?:\\.|[^*\\])+)\*\*"
    r"|(?<!\w)(?P<mark>[*_])(?P<em>(?=[^\s*_])(?:\\.|(?!(?P=mark))[^\\])+)(?P=mark)(?!\w)"
)


@dataclass(frozen=True, slots=True)
class Block:
    """`kind` is "heading", "bullet", "text", "code" or "blank"; `level` of a heading 1 to 6, of a bullet its indent."""

    kind: str
    line: Line = ()
    level: int = 0


def blocks(text: str) -> Iterator[Block]:
    """A block for each line of a document."""
    is_code = False
    for line in text.split("\n"):
        if line.lstrip().startswith("```"):
            is_code = not is_code
        elif is_code:
            yield Block("code", ((line, "run"),))
        else:
            yield _block(line)


def _block(line: str) -> Block:
    if not line.strip():
        return Block("blank")
    if found := _HEADING.match(line):
        return Block("heading", inline(found[2], "strong"), len(found[1]))
    if found := _BULLET.match(line):
        return Block("bullet", inline(found[2]), len(found[1]))
    return Block("text", inline(line))


def inline(text: str, tone: str = "text") -> Line:
    """Emphasis and code as tones; what is escaped as itself."""
    spans: list[Span] = []
    at = 0
    for found in _INLINE.finditer(text):
        _add(spans, text[at : found.start()], tone)
        if found["escaped"] is not None:
            _add(spans, found["escaped"], tone)
        elif found["code"] is not None:
            _add(spans, found["code"], "run")
        else:
            for piece, _ in inline(found["strong"] or found["em"], tone):
                _add(spans, piece, "strong")
        at = found.end()
    _add(spans, text[at:], tone)
    return tuple(spans)


def _add(spans: list[Span], piece: str, tone: str) -> None:
    """Pieces of one tone are one span: a word must not be broken where its tone is the same."""
    if spans and spans[-1][1] == tone:
        spans[-1] = (spans[-1][0] + piece, tone)
    elif piece:
        spans.append((piece, tone))
