"""The briefing in full: read it, step through what it names and open that, send it, write it, look at earlier ones."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from core.governance.briefing import briefing, kept, notices_of
from core.governance.briefing_document import Briefing
from core.governance.briefing_text import as_markdown
from core.store.reads import Connection
from core.store.reads_briefings import KeptRow, kept_briefings
from core.store.rows import LiveRow
from core.store.rows_governance import NotificationRow
from tui.actions import bindings
from tui.background import in_background
from tui.bridge import Change
from tui.screens.pane_screen import PaneScreen, PaneTabs
from tui.screens.records.briefing_text import Page, page_of
from tui.subjects import open_ref
from tui.text.moments import moment
from tui.text.words import MINUTE, Line, plural
from tui.widgets.columns import Column
from tui.widgets.document import Document
from tui.widgets.key_bar import KeyBar
from tui.widgets.live import Live
from tui.widgets.record_line import RecordLine
from tui.widgets.row_list import RowList
from tui.widgets.top_line import TopLine

FOLDER = "briefings"
"""In the workspace's state: where briefings are written to."""
NOW = KeptRow(0, 0)
"""Stands for the briefing that is made at this moment."""

Found = tuple[Briefing | None, tuple[NotificationRow, ...] | None]


class BriefingText(Live, Document):
    """Pane 1: the briefing that is chosen in pane 2; that of now is made anew as things change."""

    TITLE = "briefing"
    summary = ""

    async def read_anew(self, change: Change) -> None:
        await cast("BriefingScreen", self.screen).read_briefing()

    def tick(self, now: int) -> None:
        cast("BriefingScreen", self.screen).grow_old(now)

    def bring_in_sight(self, paragraph: int) -> None:
        """Scroll as little as shows this paragraph."""
        width = self.scrollable_content_region.width
        first = sum(len(p.wrapped(width)) for p in self.paragraphs[:paragraph])
        last = first + len(self.paragraphs[paragraph].wrapped(width)) - 1
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        if first < top:
            self.scroll_to(y=first, animate=False, force=True)
        elif last >= top + height:
            self.scroll_to(y=last - height + 1, animate=False, force=True)


class KeptList(Live, RowList[KeptRow]):
    """Pane 2: the briefing of now, and those that were kept."""

    TITLE = "on record"
    COLUMNS = (Column("made", 10), Column("sent", least=12))

    def __init__(self, **options: Any) -> None:
        super().__init__(self.COLUMNS, key=lambda row: row.id, cells=self._cells_of, **options)

    @property
    def summary(self) -> str:
        return f"{self.total - 1} kept" if self.total > 1 else "none kept yet"

    async def read_anew(self, change: Change) -> None:
        found = await self.apm.bridge.read(lambda reader, *_: kept_briefings(reader))
        self.set_rows((NOW, *found))

    def _cells_of(self, row: KeptRow) -> tuple[Line, ...]:
        if row is NOW:
            return (("now", "strong"),), (("not kept", "faint"),)
        return ((moment(row.at, self.apm.now()), "text"),), (_sent(row),)


def _sent(row: KeptRow) -> tuple[str, str]:
    outcomes = [outcome for _, outcome in row.outcomes]
    if "failed" in outcomes:
        return f"✗ {outcomes.count('failed')} failed", "bad"
    if None in outcomes:
        return "● under way", "run"
    return (f"✓ {plural(outcomes.count('sent'), 'channel')}", "good") if outcomes else ("· not sent", "dim")


class BriefingScreen(PaneScreen):
    """The text at the left, what is on record at the right."""

    PLACES: ClassVar[tuple[str, ...]] = ("record", "panes")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("record")]
    PANES: ClassVar[tuple[str, ...]] = ("text", "kept")
    BESIDE: ClassVar[dict[tuple[str, int], str]] = {("text", 1): "kept", ("kept", -1): "text"}
    CSS_PATH = "../../styles/records.tcss"

    def __init__(self) -> None:
        super().__init__()
        self._found: Found = (None, None)
        self._page = Page((), ())
        self._link = -1
        self._chosen = 0
        self._read_at = 0
        self._is_sending = False

    def compose(self) -> ComposeResult:
        yield TopLine()
        yield RecordLine("Briefing")
        yield PaneTabs()
        yield from self.body()
        yield KeyBar()

    def body(self) -> Iterable[Widget]:
        yield Horizontal(
            BriefingText(widget_id="text", classes="pane"),
            KeptList(widget_id="kept", classes="pane"),
        )

    @property
    def text(self) -> BriefingText:
        return self.query_one(BriefingText)

    @property
    def kept_list(self) -> KeptList:
        return self.query_one(KeptList)

    # What is shown

    async def read_briefing(self) -> None:
        chosen = self._chosen
        found = await self.apm.bridge.read(lambda reader, live, now: _read(reader, chosen, live, now))
        if chosen == self._chosen and self.is_attached:
            self._found, self._read_at = found, self.apm.now()
            self._show()

    def grow_old(self, now: int) -> None:
        """Its spans of time grow old."""
        if not self._chosen and now - self._read_at >= MINUTE:
            self.apm.bridge.ask(self.text)

    def _show(self, *, from_top: bool = False) -> None:
        found, notices = self._found
        if found is None:
            return
        self._page = page_of(found, notices, self._link)
        if self._link >= len(self._page.links):
            self._link = -1
        self.text.show(self._page.paragraphs, from_top=from_top)
        self._say()

    def _say(self) -> None:
        line = self.query_one(RecordLine)
        line.left = (("of now", "text"),) if not self._chosen else ((f"number {self._chosen}, on record", "text"),)
        count = len(self._page.links)
        line.short = ()
        keys: Line = ()
        if self._is_sending:
            line.short = (("● being sent", "run"),)
        elif self._link >= 0:
            line.short = ((f"link {self._link + 1} of {count}", "dim"),)
            keys = ((", ", "dim"), ("enter", "accent"), (" opens it", "dim"))
        elif count:
            line.short = ((plural(count, "link"), "faint"),)
            keys = ((", ", "faint"), ("]", "accent"), (" steps through them", "faint"))
        line.right = (*line.short, *keys)

    @on(RowList.Moved)
    def _moved(self, message: RowList.Moved) -> None:
        row = message.row
        if isinstance(row, KeptRow) and row.id != self._chosen:
            self._chosen, self._link = row.id, -1
            self.text.scroll_to(y=0, animate=False, force=True)
            self.apm.bridge.ask(self.text)

    @on(RowList.Opened)
    def _opened(self) -> None:
        self.go("text")

    # Links

    def action_step(self, by: int) -> None:
        count = len(self._page.links)
        if not count:
            self.apm.tell("This briefing names nothing that can be opened.")
            return
        self._link = (self._link + by) % count if self._link >= 0 else (0 if by > 0 else count - 1)
        self._show()
        self.text.bring_in_sight(self._page.links[self._link].paragraph)

    def action_open_link(self) -> None:
        if self._link < 0:
            self.apm.tell("] goes to the first link; enter opens it then.")
        elif not open_ref(self.apm, self._page.links[self._link].ref):
            self.apm.tell("There is no screen for that.")

    def action_turn(self, by: int) -> None:
        """Earlier is further down the list."""
        rows = self.kept_list
        before = rows.cursor
        rows.action_down(by)
        if rows.cursor == before:
            self.apm.tell("There is no earlier briefing on record." if by > 0 else "This is the briefing of now.")

    # Sending and writing

    def action_send(self) -> None:
        if self._is_sending:
            self.apm.tell("It is being sent already.")
        elif self._chosen:
            self.apm.tell("Only the briefing of now can be sent; ) goes there.")
        else:
            in_background(self, self._ask(), group="send")

    async def _ask(self) -> None:
        from tui.screens.dialogs.choice import ConfirmDialog

        names = await asyncio.to_thread(_takers, self.apm.workspace.state)
        text = f"It is kept as it is now, and goes to {names}. What was sent cannot be called back."
        self.app.push_screen(ConfirmDialog("Send the briefing?", text, "Send it", "Keep it here"), self._answered)

    def _answered(self, yes: bool | None) -> None:
        if yes:
            in_background(self, self._send(), group="send")

    async def _send(self) -> None:
        from core.governance.sending import send

        found = self._found[0]
        if found is None:
            return
        self._is_sending = True
        self._say()
        workspace = self.apm.workspace
        try:
            sent = await send(workspace.store, workspace.state, found, lambda line: None)
        finally:
            self._is_sending = False
            self._say()
        said = ", ".join(f"{n.channel} {_outcome(n)}" for n in sent.notices)
        text = ". ".join([f"Briefing {sent.briefing}: {said or 'no channel takes briefings'}", *sent.faults])
        (self.apm.complain if sent.is_failed else self.apm.tell)(text)

    def action_write(self) -> None:
        in_background(self, self._write(), group="write")

    async def _write(self) -> None:
        found = self._found[0]
        if found is None:
            return
        made = datetime.fromtimestamp(found.at / 1000, UTC)
        path = self.apm.workspace.state / FOLDER / f"briefing-{made:%Y-%m-%d-%H%M}.md"
        try:
            await asyncio.to_thread(_write, path, as_markdown(found) + "\n")
        except OSError as error:
            self.apm.complain(f"{path} cannot be written: {(error.strerror or str(error)).lower()}.")
        else:
            self.apm.tell(f"Written to {path}")


def _read(reader: Connection, chosen: int, live: LiveRow, now: int) -> Found:
    if not chosen:
        return briefing(reader, now, live=live), None
    return kept(reader, chosen), notices_of(reader, chosen)


def _takers(state: Path) -> str:
    """The channels that take a briefing, in words."""
    from core.governance.notices.channels import HOUSE, read_channels

    outside = [channel.name for channel in read_channels(state).outside if "briefing" in channel.what]
    return ", ".join([*outside, *HOUSE])


def _outcome(notice: NotificationRow) -> str:
    from tui.screens.records.briefing_text import OUTCOMES

    mark = OUTCOMES.get(notice.outcome)
    why = f" ({notice.error})" if notice.error else ""
    return f"{mark.word if mark else notice.outcome}{why}"


def _write(path: Path, text: str) -> None:
    from tui.clipboard import keep

    path.parent.mkdir(parents=True, exist_ok=True)
    keep(path, text)
