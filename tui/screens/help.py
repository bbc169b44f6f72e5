"""What every key does in the place one came from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from tui.actions import PLACES, bindings, in_places, key_names
from tui.screens.dialog import Dialog
from tui.widgets.document import BLANK, Document, Paragraph


class HelpDialog(Dialog[None]):
    """Made from the action registry: the nearest place first."""

    PLACES: ClassVar[tuple[str, ...]] = ("help",)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("help")]
    title_text = "Keys here"

    def __init__(self, places: tuple[str, ...]) -> None:
        super().__init__()
        self.places = places

    def body(self) -> Iterable[Widget]:
        yield Document(widget_id="keys")

    def on_mount(self) -> None:
        document = self.query_one(Document)
        document.show(help_lines(self.places))
        document.focus()


def help_lines(places: tuple[str, ...]) -> list[Paragraph]:
    """A heading for each place, and a line for each action: its keys, then what it does."""
    made: list[Paragraph] = []
    found = in_places(places)
    for place in places:
        actions = [a for a in found if a.place == place and a.keys]
        if not actions:
            continue
        made += [BLANK] if made else []
        made.append(Paragraph(((PLACES.get(place, place), "accent"),)))
        for action in actions:
            keys = " ".join(key_names(action))
            made.append(Paragraph(((f"  {keys:<13} ", "strong"), (action.description, "dim")), 16))
    return made
