"""The tier tree on the screen: who is in the team, what each does now, and the way to each."""

from __future__ import annotations

from core.store.schema import Agent
from core.store.writer import Transaction
from tests.app.driving import Driving, lines_of, opened, press, screen_text, settle
from tests.app.seeding import MORNING, SeededWorkspace
from tui.screens.team.agents import Agents
from tui.widgets.tier_tree import TierTree


async def test_agents_fold_and_unfold(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "1", "j")
        tree = pilot.app.screen.query_one(TierTree)
        assert tree.row is not None
        assert (tree.row.group, tree.row.is_open) == ("D1", True)
        await press(pilot, "h")
        assert not tree.row.is_open
        await press(pilot, "enter", "j", "h")
        assert tree.row.key == "group:D1"


async def test_the_tree_is_filtered_by_what_agents_are_and_know(busy_workspace: SeededWorkspace) -> None:
    def knows_sql(tx: Transaction) -> None:
        number = tx.one(Agent.select(Agent.id).where(Agent.role == "sql-specialist"))
        tx.update(Agent, number[0] if number else 0, technologies='["postgresql","sql"]')
        tx.event("agents.imported")

    busy_workspace.store.write_now(knows_sql)
    async with opened(busy_workspace) as pilot:
        tree = pilot.app.screen.query_one(TierTree)
        await press(pilot, "1", "slash", *"tech:postgresql", "enter")
        assert [r.key for r in tree.rows] == ["master-orchestrator", "group:specialist", "sql-specialist"]
        assert tree.filter_note.startswith("/tech:postgresql: 1 of ")
        await press(pilot, "escape")
        assert "group:D1" in [r.key for r in tree.rows]


async def test_enter_on_an_agent_opens_it(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "1")
        assert pilot.app.screen.query_one(TierTree).go_to("ac-writer")
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, Agents)
        assert "ac-writer" in screen_text(pilot)


async def test_an_agent_at_work_says_on_what_and_since_when(busy_workspace: SeededWorkspace) -> None:
    engine = Driving()
    async with opened(busy_workspace, engine=engine) as pilot:
        engine.run(5, "D1", "ac-writer", MORNING - 70_000)
        engine.run(5, "D1", "risk-notary", MORNING)
        engine.run(6, "D1", "risk-notary", MORNING - 5_000)
        await settle(pilot)
        lines = lines_of(pilot.app.screen.query_one(TierTree))
        assert "● #5 1m" in next(line for line in lines if "ac-writer" in line)
        assert "● 2 runs 5s" in next(line for line in lines if "risk-notary" in line)


async def test_the_tree_is_filtered_by_state(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        tree = pilot.app.screen.query_one(TierTree)
        await press(pilot, "1", "slash", *"asking", "enter")
        assert {r.state for r in tree.rows if not r.is_heading} == {"asking"}
