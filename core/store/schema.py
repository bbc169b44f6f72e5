"""Every table, in an order in which they can be created.

Models describe and build queries; rows leave the store as frozen dataclasses, never as models.
"""

from __future__ import annotations

from peewee import Model

from core.store.tables_governance import (
    Answer,
    Briefing,
    Budget,
    Conflict,
    Decision,
    Escalation,
    Notification,
    ScopeProposal,
    ScopeReview,
    Spend,
    SpendTotal,
)
from core.store.tables_work import (
    Agent,
    Artifact,
    Authority,
    ChainHead,
    Counter,
    DecisionKind,
    Delegation,
    Event,
    Evidence,
    GateResult,
    InboxFile,
    Intent,
    Lease,
    PhaseRun,
    Project,
    Schedule,
    Setting,
    Turn,
    WorkItem,
)

NEWEST = 8
"""Number of the newest migration this code knows; a database beyond it is refused."""

TABLES: tuple[type[Model], ...] = (
    Event,
    ChainHead,
    Setting,
    Project,
    Agent,
    DecisionKind,
    Authority,
    WorkItem,
    Artifact,
    PhaseRun,
    Delegation,
    Turn,
    Intent,
    GateResult,
    Evidence,
    Escalation,
    Answer,
    Decision,
    Conflict,
    ScopeReview,
    ScopeProposal,
    Briefing,
    Notification,
    Spend,
    SpendTotal,
    Budget,
    Schedule,
    InboxFile,
    Lease,
    Counter,
)

__all__ = [
    "NEWEST",
    "TABLES",
    "Agent",
    "Answer",
    "Artifact",
    "Authority",
    "Briefing",
    "Budget",
    "ChainHead",
    "Conflict",
    "Counter",
    "Decision",
    "DecisionKind",
    "Delegation",
    "Escalation",
    "Event",
    "Evidence",
    "GateResult",
    "InboxFile",
    "Intent",
    "Lease",
    "Notification",
    "PhaseRun",
    "Project",
    "Schedule",
    "ScopeProposal",
    "ScopeReview",
    "Setting",
    "Spend",
    "SpendTotal",
    "Turn",
    "WorkItem",
]
