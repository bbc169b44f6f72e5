"""A workspace's store with a clock that a test sets, and questions in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from core.governance import clock, escalations, life
from core.governance.decisions import Choice, make_decision
from core.governance.escalations import Option, Question
from core.store import reads, reads_escalations, reads_governance, rows, states
from core.store.schema import Event
from core.store.store import Reader, Store
from core.store.transaction import Transaction
from tests.fresh import fresh_store

T = TypeVar("T")

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
YEAR = 365 * DAY
START = 1_800_000_000_000

OPTIONS = (
    Option("go", "Go on", "It goes on."),
    Option("wait", "Wait", "It waits."),
    Option("stop", "Stop", "It ends.", ends=True),
)


class Clock:
    def __init__(self, now: int = START) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


def question(**changes: Any) -> Question:
    facts: dict[str, Any] = {
        "kind": "gate",
        "subject": {"n": 1},
        "question": "Go on?",
        "urgency": "DAILY",
        "options": OPTIONS,
        "recommended": "go",
        "chain": ("master-orchestrator", "definition-orch"),
    }
    return Question(**{**facts, **changes})


class Place:
    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, Clock()
        self.store = fresh_store(folder, clock=self.clock, synchronous="off")

    def reopen(self) -> None:
        self.store.close()
        self.store = Store.open(self.folder, clock=self.clock, synchronous="off")

    def write(self, work: Callable[[Transaction], T]) -> T:
        return self.store.write_now(work)

    def read(self, work: Callable[[Reader], T]) -> T:
        return self.store.read_now(work)

    def later(self, milliseconds: int) -> None:
        self.clock.now += milliseconds

    def sweep(self, limit: int = 500) -> int:
        return self.write(lambda tx: clock.sweep(tx, limit))

    def ask(self, n: int = 1, **changes: Any) -> int:
        return self.write(lambda tx: escalations.raise_question(tx, question(**{"subject": {"n": n}, **changes})))

    def answer(self, number: int, option: str = "go", **given: Any) -> int:
        told = {"by": "ada", "reason": "because", **given}
        return self.write(lambda tx: escalations.resolve(tx, number, option=option, **told))

    def row(self, number: int) -> rows.EscalationRow:
        found = self.read(lambda r: reads.escalation(r, number))
        assert found is not None
        return found

    def state(self, number: int) -> str:
        return states.escalation_state(self.row(number), self.clock.now)

    def answers(self, number: int) -> tuple[rows.AnswerRow, ...]:
        return self.read(lambda r: reads_escalations.answers(r, number))

    def told(self, number: int) -> list[str]:
        """What has happened to a question, without the prefix that all its events have."""
        return [kind for kind, _ in self.events(number)]

    def events(self, number: int) -> list[tuple[str, dict[str, Any]]]:
        kinds = Event.kind.startswith("escalation.")
        query = Event.select(Event.seq).where(kinds).order_by(Event.seq)
        sequence = [seq for (seq,) in self.read(lambda r: r.rows(query))]
        found = self.read(lambda r: [e for s in sequence for e in reads.events(r, after=s - 1, limit=1)])
        return [(e.kind.removeprefix("escalation."), e.payload) for e in found if e.payload["escalation"] == number]


def merge(place: Place, *numbers: int, into: int) -> None:
    place.write(lambda tx: life.merge(tx, numbers, into=into, by="ada"))


def escalated_decision(tx: Transaction, question: str) -> tuple[int, int]:
    made = make_decision(tx, Choice("technical", "naming", question, 3))
    assert made.escalation is not None
    return made.decision, made.escalation


def chosen(place: Place, decision: int) -> tuple[str | None, str | None, str | None]:
    found = place.read(lambda r: reads_governance.decision(r, decision))
    assert found is not None
    return found.choice, found.provenance, found.decided_by
