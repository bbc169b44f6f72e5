"""An answer that carries values: a field for each that is missing, and a reason where one is due."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from textual.widget import Widget

from core.contract import Json
from core.sanitise import one_line
from core.store.rows import EscalationRow
from tui.forms import NotReadable, in_order, read_values, shape_of
from tui.screens.form import Form, Label
from tui.widgets.fields import Area, Field


class AnswerForm(Form[tuple[Json, str]]):
    """Its answer is the values and the reason."""

    def __init__(self, question: EscalationRow, option: Json, needs_reason: bool) -> None:
        super().__init__()
        self.title_text = f"Question {question.id}: {one_line(option['label'], 60)}"
        self.draft_key = f"answer:{question.id}:{option['key']}"
        self._asks: Mapping[str, str] = option["asks"]
        self._missing = question.missing
        self._needs_reason = needs_reason

    def fields(self) -> Iterable[Widget]:
        for key in in_order(self._asks):
            how = shape_of(key, self._asks[key])
            yield Label(one_line(key.replace("_", " "), 40), self._missing_of(key))
            if how.lines == 1:
                yield Field(widget_id=f"value-{key}", placeholder=how.hint)
            else:
                yield Area(how.lines, widget_id=f"value-{key}", placeholder=how.hint)
        if self._needs_reason:
            yield Label("reason", "not the recommended answer, so it needs one")
            yield Field(widget_id="reason")

    def _missing_of(self, key: str) -> str:
        """What the gate said about this value."""
        return next((one_line(m.partition(":")[2].strip()) for m in self._missing if m.startswith(f"{key}:")), "")

    def made(self) -> tuple[Json, str]:
        typed = self.typed()
        values = read_values(self._asks, {key: typed[f"value-{key}"] for key in self._asks})
        reason = typed.get("reason", "").strip()
        if self._needs_reason and not reason:
            raise NotReadable("Say why: an answer that was not recommended needs a reason.")
        return values, reason
