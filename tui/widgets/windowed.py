"""Lists that are too long to be read whole: their order is read, and of the rows those in sight.

The order is the keys of all rows that the filter lets through; it is read when something changed that may move a row,
and when the filter changes. Rows are read by key, those in sight with some around them: in one reading when the
scrolling stops, and after every change, without waiting for the order. Until a reading is there the rows from before
it stay on the screen. All reading happens on the store's threads, one at a time for each list; what happens meanwhile
is one more reading.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, TypeVar

from tui.bridge import NOTHING, Change
from tui.widgets.filtering import Words, filter_words
from tui.widgets.following import Find, finder, follow, index_of
from tui.widgets.live import Live
from tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from core.store.reads import Connection
    from core.store.rows import LiveRow

R = TypeVar("R")

KEPT_ROWS = 1_000
"""Rows that were read and are kept, in case they come in sight again."""
REST = 3.0
"""How many times as long as it took, a list rests after reading its order, before a change makes it read again."""
LONGEST_REST = 2.0


class _View(NamedTuple):
    """What a list shows at the moment a reading begins."""

    wish: int
    """Which set of rows is asked for: the number of the last wish for another one."""
    keys: Sequence[int]
    cursor: int
    held: int
    """The row that is to keep its line of the screen."""
    top: int
    page: int
    marks: frozenset[Hashable]


class _Reading(NamedTuple, Generic[R]):
    """What a reading of the order brought."""

    view: _View
    keys: Sequence[int]
    find: Find
    total: int | None
    cursor: int
    held: int
    marks: frozenset[Hashable]
    rows: Mapping[int, R]
    asked: Sequence[int]
    seconds: float


class WindowedList(Live, RowList[R]):
    """A list of rows known by whole numbers. `row` is None until the row under the cursor has been read."""

    MOVED_BY: ClassVar[tuple[str, ...] | None] = None
    """How the kinds of events begin that may change the order; None for all of them."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.filter_words: Words = ((), ())
        self._keys: Sequence[int] = ()
        self._total = 0
        self._known: OrderedDict[int, tuple[int, R | None]] = OrderedDict()
        """Rows that were read, the last read at the end, each with the version of the store it is of."""
        self._version = 0
        self._one_at_a_time = asyncio.Lock()
        self._sight = _Sight(self)
        self._last: _View | None = None
        """What was shown when the list was last not empty, while it is."""
        self._wish = 0
        self._has_new_wish = asyncio.Event()
        self._is_ordering = False
        self._rests_until = 0.0
        self._opens: int | None = None

    # What a list of some kind is

    def read_order(self, reader: Connection, live: LiveRow, now: int) -> Sequence[int]:
        """The keys that `filter_words` lets through, in order. On a store's thread."""
        raise NotImplementedError

    def read_rows(self, reader: Connection, live: LiveRow, now: int, keys: Sequence[int]) -> Mapping[int, R]:
        """The rows with these keys; one that is no more is left out. On a store's thread."""
        raise NotImplementedError

    def read_total(self, reader: Connection, live: LiveRow, now: int) -> int | None:
        """How many rows there are without the filter; None where only a reading without one can tell."""
        return None

    def may_move(self, change: Change) -> bool:
        """Whether the order may be another after this change; otherwise only rows are read anew."""
        if change.everything or self.MOVED_BY is None or self.filter_text:
            return True
        return any(kind.startswith(self.MOVED_BY) for kind in change.kinds)

    # What is shown

    @property
    def rows(self) -> Sequence[R]:
        """The rows in sight and around it, as far as they have been read."""
        found = (self.row_at(n) for n in self._near(self._page))
        return tuple(row for row in found if row is not None)

    @property
    def total(self) -> int:
        return self._total

    @property
    def count(self) -> int:
        return len(self._keys)

    @property
    def keys(self) -> Sequence[int]:
        """The keys of all rows that the filter lets through, in order."""
        return self._keys

    def key_at(self, n: int) -> int:
        return self._keys[n]

    def keys_of(self, rows: range) -> Iterable[int]:
        return self._keys[rows.start : rows.stop]

    def row_at(self, n: int) -> R | None:
        known = self._known.get(self._keys[n])
        return None if known is None else known[1]

    def number_of(self, key: Hashable) -> int | None:
        return index_of(self._keys, key)

    @property
    def let_through(self) -> str:
        return f"{'…' if self._has_new_wish.is_set() else self.count} of {self.total}"

    def set_filter(self, text: str) -> None:
        """The rows follow when they have been read; what was typed last wins."""
        words = filter_words(text)
        is_another = words != self.filter_words
        self.filter_text, self.filter_words = text, words
        if is_another:
            self.reorder()

    def reorder(self) -> None:
        """Another set of rows is to be shown, or in another order: read it, before anything else."""
        self._wish += 1
        self._has_new_wish.set()
        if self.is_loaded and not self._is_ordering:
            self.apm.bridge.ask(self)

    def action_open(self) -> None:
        """Open the row under the cursor; one that is still to be read opens as soon as it has been."""
        if self.row is None and self.count:
            self._opens = self.key_at(self.cursor)
        else:
            super().action_open()

    def _announce(self) -> None:
        super()._announce()
        if self._opens is not None:
            if not self.count or self.key_at(self._cursor) != self._opens:
                self._opens = None
            elif self.row is not None:
                self._opens = None
                super().action_open()

    # Reading

    def on_mount(self) -> None:
        self._end_seeing = self.apm.bridge.attach(self._sight)

    def on_unmount(self) -> None:
        self._end_seeing()

    async def read_anew(self, change: Change) -> None:
        if self.is_loaded and not self.may_move(change):
            return
        self._is_ordering = True
        try:
            await self._rest()
            while await self._read_order():
                pass
        finally:
            self._is_ordering = False

    async def _rest(self) -> None:
        """Under a flood of changes a long list is not read all the time. Another wish is served at once."""
        left = self._rests_until - time.monotonic()
        if left > 0 and not self._has_new_wish.is_set():
            try:
                async with asyncio.timeout(left):
                    await self._has_new_wish.wait()
            except TimeoutError:
                return

    async def _read_order(self) -> bool:
        """Whether something else was wished for meanwhile, so that what was read is not what is to be shown."""
        async with self._one_at_a_time:
            view = self._view()
            reading = await self.apm.bridge.read(lambda *given: self._order_of(view, *given))
            self._rests_until = time.monotonic() + min(reading.seconds * REST, LONGEST_REST)
            if not self.is_attached:
                return False
            if self._wish != view.wish:
                return True
            self._has_new_wish.clear()
            self._version += 1
            self._keep(reading.asked, reading.rows, self._version)
            self._follow(reading)
        self._look()
        return False

    def _view(self) -> _View:
        """An empty list keeps the place it had while there were rows: the next key typed may bring them back."""
        if not self._keys and self._last is not None:
            return self._last._replace(wish=self._wish, page=self._page, marks=frozenset())
        at = self._cursor, self._held, self.scroll_offset.y, self._page
        return _View(self._wish, self._keys, *at, self.marked if self.mark_count else frozenset())

    def _order_of(self, view: _View, reader: Connection, live: LiveRow, now: int) -> _Reading[R]:
        """On a store's thread: the order, the place in it, and the rows that will be in sight there."""
        began = time.monotonic()
        keys = self.read_order(reader, live, now)
        total = len(keys) if not any(self.filter_words) else self.read_total(reader, live, now)
        find = finder(keys)
        cursor, held = _followed(view, find)
        gone = view.marks - frozenset(keys) if view.marks else frozenset()
        asked = self._around(keys, held - (view.held - view.top), view.page, cursor)
        rows = self.read_rows(reader, live, now, asked)
        seconds = time.monotonic() - began
        return _Reading(view, keys, find, total, cursor, held, view.marks - gone, rows, asked, seconds)

    def _around(self, keys: Sequence[int], top: int, page: int, cursor: int) -> list[int]:
        """The keys in sight from row `top` on and a page around them, the cursor's, and those at both ends."""
        top = max(min(top, len(keys) - page), 0)
        near = keys[max(top - page, 0) : top + 2 * page]
        return list(dict.fromkeys((*near, *keys[cursor : cursor + 1], *self._unread_ends(keys, page))))

    def _unread_ends(self, keys: Sequence[int], page: int) -> list[int]:
        """The keys at both ends, where a jump leads, as far as their rows have never been read."""
        return [key for key in (*keys[:page], *keys[-page:]) if key not in self._known]

    def _follow(self, reading: _Reading[R]) -> None:
        """Show what was read; the cursor may have been moved while that was going on."""
        now = self._view()
        if (now.cursor, now.held) == (reading.view.cursor, reading.view.held):
            cursor, held = reading.cursor, reading.held
        else:
            cursor, held = _followed(now, reading.find)
        marks = None
        if now.marks:
            known = reading.marks if now.marks == reading.view.marks else frozenset(reading.keys)
            marks = self.kept_marks(known, reading.find)
        self._last = now if now.keys and not reading.keys else None
        self.is_loaded, self._keys = True, reading.keys
        self._total = max(reading.total if reading.total is not None else self._total, self.count)
        self._arrange(cursor, held - (now.held - now.top))
        if marks is not None:
            self._set_marks(*marks)

    def _keep(self, asked: Iterable[int], rows: Mapping[int, R], version: int) -> None:
        self._strips.clear()
        for key in asked:
            self._known[key] = (version, rows.get(key))
            self._known.move_to_end(key)
        while len(self._known) > KEPT_ROWS:
            self._known.popitem(last=False)

    # What is in sight

    def _note_sight(self) -> None:
        super()._note_sight()
        self._look()

    def _near(self, margin: int) -> range:
        top, page = self.scroll_offset.y, self._page
        return range(max(top - margin, 0), min(top + page + margin, self.count))

    def _unread(self, margin: int) -> list[int]:
        """The keys of rows in sight, of so many around it, and of both ends, that are to be read."""
        keys = [self._keys[n] for n in self._near(margin)]
        if self.count:
            keys.append(self._keys[self._cursor])
        unread = [key for key in keys if (known := self._known.get(key)) is None or known[0] != self._version]
        return unread + self._unread_ends(self._keys, self._page)

    def _look(self) -> None:
        """Ask for what is in sight or soon will be, and has not been read."""
        if self.is_loaded and self.is_attached and self._unread(self._page // 2):
            self.apm.bridge.ask(self._sight, NOTHING)

    async def see(self, change: Change) -> None:
        """Read the rows in sight that have not been read since the store last changed."""
        if not self.is_loaded or not self.is_attached:
            return
        if change != NOTHING and self._concerns(change) and self._can_be_seen():
            if self.may_move(change) and not self._is_ordering and time.monotonic() >= self._rests_until:
                return  # the order is read at once, and brings them
            self._version += 1
        await self._read_sight()

    async def _read_sight(self) -> None:
        async with self._one_at_a_time:
            keys = list(dict.fromkeys(self._unread(self._page))) if self.is_attached else []
            if not keys:
                return
            version = self._version
            rows = await self.apm.bridge.read(lambda reader, live, now: self.read_rows(reader, live, now, keys))
            if not self.is_attached:
                return
            in_sight = {key: self._known.get(key) for key in (self._keys[n] for n in self._near(0))}
            self._keep(keys, rows, version)
            if any(shown is None or shown[1] != rows.get(key) for key, shown in in_sight.items() if key in rows):
                self.redraw()
            self._announce()
        self._look()


class _Sight:
    """The rows in sight as a view of their own: they are read without the order."""

    def __init__(self, rows: WindowedList[Any]) -> None:
        self._rows = rows

    @property
    def is_left(self) -> bool:
        return self._rows.is_left

    async def reload(self, change: Change) -> None:
        await self._rows.see(change)


def _followed(view: _View, find: Find) -> tuple[int, int]:
    """Where the cursor's row, and the row that keeps its line, are now."""
    cursor = follow(view.keys.__getitem__, len(view.keys), view.cursor, find)
    if view.held == view.cursor:
        return cursor, cursor
    return cursor, follow(view.keys.__getitem__, len(view.keys), view.held, find)
