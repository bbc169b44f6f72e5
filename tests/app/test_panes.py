"""Panes take the room that a person gives them, on every screen of panes, for as long as the app runs."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot
from textual.widget import Widget

from tests.app.driving import SMALL, USUAL, WIDE, notices, opened, press, screen_text, settle
from tests.app.seeding import SeededWorkspace
from tui.screens.dashboard import Dashboard
from tui.screens.pane_layout import LEAST
from tui.screens.pane_screen import PaneTabs
from tui.screens.work.work_item import WorkItemScreen

LARGER, SMALLER, RESET = "greater_than_sign", "less_than_sign", "underscore"


def pane(pilot: Pilot[int], name: str) -> Widget:
    return pilot.app.screen.query_one(f"#{name}", Widget)


def sizes(pilot: Pilot[int]) -> dict[str, tuple[int, int]]:
    found = {name: pane(pilot, name).outer_size for name in Dashboard.PANES}
    return {name: (size.width, size.height) for name, size in found.items()}


async def test_a_pane_of_a_column_grows_and_shrinks_by_its_neighbour(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        before = sizes(pilot)
        await press(pilot, "2", LARGER)
        after = sizes(pilot)
        assert after["work"][1] == before["work"][1] + 2
        assert after["queue"][1] == before["queue"][1] - 2
        assert after["briefing"] == before["briefing"]
        await press(pilot, SMALLER)
        assert sizes(pilot) == before


async def test_a_pane_with_a_column_to_itself_grows_in_width(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        before = sizes(pilot)
        await press(pilot, "1", LARGER, LARGER)
        after = sizes(pilot)
        assert after["agents"][0] == before["agents"][0] + 8
        assert after["work"][0] == before["work"][0] - 8


@pytest.mark.parametrize("number", ["1", "2", "3", "4"])
@pytest.mark.parametrize("key", [LARGER, SMALLER])
async def test_no_pane_vanishes(busy_workspace: SeededWorkspace, number: str, key: str) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, number)
        await press(pilot, *[key] * 40)
        found = sizes(pilot)
        assert all(height >= LEAST["height"] for _, height in found.values())
        assert all(width >= LEAST["width"] for width, _ in found.values())
        assert sum(found[name][1] for name in ("work", "queue", "briefing")) == found["agents"][1]


async def test_shares_stay_in_proportion_when_the_terminal_changes(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "1", *[LARGER] * 5)
        wide = sizes(pilot)["agents"][0]
        await pilot.resize_terminal(180, 36)
        await settle(pilot)
        assert abs(sizes(pilot)["agents"][0] - wide * 1.5) <= 1


async def test_a_narrow_screen_gives_one_pane_everything_whatever_was_made_of_it(
    busy_workspace: SeededWorkspace,
) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "4", "z", "2", *[SMALLER] * 4)
        await pilot.resize_terminal(*USUAL)
        await settle(pilot)
        for number, name in enumerate(Dashboard.PANES, 1):
            await press(pilot, str(number))
            assert pane(pilot, name).outer_size == (80, 21)
        await press(pilot, LARGER, "z")
        assert notices(pilot)[-1] == "Only one pane is shown: there is nothing to fold."


async def test_folding_is_offered_where_there_is_something_to_fold(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "4")
        assert "enter fold" in screen_text(pilot)
        await press(pilot, "plus")
        assert "enter fold" not in screen_text(pilot)
        await press(pilot, "plus")
        assert "enter fold" in screen_text(pilot)
        await pilot.resize_terminal(*USUAL)
        await settle(pilot)
        assert "enter fold" not in screen_text(pilot)
        await press(pilot, "question_mark", "slash", *"fold")
        assert "(only one pane" in " ".join(screen_text(pilot).split())


async def test_z_folds_any_pane_to_its_title_and_unfolds_it(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        before = sizes(pilot)
        await press(pilot, "3", "z")
        after = sizes(pilot)
        assert after["queue"][1] == 2
        assert after["work"][1] + after["briefing"][1] == before["agents"][1] - 2
        assert "3 questions" in screen_text(pilot)
        await press(pilot, "z")
        assert sizes(pilot) == before


async def test_a_folded_column_leaves_its_width_to_the_others(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "1", "z")
        assert sizes(pilot)["agents"] == (14, 2)
        assert sizes(pilot)["work"][0] == 106
        assert "1 agents" in screen_text(pilot)


async def test_the_last_open_pane_of_a_column_stays_open(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "2", "z", "3", "z", "4", "z")
        assert notices(pilot)[-1] == "The last open pane here cannot be folded."
        assert sizes(pilot)["briefing"][1] == WIDE[1] - 2 - 2 * 2 - 1, "the notice has a line of its own"


async def test_enter_on_a_folded_pane_unfolds_it_first(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "2", "z", "enter")
        assert isinstance(pilot.app.screen, Dashboard)
        assert sizes(pilot)["work"][1] > 5


async def test_a_fixed_pane_takes_what_its_folded_neighbour_leaves(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "2", "j", "enter", "4", "z")
        assert isinstance(pilot.app.screen, WorkItemScreen)
        assert pane(pilot, "phases").outer_size.height == WIDE[1] - 3 - 2


async def test_underscore_gives_every_pane_its_first_size(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        before = sizes(pilot)
        await press(pilot, "1", LARGER, "4", "z", "2", SMALLER, RESET)
        assert sizes(pilot) == before


async def test_a_screen_is_found_again_as_it_was_left(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "2", "j", "enter", "1", LARGER, LARGER)
        left = pane(pilot, "phases").outer_size
        await press(pilot, "escape", "enter")
        assert pane(pilot, "phases").outer_size == left


@pytest.mark.parametrize("size", [USUAL, SMALL])
async def test_a_click_on_a_name_goes_to_its_pane(busy_workspace: SeededWorkspace, size: tuple[int, int]) -> None:
    async with opened(busy_workspace, size) as pilot:
        tabs = pilot.app.screen.query_one(PaneTabs).render_line(0).text
        await pilot.click(PaneTabs, offset=(tabs.index("3"), 0))
        await settle(pilot)
        assert pane(pilot, "queue").display
        assert pilot.app.focused is pane(pilot, "queue")


async def test_a_double_click_on_a_title_enlarges_and_one_on_a_folded_pane_unfolds(
    busy_workspace: SeededWorkspace,
) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "4", "z")
        await pilot.click("#briefing", offset=(5, 0))
        await settle(pilot)
        assert sizes(pilot)["briefing"][1] > 5
        await pilot.click("#queue", offset=(5, 0), times=2)
        await settle(pilot)
        assert pane(pilot, "queue").outer_size.width == 120
