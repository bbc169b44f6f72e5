"""A delegation that runs at this moment as a row beside those on record."""

from __future__ import annotations

from core.store.rows import DelegationRow


def running_row(
    work_item: int, phase: str, agent: str, subject: str, *, at: int = 0, milliseconds: int = 0
) -> DelegationRow:
    """It has no number, no round and no event yet."""
    return DelegationRow(
        id=0,
        work_item=work_item,
        phase=phase,
        round=0,
        agent=agent,
        subject=subject,
        status="RUNNING",
        runtime="",
        request_digest="",
        at=at,
        milliseconds=milliseconds,
        event=0,
    )
