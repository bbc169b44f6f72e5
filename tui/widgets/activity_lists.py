"""What was run: commands, and calls of agents; both newest first, what runs now above them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from core.sanitise import one_line
from core.store import reads_activity
from core.store.reads import Connection
from core.store.reads_activity import CallRow, CommandRow, Wanted
from core.store.rows import DelegationRow, LiveRow
from tui.screens.records.activity_text import call_mark, command_line, command_mark, dollars
from tui.text.moments import moment
from tui.text.words import Line, span_of_time, whole_time
from tui.widgets.columns import Column
from tui.widgets.windowed import WindowedList

NONE_RUN: tuple[Line, ...] = (
    (("No command has been run yet.", "dim"),),
    (("Tests, linters and builds of the agents appear here.", "dim"),),
)
NONE_ASKED: tuple[Line, ...] = (
    (("No agent has been asked yet.", "dim"),),
    (("n", "accent"), (" writes the first work item", "dim")),
)
NONE_FAILED: tuple[Line, ...] = ((("Nothing failed.", "good"),), (("f", "accent"), (" shows everything again", "dim")))


class CommandList(WindowedList[CommandRow]):
    """Every command that was run, with how it ended."""

    TITLE = "commands"
    FILTER_HINT: ClassVar[str] = "words of the command, agent, folder, work item, done, failed; !words to leave out"
    MOVED_BY = ("delegation", "project")
    COLUMNS = (
        Column("when", 10),
        Column("ended", 11),
        Column("command", least=24),
        Column("by", 17, rank=3),
        Column("for", 5, rank=2),
        Column("time", 5, right=True, rank=1),
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(self.COLUMNS, key=lambda row: row.id, cells=self._cells_of, empty=NONE_RUN, **options)
        self.failed_only = False
        self._activity: reads_activity.Activity | None = None

    @property
    def summary(self) -> str:
        return f"{self.count:,}{' failed' if self.failed_only else ''}" if self.is_loaded else ""

    def show_failed(self, failed_only: bool) -> None:
        self.failed_only = failed_only
        self.empty = NONE_FAILED if failed_only else NONE_RUN
        self.reorder()

    def read_order(self, reader: Connection, live: LiveRow, now: int) -> Sequence[int]:
        asked = Wanted(*self.filter_words, self.failed_only)
        self._activity = found = reads_activity.commands(reader, asked, self._activity)
        return found.order

    def read_rows(self, reader: Connection, live: LiveRow, now: int, keys: Sequence[int]) -> Mapping[int, CommandRow]:
        return reads_activity.command_rows(reader, keys)

    def _cells_of(self, row: CommandRow) -> tuple[Line, ...]:
        return (
            ((moment(row.at, self.apm.now()), "dim"),),
            command_mark(row).line(),
            ((command_line(row.command), "text"),),
            ((one_line(row.agent, 40), "dim"),),
            ((f"#{row.work_item}" if row.work_item is not None else "", "accent"),),
            ((span_of_time(row.milliseconds), "dim"),),
        )


class CallList(WindowedList[CallRow]):
    """Every call of an agent; those that run now have no number yet, and stand first."""

    TITLE = "agents"
    FILTER_HINT: ClassVar[str] = "agent, phase, task, runtime, work item, done, failed, blocked; !words to leave out"
    COLUMNS = (
        Column("when", 10),
        Column("ended", 9),
        Column("agent", least=14),
        Column("for", 8, rank=2),
        Column("runtime", 11, rank=4),
        Column("tokens", 8, right=True, rank=5),
        Column("cost", 8, right=True, rank=3),
        Column("time", 5, right=True, rank=1),
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(self.COLUMNS, key=lambda row: row.id, cells=self._cells_of, empty=NONE_ASKED, **options)
        self.failed_only = False
        self._activity: reads_activity.Activity | None = None
        self._at_work: Mapping[int, DelegationRow] = {}

    @property
    def summary(self) -> str:
        running = f"{len(self._at_work)} running · " if self._at_work else ""
        return f"{running}{self.count - len(self._at_work):,}{' failed' if self.failed_only else ''}"

    def show_failed(self, failed_only: bool) -> None:
        self.failed_only = failed_only
        self.empty = NONE_FAILED if failed_only else NONE_ASKED
        self.reorder()

    def read_order(self, reader: Connection, live: LiveRow, now: int) -> Sequence[int]:
        asked = Wanted(*self.filter_words, self.failed_only)
        self._activity = found = reads_activity.calls(reader, asked, self._activity)
        shown = [] if self.failed_only else reads_activity.running(live, now)
        self._at_work = {row.id: row for row in shown if reads_activity.meant(asked, reads_activity.call_holds(row))}
        return [*self._at_work, *found.order] if self._at_work else found.order

    def read_rows(self, reader: Connection, live: LiveRow, now: int, keys: Sequence[int]) -> Mapping[int, CallRow]:
        known = self._at_work
        shown = {key: CallRow(known[key]) for key in keys if key in known}
        return {**shown, **reads_activity.call_rows(reader, [key for key in keys if key > 0])}

    def tick(self, now: int) -> None:
        """What runs grows older by the second."""
        if self._at_work:
            self.redraw()

    def _cells_of(self, row: CallRow) -> tuple[Line, ...]:
        found, now = row.delegation, self.apm.now()
        is_running = not found.event
        time = whole_time(now - found.at) if is_running else span_of_time(found.milliseconds)
        return (
            ((moment(found.at, now), "dim"),),
            call_mark(found).line(),
            ((one_line(found.agent, 60), "text"), (f" {one_line(found.subject, 20)}", "dim")),
            ((f"#{found.work_item} ", "accent"), (one_line(found.phase, 4), "dim")),
            ((one_line(found.runtime, 30), "ask" if found.runtime == "replay" else "dim"),),
            ((f"{row.tokens:,}" if row.tokens is not None else "–", "dim"),),
            ((dollars(row.cost) if row.cost is not None else "–", "dim"),),
            ((time, "run" if is_running else "dim"),),
        )
