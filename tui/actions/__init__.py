"""Every action of the app, once: keys, command palette, footer, `?` help and the README's key table come from here.

An action belongs to a place. A widget or screen that is a place names it in `PLACE`, takes its bindings from
`bindings(place)` and has a method `action_<handler>` for each. Letters reach these only while no text field has the
focus, so none of them needs priority.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from textual.binding import Binding

from tui.actions import dialogs, everywhere, governance, panes, questions, records, settings, triage, work
from tui.actions.keys import shown
from tui.actions.model import DIGITS, Action

__all__ = [
    "ACTIONS",
    "BY_PLACE",
    "DIGITS",
    "PLACES",
    "Action",
    "bindings",
    "in_places",
    "key_names",
    "key_table_markdown",
]

_MODULES = (everywhere, panes, questions, triage, work, governance, records, settings, dialogs)
"""In the order in which help lists their places."""

PLACES: dict[str, str] = {place: heading for module in _MODULES for place, heading in module.PLACES.items()}
"""Places with their headings."""

ACTIONS: tuple[Action, ...] = tuple(action for module in _MODULES for action in module.ACTIONS)

BY_PLACE: dict[str, tuple[Action, ...]] = {place: tuple(a for a in ACTIONS if a.place == place) for place in PLACES}


def bindings(place: str) -> list[Binding]:
    """The Textual bindings of a place."""
    return [made for action in BY_PLACE[place] for made in _bindings_of(action)]


def _bindings_of(action: Action) -> Iterator[Binding]:
    if "{key}" in action.handler:
        for key in action.keys:
            yield Binding(key, action.handler.format(key=key), action.title, show=False, id=f"{action.id}.{key}")
    elif action.keys:
        yield Binding(",".join(action.keys), action.handler, action.title, show=False, id=action.id)


def key_names(action: Action) -> tuple[str, ...]:
    """The keys as a person reads them; a row of digits is one name."""
    if action.keys == DIGITS:
        return ("1-9",)
    return tuple(shown(key) for key in action.keys)


def in_places(places: Iterable[str]) -> tuple[Action, ...]:
    """What can be done in these places, the nearest first; a key that a nearer place took is not repeated."""
    found: list[Action] = []
    taken: set[str] = set()
    for place in places:
        for action in BY_PLACE.get(place, ()):
            free = tuple(key for key in action.keys if key not in taken)
            if free or not action.keys:
                found.append(action)
        taken.update(key for action in BY_PLACE.get(place, ()) for key in action.keys)
    return tuple(found)


def key_table_markdown() -> str:
    """The README's key table. What the same keys do in several places stands where the first of them does."""
    places: dict[tuple[str, str], list[str]] = {}
    for place, heading in PLACES.items():
        for action in BY_PLACE[place]:
            if action.keys:
                keys = " ".join(f"`{name}`" for name in key_names(action))
                places.setdefault((keys, action.description), []).append(heading)
    rows = [f"| {'; '.join(headings)} | {keys} | {said} |" for (keys, said), headings in places.items()]
    return "\n".join(["| where | keys | what |", "|---|---|---|", *rows]) + "\n"
