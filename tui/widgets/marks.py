"""Marks on the rows of a list: which rows the next deed is for, when it is for more than the one under the cursor.

A mark is on a row's key, so it stays through every reading of the rows, and goes when its row is shown no more: what
is marked can always be seen by scrolling. A range that is still being drawn reaches from its anchor to the cursor.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, ClassVar

from textual.actions import SkipAction

from tui.widgets.following import Find

MARK = "●"


class Marking:
    """Mixin of a list: it tells how many rows there are, their keys, and where the cursor is."""

    MARKS: ClassVar[bool] = False
    """Whether rows can be marked; a list that sets it is also the place "marks"."""
    _fixed: frozenset[Hashable] = frozenset()
    _anchor: int | None = None
    """The row at which a range that is still being drawn begins."""
    _marked: frozenset[Hashable] | None = frozenset()
    """What `marked` says, until something changes."""

    if TYPE_CHECKING:

        @property
        def count(self) -> int: ...
        @property
        def cursor(self) -> int: ...
        def key_at(self, n: int) -> Hashable: ...
        def keys_of(self, rows: range) -> Iterable[Hashable]: ...
        def marks_changed(self, rows: range | None = None) -> None: ...
        def action_down(self, step: int) -> None: ...

    @property
    def marked(self) -> frozenset[Hashable]:
        """The keys of the marked rows, with those of a range that is being drawn."""
        if self._marked is None:
            self._marked = self._fixed | frozenset(self.keys_of(self._range()))
        return self._marked

    @property
    def mark_count(self) -> int:
        return len(self.marked) if self._fixed else len(self._range())

    @property
    def marks_note(self) -> str:
        """How many rows are marked, as the end of what is said of the list."""
        return f", {self.mark_count} marked" if self.mark_count else ""

    def in_hand(self) -> tuple[Hashable, ...]:
        """What a deed is for: the marked keys in the list's order, without marks the key under the cursor."""
        if not self.mark_count:
            return (self.key_at(self.cursor),) if self.count else ()
        return tuple(filter(self.marked.__contains__, self.keys_of(range(self.count))))

    def is_marked(self, n: int) -> bool:
        return n in self._range() or (bool(self._fixed) and self.key_at(n) in self._fixed)

    def clear_marks(self) -> None:
        if self.mark_count:
            self._set_marks(frozenset())

    def toggle_mark(self, n: int) -> None:
        """Mark row `n`, or take its mark away."""
        self._set_marks(self.marked ^ {self.key_at(n)})

    def _range(self) -> range:
        if self._anchor is None or not self.count:
            return range(0)
        return range(min(self._anchor, self.cursor), max(self._anchor, self.cursor) + 1)

    def _set_marks(self, keys: frozenset[Hashable], anchor: int | None = None) -> None:
        self._fixed, self._anchor = keys, anchor
        self._marked = self._fixed if anchor is None else None
        self.marks_changed()

    def _reach(self, before: int) -> None:
        """The cursor has left row `before`: a range that is being drawn reaches to where it is now."""
        if self._anchor is not None:
            self._marked = None
            self.marks_changed(range(min(before, self.cursor), max(before, self.cursor) + 1))

    def kept_marks(self, keys: frozenset[Hashable], find: Find) -> tuple[frozenset[Hashable], int | None]:
        """Fixed marks and anchor for rows with these keys; to be asked while the rows before are still in place.

        A range whose anchor goes is fixed with what is left of it.
        """
        anchor = None if self._anchor is None else find(self.key_at(self._anchor))
        fixed = self._fixed if self._anchor is None or anchor is not None else self.marked
        return fixed & keys, anchor

    # Keys

    def action_mark(self) -> None:
        """Mark the row under the cursor, or unmark it, and step down; a range that is being drawn is fixed instead."""
        if self._anchor is not None:
            self._set_marks(self.marked)
        elif self.count:
            self.toggle_mark(self.cursor)
            self.action_down(1)

    def action_mark_range(self) -> None:
        if self._anchor is not None:
            self._set_marks(self.marked)
        elif self.count:
            self._set_marks(self._fixed, self.cursor)

    def action_mark_all(self) -> None:
        self._set_marks(self._all_keys())

    def action_mark_others(self) -> None:
        self._set_marks(self._all_keys() - self.marked)

    def action_unmark(self) -> None:
        """Without marks the key means what it means around this list."""
        if not self.mark_count:
            raise SkipAction
        self.clear_marks()

    def _all_keys(self) -> frozenset[Hashable]:
        return frozenset(self.keys_of(range(self.count)))
