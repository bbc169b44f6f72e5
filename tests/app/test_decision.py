from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.orchestration import work_items
from tests.app.asked import ERROR, PASSKEYS, REVIEW, SCOPE, SEEN, SNOOZED, THIN, answers, row_of
from tests.app.driving import (
    SMALL,
    USUAL,
    WIDE,
    Driving,
    app_in,
    decision_of,
    lines_of,
    notices,
    opened,
    press,
    screen_text,
    settle,
)
from tests.app.inbox import failed
from tests.app.seeding import (
    HOUR,
    MINUTE,
    MORNING,
    SeededWorkspace,
)
from tui.screens.dashboard import Dashboard
from tui.screens.dialogs.choice import ChoiceDialog
from tui.screens.dialogs.reason import ReasonDialog
from tui.screens.questions.answer_form import AnswerForm
from tui.screens.questions.decision import Decision
from tui.screens.work.work_item import WorkItemScreen
from tui.text.words import due, wanted
from tui.widgets.cards import Cards
from tui.widgets.document import Document


@pytest.fixture
def asked_of_one(empty_workspace: SeededWorkspace) -> SeededWorkspace:
    """One question, and the work item that waits for its answer."""
    empty_workspace.at(9 * MINUTE, lambda tx: failed(tx, 1))
    return empty_workspace


def document(pilot: Any) -> str:
    shown = pilot.app.screen.query_one("#question", Document)
    return "\n".join("".join(text for text, _ in (*p.line, *p.tail)) for p in shown.paragraphs)


async def test_it_leads_with_the_question_then_its_answers_with_what_follows(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space")
        text = screen_text(pilot)
    assert "Which scheme shall sign-in use" in text
    assert "1 WebAuthn passkeys  recommended" in text
    assert "Twice the code and twice the tests" in text
    assert "1 of 5 that wait for you" in text
    assert "decomposer" in text


async def test_a_gate_shows_what_was_measured_against_what_is_required(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "space", "space")
        text = document(pilot)
    assert "✗ missing coverage           84.2 %" in text.replace("  84.2", "  84.2")
    assert "needs >= 90 %" in text
    assert "✓ passed  static analysis" in text
    assert "criteria: AC3 is not verified" in text


async def test_what_an_agent_suggests_is_shown_with_its_name(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "space")
        assert "ac-writer: Say what the output holds for an empty report" in document(pilot)


async def test_a_accepts_the_recommendation_and_the_next_question_is_there(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "a")
        assert decision_of(pilot).escalation == THIN
        assert "D1 Definition" in document(pilot)
        given = await answers(busy_workspace, PASSKEYS)
    assert [(a.option, a.by, a.provenance, a.reason) for a in given] == [("passkeys", "ada", "human", "")]
    assert notices(pilot)[-1] == "Question 2 is answered: WebAuthn passkeys.  u undo"


@pytest.mark.parametrize("keys", [["1"], ["enter"]])
async def test_the_recommended_answer_needs_one_key(busy_workspace: SeededWorkspace, keys: list[str]) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", *keys)
        assert [a.option for a in await answers(busy_workspace, PASSKEYS)] == ["passkeys"]


async def test_what_is_wrong_with_a_line_is_told_in_full_beside_it(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace, SMALL) as pilot:
        await press(pilot, "space", "s", "6", *"soon", "enter")
        told = " ".join(word for word in screen_text(pilot).split() if word != "│")
        assert notices(pilot) == []
    assert "✗ 'soon' is no time; write one like: 45m 2h 3d 1w 17:30 tomorrow mon 14:00 2026-03-05 08:00." in told


async def test_another_answer_asks_for_its_reason(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "3")
        assert isinstance(pilot.app.screen, ReasonDialog)
        await press(pilot, "enter")
        assert "✗ An answer that was not recommended needs a reason." in screen_text(pilot)
        await press(pilot, "c")
        assert "needs a reason" not in screen_text(pilot)
        await press(pilot, *"ustomers ask", "enter")
        given = await answers(busy_workspace, PASSKEYS)
    assert [(a.option, a.reason) for a in given] == [("both", "customers ask")]


async def test_r_offers_the_other_answers_each_under_the_digit_that_it_has_on_its_card(
    busy_workspace: SeededWorkspace,
) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "r")
        assert isinstance(pilot.app.screen, ChoiceDialog)
        heads = [line.lstrip("▌ ") for line in lines_of(pilot.app.screen.query_one(Cards))]
        assert [head for head in heads if head[:1].isdigit()] == ["2 One-time codes by mail", "3 Both"]
        await press(pilot, "1")
        assert isinstance(pilot.app.screen, ChoiceDialog)
        await press(pilot, "3", *"customers ask", "enter")
        assert [a.option for a in await answers(busy_workspace, PASSKEYS)] == ["both"]


async def test_with_one_other_answer_r_asks_for_its_reason_at_once(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "space", "space", "space", "r")
        assert isinstance(pilot.app.screen, ReasonDialog)


async def test_leaving_a_dialog_answers_nothing(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "3", "escape", "r", "escape")
        assert await answers(busy_workspace, PASSKEYS) == ()
        assert isinstance(pilot.app.screen, Decision)


async def test_a_number_that_is_no_answer_says_so(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "7")
        assert notices(pilot)[-1] == "This question has 3 answers."


async def test_e_opens_a_form_with_a_field_for_everything_that_is_missing(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "space", "e")
        form = pilot.app.screen
        assert isinstance(form, AnswerForm)
        assert list(form.typed()) == [
            *(f"value-{k}" for k in ("business_context", "acceptance_criteria", "risks")),
            *(f"value-{k}" for k in ("who", "what", "when", "where", "why", "how")),
        ]
        assert "acceptance criteria  1 of 3" in screen_text(pilot)


async def test_what_is_filled_in_is_the_answer(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "space", "e", *"Finance waits", "tab")
        await press(pilot, *"one", "enter", *"two", "tab", *"slow => measure", "f2")
        assert await answers(busy_workspace, THIN) == ()
        assert "The gate would ask again: business context" in screen_text(pilot)
        await press(pilot, "f2")
        given = await answers(busy_workspace, THIN)
        assert decision_of(pilot).escalation == REVIEW
    assert given[0].option == "supply"
    assert given[0].answer == {
        "business_context": "Finance waits",
        "acceptance_criteria": ["one", "two"],
        "risks": [{"text": "slow", "mitigation": "measure"}],
    }


async def test_accepting_a_recommendation_that_takes_values_opens_the_form(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "space", "a")
        assert isinstance(pilot.app.screen, AnswerForm)
        await press(pilot, "f2")
        assert "Nothing is filled in yet." in screen_text(pilot)
        assert await answers(busy_workspace, THIN) == ()


async def test_e_on_a_question_without_values_says_so(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "e")
        assert notices(pilot)[-1] == "No answer to this question takes values."


async def test_half_an_answer_is_kept(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "space", "e", *"Half", "escape", "e")
        form = pilot.app.screen
        assert isinstance(form, AnswerForm)
        assert form.typed()["value-business_context"] == "Half"


async def test_an_exclamation_mark_acknowledges(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "exclamation_mark")
        row = await row_of(busy_workspace, PASSKEYS)
        assert decision_of(pilot).escalation == PASSKEYS
    assert row.acknowledged_until == MORNING + 30 * MINUTE
    assert row.acknowledged_by == "ada"


async def test_s_puts_it_away_for_a_while_and_goes_on(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "s", "2")
        row = await row_of(busy_workspace, PASSKEYS)
        assert decision_of(pilot).escalation == THIN
    assert row.snoozed_until == MORNING + 4 * HOUR


@pytest.mark.parametrize("size", [SMALL, USUAL, WIDE])
@pytest.mark.parametrize(("number", "back"), [(SNOOZED, True), (SEEN, False)])
async def test_one_that_waits_for_no_answer_now_still_says_which_it_is_and_until_when(
    busy_workspace: SeededWorkspace, number: int, back: bool, size: tuple[int, int]
) -> None:
    async with opened(busy_workspace, size) as pilot:
        app_in(pilot).open_question(number)
        await settle(pilot)
        told = document(pilot) if size != WIDE else "\n".join(lines_of(pilot.app.screen.query_one("#about", Document)))

    assert size == WIDE or f"{'no.' if size == SMALL else 'question'} {number}" in told
    assert "urgency" in told
    assert ("wanted" in told, "back" in told) == (back, back)


async def test_one_that_is_due_before_it_comes_back_says_when_it_is_due(busy_workspace: SeededWorkspace) -> None:
    row = await row_of(busy_workspace, THIN)
    assert row.due_at is not None
    before, after = (replace(row, snoozed_until=row.due_at + by) for by in (-HOUR, HOUR))

    assert due(before, MORNING)[0].startswith("back ")
    assert due(after, MORNING) == wanted(row, MORNING)


async def test_space_goes_on_without_an_answer_and_round_again(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        seen = []
        for _ in range(6):
            await press(pilot, "space")
            seen.append(decision_of(pilot).escalation)
    assert seen == [PASSKEYS, THIN, REVIEW, ERROR, SCOPE, PASSKEYS]


async def test_after_the_last_question_one_is_back_where_one_was(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "a", "s", "1", "s", "1", "a", "a")
        assert isinstance(pilot.app.screen, Dashboard)
        assert notices(pilot)[-1] == "2 work items go on; nothing waits for you now."


async def test_while_work_goes_on_nobody_is_told_that_nothing_more_waits(asked_of_one: SeededWorkspace) -> None:
    async with opened(asked_of_one, engine=Driving()) as pilot:
        await press(pilot, "space", "a")
        assert notices(pilot)[-1] == "#1 goes on; nothing waits for you now."
        await press(pilot, "space")
        assert notices(pilot)[-1] == "#1 goes on; nothing waits for you now."


async def test_what_is_paused_does_not_go_on(asked_of_one: SeededWorkspace) -> None:
    asked_of_one.at(MINUTE, lambda tx: work_items.pause(tx, 1, by="ada"))
    async with opened(asked_of_one, engine=Driving()) as pilot:
        await press(pilot, "space", "a")
        assert notices(pilot)[-1] == "Nothing more waits for you."


async def test_w_opens_the_work_item(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "w")
        assert isinstance(pilot.app.screen, WorkItemScreen)
        assert pilot.app.screen.work_item == 4
        await press(pilot, "escape")
        assert decision_of(pilot).escalation == PASSKEYS


@pytest.mark.parametrize("place", ["t", "3"])
async def test_w_opens_the_work_item_from_a_list_of_questions_as_well(
    busy_workspace: SeededWorkspace, place: str
) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, place, "w")
        assert isinstance(pilot.app.screen, WorkItemScreen)
        assert pilot.app.screen.work_item == 4


@pytest.mark.parametrize("size", [WIDE, USUAL, SMALL])
async def test_at_every_size_the_question_and_an_answer_are_in_sight(
    busy_workspace: SeededWorkspace, size: tuple[int, int]
) -> None:
    async with opened(busy_workspace, size) as pilot:
        await press(pilot, "space")
        text = screen_text(pilot)
    assert "Which scheme shall sign-in" in text
    assert "1 WebAuthn passkeys" in text


@pytest.mark.parametrize("size", [WIDE, USUAL])
async def test_how_urgent_it_is_stands_there_once(busy_workspace: SeededWorkspace, size: tuple[int, int]) -> None:
    async with opened(busy_workspace, size) as pilot:
        await press(pilot, "space")
        assert screen_text(pilot).count("▲ immediate   30m late") == 1


async def test_the_text_scrolls_while_the_answers_keep_the_focus(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace, SMALL) as pilot:
        await press(pilot, "space", "J")
        assert pilot.app.screen.query_one("#question", Document).scroll_offset.y > 0
        assert isinstance(pilot.app.focused, Cards)
        await press(pilot, "K", "K")
        assert pilot.app.screen.query_one("#question", Document).scroll_offset.y == 0


@pytest.mark.parametrize("key", ["a", "A", "r", "e", "E"])
async def test_what_answers_in_the_queue_opens_the_question_first(busy_workspace: SeededWorkspace, key: str) -> None:
    """A line shows the beginning of it, and none of its answers."""
    async with opened(busy_workspace) as pilot:
        await press(pilot, "3", key)
        assert decision_of(pilot).escalation == PASSKEYS
        assert not await answers(busy_workspace, PASSKEYS)
        await press(pilot, "escape", "exclamation_mark")
        assert isinstance(pilot.app.screen, Dashboard)
        assert (await row_of(busy_workspace, PASSKEYS)).acknowledged_at == MORNING


async def test_what_happened_to_it_stands_beside_it(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "exclamation_mark")
        text = screen_text(pilot)
    assert "What happened" in text
    assert "seen by ada" in text


async def test_the_footer_offers_only_what_applies(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space")
        assert "e fill in" not in screen_text(pilot)
        await press(pilot, "space")
        assert "e fill in" in screen_text(pilot)


@pytest.mark.parametrize("key", ["r", "s", "e", "question_mark"])
async def test_behind_a_dialog_no_key_is_offered_that_does_nothing_there(
    busy_workspace: SeededWorkspace, key: str
) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "space")
        footer = screen_text(pilot).splitlines()[-1]
        await press(pilot, key)
        assert screen_text(pilot).splitlines()[-1].strip() == ""
        await press(pilot, "escape")
        assert screen_text(pilot).splitlines()[-1] == footer


async def test_a_second_that_changes_no_word_draws_nothing(
    busy_workspace: SeededWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space")
        screen = decision_of(pilot)
        drawn: list[int] = []
        monkeypatch.setattr(screen, "_draw_text", lambda: drawn.append(busy_workspace.clock.now))
        screen.tick(MORNING)
        busy_workspace.clock.now += MINUTE
        screen.tick(MORNING + MINUTE)
    assert drawn == [MORNING + MINUTE]


@pytest.mark.parametrize("key", ["v", "c", "o", "s", "e", "circumflex_accent"])
async def test_at_the_smallest_size_every_dialog_has_its_field_and_its_way_out(
    busy_workspace: SeededWorkspace, key: str
) -> None:
    async with opened(busy_workspace, SMALL) as pilot:
        await press(pilot, "space", "space", key)
        assert not isinstance(pilot.app.screen, Decision)
        assert "esc out" in screen_text(pilot)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, Decision)
