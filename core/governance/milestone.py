"""The milestone that the team works towards: whatever carries its tag comes to a person at once."""

from __future__ import annotations

from core.contract import Json
from core.registry.importing import read_memory
from core.store.reads import Connection

USUAL: Json = {"tag": "milestone", "title": "Milestone"}
"""Before a team's file was brought in that names one."""


def read_milestone(reader: Connection) -> Json:
    """Its `tag` and `title`, as imported last."""
    found = read_memory(reader).get("sections", {}).get("defaults", {}).get("milestone")
    return dict(found or USUAL)
