from __future__ import annotations

import pytest
from textual.widget import Widget

from core.orchestration import work_items
from core.store import reads
from tests.app.driving import SMALL, USUAL, WIDE, Driving, lines_of, notices, opened, press, screen_text, settle
from tests.app.seeding import MORNING, SECOND, SeededWorkspace
from tui.screens.decision import Decision
from tui.screens.detail import ArtifactDetail, DelegationDetail
from tui.screens.work_item import Artifacts, Delegations, GateView, Phases, WorkItemScreen


async def test_it_shows_phases_with_their_gates_delegations_and_the_chain(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "j", "enter")
        text = screen_text(pilot)
        chain = lines_of(pilot.app.screen.query_one(Artifacts))
    assert "#6 Round tax totals half to even" in text
    assert "R1 Review & Test" in text
    assert "2 of 5" in text
    assert "84.2 %" in text
    assert "test-runner" in text
    assert [line.split()[0].lstrip("▌") for line in chain if line.strip()][1:] == ["request.raw", "└", "└", "└"]


async def test_the_gate_follows_the_cursor_in_the_phases(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "j", "enter", "g")
        assert "business context" in "\n".join(lines_of(pilot.app.screen.query_one(GateView)))
        await press(pilot, "G")
        text = "\n".join(lines_of(pilot.app.screen.query_one(GateView)))
        assert "Not reached yet." in text
        assert "signal-harvester" in text


async def test_enter_on_a_phase_that_asks_opens_its_question(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "j", "enter", "enter")
        assert isinstance(pilot.app.screen, Decision)
        assert pilot.app.screen.escalation == 4
        await press(pilot, "escape", "g", "enter")
        assert isinstance(pilot.app.focused, GateView)


async def test_enter_on_a_delegation_shows_request_response_and_evidence(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "j", "enter", "3")
        delegations = pilot.app.screen.query_one(Delegations)
        key = next(r for r in delegations.rows if r.agent == "test-runner")
        delegations.go_to((key.phase, key.round, key.agent, key.subject))
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, DelegationDetail)
        text = screen_text(pilot)
        assert "$ python -m pytest --cov=ledger -q" in text
        assert "exit 1   17.4 s   pytest 8.4.2" in text
        assert '"requesting_agent": "review-test-orch"' in text
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, WorkItemScreen)


async def test_enter_on_an_artifact_shows_its_content_and_parent(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "j", "enter", "4", "j", "enter")
        assert isinstance(pilot.app.screen, ArtifactDetail)
        text = screen_text(pilot)
    assert "parent" in text
    assert '"acceptance_criteria"' in text


async def test_what_runs_stands_on_top_of_the_delegations(busy_workspace: SeededWorkspace) -> None:
    engine = Driving()
    async with opened(busy_workspace, engine=engine) as pilot:
        engine.run(6, "R1", "test-runner", MORNING - 3 * SECOND)
        await press(pilot, "j", "enter")
        first = next(line for line in lines_of(pilot.app.screen.query_one(Delegations))[1:] if line.strip())
        assert "● running" in first
        await press(pilot, "3", "g", "enter")
        assert notices(pilot)[-1] == "It still runs; its record is there once it has ended."


async def test_it_can_be_paused_and_cancelled_here(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "j", "enter", "p")
        facts = await busy_workspace.store.read(lambda r: reads.work_item_facts(r, 6))
        assert facts is not None
        assert facts.paused_at == MORNING
        await press(pilot, "x", "y")
        facts = await busy_workspace.store.read(lambda r: reads.work_item_facts(r, 6))
    assert facts is not None
    assert facts.cancelled_at == MORNING


async def test_it_follows_what_happens_to_the_work_item(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "j", "enter")
        await busy_workspace.store.write(lambda tx: work_items.cancel(tx, 6, by="grace"))
        await settle(pilot)
        assert "cancelled" in screen_text(pilot)


@pytest.mark.parametrize(("key", "pane"), [("1", Phases), ("2", GateView), ("3", Delegations), ("4", Artifacts)])
@pytest.mark.parametrize("size", [WIDE, USUAL, SMALL])
async def test_every_pane_can_be_reached_and_seen(
    busy_workspace: SeededWorkspace, key: str, pane: type[Widget], size: tuple[int, int]
) -> None:
    async with opened(busy_workspace, size) as pilot:
        await press(pilot, "j", "enter", key)
        focused: Widget = pilot.app.screen.query_one(pane)
        assert pilot.app.focused is focused
        assert focused.size.height >= 5
        assert focused.size.width >= 36
