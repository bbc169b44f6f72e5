"""A field that holds one of a few words, all in sight; left and right choose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.reactive import reactive

from tui.actions import bindings
from tui.text.words import Line, Span
from tui.widgets.painted import PaintedLine, cells_of


class Picker(PaintedLine, can_focus=True):
    """`value` is one of `choices`."""

    PLACES: ClassVar[tuple[str, ...]] = ("picker",)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("picker")]
    at: reactive[int] = reactive(0)

    class Changed(Message):
        """Another word was chosen."""

    def __init__(self, choices: Sequence[str], value: str = "", *, widget_id: str | None = None) -> None:
        super().__init__(id=widget_id)
        self.choices = tuple(choices)
        self.set_reactive(Picker.at, self.choices.index(value) if value in self.choices else 0)

    def watch_at(self) -> None:
        self.post_message(self.Changed())

    @property
    def value(self) -> str:
        return self.choices[self.at]

    def halves(self, width: int) -> tuple[Line, Line]:
        spans: list[Span] = []
        for n, choice in enumerate(self.choices):
            spans += self._choice(n, choice)
        hidden = 0
        while cells_of(tuple(spans)) > width and hidden < self.at:
            # The choice in force stays in sight where the row of them is wider than the field.
            hidden += 1
            spans = [
                ("‹", "faint"),
                *(s for n in range(hidden, len(self.choices)) for s in self._choice(n, self.choices[n])),
            ]
        return tuple(spans), ()

    def _choice(self, n: int, choice: str) -> tuple[Span, ...]:
        if n != self.at:
            return ((f"  {choice}  ", "dim"),)
        return (
            ("[", "accent" if self.has_focus else "faint"),
            (f" {choice} ", "strong"),
            ("]", "accent" if self.has_focus else "faint"),
        )

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def action_step(self, step: int) -> None:
        self.at = (self.at + step) % len(self.choices)

    def on_click(self, event: events.Click) -> None:
        inside = event.get_content_offset(self)
        edge = 0
        for n, choice in enumerate(self.choices):
            edge += cells_of(self._choice(n, choice))
            if inside is not None and inside.x < edge:
                self.at = n
                return
