"""Pane 2: one row per work item, a cell for each of the six phases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import BindingType

from core.contract import PHASE_CODES
from core.sanitise import one_line
from core.store.states import FINISHED
from tui.actions import bindings
from tui.questions.work_item_deeds import WorkItemDeeds
from tui.text.words import PHASE_MARKS, STATE_CELLS, UNKNOWN, WORK_MARKS, Line, Mark, phase_cell
from tui.widgets.columns import Column
from tui.widgets.live import DELEGATIONS
from tui.widgets.windowed import WindowedList

if TYPE_CHECKING:
    from core.store.reads import Connection
    from core.store.rows import LiveRow, WorkItemRow

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


class Pipeline(WorkItemDeeds, WindowedList["WorkItemRow"]):
    """Work items: those on their way first, then what Evolution proposes, then what is over; the newest first."""

    PLACES: ClassVar[tuple[str, ...]] = ("work", "list")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("work")]
    TITLE = "work"
    UNMOVED_BY = DELEGATIONS
    MOVED_BY = ("work_item.", "phase.", "escalation.")

    def __init__(self, **options: Any) -> None:
        super().__init__(COLUMNS, key=lambda row: row.id, cells=self._cells_of, empty=EMPTY, **options)

    @property
    def summary(self) -> str:
        return f"{self.total:,} in all" if self.total else ""

    def work_item_in_hand(self) -> WorkItemRow | None:
        return self.row

    def applies(self, action_id: str) -> bool | str:
        if self.is_loaded and not self.count and action_id.startswith(("work.", "list.open", "home.diff")):
            return "there is no work item here"
        return super().applies(action_id)

    def read_order(self, reader: Connection, live: LiveRow, now: int) -> Sequence[int]:
        from core.store import reads_windows

        return reads_windows.work_item_order(reader, *self.filter_words, live, IN_CELLS)

    def read_rows(self, reader: Connection, live: LiveRow, now: int, keys: Sequence[int]) -> Mapping[int, WorkItemRow]:
        from core.store import reads_windows

        return reads_windows.work_items(reader, keys, live)

    def read_total(self, reader: Connection, live: LiveRow, now: int) -> int:
        from core.store import reads_windows

        return reads_windows.work_item_count(reader)

    def tick(self, now: int) -> None:
        if any(row.state == "running" for row in self.rows):
            self.redraw()

    def on_resize(self) -> None:
        self.columns = COMPACT if self.size.width < COMPACT_BELOW else COLUMNS

    def _cells_of(self, row: WorkItemRow) -> tuple[Line, ...]:
        now = self.apm.now()
        title: Line = ((one_line(row.title), "text" if row.state not in FINISHED else "dim"),)
        number: Line = ((str(row.id), "dim"),)
        cells, at = phase_cells(row, now)
        if self.columns is COMPACT:
            return number, title, ((f"{PHASE_CODES[at]} ", "dim"), *cells[at])
        return number, title, *cells, state_line(row)


IN_CELLS = {
    **{state: mark.word for state, mark in STATE_CELLS.items()},
    **{state: PHASE_MARKS[state].word for state in ("running", "ready")},
}
"""The word that stands in a work item's cell, by its state: a filter takes it too."""


def shown_state(row: WorkItemRow) -> str:
    """The state; instead of it a pause, or a rest until a provider is tried again, where work would go on without."""
    if row.state not in ("ready", "running"):
        return row.state
    return "paused" if row.is_held else "resting" if row.rests_until is not None else row.state


def is_held_besides(row: WorkItemRow) -> bool:
    """Paused while something else stops it too, or after its release: the state goes on to say that."""
    return row.is_held and not row.facts.is_over and shown_state(row) != "paused"


def state_line(row: WorkItemRow) -> Line:
    return _marked(row, WORK_MARKS.get(shown_state(row), UNKNOWN)).line()


def _marked(row: WorkItemRow, mark: Mark) -> Mark:
    """With the glyph of a pause, where the word says something else."""
    return mark._replace(glyph=WORK_MARKS["paused"].glyph) if is_held_besides(row) else mark


def phase_cells(row: WorkItemRow, now: int) -> tuple[list[Line], int]:
    """Six cells, and which of them is shown where there is room for one.

    Where the state says more than the phase (proposed, waiting, paused, ended), the cell of the phase that comes next
    says the state; one that waits says so where the question is, where a cell tells that.
    """
    cells = [phase_cell(cell, now) for cell in row.cells]
    statuses = [cell.status for cell in row.cells]
    mark = STATE_CELLS.get(shown_state(row), STATE_CELLS["paused"] if is_held_besides(row) else None)
    if mark is None:
        return cells, PHASE_CODES.index(row.phase) if row.phase else 0
    at = next((n for n, status in enumerate(statuses) if status != "passed"), len(cells) - 1)
    if row.state == "waiting":
        at = statuses.index("waiting") if "waiting" in statuses else at
    cells[at] = _marked(row, mark).line()
    return cells, at
