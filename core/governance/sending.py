"""Sending a briefing: it is put on record, and delivered through the channels with whatever else waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.contract import ApmError
from core.governance.briefing import keep, notices_of
from core.governance.briefing_document import Briefing
from core.governance.notices import delivery, planning
from core.governance.notices.channels import HOUSE, Channels, read_channels
from core.store.rows_governance import NotificationRow
from core.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of it: its number on record, a notice for each channel that takes it, and why channels could not
    be used."""

    briefing: int
    notices: tuple[NotificationRow, ...]
    faults: tuple[str, ...]

    @property
    def is_failed(self) -> bool:
        """A notice that another process is sending at this moment has no outcome yet, and no error."""
        outside = [notice for notice in self.notices if notice.channel not in HOUSE]
        return bool(self.faults) or any(n.outcome == "failed" or (n.error and n.outcome is None) for n in outside)


async def send(store: delivery.Writes, state: Path, found: Briefing, console: Callable[[str], None]) -> Sent:
    """Keep the briefing and have it delivered; `console` takes a line for each notice."""
    channels = await asyncio.to_thread(known_channels, state)

    def work(tx: Transaction) -> int:
        # Channels that are new take their place first: they hear of what comes afterwards.
        planning.plan(tx, channels)
        return keep(tx, found, send=True)

    number = await store.write(work)
    delivered = await delivery.deliver(store, state, console)
    notices = await store.read(lambda reader: notices_of(reader, number))
    return Sent(number, notices, delivered.faults)


def known_channels(state: Path) -> Channels | None:
    """None while the channels' file cannot be read: the delivery meets the same fault, and is what tells it."""
    try:
        return read_channels(state)
    except ApmError:
        return None
