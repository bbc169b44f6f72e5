"""One press answers one question: a key that is held down answers no second one, and two presses answer two."""

from __future__ import annotations

from typing import Any

import pytest

from tests.app.asked import PASSKEYS, answers
from tests.app.driving import decision_of, moment, notices, opened, press, send, settle
from tests.app.inbox import ask
from tests.app.seeding import MINUTE, SeededWorkspace
from tui.keystrokes import REPEAT_SECONDS
from tui.questions.answering import HELD, NOT_DRAWN
from tui.widgets.queue import Queue

QUESTIONS = range(1, 7)
REPEATS = [n * 0.025 for n in range(30)]
"""What a keyboard sends for a key that is held down for less than a second."""
DELAY = 0.5
"""How long most keyboards wait before the first repeat."""
PLACES = {"decision": ("space",), "triage": ("t",)}


@pytest.fixture
def many(empty_workspace: SeededWorkspace) -> SeededWorkspace:
    """Six questions that take a yes."""
    for n in QUESTIONS:
        empty_workspace.at((9 - n) * MINUTE, lambda tx, n=n: ask(tx, f"Approve the change {n}?"))
    return empty_workspace


async def hold_late(pilot: Any, key: str) -> None:
    """The key comes once and, after the delay of the keyboard, again and again."""
    began = moment()
    send(pilot, key, began)
    await settle(pilot)
    for repeat in REPEATS:
        send(pilot, key, began + DELAY + repeat)
    await settle(pilot)


async def hold(pilot: Any, key: str, *seconds: float) -> None:
    """The key comes at these moments; between them everything that it began comes to its end."""
    began = moment()
    for second in seconds:
        send(pilot, key, began + second)
        await settle(pilot)


async def answered(made: SeededWorkspace) -> int:
    return sum([len(await answers(made, n)) for n in QUESTIONS])


@pytest.mark.parametrize(("place", "key"), [("decision", "a"), ("decision", "1"), ("triage", "a"), ("triage", "1")])
async def test_a_key_that_is_held_answers_one_question(many: SeededWorkspace, place: str, key: str) -> None:
    async with opened(many) as pilot:
        await press(pilot, *PLACES[place])
        await hold(pilot, key, *REPEATS)
        assert await answered(many) == 1
        assert notices(pilot).count(HELD) == 1
        await press(pilot, key)
        assert await answered(many) == 2, "it was let go of"


async def test_a_key_that_is_held_in_the_queue_opens_a_question_and_answers_none(many: SeededWorkspace) -> None:
    async with opened(many) as pilot:
        await press(pilot, "3", "g")
        await hold(pilot, "a", *REPEATS)
        assert (decision_of(pilot).escalation, await answered(many)) == (1, 0)
        await press(pilot, "a")
        assert await answered(many) == 1, "it was let go of"


async def test_enter_answers_one_question_as_well_and_none_where_it_opened_it(many: SeededWorkspace) -> None:
    async with opened(many) as pilot:
        await press(pilot, "3", "g")
        await hold_late(pilot, "enter")
        assert decision_of(pilot).escalation == 1
        assert await answered(many) == 0
        await hold(pilot, "enter", *REPEATS)
        assert await answered(many) == 1


@pytest.mark.parametrize("place", PLACES)
async def test_two_presses_a_second_answer_two_questions_a_second(many: SeededWorkspace, place: str) -> None:
    async with opened(many) as pilot:
        await press(pilot, *PLACES[place])
        await hold(pilot, "a", 0, 0.5, 1, 1.5)
        assert await answered(many) == 4
        assert HELD not in notices(pilot)


async def test_the_first_repeat_comes_as_late_as_a_second_press_and_is_none(many: SeededWorkspace) -> None:
    async with opened(many) as pilot:
        await press(pilot, "space")
        await hold_late(pilot, "a")
        assert await answered(many) == 1


async def test_each_ignored_press_renews_the_wait(many: SeededWorkspace) -> None:
    async with opened(many) as pilot:
        await press(pilot, "t")
        await hold(pilot, "a", 0, 0.3, 0.6, 0.9)
        assert await answered(many) == 1


async def test_another_key_between_shows_that_it_was_let_go_of(many: SeededWorkspace) -> None:
    async with opened(many) as pilot:
        await press(pilot, "t")
        began = moment()
        for n, key in enumerate(("a", "j", "a")):
            send(pilot, key, began + n * REPEAT_SECONDS)
            await settle(pilot)
        assert await answered(many) == 2


async def test_a_key_that_took_a_choice_answers_nothing_while_it_is_held(many: SeededWorkspace) -> None:
    """`1` puts a question away for an hour; the next one is there at once, and would take it for an answer."""
    async with opened(many) as pilot:
        await press(pilot, "space", "s")
        await hold_late(pilot, "1")
        assert decision_of(pilot).escalation == 2
        assert await answered(many) == 0


async def test_lists_scroll_on_while_a_key_is_held(many: SeededWorkspace) -> None:
    async with opened(many) as pilot:
        await press(pilot, "3", "g")
        await hold(pilot, "j", *REPEATS[:4])
        assert pilot.app.screen.query_one(Queue).cursor == 4


async def test_a_click_is_no_key_that_is_held(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space")
        await hold(pilot, "j", 0, 0.025)
        await pilot.click("#answers", offset=(5, 1), times=2)
        await settle(pilot)
        assert [a.option for a in await answers(busy_workspace, PASSKEYS)] == ["passkeys"]


async def test_a_key_that_came_before_the_question_was_drawn_has_to_be_let_go_of_too(many: SeededWorkspace) -> None:
    async with opened(many) as pilot:
        await press(pilot, "space")
        decision_of(pilot)._drawn = ""
        began = moment()
        send(pilot, "a", began)
        await settle(pilot)
        assert notices(pilot) == [NOT_DRAWN]
        shown = decision_of(pilot).question_shown()
        assert shown is not None
        decision_of(pilot)._arm(shown.payload_digest)
        send(pilot, "a", began + REPEAT_SECONDS)
        await settle(pilot)
        assert await answered(many) == 0
