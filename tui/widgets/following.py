"""Where the cursor goes when the rows of a list change: it follows a row's key, not its number."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

Find = Callable[[Hashable], int | None]
"""The number of the row with a key, None where there is no such row."""


def follow(key_at: Callable[[int], Hashable], count: int, row: int, find: Find) -> int:
    """The new number of what was row `row` of `count`: of the row itself, or, where that is gone, of the first row
    after it that is still there, or of the last one before it; 0 where none is left."""
    for n in (*range(row, count), *range(min(row, count) - 1, -1, -1)):
        found = find(key_at(n))
        if found is not None:
            return found
    return 0


AT_ONCE = 10_000
"""Keys put into a table in one call of the interpreter (1 ms), which nothing else can interrupt."""
SINGLE_LOOKS = 3


def finder(keys: Sequence[int]) -> Find:
    """Finds keys of an order. The first few are looked for along it; for more of them a table is made."""
    table: dict[int, int] = {}
    looks = 0

    def find(key: Hashable) -> int | None:
        nonlocal looks
        looks += 1
        if isinstance(keys, range) or looks <= SINGLE_LOOKS:
            return index_of(keys, key)
        if not table:
            for start in range(0, len(keys), AT_ONCE):
                table.update(zip(keys[start : start + AT_ONCE], range(start, len(keys)), strict=False))
        return table.get(key)  # type: ignore[call-overload,no-any-return]

    return find


def index_of(keys: Sequence[int], key: Hashable) -> int | None:
    try:
        return keys.index(key)
    except (ValueError, TypeError):
        return None
