"""The queue and the pipeline as lists of any length: sections, filters, marks, and what time does to them."""

from __future__ import annotations

import pytest

from core.store import reads_windows
from tests.app.driving import app_in, lines_of, opened, press, screen_text, settle
from tests.app.seeding import HOUR, MORNING, SeededWorkspace, seed_work_item
from tui.screens.triage.lists import Inbox
from tui.widgets.pipeline import Pipeline
from tui.widgets.queue import Queue, waiting_for_me


async def test_a_thousand_work_items_are_one_list(empty_workspace: SeededWorkspace) -> None:
    empty_workspace.store.write_now(lambda tx: [seed_work_item(tx, f"Item-{n}") for n in range(1_000)])
    async with opened(empty_workspace) as pilot:
        work = pilot.app.screen.query_one(Pipeline)
        assert work.summary == "1,000 in all"
        await press(pilot, "G")
        assert work.row is not None
        assert work.row.title == "Item-0"
        await press(pilot, "slash", *"item-77", "space", "!", *"777", "enter")
        assert work.filter_note == "/item-77 !777: 9 of 1000"
        assert work.row.title == "Item-77"


@pytest.mark.parametrize(
    ("typed", "found"),
    [("#5", [5]), ("bug", [6, 1]), ("ledger", [6, 4, 3]), ("closed", [1]), ("proposed", [2]), ("waiting", [6, 5])],
)
async def test_work_is_found_by_number_type_project_and_state(
    busy_workspace: SeededWorkspace, typed: str, found: list[int]
) -> None:
    async with opened(busy_workspace) as pilot:
        work = pilot.app.screen.query_one(Pipeline)
        work.set_filter(typed)
        await settle(pilot)
        assert list(work.keys) == found


async def test_marks_are_told_in_the_title_and_escape_takes_them_away_before_the_filter(
    busy_workspace: SeededWorkspace,
) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "t", "slash", *"daily", "enter", "asterisk")
        queue = pilot.app.screen.query_one(Inbox)
        assert queue.marked == frozenset(queue.keys)
        assert str(queue.border_subtitle).endswith(f", {queue.count} marked")
        await press(pilot, "escape")
        assert (queue.mark_count, queue.filter_text) == (0, "daily")
        await press(pilot, "escape")
        assert queue.filter_text == ""


async def test_the_footer_goes_on_to_name_the_way_out_of_a_list_with_marks(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "t", "question_mark")
        assert "Take all marks away" in screen_text(pilot)


async def test_a_question_that_was_put_away_comes_back_when_its_time_has_come(
    busy_workspace: SeededWorkspace,
) -> None:
    async with opened(busy_workspace) as pilot:
        queue = pilot.app.screen.query_one(Queue)
        assert "snoozed" in "\n".join(lines_of(queue))
        busy_workspace.clock.now = MORNING + 24 * HOUR
        app_in(pilot)._tick()
        await settle(pilot)
        assert "snoozed" not in "\n".join(lines_of(queue))


def test_what_waits_for_me_is_in_the_queues_order(busy_workspace: SeededWorkspace) -> None:
    waiting = busy_workspace.store.read_now(lambda r: waiting_for_me(r, MORNING, "ada"))
    every = busy_workspace.store.read_now(lambda r: reads_windows.escalation_order(r, None, (), (), MORNING))
    assert waiting == tuple(every[: len(waiting)])
    assert len(waiting) == 5
