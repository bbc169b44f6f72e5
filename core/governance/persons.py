"""Who may speak as a person: somebody with a name of their own, and no agent."""

from __future__ import annotations

from core.contract import UsageError
from core.registry.sources import FILE_NAME
from core.sanitise import one_line
from core.store import reads
from core.store.reads import Connection

MOST_CHARACTERS = 128


def named_person(reader: Connection, by: str) -> str:
    """The name, cleaned. Raises UsageError when there is none, or when it is an agent's or the team's file's.

    What counts as a person's word (answers, grants, reversals) is counted by it, so an agent must not sign.
    """
    name = one_line(by, MOST_CHARACTERS).strip()
    if not name:
        raise UsageError("Say who decides this: a name is missing.")
    if name == FILE_NAME:
        raise UsageError(f"{FILE_NAME!r} stands for the file itself; name the person who decides this.")
    if reads.agent(reader, name) is not None:
        raise UsageError(f"{name!r} is an agent; only a person decides this, so give a person's name.")
    return name
