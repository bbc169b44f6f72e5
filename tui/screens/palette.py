"""The command palette: every action of this place, found by its words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import Widget

from tui.actions import Action, bindings, in_places, key_names
from tui.screens.dialog import Dialog
from tui.widgets.fields import Field
from tui.widgets.row_list import Column, RowList
from tui.words import Line

COLUMNS = (Column("command", 16), Column("what it does"), Column("key", 10, right=True, rank=1))


class Palette(Dialog[Action]):
    """Its answer is the action that was picked."""

    PLACES: ClassVar[tuple[str, ...]] = ("palette",)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("palette")]
    title_text = "Commands"

    def __init__(self, places: tuple[str, ...]) -> None:
        super().__init__()
        self._actions = [a for a in in_places(places) if a.palette and a.id != "palette" and "{key}" not in a.handler]

    def body(self) -> Iterable[Widget]:
        yield Field(placeholder="what do you want to do?")
        yield RowList[Action](
            COLUMNS, key=lambda a: a.id, cells=_cells, heading=False, empty=((("No such command.", "dim"),),)
        )

    def on_mount(self) -> None:
        self.query_one(Field).focus()
        rows = self.query_one(RowList)
        rows.can_focus = False
        rows.set_rows(self._actions)

    @on(Field.Changed)
    def _find(self, event: Field.Changed) -> None:
        self.query_one(RowList).set_filter(event.value)

    @on(RowList.Opened)
    def action_run(self) -> None:
        picked = self.query_one(RowList).row
        if picked is not None:
            self.dismiss(picked)

    @on(Field.Submitted)
    def _submitted(self) -> None:
        self.action_run()

    def action_down(self, step: int) -> None:
        self.query_one(RowList).action_down(step)


def _cells(action: Action) -> tuple[Line, ...]:
    return (
        ((action.title, "strong"),),
        ((action.description, "dim"),),
        ((" ".join(key_names(action)), "accent"),),
    )
