from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections import Counter

import pytest

import tui.screens
import tui.widgets
from tui.actions import ACTIONS, BY_PLACE, DIGITS, PLACES, Action, in_places, key_names, key_table_markdown


def owners() -> dict[str, list[type]]:
    """The widgets and screens that say they are a place, by place."""
    found: dict[str, list[type]] = {}
    modules = [importlib.import_module("tui.app")]
    for package in (tui.screens, tui.widgets):
        found_in = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        modules += [importlib.import_module(module.name) for module in found_in]
    for module in modules:
        for _, kind in inspect.getmembers(module, inspect.isclass):
            own = vars(kind).get("PLACES", ())
            for place in own:
                found.setdefault(place, []).append(kind)
    return found


OWNERS = owners()


@pytest.mark.parametrize("action", ACTIONS, ids=lambda a: a.id)
def test_every_action_has_a_handler_where_it_applies(action: Action) -> None:
    name = f"action_{action.handler.partition('(')[0]}"
    kinds = OWNERS[action.place]
    assert kinds
    assert all(callable(getattr(kind, name, None)) for kind in kinds), (name, kinds)


@pytest.mark.parametrize("action", [a for a in ACTIONS if a.keys], ids=lambda a: a.id)
def test_every_key_is_bound_where_its_action_applies(action: Action) -> None:
    for kind in OWNERS[action.place]:
        bound = kind._merged_bindings.key_to_bindings  # type: ignore[attr-defined]
        ids = {binding.id for key in action.keys for binding in bound.get(key, ())}
        assert action.id in ids or f"{action.id}.{action.keys[0]}" in ids or _is_overridden(kind, action)


def _is_overridden(kind: type, action: Action) -> bool:
    """A nearer place of the same widget may use the key for its own."""
    places = getattr(kind, "PLACES", ())
    nearer = places[: places.index(action.place)]
    return any(set(action.keys) <= {k for a in BY_PLACE[p] for k in a.keys} for p in nearer)


@pytest.mark.parametrize("place", PLACES)
def test_no_key_means_two_things_in_one_place(place: str) -> None:
    keys = Counter(key for action in BY_PLACE[place] for key in action.keys)
    assert [key for key, count in keys.items() if count > 1] == []


def test_ids_are_unique_and_every_action_says_what_it_does() -> None:
    assert len({a.id for a in ACTIONS}) == len(ACTIONS)
    assert all(a.title and a.description and a.place in PLACES for a in ACTIONS)


def test_a_key_that_a_nearer_place_took_is_not_offered_again() -> None:
    offered = in_places(("queue", "work"))
    assert "queue.accept" in {a.id for a in offered}
    assert "work.accept" not in {a.id for a in offered}
    assert "work.pause" in {a.id for a in offered}


def test_keys_are_named_as_a_person_reads_them() -> None:
    by_id = {a.id: a for a in ACTIONS}
    assert key_names(by_id["palette"]) == (":", "ctrl+p")
    assert key_names(by_id["list.down"]) == ("j", "↓")
    assert by_id["decision.answer"].keys == DIGITS
    assert key_names(by_id["decision.answer"]) == ("1-9",)


def test_the_key_table_has_a_row_for_every_action_with_a_key() -> None:
    table = key_table_markdown()
    rows = [[cell.strip() for cell in row.split(" | ")] for row in table.splitlines()[2:]]
    told = {(place, said.rstrip(" |")) for places, _, said in rows for place in places.removeprefix("| ").split("; ")}
    assert {(PLACES[a.place], a.description) for a in ACTIONS if a.keys} == told
    assert sum(len(places.split("; ")) for places, _, _ in rows) == sum(bool(a.keys) for a in ACTIONS)
    assert "| Everywhere | `space` | Open the next question that needs me |" in table
