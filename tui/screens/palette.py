"""The command palette: every action of this place, found by a few of its letters; those of other places say where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.fuzzy import Matcher
from textual.widget import Widget

from tui.actions import PLACES, Action, bindings
from tui.screens.dialogs.dialog import Dialog
from tui.settings.configured import ConfiguredApp, keymap_of
from tui.settings.keymap import Offer, as_called, reason_against
from tui.text.words import Line
from tui.widgets.columns import Column
from tui.widgets.fields import Field
from tui.widgets.row_list import RowList

COLUMNS = (Column("command", 18), Column("what it does"), Column("key", 10, right=True, rank=1))
MOST_RECENT = 50
EMPTY: tuple[Line, ...] = (
    (("No such command.", "dim"),),
    (("esc", "accent"), (" leaves everything as it is", "dim")),
)


@dataclass(frozen=True, slots=True)
class Command:
    """An action that can be picked, and why it does not apply at the moment."""

    offer: Offer
    reason: str | None

    @property
    def action(self) -> Action:
        return self.offer.action


class Palette(Dialog[Action]):
    """Its answer is the action that was picked."""

    PLACES: ClassVar[tuple[str, ...]] = ("palette",)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("palette")]
    title_text = "Commands"

    def __init__(self, places: tuple[str, ...]) -> None:
        super().__init__()
        self._places = places
        self._commands: Sequence[Command] = ()
        self._elsewhere: Sequence[Command] = ()
        """Found behind the others, once something is looked for."""

    def body(self) -> Iterable[Widget]:
        yield Field(placeholder="what do you want to do?")
        yield RowList[Command](COLUMNS, key=lambda c: c.action.id, cells=_cells, heading=False, empty=EMPTY)

    def on_mount(self) -> None:
        self.query_one(Field).focus()
        rows = self.query_one(RowList)
        rows.can_focus = False
        self._commands = by_recency(self._offered(), self._recent)
        self._elsewhere = self._offered_elsewhere()
        rows.set_rows(self._commands)

    @property
    def _recent(self) -> list[str]:
        return self.app.recent_commands if isinstance(self.app, ConfiguredApp) else []

    def _offered(self) -> list[Command]:
        behind = self.app.screen_stack[-2] if len(self.app.screen_stack) > 1 else self.app.screen
        around = behind.focused or behind
        return [
            Command(as_called(around, offer), reason_against(around, offer.action.id))
            for offer in keymap_of(self.app).in_places(self._places)
            if _is_command(offer.action)
        ]

    def _offered_elsewhere(self) -> list[Command]:
        """What does the same in several places is one command, with all of them."""
        keymap, here = keymap_of(self.app), {command.action.id for command in self._commands}
        found: dict[tuple[str, str], list[Offer]] = {}
        for place in PLACES:
            for offer in keymap.in_places((place,)):
                if _is_command(offer.action) and offer.action.id not in here:
                    found.setdefault((offer.action.title, offer.action.description), []).append(offer)
        return [Command(same[0], f"works in {_and(PLACES[o.action.place] for o in same)}") for same in found.values()]

    @on(Field.Changed)
    def _find(self, event: Field.Changed) -> None:
        rows = self.query_one(RowList)
        elsewhere = found(self._elsewhere, event.value) if event.value.strip() else []
        rows.set_rows([*found(self._commands, event.value), *elsewhere])
        rows.action_end(-1)

    @on(RowList.Opened)
    def action_run(self) -> None:
        picked: Command | None = self.query_one(RowList).row
        if picked is None:
            return
        if picked.reason is not None:
            self.apm.tell(f"{picked.action.title}: {picked.reason}.")
            return
        recent = self._recent
        recent[:] = [picked.action.id, *(name for name in recent if name != picked.action.id)][:MOST_RECENT]
        self.dismiss(picked.action)

    @on(Field.Submitted)
    def _submitted(self) -> None:
        self.action_run()

    def action_down(self, step: int) -> None:
        self.query_one(RowList).action_down(step)


def _is_command(action: Action) -> bool:
    return action.palette and action.id != "palette" and "{key}" not in action.handler


def _and(places: Iterable[str]) -> str:
    *first, last = (f"“{place}”" for place in places)
    return f"{', '.join(first)} and {last}" if first else last


def by_recency(commands: Sequence[Command], recent: Sequence[str]) -> list[Command]:
    """What was run last comes first, then the registry's order."""
    places = {name: n for n, name in enumerate(recent)}
    return sorted(commands, key=lambda command: places.get(command.action.id, len(places)))


def found(commands: Sequence[Command], words: str) -> list[Command]:
    """The commands that have every word in their title, description or id, the best first; letters may be left out."""
    matchers = [Matcher(word) for word in words.split()]
    if not matchers:
        return list(commands)
    scored = [(_score(command, matchers), command) for command in commands]
    return [command for score, command in sorted(scored, key=lambda pair: -pair[0]) if score]


TITLE_WEIGHT, ID_WEIGHT, DESCRIPTION_WEIGHT = 3.0, 1.5, 1.0
"""A word is meant for a title rather than for a description, in which nearly any letters are found."""


def _score(command: Command, matchers: Sequence[Matcher]) -> float:
    """The sum over the words of where each is found best; 0 where one is found nowhere."""
    action = command.action
    texts = ((action.title, TITLE_WEIGHT), (action.id, ID_WEIGHT))
    scores = []
    for matcher in matchers:
        best = max(matcher.match(text) * weight for text, weight in texts)
        # Letters strewn over a whole sentence say nothing: a description has to have the word itself.
        if matcher.query.casefold() in action.description.casefold():
            best = max(best, matcher.match(action.description) * DESCRIPTION_WEIGHT)
        scores.append(best)
    return sum(scores) if all(scores) else 0.0


def _cells(command: Command) -> tuple[Line, ...]:
    names = " ".join(command.offer.names)
    if command.reason is not None:
        return ((command.action.title, "faint"),), ((command.reason, "faint"),), ((names, "faint"),)
    return ((command.action.title, "strong"),), ((command.action.description, "dim"),), ((names, "accent"),)
