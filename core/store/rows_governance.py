"""What reads of governance give out, as frozen dataclasses: conflicts, scope reviews and proposals, notices, duties."""

from __future__ import annotations

from dataclasses import dataclass

from core.contract import Json


@dataclass(frozen=True, slots=True)
class ConflictRow:
    """Two domain agents that want different things. `positions` maps an agent to the option or the words it is for;
    `outcome` is "resolved" or "escalated", as it was when the conflict came up."""

    id: int
    first: str
    second: str
    topic: str
    positions: Json
    impact: int
    tags: list[str]
    outcome: str
    winner: str | None
    rule: str
    urgency: str | None
    escalation: int | None
    work_item: int | None
    at: int
    resolved_at: int | None
    key: str
    phase: str | None
    provenance: str | None
    decided_by: str | None


@dataclass(frozen=True, slots=True)
class ScopeReviewRow:
    id: int
    at: int
    window_from: int
    requested_by: str
    package: Json


@dataclass(frozen=True, slots=True)
class ScopeProposalRow:
    """A change of authority with its evidence; undecided while `decided_at` is None."""

    id: int
    review: int | None
    agent: str
    kind: str
    change: str
    n: int
    accepted: int
    lower_bound: float | None
    hours_saved_per_week: float | None
    risk: str
    recommendation: str
    analysis: Json
    cohort: str
    payload_digest: str
    at: int
    decided_at: int | None
    decision: str | None
    decided_by: str | None
    reason: str | None
    cool_down_until: int | None
    clarification: str | None
    undone_at: int | None
    undone_by: str | None


@dataclass(frozen=True, slots=True)
class NotificationRow:
    id: int
    key: str
    channel: str
    subject: str
    body: str
    escalation: int | None
    at: int
    attempts: int
    next_try_at: int | None
    outcome: str | None
    outcome_at: int | None
    error: str | None
    urgency: str | None
    repeats: int


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    name: str
    trigger: str
    next_at: int | None
    last_at: int | None
    error: str
