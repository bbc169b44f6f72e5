"""Dialogs of the scope review: a look before a yes, a word with its reason, and the choice of a kind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widget import Widget

from core.governance.authority import AUTONOMOUS, Kind
from core.sanitise import one_line
from tui.actions import bindings
from tui.screens.dialogs.choice import ConfirmDialog
from tui.screens.dialogs.dialog import Dialog
from tui.screens.dialogs.form import Complaint, Label
from tui.text.words import Line, Mark
from tui.widgets.columns import Column
from tui.widgets.document import Document, Paragraph
from tui.widgets.fields import Field
from tui.widgets.filter_bar import FilterBar
from tui.widgets.key_bar import KeyBar
from tui.widgets.row_list import RowList

DECIDES = Mark("✓", "decides", "good")
ASKS = Mark("◆", "asks", "ask")


class PreviewDialog(ConfirmDialog):
    """What would be done, before a yes."""

    TEXT_ID = "preview"


class WordDialog(Dialog[str]):
    """A line that goes on the record; an empty one is not taken. What is written is kept until it is there."""

    PLACES: ClassVar[tuple[str, ...]] = ("line",)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("line")]

    def __init__(
        self, title: str, preview: Sequence[Paragraph], label: str, hint: str, *, needed: str, draft_key: str
    ) -> None:
        super().__init__()
        self.title_text, self._preview = title, [*preview, Paragraph(())]
        self._label, self._hint, self._needed, self.draft_key = label, hint, needed, draft_key

    def body(self) -> Iterable[Widget]:
        yield Document(focusable=False, widget_id="preview")
        yield Label(self._label, self._hint)
        yield Field(widget_id="word")
        yield Complaint()

    def on_mount(self) -> None:
        self.query_one(Complaint).say("")
        self.query_one(Document).show(self._preview)
        field = self.query_one(Field)
        field.value = self.apm.drafts.get(self.draft_key, {}).get("word", "")
        field.focus()

    @on(Field.Submitted)
    def action_send(self) -> None:
        said = self.query_one(Field).value.strip()
        if not said:
            self.query_one(Complaint).say(self._needed)
            return
        self.keep_draft()
        self.dismiss(said)

    @on(Field.Changed)
    def _judge_again(self) -> None:
        """That a line is needed is said of an empty one."""
        if self.query_one(Field).value.strip():
            self.query_one(Complaint).say("")

    def action_out(self) -> None:
        self.keep_draft()
        self.dismiss(None)

    def keep_draft(self) -> None:
        self.apm.drafts[self.draft_key] = {"word": self.query_one(Field).value}


class KindDialog(Dialog[Kind]):
    """The kind of decision whose authority shall change; its answer is the kind."""

    PLACES: ClassVar[tuple[str, ...]] = ("kinds",)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("kinds")]

    def __init__(self, title: str, kinds: Sequence[Kind], at: tuple[str, str] | None = None) -> None:
        super().__init__()
        self.title_text, self._kinds, self._at = title, tuple(kinds), at

    def body(self) -> Iterable[Widget]:
        several = len({kind.agent for kind in self._kinds}) > 1
        columns = (
            *((Column("agent", 9, rank=2),) if several else ()),
            Column("kind", least=14),
            Column("now", 9),
            Column("may change", 17, rank=1),
        )
        yield RowList[Kind](
            columns,
            key=lambda kind: (kind.agent, kind.key),
            cells=lambda kind: _kind_cells(kind)[0 if several else 1 :],
            empty=((("No list of a domain agent names a kind.", "dim"),),),
            widget_id="kinds",
        )

    def on_mount(self) -> None:
        rows = self.query_one("#kinds", RowList)
        rows.set_rows(self._kinds)
        rows.focus()
        if self._at is not None:
            rows.go_to(self._at)

    @on(RowList.Opened)
    def _taken(self, message: RowList.Opened) -> None:
        message.stop()
        self.dismiss(message.row)

    @on(RowList.FilterAsked)
    async def _ask_filter(self, message: RowList.FilterAsked) -> None:
        message.stop()
        bar = FilterBar(message.rows)
        await self.query_one("#box", Vertical).mount(bar, before=self.query_one(KeyBar))
        bar.focus()

    def action_out(self) -> None:
        rows = self.query_one("#kinds", RowList)
        if rows.filter_text:
            rows.set_filter("")
        else:
            self.dismiss(None)


def _kind_cells(kind: Kind) -> tuple[Line, ...]:
    now = DECIDES if kind.mode == AUTONOMOUS else ASKS
    may: Line = (("to ask" if kind.mode == AUTONOMOUS else "to decide", "dim"),)
    if kind.limit is not None and kind.mode != AUTONOMOUS:
        may = (("always a person's", "faint"),)
    name: Line = ((one_line(kind.key, 64), "strong"), (f"  {one_line(kind.title, 120)}", "dim"))
    return ((one_line(kind.agent, 40), "text"),), name, now.line(), may
