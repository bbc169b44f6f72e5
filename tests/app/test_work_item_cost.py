"""What a work item has cost, phase by phase, of what it may cost; and what its agents do at this moment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.governance.budget_questions import set_budget
from core.governance.budgets import Amounts
from tests.app import money
from tests.app.driving import SMALL, USUAL, WIDE, Driving, lines_of, opened, press, screen_text, settle
from tests.app.seeding import MORNING, SECOND, SeededWorkspace
from tui.screens.work.detail import DelegationDetail
from tui.screens.work.work_item import Delegations, Headline, Phases


@pytest.fixture
def spent(tmp_path: Path) -> Iterator[SeededWorkspace]:
    made = money.spending(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("size", [WIDE, USUAL, SMALL])
async def test_phases_tell_what_they_cost_and_what_has_no_price(spent: SeededWorkspace, size: tuple[int, int]) -> None:
    async with opened(spent, size) as pilot:
        await press(pilot, "2", "enter")
        lines = {line[1:3]: line.split() for line in lines_of(pilot.app.screen.query_one(Phases)) if line.strip()}
    assert lines["D1"][-2:] == ["no", "price"]
    assert lines["P1"][-1] == "$0.07"
    assert lines["I1"][-1] == "$4.64"
    assert "$" not in " ".join(lines["R1"]), "nothing was asked of a model yet"
    assert ("417k" in lines["I1"]) == (size == USUAL)


async def test_the_heading_tells_the_total_of_its_budget_and_warns(spent: SeededWorkspace) -> None:
    async with opened(spent) as pilot:
        await press(pilot, "2", "enter")
        headline = pilot.app.screen.query_one(Headline)
        assert "▲ low $4.71+ of $5.00  456k tok   ● running" in lines_of(headline)[0]
        allowed = Amounts(20.0, 1_000_000)
        await spent.store.write(
            lambda tx: set_budget(tx, "work_item", allowed, by="ada", reason="more", work_item=money.EXPORT)
        )
        await settle(pilot)
        assert "  $4.71+ of $20.00  456k of 1.0M tok   ● running" in lines_of(headline)[0]
        assert "low" not in lines_of(headline)[0]


async def test_without_a_call_there_is_no_column_of_costs(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "2", "enter")
        assert lines_of(pilot.app.screen.query_one(Phases))[0].split() == ["phase", "state", "gate"]


async def test_what_runs_tells_what_it_does_and_opens_by_that_row_too(spent: SeededWorkspace) -> None:
    engine = Driving()
    async with opened(spent, engine=engine) as pilot:
        engine.run(money.EXPORT, "I1", "code-implementer", MORNING - 12 * SECOND)
        await settle(pilot)
        await press(pilot, "2", "enter", "3")
        engine.tell("edits [red]x.py", 12_345, 0.0432)
        await settle(pilot)
        told = lines_of(pilot.app.screen.query_one(Delegations))[2]
        assert "└ edits [red]x.py" in told
        assert told.endswith("12.3k tok $0.04")
        engine.tell("runs the tests", 13_000, None)
        await settle(pilot)
        assert lines_of(pilot.app.screen.query_one(Delegations))[2].endswith("13.0k tok no price")
        await press(pilot, "g", "j", "enter")
        assert isinstance(pilot.app.screen, DelegationDetail)
        assert "runs the tests" in screen_text(pilot)
