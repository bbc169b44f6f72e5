"""The footer: the keys that do something here, made from the action registry."""

from __future__ import annotations

from textual import events
from textual.reactive import reactive

from tui.settings.configured import keymap_of
from tui.settings.keymap import Offer, as_called, reason_against
from tui.text.words import Line, Span
from tui.widgets.painted import PaintedLine, cells_of


class KeyBar(PaintedLine):
    """As many actions as fit, by rank; the way to all others (`?`) is always among them.

    What does not apply at the moment is left out. Setting `places`, the same ones included, asks again.
    """

    places: reactive[tuple[str, ...]] = reactive((), always_update=True)

    def halves(self, width: int) -> tuple[Line, Line]:
        return (("", "text"), *(span for offer in self._shown(width) for span in _hint(offer))), ()

    def on_click(self, event: events.Click) -> None:
        """A click on a hint does what its key does."""
        at = 0
        for offer in self._shown(self.size.width):
            at += cells_of(_hint(offer))
            if event.x < at:
                # A row of digits is one hint: a click does not say which of them is meant.
                if "{key}" not in offer.action.handler:
                    self.app.simulate_key(offer.keys[0])
                return

    def _shown(self, width: int) -> list[Offer]:
        offers = [o for o in keymap_of(self.app).in_places(self.places) if o.action.footer and o.keys]
        around = self.screen.focused or self.screen
        return fitting([as_called(around, o) for o in offers if reason_against(around, o.action.id) is None], width)


def fitting(offers: list[Offer], width: int) -> list[Offer]:
    """Those that a line of this width has room for, by rank."""
    ranked = sorted(offers, key=lambda offer: offer.action.footer)
    always = [offer for offer in ranked if offer.action.id == "help"]
    room = width - sum(cells_of(_hint(offer)) for offer in always)
    kept = []
    for offer in ranked:
        if offer in always:
            continue
        room -= cells_of(_hint(offer))
        if room >= 0:
            kept.append(offer)
    return sorted([*kept, *always], key=lambda offer: offer.action.footer)


def _hint(offer: Offer) -> Line:
    spans: tuple[Span, ...] = (
        (" ", "text"),
        (offer.names[0], "accent"),
        (f" {offer.action.title.lower()} ", "dim"),
    )
    return spans
