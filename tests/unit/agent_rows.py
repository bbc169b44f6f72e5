"""Rows of the agents table, as a test wants them."""

from __future__ import annotations

from typing import Any

from core.store.rows import AgentRow


def agent_row(role: str, **values: Any) -> AgentRow:
    """A specialist of that role with these values, and nothing else said of it."""
    own: dict[str, Any] = dict.fromkeys(AgentRow.__slots__)
    own |= {"role": role, "display_name": role.title(), "description": "", "agent_type": "specialist", "tier": 3}
    own |= {"capabilities": [], "technologies": [], "serves": [], "selection": {}, "tools": [], "runtime": "offline"}
    return AgentRow(**(own | values))
