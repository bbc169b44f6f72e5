"""Only what a person means after reading answers a question: nothing late, typed ahead, pasted or clicked."""

from __future__ import annotations

from typing import Any

import pytest
from textual.events import AppBlur, AppFocus, Paste

from core.governance import escalations
from tests.app.asked import PASSKEYS, THIN, answers, row_of
from tests.app.driving import (
    app_in,
    decision_of,
    notices,
    opened,
    press,
    screen_text,
    settle,
)
from tests.app.seeding import (
    Option,
    Question,
    SeededWorkspace,
    raise_question,
)
from tui.questions.answering import NOT_DRAWN
from tui.screens.questions import decision
from tui.screens.questions.decision import Decision


async def answer_elsewhere(made: SeededWorkspace, pilot: Any) -> None:
    await made.store.write(lambda tx: escalations.resolve(tx, PASSKEYS, option="codes", reason="cheap", by="grace"))
    await settle(pilot)


async def test_a_question_answered_elsewhere_shows_what_was_answered_and_by_whom(
    busy_workspace: SeededWorkspace,
) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space")
        await answer_elsewhere(busy_workspace, pilot)
        text = screen_text(pilot)
        assert "✓ answered One-time codes by mail  by grace" in text
        assert "cheap" in text
        await press(pilot, "a")
        assert notices(pilot)[-1].startswith("Question 2 is already answered by grace: One-time codes by mail.")
        assert len(await answers(busy_workspace, PASSKEYS)) == 1


@pytest.mark.parametrize("key", ["1", "enter", "space"])
async def test_from_a_question_answered_elsewhere_one_key_leads_to_the_next(
    busy_workspace: SeededWorkspace, key: str
) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space")
        await answer_elsewhere(busy_workspace, pilot)
        assert "1 On to the next question" in screen_text(pilot)
        await press(pilot, key)
        assert decision_of(pilot).escalation == THIN
    assert len(await answers(busy_workspace, PASSKEYS)) == 1


async def test_an_answer_that_came_too_late_keeps_what_was_written(busy_workspace: SeededWorkspace) -> None:
    """Somebody else answers while the form is open: the write is refused, and what was written is told where it is."""
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "space", "e", *"Half")
        await busy_workspace.store.write(
            lambda tx: escalations.resolve(tx, THIN, option="retry", reason="mended", by="grace")
        )
        await press(pilot, "f2", "f2")
        refused, kept = notices(pilot)[-2:]
        assert "is already answered" in refused
        assert "what you wrote; also in state/copied.txt" in kept
        assert app_in(pilot).drafts["answer:3:supply"]["value-business_context"] == "Half"


async def test_an_answer_is_bound_to_what_was_shown(busy_workspace: SeededWorkspace) -> None:
    """The question changes between drawing and key: the key answers nothing."""
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space")
        screen = decision_of(pilot)
        shown = screen.question_in_hand()
        assert shown is not None
        question = Question(
            kind="conflict",
            subject={"n": 1},
            question="Old?",
            urgency="IMMEDIATE",
            options=(Option("yes", "Yes", ""),),
            recommended="yes",
            chain=("ux",),
        )
        number = await busy_workspace.store.write(lambda tx: raise_question(tx, question))
        old = await row_of(busy_workspace, number)
        changed = Question(**{**_fields(question), "missing": ("something new",)})
        await busy_workspace.store.write(lambda tx: raise_question(tx, changed))
        screen.take(old, old.options[0])
        await settle(pilot)
        assert "has changed since it was shown" in notices(pilot)[-1]
        assert await answers(busy_workspace, number) == ()


def _fields(question: Question) -> dict[str, Any]:
    return {name: getattr(question, name) for name in question.__dataclass_fields__}


async def test_keys_typed_before_the_question_is_drawn_answer_nothing(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space")
        screen = decision_of(pilot)
        screen._drawn = ""
        assert screen.question_in_hand() is None
        screen.action_accept()
        screen.action_answer(1)
        await settle(pilot)
        assert await answers(busy_workspace, PASSKEYS) == ()
        assert notices(pilot) == [NOT_DRAWN]


async def test_a_paste_answers_nothing(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space")
        for pasted in ("a1", "1\n", "a\r", "\n"):
            pilot.app.post_message(Paste(pasted))
            await settle(pilot)
        assert decision_of(pilot).escalation == PASSKEYS
        assert await answers(busy_workspace, PASSKEYS) == ()


async def test_a_click_that_only_focuses_the_window_answers_nothing(
    busy_workspace: SeededWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even two of them: who clicks a window twice to get to it has read nothing yet."""
    monkeypatch.setattr(decision, "FOCUS_CLICK_SECONDS", 3_600.0)
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space")
        pilot.app.post_message(AppBlur())
        await settle(pilot)
        pilot.app.post_message(AppFocus())
        await settle(pilot)
        await pilot.click("#answers", offset=(5, 4), times=2)
        await settle(pilot)
        assert decision_of(pilot).escalation == PASSKEYS
        assert isinstance(pilot.app.screen, Decision)
        assert await answers(busy_workspace, PASSKEYS) == ()


async def test_a_double_click_on_an_answer_takes_it(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space")
        await pilot.click("#answers", offset=(5, 1), times=2)
        await settle(pilot)
        assert [a.option for a in await answers(busy_workspace, PASSKEYS)] == ["passkeys"]
