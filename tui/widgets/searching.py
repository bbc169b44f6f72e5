"""Finding words in a text that is drawn by lines: where they stand, which of the places is looked at."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.text.words import Line
from tui.widgets.painted import plain

MOST_PLACES = 10_000
"""Places that are counted: a letter stands everywhere."""
MOST_CHARACTERS = 200
"""Of what is looked for."""
PLACE, CURRENT = Style(underline=True, bold=True), Style(reverse=True)
"""Seen without colours too."""


class Span(NamedTuple):
    """Characters of one line, and the number of the place that they belong to."""

    start: int
    end: int
    place: int


class Search:
    """The places where words stand in lines, in either case of their letters, also across the end of a line."""

    def __init__(self) -> None:
        self.words = ""
        self.at = 0
        self.tops: list[int] = []
        """The line that each place begins on."""
        self._spans: dict[int, list[Span]] = {}

    def look(self, lines: Sequence[Line], words: str) -> None:
        """Look for the words anew; the place that is looked at keeps its number as far as there are so many."""
        self.words = words[:MOST_CHARACTERS]
        self.tops, self._spans = [], {}
        parts = self.words.split()
        if parts:
            texts = [plain(line) for line in lines]
            starts = [0, *accumulate(len(text) + 1 for text in texts)]
            wanted = re.compile(r"\s+".join(map(re.escape, parts)), re.IGNORECASE)
            for found in wanted.finditer("\n".join(texts)):
                if len(self.tops) == MOST_PLACES:
                    break
                self._keep(found.start(), found.end(), starts, texts)
        self.at = min(self.at, max(len(self.tops) - 1, 0))

    def _keep(self, start: int, end: int, starts: Sequence[int], texts: Sequence[str]) -> None:
        top = n = bisect_left(starts, start + 1) - 1
        while n < len(texts) and starts[n] < end:
            first = max(start - starts[n], 0)
            last = min(end - starts[n], len(texts[n]))
            if n > top:
                # What a wrapped line is indented by belongs to no word.
                first = len(texts[n]) - len(texts[n].lstrip())
            if first < last:
                self._spans.setdefault(n, []).append(Span(first, last, len(self.tops)))
            n += 1
        self.tops.append(top)

    def begin_at(self, line: int) -> None:
        """The first place on this line or below it is looked at; the first of all, where there is none."""
        self.at = next((n for n, top in enumerate(self.tops) if top >= line), 0)

    def step(self, direction: int) -> None:
        """To the next place or the one before; behind the last one comes the first."""
        if self.tops:
            self.at = (self.at + direction) % len(self.tops)

    @property
    def note(self) -> str:
        """`2 of 7`; "" where nothing is looked for."""
        if not self.words.split():
            return ""
        count = len(self.tops)
        more = "+" if count == MOST_PLACES else ""
        return f"{self.at + 1:,} of {count:,}{more}" if count else "nothing found"

    def marked(self, strip: Strip, n: int) -> Strip:
        """Line `n` as it is drawn, with the places on it marked."""
        for start, end, place in self._spans.get(n, ()):
            text = strip.text
            left, right = cell_len(text[:start]), cell_len(text[:end])
            style = CURRENT if place == self.at else PLACE
            inside = Strip(Segment.apply_style(strip.crop(left, right), None, style))
            strip = Strip.join([strip.crop(0, left), inside, strip.crop(right)])
        return strip
