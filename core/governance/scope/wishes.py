"""Wishes for a rule: a person accepted a recommendation, and would rather not be asked about its kind again.

A wish waits for the next scope review and ends there. It grants nothing and lowers nothing: where the record has
earned the change, that is proposed as it would have been; where not, the package says what is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from core.contract import Json, UsageError
from core.governance.decisions import DOMAIN_AGENTS
from core.governance.persons import named_person
from core.governance.scope.shortfall import shortfall
from core.governance.scope.wilson import lower_bound
from core.store import reads, reads_escalations, reads_governance
from core.store.reads import Connection
from core.store.settings import keep_setting, read_setting
from core.store.transaction import Transaction

WISHES = "scope.wishes"
"""The setting that holds the wishes which no review has taken up yet."""
MOST_QUESTIONS = 50
"""Of one wish, the newest: one standing answer among them is enough."""


@dataclass(frozen=True, slots=True)
class Wish:
    """That `agent` decides `kind` itself; `escalations` are the questions whose recommendation was accepted with it."""

    agent: str
    kind: str
    by: str
    at: int
    escalations: tuple[int, ...]

    @property
    def key(self) -> tuple[str, str]:
        return self.agent, self.kind


@dataclass(frozen=True, slots=True)
class TakenUp:
    """What a review made of a wish: the number of the proposal of it, if there is one, and what stands against it."""

    agent: str
    kind: str
    by: str
    at: int
    escalations: tuple[int, ...]
    n: int
    accepted: int
    proposal: int | None
    missing: tuple[str, ...]

    @property
    def bound(self) -> float | None:
        return lower_bound(self.accepted, self.n)

    @classmethod
    def of_json(cls, found: Json) -> TakenUp:
        values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in found.items()}
        return cls(**values)

    def to_json(self) -> Json:
        return asdict(self)


def wish(tx: Transaction, escalation: int, *, by: str) -> Wish:
    """Note that the person wants a rule for the agent and kind of this question's decision.

    It may stand before the answer in the same transaction or after it: the review looks whether the answer stands.
    Raises UsageError when `by` is no person, and when the question is no domain agent's decision of a kind.
    """
    person = named_person(tx, by)
    agent, kind = _subject(tx, escalation)
    waiting = {found.key: found for found in pending(tx)}
    before = waiting[agent, kind].escalations if (agent, kind) in waiting else ()
    asked = tuple(dict.fromkeys((*before, escalation)))[-MOST_QUESTIONS:]
    made = Wish(agent, kind, person, tx.now, asked)
    _keep(tx, [*(found for key, found in waiting.items() if key != made.key), made])
    tx.event("scope.wished", escalation=escalation, agent=agent, kind=kind, by=person)
    return made


def pending(reader: Connection) -> tuple[Wish, ...]:
    """The wishes that wait for the next review, the oldest first."""
    found: list[Any] = read_setting(reader, WISHES) or []
    return tuple(Wish(**{**entry, "escalations": tuple(entry["escalations"])}) for entry in found)


def take_up(tx: Transaction, proposals: Sequence[tuple[int, str, str]]) -> tuple[TakenUp, ...]:
    """What becomes of every wish, given the review's expansions as (number, agent, kind). The wishes end with it.

    The caller writes the event that carries it.
    """
    waiting = pending(tx)
    numbers = {(agent, kind): number for number, agent, kind in proposals}
    if waiting:
        _keep(tx, ())
    return tuple(_taken_up(tx, found, numbers.get(found.key)) for found in waiting)


def _taken_up(tx: Transaction, found: Wish, proposal: int | None) -> TakenUp:
    now = shortfall(tx, found.agent, found.kind, tx.now)
    missing = now.sentences
    if not any(_stands(tx, number) for number in found.escalations):
        missing = ("the answer that it came with does not stand any more", *missing)
    accepted = len(now.record.accepted)
    return TakenUp(
        found.agent, found.kind, found.by, found.at, found.escalations, now.record.n, accepted, proposal, missing
    )


def _stands(reader: Connection, escalation: int) -> bool:
    """Whether a person's answer as recommended is in force; of a merged question, that to the one it went into."""
    row = reads.escalation(reader, escalation)
    if row is not None and row.merged_into is not None:
        row = reads.escalation(reader, row.merged_into)
    if row is None or row.resolved_at is None:
        return False
    given = reads_escalations.answers(reader, row.id)
    return any(
        a.provenance == "human" and a.undone_at is None and not a.late and a.option == row.recommended for a in given
    )


def _subject(tx: Transaction, escalation: int) -> tuple[str, str]:
    row = reads.escalation(tx, escalation)
    if row is None:
        raise UsageError(f"There is no question {escalation}; `apm escalation list` shows those that wait.")
    asked = [d for d in reads_governance.decisions_of_escalation(tx, escalation) if d.conflict is None]
    if row.kind != "decision" or not asked or asked[0].agent not in DOMAIN_AGENTS or not asked[0].kind:
        raise UsageError(
            f"Question {escalation} is no domain agent's decision of a kind, so there is no rule to wish for; "
            "answer it without one."
        )
    return asked[0].agent, asked[0].kind


def _keep(tx: Transaction, wishes: Sequence[Wish]) -> None:
    keep_setting(tx, WISHES, [asdict(found) for found in wishes])
