"""Conflicts between domain agents: those that wait for a person first, then how the others ended."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, cast

from textual import on
from textual.binding import BindingType
from textual.widget import Widget

from core.sanitise import one_line
from core.store import reads_governance
from core.store.reads import Connection
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
from tui.widgets.document import Document
from tui.widgets.live import DELEGATIONS, Live
from tui.widgets.painted import plain
from tui.widgets.row_list import Column, RowList

MOST = 5_000
"""Conflicts that are listed, the newest; all of them are in the history."""
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


class ConflictList(Live, RowList[ConflictRow]):
    """Pane 1; enter opens the question that waits."""

    UNMOVED_BY = DELEGATIONS
    TITLE = "conflicts"

    def __init__(self, **options: Any) -> None:
        super().__init__(COLUMNS, key=lambda row: row.id, cells=self._cells, empty=EMPTY, **options)

    @property
    def summary(self) -> str:
        waiting = sum(map(is_open, self._all))
        return f"{waiting} waiting of {self.total}" if self.total else ""

    async def read_anew(self, change: Change) -> None:
        self.set_rows(await self.apm.bridge.read(lambda reader, *_: _read(reader)))

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

    UNMOVED_BY = DELEGATIONS
    TITLE = "conflict"
    summary = ""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._shown: int | None = None

    async def read_anew(self, change: Change) -> None:
        await cast("Conflicts", self.screen).read_conflict()

    def show_conflict(self, seen: SeenConflict | None, now: int) -> None:
        number = seen.row.id if seen is not None else None
        fresh, self._shown = number != self._shown, number
        self.show(conflict_paragraphs(seen, now) if seen is not None else (), from_top=fresh)


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


def _read(reader: Connection) -> list[ConflictRow]:
    found = reads_governance.conflicts(reader, limit=MOST)
    return sorted(found, key=lambda row: (not is_open(row), -row.at, -row.id))
