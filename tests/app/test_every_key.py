"""Every key of every place is pressed: its action runs, nothing breaks, and what can be open at once is known.

A place without a way to get there fails. A place is added by a line in `WAYS`: what is pressed on the dashboard of the
busy workspace to be there, with every key of the place free to press.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widget import Widget

from tests.app.busy import busy
from tests.app.driving import app_in, notices, opened, press, send
from tui.actions import BY_PLACE, PLACES, Action
from tui.app import ApmApp
from tui.settings.keymap import AS_IT_CAME, open_at_once

WORK_ITEM = ("2", "j", "enter")
DELEGATIONS = (*WORK_ITEM, "3")

WAYS: dict[str, tuple[str, ...]] = {
    "app": (),
    "panes": (),
    "home": (),
    "list": ("1",),
    "marks": ("t",),
    "document": ("0", "8", "3"),
    "tree": ("1",),
    "briefing": ("4",),
    "queue": ("3",),
    "decision": ("space",),
    "work": ("2",),
    "work_item": WORK_ITEM,
    "delegations": DELEGATIONS,
    "detail": (*DELEGATIONS, "j", "j", "j", "enter"),
    "sections": (*DELEGATIONS, "j", "j", "j", "enter"),
    "diff": (*WORK_ITEM, "d"),
    "triage": ("t",),
    "inbox": ("t",),
    "bulk": ("t", "x", "x", "a"),
    "answer": ("space", "space", "e"),
    "evidence": ("space", "v"),
    "scope": ("0", "2"),
    "kinds": ("0", "2", "p"),
    "conflicts": ("0", "3", "2"),
    "history": ("0", "4"),
    "team": ("0", "5"),
    "record": ("0", "6"),
    "activity": ("0", "7"),
    "settings": ("0", "8"),
    "settings_look": ("0", "8"),
    "settings_keys": ("0", "8", "2"),
    "capture": ("0", "8", "2", "enter"),
    "form": ("n",),
    "line": ("3", "c"),
    "picker": ("n", "tab", "tab", "tab"),
    "options": ("0",),
    "filter": ("slash",),
    "search": ("0", "4", "2", "slash"),
    "palette": ("colon",),
    "choice": ("3", "s"),
    "confirm": ("2", "X"),
    "help": ("question_mark",),
}
BY_ITS_FIELD = {("palette.run", "enter"): "submit", ("line.send", "enter"): "submit"}
"""Keys that a text field takes for itself, and what it runs; what that leads to has tests of its own."""
HANGS_AFTER_SECONDS = 60.0
"""A key whose work has not ended by then never will: it waits for something that nobody gives it."""
FAULT = "That failed"
"""How the app tells of a fault of the program in the middle of a write."""


class Ran:
    """What ran, as it was dispatched: every handler that a key led to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.handlers: set[str] = set()
        usual = ApmApp.run_action

        async def run_action(app: ApmApp, action: Any, *arguments: Any, **options: Any) -> bool:
            self.handlers.add(str(action))
            return await usual(app, action, *arguments, **options)

        monkeypatch.setattr(ApmApp, "run_action", run_action)


ROUNDS = 4
"""How often what began is waited for: one thing leads to another."""


class At:
    """A place that was reached, and the way back to it."""

    def __init__(self, pilot: Pilot[int], place: str) -> None:
        self.pilot, self.place, self.app = pilot, place, app_in(pilot)
        self.screen, self.focused = self.app.screen, self.app.focused

    async def press(self, key: str) -> None:
        """Press the key, and return once what it began is done, or has come to ask a person something."""
        send(self.pilot, key)
        await self.app.typed()
        await self._calm()

    async def back(self) -> bool:
        """Close what lies over the place; whether one is there again."""
        if not self.app.is_running or self.screen not in self.app.screen_stack:
            return False
        while self.app.screen is not self.screen:
            self.app.workers.cancel_all()
            self.app.pop_screen()
            await self._calm()
        if isinstance(self.focused, Widget) and self.focused.is_attached and self.focused.display:
            self.focused.focus()
            await self._calm()
        return self.place in self.app.places_here()

    async def _calm(self) -> None:
        """As `settle`, but work that waits for a dialog's answer has come to its rest."""
        for _ in range(ROUNDS):
            await self.pilot.pause(0)
            while self.app.is_running and self.app.screen is self.screen and (working := self._working()):
                await asyncio.wait(working, timeout=0.05)
            if self.app.is_running:
                await self.app.bridge.idle()

    def _working(self) -> list[asyncio.Task[None]]:
        return [w._task for w in self.app.workers if w._task is not None and not w.is_finished]


@asynccontextmanager
async def at(place: str, folder: Path) -> AsyncIterator[At]:
    """The app on a workspace of its own, in the place."""
    made = busy(folder)
    try:
        async with opened(made) as pilot:
            await press(pilot, *WAYS[place])
            assert place in app_in(pilot).places_here(), (place, app_in(pilot).places_here())
            yield At(pilot, place)
            assert [text for text in notices(pilot) if text.startswith(FAULT)] == []
    finally:
        made.close()


def keys_of(place: str) -> list[tuple[Action, str]]:
    """What leads out of the place comes last, so that one app serves for nearly all keys."""
    pairs = [(action, key) for action in BY_PLACE[place] for key in action.keys]
    return sorted(pairs, key=lambda pair: pair[1] in ("escape", "q", "enter"))


def folders(folder: Path) -> Iterator[Path]:
    for number in range(200):
        made = folder / str(number)
        made.mkdir()
        yield made


def test_every_place_has_a_way_to_it() -> None:
    assert [place for place in PLACES if place not in WAYS and BY_PLACE[place]] == []


@pytest.mark.parametrize("place", [place for place in PLACES if place in WAYS])
async def test_every_key_of_a_place_does_what_it_says(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDITOR", "true")
    monkeypatch.delenv("VISUAL", raising=False)
    ran = Ran(monkeypatch)
    left, fresh = keys_of(place), folders(tmp_path)
    while left:
        before = len(left)
        async with at(place, next(fresh)) as here:
            around = here.app.places_here()
            assert [pair for pair in combinations(around, 2) if not open_at_once(*pair)] == []
            offered = {offer.action.id: offer.keys for offer in AS_IT_CAME.in_places(around)}
            while left:
                action, key = left[0]
                assert key in offered.get(action.id, ()), f"{key} of {action.id} is taken by a nearer place"
                ran.handlers.clear()
                async with asyncio.timeout(HANGS_AFTER_SECONDS):
                    await here.press(key)
                wanted = BY_ITS_FIELD.get((action.id, key), action.handler.format(key=key))
                assert wanted in ran.handlers, f"{key} did not run {action.id}"
                left.pop(0)
                if not await here.back():
                    break
        assert len(left) < before
