"""The line in which a list's filter is typed; the list follows each key."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.message import Message

from tui.actions import bindings
from tui.widgets.fields import Field
from tui.widgets.row_list import RowList


class FilterBar(Field):
    """Enter keeps the filter, escape drops it; both go back to the list."""

    PLACES: ClassVar[tuple[str, ...]] = ("filter",)
    PLACES_END = True
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("filter")]

    class Refiltered(Message):
        """The list shows another set of rows."""

    def __init__(self, rows: RowList[Any]) -> None:
        super().__init__(value=rows.filter_text, placeholder=rows.FILTER_HINT)
        self._rows_list = rows

    @on(Field.Changed)
    def _filter(self, event: Field.Changed) -> None:
        event.stop()
        self._rows_list.set_filter(event.value)
        self.post_message(self.Refiltered())

    async def action_keep(self) -> None:
        self._rows_list.focus()
        await self.remove()

    async def action_drop(self) -> None:
        self._rows_list.set_filter("")
        self.post_message(self.Refiltered())
        await self.action_keep()
