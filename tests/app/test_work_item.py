from __future__ import annotations

import pytest
from textual.pilot import Pilot
from textual.widget import Widget

from core.governance.decisions import Choice, make_decision
from core.orchestration import work_items
from core.store import reads
from core.store.rows import DelegationRow
from core.store.schema import Artifact, Delegation, Intent, PhaseRun
from core.store.transaction import Transaction
from tests.app.busy import REVIEWED_SHORT
from tests.app.driving import SMALL, USUAL, WIDE, Driving, app_in, lines_of, opened, press, screen_text, settle
from tests.app.seeding import MORNING, SECOND, SeededWorkspace, seed_delegation, seed_gate, seed_phase
from tui.screens.questions.decision import Decision
from tui.screens.work.detail import ArtifactDetail, DelegationDetail, Sections
from tui.screens.work.diff import DiffScreen
from tui.screens.work.work_item import Artifacts, Delegations, GateView, Phases, WorkItemScreen

ITEM = ("2", "j", "enter")
"""From the dashboard to work item 6."""


def go_to_agent(pilot: Pilot[int], agent: str) -> None:
    delegations = pilot.app.screen.query_one(Delegations)
    row = next(row for row in delegations.rows if isinstance(row, DelegationRow) and row.agent == agent)
    delegations.go_to((row.phase, row.round, row.agent, row.subject))


async def test_it_shows_phases_with_their_gates_delegations_and_the_chain(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, *ITEM)
        text = screen_text(pilot)
        chain = lines_of(pilot.app.screen.query_one(Artifacts))
    assert "#6 Round tax totals half to even" in text
    assert "R1 Review & Test" in text
    assert "2 of 5" in text
    assert "84.2 %" in text
    assert "test-runner" in text
    links = [line.replace("▌", " ").split() for line in chain if line.strip()][1:]
    assert [link[0] for link in links] == ["request.raw", "workitem.ready", "plan.snapshot", "build.bundle"]
    assert links[0][2:] == ["the", "first"]
    assert [link[3] for link in links[1:]] == [link[1] for link in links[:-1]], "each is made of the one before"
    assert "the chain is whole" in text


async def test_the_gate_follows_the_cursor_in_the_phases(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, *ITEM, "g")
        assert "business context" in "\n".join(lines_of(pilot.app.screen.query_one(GateView)))
        await press(pilot, "G")
        text = "\n".join(lines_of(pilot.app.screen.query_one(GateView)))
        assert "Evolution is not reached yet." in text
        assert "signal-harvester" in text


async def test_enter_on_a_phase_that_asks_opens_its_question(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, *ITEM, "enter")
        assert isinstance(pilot.app.screen, Decision)
        assert pilot.app.screen.escalation == 4
        await press(pilot, "escape", "g", "enter")
        assert isinstance(pilot.app.focused, GateView)


async def test_a_gate_that_did_not_pass_says_what_is_missing_and_which_key_answers(
    busy_workspace: SeededWorkspace,
) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, *ITEM)
        lines = lines_of(pilot.app.screen.query_one(GateView))
    assert lines[0] == "✗ not passed  3 of 5 criteria are not met"
    assert lines[1] == "◆ Question 4 waits for you: enter on R1 in pane 1 opens it"


async def test_rounds_of_a_phase_are_told_with_what_became_of_them(busy_workspace: SeededWorkspace) -> None:
    def again(tx: Transaction) -> None:
        seed_phase(tx, 6, "R1", None, 3, round_=2)
        run = tx.one(PhaseRun.select(PhaseRun.id).where((PhaseRun.work_item == 6) & (PhaseRun.round == 2)))
        tx.update(PhaseRun, run[0] if run else 0, missing='["coverage: 84.2 %"]')
        tx.event("phase.entered", work_item=6)

    busy_workspace.store.write_now(again)
    async with opened(busy_workspace) as pilot:
        await press(pilot, *ITEM)
        told = ["".join(text for text, _ in p.line) for p in pilot.app.screen.query_one(GateView).paragraphs]
    assert "What this round is to mend" in told
    assert " · coverage: 84.2 %" in told
    assert " 1  ▲ held  19.0 s  2 of 5 met" in told
    assert any(line.startswith(" 2  ● runs") for line in told)


async def test_a_verdict_of_an_earlier_round_is_seen_to_be_one(busy_workspace: SeededWorkspace) -> None:
    engine = Driving()
    async with opened(busy_workspace, engine=engine) as pilot:
        engine.run(6, "R1", "test-runner", MORNING)
        await busy_workspace.store.write(lambda tx: seed_phase(tx, 6, "R1", None, 3, round_=2))
        await press(pilot, *ITEM)
        gate = pilot.app.screen.query_one(GateView)
        lines = lines_of(gate)
        row = next(line for line in lines_of(pilot.app.screen.query_one(Phases)) if "R1" in line)
        cells = pilot.app.screen.query_one(Phases)
        measured = cells.row_cells(cells.rows[3])[3]
        assert lines[0] == "● Round 2 runs now; its gate has not judged yet."
        assert "Round 1: ✗ not passed  3 of 5 criteria are not met" in lines
        assert {tone for p in gate.paragraphs for text, tone in p.line if "not passed" in text} == {"dim"}
        assert row.replace("▌", " ").split()[0] == "R1/2"
        assert measured == (("2 of 5", "faint"),)
        assert "round 1, over" in screen_text(pilot)


async def test_a_pass_that_the_branch_made_void_says_so_while_the_next_round_runs(
    busy_workspace: SeededWorkspace,
) -> None:
    def judge_anew(tx: Transaction) -> None:
        seed_phase(tx, 7, "R1", "void", 3)
        seed_gate(tx, 7, "R1", {**REVIEWED_SHORT, "six_w": {}})
        seed_phase(tx, 7, "R1", None, 3, round_=2)

    busy_workspace.store.write_now(judge_anew)
    async with opened(busy_workspace) as pilot:
        await press(pilot, "2", "enter")
        assert pilot.app.screen.query_one(Phases).go_to("R1")
        await settle(pilot)
        told = lines_of(pilot.app.screen.query_one(GateView))
        assert told[0] == "● Round 2 runs now; its gate has not judged yet."
        assert any(line.startswith("Round 1, which counts for nothing: ") for line in told)
        assert "round 1, void" in screen_text(pilot)


async def test_a_verdict_on_work_that_is_done_again_one_phase_earlier_is_one_of_before(
    busy_workspace: SeededWorkspace,
) -> None:
    busy_workspace.store.write_now(lambda tx: seed_phase(tx, 6, "I1", None, 3, round_=2))
    async with opened(busy_workspace) as pilot:
        await press(pilot, *ITEM)
        assert pilot.app.screen.query_one(Phases).go_to("R1")
        await settle(pilot)
        lines = lines_of(pilot.app.screen.query_one(GateView))
    assert lines[0] == "↺ I1 went into round 2 after this was judged."
    assert "Round 1: ✗ not passed  3 of 5 criteria are not met" in lines


async def test_a_list_of_delegations_at_its_top_follows_what_runs_and_elsewhere_it_stays(
    busy_workspace: SeededWorkspace,
) -> None:
    def again(tx: Transaction, role: str) -> None:
        for n in range(15):
            seed_delegation(tx, 6, "R1", role, subject=f"{role}-{n}")

    engine = Driving()
    async with opened(busy_workspace, engine=engine) as pilot:
        await press(pilot, *ITEM)
        rows = pilot.app.screen.query_one(Delegations)
        await busy_workspace.store.write(lambda tx: again(tx, "ac-verifier"))
        engine.run(6, "R1", "criteria-checker", MORNING)
        await settle(pilot)
        assert "● running" in lines_of(rows)[1]
        assert "1 running, 25 recorded" in screen_text(pilot)
        await press(pilot, "3", "j", "j")
        before = rows.row
        await busy_workspace.store.write(lambda tx: again(tx, "test-runner"))
        await settle(pilot)
        assert rows.row == before


async def test_the_cursor_goes_on_with_the_work_but_not_away_from_what_is_being_read(
    busy_workspace: SeededWorkspace,
) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, *ITEM)
        phases = pilot.app.screen.query_one(Phases)
        await busy_workspace.store.write(lambda tx: seed_phase(tx, 6, "I1", None, 3, round_=2))
        await settle(pilot)
        assert phases.row is not None
        assert phases.row.phase == "I1"
        await press(pilot, "2")
        await busy_workspace.store.write(lambda tx: seed_phase(tx, 6, "R1", None, 3, round_=2))
        await settle(pilot)
        assert phases.row.phase == "I1"


async def test_a_gate_that_sent_the_work_back_says_so(busy_workspace: SeededWorkspace) -> None:
    def send_back(tx: Transaction) -> None:
        seed_phase(tx, 7, "R1", "sent_back", 3)
        seed_gate(tx, 7, "R1", REVIEWED_SHORT)

    busy_workspace.store.write_now(send_back)
    async with opened(busy_workspace) as pilot:
        await press(pilot, "2", "enter")
        assert pilot.app.screen.query_one(Phases).go_to("R1")
        await settle(pilot)
        told = "\n".join(lines_of(pilot.app.screen.query_one(GateView)))
    assert "It sent the work back, to be mended and judged again." in told


async def test_a_chain_with_a_link_missing_says_where(busy_workspace: SeededWorkspace) -> None:
    def tear(tx: Transaction) -> None:
        row = tx.one(Artifact.select(Artifact.id).where((Artifact.work_item == 6) & (Artifact.type == "plan.snapshot")))
        tx.update(Artifact, row[0] if row else 0, parent="f" * 64)
        tx.event("test.changed", work_item=6)

    busy_workspace.store.write_now(tear)
    async with opened(busy_workspace) as pilot:
        await press(pilot, *ITEM)
        assert "broken at plan.snapshot" in screen_text(pilot)
        assert "✗ ffffffff" in "\n".join(lines_of(pilot.app.screen.query_one(Artifacts)))
        await press(pilot, "4", "j", "j", "enter")
        assert "the chain is broken" in screen_text(pilot)


async def test_enter_on_a_delegation_shows_it_section_by_section(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, *ITEM, "3")
        go_to_agent(pilot, "test-runner")
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, DelegationDetail)
        assert "asked by        review-test-orch" in screen_text(pilot)
        assert "cost            not measured" in screen_text(pilot)
        await press(pilot, "right_square_bracket")
        assert '"requesting_agent": "review-test-orch"' in screen_text(pilot)
        await press(pilot, "3")
        assert '"status": "SUCCESS"' in screen_text(pilot)
        await press(pilot, "tab")
        assert "$ python -m pytest --cov=ledger -q" in screen_text(pilot)
        assert "exit 1   17.4 s   pytest 8.4.2" in screen_text(pilot)
        await press(pilot, "l")
        assert "$ python -m pytest --cov=ledger -q  exit 1" in screen_text(pilot)
        assert "answered: ✓ done" in screen_text(pilot)
        await press(pilot, "left_square_bracket", "escape")
        assert isinstance(pilot.app.screen, WorkItemScreen)


async def test_a_click_on_a_section_goes_there(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, *ITEM, "3", "enter")
        tabs = lines_of(pilot.app.screen.query_one(Sections))[0]
        await pilot.click(Sections, offset=(tabs.index("response"), 0))
        await settle(pilot)
        assert '"responding_agent"' in screen_text(pilot)


async def test_what_an_agent_raised_is_told_with_who_decided_it(busy_workspace: SeededWorkspace) -> None:
    metadata = {
        "tokens": 1_234,
        "cost": 0.0125,
        "model": "a-model",
        "error": "it broke",
        "missing": ["a file"],
        "suggestion": "write the file",
        "decisions": [
            {"domain": "technical", "kind": "library", "question": "Which library?"},
            {"domain": "technical", "kind": "library", "question": "Which other one?"},
        ],
    }
    response = {"responding_agent": "decomposer", "output_artifact": {}, "status": "BLOCKED", "metadata": metadata}

    def decided(tx: Transaction) -> None:
        seed_delegation(tx, 6, "P1", "mitigation-planner", status="BLOCKED", response=response)
        choice = Choice(
            agent="technical",
            kind="library",
            question="Which library?",
            impact=2,
            options=({"key": "one", "label": "One"}, {"key": "two", "label": "Two"}),
            recommended="one",
            work_item=6,
            phase="P1",
            chain=("master-orchestrator", "planning-orch", "mitigation-planner"),
        )
        make_decision(tx, choice)

    busy_workspace.store.write_now(decided)
    async with opened(busy_workspace) as pilot:
        await press(pilot, *ITEM, "3")
        go_to_agent(pilot, "mitigation-planner")
        await press(pilot, "enter")
        text = screen_text(pilot)
    for said in ("error           it broke", "missing         a file", "what would help write the file"):
        assert said in text
    assert "tokens          1,234" in text
    assert "cost            $0.0125" in text
    assert "Which library?" in text
    assert "not on the record yet" in text


async def test_rounds_of_a_delegation_are_told(busy_workspace: SeededWorkspace) -> None:
    def again(tx: Transaction) -> None:
        number = seed_delegation(tx, 6, "R1", "coverage-watch", status="FAILURE")
        tx.update(Delegation, number, round=2, agent="test-runner")
        tx.event("test.changed", work_item=6)

    busy_workspace.store.write_now(again)
    async with opened(busy_workspace) as pilot:
        await press(pilot, *ITEM, "3")
        assert "R1/2" in "\n".join(lines_of(pilot.app.screen.query_one(Delegations)))
        go_to_agent(pilot, "test-runner")
        await press(pilot, "enter")
        assert "round 1  ✓ done  17.4 s" in screen_text(pilot)
        assert "round 2  ✗ failed  40 ms (this one)" in screen_text(pilot)
        await press(pilot, "5")
        assert "round 1 ended: ✓ done" in screen_text(pilot)


async def test_enter_on_an_artifact_shows_its_content_and_verifies_its_digest(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, *ITEM, "4", "j", "enter")
        assert isinstance(pilot.app.screen, ArtifactDetail)
        text = screen_text(pilot)
    assert "✓ digest verified" in text
    assert "made by         definition-orch" in text
    assert "became          plan.snapshot" in text
    assert "bytes of JSON" in text
    assert '"acceptance_criteria"' in text


async def test_an_artifact_that_was_changed_does_not_verify(busy_workspace: SeededWorkspace) -> None:
    def forge(tx: Transaction) -> None:
        row = tx.one(Artifact.select(Artifact.id).where((Artifact.work_item == 6) & (Artifact.type == "plan.snapshot")))
        tx.update(Artifact, row[0] if row else 0, content='{"tasks":[]}')
        tx.event("test.changed", work_item=6)

    busy_workspace.store.write_now(forge)
    async with opened(busy_workspace) as pilot:
        await press(pilot, *ITEM, "4", "j", "j", "enter")
        assert "✗ the stored content gives another digest" in screen_text(pilot)


async def test_what_runs_can_be_entered_counts_on_and_turns_into_its_record(busy_workspace: SeededWorkspace) -> None:
    engine = Driving()
    async with opened(busy_workspace, engine=engine) as pilot:
        engine.run(6, "R1", "criteria-checker", MORNING - 3 * SECOND)
        await press(pilot, *ITEM)
        first = next(line for line in lines_of(pilot.app.screen.query_one(Delegations))[1:] if line.strip())
        assert "● running" in first
        await press(pilot, "3", "g", "enter")
        assert "● running   for 3.0 s" in screen_text(pilot)
        busy_workspace.clock.now = MORNING + 60 * SECOND
        app_in(pilot)._tick()
        assert "● running   for 1 min 03 s" in screen_text(pilot)
        await press(pilot, "2")
        assert "The request goes into the journal together with its answer." in screen_text(pilot)
        await press(pilot, "5")
        assert "it runs; its runtime has told nothing so far" in screen_text(pilot)
        engine.delegations = ()
        await busy_workspace.store.write(lambda tx: seed_delegation(tx, 6, "R1", "criteria-checker"))
        await settle(pilot)
        assert "answered: ✓ done" in screen_text(pilot)


async def test_d_shows_the_diff(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, *ITEM, "d")
        assert isinstance(pilot.app.screen, DiffScreen)


async def test_it_can_be_paused_and_cancelled_here(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, *ITEM, "p")
        facts = await busy_workspace.store.read(lambda r: reads.work_item_facts(r, 6))
        assert facts is not None
        assert facts.paused_at == MORNING
        await press(pilot, "X", "y")
        facts = await busy_workspace.store.read(lambda r: reads.work_item_facts(r, 6))
    assert facts is not None
    assert facts.cancelled_at == MORNING


async def test_cancelling_says_what_its_release_has_done_outside(busy_workspace: SeededWorkspace) -> None:
    def begin(tx: Transaction) -> None:
        of = {"work_item": 6, "phase": "O1", "round": 1, "agent": "deploy-orchestrator", "subject": ""}
        tx.insert(Intent, **of, at=tx.now)
        tx.event("delegation.intended", work_item=6)

    busy_workspace.store.write_now(begin)
    async with opened(busy_workspace) as pilot:
        await press(pilot, *ITEM, "X")
        assert "Its release was begun" in screen_text(pilot)


async def test_it_follows_what_happens_to_the_work_item(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, *ITEM)
        await busy_workspace.store.write(lambda tx: work_items.cancel(tx, 6, by="grace"))
        await settle(pilot)
        assert "cancelled" in screen_text(pilot)


@pytest.mark.parametrize(("key", "pane"), [("1", Phases), ("2", GateView), ("3", Delegations), ("4", Artifacts)])
@pytest.mark.parametrize("size", [WIDE, USUAL, SMALL])
async def test_every_pane_can_be_reached_and_seen(
    busy_workspace: SeededWorkspace, key: str, pane: type[Widget], size: tuple[int, int]
) -> None:
    async with opened(busy_workspace, size) as pilot:
        await press(pilot, *ITEM, key)
        focused: Widget = pilot.app.screen.query_one(pane)
        assert pilot.app.focused is focused
        assert focused.size.height >= 5
        assert focused.size.width >= 36
