"""Everything that happened, newest first: who or what decided it, what it is about, and whether the record is whole."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from core.store import reads_governance, reads_history
from core.store.audit import verify
from core.store.event_facts import EventFacts
from core.store.reads import Connection
from core.store.reads_activity import delegation
from core.store.reads_events import HistoryRow, event_document
from core.store.store import Reader
from tui.actions import bindings
from tui.background import in_background
from tui.screens.pane_screen import PaneScreen, PaneTabs
from tui.screens.records.history_text import Verified, event_paragraphs
from tui.subjects import first_that_opens, open_ref
from tui.text.words import Line
from tui.widgets.document import Document
from tui.widgets.event_list import SECTIONS, EventList
from tui.widgets.key_bar import KeyBar
from tui.widgets.record_line import RecordLine
from tui.widgets.row_list import RowList
from tui.widgets.top_line import TopLine


class EventText(Document):
    """Pane 2: the event under the cursor."""

    TITLE = "event"
    summary = ""


class History(PaneScreen):
    """The journal as a list, and the event under the cursor in full."""

    PLACES: ClassVar[tuple[str, ...]] = ("history", "panes")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("history")]
    PANES: ClassVar[tuple[str, ...]] = ("events", "event")
    BESIDE: ClassVar[dict[tuple[str, int], str]] = {("events", 1): "event", ("event", -1): "events"}
    CSS_PATH = "../../styles/records.tcss"

    def __init__(self, work_item: int | None = None) -> None:
        super().__init__()
        self.work_item = work_item
        self._verified: Verified | None = None
        self._is_verifying = False

    def compose(self) -> ComposeResult:
        yield TopLine()
        yield RecordLine("History")
        yield PaneTabs()
        yield from self.body()
        yield KeyBar()

    def body(self) -> Iterable[Widget]:
        yield Horizontal(
            EventList(self.work_item, widget_id="events", classes="pane lists"),
            EventText(widget_id="event", classes="pane record"),
        )

    def on_mount(self) -> None:
        self._say()

    @property
    def events(self) -> EventList:
        return self.query_one(EventList)

    # What is shown

    def _say(self) -> None:
        line, events = self.query_one(RecordLine), self.events
        item: Line = ((f" of work item {events.work_item}", "accent"),) if events.work_item is not None else ()
        line.left = ((SECTIONS[events.section][0], "text"), *item)
        if events.looks_at:
            line.right = ((f"● looking back, at {events.looks_at:,}", "run"),)
            line.short = ((f"● at {events.looks_at:,}", "run"),)
        elif events.unseen:
            line.short = ((f"+{events.unseen:,} new", "ask"), (", ", "dim"), ("g", "accent"))
            line.right = (*line.short, (" goes there", "dim"))
        else:
            line.right, line.short = self._chain()

    def _chain(self) -> tuple[Line, Line]:
        """What is known of the chain of events; and in short."""
        if self._is_verifying:
            return (("● looking at the chain", "run"),), (("● looking", "run"),)
        if self._verified is None:
            return (("chain not verified", "faint"),), (("not verified", "faint"),)
        if self._verified.is_whole:
            return ((f"✓ chain whole up to {self._verified.head:,}", "good"),), (("✓ whole", "good"),)
        at = self._verified.faults[0].seq
        return ((f"✗ chain broken at {at:,}", "bad"),), ((f"✗ broken at {at:,}", "bad"),)

    @on(EventList.Grown)
    def _grown(self) -> None:
        self._say()

    @on(RowList.Moved)
    def _moved(self) -> None:
        self._read_event()

    def _read_event(self) -> None:
        """The event under the cursor; what was asked for last is what is shown."""
        in_background(self, self._show_event(), group="event", exclusive=True)

    async def _show_event(self) -> None:
        events, pane = self.events, self.query_one(EventText)
        if not events.count:
            pane.show([])
            return
        seq, verified = events.key_at(events.cursor), self._verified
        found = await self.apm.bridge.read(
            lambda reader, *_: event_paragraphs(event_document(reader, seq), seq, verified)
        )
        pane.show(found, from_top=pane.summary != f"{seq:,}")
        pane.summary = f"{seq:,}"
        self.refresh_titles()

    # What can be done

    def action_section(self) -> None:
        from tui.screens.dialogs.choice import Choice, ChoiceDialog

        def choose(key: str | None) -> None:
            if key is not None:
                self._show_only(section=key, work_item=self.events.work_item)

        # What is shown at first has no number: esc leads there, and there are nine numbers.
        offered = {key: said for key, said in SECTIONS.items() if key != reads_history.USUAL}
        cards = [Choice(key, title.capitalize(), about) for key, (title, about) in offered.items()]
        self.app.push_screen(ChoiceDialog("Which events", cards), choose)

    def action_only_item(self) -> None:
        events = self.events
        if events.work_item is not None:
            self._show_only(section=events.section, work_item=None)
        elif events.row is None or events.row.event.work_item is None:
            self.apm.tell("This event belongs to no work item.")
        else:
            self._show_only(section=events.section, work_item=events.row.event.work_item)

    def _show_only(self, *, section: str, work_item: int | None) -> None:
        self.events.show_only(section=section, work_item=work_item)
        self._say()

    def applies(self, action_id: str) -> bool | str:
        """Whether an action makes sense for the event under the cursor; else why not."""
        is_either = self._decision is not None or self._answer is not None
        return is_either or action_id != "history.reverse" or "this event is neither a decision's nor an answer's"

    @property
    def _decision(self) -> int | None:
        """The number of the decision that the event under the cursor is about."""
        row = self.events.row
        return None if row is None else row.event.refs.get("decision")

    @property
    def _answer(self) -> EventFacts | None:
        """The event under the cursor, where it is an answer's."""
        row = self.events.row
        return None if row is None or row.event.kind != "escalation.resolved" else row.event

    def action_reverse(self) -> None:
        from tui.screens.records.reversing import take_answer_back, take_back

        if self._decision is not None:
            in_background(self, take_back(self.apm, self._decision), group="dialogs")
        elif self._answer is not None:
            work = take_answer_back(self.apm, self._answer.refs["escalation"], self._answer.at)
            in_background(self, work, group="dialogs")
        else:
            self.apm.tell("This event is neither a decision's nor an answer's.")

    def action_out(self) -> None:
        """Drop the filter, then the choice of events, then leave."""
        if self.current == "events" and not self.events.filter_text and self.events.section != reads_history.USUAL:
            self._show_only(section=reads_history.USUAL, work_item=self.events.work_item)
        else:
            super().action_out()

    def action_verify(self) -> None:
        if self._is_verifying:
            self.apm.tell("The chain is being looked at already.")
        else:
            in_background(self, self._verify(), group="verify")

    async def _verify(self) -> None:
        """Reads the whole journal, a second for some 100,000 events; the screen goes on meanwhile."""
        self._is_verifying = True
        self._say()
        try:
            self._verified = found = await self.apm.bridge.read(self._look)
        finally:
            self._is_verifying = False
            self._say()
        if found.is_whole:
            self.apm.tell(f"The chain is whole: {found.head:,} events, each as it was written.")
        else:
            more = f" And {len(found.faults) - 1} more." if len(found.faults) > 1 else ""
            self.apm.complain(f"The chain is broken: {found.faults[0].what}.{more}")
        self._read_event()

    def _look(self, reader: Connection, _: Any, now: int) -> Verified:
        audit = verify(cast("Reader", reader), self.apm.workspace.store.key)
        return Verified(reads_history.newest(reader), now, audit.faults)

    # Opening

    @on(RowList.Opened)
    def _opened(self, message: RowList.Opened) -> None:
        if isinstance(message.row, HistoryRow):
            in_background(self, self._open(message.row.event), group="open", exclusive=True)

    async def _open(self, event: EventFacts) -> None:
        if not await self._open_subject(event):
            self.go("event")

    async def _open_subject(self, event: EventFacts) -> bool:
        """What it is about, where that has a screen; else it is read here."""
        if isinstance(number := event.facts.get("delegation"), int):
            found = await self.apm.bridge.read(lambda reader, *_: delegation(reader, number))
            if found is not None:
                from tui.screens.work.detail import DelegationDetail

                self.app.push_screen(DelegationDetail(found))
                return True
        refs = dict(event.refs)
        if "decision" in refs:
            decided = await self.apm.bridge.read(lambda r, *_: reads_governance.decision(r, event.refs["decision"]))
            if decided is not None and decided.escalation is not None:
                refs["escalation"] = decided.escalation
        if event.kind is not None and event.kind.startswith("agents."):
            return open_ref(self.apm, ("agent", ""))
        ref = first_that_opens(refs)
        return ref is not None and open_ref(self.apm, ref)
