"""Dialogs with fields: what is written survives, until whoever asked for it has it on record and drops the draft."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, TypeVar

from textual import on
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.strip import Strip
from textual.widget import Widget

from core.contract import ApmError
from core.sanitise import one_line
from tui.actions import bindings
from tui.questions.forms import NotReadable
from tui.screens.dialogs.dialog import Dialog
from tui.text.words import Line
from tui.widgets.fields import Area, Field
from tui.widgets.painted import PaintedLine, wrap
from tui.widgets.picker import Picker

T = TypeVar("T")


class Label(PaintedLine):
    """A field's name, with a word on how to fill it in."""

    def __init__(self, name: str, hint: str = "", *, widget_id: str | None = None) -> None:
        super().__init__(id=widget_id)
        self._title, self._hint = name, hint

    def tell(self, hint: str) -> None:
        """Another word on how to fill it in."""
        if hint != self._hint:
            self._hint = hint
            self.refresh()

    def halves(self, width: int) -> tuple[Line, Line]:
        return ((self._title, "strong"), (f"  {self._hint}", "dim")), ()


class Complaint(PaintedLine):
    """What cannot be sent as it is, and why; as many lines as that takes."""

    text = ""

    def say(self, text: str) -> None:
        self.text = one_line(text, 300)
        self.display = bool(text)
        self._fit()
        self.refresh()

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        """Before the first layout there is no width; the layout itself then asks again."""
        if self.size.width:
            self.styles.height = len(self._lines(self.size.width))

    def _lines(self, width: int) -> list[Line]:
        return wrap((("✗ ", "bad"), (self.text, "text")), width, indent=2)

    def render_line(self, y: int) -> Strip:
        width, lines = self.size.width, self._lines(self.size.width)
        return self.strip(lines[y] if y < len(lines) else (), width, self.base)


class Form(Dialog[T]):
    """Subclasses compose `fields` and make the answer of them in `made`, raising when it cannot be made."""

    PLACES: ClassVar[tuple[str, ...]] = ("form",)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("form")]

    def __init__(self) -> None:
        super().__init__()
        self._begun: Mapping[str, str] | None = None
        """What the fields hold before anything is written; None until they are there."""
        self._set_aside: Mapping[str, str] = {}
        """What was written until the form was begun anew."""

    def body(self) -> Iterable[Widget]:
        yield VerticalScroll(*self.fields(), can_focus=False, id="fields")
        yield Complaint()

    def fields(self) -> Iterable[Widget]:
        raise NotImplementedError

    def made(self) -> T:
        """Raises NotReadable or ApmError with a sentence for the person."""
        raise NotImplementedError

    def on_mount(self) -> None:
        self.query_one(Complaint).say("")
        self._begun = self.typed()
        self._fill(self.apm.drafts.get(self.draft_key, {}))
        self.call_after_refresh(self._settle)

    def _fill(self, texts: Mapping[str, str]) -> None:
        for key, value in texts.items():
            field = self.query_one(f"#{key}")
            if isinstance(field, Area):
                field.text = value
            elif isinstance(field, Field):
                field.value = value
            elif isinstance(field, Picker) and value in field.choices:
                field.at = field.choices.index(value)
        self.query("Field, Area, Picker").first().focus()

    def on_resize(self) -> None:
        self.call_after_refresh(self._settle)

    def _settle(self) -> None:
        """As high as the fields, within the screen; the field that is written in stays in sight."""
        if not self.display:
            return  # left before it was drawn
        fields = self.query_one("#fields")
        natural = max((child.virtual_region_with_margin.bottom for child in fields.children), default=0)
        tall = self.size.height >= 20
        frame = 5 if tall else 3
        self.query_one("#box").styles.height = min(natural + frame, self.size.height - 2 * tall)
        fields.scroll_home(animate=False)
        self.call_after_refresh(self._keep_in_sight)

    def _keep_in_sight(self) -> None:
        if not self.display:
            return
        fields, field = self.query_one("#fields"), self.focused
        if field is not None and not fields.content_region.contains_region(field.region):
            fields.scroll_to_widget(field, animate=False)

    def typed(self) -> dict[str, str]:
        """What every field holds, by id."""
        found: dict[str, str] = {}
        for field in self.query("Field, Area, Picker"):
            value: Any = field.text if isinstance(field, Area) else getattr(field, "value", "")
            found[str(field.id)] = value
        return found

    def fault(self) -> str:
        """Why what is typed cannot be sent as it is; "" where it can."""
        try:
            self.made()
        except (NotReadable, ApmError) as error:
            return str(error)
        return ""

    @on(Field.Changed)
    @on(Area.Changed)
    @on(Picker.Changed)
    def _judge_again(self) -> None:
        """A complaint is about what is typed now; none comes before something was to be sent."""
        complaint = self.query_one(Complaint)
        if complaint.text:
            complaint.say(self.fault())

    def action_send(self) -> None:
        try:
            answer = self.made()
        except (NotReadable, ApmError) as error:
            self.query_one(Complaint).say(str(error))
            return
        # Not forgotten yet: it may be refused, and then this is written again for nothing.
        self.keep_draft()
        self.dismiss(answer)

    def keep_draft(self) -> None:
        """Where nothing is written there is nothing to keep, and what was kept is forgotten."""
        if self._begun is None:
            return
        if (typed := self.typed()) == self._begun:
            self.apm.drafts.pop(self.draft_key, None)
        else:
            self.apm.drafts[self.draft_key] = typed

    def action_anew(self) -> None:
        """Every field as it began; once more brings back what was written."""
        if self._begun is None:
            return
        if (typed := self.typed()) == self._begun:
            self._fill(self._set_aside)
        else:
            self._set_aside = typed
            self._fill(self._begun)
            self.apm.tell("As it began. The same key once more brings back what you wrote.")

    def action_out(self) -> None:
        self.keep_draft()
        self.dismiss(None)

    @on(Field.Submitted)
    def _on_to_the_next_field(self) -> None:
        self.focus_next()
