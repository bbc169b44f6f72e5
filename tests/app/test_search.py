"""`/` in a text finds words there, and no key of what is typed does anything else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.app.driving import SMALL, USUAL, WIDE, app_in, notices, opened, press, screen_text, settle
from tests.app.records import go_to
from tests.app.seeding import SeededWorkspace
from tui.screens.help import HelpDialog
from tui.screens.questions.decision import Decision
from tui.screens.records.history import EventText, History
from tui.screens.work.work_item import WorkItemScreen
from tui.widgets.document import Document
from tui.widgets.search_bar import SearchBar


def reversed_text(pilot: Any) -> str:
    """What is drawn in reverse: the place that is looked at."""
    document = next(d for d in pilot.app.screen.query(Document) if d.search_note)
    height = document.scrollable_content_region.height
    strips = [document.render_line(y) for y in range(height)]
    return "".join(s.text for strip in strips for s in strip if s.style is not None and s.style.reverse)


async def test_words_are_found_in_the_event_and_enter_goes_on(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await go_to(pilot, History())
        await press(pilot, "2", "slash", *"ESCALATION")
        assert reversed_text(pilot).lower() == "escalation"
        first = pilot.app.screen.query_one(EventText).search_note
        assert first.startswith("1 of ")
        assert first in screen_text(pilot)
        await press(pilot, "enter")
        assert pilot.app.screen.query_one(EventText).search_note.startswith("2 of ")
        await press(pilot, "up", "up")
        count = first.removeprefix("1 of ")
        assert pilot.app.screen.query_one(EventText).search_note == f"{count} of {count}"
        await press(pilot, "escape")
        assert not pilot.app.screen.query(SearchBar)
        assert pilot.app.focused is pilot.app.screen.query_one(EventText)
        await press(pilot, "slash", "enter")
        assert reversed_text(pilot).lower() == "escalation", "what was looked for last"


@pytest.mark.parametrize("size", [WIDE, USUAL, SMALL])
async def test_what_is_typed_in_the_gate_pane_does_nothing_else(
    busy_workspace: SeededWorkspace, size: tuple[int, int]
) -> None:
    async with opened(busy_workspace, size) as pilot:
        app_in(pilot).open_work_item(7)
        await settle(pilot)
        told = len(notices(pilot))
        await press(pilot, "2", "slash", *"pauncx", "enter")
        assert "nothing found" in screen_text(pilot)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, WorkItemScreen)
        assert len(notices(pilot)) == told
        assert pilot.app.focused is not None
        assert pilot.app.focused.id == "gate"


async def test_a_question_is_searched_and_its_answers_have_the_keys_again(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space")
        before = pilot.app.focused
        await press(pilot, "slash", *"browsers")
        assert isinstance(pilot.app.screen, Decision)
        assert pilot.app.screen.query_one(SearchBar)
        await press(pilot, "escape")
        assert pilot.app.focused is before


async def test_in_the_help_it_leaves_out_everything_else(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "question_mark", "slash", *"snooze")
        assert isinstance(pilot.app.screen, HelpDialog)
        assert not pilot.app.screen.query(SearchBar)
