"""Answers from the triage list: one key each, and only for what was read."""

from __future__ import annotations

import pytest
from textual.widgets import Input

from core.governance import escalations
from core.store import reads_escalations
from tests.app.asked import row_of
from tests.app.driving import SMALL, app_in, notices, opened, press, screen_text, settle
from tests.app.inbox import APPROVE, SUPPLY, ask
from tests.app.seeding import HOUR, MINUTE, MORNING, Question, SeededWorkspace, raise_question
from tests.app.triage_driving import NEXT, answers, preview_text, section_counts, triage_of, under_cursor
from tui.questions.answering import NOT_DRAWN
from tui.questions.sections import HOUSE
from tui.screens.dialogs.reason import ReasonDialog


async def test_a_answers_the_row_and_the_next_one_is_under_the_cursor(three_questions: SeededWorkspace) -> None:
    async with opened(three_questions) as pilot:
        await press(pilot, "t", "a")
        assert under_cursor(pilot) == "Second?"
        assert preview_text(pilot).startswith("Second?")
        await press(pilot, "a")
        assert under_cursor(pilot) == "Third?"
        assert [await answers(three_questions, n) for n in (1, 2, 3)] == [[("approve", "")], [("approve", "")], []]


async def test_a_number_answers_with_that_option(three_questions: SeededWorkspace) -> None:
    async with opened(three_questions) as pilot:
        await press(pilot, "t", "1")
        assert await answers(three_questions, 1) == [("approve", "")]
        await press(pilot, "2")
        assert isinstance(pilot.app.screen, ReasonDialog)
        await press(pilot, *"too soon", "enter")
        assert await answers(three_questions, 2) == [("reject", "too soon")]
        assert under_cursor(pilot) == "Third?"


async def test_a_number_that_is_no_answer_says_so(three_questions: SeededWorkspace) -> None:
    async with opened(three_questions) as pilot:
        await press(pilot, "t", "7")
        assert notices(pilot)[-1] == "This question has 2 answers."
        assert await answers(three_questions, 1) == []


async def test_where_seen_ones_are_shown_too_the_next_that_needs_me_comes(full_inbox: SeededWorkspace) -> None:
    async with opened(full_inbox) as pilot:
        await press(pilot, "t", *[NEXT] * 9, "G")
        last = under_cursor(pilot)
        await press(pilot, "g", "j", "j", "j", "a")
        row = triage_of(pilot).inbox.row
        assert row is not None
        assert row.snoozed_until is None
        assert row.question != last


@pytest.mark.parametrize(("key", "column"), [("exclamation_mark", "acknowledged_until"), ("s", "snoozed_until")])
async def test_seen_and_put_away_leave_what_needs_me(three_questions: SeededWorkspace, key: str, column: str) -> None:
    async with opened(three_questions) as pilot:
        await press(pilot, "t", key, *(["2"] if key == "s" else []))
        assert under_cursor(pilot) == "Second?"
        row = await row_of(three_questions, 1)
        assert getattr(row, column) == MORNING + (30 * MINUTE if key == "exclamation_mark" else 4 * HOUR)


async def test_o_hands_over(three_questions: SeededWorkspace) -> None:
    async with opened(three_questions) as pilot:
        await press(pilot, "t", "o", *"grace", "f2")
        assert (await row_of(three_questions, 1)).assigned_to == "grace"


async def test_what_is_handed_over_is_the_other_s_until_it_is_late(three_questions: SeededWorkspace) -> None:
    async with opened(three_questions) as pilot:
        await press(pilot, "t", "o", *"grace", "f2")
        counts = section_counts(pilot)
        assert (counts["needs me"], counts["everything open"]) == (2, 3)
        assert under_cursor(pilot) == "Second?"
        await press(pilot, *[NEXT] * len(HOUSE))
        assert "for grace · First, at once?" in screen_text(pilot)
        due = (await row_of(three_questions, 1)).due_at
    assert due is not None
    three_questions.clock.now = due
    async with opened(three_questions) as pilot:
        await press(pilot, "t")
        assert section_counts(pilot)["needs me"] == 3


async def test_a_caret_presses(three_questions: SeededWorkspace) -> None:
    async with opened(three_questions) as pilot:
        await press(pilot, "t", "j", "circumflex_accent", "enter")
        assert (await row_of(three_questions, 2)).urgency == "IMMEDIATE"


async def test_e_fills_in(empty_workspace: SeededWorkspace) -> None:
    empty_workspace.store.write_now(lambda tx: ask(tx, "What is it to do?", SUPPLY))
    async with opened(empty_workspace) as pilot:
        await press(pilot, "t", "e", *"it prints", "f2")
        given = await empty_workspace.store.read(lambda r: reads_escalations.answers(r, 1))
    assert given[0].answer == {"acceptance_criteria": ["it prints"]}


async def test_u_takes_the_answer_back(three_questions: SeededWorkspace) -> None:
    async with opened(three_questions) as pilot:
        await press(pilot, "t", "a", "u")
        assert await answers(three_questions, 1) == []
        assert section_counts(pilot)["needs me"] == 3


async def test_keys_typed_before_the_question_is_drawn_answer_nothing(three_questions: SeededWorkspace) -> None:
    async with opened(three_questions) as pilot:
        await press(pilot, "t")
        triage = triage_of(pilot)
        triage.inbox.action_down(1)
        triage.inbox.action_accept()
        triage.inbox.action_answer(1)
        await settle(pilot)
        assert [await answers(three_questions, n) for n in (1, 2, 3)] == [[], [], []]


async def test_keys_that_come_before_the_question_is_drawn_are_told_so_once(three_questions: SeededWorkspace) -> None:
    async with opened(three_questions) as pilot:
        await press(pilot, "t")
        triage = triage_of(pilot)
        triage.inbox.action_down(1)
        triage.inbox.action_accept()
        triage.inbox.action_snooze()
        await settle(pilot)
        assert notices(pilot) == [NOT_DRAWN]


async def test_marked_questions_are_not_merged_into_one_that_is_still_to_be_drawn(
    three_questions: SeededWorkspace,
) -> None:
    async with opened(three_questions) as pilot:
        await press(pilot, "t", "x")
        triage = triage_of(pilot)
        triage.inbox.action_down(1)
        triage.inbox.action_merge()
        await settle(pilot)
        assert notices(pilot) == [NOT_DRAWN]


async def test_a_question_that_changed_is_answered_only_once_it_was_drawn_anew(
    three_questions: SeededWorkspace,
) -> None:
    async with opened(three_questions) as pilot:
        await press(pilot, "t")
        triage = triage_of(pilot)
        shown = triage.question_in_hand()
        assert shown is not None
        changed = Question(
            kind="decision",
            subject={"text": "First, at once?"},
            question="First, at once?",
            urgency="IMMEDIATE",
            options=APPROVE,
            recommended="approve",
            chain=("ux",),
            missing=("something new",),
        )
        await three_questions.store.write(lambda tx: raise_question(tx, changed))
        triage.inbox.take(shown, shown.options[0])
        await settle(pilot)
        assert "has changed since it was shown" in notices(pilot)[-1]
        assert "something new" in preview_text(pilot)
        await press(pilot, "a")
        assert await answers(three_questions, 1) == [("approve", "")]


async def test_where_the_preview_cannot_be_seen_a_key_shows_it_first(three_questions: SeededWorkspace) -> None:
    async with opened(three_questions, SMALL) as pilot:
        await press(pilot, "t", "a")
        assert await answers(three_questions, 1) == []
        assert "1 Approve  recommended" in screen_text(pilot)
        await press(pilot, "a")
        assert await answers(three_questions, 1) == [("approve", "")]
        assert "Second?" in screen_text(pilot)
        await press(pilot, "1")
        assert await answers(three_questions, 2) == [("approve", "")]


@pytest.mark.parametrize("key", ["e", "E", "c"])
async def test_a_key_that_asks_for_words_shows_the_question_first(empty_workspace: SeededWorkspace, key: str) -> None:
    empty_workspace.at(MINUTE, lambda tx: ask(tx, "What must hold?", SUPPLY))
    async with opened(empty_workspace, SMALL) as pilot:
        await press(pilot, "t", key)
        assert "1 Supply what is missing" in screen_text(pilot)


async def test_a_folded_preview_is_unfolded_first(three_questions: SeededWorkspace) -> None:
    async with opened(three_questions) as pilot:
        await press(pilot, "t", "l", "z", "tab", "tab")
        assert triage_of(pilot).preview.has_class("-folded")
        await press(pilot, "a")
        assert await answers(three_questions, 1) == []
        assert not triage_of(pilot).preview.has_class("-folded")


async def test_a_filter_that_matches_nothing_can_still_be_typed_at(three_questions: SeededWorkspace) -> None:
    async with opened(three_questions) as pilot:
        await press(pilot, "t", "slash", *"zz")
        assert triage_of(pilot).PANES == ("sections", "inbox")
        assert "Nothing matches this filter." in screen_text(pilot)
        await press(pilot, "backspace", "backspace", *"sec", "enter")
        assert under_cursor(pilot) == "Second?"
        assert preview_text(pilot).startswith("Second?")


async def test_without_a_question_there_is_no_pane_for_it(three_questions: SeededWorkspace) -> None:
    async with opened(three_questions) as pilot:
        await press(pilot, "t", "l", "a", "a")
        assert triage_of(pilot).PANES == ("sections", "inbox", "preview")
        await press(pilot, "a")
        assert triage_of(pilot).PANES == ("sections", "inbox")
        assert app_in(pilot).focused is triage_of(pilot).inbox
        await press(pilot, "u")
        assert triage_of(pilot).PANES == ("sections", "inbox", "preview")


async def test_what_does_not_apply_is_not_offered(three_questions: SeededWorkspace) -> None:
    async with opened(three_questions) as pilot:
        await press(pilot, "t")
        assert "1-9 answer" in screen_text(pilot)
        assert "keep filter" not in screen_text(pilot)
        await press(pilot, "a", "a", "a")
        assert "1-9 answer" not in screen_text(pilot)


async def test_y_copies_the_question_under_the_cursor(three_questions: SeededWorkspace) -> None:
    async with opened(three_questions) as pilot:
        await press(pilot, "t", "j", "y")
    assert "Second?" in (three_questions.state / "copied.txt").read_text(encoding="utf-8")


async def test_a_question_answered_elsewhere_leaves_the_list(three_questions: SeededWorkspace) -> None:
    async with opened(three_questions) as pilot:
        await press(pilot, "t")
        await three_questions.store.write(lambda tx: escalations.resolve(tx, 1, option="approve", by="grace"))
        await settle(pilot)
        assert under_cursor(pilot) == "Second?"
        assert preview_text(pilot).startswith("Second?")


async def test_a_paste_answers_nothing(three_questions: SeededWorkspace) -> None:
    from textual.events import Paste

    async with opened(three_questions) as pilot:
        await press(pilot, "t")
        pilot.app.post_message(Paste("a1"))
        await settle(pilot)
        assert await answers(three_questions, 1) == []


async def test_letters_in_the_filter_are_no_answers(three_questions: SeededWorkspace) -> None:
    async with opened(three_questions) as pilot:
        await press(pilot, "t", "slash", "a", "1")
        assert isinstance(app_in(pilot).focused, Input)
        assert await answers(three_questions, 1) == []
