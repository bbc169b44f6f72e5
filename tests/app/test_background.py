from __future__ import annotations

import gc
import warnings

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


async def test_work_that_is_ended_before_it_began_leaves_no_complaint_of_python(
    empty_workspace: SeededWorkspace,
) -> None:
    done: list[int] = []

    async def work(number: int) -> None:
        done.append(number)

    async with opened(empty_workspace) as pilot:
        for number in range(3):
            in_background(app_in(pilot), work(number), group="test", exclusive=True)
        await settle(pilot)
        with warnings.catch_warnings(record=True) as complaints:
            warnings.simplefilter("always")
            gc.collect()
    assert done == [2]
    assert complaints == []
