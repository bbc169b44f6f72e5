"""Who may decide what: per domain agent and kind the newest grant, and nothing but the newest grant."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from core.contract import UsageError
from core.registry.sources import FILE_NAME as BY_FILE
from core.store.reads import Connection
from core.store.schema import Authority, DecisionKind
from core.store.writer import Transaction

Mode = Literal["autonomous", "escalate"]


@dataclass(frozen=True, slots=True)
class Grant:
    """An authority in force: its number, its mode, and who gave it why."""

    id: int
    mode: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of decision and the authority in force over it."""

    agent: str
    key: str
    title: str
    impact: int
    reversible: bool
    ceiling: str | None
    mode: str


def in_force(reader: Connection, agent: str, kind: str) -> Grant | None:
    """The newest grant as it holds: a kind's ceiling makes it escalate. None for a kind that neither list names."""
    found = granted(reader, agent, kind)
    if found is None or found.mode == "escalate" or not _has_ceiling(reader, agent, kind):
        return found
    return replace(found, mode="escalate")


def granted(reader: Connection, agent: str, kind: str) -> Grant | None:
    """The newest grant as it was given."""
    row = reader.one(
        Authority.select(Authority.id, Authority.mode, Authority.by, Authority.reason)
        .where((Authority.agent == agent) & (Authority.kind == kind))
        .order_by(Authority.id.desc())
        .limit(1)
    )
    return None if row is None else Grant(*row)


def _has_ceiling(reader: Connection, agent: str, kind: str) -> bool:
    query = DecisionKind.select(DecisionKind.ceiling).where((DecisionKind.agent == agent) & (DecisionKind.key == kind))
    row = reader.one(query)
    return row is not None and row[0] == "escalate"


def grant(
    tx: Transaction, agent: str, kind: str, mode: Mode, *, by: str, reason: str, proposal: int | None = None
) -> int:
    """Put a new grant in force. The ones before stay on the record.

    Raises UsageError for a giver with the file's own name: the file may take back what it gave.
    """
    if by.strip() == BY_FILE:
        raise UsageError(f"{BY_FILE!r} stands for the file itself; name the person who grants this.")
    number = record(tx, agent, kind, mode, by=by, reason=reason, proposal=proposal)
    tx.event("authority.granted", agent=agent, kind=kind, mode=mode, by=by)
    return number


def record(
    tx: Transaction, agent: str, kind: str, mode: str, *, by: str, reason: str, proposal: int | None = None
) -> int:
    """The grant's row alone; the caller writes the event that carries it."""
    return tx.insert(Authority, agent=agent, kind=kind, mode=mode, at=tx.now, by=by, reason=reason, proposal=proposal)


def kinds(reader: Connection, agent: str) -> tuple[Kind, ...]:
    """The agent's kinds with the mode in force for each."""
    found = reader.rows(
        DecisionKind.select(
            DecisionKind.agent,
            DecisionKind.key,
            DecisionKind.title,
            DecisionKind.impact,
            DecisionKind.reversible,
            DecisionKind.ceiling,
        )
        .where((DecisionKind.agent == agent) & DecisionKind.is_active)
        .order_by(DecisionKind.id)
    )
    made = []
    for row in found:
        current = in_force(reader, agent, row[1])
        made.append(Kind(row[0], row[1], row[2], row[3], bool(row[4]), row[5], current.mode if current else "escalate"))
    return tuple(made)
