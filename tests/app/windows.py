"""A list over rows that a test holds in its hand, with the app's own bridge and store under it."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.pilot import Pilot

from core.store.reads import Connection
from core.store.rows import LiveRow
from core.store.store import Store
from tests.fresh import fresh_store
from tui.actions import bindings
from tui.bridge import Bridge
from tui.text.words import Line
from tui.widgets.columns import Column
from tui.widgets.row_list import RowList
from tui.widgets.windowed import WindowedList

ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Thing:
    """A row."""

    id: int
    title: str


@dataclass
class Table:
    """What the list reads: keys in order, and the title of each."""

    keys: Sequence[int] = ()
    titles: dict[int, str] = field(default_factory=dict)
    orders: int = 0
    """How often the order was read."""
    read: list[Sequence[int]] = field(default_factory=list)
    """The keys of each reading of rows."""
    fault: Exception | None = None
    opened: threading.Event = field(default_factory=threading.Event)
    """While it is not set, what was read is held back."""
    most_at_once: int = 0
    _at_once: int = 0

    def __post_init__(self) -> None:
        self.opened.set()

    def title(self, key: int) -> str:
        return self.titles.get(key, f"title {key}")

    def hold(self) -> None:
        """Let nothing that was read through until `opened` is set again."""
        self.opened.clear()

    def pass_through(self) -> None:
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        self.opened.wait(30)
        self._at_once -= 1
        if self.fault is not None:
            raise self.fault


class Things(WindowedList[Thing]):
    PLACES: ClassVar[tuple[str, ...]] = ("marks", "list")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("marks")]
    MARKS = True
    MOVED_BY = ("project.",)

    def __init__(self, table: Table) -> None:
        columns = (Column("#", 7, right=True), Column("title"))
        super().__init__(columns, key=lambda row: row.id, cells=_cells, empty=((("Nothing here.", "dim"),),))
        self.table = table

    def read_order(self, reader: Connection, live: LiveRow, now: int) -> Sequence[int]:
        self.table.orders += 1
        keys: Sequence[int] = self.table.keys
        wanted, refused = self.filter_words
        if wanted or refused:
            titles = {key: self.table.title(key) for key in keys}
            keys = [
                key
                for key in keys
                if all(w in titles[key] for w in wanted) and not any(w in titles[key] for w in refused)
            ]
        self.table.pass_through()
        return keys

    def read_rows(self, reader: Connection, live: LiveRow, now: int, keys: Sequence[int]) -> Mapping[int, Thing]:
        there = self.table.keys if isinstance(self.table.keys, range) else frozenset(self.table.keys)
        found = {key: Thing(key, self.table.title(key)) for key in keys if key in there}
        self.table.read.append(tuple(keys))
        self.table.pass_through()
        return found

    def read_total(self, reader: Connection, live: LiveRow, now: int) -> int:
        return len(self.table.keys)


def _cells(row: Thing) -> tuple[Line, Line]:
    return ((str(row.id), "dim"),), ((row.title, "text"),)


class ThingsApp(App[None]):
    """The list and nothing else."""

    CSS = "RowList { height: 1fr; overflow-x: hidden; scrollbar-size: 0 1; }"

    def __init__(self, store: Store, table: Table) -> None:
        super().__init__()
        self.animation_level = "none"
        self.store, self.table = store, table
        self.complaints: list[str] = []
        self.bridge = Bridge(self.complaints.append)
        self.opened: list[Thing] = []
        self.moved: list[Thing | None] = []

    def compose(self) -> ComposeResult:
        yield Things(self.table)

    def on_mount(self) -> None:
        self.bridge.start(self.store)
        self.things.focus()

    async def on_unmount(self) -> None:
        await self.bridge.stop()

    @property
    def things(self) -> Things:
        return self.query_one(Things)

    def on_row_list_opened(self, message: RowList.Opened) -> None:
        self.opened.append(message.row)

    def on_row_list_moved(self, message: RowList.Moved) -> None:
        self.moved.append(message.row)


@asynccontextmanager
async def listed(
    folder: Path, table: Table, size: tuple[int, int] = (40, 12)
) -> AsyncIterator[tuple[ThingsApp, Pilot[None]]]:
    """The list, with what the table holds on the screen."""
    with fresh_store(folder, synchronous="off") as store:
        app = ThingsApp(store, table)
        async with app.run_test(size=size) as pilot:
            await settled(app, pilot)
            yield app, pilot


async def settled(app: ThingsApp, pilot: Pilot[Any]) -> None:
    """Return once all that was asked for has been read and drawn."""
    for _ in range(ROUNDS):
        await pilot.pause(0)
        await app.bridge.idle()
    await pilot.pause(0)


async def change(app: ThingsApp, pilot: Pilot[Any]) -> None:
    """Tell the list that the table is another one."""
    app.bridge.reload_all()
    await settled(app, pilot)
