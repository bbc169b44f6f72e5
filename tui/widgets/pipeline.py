"""Pane 2: one row per work item, a cell for each of the six phases."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.binding import BindingType

from core.contract import PHASE_CODES
from core.sanitise import one_line
from core.store import reads
from core.store.rows import WorkItemRow
from tui.actions import bindings
from tui.bridge import Change
from tui.deeds import WorkItemDeeds
from tui.widgets.live import DELEGATIONS, Live
from tui.widgets.row_list import Column, RowList
from tui.words import STATE_CELLS, UNKNOWN, WORK_MARKS, Line, phase_cell

COLUMNS = (
    Column("#", 4, right=True),
    Column("work item", least=24),
    *(Column(code, 6) for code in PHASE_CODES),
    Column("state", 11, rank=1),
)
COMPACT = (Column("#", 4, right=True), Column("work item"), Column("phase", 9))
"""For a width in which six cells leave no room for a title."""
COMPACT_BELOW = 62
EMPTY: tuple[Line, ...] = (
    (("Work on its way through the phases appears here.", "dim"),),
    (("n", "accent"), (" writes the first work item", "dim")),
    (("apm project add PATH", "accent"), (" makes a repository known", "dim")),
)
FINISHED = ("closed", "cancelled", "failed")
WINDOW = 500


class Pipeline(WorkItemDeeds, Live, RowList[WorkItemRow]):
    """Work items, those that are not finished first, then newest first."""

    PLACES: ClassVar[tuple[str, ...]] = ("work", "list")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("work")]
    TITLE = "work"
    UNMOVED_BY = DELEGATIONS

    def __init__(self, **options: Any) -> None:
        super().__init__(COLUMNS, key=lambda row: row.id, cells=self._cells_of, empty=EMPTY, **options)

    @property
    def summary(self) -> str:
        return f"{self.total} in all" if self.total else ""

    def work_item_in_hand(self) -> WorkItemRow | None:
        return self.row

    async def read_anew(self, change: Change) -> None:
        found = await self.apm.bridge.read(lambda reader, live, _: reads.work_items(reader, limit=WINDOW, live=live))
        self.set_rows(sorted(found, key=lambda row: row.state in FINISHED))

    def tick(self, now: int) -> None:
        if any(row.state == "running" for row in self.rows):
            self.redraw()

    def on_resize(self) -> None:
        self.columns = COMPACT if self.size.width < COMPACT_BELOW else COLUMNS

    def _cells_of(self, row: WorkItemRow) -> tuple[Line, ...]:
        now = self.apm.now()
        title: Line = ((one_line(row.title), "text" if row.state not in FINISHED else "dim"),)
        number: Line = ((str(row.id), "dim"),)
        cells = phase_cells(row, now)
        if self.columns is COMPACT:
            at = PHASE_CODES.index(row.phase) if row.phase else 0
            return number, title, ((f"{PHASE_CODES[at]} ", "dim"), *cells[at])
        return number, title, *cells, state_line(row)


def shown_state(row: WorkItemRow) -> str:
    """The state; a pause shows only while the work would otherwise go on."""
    return "paused" if row.facts.paused_at is not None and row.state in ("ready", "running") else row.state


def state_line(row: WorkItemRow) -> Line:
    return WORK_MARKS.get(shown_state(row), UNKNOWN).line()


def phase_cells(row: WorkItemRow, now: int) -> list[Line]:
    """Six cells. Where the state says more than the phase (proposed, paused, ended), its cell says the state."""
    cells = [phase_cell(cell, now) for cell in row.cells]
    mark = STATE_CELLS.get(shown_state(row))
    if mark is not None:
        at = next((n for n, cell in enumerate(row.cells) if cell.status != "passed"), 0)
        cells[at] = mark.line()
    return cells
