"""Where one pane is shown, what its rows are narrowed to stands beside its name: there is no border to say it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot

from tests.app.driving import SMALL, USUAL, WIDE, opened, press
from tests.app.seeding import SeededWorkspace
from tui.screens.pane_screen import PaneTabs
from tui.widgets.painted import cells_of, plain


def tabs(pilot: Pilot[int]) -> str:
    return pilot.app.screen.query_one(PaneTabs).render_line(0).text.rstrip()


@pytest.mark.parametrize(
    ("size", "keys", "told"),
    [
        (USUAL, (), " 1 agents  2 work  3 questions /scheme: 1 of 7  4 briefing"),
        (SMALL, (), " 1  2  3 questions /scheme: 1 of 7  4"),
        (WIDE, ("plus",), " 1 agents  2 work  3 questions /scheme: 1 of 7  4 briefing"),
    ],
)
async def test_a_filter_is_told_beside_the_name_of_the_pane_that_is_shown(
    busy_workspace: SeededWorkspace, size: tuple[int, int], keys: tuple[str, ...], told: str
) -> None:
    async with opened(busy_workspace, size) as pilot:
        await press(pilot, "3", "slash", *"scheme", "enter", *keys)
        assert tabs(pilot) == told
        await press(pilot, "2")
        assert "/scheme" not in tabs(pilot)
        await press(pilot, "3", "escape")
        assert "/scheme" not in tabs(pilot)


async def test_the_work_pane_and_the_agents_tell_theirs(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace, USUAL) as pilot:
        await press(pilot, "2", "slash", *"waiting", "enter")
        assert "2 work /waiting: 2 of 7 " in tabs(pilot)
        await press(pilot, "1", "slash", *"ux", "enter")
        assert "1 agents /ux: 1 of " in tabs(pilot)


async def test_marks_are_told_with_and_without_a_filter(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace, SMALL) as pilot:
        await press(pilot, "t", "x")
        assert tabs(pilot) == " ·  needs me 1 marked  ·"
        await press(pilot, "escape", "slash", *"daily", "enter", "asterisk")
        assert tabs(pilot) == " ·  needs me /dai…: 3 of 5, 3 marked  ·"


async def test_a_long_filter_is_cut_in_its_words(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace, SMALL) as pilot:
        await press(pilot, "3", "slash", *"questionable", "enter")
        assert tabs(pilot) == " 1  2  3 questions /questio…: 0 of 7  4"


@given(
    st.lists(st.text("abc ", min_size=1, max_size=40), min_size=1, max_size=5),
    st.text("xyz界", max_size=60),
    st.integers(20, 140),
    st.booleans(),
    st.data(),
)
def test_the_line_is_never_wider_than_the_screen_has_room_for_names(
    titles: list[str], words: str, width: int, numbered: bool, data: st.DataObject
) -> None:
    line = PaneTabs(numbered=numbered)
    line.set_reactive(PaneTabs.titles, tuple(titles))
    line.set_reactive(PaneTabs.notes, tuple((f"/{words}", ": 2 of 10") for _ in titles))
    line.set_reactive(PaneTabs.current, data.draw(st.integers(0, len(titles) - 1)))
    drawn, _ = line.halves(width)
    if 3 * len(titles) + 16 <= width:
        assert cells_of(drawn) <= width
        assert ": 2 of 10 " in plain(drawn)
