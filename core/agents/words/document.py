"""A request's body as blocks: paragraphs, list items, table rows, scenarios and code, each under its section.

Markdown and plain prose alike; one pass over the lines, and no line is looked at more than a few times.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from core.agents.words import text as words_text

PARAGRAPH, ITEM, ROW, SCENARIO, CODE = "paragraph", "item", "row", "scenario", "code"


@dataclass(frozen=True, slots=True)
class Said:
    """Words of the request and the line, from 1, that they begin on; line 0 is the title or a human's answer."""

    text: str
    line: int

    def quoted(self, limit: int = 160) -> str:
        where = f"line {self.line}" if self.line else "title"
        return f"{where}: {words_text.brief(self.text, limit)}"


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph, item, row, scenario or piece of code; `text` is on one line and unmarked, except for code.

    `starts` says which line begins at which offset of `text`. For items: `depth` from 0, `marker` as written
    ("-", "3.", "[ ]"), `lead_in` the paragraph ending in a colon that the list follows. For rows: `cells`, and
    `columns`, the words of the table's head.
    """

    kind: str
    section: str
    heading: str
    text: str
    starts: tuple[tuple[int, int], ...]
    depth: int = 0
    marker: str = ""
    lead_in: str = ""
    cells: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    @property
    def line(self) -> int:
        return self.starts[0][1]

    def line_at(self, offset: int) -> int:
        return self.starts[max(bisect_right(self.starts, (offset, self.starts[-1][1])) - 1, 0)][1]

    def sentences(self) -> Iterator[Said]:
        """The sentences of prose; code and scenarios have none."""
        if self.kind in (PARAGRAPH, ITEM):
            for offset, sentence in words_text.sentences(self.text):
                yield Said(sentence, self.line_at(offset))

    def said(self) -> Said:
        return Said(self.text, self.line)


@dataclass(frozen=True, slots=True)
class Document:
    """The blocks of a body in order, and its headings."""

    blocks: tuple[Block, ...] = ()
    headings: tuple[Said, ...] = ()

    def of(self, *sections: str, kinds: tuple[str, ...] = (PARAGRAPH, ITEM, ROW, SCENARIO)) -> list[Block]:
        """The blocks of these kinds that stand in sections of these kinds."""
        return [block for block in self.blocks if block.section in sections and block.kind in kinds]

    def sentences(self, *sections: str) -> Iterator[Said]:
        for block in self.of(*sections):
            yield from block.sentences()


@lru_cache(maxsize=2)
def parse(body: str) -> Document:
    """The blocks of a sanitised body. The same body is asked for by five agents in a row: it is read once."""
    from core.agents.words.scanner import Scanner

    return Scanner(body.split("\n")).document()
