"""The inbox: its sections, the question under the cursor, and what stands there when nothing is to do."""

from __future__ import annotations

import pytest

from tests.app.driving import SMALL, USUAL, WIDE, app_in, notices, opened, press, screen_text
from tests.app.inbox import failed
from tests.app.seeding import SeededWorkspace
from tests.app.triage_driving import BEFORE, NEXT, preview_text, section_counts, triage_of, under_cursor
from tui.questions.sections import HOUSE
from tui.screens.questions.decision import Decision
from tui.screens.triage.screen import Triage
from tui.widgets.document import Document


async def test_t_opens_it_from_anywhere_on_what_needs_me(full_inbox: SeededWorkspace) -> None:
    async with opened(full_inbox) as pilot:
        await press(pilot, "t")
        assert triage_of(pilot).section.key == "needs-me"
        assert app_in(pilot).focused is triage_of(pilot).inbox


async def test_every_section_says_how_many_it_holds(full_inbox: SeededWorkspace) -> None:
    async with opened(full_inbox) as pilot:
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


async def test_each_section_shows_what_it_counts(full_inbox: SeededWorkspace) -> None:
    async with opened(full_inbox) as pilot:
        await press(pilot, "t")
        shown = {}
        for _ in HOUSE:
            shown[triage_of(pilot).section.title] = triage_of(pilot).rows.count
            await press(pilot, NEXT)
        assert shown == section_counts(pilot)


async def test_brackets_go_through_the_sections_and_stop_at_the_ends(full_inbox: SeededWorkspace) -> None:
    async with opened(full_inbox) as pilot:
        await press(pilot, "t", BEFORE)
        assert triage_of(pilot).section.key == "needs-me"
        await press(pilot, NEXT, NEXT)
        assert triage_of(pilot).section.key == "immediate"
        assert "The signing key expires tonight" in preview_text(pilot)
        await press(pilot, *[NEXT] * 12)
        assert triage_of(pilot).section.key == "open"


async def test_the_cursor_of_the_sections_pane_shows_its_section(full_inbox: SeededWorkspace) -> None:
    async with opened(full_inbox) as pilot:
        await press(pilot, "t", "h", "j", "enter")
        assert triage_of(pilot).section.key == "overdue"
        assert app_in(pilot).focused is triage_of(pilot).inbox


@pytest.mark.parametrize("size", [WIDE, USUAL, SMALL])
async def test_the_section_is_named_at_every_size(full_inbox: SeededWorkspace, size: tuple[int, int]) -> None:
    async with opened(full_inbox, size) as pilot:
        await press(pilot, "t", NEXT)
        assert " overdue " in screen_text(pilot).splitlines()[1]


async def test_what_was_answered_today_says_what_was_chosen_and_by_whom(full_inbox: SeededWorkspace) -> None:
    async with opened(full_inbox) as pilot:
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


async def test_what_was_answered_is_filtered_by_words(full_inbox: SeededWorkspace) -> None:
    async with opened(full_inbox) as pilot:
        await press(pilot, "t", *[NEXT] * 6, "slash", *"grace", "enter")
        assert triage_of(pilot).rows.count == 1
        assert "run 2" in preview_text(pilot)


async def test_an_answered_question_takes_no_answer_from_here(full_inbox: SeededWorkspace) -> None:
    async with opened(full_inbox) as pilot:
        await press(pilot, "t", *[NEXT] * 6, "l", "a", "2")
        assert notices(pilot) == []


async def test_a_filter_is_kept_as_a_section_and_removed_again(full_inbox: SeededWorkspace) -> None:
    async with opened(full_inbox) as pilot:
        await press(pilot, "t", "slash", *"doc-toucher", "enter", "W")
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


async def test_a_kept_section_is_there_for_the_next_one_who_opens_the_app(full_inbox: SeededWorkspace) -> None:
    async with opened(full_inbox) as pilot:
        await press(pilot, "t", "slash", *"doc-toucher", "enter", "W", *"docs", "enter")
    async with opened(full_inbox) as pilot:
        await press(pilot, "t")
        assert section_counts(pilot)["docs"] == 9


async def test_a_kept_section_of_answers_counts_answers(full_inbox: SeededWorkspace) -> None:
    async with opened(full_inbox) as pilot:
        await press(pilot, "t", *[NEXT] * 6, "slash", *"grace", "enter", "W", *"hers", "enter")
        assert section_counts(pilot)["hers"] == 1


async def test_w_without_a_filter_says_what_to_do(three_questions: SeededWorkspace) -> None:
    async with opened(three_questions) as pilot:
        await press(pilot, "t", "W")
        assert "write one with /" in notices(pilot)[-1]


async def test_a_section_that_everybody_has_cannot_be_removed_or_replaced(three_questions: SeededWorkspace) -> None:
    async with opened(three_questions) as pilot:
        await press(pilot, "t", "X")
        assert "Every inbox has this section" in notices(pilot)[-1]
        await press(pilot, "slash", "F", "enter", "W", *"overdue", "enter")
        assert "take another name" in notices(pilot)[-1]


async def test_the_preview_follows_the_cursor(three_questions: SeededWorkspace) -> None:
    async with opened(three_questions) as pilot:
        await press(pilot, "t")
        assert preview_text(pilot).startswith("First, at once?")
        await press(pilot, "j")
        assert preview_text(pilot).startswith("Second?")
        assert "1 Approve  recommended" in preview_text(pilot)
        assert "The agent proposes something else." in preview_text(pilot)


async def test_the_preview_scrolls_while_the_list_keeps_the_focus(full_inbox: SeededWorkspace) -> None:
    async with opened(full_inbox, USUAL) as pilot:
        await press(pilot, "t", "J")
        triage = triage_of(pilot)
        assert triage.preview.scroll_offset.y > 0
        assert app_in(pilot).focused is triage.inbox
        await press(pilot, "K", "K")
        assert triage.preview.scroll_offset.y == 0


async def test_enter_opens_the_question_and_escape_comes_back(three_questions: SeededWorkspace) -> None:
    async with opened(three_questions) as pilot:
        await press(pilot, "t", "j", "enter")
        assert isinstance(pilot.app.screen, Decision)
        await press(pilot, "escape")
        assert under_cursor(pilot) == "Second?"


async def test_inbox_zero_says_what_was_answered_and_what_comes_next(three_questions: SeededWorkspace) -> None:
    async with opened(three_questions) as pilot:
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


async def test_escape_leaves(three_questions: SeededWorkspace) -> None:
    async with opened(three_questions) as pilot:
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


async def test_from_an_empty_list_the_way_aside_leads_nowhere(full_inbox: SeededWorkspace) -> None:
    async with opened(full_inbox) as pilot:
        await press(pilot, "t", "slash", *"nothing has these words", "enter", "l", "right")
        assert triage_of(pilot).current == "inbox"
        await press(pilot, "h")
        assert triage_of(pilot).current == "sections"


async def test_from_the_sections_the_way_aside_leads_to_the_list_that_is_shown(
    full_inbox: SeededWorkspace,
) -> None:
    async with opened(full_inbox) as pilot:
        await press(pilot, "t", "h")
        while triage_of(pilot).section.key != "by-rule":
            await press(pilot, "j")
        await press(pilot, "l")
        assert triage_of(pilot).current == "answered"
        await press(pilot, "l", "h", "l")
        assert triage_of(pilot).current == "answered"
