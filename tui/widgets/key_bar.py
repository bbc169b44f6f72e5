"""The footer: the keys that do something here, made from the action registry."""

from __future__ import annotations

from textual import events
from textual.reactive import reactive

from tui.actions import DIGITS, Action, in_places, key_names
from tui.widgets.painted import PaintedLine, cells_of
from tui.words import Line, Span


class KeyBar(PaintedLine):
    """As many actions as fit, by rank; the way to all others (`?`) is always among them."""

    places: reactive[tuple[str, ...]] = reactive(())

    def halves(self, width: int) -> tuple[Line, Line]:
        shown = _shown(self.places, width)
        return (("", "text"), *(span for action in shown for span in _hint(action))), ()

    def on_click(self, event: events.Click) -> None:
        """A click on a hint does what its key does."""
        at = 0
        for action in _shown(self.places, self.size.width):
            at += cells_of(_hint(action))
            if event.x < at:
                # A row of digits is one hint: a click does not say which of them is meant.
                if action.keys != DIGITS:
                    self.app.simulate_key(action.keys[0])
                return


def _shown(places: tuple[str, ...], width: int) -> list[Action]:
    ranked = sorted((a for a in in_places(places) if a.footer and a.keys), key=lambda a: a.footer)
    always = [a for a in ranked if a.id == "help"]
    room = width - sum(cells_of(_hint(a)) for a in always)
    kept = []
    for action in ranked:
        if action in always:
            continue
        room -= cells_of(_hint(action))
        if room >= 0:
            kept.append(action)
    return sorted([*kept, *always], key=lambda a: a.footer)


def _hint(action: Action) -> Line:
    spans: tuple[Span, ...] = ((" ", "text"), (key_names(action)[0], "accent"), (f" {action.title.lower()} ", "dim"))
    return spans
