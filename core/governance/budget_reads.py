"""How budgets stand: what each allows, and what is used of it. Reads for whoever tells a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from core.contract import Json
from core.governance.budgets import SCOPES, WARN_AT, Limit, Spender, Spent, limit_of, spent
from core.store.reads import Connection

NOBODY = Spender(0, "", 0, "")
"""Whose the day's and the workspace's budgets are."""


class Standing(NamedTuple):
    """A budget, and what is used of it with what running calls hold."""

    limit: Limit
    used: Spent

    @property
    def scope(self) -> str:
        return self.limit.scope

    @property
    def percent(self) -> int | None:
        """Of the limit that is nearer to its end; None where nothing is limited."""
        pairs = ((self.used.dollars, self.limit.dollars), (self.used.tokens, self.limit.tokens))
        return max((int(100 * used / most) if most else 100 for used, most in pairs if most is not None), default=None)


def rules_in_force(reader: Connection) -> Json:
    """The section `defaults.budgets` of the team's files as they were brought in; empty before the first time."""
    from core.registry.importing import read_memory

    found: Json = read_memory(reader).get("sections", {}).get("defaults", {}).get("budgets") or {}
    return found


def warn_at(rules: Json) -> int:
    """Percent of a limit from which people are told."""
    return int(rules.get("warn_at", WARN_AT))


def standings(reader: Connection, spender: Spender, now: int, scopes: Sequence[str] = SCOPES) -> tuple[Standing, ...]:
    """Of the budgets that a call of the spender counts to, the narrowest first."""
    rules = rules_in_force(reader)
    return tuple(
        Standing(limit_of(reader, scope, spender, now, rules), spent(reader, scope, spender, now)) for scope in scopes
    )


def spender_of(told: Any) -> Spender | None:
    """Whose call a question about a budget is about, as its details say; None where they say no such thing."""
    if not isinstance(told, dict):
        return None
    item, phase, round_, agent = (told.get(name) for name in ("work_item", "phase", "round", "agent"))
    if not (isinstance(item, int) and isinstance(phase, str) and isinstance(round_, int) and isinstance(agent, str)):
        return None
    return Spender(item, phase, round_, agent, str(told.get("subject") or ""))
