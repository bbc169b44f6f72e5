"""A screen that is left while it reads or works: what comes of that then has no place, and nobody hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.app.driving import app_in, notices, opened, press, settle
from tests.app.seeding import SeededWorkspace
from tui.background import in_background

SCREENS = {
    "scope": ("0", "2"),
    "conflicts": ("0", "3"),
    "history": ("0", "4"),
    "agents": ("0", "5"),
    "briefing": ("0", "6"),
    "activity": ("0", "7"),
    "settings": ("0", "8"),
    "triage": ("t",),
    "decision": ("space",),
    "work item": ("2", "enter"),
}


@pytest.mark.parametrize("keys", SCREENS.values(), ids=SCREENS)
async def test_a_screen_that_is_left_while_it_reads_tells_no_fault(
    keys: tuple[str, ...],
    busy_workspace: SeededWorkspace,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    may_go_on = asyncio.Event()
    async with opened(busy_workspace) as pilot:
        bridge = app_in(pilot).bridge
        await press(pilot, *keys)
        left, read = pilot.app.screen, bridge.read
        waiting: list[object] = []

        async def held_back(work: Callable[..., Any]) -> Any:
            found = await read(work)
            waiting.append(work)
            await may_go_on.wait()
            return found

        monkeypatch.setattr(bridge, "read", held_back)
        bridge.reload_all()
        while not waiting:
            await pilot.pause()
        await pilot.press("escape")
        while left.is_running:
            await pilot.pause()
        may_go_on.set()
        await settle(pilot)
        assert notices(pilot) == []
    assert caplog.records == []


@pytest.mark.parametrize(("is_left", "told"), [(True, 0), (False, 1)])
async def test_a_fault_of_background_work_is_told_unless_its_screen_was_left(
    is_left: bool, told: int, busy_workspace: SeededWorkspace, caplog: pytest.LogCaptureFixture
) -> None:
    async def work() -> None:
        raise LookupError("the pane beside it is gone")

    async with opened(busy_workspace) as pilot:
        await press(pilot, "0", "4")
        screen = pilot.app.screen
        screen._running = not is_left
        in_background(screen, work(), group="test")
        await settle(pilot)
        screen._running = True
        assert len(notices(pilot)) == told
    assert len(caplog.records) == told


@pytest.mark.parametrize("keys", [("space",), ("t",)], ids=["decision", "triage"])
async def test_a_screen_that_is_left_before_its_answer_is_on_record_says_answered_and_no_fault(
    keys: tuple[str, ...], full_inbox: SeededWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_write = asyncio.Event()
    async with opened(full_inbox) as pilot:
        await press(pilot, *keys)
        left, bridge = pilot.app.screen, app_in(pilot).bridge
        write = bridge.write

        async def held_back(work: Callable[..., Any]) -> Any:
            await may_write.wait()
            return await write(work)

        monkeypatch.setattr(bridge, "write", held_back)
        await pilot.press("a", "escape")
        while left.is_running:
            await pilot.pause()
        may_write.set()
        await settle(pilot)
        assert [notice for notice in notices(pilot) if "answered" in notice]
        assert [notice for notice in notices(pilot) if "failed" in notice] == []
