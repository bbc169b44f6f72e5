"""Why another answer than the recommended one: a line that goes on the record with it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import Widget

from tui.actions import bindings
from tui.screens.dialog import Dialog
from tui.widgets.document import Document, Paragraph
from tui.widgets.fields import Field


class ReasonDialog(Dialog[str]):
    """Its answer is the reason; an empty one is not taken."""

    PLACES: ClassVar[tuple[str, ...]] = ("form",)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("form")]
    title_text = "Another answer"

    def __init__(self, label: str, consequence: str) -> None:
        super().__init__()
        self._label, self._consequence = label, consequence

    def body(self) -> Iterable[Widget]:
        yield Document(focusable=False, widget_id="text")
        yield Field(placeholder="why this one? it goes on the record")

    def on_mount(self) -> None:
        lines = [Paragraph(((self._label, "strong"),)), Paragraph(((self._consequence, "dim"),)), Paragraph(())]
        self.query_one(Document).show(lines)
        self.query_one(Field).focus()

    @on(Field.Submitted)
    def action_send(self) -> None:
        reason = self.query_one(Field).value.strip()
        if reason:
            self.dismiss(reason)
        else:
            self.apm.tell("An answer that was not recommended needs a reason.")
