"""A workspace on which documents of decisions are applied."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from core.contract import Json
from core.governance import authority, human_decisions, reversal
from core.governance.decisions import Choice, make_decision
from core.governance.escalations import Option, Question, raise_question
from core.governance.human_decisions import Applied, DecisionsRejected
from core.orchestration import work_items
from core.store import reads, reads_governance, rows
from core.store.schema import ScopeProposal
from core.store.store import Store
from core.store.transaction import Transaction

YES, NO, SAY = Option("yes", "Yes", "It goes on."), Option("no", "No", "It stays."), Option("say", "Say", "It is told.")

STOP = Option("stop", "Stop", "It ends.", ends=True)

NEVER = "security"
"""A kind of the technical agent's that has a ceiling."""


@dataclass
class Clock:
    now: int = 1_800_000_000_000

    def __call__(self) -> int:
        return self.now


@dataclass
class Desk:
    """A workspace's database, what is asked there, and the documents that are handed in."""

    store: Store
    clock: Clock

    def write(self, work: Callable[[Transaction], Any]) -> Any:
        return self.store.write_now(work)

    def ask(self, subject: Any, *, work_item: int | None = None, asks: Json | None = None) -> int:
        options = (YES, NO, Option("supply", "Supply it", "It goes on.", asks=asks or {"value": "text"}), STOP)
        asked = Question("gate", {"n": subject}, f"Well, {subject}?", "DAILY", options, "yes", ("ux",), work_item)
        return int(self.write(lambda tx: raise_question(tx, asked)))

    def request(self, title: str) -> int:
        return int(self.write(lambda tx: work_items.create(tx, title=title, type="feature")))

    def decide(self, kind: str, question: str = "Which?") -> int:
        """A decision of the technical agent's, by its authority."""
        choice = Choice("technical", kind, question, 5)
        outcome = self.write(lambda tx: make_decision(tx, choice))
        assert outcome.outcome == "decided"
        return int(outcome.decision)

    def contraction(self, kind: str) -> int:
        """A proposal to take an authority back, as a person's reversal makes one."""
        taken_back = self.decide(kind)
        self.write(lambda tx: reversal.reverse(tx, taken_back, by="bob", reason="it broke the build"))
        (found,) = self.store.read_now(lambda r: reads_governance.scope_proposals(r, undecided_only=True))
        assert (found.change, found.kind) == ("contraction", kind)
        return found.id

    def propose(self, kind: str, change: str = "expansion", recommendation: str = "approve", **more: Any) -> int:
        facts: Json = {"agent": "technical", "n": 30, "accepted": 30, "risk": "low", "payload_digest": "ab" * 32}

        def work(tx: Transaction) -> int:
            row = {**facts, "kind": kind, "change": change, "recommendation": recommendation, "at": tx.now, **more}
            number = tx.insert(ScopeProposal, **row)
            tx.event("scope.proposed", proposal=number)
            return number

        return int(self.write(work))

    def apply(self, *entries: Json, by: str = "ada", source: str = "monday.json") -> Applied:
        document = human_decisions.parse(json.dumps({"decided_by": by, "decisions": list(entries)}))
        applied: Applied = self.write(lambda tx: human_decisions.apply(tx, document, source=source))
        return applied

    def refused(self, *entries: Json, by: str = "ada") -> list[str]:
        """The problems of a document that is refused; that it changed nothing is checked here."""
        before = self.everything()
        with pytest.raises(DecisionsRejected) as refused:
            self.apply(*entries, by=by)
        assert self.everything() == before
        return [str(problem) for problem in refused.value.problems]

    def everything(self) -> list[Any]:
        """All that the journal carries: whatever changes the workspace leaves an event."""
        return [self.store.read_now(lambda r: r.sql("SELECT seq, mac FROM chain_head")), len(self.events())]

    def events(self) -> tuple[rows.EventRow, ...]:
        return self.store.read_now(lambda r: reads.events(r, limit=100_000))

    def escalation(self, number: int) -> rows.EscalationRow:
        found = self.store.read_now(lambda r: reads.escalation(r, number))
        assert found is not None
        return found

    def mode(self, kind: str, agent: str = "technical") -> str:
        found = self.store.read_now(lambda r: authority.in_force(r, agent, kind))
        assert found is not None
        return found.mode


def answer(number: int, option: str = "yes", **more: Any) -> Json:
    return {"escalation": number, "option": option, **more}


def grant(kind: str, mode: str, *, agent: str = "technical", reason: str = "so it is") -> Json:
    return {"authority": {"agent": agent, "kind": kind, "mode": mode}, "reason": reason}
