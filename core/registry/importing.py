"""From a checked catalog to the agents table: idempotent, and never against what a human granted."""

from __future__ import annotations

import hashlib
from collections.abc import Set as AbstractSet
from typing import Any

from core.contract import Json, canonical_json
from core.registry.catalog import Agent as CatalogAgent
from core.registry.catalog import Catalog
from core.store.schema import Agent, Authority, DecisionKind
from core.store.writer import Transaction

BY_FILE = "agents.yaml"
"""Who stands behind an authority that nobody but the file has given."""


def import_catalog(tx: Transaction, catalog: Catalog) -> None:
    """Bring agents, decision kinds and first authorities to what the catalog says.

    Agents and kinds that are gone become inactive and keep their history. The file speaks for an authority that
    nobody else has given: it changes its own grants, and a kind that it no longer names escalates. What a human granted
    since stays, whatever the file says.
    """
    known = {row[1]: row for row in tx.rows(Agent.select(*(Agent._meta.fields[n] for n in ("id", *_COLUMNS))))}
    changed = 0
    for agent in catalog.agents.values():
        values = _columns(agent, catalog)
        row = known.pop(agent.role, None)
        if row is None:
            tx.insert(Agent, **values)
            changed += 1
        elif tuple(values[n] for n in _COLUMNS) != tuple(row[1:]):
            tx.update(Agent, int(row[0]), **values)
            changed += 1
    for row in known.values():
        if row[1 + _COLUMNS.index("is_active")]:
            tx.update(Agent, int(row[0]), is_active=False)
            changed += 1
    own = ((a.role, a.authority) for a in catalog.agents.values() if a.authority)
    named = {(role, kind.key) for role, given in own for kind in (*given.autonomous, *given.escalate)}
    for agent in catalog.agents.values():
        changed += _import_authority(tx, agent)
    changed += _retire_kinds(tx, named)
    if changed:
        tx.event("agents.imported", digest=catalog.digest, changed=changed)


_COLUMNS = (
    "role",
    "display_name",
    "description",
    "agent_type",
    "tier",
    "phase",
    "capabilities",
    "sop_content",
    "sop_digest",
    "runtime",
    "model",
    "outward",
    "parameters",
    "origin",
    "is_active",
)


def _columns(agent: CatalogAgent, catalog: Catalog) -> Json:
    return {
        "role": agent.role,
        "display_name": agent.display_name,
        "description": agent.description,
        "agent_type": agent.type,
        "tier": agent.tier,
        "phase": agent.phase,
        "capabilities": canonical_json(list(agent.capabilities)),
        "sop_content": agent.sop,
        "sop_digest": hashlib.sha256(agent.sop.encode()).hexdigest(),
        "runtime": agent.runtime,
        "model": agent.model,
        "outward": agent.outward,
        "parameters": canonical_json({"seconds": agent.seconds, "fallback": agent.fallback}),
        "origin": catalog.path.name,
        "is_active": True,
    }


def _import_authority(tx: Transaction, agent: CatalogAgent) -> int:
    if agent.authority is None:
        return 0
    changed = 0
    for mode, kinds in (("autonomous", agent.authority.autonomous), ("escalate", agent.authority.escalate)):
        for kind in kinds:
            changed += _import_kind(tx, agent.role, kind)
            current = _in_force(tx, agent.role, kind.key)
            if current is None:
                changed += _grant(tx, agent.role, kind.key, mode, "as first imported")
            elif current != (mode, BY_FILE) and current[1] == BY_FILE:
                changed += _grant(tx, agent.role, kind.key, mode, "as the file says now")
    return changed


def _retire_kinds(tx: Transaction, named: AbstractSet[tuple[str, str]]) -> int:
    """Kinds that the file no longer names: SPEC lets a kind that no list names escalate."""
    query = DecisionKind.select(DecisionKind.id, DecisionKind.agent, DecisionKind.key).where(DecisionKind.is_active)
    gone = [row for row in tx.rows(query) if (row[1], row[2]) not in named]
    for number, agent, key in gone:
        tx.update(DecisionKind, int(number), is_active=False)
        if _in_force(tx, agent, key) == ("autonomous", BY_FILE):
            _grant(tx, agent, key, "escalate", "the file no longer names this kind")
    return len(gone)


def _in_force(tx: Transaction, agent: str, kind: str) -> tuple[str, str] | None:
    """Mode and giver of the newest grant."""
    query = Authority.select(Authority.mode, Authority.by).where((Authority.agent == agent) & (Authority.kind == kind))
    row = tx.one(query.order_by(Authority.id.desc()).limit(1))
    return None if row is None else (str(row[0]), str(row[1]))


def _grant(tx: Transaction, agent: str, kind: str, mode: str, reason: str) -> int:
    tx.insert(Authority, agent=agent, kind=kind, mode=mode, at=tx.now, by=BY_FILE, reason=reason)
    return 1


def _import_kind(tx: Transaction, agent: str, kind: Any) -> int:
    values = {
        "title": kind.title,
        "impact": kind.impact,
        "reversible": kind.reversible,
        "ceiling": kind.ceiling,
        "is_active": True,
    }
    columns = [DecisionKind._meta.fields[n] for n in ("id", *values)]
    where = (DecisionKind.agent == agent) & (DecisionKind.key == kind.key)
    row = tx.one(DecisionKind.select(*columns).where(where))
    if row is None:
        tx.insert(DecisionKind, agent=agent, key=kind.key, **values)
        return 1
    if tuple(row[1:]) != tuple(values.values()):
        tx.update(DecisionKind, int(row[0]), **values)
        return 1
    return 0
