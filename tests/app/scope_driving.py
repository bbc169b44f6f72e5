"""Going to the scope review, and looking at what a word there has changed."""

from __future__ import annotations

from typing import Any

from core.governance import authority
from core.governance.decisions import Choice, make_decision
from core.store import reads_governance
from core.store.rows_governance import ScopeProposalRow
from core.store.schema import DecisionKind
from tests.app.driving import app_in, press, settle
from tests.app.seeding import SeededWorkspace
from tests.app.seeding_scope import NO, YES
from tui.screens.scope.panes import ProposalView
from tui.screens.scope.screen import ScopeReview
from tui.widgets.painted import plain

SERVICE, DEPENDENCY, ICONS, CACHING, TOGETHER, WORDS, MARKET = 9, 8, 11, 12, 10, 6, 5
"""Numbers of the seeded proposals."""


async def go(pilot: Any, *keys: str) -> ScopeReview:
    app_in(pilot).action_go("scope")
    await settle(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, ScopeReview)
    await press(pilot, *keys)
    return screen


async def go_to(pilot: Any, number: int) -> ScopeReview:
    screen = await go(pilot)
    assert screen.proposals.go_to(("proposal", str(number)))
    await settle(pilot)
    return screen


async def type_in(pilot: Any, text: str) -> None:
    await press(pilot, *("space" if c == " " else c for c in text), "enter")


def proposal(place: SeededWorkspace, number: int) -> ScopeProposalRow:
    found = place.store.read_now(lambda r: reads_governance.scope_proposal(r, number))
    assert found is not None
    return found


def mode(place: SeededWorkspace, kind: str, agent: str = "technical") -> str:
    listed = place.store.read_now(lambda r: authority.kinds(r, agent))
    return next(k.mode for k in listed if k.key == kind)


def decided_by(place: SeededWorkspace, kind: str, agent: str = "technical") -> str:
    choice = Choice(agent, kind, "One more?", 5, (YES, NO), "hosted")
    return place.store.write_now(lambda tx: make_decision(tx, choice)).outcome


def file_of(place: SeededWorkspace, agent: str = "technical") -> str:
    return (place.folder / f".claude/agents/domain/{agent}.md").read_text(encoding="utf-8")


def says_it_decides(place: SeededWorkspace, kind: str, agent: str = "technical") -> bool:
    decides, _, _ = file_of(place, agent).partition("### Decide")[2].partition("### Escalate")
    return f"`{kind}`" in decides


def text_of(screen: ScopeReview) -> str:
    return "\n".join(plain((*p.line, *p.tail)) for p in screen.query_one(ProposalView).paragraphs)


def put_ceiling(tx: Any) -> None:
    [(number,)] = tx.sql("SELECT id FROM decision_kinds WHERE agent = 'technical' AND key = 'external_service'")
    tx.update(DecisionKind, number, ceiling="escalate")
    tx.event("agents.imported")
