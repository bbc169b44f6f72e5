"""A store with the team that comes with apm and a clock to turn: questions are asked and answered in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from core.governance import authority, escalations, life
from core.governance.cohorts import cohort_of
from core.governance.decisions import Choice, DecisionOutcome, make_decision
from core.governance.scope import deciding
from core.governance.scope import review as reviews
from core.governance.scope.records import Record, read_record
from core.governance.team import import_catalog
from core.registry.catalog import default_path, load
from core.store import reads, reads_escalations, reads_governance
from core.store.reads import Connection
from core.store.rows import DecisionRow
from core.store.rows_governance import ScopeProposalRow
from core.store.schema import Agent, Answer
from core.store.store import Store
from core.store.transaction import Transaction
from tests.fresh import copied

T = TypeVar("T")

KIND = "external_service"
"""Of `technical`: escalates, impact 8, reversible, without a ceiling."""
OWN = "api_endpoints"
"""Of `technical`: autonomous, impact 5."""
SECOND = 1_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
START = 1_800_000_000_000

OPTIONS = tuple({"key": k, "label": k, "consequence": f"{k} is done"} for k in ("approve", "reject", "later"))


@dataclass
class Place:
    store: Store
    clock: list[int]

    @property
    def now(self) -> int:
        return self.clock[0]

    def wait(self, milliseconds: int) -> None:
        self.clock[0] += milliseconds

    def write(self, work: Callable[[Transaction], T]) -> T:
        return self.store.write_now(work)

    def read(self, work: Callable[[Connection], T]) -> T:
        return self.store.read_now(work)

    def decide(self, kind: str = KIND, agent: str = "technical", **changes: Any) -> DecisionOutcome:
        """A choice of its own, with a question that nobody has asked before."""
        number = len(self.read(lambda r: r.sql("SELECT id FROM decisions"))) + 1
        facts: dict[str, Any] = {"impact": 5, "options": OPTIONS, "recommended": "approve", **changes}
        choice = Choice(agent, kind, facts.pop("question", f"question {number}?"), **facts)
        return self.write(lambda tx: make_decision(tx, choice))

    def ask(self, kind: str = KIND, agent: str = "technical", **changes: Any) -> int:
        """The number of the escalation that asks a person."""
        outcome = self.decide(kind, agent, **changes)
        assert outcome.escalation is not None
        return outcome.escalation

    def answer(self, escalation: int, option: str = "approve", *, by: str = "ada", **more: Any) -> None:
        """How long the person was at it is not measured; `measure_attention` says it."""

        def write(tx: Transaction) -> None:
            answer_unmeasured(tx, escalation, option, by, **more)

        self.write(write)

    def undo(self, escalation: int) -> None:
        self.write(lambda tx: life.undo(tx, escalation, by="ada", reason="so"))

    def answered(
        self, accepted: int, declined: int = 0, kind: str = KIND, agent: str = "technical", *, wait: int = 0
    ) -> list[int]:
        """So many questions asked and answered, each after `wait` milliseconds; their numbers."""
        made = []
        for option in ["approve"] * accepted + ["reject"] * declined:
            made.append(self.ask(kind, agent))
            self.wait(wait)
            self.answer(made[-1], option)
        return made

    def record(self, kind: str = KIND, agent: str = "technical") -> Record:
        return self.read(lambda r: read_record(r, agent, kind, cohort_of(r, agent)))

    def review(self) -> list[ScopeProposalRow]:
        """A review now; the undecided proposals that it leaves, the oldest first."""
        self.write(lambda tx: reviews.review(tx, by="ada"))
        return self.undecided()

    def undecided(self) -> list[ScopeProposalRow]:
        return list(reversed(self.read(lambda r: reads_governance.scope_proposals(r, undecided_only=True))))

    def proposal(self, number: int) -> ScopeProposalRow:
        found = self.read(lambda r: reads_governance.scope_proposal(r, number))
        assert found is not None
        return found

    def mode(self, kind: str = KIND, agent: str = "technical") -> str:
        found = self.read(lambda r: authority.in_force(r, agent, kind))
        return found.mode if found else ""

    def grant(self, mode: authority.Mode, kind: str = KIND, agent: str = "technical") -> int:
        return self.write(lambda tx: authority.grant(tx, agent, kind, mode, by="ada", reason="as we said"))

    def decision(self, number: int) -> DecisionRow:
        found = self.read(lambda r: reads_governance.decision(r, number))
        assert found is not None
        return found

    def events(self, prefix: str) -> list[str]:
        found = self.read(lambda r: reads.events(r, limit=100_000))
        return [event.kind for event in found if event.kind.startswith(prefix)]

    def change_model(self, model: str, agent: str = "technical") -> None:
        """What another `model:` in agents.yaml comes to."""
        row = self.read(lambda r: reads.agent(r, agent))
        assert row is not None

        def change(tx: Transaction) -> None:
            tx.update(Agent, row.id, model=model)
            tx.event("agents.imported")

        self.write(change)

    def measure_attention(self, escalation: int, seconds: float) -> None:
        """What the app notes of how long a person looked at a question."""
        found = self.read(lambda r: reads_escalations.answers(r, escalation))

        def note(tx: Transaction) -> None:
            tx.update(Answer, found[-1].id, attention_seconds=seconds)
            tx.event("answer.measured")

        self.write(note)


def answer_unmeasured(tx: Transaction, escalation: int, option: str = "approve", by: str = "ada", **more: Any) -> None:
    number = escalations.resolve(tx, escalation, option=option, by=by, reason="so", **more)
    tx.update(Answer, number, attention_seconds=None)
    tx.event("answer.measured")


def opened(folder: Path) -> Place:
    """Close its store when done."""
    clock = [START]
    return Place(Store.open(copied(_bring_in_the_team, folder), clock=lambda: clock[0], synchronous="off"), clock)


def _bring_in_the_team(folder: Path) -> None:
    with Store.open(folder, clock=lambda: START) as store:
        store.write_now(lambda tx: import_catalog(tx, load(default_path())))


def earned(place: Place) -> ScopeProposalRow:
    """A proposal to widen, which the record carries."""
    place.answered(25)
    [found] = place.review()
    return found


def approve(place: Place, number: int, **more: Any) -> ScopeProposalRow:
    return place.write(lambda tx: deciding.approve(tx, number, **{"by": "ada", **more}))


def reject(place: Place, number: int, reason: str = "not yet") -> ScopeProposalRow:
    return place.write(lambda tx: deciding.reject(tx, number, by="ada", reason=reason))


def undo(place: Place, number: int) -> ScopeProposalRow:
    return place.write(lambda tx: deciding.undo(tx, number, by="eve", reason="too early"))
