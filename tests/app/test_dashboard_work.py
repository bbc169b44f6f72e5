from __future__ import annotations

import re

import pytest
from textual.pilot import Pilot

from core.orchestration import work_items
from core.store import reads
from core.store.schema import WorkItem
from core.store.transaction import Transaction
from tests.app.driving import SMALL, USUAL, WIDE, Driving, app_in, lines_of, notices, opened, press, screen_text, settle
from tests.app.inbox import RETRY
from tests.app.seeding import (
    MORNING,
    SECOND,
    Question,
    SeededWorkspace,
    raise_question,
    seed_passed,
    seed_work_item,
)
from tui.screens.dashboard import Dashboard
from tui.widgets.key_bar import KeyBar
from tui.widgets.pipeline import Pipeline


def footer_of(pilot: Pilot[int]) -> str:
    return lines_of(pilot.app.screen.query_one(KeyBar))[0]


async def test_p_pauses_a_work_item_and_lets_it_go_on(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "p")
        work = pilot.app.screen.query_one(Pipeline)
        assert work.row is not None
        assert work.row.facts.paused_at == MORNING
        assert "‖ wait" in "\n".join(lines_of(work))
        await press(pilot, "p")
        assert work.row.facts.paused_at is None


async def test_work_that_waits_for_a_provider_rests_and_says_until_when(empty_workspace: SeededWorkspace) -> None:
    def write(tx: Transaction) -> int:
        item = seed_work_item(tx, "Count words")
        work_items.accept(tx, item, "ada")
        return item

    item, engine = empty_workspace.store.write_now(write), Driving()
    async with opened(empty_workspace, engine=engine) as pilot:
        engine.run(item, "D1", "ac-writer", MORNING)
        await settle(pilot)
        engine.rest(item, MORNING + 90 * SECOND)
        await settle(pilot)
        assert "○ rest " in "\n".join(lines_of(pilot.app.screen.query_one(Pipeline)))

        app_in(pilot).open_work_item(item)
        await settle(pilot)
        assert "○ resting until " in screen_text(pilot)


async def test_what_was_to_stop_after_a_phase_shows_that_and_p_lets_it_go_on(empty_workspace: SeededWorkspace) -> None:
    def write(tx: Transaction) -> None:
        item = seed_work_item(tx, "Count words")
        seed_passed(tx, item, [("D1", 2.0)])
        work_items.stop_after(tx, item, "D1")

    empty_workspace.store.write_now(write)
    async with opened(empty_workspace) as pilot:
        work = pilot.app.screen.query_one(Pipeline)
        assert "✓ 2.0s ‖ wait" in "\n".join(lines_of(work))
        await press(pilot, "2", "p")
        assert work.row is not None
        assert (work.row.facts.until, work.row.facts.paused_at) == (None, None)
        assert "goes on" in screen_text(pilot)


def _held_back(tx: Transaction) -> int:
    """A work item whose next phase a question holds back, now that the one before has passed."""
    item = seed_work_item(tx, "Count words")
    work_items.accept(tx, item, "ada")
    seed_passed(tx, item, [("D1", 2.0), ("P1", 3.0)])
    asked = Question(
        kind="decision",
        subject={"about": "security"},
        question="May it read files outside of its folder?",
        urgency="DAILY",
        options=RETRY,
        recommended=None,
        chain=("master-orchestrator", "technical"),
        work_item=item,
        phase="P1",
        blocks="I1",
    )
    raise_question(tx, asked)
    return item


@pytest.mark.parametrize(
    ("size", "told"), [(WIDE, r"✓ 2\.0s +✓ 3\.0s +◆ asks +· +· +·"), (SMALL, "Count words +I1 ◆ asks")]
)
async def test_a_question_between_two_phases_is_told_in_the_cell_of_the_next(
    empty_workspace: SeededWorkspace, size: tuple[int, int], told: str
) -> None:
    empty_workspace.store.write_now(_held_back)
    async with opened(empty_workspace, size) as pilot:
        assert re.search(told, lines_of(pilot.app.screen.query_one(Pipeline))[1])


def line_under_cursor(rows: Pipeline) -> str:
    return lines_of(rows)[rows.cursor - rows.scroll_offset.y + 1]


@pytest.mark.parametrize("size", [WIDE, USUAL, SMALL])
@pytest.mark.parametrize(("number", "before", "after"), [(2, "○ new", "‖ new"), (5, "◆ asks", "‖ asks")])
async def test_a_pause_shows_beside_what_else_stops_a_work_item(
    busy_workspace: SeededWorkspace, size: tuple[int, int], number: int, before: str, after: str
) -> None:
    async with opened(busy_workspace, size) as pilot:
        work = pilot.app.screen.query_one(Pipeline)
        work.go_to(number)
        await settle(pilot)
        assert before in line_under_cursor(work)
        await press(pilot, "p")
        assert after in line_under_cursor(work)
        await press(pilot, "p")
        assert before in line_under_cursor(work)


async def test_p_is_called_what_it_does(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        pilot.app.screen.query_one(Pipeline).go_to(5)
        await settle(pilot)
        assert "p pause" in footer_of(pilot)
        await press(pilot, "p")
        assert "p go on" in footer_of(pilot)
        await press(pilot, "question_mark")
        assert "Let the work item go on" in screen_text(pilot)
        await press(pilot, "escape", "colon", *"goon")
        assert "Go on" in screen_text(pilot)
        await press(pilot, "escape", "enter")
        assert "‖ waiting, paused" in screen_text(pilot)
        assert "p go on" in footer_of(pilot)
        await press(pilot, "p")
        assert "◆ waiting" in screen_text(pilot)
        assert "p pause" in footer_of(pilot)


async def test_what_was_released_and_is_to_stop_there_shows_both(empty_workspace: SeededWorkspace) -> None:
    def write(tx: Transaction) -> None:
        item = seed_work_item(tx, "Count words")
        seed_passed(tx, item, [(code, 2.0) for code in ("D1", "P1", "I1", "R1", "O1")])
        tx.update(WorkItem, item, released_at=tx.now)
        work_items.stop_after(tx, item, "O1")

    empty_workspace.store.write_now(write)
    async with opened(empty_workspace, (180, 36)) as pilot:
        assert re.search(r"✓ 2.0s +‖ wait +‖ released", lines_of(pilot.app.screen.query_one(Pipeline))[1])


async def test_a_phase_that_asks_itself_says_so_in_its_own_cell(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace, SMALL) as pilot:
        lines = lines_of(pilot.app.screen.query_one(Pipeline))
        assert re.search("Round tax.* R1 ◆ asks", "\n".join(lines))


async def test_a_accepts_a_proposed_work_item_and_only_that(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "a")
        assert notices(pilot)[-1] == "Work item 7 is running; only a proposed one can be accepted."
        pilot.app.screen.query_one(Pipeline).go_to(2)
        await press(pilot, "a")
        facts = await busy_workspace.store.read(lambda r: reads.work_item_facts(r, 2))
    assert facts is not None
    assert facts.accepted_at == MORNING


async def test_of_a_proposed_work_item_no_worktree_is_removed(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "slash", *"new", "enter", "X")
        assert ": its record" in screen_text(pilot)
        assert "worktree" not in screen_text(pilot)


@pytest.mark.parametrize(("key", "cancelled"), [("y", True), ("n", False), ("escape", False), ("enter", False)])
async def test_capital_x_cancels_a_work_item_after_asking(
    busy_workspace: SeededWorkspace, key: str, cancelled: bool
) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "X", key)
        facts = await busy_workspace.store.read(lambda r: reads.work_item_facts(r, 7))
    assert facts is not None
    assert (facts.cancelled_at is not None) == cancelled


@pytest.mark.parametrize("key", ["p", "X"])
async def test_what_is_over_is_neither_paused_nor_cancelled(busy_workspace: SeededWorkspace, key: str) -> None:
    async with opened(busy_workspace) as pilot:
        pipeline = pilot.app.screen.query_one(Pipeline)
        pipeline.go_to(1)
        await press(pilot, key)
        assert isinstance(pilot.app.screen, Dashboard)
        assert notices(pilot)[-1] == "Work item 1: it is closed, and nothing of it runs any more."
        assert "pause" not in screen_text(pilot).splitlines()[-1]
        assert pipeline.applies("work.cancel") == "it is closed, and nothing of it runs any more"
