"""A store that cannot be read for a moment, or is not open yet: that is told, and ends nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from textual.pilot import Pilot

from core.store.database import StoreError
from core.workspace import Workspace
from tests.app.driving import Driving, app_in, notices, opened, press, send, settle
from tests.app.seeding import SeededWorkspace
from tui.app import ApmApp
from tui.screens.records.history import History
from tui.widgets.event_list import EventList

LOCKED = "The database is locked by another program."


@contextmanager
def unreadable(pilot: Pilot[Any]) -> Iterator[None]:
    async def fails(work: Any) -> None:
        raise StoreError(LOCKED)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app_in(pilot).workspace.store, "read", fails)
        yield


async def test_the_next_question_is_not_found(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        with unreadable(pilot):
            await press(pilot, "space")
        assert notices(pilot) == [LOCKED]
        await press(pilot, "space")
        assert len(pilot.app.screen_stack) == 2


async def test_the_evidence_is_not_there(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space")
        with unreadable(pilot):
            await press(pilot, "v")
        assert LOCKED in notices(pilot)


async def test_an_event_s_subject_does_not_open(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        app_in(pilot).action_go("history")
        await settle(pilot)
        events = pilot.app.screen.query_one(EventList)
        about_calls = (n for n in range(events.count) if "delegation" in events.row_at(n).event.facts)  # type: ignore[union-attr]
        events._move(next(about_calls))
        await settle(pilot)
        with unreadable(pilot):
            await press(pilot, "enter")
        assert isinstance(pilot.app.screen, History)
        assert LOCKED in notices(pilot)


async def test_a_viewer_that_may_not_take_over_says_so_once(empty_workspace: SeededWorkspace) -> None:
    class Refused(Driving):
        tries = 0

        async def start(self) -> bool:
            self.tries += 1
            if self.tries > 1:
                raise StoreError("No space is left.")
            return False

    engine = Refused()
    async with opened(empty_workspace, engine=engine) as pilot:
        for _ in range(3):
            app_in(pilot)._tick()
            await settle(pilot)
        assert engine.tries >= 3
        assert notices(pilot) == ["No space is left."]


async def test_keys_before_the_workspace_is_open_do_not_keep_the_app_from_leaving() -> None:
    may_open = threading.Event()

    def fail() -> Workspace:
        assert may_open.wait(30)
        raise StoreError("The database is damaged.")

    app = ApmApp(fail)
    async with app.run_test() as pilot:
        await pilot.pause()
        send(pilot, "space")
        await pilot.pause()
        may_open.set()
        while app._exit is False:
            await pilot.pause(0)
    assert (app.return_value, str(app.fault)) == (1, "The database is damaged.")
