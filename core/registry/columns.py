"""One agent in its three shapes: as the catalog has it, as the row of the database, and as keys of the file."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from core.contract import Json, canonical_json
from core.store.rows import AgentRow

if TYPE_CHECKING:
    from core.registry.catalog import Agent
    from core.registry.schema import DecisionKind

FILE_KEYS = (
    *("display_name", "tier", "type", "phase", "description", "capabilities", "technologies", "serves", "select"),
    *("tools", "skill", "runtime", "fallback", "model", "outward", "limits", "context", "sop"),
)
"""Keys of an agent's entry whose values stand in its row, in the order in which an entry has them."""

KIND_KEYS = ("title", "impact", "reversible", "ceiling")


def agent_columns(agent: Agent, origin: str) -> Json:
    """The row that an agent of the catalog is to have."""
    parameters: Json = {"seconds": agent.seconds, "fallback": agent.fallback}
    if agent.limits:
        parameters["limits"] = dict(agent.limits)
    if agent.context:
        parameters["context"] = list(agent.context)
    return {
        "role": agent.role,
        "display_name": agent.display_name,
        "description": agent.description,
        "agent_type": agent.type,
        "tier": agent.tier,
        "phase": agent.phase,
        "capabilities": canonical_json(list(agent.capabilities)),
        "technologies": canonical_json(list(agent.technologies)),
        "serves": canonical_json(list(agent.serves)),
        "selection": canonical_json(_selection(agent)),
        "tools": canonical_json(list(agent.tools)),
        "skill": agent.skill,
        "sop_content": agent.sop,
        "sop_digest": hashlib.sha256(agent.sop.encode()).hexdigest(),
        "runtime": agent.runtime,
        "model": agent.model,
        "outward": agent.outward,
        "parameters": canonical_json(parameters),
        "origin": origin,
        "is_active": True,
    }


def kind_columns(kind: DecisionKind) -> Json:
    return {**{key: getattr(kind, key) for key in KIND_KEYS}, "is_active": True}


def file_values(agent: Agent | AgentRow) -> Json:
    """An agent under the file's keys, every default filled in: equal for equal agents, whichever side they are from."""
    if isinstance(agent, AgentRow):
        kind, sop, select, more = agent.agent_type, agent.sop_content, agent.selection, agent.parameters
    else:
        kind, sop, select = agent.type, agent.sop, _selection(agent)
        more = {"seconds": agent.seconds, "fallback": agent.fallback, "context": list(agent.context)}
        more["limits"] = dict(agent.limits)
    found: dict[str, Any] = {
        "type": kind,
        "select": select or None,
        "fallback": more.get("fallback"),
        "limits": {"seconds": more.get("seconds"), **more.get("limits", {})},
        "context": list(more.get("context", ())),
        "sop": sop,
    }
    for key in FILE_KEYS:
        if key not in found:
            found[key] = _plain(key, getattr(agent, key))
    return found


def _plain(key: str, value: Any) -> Any:
    # The database has numbers for what is true or false.
    return list(value) if isinstance(value, tuple | list) else bool(value) if key in ("skill", "outward") else value


def _selection(agent: Agent) -> Json:
    return {} if agent.select is None else agent.select.model_dump(mode="json", exclude_defaults=True)
