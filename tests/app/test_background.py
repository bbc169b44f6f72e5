from __future__ import annotations

from core.contract import UsageError
from tests.app.driving import app_in, notices, opened, settle
from tests.app.seeding import SeededWorkspace
from tui.background import in_background


async def test_what_fails_in_the_background_is_told_and_the_app_goes_on(empty_workspace: SeededWorkspace) -> None:
    async def refuse() -> None:
        raise UsageError("There is no question 9.")

    async def break_down() -> None:
        raise KeyError("digest")

    async with opened(empty_workspace) as pilot:
        in_background(app_in(pilot), refuse(), group="test")
        await settle(pilot)
        in_background(pilot.app.screen, break_down(), group="test")
        await settle(pilot)
        assert notices(pilot) == ["There is no question 9.", "That failed. KeyError: 'digest'"]
        assert pilot.app.is_running
