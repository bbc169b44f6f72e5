"""Lists that only grow, newest first: their numbers, and how words of a filter are looked for among their rows."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import overload

MOST_DIGITS = 18
"""Of a number that a database takes."""
_FOLDED = re.compile("ss|ff|fi|fl|st")
"""What one letter may become by casefolding (a sharp s, ligatures)."""


def whole_number(word: str) -> int | None:
    """The number that a word of a filter means: `7` or `#7`."""
    digits = word.removeprefix("#")
    return int(digits) if digits.isdecimal() and len(digits) <= MOST_DIGITS else None


def pattern(word: str) -> str:
    """Of LIKE, for every text that holds a casefolded word in some case and, where it stands in JSON, escaped.

    It lets through more than the word: whoever uses it looks again.
    """
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "%" for c in word.removeprefix("#"))
    return f"%{_FOLDED.sub('%', plain).replace('s', '_').replace('k', '_')}%"


class NewestFirst(Sequence[int]):
    """The first `count` of numbers that stand in ascending order, the last of them first. Adding to them leaves it."""

    __slots__ = ("_ascending", "_count")

    def __init__(self, ascending: array[int], count: int) -> None:
        self._ascending, self._count = ascending, count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[int]: ...
    def __getitem__(self, index: int | slice) -> int | Sequence[int]:
        if isinstance(index, slice):
            return [self._ascending[self._count - 1 - n] for n in range(*index.indices(self._count))]
        at = index + self._count if index < 0 else index
        if not 0 <= at < self._count:
            raise IndexError(index)
        return self._ascending[self._count - 1 - at]

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and self._place(number) is not None

    def index(self, number: int, start: int = 0, stop: int | None = None) -> int:
        """Where a number stands; found by halving. Raises ValueError where it does not."""
        place = self._place(number)
        at = -1 if place is None else self._count - 1 - place
        if place is None or not start <= at < (self._count if stop is None else stop):
            raise ValueError(number)
        return at

    def _place(self, number: int) -> int | None:
        at = bisect_left(self._ascending, number, 0, self._count)
        return at if at < self._count and self._ascending[at] == number else None


class Without(Sequence[int]):
    """The numbers from `head` down to 1 without some, which stand in ascending order: those of a range with holes."""

    __slots__ = ("_head", "_holes", "_kept_before")

    def __init__(self, head: int, holes: array[int]) -> None:
        self._head, self._holes = head, holes
        self._kept_before = array("q", (hole - n for n, hole in enumerate(holes, 1)))
        """For each hole how many numbers below it are kept."""

    def __len__(self) -> int:
        return self._head - len(self._holes)

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[int]: ...
    def __getitem__(self, index: int | slice) -> int | Sequence[int]:
        if isinstance(index, slice):
            return [self[n] for n in range(*index.indices(len(self)))]
        at = index + len(self) if index < 0 else index
        if not 0 <= at < len(self):
            raise IndexError(index)
        kept = len(self) - 1 - at
        return kept + 1 + bisect_right(self._kept_before, kept)

    def __contains__(self, number: object) -> bool:
        if not isinstance(number, int) or not 1 <= number <= self._head:
            return False
        at = bisect_left(self._holes, number)
        return at == len(self._holes) or self._holes[at] != number

    def index(self, number: int, start: int = 0, stop: int | None = None) -> int:
        """Where a number stands; found by halving. Raises ValueError where it does not."""
        at = len(self) - (number - bisect_left(self._holes, number)) if number in self else -1
        if at < 0 or not start <= at < (len(self) if stop is None else stop):
            raise ValueError(number)
        return at
