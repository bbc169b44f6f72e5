"""Everything that was run: commands with their exit codes, and agents with their runtimes, tokens and costs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from core.store import reads, reads_activity
from core.store.reads import Connection
from core.store.reads_activity import CallRow, CommandRow
from core.store.rows import CounterRow, LiveRow
from core.store.transaction import MS_PER_DAY
from tui.actions import bindings
from tui.background import in_background
from tui.bridge import Change
from tui.screens.pane_screen import PaneScreen, PaneTabs
from tui.screens.records.activity_text import call_paragraphs, command_paragraphs
from tui.text.amounts import dollars
from tui.text.words import Line, plural
from tui.widgets.activity_lists import CallList, CommandList
from tui.widgets.document import Document
from tui.widgets.key_bar import KeyBar
from tui.widgets.live import Live
from tui.widgets.record_line import RecordLine
from tui.widgets.row_list import RowList
from tui.widgets.top_line import TopLine


class ActivityText(Document):
    """Pane 3: what is under the cursor of the list that was used last."""

    TITLE = "detail"
    summary = ""


class Today(Live, RecordLine):
    """What agents have done today, as their counters have it."""

    async def read_anew(self, change: Change) -> None:
        self.right, self.short = await self.apm.bridge.read(_today)


class Activity(PaneScreen):
    """Two lists, and what is under the cursor in full."""

    PLACES: ClassVar[tuple[str, ...]] = ("activity", "panes")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("activity")]
    PANES: ClassVar[tuple[str, ...]] = ("commands", "calls", "ran")
    BESIDE: ClassVar[dict[tuple[str, int], str]] = {
        ("commands", 1): "ran",
        ("calls", 1): "ran",
        ("ran", -1): "commands",
    }
    CSS_PATH = "../../styles/records.tcss"

    def __init__(self) -> None:
        super().__init__()
        self._list = "commands"

    def compose(self) -> ComposeResult:
        yield TopLine()
        yield Today("Activity")
        yield PaneTabs()
        yield from self.body()
        yield KeyBar()

    def body(self) -> Iterable[Widget]:
        yield Horizontal(
            Vertical(
                CommandList(widget_id="commands", classes="pane"),
                CallList(widget_id="calls", classes="pane"),
                classes="column lists",
            ),
            ActivityText(widget_id="ran", classes="pane record"),
        )

    def on_mount(self) -> None:
        self._say()

    @property
    def failed_only(self) -> bool:
        return bool(self.pane("commands").failed_only)

    def _say(self) -> None:
        what: Line = (("only what failed", "bad"),) if self.failed_only else (("everything", "text"),)
        self.query_one(Today).left = what

    def action_failed_only(self) -> None:
        failed_only = not self.failed_only
        for name in ("commands", "calls"):
            self.pane(name).show_failed(failed_only)
        self._say()
        self.refresh_titles()

    def action_out(self) -> None:
        """Drop the filter, then show everything again, then leave."""
        if self.failed_only and not getattr(self.pane(self.current), "filter_text", ""):
            self.action_failed_only()
        else:
            super().action_out()

    # The pane at the right

    def _show_current(self, name: str) -> None:
        super()._show_current(name)
        if name != "ran" and name != self._list:
            self._list = name
            self._read_detail()

    @on(RowList.Moved)
    def _moved(self, message: RowList.Moved) -> None:
        if message.rows.id == self._list:
            self._read_detail()

    def _read_detail(self) -> None:
        in_background(self, self._show_detail(), group="detail", exclusive=True)

    async def _show_detail(self) -> None:
        row: Any = self.pane(self._list).row
        pane = self.query_one(ActivityText)
        if row is None:
            pane.show([])
            return
        if isinstance(row, CallRow):
            found = call_paragraphs(row)
        else:
            found = await self.apm.bridge.read(
                lambda reader, *_: command_paragraphs(reads_activity.command_record(reader, row.id))
            )
        here = (self._list, row.id)
        pane.show(found, from_top=here != self._shown)
        self._shown = here

    _shown: tuple[str, int] = ("", 0)

    @on(RowList.Opened)
    async def _open(self, message: RowList.Opened) -> None:
        row = message.row
        if isinstance(row, CommandRow):
            self.go("ran")
        elif isinstance(row, CallRow):
            from tui.screens.work.detail import DelegationDetail

            self.app.push_screen(DelegationDetail(row.delegation))


def _today(reader: Connection, _: LiveRow, now: int) -> tuple[Line, Line]:
    """Sums since midnight, UTC, which is how agents are counted; all of them, and what a narrow screen has room for."""
    counted: list[CounterRow] = list(reads.counters(reader, day=now // MS_PER_DAY).values())
    runs, failures = sum(c.runs for c in counted), sum(c.failures for c in counted)
    tokens, cost = sum(c.tokens for c in counted), sum(c.cost for c in counted)
    calls: Line = ((plural(runs, "call"), "dim"),)
    failed: Line = ((f", {failures:,} failed", "bad"),) if failures else ()
    measured = (f", {tokens:,} tokens" if tokens else ", no tokens measured") + (f", {dollars(cost)}" if cost else "")
    return (("today (UTC) ", "faint"), *calls, *failed, (measured, "dim")), (*calls, (" today", "faint"))
