"""Taken back from the history: a decision, in whose favour, why, and back again with u; an answer given before."""

from __future__ import annotations

from typing import Any

import pytest

from core.governance import life
from core.governance.decisions import Choice, make_decision
from core.governance.escalations import Option, Question, raise_question, resolve
from core.orchestration import work_items
from core.store import reads, reads_governance
from core.store.rows import DecisionRow, EscalationRow
from core.store.transaction import Transaction
from tests.app.driving import notices, opened, press, screen_text
from tests.app.records import go_to
from tests.app.seeding import SeededWorkspace
from tui.screens.dialogs.choice import ChoiceDialog
from tui.screens.dialogs.reason import LineDialog
from tui.screens.records.history import History

RETRY = Option("retry", "Try again", "It runs again.")
STOP = Option("stop", "Stop it", "It ends as failed.", ends=True, fails=True)
CACHE = Choice(
    agent="technical",
    kind="caching",
    question="Cache the rates for an hour?",
    impact=2,
    options=({"key": "yes", "label": "For an hour"}, {"key": "no", "label": "Not at all"}),
    recommended="yes",
)


@pytest.fixture
def decided(team: SeededWorkspace) -> int:
    def work(tx: Transaction) -> int:
        made = make_decision(tx, CACHE)
        assert (made.outcome, made.choice) == ("decided", "yes")
        return made.decision

    return team.store.write_now(work)


def held(made: SeededWorkspace, number: int) -> DecisionRow:
    found = made.store.read_now(lambda r: reads_governance.decision(r, number))
    assert found is not None
    return found


async def on_the_decision(pilot: Any) -> None:
    await go_to(pilot, History())
    await press(pilot, "slash", *"decision", "enter")


async def test_it_is_taken_back_for_another_option_and_u_lets_it_hold_again(
    team: SeededWorkspace, decided: int
) -> None:
    async with opened(team) as pilot:
        await on_the_decision(pilot)
        await press(pilot, "r")
        assert isinstance(pilot.app.screen, ChoiceDialog)
        assert "For an hour" not in "".join(str(card) for card in pilot.app.screen.choices), "what holds is not offered"
        await press(pilot, "2")
        assert isinstance(pilot.app.screen, LineDialog)
        assert "it was  yes, by" in screen_text(pilot)
        await press(pilot, "enter")
        assert "Say why" in screen_text(pilot)
        await press(pilot, *"stale", "enter")
        taken = held(team, decided)
        assert (taken.revert_reason, taken.reverted_at is not None) == ("stale", True)
        assert held(team, decided + 1).choice == "no"
        assert notices(pilot)[-1] == f"Decision {decided} is taken back."

        await press(pilot, "u")
        assert held(team, decided).reverted_at is None
        assert notices(pilot)[-1] == f"Decision {decided} holds again."


async def test_a_reversal_gives_way_to_what_it_took_back(team: SeededWorkspace, decided: int) -> None:
    async with opened(team) as pilot:
        await on_the_decision(pilot)
        await press(pilot, "r", "1", *"no", "enter", "r")
        assert notices(pilot)[-1].startswith(f"Decision {decided} was taken back already by ")


async def test_what_is_no_decision_or_still_waits_says_so(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await go_to(pilot, History())
        await press(pilot, "slash", *"!decision", "enter", "r")
        assert notices(pilot)[-1] == "This event is neither a decision's nor an answer's."
        await press(pilot, "slash", *["backspace"] * 9, *"decision", "enter", "r")
        assert "still waits for question" in notices(pilot)[-1]


@pytest.fixture
def stopped(empty_workspace: SeededWorkspace) -> int:
    """A question whose answer has ended its work item, somewhere else."""

    def work(tx: Transaction) -> int:
        item = work_items.create(tx, title="Zebra crossing")
        asked = Question(
            "error", {}, "It failed.", "DAILY", (RETRY, STOP), "retry", ("x",), work_item=item, blocks="D1"
        )
        number = raise_question(tx, asked)
        resolve(tx, number, option="stop", by="ada", reason="enough")
        return number

    return empty_workspace.store.write_now(work)


def asked(made: SeededWorkspace, number: int) -> EscalationRow:
    found = made.store.read_now(lambda r: reads.escalation(r, number))
    assert found is not None
    return found


def state_of(made: SeededWorkspace) -> str:
    (item,) = made.store.read_now(reads.work_items)
    return item.state


async def test_an_answer_of_before_is_taken_back_and_what_it_ended_goes_on(
    empty_workspace: SeededWorkspace, stopped: int
) -> None:
    assert state_of(empty_workspace) == "failed"
    async with opened(empty_workspace) as pilot:
        await go_to(pilot, History())
        await press(pilot, "slash", *"answered", "enter", "r")
        assert isinstance(pilot.app.screen, LineDialog)
        assert "answered Stop it, by ada" in screen_text(pilot)
        await press(pilot, *"too early", "enter")
        assert asked(empty_workspace, stopped).resolved_at is None
        assert state_of(empty_workspace) == "proposed"
        assert notices(pilot)[-1] == f"The answer to question {stopped} is taken back; it waits again."

        await press(pilot, "r")
        assert notices(pilot)[-1] == f"Question {stopped} has no answer to take back."


async def test_an_older_answer_is_not_taken_back_in_the_place_of_the_one_that_stands(
    empty_workspace: SeededWorkspace, stopped: int
) -> None:
    def anew(tx: Transaction) -> None:
        life.undo(tx, stopped, by="ada")
        resolve(tx, stopped, option="retry", by="ada")

    empty_workspace.at(-60_000, anew)
    async with opened(empty_workspace) as pilot:
        await go_to(pilot, History())
        await press(pilot, "slash", *"answered", "enter", "G", "r")
        assert notices(pilot)[-1].startswith(f"Question {stopped} was answered anew since")
