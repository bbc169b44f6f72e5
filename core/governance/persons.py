"""Who may speak as a person: somebody with a name of their own, and no agent."""

from __future__ import annotations

from peewee import fn

from core.contract import UsageError
from core.registry.sources import FILE_NAME
from core.sanitise import one_line
from core.store.reads import Connection
from core.store.schema import Agent

MOST_CHARACTERS = 128
HOUSE = frozenset({"clock", "time-out", "timeout", "rule", "schedule"})
"""Who signs for apm itself."""


def named_person(reader: Connection, by: str) -> str:
    """The name, cleaned. Raises UsageError when there is none, or when it is an agent's or the team's file's.

    What counts as a person's word (answers, grants, reversals) is counted by it, so an agent must not sign.
    """
    name = one_line(by, MOST_CHARACTERS).strip()
    if not name:
        raise UsageError("Say who decides this: a name is missing.")
    plain = name.casefold()
    if plain == FILE_NAME:
        raise UsageError(f"{FILE_NAME!r} stands for the file itself; name the person who decides this.")
    if plain in HOUSE or plain.startswith("escalation "):
        raise UsageError(f"{name!r} is how apm signs what nobody decided; give a person's name.")
    if reader.one(Agent.select(Agent.id).where((Agent.role == plain) | (fn.LOWER(Agent.display_name) == plain))):
        raise UsageError(f"{name!r} is an agent; only a person decides this, so give a person's name.")
    return name
