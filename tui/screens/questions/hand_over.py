"""Handing a question over: to whom, and a word for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from textual.suggester import SuggestFromList
from textual.widget import Widget

from core.sanitise import one_line
from tui.questions.forms import NotReadable
from tui.screens.dialogs.form import Form, Label
from tui.widgets.fields import Area, Field

NAMED = 6
"""Of the persons that are known, so many are named."""


@dataclass(frozen=True, slots=True)
class Handed:
    to: str
    note: str


class HandOverForm(Form[Handed]):
    """Its answer is the person and the note. `known` are the persons on the record; they complete what is typed."""

    def __init__(self, title: str, known: Sequence[str], draft_key: str) -> None:
        super().__init__()
        self.title_text, self.draft_key = title, draft_key
        self._known = tuple(one_line(name, 60) for name in known)

    def fields(self) -> Iterable[Widget]:
        named = ", ".join(self._known[:NAMED])
        yield Label("to", f"a person by name: {named}" if named else "a person by name")
        person = Field(widget_id="to", placeholder="→ completes a name that is known" if named else "")
        person.suggester = SuggestFromList(self._known, case_sensitive=False)
        yield person
        yield Label("note", "a word for them; may stay empty")
        yield Area(3, widget_id="note")

    def made(self) -> Handed:
        typed = self.typed()
        if not typed["to"].strip():
            raise NotReadable("Name the person to hand it to.")
        return Handed(typed["to"].strip(), typed["note"].strip())
