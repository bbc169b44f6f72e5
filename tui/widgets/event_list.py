"""Every event of the journal, newest first. At its top it follows what comes; elsewhere it stays where it is read."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from textual.message import Message

from core.store.reads import Connection
from core.store.reads_events import HistoryRow, history_rows
from core.store.reads_history import USUAL, Asked, History, history
from core.store.rows import LiveRow
from tui.text.event_words import about, mark_of, who_cell, words_of
from tui.text.moments import exact_moment, moment
from tui.text.words import Line
from tui.widgets.columns import Column
from tui.widgets.windowed import WindowedList

SECTIONS: Mapping[str, tuple[str, str]] = {
    USUAL: ("what happened", "Every event but the single steps and payments of models"),
    "all": ("everything", "Every event of the journal"),
    "people": ("decisions by people", "What persons answered, approved, took back or started"),
    "rules": ("decisions by rules", "What rules and time-outs decided"),
    "gates": ("gates", "What the phases' gates let through, and what they held back"),
    "delegations": ("delegations", "What agents were asked, and what they answered"),
    "authority": ("authority", "What agents may decide, and how that changed"),
    "team": ("team", "What the team's files changed"),
    "commands": ("commands", "Events that came with commands which were run"),
    "calls": ("model calls", "What models were asked step by step, what was paid, and what budgets allowed"),
}
"""What each section of the history is called, and what it holds."""
COLUMNS = (
    Column("when", 10),
    Column("event", 22),
    Column("by", 17, rank=2),
    Column("about", least=13, rank=1),
)
NOTHING: tuple[Line, ...] = (
    (("Nothing has happened yet.", "dim"),),
    (("n", "accent"), (" writes the first work item", "dim")),
)
NOTHING_OF_THIS: tuple[Line, ...] = (
    (("Nothing of this sort has happened.", "dim"),),
    (("esc", "accent"), (" shows what happened again", "dim")),
)


class EventList(WindowedList[HistoryRow]):
    """Shows one section of the journal, and of that one work item's events where one is asked for."""

    FILTER_HINT: ClassVar[str] = "words of what happened, who, agent, phase, or a number; !words to leave out"
    TITLE = "events"

    class Grown(Message):
        """There are other events, or another number of them lies above the cursor unseen."""

    def __init__(self, work_item: int | None = None, **options: Any) -> None:
        super().__init__(COLUMNS, key=lambda row: row.seq, cells=self._cells_of, empty=NOTHING, **options)
        self.section, self.work_item = USUAL, work_item
        self._history: History | None = None
        self._seen = 0
        """The newest event that was in sight."""
        self._day = ""

    @property
    def summary(self) -> str:
        return f"{self.count:,}" if self.is_loaded else ""

    @property
    def is_whole(self) -> bool:
        """Whether every event is shown, but for the words of the filter."""
        return self.section in (USUAL, "all") and self.work_item is None

    @property
    def unseen(self) -> int:
        """How many events have come since the top was in sight."""
        return bisect_left(self.keys, -self._seen, key=lambda seq: -seq)

    @property
    def looks_at(self) -> int:
        """The event down to which the journal has been looked through for the filter; 0 once that is all of it."""
        return self._history.low if self._history is not None else 0

    def show_only(self, *, section: str, work_item: int | None) -> None:
        """Another part of the journal, from its top."""
        self.section, self.work_item = section, work_item
        self.empty = NOTHING if self.is_whole else NOTHING_OF_THIS
        self.reorder()

    def read_order(self, reader: Connection, live: LiveRow, now: int) -> Sequence[int]:
        asked = Asked(*self.filter_words, section=self.section, work_item=self.work_item, words_of=words_of)
        self._history = found = history(reader, asked, self._history)
        return found.order

    def read_total(self, reader: Connection, live: LiveRow, now: int) -> int | None:
        return self._history.head if self._history is not None else None

    def read_rows(self, reader: Connection, live: LiveRow, now: int, keys: Sequence[int]) -> Mapping[int, HistoryRow]:
        return history_rows(reader, keys)

    def _arrange(self, cursor: int, top: int) -> None:
        """Whoever is at the top sees what comes; whoever reads further down, or beside, is not moved."""
        follows = self._cursor == 0 and self.has_focus
        super()._arrange(*((0, 0) if follows else (cursor, top)))
        self._note_top()
        if self.looks_at:
            # What is found so far can be seen; the search goes on, unless something else is asked for.
            self.call_after_refresh(self.reorder)

    def _move(self, to: int) -> None:
        super()._move(to)
        self._note_top()

    def _note_top(self) -> None:
        if self.count and (self._cursor == 0 or not self._seen):
            self._seen = self.key_at(0)
        self.post_message(self.Grown())

    def tick(self, now: int) -> None:
        """Times of day become dates at midnight."""
        if (day := exact_moment(now)[:10]) != self._day:
            self._day = day
            self.redraw()

    def _cells_of(self, row: HistoryRow) -> tuple[Line, ...]:
        event, mark = row.event, mark_of(row.event)
        when = moment(event.at, self.apm.now()) if event.kind is not None else ""
        return ((when, "dim"),), mark.line(), who_cell(event.who) if event.kind else (), about(row)
