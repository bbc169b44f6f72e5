"""What reads give out: frozen dataclasses with plain values. JSON columns arrive decoded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.contract import Json


@dataclass(frozen=True, slots=True)
class ProjectRow:
    id: int
    name: str
    path: str
    target: str
    tech: Json
    settings: Json
    thresholds: Json
    created_at: int
    removed_at: int | None


@dataclass(frozen=True, slots=True)
class AgentRow:
    id: int
    role: str
    display_name: str
    description: str
    agent_type: str
    tier: int
    phase: str | None
    capabilities: list[str]
    sop_content: str
    sop_digest: str
    runtime: str
    model: str | None
    outward: bool
    parameters: Json
    is_active: bool
    technologies: list[str]
    serves: list[str]
    selection: Json
    tools: list[str]
    skill: bool
    origin: str
    file_path: str | None
    generated_at: int | None


@dataclass(frozen=True, slots=True)
class CounterRow:
    """Totals of an agent: runs, failures, time, tokens and dollars over some days, and when it last ran."""

    agent: str
    runs: int
    failures: int
    milliseconds: int
    tokens: int
    cost: float
    last_at: int


@dataclass(frozen=True, slots=True)
class WorkItemFactsRow:
    """The stored facts of a work item."""

    id: int
    project: int | None
    title: str
    type: str
    tags: list[str]
    impact: int | None
    origin: str
    parent: int | None
    created_at: int
    accepted_at: int | None
    started_at: int | None
    paused_at: int | None
    released_at: int | None
    closed_at: int | None
    failed_at: int | None
    cancelled_at: int | None
    branch: str | None
    base_commit: str | None
    until: str | None

    @property
    def is_over(self) -> bool:
        return any(at is not None for at in (self.cancelled_at, self.closed_at, self.failed_at))


@dataclass(frozen=True, slots=True)
class PhaseCell:
    """A phase of a work item as one cell: `status` is "" (not reached), ready, running, waiting, passed, blocked,
    sent_back, failed or void; `milliseconds` is None until the round has ended."""

    phase: str
    status: str
    round: int
    started_at: int | None
    milliseconds: int | None


@dataclass(frozen=True, slots=True)
class WorkItemRow:
    """A work item for a list: facts, derived state, and a cell for each of the six phases."""

    facts: WorkItemFactsRow
    project: str | None
    state: str
    phase: str | None
    questions: int
    cells: tuple[PhaseCell, ...]
    rests_until: int | None = None
    """When the provider of models that it waits for is tried again."""

    @property
    def id(self) -> int:
        return self.facts.id

    @property
    def title(self) -> str:
        return self.facts.title

    @property
    def type(self) -> str:
        return self.facts.type

    @property
    def is_held(self) -> bool:
        """Paused, or past the phase that it was to stop after: a person has to let it go on."""
        until = self.facts.until
        return self.facts.paused_at is not None or any(c.phase == until and c.status == "passed" for c in self.cells)


@dataclass(frozen=True, slots=True)
class ArtifactRow:
    id: int
    work_item: int
    type: str
    digest: str
    parent: str | None
    producer: str
    at: int


@dataclass(frozen=True, slots=True)
class PhaseRunRow:
    id: int
    work_item: int
    phase: str
    round: int
    input_digest: str
    started_at: int
    ended_at: int | None
    outcome: str | None
    missing: list[Any]


@dataclass(frozen=True, slots=True)
class DelegationRow:
    id: int
    work_item: int
    phase: str
    round: int
    agent: str
    subject: str
    status: str
    runtime: str
    request_digest: str
    at: int
    milliseconds: int
    event: int


@dataclass(frozen=True, slots=True)
class GateResultRow:
    id: int
    work_item: int
    phase: str
    round: int
    passed: bool
    criteria: list[Json]
    missing: list[str]
    suggested_action: str
    judged: Json
    at: int


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    id: int
    work_item: int | None
    delegation: int | None
    agent: str
    command: list[str]
    cwd: str
    exit_code: int | None
    output_digest: str
    output_tail: str
    tool: str
    tool_version: str
    note: str
    timed_out: bool
    at: int
    milliseconds: int


@dataclass(frozen=True, slots=True)
class EscalationRow:
    """A question; its state comes from `core.store.states`. `options` are {key, label, consequence}."""

    id: int
    kind: str
    key: str
    question: str
    details: Json
    urgency: str
    work_item: int | None
    phase: str | None
    round: int | None
    blocks: str
    chain: list[str]
    missing: list[str]
    options: list[Json]
    recommended: str | None
    payload_digest: str
    count: int
    raised_at: int
    last_raised_at: int
    due_at: int | None
    acknowledged_at: int | None
    acknowledged_until: int | None
    acknowledged_by: str | None
    snoozed_until: int | None
    assigned_to: str | None
    merged_into: int | None
    resolved_at: int | None
    withdrawn_at: int | None
    expired_at: int | None
    reminders: int
    reminded_at: int | None
    next_at: int | None
    expires_at: int | None
    breaches: int
    note: str
    title: str = field(default="", metadata={"column": False})
    """Of its work item, where it was read for somebody to look at (`reads_escalations.titled`)."""


@dataclass(frozen=True, slots=True)
class AnswerRow:
    id: int
    escalation: int
    option: str
    answer: Any
    reason: str
    by: str
    provenance: str
    late: bool
    at: int
    undone_at: int | None
    undone_by: str | None
    undo_reason: str | None
    payload_digest: str
    seconds_to_answer: float | None
    attention_seconds: float | None


@dataclass(frozen=True, slots=True)
class DecisionRow:
    id: int
    agent: str
    kind: str
    question: str
    choice: str | None
    options: list[Json]
    recommended: str | None
    impact: int
    tags: list[str]
    outcome: str
    rule: str
    provenance: str | None
    escalation: int | None
    work_item: int | None
    phase: str | None
    at: int
    decided_at: int | None
    authority: int | None
    cohort: str
    context: Json
    reverted_at: int | None
    reverted_by: str | None
    revert_reason: str | None
    topic: str
    conflict: int | None
    reverses: int | None
    reason: str
    decided_by: str | None


@dataclass(frozen=True, slots=True)
class EventRow:
    seq: int
    at: int
    kind: str
    work_item: int | None
    payload: Json


@dataclass(frozen=True, slots=True)
class LiveRow:
    """What runs at this moment, as the lease's holder says: work item ids, and running delegations
    {"work_item", "phase", "agent", "subject", "since"}. `is_driven` is False when nobody holds a fresh lease.
    `resting` are work items that wait for a provider of models, each with the moment at which it is tried again."""

    is_driven: bool
    pid: int | None
    work_items: tuple[int, ...]
    delegations: tuple[Json, ...]
    resting: Mapping[int, int] = field(default_factory=dict)
