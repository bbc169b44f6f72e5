"""The inbox: its sections, the question under the cursor, and answers straight from the list."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from core.governance import escalations
from core.store import reads, reads_escalations
from core.store.rows import AnswerRow, EscalationRow
from tests.app.driving import SMALL, USUAL, WIDE, app_in, notices, opened, press, screen_text, settle
from tests.app.inbox import APPROVE, RETRY, SUPPLY, ask, failed, inbox
from tests.app.seeding import HOUR, MINUTE, MORNING, Question, SeededWorkspace, raise_question
from tui.questions.answering import NOT_DRAWN
from tui.questions.sections import HOUSE
from tui.screens.dialogs.reason import ReasonDialog
from tui.screens.questions.decision import Decision
from tui.screens.triage.screen import Triage
from tui.widgets.document import Document

NEXT, BEFORE = "right_square_bracket", "left_square_bracket"


@pytest.fixture
def full(tmp_path: Path) -> Iterator[SeededWorkspace]:
    made = inbox(tmp_path)
    yield made
    made.close()


@pytest.fixture
def three(empty_workspace: SeededWorkspace) -> SeededWorkspace:
    """Three questions that need an answer: an immediate one, and two daily ones."""
    made = empty_workspace
    made.at(3 * MINUTE, lambda tx: ask(tx, "First, at once?", urgency="IMMEDIATE"))
    made.at(2 * MINUTE, lambda tx: ask(tx, "Second?"))
    made.at(1 * MINUTE, lambda tx: ask(tx, "Third?", RETRY))
    return made


def triage_of(pilot: Any) -> Triage:
    screen = pilot.app.screen
    assert isinstance(screen, Triage)
    return screen


def preview_text(pilot: Any) -> str:
    shown = triage_of(pilot).preview.paragraphs
    return "\n".join("".join(text for text, _ in (*p.line, *p.tail)) for p in shown)


def under_cursor(pilot: Any) -> str:
    row = triage_of(pilot).inbox.row
    return "" if row is None else row.question


def section_counts(pilot: Any) -> dict[str, int]:
    return {row.section.title: row.count for row in triage_of(pilot).sections.rows}


def all_numbers(pilot: Any) -> list[int]:
    return list(triage_of(pilot).inbox.keys)


async def answers(made: SeededWorkspace, escalation: int) -> list[tuple[str, str]]:
    given: tuple[AnswerRow, ...] = await made.store.read(lambda r: reads_escalations.answers(r, escalation))
    return [(a.option, a.reason) for a in given if a.undone_at is None]


async def row_of(made: SeededWorkspace, escalation: int) -> EscalationRow:
    row = await made.store.read(lambda r: reads.escalation(r, escalation))
    assert row is not None
    return row


# Sections


async def test_t_opens_it_from_anywhere_on_what_needs_me(full: SeededWorkspace) -> None:
    async with opened(full) as pilot:
        await press(pilot, "t")
        assert triage_of(pilot).section.key == "needs-me"
        assert app_in(pilot).focused is triage_of(pilot).inbox


async def test_every_section_says_how_many_it_holds(full: SeededWorkspace) -> None:
    async with opened(full) as pilot:
        await press(pilot, "t")
        assert section_counts(pilot) == {
            "needs me": 20,
            "overdue": 4,
            "immediate": 2,
            "snoozed": 2,
            "seen": 2,
            "handed to me": 1,
            "answered by person": 3,
            "answered by rule": 2,
            "answered by time-out": 1,
            "everything open": 24,
        }


async def test_each_section_shows_what_it_counts(full: SeededWorkspace) -> None:
    async with opened(full) as pilot:
        await press(pilot, "t")
        shown = {}
        for _ in HOUSE:
            shown[triage_of(pilot).section.title] = triage_of(pilot).rows.count
            await press(pilot, NEXT)
        assert shown == section_counts(pilot)


async def test_brackets_go_through_the_sections_and_stop_at_the_ends(full: SeededWorkspace) -> None:
    async with opened(full) as pilot:
        await press(pilot, "t", BEFORE)
        assert triage_of(pilot).section.key == "needs-me"
        await press(pilot, NEXT, NEXT)
        assert triage_of(pilot).section.key == "immediate"
        assert "The signing key expires tonight" in preview_text(pilot)
        await press(pilot, *[NEXT] * 12)
        assert triage_of(pilot).section.key == "open"


async def test_the_cursor_of_the_sections_pane_shows_its_section(full: SeededWorkspace) -> None:
    async with opened(full) as pilot:
        await press(pilot, "t", "h", "j", "enter")
        assert triage_of(pilot).section.key == "overdue"
        assert app_in(pilot).focused is triage_of(pilot).inbox


@pytest.mark.parametrize("size", [WIDE, USUAL, SMALL])
async def test_the_section_is_named_at_every_size(full: SeededWorkspace, size: tuple[int, int]) -> None:
    async with opened(full, size) as pilot:
        await press(pilot, "t", NEXT)
        assert "2 overdue" in screen_text(pilot)


async def test_what_was_answered_today_says_what_was_chosen_and_by_whom(full: SeededWorkspace) -> None:
    async with opened(full) as pilot:
        await press(pilot, "t", *[NEXT] * 6)
        text = screen_text(pilot)
        assert "grace" in text
        assert "› Reject" in text
        assert "Take the smaller of the two batches in" in text
        await press(pilot, "j")
        assert "✓ Reject  by ada, 1h ago: the larger one is faster" in preview_text(pilot)
        await press(pilot, NEXT)
        assert "by rule, for strategy" in preview_text(pilot)
        await press(pilot, NEXT)
        assert "time-out" in screen_text(pilot)


async def test_what_was_answered_is_filtered_by_words(full: SeededWorkspace) -> None:
    async with opened(full) as pilot:
        await press(pilot, "t", *[NEXT] * 6, "slash", *"grace", "enter")
        assert triage_of(pilot).rows.count == 1
        assert "run 2" in preview_text(pilot)


async def test_an_answered_question_takes_no_answer_from_here(full: SeededWorkspace) -> None:
    async with opened(full) as pilot:
        await press(pilot, "t", *[NEXT] * 6, "l", "a", "2")
        assert notices(pilot) == []


async def test_a_filter_is_kept_as_a_section_and_removed_again(full: SeededWorkspace) -> None:
    async with opened(full) as pilot:
        await press(pilot, "t", "slash", *"doc-toucher", "enter", "w")
        await press(pilot, *"docs", "enter")
        assert section_counts(pilot)["docs"] == 9
        await press(pilot, *[NEXT] * 10)
        triage = triage_of(pilot)
        assert (triage.section.title, triage.rows.filter_text, triage.rows.count) == ("docs", "doc-toucher", 9)
        await press(pilot, "X")
        assert "Remove this section?" in screen_text(pilot)
        await press(pilot, "y")
        assert "docs" not in section_counts(pilot)
        assert triage.section.key == "open"
        assert triage.rows.filter_text == ""
        await press(pilot, "u")
        assert section_counts(pilot)["docs"] == 9


async def test_a_kept_section_is_there_for_the_next_one_who_opens_the_app(full: SeededWorkspace) -> None:
    async with opened(full) as pilot:
        await press(pilot, "t", "slash", *"doc-toucher", "enter", "w", *"docs", "enter")
    async with opened(full) as pilot:
        await press(pilot, "t")
        assert section_counts(pilot)["docs"] == 9


async def test_a_kept_section_of_answers_counts_answers(full: SeededWorkspace) -> None:
    async with opened(full) as pilot:
        await press(pilot, "t", *[NEXT] * 6, "slash", *"grace", "enter", "w", *"hers", "enter")
        assert section_counts(pilot)["hers"] == 1


async def test_w_without_a_filter_says_what_to_do(three: SeededWorkspace) -> None:
    async with opened(three) as pilot:
        await press(pilot, "t", "w")
        assert "write one with /" in notices(pilot)[-1]


async def test_a_section_that_everybody_has_cannot_be_removed_or_replaced(three: SeededWorkspace) -> None:
    async with opened(three) as pilot:
        await press(pilot, "t", "X")
        assert "Every inbox has this section" in notices(pilot)[-1]
        await press(pilot, "slash", "F", "enter", "w", *"overdue", "enter")
        assert "take another name" in notices(pilot)[-1]


# The question under the cursor


async def test_the_preview_follows_the_cursor(three: SeededWorkspace) -> None:
    async with opened(three) as pilot:
        await press(pilot, "t")
        assert preview_text(pilot).startswith("First, at once?")
        await press(pilot, "j")
        assert preview_text(pilot).startswith("Second?")
        assert "1 Approve  recommended" in preview_text(pilot)
        assert "The agent proposes something else." in preview_text(pilot)


async def test_the_preview_scrolls_while_the_list_keeps_the_focus(full: SeededWorkspace) -> None:
    async with opened(full, USUAL) as pilot:
        await press(pilot, "t", "J")
        triage = triage_of(pilot)
        assert triage.preview.scroll_offset.y > 0
        assert app_in(pilot).focused is triage.inbox
        await press(pilot, "K", "K")
        assert triage.preview.scroll_offset.y == 0


async def test_enter_opens_the_question_and_escape_comes_back(three: SeededWorkspace) -> None:
    async with opened(three) as pilot:
        await press(pilot, "t", "j", "enter")
        assert isinstance(pilot.app.screen, Decision)
        await press(pilot, "escape")
        assert under_cursor(pilot) == "Second?"


# Answers


async def test_a_answers_the_row_and_the_next_one_is_under_the_cursor(three: SeededWorkspace) -> None:
    async with opened(three) as pilot:
        await press(pilot, "t", "a")
        assert under_cursor(pilot) == "Second?"
        assert preview_text(pilot).startswith("Second?")
        await press(pilot, "a")
        assert under_cursor(pilot) == "Third?"
        assert [await answers(three, n) for n in (1, 2, 3)] == [[("approve", "")], [("approve", "")], []]


async def test_a_number_answers_with_that_option(three: SeededWorkspace) -> None:
    async with opened(three) as pilot:
        await press(pilot, "t", "1")
        assert await answers(three, 1) == [("approve", "")]
        await press(pilot, "2")
        assert isinstance(pilot.app.screen, ReasonDialog)
        await press(pilot, *"too soon", "enter")
        assert await answers(three, 2) == [("reject", "too soon")]
        assert under_cursor(pilot) == "Third?"


async def test_a_number_that_is_no_answer_says_so(three: SeededWorkspace) -> None:
    async with opened(three) as pilot:
        await press(pilot, "t", "7")
        assert notices(pilot)[-1] == "This question has 2 answers."
        assert await answers(three, 1) == []


async def test_where_seen_ones_are_shown_too_the_next_that_needs_me_comes(full: SeededWorkspace) -> None:
    async with opened(full) as pilot:
        await press(pilot, "t", *[NEXT] * 9, "G")
        last = under_cursor(pilot)
        await press(pilot, "g", "j", "j", "j", "a")
        row = triage_of(pilot).inbox.row
        assert row is not None
        assert row.snoozed_until is None
        assert row.question != last


@pytest.mark.parametrize(("key", "column"), [("exclamation_mark", "acknowledged_until"), ("s", "snoozed_until")])
async def test_seen_and_put_away_leave_what_needs_me(three: SeededWorkspace, key: str, column: str) -> None:
    async with opened(three) as pilot:
        await press(pilot, "t", key, *(["2"] if key == "s" else []))
        assert under_cursor(pilot) == "Second?"
        row = await row_of(three, 1)
        assert getattr(row, column) == MORNING + (30 * MINUTE if key == "exclamation_mark" else 4 * HOUR)


async def test_o_hands_over(three: SeededWorkspace) -> None:
    async with opened(three) as pilot:
        await press(pilot, "t", "o", *"grace", "f2")
        assert (await row_of(three, 1)).assigned_to == "grace"


async def test_a_caret_presses(three: SeededWorkspace) -> None:
    async with opened(three) as pilot:
        await press(pilot, "t", "j", "circumflex_accent", "enter")
        assert (await row_of(three, 2)).urgency == "IMMEDIATE"


async def test_e_fills_in(empty_workspace: SeededWorkspace) -> None:
    empty_workspace.store.write_now(lambda tx: ask(tx, "What is it to do?", SUPPLY))
    async with opened(empty_workspace) as pilot:
        await press(pilot, "t", "e", *"it prints", "f2")
        given = await empty_workspace.store.read(lambda r: reads_escalations.answers(r, 1))
    assert given[0].answer == {"acceptance_criteria": ["it prints"]}


async def test_u_takes_the_answer_back(three: SeededWorkspace) -> None:
    async with opened(three) as pilot:
        await press(pilot, "t", "a", "u")
        assert await answers(three, 1) == []
        assert section_counts(pilot)["needs me"] == 3


# What is bound to what was shown


async def test_keys_typed_before_the_question_is_drawn_answer_nothing(three: SeededWorkspace) -> None:
    async with opened(three) as pilot:
        await press(pilot, "t")
        triage = triage_of(pilot)
        triage.inbox.action_down(1)
        triage.inbox.action_accept()
        triage.inbox.action_answer(1)
        await settle(pilot)
        assert [await answers(three, n) for n in (1, 2, 3)] == [[], [], []]


async def test_keys_that_come_before_the_question_is_drawn_are_told_so_once(three: SeededWorkspace) -> None:
    async with opened(three) as pilot:
        await press(pilot, "t")
        triage = triage_of(pilot)
        triage.inbox.action_down(1)
        triage.inbox.action_accept()
        triage.inbox.action_snooze()
        await settle(pilot)
        assert notices(pilot) == [NOT_DRAWN]


async def test_marked_questions_are_not_merged_into_one_that_is_still_to_be_drawn(three: SeededWorkspace) -> None:
    async with opened(three) as pilot:
        await press(pilot, "t", "x")
        triage = triage_of(pilot)
        triage.inbox.action_down(1)
        triage.inbox.action_merge()
        await settle(pilot)
        assert notices(pilot) == [NOT_DRAWN]


async def test_a_question_that_changed_is_answered_only_once_it_was_drawn_anew(three: SeededWorkspace) -> None:
    async with opened(three) as pilot:
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
        await three.store.write(lambda tx: raise_question(tx, changed))
        triage.inbox.take(shown, shown.options[0])
        await settle(pilot)
        assert "has changed since it was shown" in notices(pilot)[-1]
        assert "something new" in preview_text(pilot)
        await press(pilot, "a")
        assert await answers(three, 1) == [("approve", "")]


async def test_where_the_preview_cannot_be_seen_a_key_shows_it_first(three: SeededWorkspace) -> None:
    async with opened(three, SMALL) as pilot:
        await press(pilot, "t", "a")
        assert await answers(three, 1) == []
        assert "1 Approve  recommended" in screen_text(pilot)
        await press(pilot, "a")
        assert await answers(three, 1) == [("approve", "")]
        assert "Second?" in screen_text(pilot)
        await press(pilot, "1")
        assert await answers(three, 2) == [("approve", "")]


@pytest.mark.parametrize("key", ["e", "E", "c"])
async def test_a_key_that_asks_for_words_shows_the_question_first(empty_workspace: SeededWorkspace, key: str) -> None:
    empty_workspace.at(MINUTE, lambda tx: ask(tx, "What must hold?", SUPPLY))
    async with opened(empty_workspace, SMALL) as pilot:
        await press(pilot, "t", key)
        assert "1 Supply what is missing" in screen_text(pilot)


async def test_a_folded_preview_is_unfolded_first(three: SeededWorkspace) -> None:
    async with opened(three) as pilot:
        await press(pilot, "t", "l", "z", "tab", "tab")
        assert triage_of(pilot).preview.has_class("-folded")
        await press(pilot, "a")
        assert await answers(three, 1) == []
        assert not triage_of(pilot).preview.has_class("-folded")


async def test_a_filter_that_matches_nothing_can_still_be_typed_at(three: SeededWorkspace) -> None:
    async with opened(three) as pilot:
        await press(pilot, "t", "slash", *"zz")
        assert triage_of(pilot).PANES == ("sections", "inbox")
        assert "Nothing matches this filter." in screen_text(pilot)
        await press(pilot, "backspace", "backspace", *"sec", "enter")
        assert under_cursor(pilot) == "Second?"
        assert preview_text(pilot).startswith("Second?")


async def test_without_a_question_there_is_no_pane_for_it(three: SeededWorkspace) -> None:
    async with opened(three) as pilot:
        await press(pilot, "t", "l", "a", "a")
        assert triage_of(pilot).PANES == ("sections", "inbox", "preview")
        await press(pilot, "a")
        assert triage_of(pilot).PANES == ("sections", "inbox")
        assert app_in(pilot).focused is triage_of(pilot).inbox
        await press(pilot, "u")
        assert triage_of(pilot).PANES == ("sections", "inbox", "preview")


async def test_what_does_not_apply_is_not_offered(three: SeededWorkspace) -> None:
    async with opened(three) as pilot:
        await press(pilot, "t")
        assert "1-9 answer" in screen_text(pilot)
        assert "keep filter" not in screen_text(pilot)
        await press(pilot, "a", "a", "a")
        assert "1-9 answer" not in screen_text(pilot)


async def test_y_copies_the_question_under_the_cursor(three: SeededWorkspace) -> None:
    async with opened(three) as pilot:
        await press(pilot, "t", "j", "y")
    assert "Second?" in (three.state / "copied.txt").read_text(encoding="utf-8")


async def test_a_question_answered_elsewhere_leaves_the_list(three: SeededWorkspace) -> None:
    async with opened(three) as pilot:
        await press(pilot, "t")
        await three.store.write(lambda tx: escalations.resolve(tx, 1, option="approve", by="grace"))
        await settle(pilot)
        assert under_cursor(pilot) == "Second?"
        assert preview_text(pilot).startswith("Second?")


async def test_a_paste_answers_nothing(three: SeededWorkspace) -> None:
    from textual.events import Paste

    async with opened(three) as pilot:
        await press(pilot, "t")
        pilot.app.post_message(Paste("a1"))
        await settle(pilot)
        assert await answers(three, 1) == []


async def test_letters_in_the_filter_are_no_answers(three: SeededWorkspace) -> None:
    async with opened(three) as pilot:
        await press(pilot, "t", "slash", "a", "1")
        assert isinstance(app_in(pilot).focused, Input)
        assert await answers(three, 1) == []


# Nothing to do


async def test_inbox_zero_says_what_was_answered_and_what_comes_next(three: SeededWorkspace) -> None:
    async with opened(three) as pilot:
        await press(pilot, "t", "a", "a", "s", "2")
        text = screen_text(pilot)
    assert "✓ Inbox zero" in text
    assert "2 answered today (UTC): 2 by a person" in text
    assert "1 put away" in text
    assert "The next one comes back in 4h" in text
    assert "[ ] other sections" in text


async def test_an_inbox_without_any_question_says_what_to_press(empty_workspace: SeededWorkspace) -> None:
    async with opened(empty_workspace) as pilot:
        await press(pilot, "t")
        text = screen_text(pilot)
    assert "No question is open." in text
    assert "n writes a new work item" in text


@pytest.mark.parametrize("step", range(1, 9))
async def test_every_empty_section_says_something(empty_workspace: SeededWorkspace, step: int) -> None:
    async with opened(empty_workspace) as pilot:
        await press(pilot, "t", *[NEXT] * step)
        triage = triage_of(pilot)
        assert triage.rows.is_loaded
        assert triage.rows.empty[0][0][0].split()[-1].endswith((".", "today."))
        assert "[ ] other sections" in screen_text(pilot)


async def test_escape_leaves(three: SeededWorkspace) -> None:
    async with opened(three) as pilot:
        await press(pilot, "t", "escape")
        assert not isinstance(pilot.app.screen, Triage)


async def test_a_failed_task_names_its_work_item(empty_workspace: SeededWorkspace) -> None:
    empty_workspace.store.write_now(lambda tx: failed(tx, 1))
    async with opened(empty_workspace) as pilot:
        await press(pilot, "t")
        assert "#1 I1" in screen_text(pilot)
        assert "Task 1 of the spring cleaning" in "\n".join(
            "".join(text for text, _ in p.line) for p in pilot.app.screen.query_one("#preview", Document).paragraphs
        )
