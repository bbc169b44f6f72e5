"""Conflicts between domain agents: those that wait for a person first, then how the others ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, cast

from textual import on
from textual.binding import BindingType
from textual.widget import Widget

from core.sanitise import one_line
from core.store import reads_windows
from core.store.reads import Connection
from core.store.rows import LiveRow
from core.store.rows_governance import ConflictRow
from tui.actions import bindings
from tui.bridge import Change
from tui.screens.pane_screen import PaneScreen
from tui.screens.team.conflict_text import (
    SeenConflict,
    between_words,
    conflict_paragraphs,
    is_open,
    mark_of,
    outcome_words,
    read_conflict,
)
from tui.text.words import Line, whole_time
from tui.widgets.columns import Column
from tui.widgets.document import Document
from tui.widgets.filtering import lets_through
from tui.widgets.live import Live
from tui.widgets.painted import plain
from tui.widgets.row_list import RowList
from tui.widgets.windowed import WindowedList

AGES_MS = 20_000
COLUMNS = (
    Column("#", 4, right=True, rank=3),
    Column("state", 11),
    Column("between", 22, rank=1),
    Column("they differ on", least=22),
    Column("item", 5, right=True, rank=4),
    Column("phase", 5, rank=5),
    Column("outcome", 14, rank=2),
    Column("age", 4, right=True, rank=2),
)
EMPTY: tuple[Line, ...] = (
    (("No two agents have taken different positions.", "dim"),),
    (("apm conflict raise", "accent"), (" puts one on record; ", "dim"), ("esc", "accent"), (" goes back", "dim")),
)


class ConflictList(WindowedList[ConflictRow]):
    """Pane 1; enter opens the question that waits."""

    CONCERNED_BY = ("conflict.",)
    TITLE = "conflicts"

    def __init__(self, **options: Any) -> None:
        super().__init__(COLUMNS, key=lambda row: row.id, cells=self._cells, empty=EMPTY, **options)
        self._waiting = 0
        self._ages_until = 0

    @property
    def summary(self) -> str:
        return f"{self._waiting:,} waiting of {self.total:,}" if self.total else ""

    def read_order(self, reader: Connection, live: LiveRow, now: int) -> Sequence[int]:
        self._waiting = reads_windows.waiting_conflicts(reader)
        keys = reads_windows.conflict_order(reader)
        if not any(self.filter_words):
            return keys
        found = reads_windows.conflicts(reader, keys)
        return [key for key in keys if key in found and lets_through(self.filter_words, self.text_of(found[key]))]

    def read_total(self, reader: Connection, live: LiveRow, now: int) -> int:
        return len(reads_windows.conflict_order(reader))

    def read_rows(self, reader: Connection, live: LiveRow, now: int, keys: Sequence[int]) -> Mapping[int, ConflictRow]:
        return reads_windows.conflicts(reader, keys)

    def tick(self, now: int) -> None:
        """Ages change by the minute."""
        if now >= self._ages_until and self.count:
            self._ages_until = now + AGES_MS
            self.redraw()

    def _cells(self, row: ConflictRow) -> tuple[Line, ...]:
        tone = "text" if is_open(row) else "dim"
        return (
            ((str(row.id), "dim"),),
            mark_of(row).line(),
            ((between_words(row), tone),),
            ((one_line(row.topic, 300), "strong" if is_open(row) else "text"),),
            ((f"#{row.work_item}" if row.work_item is not None else "", "dim"),),
            ((row.phase or "", "dim"),),
            ((outcome_words(row), tone),),
            ((whole_time(self.apm.now() - row.at), "faint"),),
        )


class ConflictView(Live, Document):
    """Pane 2: the conflict under the cursor in words."""

    CONCERNED_BY = ("conflict.", "escalation.", "decision.", "work_item.")
    TITLE = "conflict"
    summary = ""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._seen: SeenConflict | None = None
        self._ages_until = 0

    async def read_anew(self, change: Change) -> None:
        await cast("Conflicts", self.screen).read_conflict()

    def show_conflict(self, seen: SeenConflict | None, now: int) -> None:
        before, self._seen, self._ages_until = self._seen, seen, now + AGES_MS
        fresh = (seen and seen.row.id) != (before and before.row.id)
        self.show(conflict_paragraphs(seen, now) if seen is not None else (), from_top=fresh)

    def tick(self, now: int) -> None:
        if now >= self._ages_until:
            self.show_conflict(self._seen, now)


class Conflicts(PaneScreen):
    """An open conflict is settled by answering its question; everything here leads there."""

    PLACES: ClassVar[tuple[str, ...]] = ("conflicts", "panes")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("conflicts")]
    PANES = ("conflicts", "conflict")
    BESIDE: ClassVar[dict[tuple[str, int], str]] = {("conflicts", 1): "conflict", ("conflict", -1): "conflicts"}
    CSS_PATH = "../../styles/conflicts.tcss"

    def body(self) -> Iterable[Widget]:
        yield ConflictList(widget_id="conflicts", classes="pane")
        yield ConflictView(widget_id="conflict", classes="pane")

    @property
    def row(self) -> ConflictRow | None:
        return self.query_one(ConflictList).row

    async def read_conflict(self) -> None:
        row = self.row
        number = row.id if row is not None else None
        seen = None
        if number is not None:
            seen = await self.apm.bridge.read(lambda reader, *_: read_conflict(reader, number))
        if number == (self.row.id if self.row is not None else None):
            self.query_one(ConflictView).show_conflict(seen, self.apm.now())

    @on(RowList.Moved, "#conflicts")
    def _moved(self) -> None:
        self.apm.bridge.ask(self.query_one(ConflictView))

    @on(RowList.Opened, "#conflicts")
    def _opened(self, message: RowList.Opened) -> None:
        self._open(message.row)

    def _open(self, row: ConflictRow) -> None:
        if row.escalation is not None:
            self.apm.open_question(row.escalation)
        else:
            self.go("conflict")
            self.apm.tell(f"A rule settled conflict {row.id} ({one_line(row.rule, 80)}): nobody was asked.")

    def action_question(self) -> None:
        if self.row is not None:
            self._open(self.row)

    def action_work_item(self) -> None:
        if self.row is not None and self.row.work_item is not None:
            self.apm.open_work_item(self.row.work_item)
        else:
            self.apm.tell("This conflict came up in no work item.")

    def copied(self) -> tuple[str, str] | None:
        """The conflict in hand as text."""
        text = "\n".join(plain((*p.line, *p.tail)) for p in self.query_one(ConflictView).paragraphs)
        return (text, "the conflict") if text else None
