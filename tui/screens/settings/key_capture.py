"""A key is pressed for an action: taken at once where it is free, and refused with the reason where it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.widget import Widget

from tui.actions import PLACES as HEADINGS
from tui.actions import bindings
from tui.actions.keys import shown
from tui.screens.dialogs.dialog import Dialog
from tui.settings.keymap import Bound
from tui.widgets.document import BLANK, Document, Paragraph


class KeyCapture(Dialog[str]):
    """Its answer is the key. `fault_of` says what is against one, empty when nothing is."""

    PLACES: ClassVar[tuple[str, ...]] = ("capture",)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("capture")]

    def __init__(self, bound: Bound, keys: tuple[str, ...], fault_of: Callable[[str], str], *, adds: bool) -> None:
        super().__init__()
        self.title_text = f"{'One more' if adds else 'A new'} key: {bound.action.title}"
        self._bound, self._keys, self._fault_of, self._adds = bound, keys, fault_of, adds

    def body(self) -> Iterable[Widget]:
        yield Document(focusable=False, widget_id="text")

    def on_mount(self) -> None:
        self._show("")

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape":
            return
        event.stop()
        event.prevent_default()
        fault = self._fault_of(event.key)
        if fault:
            self._show(fault)
        else:
            self.dismiss(event.key)

    def _show(self, fault: str) -> None:
        action = self._bound.action
        now = " ".join(shown(key) for key in self._keys) or "none"
        wanted = "Press the key that shall do it as well." if self._adds else "Press the key that shall do it."
        where = HEADINGS[action.place].lower()
        lines = [
            Paragraph(((f"{action.description} ", "text"), (f"({where})", "dim"))),
            Paragraph((("now ", "dim"), (now, "strong"))),
            BLANK,
            Paragraph(((wanted, "text"),)),
        ]
        if fault:
            lines += [BLANK, Paragraph((("✗ ", "bad"), (fault, "text")), 2)]
        self.query_one(Document).show(lines)
