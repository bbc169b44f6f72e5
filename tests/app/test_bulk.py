"""One answer for many: marks, the plan that is looked at first, what is done and left, and taking it back."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from core.governance import escalations
from core.governance.escalations import Option, Question, raise_question
from core.orchestration import work_items
from core.store.transaction import Transaction
from tests.app.asked import answers
from tests.app.driving import Driving, app_in, notices, opened, press, screen_text, settle
from tests.app.marking import ALL, chosen, marked, mix, plan_of, rows, triage_of
from tests.app.seeding import HOUR, MINUTE, MORNING, SeededWorkspace
from tests.app.triage_driving import NEXT
from tui.questions.sections import HOUSE
from tui.screens.dialogs.choice import ChoiceDialog, ConfirmDialog
from tui.screens.dialogs.reason import LineDialog, ReasonDialog
from tui.screens.triage.bulk import BulkDialog
from tui.screens.triage.marked import NONE_LEFT
from tui.screens.triage.screen import Triage


@pytest.fixture
def mixed(empty_workspace: SeededWorkspace) -> SeededWorkspace:
    return mix(empty_workspace)


# The plan


async def test_the_plan_tells_what_will_happen_in_groups_and_what_is_left(mixed: SeededWorkspace) -> None:
    async with opened(mixed) as pilot:
        await press(pilot, "t", ALL, "a")
        assert plan_of(pilot).groups() == [("Approve (recommended)", 4, 0), ("Try again (recommended)", 3, 0)]
        assert [(why, [r.id for r in some]) for why, some in plan_of(pilot).refusal_groups()] == [
            ("takes values: fill it in by itself with e", [8]),
            ("nothing is recommended there: answer it with a number", [9]),
        ]
        text = screen_text(pilot)
        assert "4 × Approve (recommended)" in text
        assert "8 What is it to do?" in text
        assert await chosen(mixed) == {}


async def test_y_does_it_and_what_could_not_be_done_stays_marked(mixed: SeededWorkspace) -> None:
    async with opened(mixed) as pilot:
        await press(pilot, "t", ALL, "a", "y")
        assert await chosen(mixed) == {n: ["approve"] if n < 5 else ["retry"] for n in range(1, 8)}
        assert marked(pilot) == [8, 9]
        assert notices(pilot)[-1] == "7 questions answered. 2 stay marked. u takes it back."
        assert isinstance(pilot.app.screen, Triage)


@pytest.mark.parametrize("key", ["n", "escape"])
async def test_leaving_the_plan_changes_nothing(mixed: SeededWorkspace, key: str) -> None:
    async with opened(mixed) as pilot:
        await press(pilot, "t", ALL, "a", key)
        assert await chosen(mixed) == {}
        assert len(marked(pilot)) == 9


async def test_a_key_that_comes_before_the_plan_is_drawn_does_nothing(mixed: SeededWorkspace) -> None:
    async with opened(mixed) as pilot:
        await press(pilot, "t", ALL, "a")
        dialog = pilot.app.screen
        assert isinstance(dialog, BulkDialog)
        dialog._is_drawn = False
        await press(pilot, "y")
        assert await chosen(mixed) == {}


async def test_a_plan_that_nothing_takes_says_so(mixed: SeededWorkspace) -> None:
    async with opened(mixed) as pilot:
        await press(pilot, "t", ALL, "a", "y", "a")
        assert "None of them takes that." in screen_text(pilot)
        assert "y do it" not in screen_text(pilot)
        await press(pilot, "y")
        assert isinstance(pilot.app.screen, BulkDialog)
        await press(pilot, "n")
        assert marked(pilot) == [8, 9]


# Marks


async def test_single_marks_and_a_range(mixed: SeededWorkspace) -> None:
    async with opened(mixed) as pilot:
        await press(pilot, "t", "x", "j", "v", "j", "v")
        assert len(marked(pilot)) == 3
        first, *_ = triage_of(pilot).inbox.keys
        assert first in marked(pilot)
        await press(pilot, "a", "y")
        assert sum(map(len, (await chosen(mixed)).values())) == 3


async def test_a_filter_then_all_of_it(mixed: SeededWorkspace) -> None:
    async with opened(mixed) as pilot:
        await press(pilot, "t", "slash", *"error", "enter", ALL, "a", "y")
        assert await chosen(mixed) == {5: ["retry"], 6: ["retry"], 7: ["retry"]}


async def test_inverted_marks(mixed: SeededWorkspace) -> None:
    async with opened(mixed) as pilot:
        await press(pilot, "t", "x", "minus")
        assert len(marked(pilot)) == 8


async def test_escape_takes_the_marks_away_first(mixed: SeededWorkspace) -> None:
    async with opened(mixed) as pilot:
        await press(pilot, "t", ALL, "escape")
        assert marked(pilot) == []
        assert isinstance(pilot.app.screen, Triage)


async def test_another_section_has_no_marks(mixed: SeededWorkspace) -> None:
    async with opened(mixed) as pilot:
        await press(pilot, "t", ALL, *["right_square_bracket"] * 9)
        assert marked(pilot) == []


# Every deed


async def test_a_number_means_the_answer_of_the_question_in_sight(mixed: SeededWorkspace) -> None:
    async with opened(mixed) as pilot:
        await press(pilot, "t", ALL, "1")
        assert plan_of(pilot).groups() == [("Approve (recommended)", 4, 0), ("Approve", 1, 1)]
        assert {r.id: r.why for r in plan_of(pilot).refusals} == dict.fromkeys(
            (5, 6, 7, 8), "no such answer there: Approve"
        )


async def test_one_reason_goes_on_record_where_one_is_due(mixed: SeededWorkspace) -> None:
    async with opened(mixed) as pilot:
        await press(pilot, "t", ALL, "1")
        assert "your reason goes on record" in screen_text(pilot)
        await press(pilot, "y")
        assert isinstance(pilot.app.screen, ReasonDialog)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, BulkDialog)
        assert await chosen(mixed) == {}
        await press(pilot, "y", *"as agreed", "enter")
        given = [await answers(mixed, n) for n in (1, 9)]
    assert [(a.option, a.reason) for (a,) in given] == [("approve", ""), ("approve", "as agreed")]


async def test_r_offers_the_answers_that_are_not_recommended(mixed: SeededWorkspace) -> None:
    async with opened(mixed) as pilot:
        await press(pilot, "t", ALL, "r")
        assert isinstance(pilot.app.screen, ChoiceDialog)
        assert "5 of 9 offer it" in screen_text(pilot)
        await press(pilot, "1", "y", *"no time", "enter")
        assert await chosen(mixed) == {n: ["reject"] for n in (1, 2, 3, 4, 9)}


async def test_an_answer_that_ends_work_says_so(mixed: SeededWorkspace) -> None:
    async with opened(mixed) as pilot:
        await press(pilot, "t", "slash", *"error", "enter", ALL, "2")
        assert plan_of(pilot).groups() == [("Stop this work item, which ends its work item", 3, 3)]


async def test_each_work_item_that_an_answer_for_many_is_about_is_named(mixed: SeededWorkspace) -> None:
    def ask_of_two(tx: Transaction) -> None:
        for title in ("Could we use WASM?", "Greet in German"):
            raise_question(tx, replace(SAME, work_item=work_items.create(tx, title=title), subject={"of": title}))

    mixed.store.write_now(ask_of_two)
    async with opened(mixed) as pilot:
        await press(pilot, "t", "slash", *"wasm", "enter")
        row = screen_text(pilot)
        await press(pilot, "escape", "slash", *"same", "enter", ALL, "2")
        plan = screen_text(pilot)
    assert "Could we use… · Is it the same?" in row
    assert "Greet in" not in row
    assert "Could we use WASM? · Is it the same?" in plan
    assert "Greet in German · Is it the same?" in plan


SAME = Question(
    kind="error",
    subject={},
    question="Is it the same?",
    urgency="DAILY",
    options=(Option("retry", "Try again", "It runs again."), Option("stop", "Stop it", "It ends.", ends=True)),
    recommended="retry",
    chain=("master-orchestrator",),
)


async def test_seen(mixed: SeededWorkspace) -> None:
    async with opened(mixed) as pilot:
        await press(pilot, "t", ALL, "exclamation_mark", "y")
        found = await rows(mixed)
        assert {row.acknowledged_until for row in found.values()} == {MORNING + 30 * MINUTE}
        assert marked(pilot) == []
        await press(pilot, "u")
        assert {row.acknowledged_until for row in (await rows(mixed)).values()} == {None}
        assert "9 questions as before." in notices(pilot)[-1]


async def test_put_away(mixed: SeededWorkspace) -> None:
    async with opened(mixed) as pilot:
        await press(pilot, "t", ALL, "s", "2")
        assert plan_of(pilot).groups() == [("put away: 4 hours", 9, 0)]
        await press(pilot, "y")
        assert {row.snoozed_until for row in (await rows(mixed)).values()} == {MORNING + 4 * HOUR}
        await press(pilot, "u")
        assert {row.snoozed_until for row in (await rows(mixed)).values()} == {None}


async def test_put_away_until_a_moment_that_is_typed(mixed: SeededWorkspace) -> None:
    async with opened(mixed) as pilot:
        await press(pilot, "t", ALL, "s", "6")
        assert isinstance(pilot.app.screen, LineDialog)
        await press(pilot, *"90m", "enter", "y")
        assert {row.snoozed_until for row in (await rows(mixed)).values()} == {MORNING + 90 * MINUTE}


async def test_handed_over(mixed: SeededWorkspace) -> None:
    async with opened(mixed) as pilot:
        await press(pilot, "t", "x", "x", "o", *"grace", "f2", "y")
        assert [row.assigned_to for _, row in sorted((await rows(mixed)).items())][:3] == ["grace", "grace", None]
        await press(pilot, *[NEXT] * len(HOUSE), ALL, "o", *"grace", "f2")
        assert {r.why for r in plan_of(pilot).refusals} == {"grace has it already"}
        await press(pilot, "n", "u")
        assert {row.assigned_to for row in (await rows(mixed)).values()} == {None}


async def test_pressed(mixed: SeededWorkspace) -> None:
    async with opened(mixed) as pilot:
        await press(pilot, "t", "x", "circumflex_accent", "enter", "y")
        assert (await rows(mixed))[1].urgency == "IMMEDIATE"
        await press(pilot, ALL, "circumflex_accent", "enter")
        assert [(r.id, r.why) for r in plan_of(pilot).refusals] == [
            (1, "immediate already: hand it over, or answer it")
        ]
        await press(pilot, "n", "u")
        assert (await rows(mixed))[1].urgency == "DAILY"


async def test_merged_into_the_question_in_sight(mixed: SeededWorkspace) -> None:
    async with opened(mixed) as pilot:
        await press(pilot, "t", ALL, "m")
        plan = plan_of(pilot)
        assert [step.id for step in plan.steps] == [2, 3, 4, 9]
        assert {r.id for r in plan.refusals} == {5, 6, 7, 8}
        await press(pilot, "y")
        assert {n for n, row in (await rows(mixed)).items() if row.merged_into == 1} == {2, 3, 4, 9}
        await press(pilot, "u")
        assert {row.merged_into for row in (await rows(mixed)).values()} == {None}
        assert (await rows(mixed))[1].count == 1


async def test_nothing_is_done_to_the_question_under_the_cursor_when_the_marked_ones_have_gone(
    mixed: SeededWorkspace,
) -> None:
    async with opened(mixed) as pilot:
        await press(pilot, "t", "x", "s")
        await mixed.store.write(lambda tx: escalations.resolve(tx, 1, option="approve", by="grace"))
        await settle(pilot)
        await press(pilot, "1")
        assert isinstance(pilot.app.screen, Triage)
        assert notices(pilot)[-1] == NONE_LEFT


async def test_a_dialog_that_opens_over_a_running_plan_stays_and_the_plan_closes_after_it(
    mixed: SeededWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_write = asyncio.Event()
    async with opened(mixed, engine=Driving(work_items=(1,))) as pilot:
        await press(pilot, "t", ALL, "a")
        write = app_in(pilot).bridge.write

        async def held_back(work: Callable[[Transaction], Any]) -> Any:
            await may_write.wait()
            return await write(work)

        monkeypatch.setattr(app_in(pilot).bridge, "write", held_back)
        await pilot.press("y", "ctrl+q")
        may_write.set()
        await settle(pilot)
        assert isinstance(pilot.app.screen, ConfirmDialog)
        await press(pilot, "n")
        assert isinstance(pilot.app.screen, Triage)
        assert marked(pilot) == [8, 9]


@pytest.mark.parametrize("keys", [["e"], ["c"]])
async def test_what_is_for_one_stays_for_one(mixed: SeededWorkspace, keys: list[str]) -> None:
    async with opened(mixed) as pilot:
        await press(pilot, "t", ALL, "G", *keys)
        assert not isinstance(pilot.app.screen, BulkDialog)
        told = r"This is about question \d+ alone; the \d+ marked ones wait\."
        assert [text for text in notices(pilot) if re.fullmatch(told, text)]
