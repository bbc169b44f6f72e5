"""One recorded thing in full: a delegation, section by section, or an artifact with its place in the chain."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget

from core.contract import Json, canonical_json, digest_of
from core.sanitise import one_line
from core.store import reads
from core.store.reads import Connection
from core.store.reads_delegations import Called, DelegationFacts, called_of, delegation_facts, running
from core.store.reads_turns import CallRow, calls, turns
from core.store.rows import ArtifactRow, DelegationRow, LiveRow
from tui.actions import bindings
from tui.bridge import Change
from tui.screens.pane_screen import PaneTabs
from tui.screens.work import delegation_text
from tui.screens.work.paid_text import fact
from tui.screens.work.turn_text import Told, told
from tui.text.json_text import json_paragraphs
from tui.text.moments import exact_moment
from tui.text.words import Line, plural
from tui.widgets.document import BLANK, Document, Paragraph, heading
from tui.widgets.key_bar import KeyBar
from tui.widgets.live import Live
from tui.widgets.painted import cells_of, fit
from tui.widgets.row_list import RowList
from tui.widgets.top_line import TopLine

if TYPE_CHECKING:
    from tui.app import ApmApp


SECTIONS = ("summary", "request", "response", "evidence", "log")
MOST_TURNS = 1_000
"""Turns that are kept on the screen, the newest."""
BORDERS_FROM = 100
"""Cells of width from which panes have borders."""


class Reader(Live, Widget):
    """Takes no room: it reads for the whole screen."""

    FOLLOWS_RUNNING = True

    async def read_anew(self, change: Change) -> None:
        await cast("Detail", self.screen).read_anew(change)


class Detail(Screen[None]):
    """A text of its own; what it is about is read again when something happens to it."""

    PLACES: ClassVar[tuple[str, ...]] = ("detail",)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("detail")]
    CSS_PATH = "../../styles/detail.tcss"
    title_text = ""

    def compose(self) -> ComposeResult:
        yield TopLine()
        yield from self.head()
        yield Document(widget_id="detail", classes="pane")
        yield Reader()
        yield KeyBar()

    def head(self) -> ComposeResult:
        yield from ()

    @property
    def apm(self) -> ApmApp:
        return cast("ApmApp", self.app)

    @property
    def document(self) -> Document:
        return self.query_one("#detail", Document)

    def on_mount(self) -> None:
        self.document.border_title = Content(self.title_text)
        self.document.focus()

    async def read_anew(self, change: Change) -> None:
        raise NotImplementedError

    def on_descendant_focus(self) -> None:
        self.apm.show_keys()

    def on_screen_resume(self) -> None:
        for widget in self.query(Widget):
            if isinstance(widget, Live):
                widget.catch_up()
        self.apm.show_keys()

    def tick(self, now: int) -> None:
        for widget in self.query(Widget):
            if isinstance(widget, Live):
                widget.tick(now)

    def action_out(self) -> None:
        self.dismiss()


class Sections(PaneTabs):
    """The sections' names, a click on which goes there; and whose they are, where the text has no border to say it."""

    whose: reactive[str] = reactive("")

    def halves(self, width: int) -> tuple[Line, Line]:
        left, _ = super().halves(width)
        if width >= BORDERS_FROM:
            return left, ()
        whose: Line = ((self.whose, "strong"), (" ", "text"))
        return left, fit(whose, min(cells_of(whose), width - cells_of(left) - 1))

    def go_to(self, number: int) -> None:
        cast("DelegationDetail", self.screen).action_section(number)


class DelegationDetail(Detail):
    """What one agent asked of another, what it answered, the commands that were run for it, and what happened.

    One that still runs can be entered as well: it goes on here, and turns into its record.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("sections", "detail")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("sections")]

    def __init__(self, row: DelegationRow) -> None:
        super().__init__()
        self._row = row
        self._called: Called | None = None
        self._facts: DelegationFacts | None = None
        self._turns: tuple[Told, ...] = ()
        self._calls: tuple[CallRow, ...] = ()
        self._section = 0
        self.title_text = one_line(f"{row.agent} {row.subject}".strip(), 60)

    def head(self) -> ComposeResult:
        yield Sections()

    async def read_anew(self, change: Change) -> None:
        if not (change.everything or change.live or self._row.work_item in change.work_items):
            if change.told:
                await self._hear()
            return
        before = self._turns

        def read(reader: Connection, live: LiveRow, _: int) -> tuple[Any, ...]:
            called = self._called or called_of(reader, self._row)
            new = turns(reader, called, after=before[-1].number if before else 0)
            kept = (*before, *map(told, new))[-MOST_TURNS:]
            return called, delegation_facts(reader, called, live), kept, calls(reader, called)

        try:
            called, facts, self._turns, self._calls = await self.apm.bridge.read(read)
        except LookupError as error:
            self.apm.complain(str(error))
            return
        if not self.query("#detail"):
            return  # left while it was read
        self._called, self._facts = called, facts
        self.document.border_subtitle = Content(f"#{called.work_item} {called.phase}, round {called.round}")
        self.query_one(Sections).titles = delegation_text.counts(facts, self._turns)
        whose = f"{one_line(called.agent, 40)} {one_line(called.subject, 20)}".strip()
        self.query_one(Sections).whose = whose
        self._show(from_top=False)

    async def _hear(self) -> None:
        """What it tells of itself now; nothing else has changed."""
        called = self._called
        if called is None or self._facts is None or self._facts.since is None:
            return
        live = await self.apm.bridge.read(lambda _, live, __: running(called, live))
        if live and live != self._facts.live and self.query("#detail"):
            self._facts = replace(self._facts, live=live)
            self._show(from_top=False)

    def tick(self, now: int) -> None:
        super().tick(now)
        if self._facts is not None and self._facts.since is not None:
            self._show(from_top=False)

    def _show(self, *, from_top: bool) -> None:
        if self._facts is not None:
            self.query_one(Sections).current = self._section
            document, is_log = self.document, SECTIONS[self._section] == "log"
            # What goes on is read at its end, until somebody scrolls up.
            is_at_end = document.scroll_offset.y >= document.max_scroll_y
            document.show(self._paragraphs(self._facts, self.apm.now()), from_top=from_top)
            if is_log and self._facts.since is not None and (from_top or is_at_end):
                self.call_after_refresh(document.action_edge, 1)

    def _paragraphs(self, facts: DelegationFacts, now: int) -> list[Paragraph]:
        match SECTIONS[self._section]:
            case "summary":
                return delegation_text.summary(facts, now, self._calls)
            case "request":
                return delegation_text.request(facts)
            case "response":
                return delegation_text.response(facts)
            case "evidence":
                return delegation_text.evidence(facts)
        return delegation_text.log(facts, now, self._turns)

    def action_section(self, number: int) -> None:
        if number - 1 != self._section and number <= len(SECTIONS):
            self._section = number - 1
            self._show(from_top=True)

    def action_step(self, step: int) -> None:
        self.action_section((self._section + step) % len(SECTIONS) + 1)

    def on_row_list_sideways(self, message: RowList.Sideways) -> None:
        self.action_step(message.direction)


class ArtifactDetail(Detail):
    """The content of an artifact, with its place in the chain; its digest is computed again from what is stored."""

    def __init__(self, row: ArtifactRow) -> None:
        super().__init__()
        self._row = row
        self.title_text = one_line(f"{row.type} {row.digest[:12]}")

    async def read_anew(self, change: Change) -> None:
        if self.document.paragraphs:
            return  # An artifact never changes.

        def read(reader: Connection, *_: object) -> tuple[list[Paragraph], Json]:
            content = reads.artifact_content(reader, self._row.id)
            return artifact_facts(self._row, content, reads.artifacts(reader, self._row.work_item)), content

        try:
            facts, content = await self.apm.bridge.read(read)
        except LookupError as error:
            self.apm.complain(str(error))
            return
        self.document.show([*facts, BLANK, heading("Content"), *json_paragraphs(content)])


def artifact_facts(row: ArtifactRow, content: Json, chain: tuple[ArtifactRow, ...]) -> list[Paragraph]:
    """Who made it of what, and whether the digest is that of the content."""
    verified = digest_of({"type": row.type, "content": content}) == row.digest
    size = len(canonical_json(content).encode("utf-8", "surrogatepass"))
    parent = next((a for a in chain if a.digest == row.parent), None)
    children = [a for a in chain if a.parent == row.digest]
    return [
        fact("type", row.type),
        fact("digest", row.digest),
        fact("", "✓ digest verified: the content gives it", "good")
        if verified
        else fact("", "✗ the stored content gives another digest: it was changed after it was handed on", "bad"),
        fact("made of", _made_of(row, parent), "text" if parent is not None or row.parent is None else "bad"),
        fact("became", ", ".join(f"{a.type} {a.digest[:12]}" for a in children) or "nothing yet"),
        fact("made by", row.producer),
        fact("made at", exact_moment(row.at)),
        fact("size", f"{plural(size, 'byte')} of JSON" if size < 10_000 else f"{size / 1_000:,.0f} kB of JSON"),
    ]


def _made_of(row: ArtifactRow, parent: ArtifactRow | None) -> str:
    if row.parent is None:
        return "nothing: it is the first of its chain"
    if parent is None:
        return f"{row.parent}, which is not among this work item's artifacts: the chain is broken"
    return f"{parent.type} {parent.digest}"
