"""A dialog that holds more than the screen has room for: what scrolls gives way, the line of keys stays."""

from __future__ import annotations

import pytest

from tests.app.driving import SMALL, USUAL, WIDE, app_in, opened, press
from tests.app.seeding import SeededWorkspace
from tui.screens.dialogs.dialog import Dialog
from tui.widgets.cards import Cards
from tui.widgets.key_bar import KeyBar

MANY = ("0", "4", "f")
KINDS = ("0", "2", "p")


@pytest.mark.parametrize("size", [WIDE, (80, 30), USUAL, (80, 21), (80, 20), (80, 19), SMALL])
@pytest.mark.parametrize("way", [MANY, KINDS, (*KINDS, "slash")])
async def test_the_line_of_keys_stays_inside_the_box(
    busy_workspace: SeededWorkspace, way: tuple[str, ...], size: tuple[int, int]
) -> None:
    async with opened(busy_workspace, size) as pilot:
        await press(pilot, *way)
        dialog = app_in(pilot).screen
        assert isinstance(dialog, Dialog)
        box, keys = dialog.query_one("#box"), dialog.query_one(KeyBar)
        assert box.content_region.contains_region(keys.region)
        assert all(child.region.bottom <= keys.region.y for child in box.children if child is not keys)


async def test_the_last_of_many_cards_can_be_seen(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace, USUAL) as pilot:
        await press(pilot, *MANY, *["j"] * 8)
        cards = app_in(pilot).screen.query_one(Cards)
        drawn = "\n".join(cards.render_line(y).text for y in range(cards.size.height))
        assert "▌ 9 Model calls" in drawn
