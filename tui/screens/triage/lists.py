"""Pane 2 of the inbox: the questions of a section, or what was answered today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from textual.binding import BindingType

from core.sanitise import one_line
from core.store import reads_triage, reads_windows, states
from core.store.reads import Connection
from core.store.reads_triage import AnsweredRow
from core.store.rows import LiveRow
from tui.actions import bindings
from tui.questions.sections import HOUSE, Section, count_of
from tui.screens.triage.deeds import TriageDeeds
from tui.screens.triage.orders import answer_order, question_order
from tui.text.words import Line, whole_time
from tui.widgets.columns import Column
from tui.widgets.live import DELEGATIONS
from tui.widgets.queue import Queue
from tui.widgets.windowed import WindowedList


class Inbox(TriageDeeds, Queue):
    """The questions of a section; `TITLE` is its name."""

    PLACES: ClassVar[tuple[str, ...]] = ("inbox", "queue", "marks", "list")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("inbox"), *bindings("marks")]
    MARKS = True

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._shows = HOUSE[0]
        self.TITLE = self._shows.title

    @property
    def summary(self) -> str:
        return f"{self.count:,}{self.marks_note}" if self.count else ""

    def show(self, section: Section) -> None:
        """Show the questions of this section, narrowed by its own words."""
        self._shows, self.TITLE = section.shown, section.title
        self.clear_marks()
        self.set_filter(section.words)
        self.reorder()

    def read_order(self, reader: Connection, live: LiveRow, now: int) -> Sequence[int]:
        self._changes_at = reads_windows.next_change(reader, now)
        return question_order(reader, self._shows, self.filter_words, self.apm.person, now)

    def read_total(self, reader: Connection, live: LiveRow, now: int) -> int:
        return count_of(self._shows, reads_triage.triage_counts(reader, self.apm.person, now))

    def keep_marks(self, numbers: Sequence[int]) -> None:
        """Only these stay marked."""
        self._set_marks(frozenset(numbers) & self.marked)

    def after(self, question: int) -> None:
        """From this question to the next one that needs me; the one after it where none does."""
        at = self.number_of(question)
        if at is None or at != self.cursor:
            return
        now = self.apm.now()
        for n in (*range(at + 1, self.count), *range(at)):
            row = self.row_at(n)
            if row is None or states.needs_me(row, now, self.apm.person):
                self._move(n)
                return
        self._move(at + 1)


class AnsweredToday(WindowedList[AnsweredRow]):
    """Answers of today that stand: by a person, by a rule, or by the clock."""

    UNMOVED_BY = DELEGATIONS
    MOVED_BY = ("escalation.",)
    TITLE = "answered"

    def __init__(self, **options: Any) -> None:
        columns = (
            Column("when", 6),
            Column("by", 14, rank=1),
            Column("answer", 18),
            Column("question", least=16),
            Column("for", 5, rank=2),
        )
        super().__init__(columns, key=lambda row: row.id, cells=self._cells_of, **options)
        self.provenance = "human"

    @property
    def summary(self) -> str:
        return f"{self.total:,} today" if self.total else ""

    def show(self, section: Section) -> None:
        """Show today's answers of the section's provenance, narrowed by its own words."""
        self.provenance, self.TITLE = section.shown.provenance, section.title
        self.set_filter(section.words)
        self.reorder()

    def read_order(self, reader: Connection, live: LiveRow, now: int) -> Sequence[int]:
        return answer_order(reader, self.provenance, self.filter_words, now)

    def read_rows(self, reader: Connection, live: LiveRow, now: int, keys: Sequence[int]) -> Mapping[int, AnsweredRow]:
        return reads_triage.answered(reader, keys)

    def _cells_of(self, row: AnsweredRow) -> tuple[Line, ...]:
        ago = whole_time(self.apm.now() - row.at)
        chosen: Line = ((one_line(row.label, 60), "text"),)
        return (
            ((f"{ago}" + (" late" if row.late else ""), "dim"),),
            ((one_line(row.by, 40), "strong"),),
            (("✓ " if row.is_recommended else "› ", "good" if row.is_recommended else "ask"), *chosen),
            ((one_line(row.question), "dim"),),
            ((f"#{row.work_item}" if row.work_item is not None else "", "dim"),),
        )
