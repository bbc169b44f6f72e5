"""Whose record a decision belongs to: the same role with another runtime, model or SOP is another decider."""

from __future__ import annotations

from core.contract import digest_of
from core.store import reads
from core.store.reads import Connection


def cohort_of(reader: Connection, agent: str) -> str:
    """A digest of the agent's runtime, model and SOP as they are now; "" for a role that nobody has."""
    row = reads.agent(reader, agent)
    if row is None:
        return ""
    return digest_of({"runtime": row.runtime, "model": row.model, "sop": row.sop_digest})
