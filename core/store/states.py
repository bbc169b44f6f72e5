"""States, derived from facts whenever they are read. Pure functions; nothing here is stored."""

from __future__ import annotations

from typing import Protocol

WORK_ITEM_STATES = ("proposed", "ready", "running", "waiting", "released", "closed", "failed", "cancelled")
FINISHED = {"closed": "is closed", "failed": "has failed", "cancelled": "is cancelled"}
"""The states in which a work item has come to its end, each as what is said of it."""
ESCALATION_STATES = ("open", "acknowledged", "snoozed", "resolved", "withdrawn", "expired", "merged")
URGENCIES = ("IMMEDIATE", "DAILY", "WEEKLY")
"""Most urgent first."""


class WorkItemFacts(Protocol):
    @property
    def accepted_at(self) -> int | None: ...
    @property
    def released_at(self) -> int | None: ...
    @property
    def closed_at(self) -> int | None: ...
    @property
    def failed_at(self) -> int | None: ...
    @property
    def cancelled_at(self) -> int | None: ...


def work_item_state(facts: WorkItemFacts, *, questions: int, running: bool) -> str:
    """One of `WORK_ITEM_STATES`.

    `questions` is how many open escalations hold it back; `running` whether the engine drives it at this moment.
    """
    if facts.cancelled_at is not None:
        return "cancelled"
    if facts.closed_at is not None:
        return "closed"
    if facts.failed_at is not None:
        return "failed"
    if facts.accepted_at is None:
        return "proposed"
    if running:
        return "running"
    if questions:
        return "waiting"
    return "released" if facts.released_at is not None else "ready"


class EscalationFacts(Protocol):
    @property
    def resolved_at(self) -> int | None: ...
    @property
    def withdrawn_at(self) -> int | None: ...
    @property
    def expired_at(self) -> int | None: ...
    @property
    def merged_into(self) -> int | None: ...
    @property
    def snoozed_until(self) -> int | None: ...
    @property
    def acknowledged_until(self) -> int | None: ...
    @property
    def due_at(self) -> int | None: ...


def escalation_state(facts: EscalationFacts, now: int) -> str:
    """One of `ESCALATION_STATES` at the moment `now` (milliseconds)."""
    if facts.resolved_at is not None:
        return "resolved"
    if facts.merged_into is not None:
        return "merged"
    if facts.withdrawn_at is not None:
        return "withdrawn"
    if facts.expired_at is not None:
        return "expired"
    if facts.snoozed_until is not None and facts.snoozed_until > now:
        return "snoozed"
    if facts.acknowledged_until is not None and facts.acknowledged_until > now:
        return "acknowledged"
    return "open"


def is_overdue(facts: EscalationFacts, now: int) -> bool:
    """Past its due time and still unanswered, whether or not somebody has seen it."""
    answered = escalation_state(facts, now) in ("resolved", "merged", "withdrawn", "expired")
    return facts.due_at is not None and facts.due_at <= now and not answered


class AssignedFacts(EscalationFacts, Protocol):
    @property
    def assigned_to(self) -> str | None: ...


def needs_me(facts: AssignedFacts, now: int, person: str | None = None) -> bool:
    """The one predicate for "a human has to act": every count, list and section uses it.

    Of a `person` what was handed to somebody else is that one's until it is late; without one, anybody's counts.
    """
    if escalation_state(facts, now) != "open":
        return False
    return person is None or facts.assigned_to in (None, person) or is_overdue(facts, now)


def phase_status(outcome: str | None, *, questions: int, running: bool) -> str:
    """A phase's cell: its round's outcome once it has one, else what is happening to it."""
    if outcome == "passed":
        return "passed"
    if running and outcome is None:
        return "running"
    if questions:
        return "waiting"
    return outcome or "ready"
