"""Channels that have been known for a while, and what is planned for them."""

from __future__ import annotations

from core.governance.notices import planning
from core.governance.notices.channels import Channel, Channels
from core.store.store import Store
from tests.unit.notice_place import rows

MAIL = Channel("mail", "mailto://ada:s3cr3t-p4ssw0rd@example.org")

URGENT = Channel("urgent", "json://h", urgencies=("IMMEDIATE",), what=("questions",))

CHANNELS = Channels((MAIL, URGENT))


def plan(store: Store, channels: Channels | None = CHANNELS) -> int:
    """Plan all that is new, as many transactions as that takes; how many rows are to be sent."""
    queued = 0
    while True:
        planned = store.write_now(lambda tx: planning.plan_some(tx, channels))
        queued += planned.queued
        if planned.is_done:
            return queued


def told(store: Store, channel: str = "mail") -> list[str]:
    return [row.subject for row in rows(store, channel) if row.outcome != "suppressed"]
