"""Text fields. What is pasted into them may come from anywhere, so it passes the same border as all other text."""

from __future__ import annotations

from textual import events
from textual.widgets import Input, TextArea

from core.sanitise import as_written

LONGEST = 2_000_000
"""Characters of a paste; a request may be that long."""


class Field(Input):
    """One line."""

    def __init__(self, *, placeholder: str = "", value: str = "", widget_id: str | None = None) -> None:
        super().__init__(value=value, placeholder=placeholder, id=widget_id, compact=True, select_on_focus=False)
        self.cursor_blink = False

    def on_mount(self) -> None:
        self._heard = self.screen.text_selection_started_signal

    def on_unmount(self) -> None:
        """The screen would hold it for as long as it stands itself."""
        self._heard.unsubscribe(self)

    def on_paste(self, event: events.Paste) -> None:
        """Runs before Textual's own handler, which then inserts the first line of what is left: so all is made one."""
        text = as_written(event.text, limit=LONGEST)
        if "\n" in text:
            text = " ".join(line for line in map(str.strip, text.split("\n")) if line)
        event.text = text


class Area(TextArea):
    """Several lines; tab goes on to the next field."""

    def __init__(self, lines: int, *, placeholder: str = "", widget_id: str | None = None) -> None:
        super().__init__(
            id=widget_id, placeholder=placeholder, compact=True, tab_behavior="focus", highlight_cursor_line=False
        )
        self.cursor_blink = False
        self.styles.height = lines

    def on_unmount(self) -> None:
        """Who watches the theme the app would hold for ever: Textual lets them go only when the theme changes."""
        watching = getattr(self.app, "__watchers", {}).get("theme", [])
        watching[:] = [watch for watch in watching if watch[0] is not self]

    def begin(self, text: str) -> None:
        """Hold this, and go on where something is to be written: behind an `id: ` of the first line."""
        first = text.partition("\n")[0]
        self.text = text
        self.move_cursor((0, len(first) if first.endswith(": ") else 0))

    def on_paste(self, event: events.Paste) -> None:
        event.text = as_written(event.text, limit=LONGEST)
