"""The inbox: sections of questions, answered straight from the list while the question in hand is read below it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, cast

from textual import on
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from core.store.reads_triage import AnsweredRow
from core.store.rows import EscalationRow
from core.store.transaction import Transaction
from tui.actions import bindings
from tui.background import in_background
from tui.questions import sections
from tui.questions.sections import Section
from tui.screens.pane_screen import PaneScreen
from tui.screens.triage.empty import empty_lines
from tui.screens.triage.lists import AnsweredToday, Inbox
from tui.screens.triage.marked import Many
from tui.screens.triage.preview import Preview
from tui.screens.triage.sections import SectionRow, Sections
from tui.undoing import Undo
from tui.widgets.row_list import RowList

NO_FILTER = "There is no filter to keep: write one with / first."
HOUSE_SECTION = "Every inbox has this section; only one that was kept with W can be removed."


class Triage(PaneScreen):
    """Pane 2 holds the questions of the section under the cursor of pane 1, pane 3 the question under its own."""

    PLACES: ClassVar[tuple[str, ...]] = ("triage", "panes")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("triage")]
    CSS_PATH = "../../styles/triage.tcss"
    NUMBERED = False
    PANES: ClassVar[tuple[str, ...]] = ("sections", "inbox", "preview")
    BESIDE: ClassVar[dict[tuple[str, int], str]] = {
        ("sections", 1): "inbox",
        ("inbox", -1): "sections",
        ("inbox", 1): "preview",
        ("answered", -1): "sections",
        ("answered", 1): "preview",
        ("preview", -1): "sections",
    }

    def __init__(self) -> None:
        super().__init__()
        self.section = sections.HOUSE[0]
        self.many = Many(self)

    def body(self) -> Iterable[Widget]:
        yield Horizontal(
            Sections(widget_id="sections", classes="pane"),
            Vertical(
                Inbox(widget_id="inbox", classes="pane"),
                AnsweredToday(widget_id="answered", classes="pane"),
                Preview(widget_id="preview", classes="pane"),
                id="asked-for",
                classes="column",
            ),
            id="triage",
        )

    @property
    def start_pane(self) -> str:
        return "inbox"

    @property
    def inbox(self) -> Inbox:
        return self.query_one(Inbox)

    @property
    def sections(self) -> Sections:
        return self.query_one(Sections)

    @property
    def preview(self) -> Preview:
        return self.query_one(Preview)

    @property
    def rows(self) -> RowList[Any]:
        """The list that is shown in pane 2."""
        return self.query_one(AnsweredToday) if self.section.shown.provenance else self.inbox

    # Sections

    def on_mount(self) -> None:
        self.query_one(AnsweredToday).display = False
        super().on_mount()

    @on(RowList.Moved, "#sections")
    def _moved_section(self, message: RowList.Moved) -> None:
        row: SectionRow | None = message.row
        if row is not None and row.section != self.section:
            self._show_section(row.section)

    def _show_section(self, section: Section) -> None:
        self.section = section
        answered, inbox = self.query_one(AnsweredToday), self.inbox
        is_answered = bool(section.shown.provenance)
        answered.display, inbox.display = is_answered, not is_answered
        (answered if is_answered else inbox).show(section)
        self._say_empty()
        self.follow()

    def go(self, name: str) -> None:
        """To a pane; to the list that is shown, by whichever of the two it is asked for."""
        super().go(str(self.rows.id) if name == "inbox" else name)

    def _set_panes(self) -> None:
        """Pane 2 is the list that is shown; where it is empty there is no question, and what it says has the room."""
        rows = self.rows
        preview = ("preview",) if rows.count or not rows.is_loaded else ()
        panes = ("sections", str(rows.id), *preview)
        if panes != self.PANES:
            self._change_panes(panes)

    def _change_panes(self, panes: tuple[str, ...]) -> None:
        here, focused = self.current, self.focused
        self.PANES = panes  # type: ignore[misc]
        self.preview.display = "preview" in panes
        self._show_current(here if here in panes else panes[1])
        if here not in panes and (focused is None or focused.id == here):
            # Where a filter is being typed, that goes on.
            self.pane(panes[1]).focus()
        self.lay_out()

    def action_section(self, step: int) -> None:
        self.sections.action_down(step)

    def counted(self) -> None:
        """The sections have been counted anew."""
        self._say_empty()

    def refresh_titles(self) -> None:
        self._set_panes()
        super().refresh_titles()

    def _say_empty(self) -> None:
        rows = self.rows
        lines = empty_lines(self.section, self.sections.counts, self.apm.now())
        if lines != rows.empty:
            rows.empty = lines
            rows.refresh()

    def applies(self, action_id: str) -> bool | str:
        """Whether an action makes sense here now; else why not."""
        if action_id == "triage.keep" and not self.rows.filter_text.strip():
            return NO_FILTER
        return HOUSE_SECTION if action_id == "triage.drop" and not self.section.is_kept else True

    def action_keep(self) -> None:
        """Keep the filter of the list as a section."""
        from tui.screens.dialogs.reason import LineDialog
        from tui.widgets.document import Paragraph

        words, shown = self.rows.filter_text.strip(), self.section
        if not words:
            self.apm.tell(NO_FILTER)
            return
        about = Paragraph((("/", "accent"), (words, "strong"), (f"  in “{shown.title}”", "dim")))
        dialog = LineDialog("Keep this filter as a section", [about], "its name", needed="A section needs a name.")

        def keep(name: str | None) -> None:
            if name is not None:
                self._keep(name, shown, words)

        self.apm.push_screen(dialog, keep)

    def _keep(self, name: str, shown: Section, words: str) -> None:
        app = self.apm

        def work(tx: Transaction) -> None:
            sections.keep(tx, name, shown, words, by=app.person)

        app.do(work, f"Kept as the section {name!r}.")

    def action_drop(self) -> None:
        """Remove the kept section that is shown, after a question."""
        from tui.screens.dialogs.choice import ConfirmDialog

        shown = self.section
        if not shown.is_kept:
            self.apm.tell(HOUSE_SECTION)
            return

        def drop(yes: bool | None) -> None:
            if yes:
                self._drop(shown)

        text = f"“{shown.title}” shows /{shown.words}. Its questions stay."
        self.apm.push_screen(ConfirmDialog("Remove this section?", text, "Remove it", "Keep it"), drop)

    def _drop(self, shown: Section) -> None:
        app = self.apm

        def work(tx: Transaction) -> None:
            sections.drop(tx, shown.title, by=app.person)

        def back(tx: Transaction) -> None:
            sections.put_back(tx, shown, by=app.person)

        app.do(
            work, f"The section {shown.title!r} is removed.", undo=Undo(f"{shown.title!r} is a section again.", back)
        )

    # The question in hand

    @on(RowList.Moved, "#inbox")
    @on(RowList.Moved, "#answered")
    def _moved_row(self) -> None:
        self.follow()

    def follow(self) -> None:
        """The preview shows what the cursor is on."""
        rows = self.rows
        self._set_panes()
        if not rows.count:
            self.preview.want(None)
        elif self.section.shown.provenance:
            row = cast("AnsweredRow | None", rows.row)
            self.preview.want(None if row is None else row.escalation)
        else:
            self.preview.want(cast(int, rows.key_at(rows.cursor)))

    def question_in_hand(self) -> EscalationRow | None:
        """The question under the cursor, if it is what the preview shows: keys typed before that answer nothing."""
        inbox = self.inbox
        if self.section.shown.provenance or not inbox.count:
            return None
        return self.preview.drawn(inbox.key_at(inbox.cursor))

    def is_drawing(self) -> bool:
        """A question is under the cursor, and the preview still shows another one, or nothing."""
        asks = self.inbox.count and not self.section.shown.provenance
        return bool(asks) and self.preview.is_open and self.question_in_hand() is None

    def question_shown(self) -> EscalationRow | None:
        """The question under the cursor, whether or not it can be answered at this moment."""
        row: EscalationRow | None = None if self.section.shown.provenance else self.inbox.row
        return row

    def look_first(self) -> bool:
        """Where the preview cannot be seen, show it: an answer is for what was looked at. Whether that was so."""
        if self.preview.is_open or self.section.shown.provenance or not self.inbox.count:
            return False
        if not self.unfold("preview"):
            self.go("preview")
        return True

    def go_on(self, question: EscalationRow) -> None:
        """The question has been answered or put away: the next one that needs me is under the cursor at once."""
        self.inbox.after(question.id)

    @on(RowList.Marked, "#inbox")
    def _marked(self) -> None:
        in_background(self, self.many.note_marks(), group="marks")
        self.refresh_titles()

    @on(RowList.Opened)
    def _open(self, message: RowList.Opened) -> None:
        row: Any = message.row
        if isinstance(row, EscalationRow):
            self.apm.open_question(row.id)
        elif isinstance(row, AnsweredRow):
            self.apm.open_question(row.escalation)
        elif isinstance(row, SectionRow):
            self.go(self.PANES[1])

    def action_scroll_text(self, direction: int) -> None:
        self.preview.action_half(direction)
