from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widget import Widget

from tests.app.driving import Driving, app_in, app_of, decision_of, notices, opened, press, screen_text, send, settle
from tests.app.seeding import MORNING, SeededWorkspace
from tui.app import ApmApp
from tui.bridge import EVERYTHING
from tui.destinations import BY_KEY, DESTINATIONS
from tui.keystrokes import AGAIN_SECONDS, DELAY_SECONDS
from tui.screens.dashboard import Dashboard
from tui.screens.dialogs.choice import ConfirmDialog
from tui.screens.pane_screen import PaneTabs
from tui.screens.work.new_work_item import NewWorkItem
from tui.widgets.event_list import EventList
from tui.widgets.filter_bar import FilterBar


async def test_a_reading_that_ends_while_its_screen_goes_away_asks_nothing_of_it(
    busy_workspace: SeededWorkspace,
) -> None:
    async with opened(busy_workspace) as pilot:
        app_in(pilot).action_go("history")
        await settle(pilot)
        screen = pilot.app.screen
        events = screen.query_one(EventList)
        await screen.query_one(PaneTabs).remove()
        screen._running = False
        await events.reload(EVERYTHING)
        screen._running = True
        assert notices(pilot) == []


async def test_q_leaves_at_once_when_nothing_runs_and_stops_the_engine(busy_workspace: SeededWorkspace) -> None:
    engine = Driving()
    app = app_of(busy_workspace, engine)
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("q")
        await pilot.pause()
    assert app.return_value == 0
    assert engine.stopped == 1


@pytest.mark.parametrize(("key", "leaves"), [("y", True), ("n", False), ("escape", False)])
async def test_q_asks_while_something_runs(busy_workspace: SeededWorkspace, key: str, leaves: bool) -> None:
    engine = Driving()
    app = app_of(busy_workspace, engine)
    async with app.run_test() as pilot:
        await settle(pilot)
        engine.run(7, "I1", "code-implementer", MORNING)
        await press(pilot, "q")
        assert isinstance(app.screen, ConfirmDialog)
        assert "1 work item is running" in screen_text(pilot)
        await pilot.press(key)
        await pilot.pause()
        assert engine.stopped == int(leaves)


async def test_a_viewer_says_that_another_process_drives_and_leaves_without_asking(
    busy_workspace: SeededWorkspace,
) -> None:
    engine = Driving(may_drive=False, work_items=(7,))
    async with opened(busy_workspace, engine=engine) as pilot:
        assert "viewer" in screen_text(pilot)
        await pilot.press("q")
        await pilot.pause()
        assert pilot.app.return_value == 0


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_every_key_that_leaves_stops_the_engine(busy_workspace: SeededWorkspace, key: str) -> None:
    engine = Driving()
    async with opened(busy_workspace, engine=engine) as pilot:
        await pilot.press(key)
        await pilot.pause()
    assert engine.stopped == 1


async def test_a_dialog_that_is_being_put_together_when_the_app_is_left_ends_in_no_trace(
    busy_workspace: SeededWorkspace,
) -> None:
    app = app_of(busy_workspace)
    async with app.run_test() as pilot:
        await settle(pilot)
        app.push_screen(NewWorkItem(()))
        app._leave(0)
        await app._stopping
    assert app.return_value == 0


async def test_keys_after_the_one_that_leaves_open_nothing(busy_workspace: SeededWorkspace) -> None:
    class Slow(Driving):
        async def stop(self) -> None:
            stops.set()
            await may_stop.wait()

    stops, may_stop = asyncio.Event(), asyncio.Event()
    async with opened(busy_workspace, engine=Slow()) as pilot:
        send(pilot, "q")
        await stops.wait()
        await press(pilot, "t", "n")
        assert isinstance(pilot.app.screen, Dashboard)
        may_stop.set()


async def test_a_key_that_may_be_held_down_while_the_app_ends_is_dropped(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        app = app_in(pilot)
        first, second = events.Key("f12", None), events.Key("f12", None)
        second.time = first.time + (AGAIN_SECONDS + DELAY_SECONDS) / 2
        app.post_message(first)
        await settle(pilot)
        app.meant()
        app.post_message(second)
        await pilot.pause()
        typing = app._typing
        app.exit(0)
    assert typing is not None
    await typing


async def test_ctrl_c_says_how_to_leave(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "ctrl+c")
        assert notices(pilot) == ["q quits."]


async def test_ctrl_z_says_what_to_press_instead(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "ctrl+z")
        assert notices(pilot) == ["apm is not put aside: q quits, and the next start goes on from there."]


async def test_a_viewer_drives_once_the_other_process_is_gone(empty_workspace: SeededWorkspace) -> None:
    engine = Driving(may_drive=False)
    async with opened(empty_workspace, engine=engine) as pilot:
        assert "viewer" in screen_text(pilot)
        engine.may_drive = True
        app_in(pilot)._tick()
        await settle(pilot)
        assert engine.is_driving
        assert "viewer" not in screen_text(pilot)


async def test_an_engine_that_cannot_start_is_told_and_the_screen_stays(busy_workspace: SeededWorkspace) -> None:
    from core.contract import ApmError

    class Broken(Driving):
        async def start(self) -> bool:
            raise ApmError("The lease cannot be taken.")

    async with opened(busy_workspace, engine=Broken()) as pilot:
        assert "The lease cannot be taken." in screen_text(pilot)
        assert "Export reports as CSV" in screen_text(pilot)


async def test_an_engine_is_made_only_after_the_first_paint(busy_workspace: SeededWorkspace) -> None:
    from tui.app import ApmApp

    painted: list[bool] = []

    def make(workspace: object) -> Driving:
        painted.append(app.screen.size.width > 0)
        return Driving()

    app = ApmApp(busy_workspace.workspace, make_engine=make)
    async with app.run_test() as pilot:
        await settle(pilot)
        assert painted == [True]
        assert app.engine is not None
        assert app.engine.is_driving


async def test_a_second_that_passes_while_the_app_leaves_asks_nothing_of_screens_half_gone(
    busy_workspace: SeededWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticked: list[int] = []

    def on_unmount(screen: Dashboard) -> None:
        # The question's screen above this one has lost its widgets by now.
        app = app_of_screen(screen)
        app._tick()
        ticked.append(len(app.screen_stack))

    monkeypatch.setattr(Dashboard, "on_unmount", on_unmount, raising=False)
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space")
        assert decision_of(pilot)
    assert ticked == [2]


def app_of_screen(screen: Dashboard) -> ApmApp:
    assert isinstance(screen.app, ApmApp)
    return screen.app


WAYS_IN = (
    ("t", "enter", "v"),
    ("t", "r"),
    ("n",),
    ("question_mark",),
    ("colon",),
    ("3", "slash"),
    ("3", "slash"),
    ("P", "enter"),
    ("d",),
    ("1", "enter"),
    ("2", "enter", "enter"),
    ("3", "enter"),
)
"""Keys that open every kind of screen from the dashboard, beside its menu of them."""


async def test_screens_and_fields_that_were_left_are_let_go(busy_workspace: SeededWorkspace) -> None:
    seen: weakref.WeakSet[Widget] = weakref.WeakSet()
    names: set[str] = set()

    def look(pilot: Pilot[Any]) -> None:
        for widget in (pilot.app.screen, *pilot.app.screen.query("*")):
            seen.add(widget)
            names.add(type(widget).__name__)

    async with opened(busy_workspace, engine=Driving()) as pilot:
        for ways in (*WAYS_IN, *((destination.key,) for destination in DESTINATIONS)):
            for key in ways:
                if key in BY_KEY:
                    app_in(pilot).action_go(key)
                    await settle(pilot)
                else:
                    await press(pilot, key)
                look(pilot)
            while len(pilot.app.screen_stack) > 1:
                await press(pilot, "escape")
        gc.collect()
        here = pilot.app.screen
        left = [widget for widget in seen if widget is not here and widget not in here.query("*")]
        # Textual's list of what a screen holds, sorted for drawing, keeps the filter that went last.
        assert [type(widget) for widget in left] in ([], [FilterBar])
    assert {"Decision", "EvidenceDialog", "NewWorkItem", "History", "Settings", "Area", "Field", "FilterBar"} <= names
