"""Opening the app on a seeded workspace, and waiting until everything that was done can be seen."""

from __future__ import annotations

import asyncio
import itertools
import unicodedata
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from textual import events
from textual.keys import REPLACED_KEYS, _character_to_key, _get_unicode_name_from_key
from textual.pilot import Pilot
from textual.screen import Screen

from core.store.rows import LiveRow
from tests.app.seeding import SeededWorkspace
from tui.app import ApmApp
from tui.bridge import Engine
from tui.screens.questions.decision import Decision
from tui.widgets.painted import Painted

WIDE = (120, 36)
USUAL = (80, 24)
SMALL = (40, 12)
QUIET_ROUNDS = 3
"""So often in a row there is nothing to wait for: one thing leads to another (key, write, reading, drawing)."""
TAP_ROUNDS = 3
"""A key goes from the app to the widget with the focus, and back to the app where the widget has no use for it."""
moment = itertools.count(step=10.0).__next__
"""When a key is pressed, in seconds: long after the one before, as by somebody who reads what that did."""


@dataclass
class Driving:
    """An engine that runs what it is told to: what the screen must show of one, without its work."""

    work_items: tuple[int, ...] = ()
    delegations: tuple[dict[str, Any], ...] = ()
    is_driving: bool = False
    may_drive: bool = True
    stopped: int = 0
    resting: dict[int, int] = field(default_factory=dict)
    listeners: list[Callable[..., None]] = field(default_factory=list)

    async def start(self) -> bool:
        self.is_driving = self.may_drive
        return self.is_driving

    async def stop(self) -> None:
        self.stopped += 1
        self.is_driving = False

    def live(self) -> LiveRow:
        return LiveRow(self.is_driving, 1, self.work_items, self.delegations, self.resting)

    def on_live(self, callback: Callable[..., None]) -> Callable[[], None]:
        self.listeners.append(callback)
        return lambda: self.listeners.remove(callback)

    def run(self, work_item: int, phase: str, agent: str, since: int) -> None:
        """An agent begins its work."""
        running = {"work_item": work_item, "phase": phase, "agent": agent, "subject": "", "since": since}
        self.work_items, self.delegations = (work_item,), (*self.delegations, running)
        self._changed()

    def tell(self, doing: str, tokens: int = 0, dollars: float | None = 0.0) -> None:
        """The agent that began last tells what it does, and what it has used."""
        told = {**self.delegations[-1], "doing": doing, "tokens": tokens, "dollars": dollars}
        self.delegations = (*self.delegations[:-1], told)
        self._changed()

    def rest(self, work_item: int, until: int) -> None:
        """A provider takes no calls: the work waits until it is tried again."""
        self.resting = {work_item: until}
        self._changed()

    def _changed(self) -> None:
        for listener in self.listeners:
            listener()


@asynccontextmanager
async def opened(
    made: SeededWorkspace, size: tuple[int, int] = WIDE, engine: Engine | None = None
) -> AsyncIterator[Pilot[int]]:
    """The app, open and painted with what the workspace holds."""
    async with app_of(made, engine).run_test(size=size, notifications=True) as pilot:
        await settle(pilot)
        yield pilot


def app_of(made: SeededWorkspace, engine: Engine | None = None) -> ApmApp:
    app = ApmApp(made.workspace, engine)
    app.person = "ada"
    return app


def app_in(pilot: Pilot[Any]) -> ApmApp:
    assert isinstance(pilot.app, ApmApp)
    return pilot.app


async def settle(pilot: Pilot[Any]) -> None:
    """Return once every key has been handled, every write committed, and every change drawn."""
    app, quiet, shown = app_in(pilot), 0, None
    while quiet < QUIET_ROUNDS:
        is_drawing = _has_to_draw(app.screen)
        await pilot.pause(0)
        await app.typed()
        before, shown = shown, (app.screen, len(app.screen.query("*")))
        is_busy = any(not worker.is_finished for worker in app.workers) or app.bridge.is_reading
        quiet = 0 if is_busy or is_drawing or shown != before else quiet + 1
        await app.workers.wait_for_complete()
        await app.bridge.idle()
    await pilot.pause(0)


def _has_to_draw(screen: Screen[Any]) -> bool:
    """One layout can ask for another, as where a scroll bar takes a cell from lines that are wrapped anew for it."""
    return bool(screen._layout_required or screen._scroll_required or screen._dirty_widgets or screen._callbacks)


async def press(pilot: Pilot[Any], *keys: str) -> None:
    """Press keys one after the other, each once the one before is on the screen.

    Quicker than the pilot's own, which after each key waits for the processor to be idle.
    """
    for key in keys:
        send(pilot, key)
        await settle(pilot)


async def tap(pilot: Pilot[Any], *keys: str) -> None:
    """Press keys in an app that is none of apm's: each has been handled before the next."""
    for key in keys:
        pilot.app.post_message(_pressed(key))
        for _ in range(TAP_ROUNDS):
            handled = asyncio.Event()
            pilot.app.call_later(handled.set)
            await handled.wait()
            await pilot.pause(0)


def send(pilot: Pilot[Any], key: str, at: float | None = None) -> None:
    """As the terminal sends it, at this moment: what the key does comes later."""
    pressed = _pressed(key)
    pressed.time = moment() if at is None else at
    app_in(pilot).post_message(pressed)


def _pressed(key: str) -> events.Key:
    name = _character_to_key(key) if len(key) == 1 and not key.isalnum() else key
    try:
        character: str | None = unicodedata.lookup(_get_unicode_name_from_key(REPLACED_KEYS.get(name, name)))
    except KeyError:
        character = name if len(name) == 1 else None
    return events.Key(name, character)


def screen_text(pilot: Pilot[Any]) -> str:
    """What the top screen shows, as plain text."""
    compositor = pilot.app.screen._compositor
    return "\n".join(strip.text for strip in compositor.render_strips())


def lines_of(widget: Painted) -> Sequence[str]:
    """What a widget draws, line by line."""
    return [widget.render_line(y).text.rstrip() for y in range(widget.size.height)]


def notices(pilot: Pilot[Any]) -> list[str]:
    """What has been said so far, the last at the end."""
    return [notice.message for notice in app_in(pilot)._notifications]


def decision_of(pilot: Pilot[Any]) -> Decision:
    screen = pilot.app.screen
    assert isinstance(screen, Decision)
    return screen
