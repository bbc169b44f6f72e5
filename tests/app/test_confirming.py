"""A yes or a no is given to what could be read: where not all of it is in sight, that is said, and keys scroll it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.app.driving import SMALL, USUAL, WIDE, app_in, opened, press, screen_text, settle
from tests.app.scope_driving import go
from tests.app.seeding import SeededWorkspace
from tui.screens.dialogs.choice import ConfirmDialog
from tui.screens.scope.dialogs import PreviewDialog
from tui.widgets.document import Paragraph

LINES = [Paragraph(((f"What follows from it, part {n}.", "text"),)) for n in range(1, 13)]


async def ask(pilot: Any, lines: list[Paragraph]) -> list[bool | None]:
    """Ask for a yes; what the answer was comes into the list."""
    given: list[bool | None] = []
    app_in(pilot).push_screen(ConfirmDialog("Do it?", lines, "Do it", "Leave it"), given.append)
    await settle(pilot)
    return given


@pytest.mark.parametrize(("down", "up"), [("J", "K"), ("pagedown", "pageup")])
async def test_what_is_beyond_the_edge_is_told_and_can_be_read(
    empty_workspace: SeededWorkspace, down: str, up: str
) -> None:
    async with opened(empty_workspace, SMALL) as pilot:
        given = await ask(pilot, LINES)
        text = screen_text(pilot)
        assert "part 12" not in text
        assert " more below " in text
        assert "J read on" in text
        assert "K read back" not in text

        await press(pilot, down)
        assert " more above and below " in screen_text(pilot)
        await press(pilot, down, down)
        text = screen_text(pilot)
        assert "part 12" in text
        assert "part 1." not in text
        assert " more above " in text
        assert "J read on" not in text
        assert "K read back" in text

        await press(pilot, up, up, up)
        assert "part 1." in screen_text(pilot)
        await press(pilot, "y")
        assert given == [True]


@pytest.mark.parametrize("size", [SMALL, USUAL, WIDE])
async def test_what_is_seen_in_whole_has_no_mark_and_no_keys_to_scroll_it(
    empty_workspace: SeededWorkspace, size: tuple[int, int]
) -> None:
    async with opened(empty_workspace, size) as pilot:
        await ask(pilot, LINES[:2])
        text = screen_text(pilot)
        assert " more " not in text
        assert "read on" not in text


async def test_the_mark_goes_when_the_screen_grows(empty_workspace: SeededWorkspace) -> None:
    async with opened(empty_workspace, SMALL) as pilot:
        await ask(pilot, LINES[:8])
        assert "part 8" not in screen_text(pilot)
        await pilot.resize_terminal(*WIDE)
        await settle(pilot)
        text = screen_text(pilot)
        assert "part 8" in text
        assert " more " not in text


async def test_all_that_a_change_of_authority_does_can_be_read_on_a_small_screen(scoped: SeededWorkspace) -> None:
    async with opened(scoped, SMALL) as pilot:
        await go(pilot, "a")
        assert isinstance(pilot.app.screen, PreviewDialog)
        assert " more below " in screen_text(pilot)
        read = screen_text(pilot)
        while " below " in screen_text(pilot):
            await press(pilot, "J")
            read += screen_text(pilot)
        assert "now technical asks" in read
        assert "it meanwhile stands" in read


@pytest.mark.parametrize("lines", [5, 6, 7])
async def test_a_blank_line_is_nothing_more_to_read(empty_workspace: SeededWorkspace, lines: int) -> None:
    """Six lines are in sight; behind the last one stands a blank one."""
    async with opened(empty_workspace, SMALL) as pilot:
        await ask(pilot, LINES[:lines])
        assert (" more below " in screen_text(pilot)) == (lines > 6)
