"""Everything that is done to a question by key, in the queue and on its own screen, and how `u` takes it back."""

from __future__ import annotations

from datetime import datetime

import pytest

from core.governance import asking, life
from core.governance.scope.wishes import pending
from core.store import states
from tests.app.asked import ERROR, PASSKEYS, SCOPE, THIN, answers, row_of
from tests.app.driving import SMALL, app_in, decision_of, notices, opened, press, screen_text, settle
from tests.app.seeding import HOUR, MINUTE, MORNING, Option, Question, SeededWorkspace, raise_question
from tui.screens.dialogs.choice import ChoiceDialog
from tui.screens.dialogs.reason import LineDialog
from tui.screens.questions.decision import Decision
from tui.screens.questions.hand_over import HandOverForm
from tui.text.words import DAY
from tui.widgets.fields import Field


async def state_of(made: SeededWorkspace, escalation: int) -> str:
    return states.escalation_state(await row_of(made, escalation), made.clock.now)


async def thread(made: SeededWorkspace, escalation: int) -> list[tuple[str, str]]:
    row = await row_of(made, escalation)
    said = await made.store.read(lambda r: asking.thread(r, row))
    return [(one.what, one.text) for one in said]


# Taking back


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (["a"], "Question 2 waits again."),
        (["exclamation_mark"], "Question 2 counts as not seen again."),
        (["s", "1"], "Question 2 is back."),
        (["o", *"grace", "f2"], "Question 2 is nobody's again."),
        (["c", *"why", "enter"], "Question 2 is not asked back any more."),
    ],
)
@pytest.mark.parametrize("where", ["queue", "decision"])
async def test_u_takes_back_what_was_done_and_says_what(
    busy_workspace: SeededWorkspace, keys: list[str], told: str, where: str
) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, *(["3", "enter"] if keys == ["a"] else ["3"]) if where == "queue" else ["space"], *keys)
        assert notices(pilot)[-1].endswith("u undo")
        await press(pilot, "u")
        assert notices(pilot)[-1] == told
    row = await row_of(busy_workspace, PASSKEYS)
    assert await state_of(busy_workspace, PASSKEYS) == "open"
    assert (row.assigned_to, row.acknowledged_by, row.snoozed_until) == (None, None, None)
    assert all(answer.undone_by == "ada" for answer in await answers(busy_workspace, PASSKEYS))


async def test_u_takes_back_one_thing_after_the_other(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "a", "s", "1", "u", "u")
    assert [await state_of(busy_workspace, n) for n in (PASSKEYS, THIN)] == ["open", "open"]


async def test_what_somebody_else_has_changed_since_is_not_taken_back(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "3", "s", "1")
        await busy_workspace.store.write(lambda tx: life.assign(tx, PASSKEYS, to="grace", by="linus"))
        await press(pilot, "u")
        assert "has been changed since" in notices(pilot)[-1]
        assert "once more" not in notices(pilot)[-1], "nothing was done before it"
    assert (await row_of(busy_workspace, PASSKEYS)).assigned_to == "grace"


async def test_too_late_for_the_last_thing_says_that_u_goes_further_back(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "s", "1", "exclamation_mark")
        await busy_workspace.store.write(lambda tx: life.assign(tx, THIN, to="grace", by="linus"))
        await press(pilot, "u")
        assert notices(pilot)[-1].endswith("u once more takes back what was done before it.")
        await press(pilot, "u")
        assert notices(pilot)[-1] == "Question 2 is back."


# Snoozing


@pytest.mark.parametrize(
    ("key", "until"),
    [("1", MORNING + HOUR), ("2", MORNING + 4 * HOUR), ("4", MORNING + 3 * DAY), ("5", MORNING + 7 * DAY)],
)
async def test_the_presets_put_it_away(busy_workspace: SeededWorkspace, key: str, until: int) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "s", key)
        assert decision_of(pilot).escalation == THIN
    assert (await row_of(busy_workspace, PASSKEYS)).snoozed_until == until


async def test_any_other_time_is_typed(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "s", "6", *"soon", "enter")
        assert "is no time" in screen_text(pilot)
        field = pilot.app.screen.query_one(Field)
        field.value = ""
        await press(pilot, *"90m", "enter")
        back = datetime.fromtimestamp((MORNING + 90 * MINUTE) / 1000).astimezone()
        assert notices(pilot)[-1].startswith(f"Question 2 is put away until {back:%H:%M}")
    assert (await row_of(busy_workspace, PASSKEYS)).snoozed_until == MORNING + 90 * MINUTE


# Handing over


async def test_o_hands_it_over_with_a_word_and_knows_who_there_is(busy_workspace: SeededWorkspace) -> None:
    await busy_workspace.store.write(lambda tx: life.assign(tx, THIN, to="grace", by="linus"))
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "o")
        assert isinstance(pilot.app.screen, HandOverForm)
        assert "a person by name: grace" in screen_text(pilot)
        await press(pilot, *"gr", "right", "enter", *"your call", "f2")
        assert notices(pilot)[-1] == "Question 2 is handed to grace.  u undo"
        assert decision_of(pilot).escalation != PASSKEYS
    row = await row_of(busy_workspace, PASSKEYS)
    assert (row.assigned_to, row.note) == ("grace", "your call")


async def test_it_is_handed_to_somebody_and_to_no_agent(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "o", "f2")
        assert "Name the person" in screen_text(pilot)
        await press(pilot, *"technical", "f2")
        assert "is an agent" in notices(pilot)[-1]
    assert (await row_of(busy_workspace, PASSKEYS)).assigned_to is None


# Pressing


async def test_a_caret_makes_it_more_urgent_with_or_without_a_reason(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "space", "circumflex_accent", *"release day", "enter")
        assert notices(pilot)[-1] == "Question 3 is immediate now.  u undo"
        await press(pilot, "u")
        assert notices(pilot)[-1] == "Question 3 is daily again."
        await press(pilot, "circumflex_accent", "enter")
    assert (await row_of(busy_workspace, THIN)).urgency == "IMMEDIATE"


async def test_what_is_immediate_cannot_be_pressed_further(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "circumflex_accent")
        assert isinstance(pilot.app.screen, Decision)
        assert "immediate already" in notices(pilot)[-1]


# Merging


async def test_gates_that_ask_in_the_same_words_are_told_apart_by_their_work_items(
    busy_workspace: SeededWorkspace,
) -> None:
    twins = [busy_workspace.at(MINUTE, lambda tx, n=n: raise_question(tx, failure(n, work_item=n))) for n in (1, 2)]
    async with opened(busy_workspace) as pilot:
        app_in(pilot).open_question(twins[0])
        await settle(pilot)
        await press(pilot, "m")
        assert isinstance(pilot.app.screen, ChoiceDialog)
        assert f"question {twins[1]} for #2 I1" in [card.label for card in pilot.app.screen.choices]


@pytest.fixture
def alike(busy_workspace: SeededWorkspace) -> SeededWorkspace:
    """Two more failures that take the same answers as question 5."""
    for n in (1, 2):
        busy_workspace.at(MINUTE, lambda tx, n=n: raise_question(tx, failure(n)))
    return busy_workspace


def failure(n: int, work_item: int | None = None) -> Question:
    return Question(
        kind="error",
        work_item=work_item,
        phase="I1" if work_item is not None else None,
        subject={"agent": "doc-toucher", "n": n},
        question=f"I1: doc-toucher (T{n + 1}) failed: README.md has two sections called Usage",
        urgency="DAILY",
        options=(
            Option("retry", "Try again", "The failed step runs again; what is recorded is kept."),
            Option("stop", "Stop this work item", "It is cancelled; its branch is kept.", ends=True),
        ),
        recommended="retry",
        chain=("master-orchestrator", "implementation-orch", "doc-toucher"),
    )


async def test_m_merges_into_one_that_takes_the_same_answers(alike: SeededWorkspace) -> None:
    async with opened(alike) as pilot:
        app_in(pilot).open_question(ERROR)
        await settle(pilot)
        await press(pilot, "m")
        assert isinstance(pilot.app.screen, ChoiceDialog)
        assert [card.key for card in pilot.app.screen.choices] == ["8", "9"]
        await press(pilot, "1")
        assert notices(pilot)[-1].startswith("Merged into question 8: 5.")
        assert decision_of(pilot).escalation != ERROR
        assert await state_of(alike, ERROR) == "merged"
        await press(pilot, "u")
        assert notices(pilot)[-1] == "Apart again: 5."
    assert await state_of(alike, ERROR) == "open"


async def test_without_one_that_is_alike_it_says_so(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "m")
        assert "No other open question takes the same answers" in notices(pilot)[-1]


async def test_a_merged_question_leads_to_the_one_it_is_in(alike: SeededWorkspace) -> None:
    await alike.store.write(lambda tx: life.merge(tx, [ERROR], into=8, by="grace"))
    async with opened(alike) as pilot:
        app_in(pilot).open_question(ERROR)
        await settle(pilot)
        assert "merged into question 8" in screen_text(pilot)
        await press(pilot, "1")
        assert decision_of(pilot).escalation == 8


# Asking back


async def test_c_asks_back_and_c_again_replies(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "c", "enter")
        assert "Say what you want to know" in screen_text(pilot)
        await press(pilot, *"Which browsers", "enter")
        assert decision_of(pilot).escalation == THIN
        assert await state_of(busy_workspace, PASSKEYS) == "acknowledged"

        app_in(pilot).open_question(PASSKEYS)
        await settle(pilot)
        assert "no reply yet" in screen_text(pilot)
        await press(pilot, "c")
        assert isinstance(pilot.app.screen, LineDialog)
        assert "Reply to ada" in screen_text(pilot)
        await press(pilot, *"All since 2021", "enter")
        text = screen_text(pilot)
    assert "All since 2021" in text
    assert await thread(busy_workspace, PASSKEYS) == [("question", "Which browsers"), ("reply", "All since 2021")]
    assert await state_of(busy_workspace, PASSKEYS) == "open"


async def test_a_question_half_asked_is_kept(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "c", *"Which", "escape", "c")
        assert pilot.app.screen.query_one(Field).value == "Which"
    assert await thread(busy_workspace, PASSKEYS) == []


# Rules


async def test_a_capital_a_accepts_and_wishes_for_a_rule(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "A")
        assert "next scope review" in notices(pilot)[-1]
    assert [a.option for a in await answers(busy_workspace, PASSKEYS)] == ["passkeys"]
    [wish] = await busy_workspace.store.read(pending)
    assert (wish.agent, wish.kind, wish.by) == ("technical", "auth_scheme", "ada")


async def test_no_rule_is_wished_for_what_no_agent_decides(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "space", "A")
        assert "domain agent's decision only" in notices(pilot)[-1]
    assert await answers(busy_workspace, THIN) == ()
    assert await busy_workspace.store.read(pending) == ()


# Copying, and what the footer may say


async def test_a_question_is_copied_as_it_is_read(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "space", "space")
        copied = decision_of(pilot).copied()
    assert copied is not None
    text, what = copied
    assert what == "question 4"
    assert text.startswith(
        "Question 4\n#6 Round tax totals half to even\nR1 Review & Test: 3 of 5 criteria are not met.\n"
    )
    assert "84.2 %" in text
    assert "1. Supply what is missing (recommended): The phase goes on" in text


@pytest.mark.parametrize(
    ("escalation", "not_offered"),
    [
        (PASSKEYS, {"values", "editor", "escalate"}),
        (THIN, {"rule"}),
        (SCOPE, {"values", "editor", "rule", "merge", "diff", "work", "evidence"}),
    ],
)
async def test_only_what_makes_sense_for_a_question_applies(
    busy_workspace: SeededWorkspace, escalation: int, not_offered: set[str]
) -> None:
    names = ("accept", "rule", "values", "editor", "other", "ask", "ack", "snooze", "assign", "escalate", "merge")
    async with opened(busy_workspace) as pilot:
        app_in(pilot).open_question(escalation)
        await settle(pilot)
        applies = {
            name: decision_of(pilot).applies(f"decision.{name}") for name in (*names, "diff", "work", "evidence")
        }
    assert {name for name, answer in applies.items() if answer is not True} == not_offered
    assert all(answer for answer in applies.values())


async def test_nothing_is_done_to_an_answered_question_but_reading_it(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "a")
        app_in(pilot).open_question(PASSKEYS)
        await settle(pilot)
        said = len(notices(pilot))
        await press(pilot, "e", "r", "c", "exclamation_mark", "s", "o", "circumflex_accent", "m")
        assert isinstance(pilot.app.screen, Decision)
        refused = notices(pilot)[said:]
        assert refused
        assert all("is already answered by ada" in notice for notice in refused)
        assert decision_of(pilot).applies("decision.accept") == "it is answered already"
    assert len(await answers(busy_workspace, PASSKEYS)) == 1


async def test_a_line_names_enter_as_the_key_that_sends_it(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace, SMALL) as pilot:
        await press(pilot, "3", "c")
        assert isinstance(pilot.app.screen, LineDialog)
        assert "enter send" in screen_text(pilot)


async def test_a_refusal_speaks_of_questions_as_the_screens_do(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "a")
        await busy_workspace.store.write(lambda tx: life.undo(tx, PASSKEYS, by="bob"))
        await press(pilot, "u")
        assert notices(pilot)[-1] == "Question 2 has no answer to take back."
