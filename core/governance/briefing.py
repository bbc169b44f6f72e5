"""The day's status, made by code from the database. No model is involved, and nothing is said that was not counted."""

from __future__ import annotations

import json

from core.contract import canonical_json
from core.governance import briefing_questions, briefing_work
from core.governance.briefing_document import Briefing, Item, Section
from core.governance.milestone import read_milestone
from core.governance.notices.news import key_of
from core.store import reads, rows
from core.store.reads import Connection, build, select
from core.store.rows_governance import NotificationRow
from core.store.schema import Briefing as BriefingTable
from core.store.schema import Notification
from core.store.transaction import Transaction

__all__ = ["Briefing", "Item", "Section", "briefing", "keep", "kept", "notices_of"]

MADE = "briefing.made"
"""The event of one that was put on record."""


def briefing(
    reader: Connection, now: int, *, milestone: str | None = None, live: rows.LiveRow | None = None
) -> Briefing:
    """The six sections. Readings say "now", sums say their window.

    `milestone` is the title to give it, where it is not to be the team's; `live` what runs, where the caller knows
    better than the lease.
    """
    found = read_milestone(reader)
    running = live or reads.read_live(reader, now)
    return Briefing(
        now,
        (
            briefing_questions.urgent(reader, now),
            briefing_work.milestone(reader, now, running, tag=found["tag"], title=milestone or found["title"]),
            briefing_questions.pending(reader, now),
            briefing_work.teams(reader, now, running),
            briefing_questions.conflicts(reader, now),
            briefing_questions.scope(reader),
        ),
    )


def keep(tx: Transaction, found: Briefing, *, send: bool) -> int:
    """Put it on record; its number. With `send` its event asks for it to be sent through the channels."""
    number = tx.insert(BriefingTable, at=found.at, date=found.date, content=canonical_json(found.to_json()))
    tx.event(MADE, briefing=number, send=send)
    return number


def kept(reader: Connection, number: int) -> Briefing | None:
    """One that is on record."""
    row = reader.one(BriefingTable.select(BriefingTable.content, BriefingTable.at).where(BriefingTable.id == number))
    return None if row is None else Briefing.from_json(json.loads(row[0]), int(row[1]))


def notices_of(reader: Connection, number: int) -> tuple[NotificationRow, ...]:
    """The notices by which it is sent, one for each channel that takes it; none before they are planned."""
    query = select(NotificationRow, Notification).where(Notification.key == key_of(MADE, number))
    return build(NotificationRow, Notification, reader.rows(query.order_by(Notification.id)))
