"""A workspace's database to brief about, under a clock that stands still."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.contract import Json
from core.governance.briefing import Briefing, Section, briefing
from core.governance.conflicts import ConflictRules, WordRule
from core.governance.decisions import STANDARD_RULES
from core.governance.escalations import Option, Question, raise_question
from core.orchestration import work_items
from core.store.rows import LiveRow
from core.store.schema import Agent, ScopeProposal, WorkItem
from core.store.store import Store
from tests.fresh import fresh_store

MORNING = 1_772_443_800_000
"""2026-03-02 09:30 UTC."""
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
IDLE = LiveRow(False, None, (), ())
RULES = ConflictRules(
    STANDARD_RULES,
    (WordRule("ux-wins-user-experience", frozenset(("technical", "ux")), ("user experience",), "ux"),),
    "no-rule-decides",
)


@dataclass
class Place:
    """A workspace's database under a clock that moves only when it is told to."""

    folder: Path
    now: int = MORNING
    live: LiveRow = IDLE
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        self.store = fresh_store(self.folder, synchronous="off", clock=lambda: self.now)

    def write(self, work: Any, *, ago: int = 0) -> Any:
        self.now = MORNING - ago
        try:
            return self.store.write_now(work)
        finally:
            self.now = MORNING

    def insert(self, model: Any, **values: Any) -> Any:
        def work(tx: Any) -> Any:
            number = tx.insert(model, **values)
            tx.event("seeded")
            return number

        return self.write(work)

    def change(self, model: Any, number: int, **values: Any) -> None:
        def work(tx: Any) -> None:
            tx.update(model, number, **values)
            tx.event("seeded")

        self.write(work)

    def work_item(self, title: str, *tags: str, is_accepted: bool = True, ago: int = 0, **facts: Any) -> int:
        def work(tx: Any) -> int:
            number = work_items.create(tx, title=title, tags=tags)
            if is_accepted:
                work_items.accept(tx, number, "ada")
            return number

        number: int = self.write(work, ago=ago)
        if facts:
            self.change(WorkItem, number, **facts)
        return number

    def ask(self, question: str, urgency: str = "IMMEDIATE", *, ago: int = 0, **more: Any) -> int:
        asked = Question(
            kind=more.pop("kind", "gate"),
            subject={"question": question},
            question=question,
            urgency=urgency,
            options=(Option("yes", "Yes", ""), Option("no", "No", "")),
            recommended="yes",
            chain=more.pop("chain", ("master-orchestrator", "ac-writer")),
            **more,
        )
        number: int = self.write(lambda tx: raise_question(tx, asked), ago=ago)
        return number

    def brief(self) -> Briefing:
        return self.store.read_now(lambda r: briefing(r, MORNING, live=self.live))

    def section(self, kind: str) -> Section:
        return next(s for s in self.brief().sections if s.kind == kind)

    def items(self, kind: str) -> tuple[str, ...]:
        return self.section(kind).items


def agents(place: Place) -> None:
    kinds = {"ac-writer": "sub-agent", "evidence-writer": "utility", "technical": "domain", "ux": "domain"}
    for role, kind in kinds.items():
        place.insert(
            Agent,
            role=role,
            display_name=role,
            description="",
            agent_type=kind,
            tier=3,
            phase="D1" if kind == "sub-agent" else None,
            capabilities="[]",
            sop_content="",
            sop_digest="",
            runtime="tool",
        )


def proposal(place: Place, agent: str = "technical", **values: Any) -> int:
    usual: Json = {"kind": "caching", "change": "expansion", "risk": "low", "recommendation": "approve"}
    usual |= {"n": 24, "accepted": 23, "lower_bound": 0.798, "hours_saved_per_week": 1.5}
    number: int = place.insert(ScopeProposal, agent=agent, payload_digest="", at=MORNING, **{**usual, **values})
    return number
