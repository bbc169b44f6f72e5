"""An answer that carries values: a field for each that is missing, and a reason where one is due."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import Widget

from core.contract import ApmError, Json
from core.governance.answers import check_answer
from core.sanitise import one_line
from core.store.rows import EscalationRow
from tui.actions import bindings
from tui.questions.answer_file import REASON
from tui.questions.answer_parts import Part, parts_of, six_w_short
from tui.questions.forms import NotReadable, read_values
from tui.screens.dialogs.form import Complaint, Form, Label
from tui.widgets.fields import Area, Field
from tui.widgets.picker import Picker

FLAG = ("not said", "yes", "no")
FIELD, LABEL = "value-", "label-"
OF_ONE = {"criteria": "how you saw that it holds", "mitigations": "what will be done about it"}
"""What is typed for one id of a value, where that is no amount."""


@dataclass(frozen=True, slots=True)
class Given:
    """What was filled in."""

    values: Json
    reason: str


@dataclass(frozen=True, slots=True)
class InEditor:
    """It goes on in the person's editor, with the fields as they stand, by value."""

    typed: dict[str, str]


class AnswerForm(Form[Given | InEditor]):
    """Its answer is the values and the reason, or the wish to go on in an editor.

    What was written is kept as a draft until the answer is on the record: `draft_key` is where.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("answer", "form")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("answer"), *bindings("form")]

    def __init__(self, question: EscalationRow, option: Json, needs_reason: bool) -> None:
        super().__init__()
        about = f"#{question.work_item} {one_line(question.title, 30)}" if question.title else f"Question {question.id}"
        self.title_text = f"{about}: {one_line(option['label'], 60)}"
        self.draft_key = draft_key(question, option)
        self._question, self._asks = question, dict(option["asks"])
        self._parts, self._needs_reason = parts_of(question, option), needs_reason
        self._warned: dict[str, str] = {}
        """What was typed when it was told that the gate would miss something again."""

    def fields(self) -> Iterable[Widget]:
        for part in self._parts:
            for key, name, said in part.fields:
                yield Label(name, said, widget_id=f"{LABEL}{key}")
                yield _field(part, key)
        if self._needs_reason:
            yield Label(REASON, "not the recommended answer, so it needs one")
            yield Field(widget_id=REASON, placeholder="why this one? it goes on the record")

    def on_mount(self) -> None:
        for part in self._parts:
            if part.begun and not part.ids:
                # Textual calls `on_mount` of every base class by itself, after this: drafts come last.
                self.query_one(f"#{FIELD}{part.key}", Area).begin(part.begun)

    @on(Area.Changed)
    @on(Field.Changed)
    def _count(self) -> None:
        """Beside each field, what the gate would say now."""
        typed = self.typed()
        for part in self._parts:
            if not part.ids:
                self.query_one(f"#{LABEL}{part.key}", Label).tell(part.told(typed.get(FIELD + part.key, "")))

    def by_value(self) -> dict[str, str]:
        """What is typed for each value, and for the reason."""
        typed = self.typed()
        fields = {key.removeprefix(FIELD): text for key, text in typed.items()}
        found = {part.key: part.text(fields) for part in self._parts}
        told = {key: "" if text == FLAG[0] else text for key, text in found.items()}
        return told | ({REASON: typed[REASON]} if self._needs_reason else {})

    def made(self) -> Given | InEditor:
        typed = self.by_value()
        values = read_values(self._asks, typed)
        for key, value in values.items():
            try:
                check_answer(self._question.id, {key: self._asks[key]}, {key: value})
            except ApmError as error:
                told = str(error).removeprefix(f"Escalation {self._question.id}: ")
                raise NotReadable(told, key) from None
        reason = typed.get(REASON, "").strip()
        if self._needs_reason and not reason:
            raise NotReadable("Say why: an answer that was not recommended needs a reason.", REASON)
        return Given(values, reason)

    def action_send(self) -> None:
        try:
            answer = self.made()
        except NotReadable as error:
            self.query_one(Complaint).say(str(error))
            self._show_fault(error.key)
            return
        short, typed = self._falls_short(), self.by_value()
        if short and self._warned != typed:
            self._warned = typed
            self.query_one(Complaint).say(f"{short} Send once more to send it as it is.")
            return
        # Not forgotten yet: the question may have changed meanwhile, and then this is written again for nothing.
        self.keep_draft()
        self.dismiss(answer)

    def fault(self) -> str:
        return super().fault() or self._falls_short()

    def _falls_short(self) -> str:
        """What the gate would miss again."""
        typed = self.by_value()
        parts = [part for part in self._parts if part.falls_short(typed[part.key])]
        short = [f"{part.name} {part.amount(typed[part.key])}" for part in parts]
        if thin := six_w_short(self._question.missing, typed):
            short.append(thin)
        return f"The gate would ask again: {'; '.join(short)}." if short else ""

    def _show_fault(self, key: str) -> None:
        """To the field that the complaint is about."""
        if not key:
            return
        value, _, one = key.partition(".")
        part = next((part for part in self._parts if part.key == value), None)
        fields = [name for name, *_ in part.fields] if part is not None else []
        at = f"{value}-{one}" if f"{value}-{one}" in fields else next(iter(fields), "")
        self.query_one(f"#{FIELD}{at}" if at else f"#{REASON}").focus()

    def action_editor(self) -> None:
        self.keep_draft()
        self.dismiss(InEditor(self.by_value()))


def draft_key(question: EscalationRow, option: Json) -> str:
    return f"answer:{question.id}:{option['key']}"


def _field(part: Part, key: str) -> Widget:
    name = FIELD + key
    if part.ids:
        return Field(widget_id=name, placeholder=OF_ONE.get(part.key, "left empty, it stays as it is"))
    if part.shape == "flag":
        return Picker(FLAG, widget_id=name)
    if part.how.lines == 1:
        return Field(widget_id=name, placeholder=part.how.hint)
    return Area(max(part.how.lines, min(part.begun.count("\n") + 1, 8)), widget_id=name, placeholder=part.how.hint)
