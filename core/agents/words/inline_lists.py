"""Lists within a line, such as "1. The table has a header. 2. Each word has a row.", as the items that they are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from core.agents.words.document import ITEM, Block
from core.agents.words.text import sentences

_MARK = re.compile(r"(\(?)(?:(\d{1,3})([.)])|([a-z])\))\s+(?=\S)")
_PAUSE = re.compile(r"[:;]\s+")


def itemised(block: Block) -> list[Block]:
    """A paragraph or an item as it stands, or where it holds a list, what introduces that and each of its items."""
    own = f"{block.marker} " if block.kind == ITEM else ""
    text = own + block.text
    lines = [(offset + len(own), line) for offset, line in block.starts]
    found = marks(text, (offset for offset, _ in lines))
    if not found or (own and found[0].start()):
        return [block]
    introduction = text[: found[0].start()].strip()
    parts = [replace(block, text=introduction)] if introduction else []
    ends = [*(mark.start() for mark in found[1:]), len(text)]
    for mark, end in zip(found, ends, strict=True):
        begin = mark.end()
        starts = ((0, block.line_at(begin - len(own))), *((o - begin, line) for o, line in lines if begin < o < end))
        parts.append(
            replace(
                block,
                kind=ITEM,
                text=text[begin:end].rstrip(" ;"),
                starts=starts,
                marker=mark[0].strip(),
                lead_in=introduction if introduction.endswith(":") else block.lead_in,
            )
        )
    return parts


def marks(text: str, line_starts: Iterable[int] = ()) -> list[re.Match[str]]:
    """The marks of the longest list in a text; [] where no two count up.

    A mark stands where the text, a line of it or a sentence begins, or after a colon or a semicolon. The first is 1 or
    a, or begins the text.
    """
    places = {0, *line_starts, *(at for at, _ in sentences(text)), *(pause.end() for pause in _PAUSE.finditer(text))}
    lists: dict[tuple[str, str | None], list[re.Match[str]]] = {}
    for mark in filter(None, (_MARK.match(text, place) for place in sorted(places))):
        counted = lists.setdefault((mark[1], mark[3]), [])
        if _counts(mark, counted):
            counted.append(mark)
    longest = max(lists.values(), key=len, default=[])
    return longest if len(longest) > 1 else []


def _counts(mark: re.Match[str], before: list[re.Match[str]]) -> bool:
    """Whether a mark is the next of a list, or may be its first."""
    if not before:
        return mark.start() == 0 or mark[2] == "1" or mark[4] == "a"
    last = before[-1]
    return int(mark[2]) == int(last[2]) + 1 if mark[2] else ord(mark[4]) == ord(last[4]) + 1
