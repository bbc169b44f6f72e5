"""Pane 3: the questions that wait for a human, the most urgent first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from textual.binding import BindingType

from core.sanitise import one_line
from core.store import reads_escalations, states
from core.store.reads import Connection
from core.store.rows import EscalationRow
from tui.actions import bindings
from tui.bridge import Change
from tui.deeds import QuestionDeeds
from tui.widgets.live import DELEGATIONS, Live
from tui.widgets.row_list import Column, RowList
from tui.words import Line, due, urgency

COLUMNS = (
    Column("urgency", 11),
    Column("due", 9),
    Column("kind", 8, rank=2),
    Column("question", least=20),
    Column("for", 7, rank=1),
)
EMPTY: tuple[Line, ...] = ((("Nothing waits for you.", "good"),), (("Questions of the agents appear here.", "dim"),))
WINDOW = 500


class Queue(QuestionDeeds, Live, RowList[EscalationRow]):
    """Questions. One that was seen or put away stays in the list, below those that need an answer now."""

    PLACES: ClassVar[tuple[str, ...]] = ("queue", "list")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("queue")]
    TITLE = "questions"
    UNMOVED_BY = DELEGATIONS

    def __init__(self, **options: Any) -> None:
        super().__init__(COLUMNS, key=lambda row: row.id, cells=self._cells_of, empty=EMPTY, **options)
        self._shown_until = 0

    @property
    def summary(self) -> str:
        return f"{self.total} open" if self.total else ""

    def question_in_hand(self) -> EscalationRow | None:
        return self.row

    async def read_anew(self, change: Change) -> None:
        found = await self.apm.bridge.read(lambda reader, _, __: reads_escalations.escalations(reader, limit=WINDOW))
        self.set_rows(by_need(found, self.apm.now()))

    def tick(self, now: int) -> None:
        """Countdowns change by the minute, those of the last minute by the second."""
        if now >= self._shown_until and self.rows:
            soon = any(row.due_at is not None and abs(row.due_at - now) < 120_000 for row in self.rows)
            self._shown_until = now + (1_000 if soon else 20_000)
            if not soon:
                self.set_rows(by_need(self._all, now))
            self.redraw()

    def _cells_of(self, row: EscalationRow) -> tuple[Line, ...]:
        now = self.apm.now()
        needs = states.needs_me(row, now)
        again: Line = ((f" ×{row.count}", "ask"),) if row.count > 1 else ()
        target = f"#{row.work_item} {row.phase or ''}".rstrip() if row.work_item is not None else ""
        return (
            urgency(row, now),
            (due(row, now),),
            ((one_line(row.kind, 20), "dim"),),
            ((one_line(row.question), "text" if needs else "dim"), *again),
            ((target, "dim"),),
        )


def waiting_for_me(reader: Connection, now: int) -> tuple[int, ...]:
    """The numbers of the questions that need an answer now, in the queue's order."""
    return tuple(row.id for row in by_need(reads_escalations.escalations(reader), now) if states.needs_me(row, now))


def by_need(found: Iterable[EscalationRow], now: int) -> tuple[EscalationRow, ...]:
    """Those that need an answer now first; among them as the store orders them."""
    return tuple(sorted(found, key=lambda row: not states.needs_me(row, now)))
