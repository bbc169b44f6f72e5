"""What every key does in the place one came from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.binding import BindingType
from textual.widget import Widget

from tui.actions import PLACES, bindings, key_names
from tui.screens.dialogs.dialog import Dialog
from tui.settings.configured import keymap_of
from tui.settings.keymap import AS_IT_CAME, Keymap, Offer, as_called, reason_against
from tui.text.words import Line
from tui.widgets.document import BLANK, Document, Paragraph
from tui.widgets.fields import Field

KEYS_CELLS = 13
"""The widest that the column of keys gets; longer rows of keys stand above what they do."""

NOTHING_FOUND = (
    Paragraph((("No key does that here.", "dim"),)),
    Paragraph((("esc", "accent"), (" shows all of them again", "dim"))),
)

Reason = Callable[[str], str | None]
"""Why an action does not apply now, by its id; None where it does."""


class HelpFilter(Field):
    """The words that are looked for; the list follows each key."""

    PLACES: ClassVar[tuple[str, ...]] = ("filter",)
    PLACES_END = True
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("filter")]

    def action_keep(self) -> None:
        self.screen.query_one(Document).focus()
        self.display = bool(self.value)

    def action_drop(self) -> None:
        self.value = ""
        self.action_keep()


class Keys(Document):
    """What is looked for here is found by leaving out everything else."""

    async def action_search(self) -> None:
        field = self.screen.query_one(HelpFilter)
        field.display = True
        field.focus()


class HelpDialog(Dialog[None]):
    """Made from the action registry: the nearest place first, with the keys in force."""

    PLACES: ClassVar[tuple[str, ...]] = ("help",)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("help")]
    title_text = "Keys here"

    def __init__(self, places: tuple[str, ...]) -> None:
        super().__init__()
        self.places = places

    def body(self) -> Iterable[Widget]:
        field = HelpFilter(placeholder="words to find")
        field.display = False
        yield field
        yield Keys(widget_id="keys")

    def on_mount(self) -> None:
        self._show("")
        self.query_one(Document).focus()

    @on(Field.Changed)
    def _find(self, event: Field.Changed) -> None:
        self._show(event.value)

    def _show(self, words: str) -> None:
        behind = self.app.screen_stack[-2] if len(self.app.screen_stack) > 1 else self.app.screen
        around = behind.focused or behind
        made = help_lines(
            self.places,
            keymap_of(self.app),
            lambda action: reason_against(around, action),
            words,
            called=lambda offer: as_called(around, offer),
        )
        self.query_one(Document).show(made, from_top=True)

    def action_out(self) -> None:
        field = self.query_one(HelpFilter)
        if field.value:
            field.action_drop()
        else:
            self.dismiss(None)


def help_lines(
    places: tuple[str, ...],
    keymap: Keymap = AS_IT_CAME,
    reason: Reason = lambda _: None,
    words: str = "",
    called: Callable[[Offer], Offer] = lambda offer: offer,
) -> list[Paragraph]:
    """A heading for each place, and a line for each action: its keys, what it does, and why it does not apply."""
    offers = [offer for offer in map(called, keymap.in_places(places)) if offer.keys and _has(offer, words)]
    column = min(max((cell_len(" ".join(offer.names)) for offer in offers), default=0), KEYS_CELLS)
    made: list[Paragraph] = []
    for place in places:
        here = [offer for offer in offers if offer.action.place == place]
        if here:
            made += [BLANK] if made else []
            made.append(Paragraph(((PLACES.get(place, place), "accent"),)))
            made += [p for offer in here for p in _lines(offer, column, reason(offer.action.id))]
    return made or list(NOTHING_FOUND)


def _has(offer: Offer, words: str) -> bool:
    text = f"{' '.join(offer.names)} {offer.action.title} {offer.action.description} {offer.action.id}".casefold()
    return all(word in text for word in words.casefold().split())


def _lines(offer: Offer, column: int, reason: str | None) -> list[Paragraph]:
    keys = " ".join(offer.names)
    tones = ("strong", "dim") if reason is None else ("faint", "faint")
    told: Line = ((offer.action.description, tones[1]),)
    if offer.is_changed:
        # Keys of a person's own are told from those that the documents speak of.
        told = (*told, (f"  (came with {' '.join(key_names(offer.action)) or 'none'})", "ask"))
    if reason is not None:
        told = (*told, (f"  ({reason})", "faint"))
    hang = column + 4
    if cell_len(keys) > column:
        return [Paragraph(((f"  {keys}", tones[0]),), 2), Paragraph(((" " * hang, "text"), *told), hang)]
    return [Paragraph(((f"  {keys}{' ' * (column - cell_len(keys))}  ", tones[0]), *told), hang)]
