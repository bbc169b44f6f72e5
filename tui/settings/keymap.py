"""The keys in force: those of the registry, and what a person changed about them.

Textual's own keymap drops every binding on a key that one of its ids gave up, and looks through all of them at each
key. Here the registry's bindings stay as they are; a key whose meaning has changed is led to its action before they
are asked, and a key that was given up does nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tui.actions import ACTIONS, BY_PLACE, DIGITS, Action
from tui.actions.keys import shown
from tui.places import places_around


class Bound(NamedTuple):
    """What can be given another key: an action, or one digit of an action that takes a row of them."""

    id: str
    action: Action
    keys: tuple[str, ...]
    handler: str


def _bound_of(action: Action) -> Iterator[Bound]:
    if "{key}" in action.handler:
        for key in action.keys:
            yield Bound(f"{action.id}.{key}", action, (key,), action.handler.format(key=key))
    else:
        yield Bound(action.id, action, action.keys, action.handler)


BOUND: dict[str, Bound] = {bound.id: bound for action in ACTIONS for bound in _bound_of(action)}
"""Everything that can be given another key, by its id in the settings."""

_BY_PLACE: dict[str, tuple[Bound, ...]] = {
    place: tuple(bound for action in actions for bound in _bound_of(action)) for place, actions in BY_PLACE.items()
}

_APART: Mapping[str, frozenset[str]] = {
    "form": frozenset({"picker", "answer"}),
    "line": frozenset(),
    "answer": frozenset({"picker"}),
    "picker": frozenset(),
    "filter": frozenset(),
    "palette": frozenset(),
    "choice": frozenset({"options"}),
    "confirm": frozenset({"options", "document"}),
    "bulk": frozenset({"document"}),
    "kinds": frozenset({"list"}),
    "evidence": frozenset({"document"}),
    "help": frozenset({"document"}),
    "capture": frozenset(),
}
"""Dialogs and fields, where no key of what lies behind them works, and the places that are open inside of them."""
_ANYWHERE = frozenset({"app", "panes", "list", "marks", "document", "options"})
"""Places that are open together with any other."""
_INSIDE: Mapping[str, frozenset[str]] = {
    "home": frozenset({"tree", "work", "queue", "briefing"}),
    "work_item": frozenset({"delegations"}),
    "detail": frozenset({"sections"}),
    "triage": frozenset({"inbox", "queue"}),
    "inbox": frozenset({"queue"}),
    "settings": frozenset({"settings_look", "settings_keys"}),
}
"""Screens that are places, and the particular places inside of them. A test goes to every place and compares."""

TYPED_IN = frozenset({"form", "line", "answer", "filter", "palette"})
"""Places around a text field: a key that types a character never reaches their actions."""
KEPT = ("escape", "enter", "ctrl+c")
"""Keys that keep their meaning: without them a person is caught where he is."""


def open_at_once(one: str, other: str) -> bool:
    """Whether the keys of both places can work at the same moment."""
    if one == other:
        return True
    if one in _APART or other in _APART:
        return other in _APART.get(one, ()) or one in _APART.get(other, ())
    if one in _ANYWHERE or other in _ANYWHERE:
        return True
    return other in _INSIDE.get(one, ()) or one in _INSIDE.get(other, ())


class Offer(NamedTuple):
    """An action that can be done here, with the keys that do it here."""

    action: Action
    keys: tuple[str, ...]
    is_changed: bool = False
    """Whether a person gave it other keys than it came with."""

    @property
    def names(self) -> tuple[str, ...]:
        """The keys as a person reads them; a whole row of digits is one name."""
        return ("1-9",) if self.keys == DIGITS else tuple(shown(key) for key in self.keys)


@dataclass(frozen=True)
class Keymap:
    """The keys in force. `changed` has the ids (see `BOUND`) that have other keys than they came with."""

    changed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def keys_of(self, bound: Bound) -> tuple[str, ...]:
        return self.changed.get(bound.id, bound.keys)

    def in_places(self, places: Iterable[str]) -> tuple[Offer, ...]:
        """What can be done in these places, the nearest first, each with the keys that no nearer place took."""
        found: list[Offer] = []
        taken: set[str] = set()
        for place in places:
            here: set[str] = set()
            for action in BY_PLACE.get(place, ()):
                bounds = tuple(_bound_of(action))
                keys = [key for bound in bounds for key in self.keys_of(bound)]
                free = tuple(key for key in keys if key not in taken)
                here.update(keys)
                if free or not keys:
                    found.append(Offer(action, free, any(bound.id in self.changed for bound in bounds)))
            taken |= here
        return tuple(found)

    def actions_on(self, key: str, places: Iterable[str]) -> Iterator[Bound]:
        """What the key does in these places, the nearest first."""
        for place in places:
            for bound in _BY_PLACE.get(place, ()):
                if key in self.keys_of(bound):
                    yield bound

    def is_moved(self, key: str, places: Iterable[str]) -> bool:
        """Whether the key means something else here than it came with."""
        here = [bound for place in places for bound in _BY_PLACE.get(place, ())]
        return any((key in bound.keys) != (key in self.keys_of(bound)) for bound in here)


AS_IT_CAME = Keymap()


def clashes(keymap: Keymap, of: str) -> Iterator[tuple[str, Bound]]:
    """The keys that the changed id `of` took from another action: each with whose it is.

    Only keys that it did not come with: that a nearer place hides a farther one's key is how the registry is made.
    """
    mine = BOUND[of]
    for key in keymap.changed.get(of, ()):
        if key in mine.keys:
            continue
        for other in BOUND.values():
            if other.id != of and key in keymap.keys_of(other) and open_at_once(mine.action.place, other.action.place):
                yield key, other


async def run_key(app: Any, keymap: Keymap, key: str) -> bool:
    """Do what a changed key means where the focus is. False: the key means what it came with, if anything."""
    if not keymap.changed:
        return False
    around = places_around(app.focused or app.screen)
    if not keymap.is_moved(key, around):
        return False
    for bound in keymap.actions_on(key, around):
        if await app.run_action(bound.handler, around[bound.action.place]):
            break
    return True


def reason_against(node: Any, action_id: str) -> str | None:
    """Why an action does not apply at this moment, as the nearest widget or screen around `node` says that knows.

    What knows has `applies(action_id)`: True, or False, or the reason as a text. None where it applies.
    """
    while node is not None:
        applies = getattr(node, "applies", None)
        if applies is not None:
            answer = applies(action_id)
            return None if answer is True or answer in (None, "") else answer or "not possible here now"
        node = node.parent
    return None


def as_called(node: Any, offer: Offer) -> Offer:
    """The offer as its action is called at this moment, by the nearest widget or screen around `node` that says so.

    What says so has `called(action_id)`: a title and a description, or None where they are the usual ones.
    """
    while node is not None:
        said = node.called(offer.action.id) if hasattr(node, "called") else None
        if said is not None:
            title, description = said
            return offer._replace(action=offer.action._replace(title=title, description=description))
        node = node.parent
    return offer
