"""The tier tree on the screen: who is in the team, what each does now, and the way to each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.strip import Strip

from core.store import looking
from core.store.schema import Agent
from core.store.transaction import Transaction
from tests.app.driving import SMALL, USUAL, WIDE, Driving, lines_of, opened, press, screen_text, settle
from tests.app.seeding import MORNING, SeededWorkspace
from tui import bridge
from tui.screens.team.agents import Agents
from tui.screens.work.detail import DelegationDetail
from tui.widgets.pipeline import Pipeline
from tui.widgets.queue import Queue
from tui.widgets.tier_tree import TierTree
from tui.widgets.top_line import TopLine


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


@pytest.mark.parametrize(("size", "spent"), [(WIDE, "12.3k $0.04"), (USUAL, "12.3k tok $0.04"), (SMALL, "12.3k $0.04")])
async def test_what_an_agent_does_and_has_used_stands_below_it(
    busy_workspace: SeededWorkspace, size: tuple[int, int], spent: str
) -> None:
    engine = Driving()
    async with opened(busy_workspace, size, engine=engine) as pilot:
        engine.run(7, "I1", "code-implementer", MORNING - 12_000)
        engine.tell("edits src/rowdown/a_very_long_name_of_a_module_of_reports.py", 12_345, 0.0432)
        await settle(pilot)
        tree = pilot.app.screen.query_one(TierTree)
        await press(pilot, "1")
        if size == SMALL:
            assert tree.go_to("group:I1")
            await press(pilot, "l", *"jjj")
        told = next(line for line in lines_of(tree) if "edits src/row" in line)
        assert told.endswith(spent)
        engine.tell("edits x", 12_400, None)
        await settle(pilot)
        assert any("edits x" in line and line.endswith("no price") for line in lines_of(tree))


async def test_a_stream_paints_its_own_row_and_has_nothing_else_read(
    busy_workspace: SeededWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also for whoever looks at what runs in between, as the poll does."""
    monkeypatch.setattr(bridge, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(looking, "LOOK_SECONDS", 0.0)
    engine, read, painted = Driving(), set[str](), set[int]()

    def noted(view: type[Any]) -> Callable[..., Any]:
        do = view.read_anew

        def read_anew(*given: Any) -> Any:
            read.add(view.__name__)
            return do(*given)

        return read_anew

    async with opened(busy_workspace, engine=engine) as pilot:
        engine.run(7, "I1", "code-implementer", MORNING - 12_000)
        engine.tell("reads a.py", 1_000, 0.01)
        await settle(pilot)
        for view in (TopLine, Pipeline, Queue, TierTree):
            monkeypatch.setattr(view, "read_anew", noted(view))
        tree = pilot.app.screen.query_one(TierTree)
        draw = tree.render_line

        def render_line(y: int) -> Strip:
            painted.add(y)
            return draw(y)

        monkeypatch.setattr(tree, "render_line", render_line)
        for n in range(4):
            engine.tell(f"edits b{n}.py", 2_000 + n, 0.02)
            await settle(pilot)
        rows = [y for y in range(tree.size.height) if "edits b3.py" in draw(y).text]
    assert read == {"TierTree"}
    assert painted == set(rows)


async def test_enter_on_what_an_agent_tells_opens_its_delegation(busy_workspace: SeededWorkspace) -> None:
    engine = Driving()
    async with opened(busy_workspace, engine=engine) as pilot:
        engine.run(7, "I1", "code-implementer", MORNING - 12_000)
        engine.tell("reads \x1b]52;c;x\x07[red]a.py[/]", 1_000, 0.01)
        await settle(pilot)
        await press(pilot, "1")
        tree = pilot.app.screen.query_one(TierTree)
        assert tree.go_to("code-implementer")
        await press(pilot, "j")
        assert "reads [red]a.py[/]" in next(line for line in lines_of(tree) if "reads" in line)
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, DelegationDetail)
        assert "code-implementer" in screen_text(pilot)


async def test_what_an_agent_cost_today_stands_where_there_is_room(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace, USUAL) as pilot:
        await press(pilot, "1")
        lines = lines_of(pilot.app.screen.query_one(TierTree))
        assert lines[0].split() == ["agent", "now", "today", "cost"]
        assert next(line for line in lines if "I1" in line).endswith("$0.21")
