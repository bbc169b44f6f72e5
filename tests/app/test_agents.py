"""The team: what each agent does and did, what it may decide and who said so; a change becomes a proposal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.governance import authority
from core.governance.scope.asking import propose
from core.store import reads, reads_governance
from core.store.schema import Agent
from core.store.transaction import Transaction
from tests.app.driving import SMALL, app_in, lines_of, notices, opened, press, screen_text, settle
from tests.app.seeding import (
    HOUR,
    MINUTE,
    SECOND,
    SeededWorkspace,
    seed_counter,
    seed_delegation,
    seed_project,
    seed_running,
    seed_work_item,
)
from tests.app.seeding_scope import ask, team_only
from tests.fresh import copied
from tui.screens.scope.screen import ScopeReview
from tui.screens.team.agent_text import joined
from tui.screens.team.agents import Agents, AgentView, Runs, TeamList
from tui.screens.work.detail import DelegationDetail
from tui.widgets.painted import plain


def _seed(folder: Path) -> None:
    made = team_only(folder)
    made.at(2 * HOUR, _work)
    made.at(30 * MINUTE, lambda tx: ask(tx, "ux", "navigation", "Tabs or a tree?"))
    made.close()


def _work(tx: Transaction) -> None:
    seed_project(tx, "rowdown")
    item = seed_work_item(tx, "Export reports as CSV", project=1)
    seed_delegation(tx, item, "I1", "code-implementer", subject="T1", milliseconds=38_000)
    seed_delegation(tx, item, "I1", "code-implementer", subject="T2", milliseconds=12_000, status="FAILURE")
    seed_counter(tx, "code-implementer", 41, failures=3, cost=0.0032)
    seed_running(tx, [(item, "I1", "test-implementer", "T2", 12 * SECOND)])


@pytest.fixture
def place(tmp_path: Path) -> Iterator[SeededWorkspace]:
    made = SeededWorkspace(copied(_seed, tmp_path))
    yield made
    made.close()


async def go(pilot: Any, *keys: str) -> Agents:
    app_in(pilot).action_go("agents")
    await settle(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, Agents)
    await press(pilot, *keys)
    return screen


async def go_to(pilot: Any, role: str) -> Agents:
    screen = await go(pilot)
    assert screen.query_one(TeamList).go_to(role)
    await settle(pilot)
    return screen


def text_of(screen: Agents) -> str:
    return "\n".join(plain((*p.line, *p.tail)) for p in screen.query_one(AgentView).paragraphs)


def mode(place: SeededWorkspace, kind: str) -> str:
    listed = place.store.read_now(lambda r: authority.kinds(r, "technical"))
    return next(k.mode for k in listed if k.key == kind)


async def test_everybody_stands_there_tier_by_tier(place: SeededWorkspace) -> None:
    async with opened(place) as pilot:
        screen = await go(pilot)
        rows = screen.query_one(TeamList).rows

    assert rows[0].role == "master-orchestrator"
    assert [row.agent.tier for row in rows] == sorted(row.agent.tier for row in rows)
    assert len(rows) == len(place.store.read_now(reads.agents))


async def test_a_row_says_what_it_does_and_did(place: SeededWorkspace) -> None:
    async with opened(place) as pilot:
        screen = await go(pilot, "slash", *"implementer", "enter")
        team = screen.query_one(TeamList)
        rows = [" ".join(line.strip(" ▌").split()) for line in lines_of(team)[1 : 1 + len(team.rows)]]

    assert "code-implementer · idle 3 sub-agent I1 auto 41 41 3" in rows
    assert any(row.startswith("test-implementer ● running 3 sub-agent I1") for row in rows)


@pytest.mark.parametrize(
    ("query", "roles"),
    [
        ("type:domain", ["technical", "strategy", "ux", "gtm"]),
        ("type:domain asking", ["ux"]),
        ("running phase:I1", ["test-implementer"]),
        ("nobody-of-that-name", []),
    ],
)
async def test_its_filter_is_a_query(place: SeededWorkspace, query: str, roles: list[str]) -> None:
    async with opened(place) as pilot:
        screen = await go(pilot)
        team = screen.query_one(TeamList)
        team.set_filter(query)
        await settle(pilot)

        assert [row.role for row in team.rows] == roles


async def test_a_role_is_told_with_its_work_and_its_instructions(place: SeededWorkspace) -> None:
    async with opened(place) as pilot:
        text = text_of(await go_to(pilot, "code-implementer"))

    assert "tier 3, sub-agent, phase I1" in text
    assert "implementation-gate-check judges its phase" in text
    assert "41 runs, 3 failed" in text
    assert "$0.0032" in text
    assert "Instructions" in text
    assert "It decides itself" not in text


async def test_what_runs_is_told_with_its_work_item(place: SeededWorkspace) -> None:
    async with opened(place) as pilot:
        text = text_of(await go_to(pilot, "test-implementer"))

    assert "● running" in text
    assert "#1 I1 T2, for 12s" in text


async def test_a_domain_agent_has_both_lists_with_who_granted_what(place: SeededWorkspace) -> None:
    place.at(HOUR, lambda tx: authority.grant(tx, "technical", "caching", "escalate", by="ada", reason="to see them"))
    async with opened(place) as pilot:
        text = text_of(await go_to(pilot, "technical"))

    decides, _, asks = text.partition("It decides itself  10")[2].partition("It asks a person  6")
    assert "api_endpoints" in decides
    assert "agents.yaml, 30d ago" in decides
    assert " ◆ caching           impact 4  ada, 1h ago" in asks
    assert " ◆ security          impact 9  ceiling  agents.yaml" in asks


async def test_its_documents_are_looked_for_in_the_workspace(place: SeededWorkspace) -> None:
    (place.folder / "docs").mkdir()
    (place.folder / "docs/architecture.md").write_text("# How it is made\n")
    async with opened(place) as pilot:
        text = text_of(await go_to(pilot, "technical"))

    assert "Documents" in text
    assert "docs/architecture.md" in text
    assert "missing" in text


async def test_its_delegations_open(place: SeededWorkspace) -> None:
    async with opened(place) as pilot:
        screen = await go_to(pilot, "code-implementer")
        assert [row.subject for row in screen.query_one(Runs).rows] == ["T2", "T1"]

        await press(pilot, "3", "enter")
        assert isinstance(pilot.app.screen, DelegationDetail)


async def test_enter_goes_in_and_escape_leaves(place: SeededWorkspace) -> None:
    async with opened(place) as pilot:
        await go(pilot, "enter")
        assert pilot.app.focused is not None
        assert pilot.app.focused.id == "member"

        await press(pilot, "escape")
        assert not isinstance(pilot.app.screen, Agents)


class TestAuthority:
    async def test_a_change_becomes_a_proposal_and_changes_nothing_by_itself(self, place: SeededWorkspace) -> None:
        async with opened(place) as pilot:
            await go_to(pilot, "technical")
            await press(pilot, "e", "slash", *"caching", "enter", "enter", *"stale", "enter")

            screen = pilot.app.screen
            assert isinstance(screen, ScopeReview)
            row = screen.proposals.row
            assert row is not None
            assert row.key == ("proposal", "1")
        assert mode(place, "caching") == "autonomous"
        made = place.store.read_now(lambda r: reads_governance.scope_proposal(r, 1))
        assert made is not None
        assert (made.change, made.analysis["asked_for"]) == ("contraction", {"by": "ada", "reason": "stale"})

    async def test_it_is_in_force_once_it_is_approved(self, place: SeededWorkspace) -> None:
        async with opened(place) as pilot:
            await go_to(pilot, "technical")
            await press(pilot, "e", "slash", *"caching", "enter", "enter", *"stale", "enter", "a", "y")

        assert mode(place, "caching") == "escalate"

    async def test_what_is_asked_for_already_is_told(self, place: SeededWorkspace) -> None:
        place.store.write_now(lambda tx: propose(tx, "technical", "caching", "escalate", by="bob", reason="so"))
        async with opened(place) as pilot:
            await go_to(pilot, "technical")
            await press(pilot, "e", "slash", *"caching", "enter", "enter", *"stale", "enter")

            assert notices(pilot) == ["Scope proposal 1 asks for that already; `apm scope show 1` shows it."]

    async def test_who_has_none_says_so(self, place: SeededWorkspace) -> None:
        async with opened(place) as pilot:
            await go_to(pilot, "code-implementer")
            await press(pilot, "e")

            assert notices(pilot)[-1].startswith("Only domain agents decide by authority")

    async def test_p_goes_to_the_scope_review(self, place: SeededWorkspace) -> None:
        async with opened(place) as pilot:
            await go(pilot, "p")

            assert isinstance(pilot.app.screen, ScopeReview)


async def test_who_is_no_longer_named_stands_at_the_end(place: SeededWorkspace) -> None:
    def leave(tx: Transaction) -> None:
        row = reads.agent(tx, "decomposer")
        assert row is not None
        tx.update(Agent, row.id, is_active=False)
        tx.event("agents.imported")

    place.store.write_now(leave)
    async with opened(place) as pilot:
        screen = await go(pilot, "G")

        assert "decomposer  inactive" in screen_text(pilot)
        assert "the team's files no longer name it" in text_of(screen)


async def test_without_a_team_it_says_how_to_get_one(empty_workspace: SeededWorkspace) -> None:
    async with opened(empty_workspace, SMALL) as pilot:
        await go(pilot)

        assert "apm agents import" in screen_text(pilot)


async def test_y_copies_the_agent(place: SeededWorkspace) -> None:
    async with opened(place) as pilot:
        found = (await go_to(pilot, "technical")).copied()

    assert found is not None
    assert "It decides itself" in found[0]


async def test_hostile_words_show_as_plain_text(place: SeededWorkspace) -> None:
    bad = "a\x1b]52;c;aGk=\x07[/bold]\u202e日本語 "

    def spoil(tx: Transaction) -> None:
        row = reads.agent(tx, "technical")
        assert row is not None
        tx.update(Agent, row.id, description=bad * 200, sop_content=bad * 200_000, display_name=bad)
        tx.event("agents.imported")

    place.store.write_now(spoil)
    async with opened(place) as pilot:
        screen = await go_to(pilot, "technical")
        await press(pilot, "2", "G")
        text = text_of(screen)

        assert "[/bold]" in text
        assert not {"\x1b", "\x07", "\u202e"} & set(text + screen_text(pilot))


@pytest.mark.parametrize(
    ("sop", "lines"),
    [
        ("one\ntwo", ["one two"]),
        ("one\n\ntwo", ["one", "", "two"]),
        ("- one\n  goes on\n- two", ["- one goes on", "- two"]),
        ("- one\nnot of it", ["- one", "not of it"]),
        ("1. one\n   goes on\n2. two", ["1. one goes on", "2. two"]),
        ("# Title\ntext", ["# Title", "text"]),
        ("one\n    code", ["one", "    code"]),
    ],
)
def test_lines_that_were_broken_to_fit_a_file_are_put_together(sop: str, lines: list[str]) -> None:
    assert joined(sop) == lines
