"""A line that goes on the record: why another answer, what is asked back, what is replied."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import Widget

from tui.actions import bindings
from tui.questions.forms import NotReadable
from tui.screens.dialogs.dialog import Dialog
from tui.screens.dialogs.form import Complaint
from tui.widgets.document import BLANK, Document, Paragraph
from tui.widgets.fields import Field


class LineDialog(Dialog[str]):
    """Its answer is what was written. An empty line is not taken where `needed` says why one is needed.

    What is written is kept under `draft_key` until whoever asked for it has it on record and drops it.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("line",)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("line")]
    CSS_PATH = "../../styles/decision.tcss"

    def __init__(
        self,
        title: str,
        about: Sequence[Paragraph],
        placeholder: str,
        *,
        needed: str = "",
        draft_key: str = "",
        check: Callable[[str], object] = str,
    ) -> None:
        """`check` raises NotReadable for a line that is not taken."""
        super().__init__()
        self.title_text, self._about, self._placeholder = title, tuple(about), placeholder
        self._needed, self.draft_key, self._check = needed, draft_key, check

    def body(self) -> Iterable[Widget]:
        yield Document(focusable=False, widget_id="text")
        yield Field(placeholder=self._placeholder, widget_id="line")
        yield Complaint()

    def on_mount(self) -> None:
        self.query_one(Complaint).say("")
        self.query_one(Document).show([*self._about, *([BLANK] if self._about else [])])
        field = self.query_one(Field)
        field.value = self.apm.drafts.get(self.draft_key, {}).get("line", "")
        field.cursor_position = len(field.value)
        field.focus()

    @on(Field.Submitted)
    def action_send(self) -> None:
        if fault := self.fault():
            self.query_one(Complaint).say(fault)
            return
        self.keep_draft()
        self.dismiss(self.line)

    @on(Field.Changed)
    def _judge_again(self) -> None:
        """A complaint is about what is typed now; none comes before something was to be sent."""
        complaint = self.query_one(Complaint)
        if complaint.text:
            complaint.say(self.fault())

    @property
    def line(self) -> str:
        return self.query_one(Field).value.strip()

    def fault(self) -> str:
        """Why the line is not taken; "" where it is."""
        if not self.line and self._needed:
            return self._needed
        try:
            self._check(self.line)
        except NotReadable as error:
            return str(error)
        return ""

    def action_out(self) -> None:
        self.keep_draft()
        self.dismiss(None)

    def keep_draft(self) -> None:
        if self.draft_key:
            self.apm.drafts[self.draft_key] = {"line": self.query_one(Field).value}


class ReasonDialog(LineDialog):
    """Why another answer than the recommended one."""

    def __init__(self, label: str, consequence: str, *, draft_key: str = "") -> None:
        super().__init__(
            "Another answer",
            [Paragraph(((label, "strong"),)), Paragraph(((consequence, "dim"),))],
            "why this one? it goes on the record",
            needed="An answer that was not recommended needs a reason.",
            draft_key=draft_key,
        )
