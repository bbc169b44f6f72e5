"""A notice's row on its way: claimed before it is sent, settled after, each in one transaction with its event.

A claim counts the try and says when the next one is, so that a process that is killed between claim and settling loses
nothing and repeats it a few times at most, and two processes do not send the same thing at the same time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from peewee import Case, fn

from core.governance.notices import news
from core.governance.notices.channels import HOUSE
from core.governance.notices.outside import Outcome
from core.store.reads import Connection, build, select
from core.store.rows_governance import NotificationRow
from core.store.schema import Briefing, Notification
from core.store.transaction import Transaction

MINUTE_MS = 60_000
SPANS_MS = (MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 120 * MINUTE_MS)
"""From each try to the next."""
MOST_TRIES = len(SPANS_MS) + 1
OLDEST_MS = 24 * 60 * MINUTE_MS
"""A notice that waited longer than this for a channel outside the house is not sent there any more."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What one claim came to: rows to send now, and how many were settled instead, by their outcome."""

    rows: tuple[NotificationRow, ...] = ()
    suppressed: int = 0
    failed: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.rows or self.suppressed or self.failed)


@dataclass(frozen=True, slots=True)
class Result:
    """How one claimed row fared."""

    row: NotificationRow
    outcome: Outcome


@dataclass(slots=True)
class _Settled:
    """Rows of one outcome, by what is written into them."""

    kind: str
    numbers: list[int] = field(default_factory=list)

    def write(self, tx: Transaction, channel: str) -> None:
        if self.numbers:
            tx.event(f"notification.{self.kind}", channel=channel, notifications=self.numbers)


def claim(tx: Transaction, channel: str, most: int) -> Claim:
    """The next rows of a channel that are due, claimed; those that need not or cannot be sent any more are settled."""
    found = _due(tx, channel, most)
    suppressed, failed, to_send = _Settled("suppressed"), _Settled("failed"), []
    for row in found:
        if why := news.end_of(tx, row.key, row.escalation):
            _settle(tx, suppressed, row, "suppressed", why)
    suppressed.write(tx, channel)
    for row in found:
        if row.id not in suppressed.numbers and (why := _given_up(tx, row)):
            _settle(tx, failed, row, "failed", why)
    failed.write(tx, channel)
    for row in found:
        if row.id not in suppressed.numbers and row.id not in failed.numbers:
            span = SPANS_MS[min(row.attempts, len(SPANS_MS) - 1)]
            tx.update(Notification, row.id, attempts=row.attempts + 1, next_try_at=tx.now + span)
            to_send.append(row)
    if to_send:
        tx.event("notification.claimed", channel=channel, notifications=[row.id for row in to_send])
    return Claim(tuple(to_send), len(suppressed.numbers), len(failed.numbers))


def settle(tx: Transaction, channel: str, results: Sequence[Result]) -> None:
    """Write down what became of claimed rows. A row that somebody else has settled meanwhile stays as it is."""
    sent, failed, put_off = _Settled("sent"), _Settled("failed"), _Settled("put_off")
    open_rows = [result for result in results if _is_unsettled(tx, result.row.id)]
    for result in open_rows:
        if result.outcome.is_sent:
            _settle(tx, sent, result.row, "sent", None)
            _mark_briefing(tx, result.row)
    sent.write(tx, channel)
    for result in open_rows:
        if is_last(result):
            _settle(tx, failed, result.row, "failed", result.outcome.why)
    failed.write(tx, channel)
    for result in open_rows:
        if not result.outcome.is_sent and not is_last(result):
            tx.update(Notification, result.row.id, error=result.outcome.why)
            put_off.numbers.append(result.row.id)
    put_off.write(tx, channel)


def is_last(result: Result) -> bool:
    """Whether a row has failed for good."""
    return not result.outcome.is_sent and (result.outcome.final or result.row.attempts + 1 >= MOST_TRIES)


def drop(tx: Transaction, channel: str, why: str) -> int:
    """Settle as failed all that waits for a channel that is not there any more; how many rows."""
    failed = _Settled("failed")
    query = select(NotificationRow, Notification).where(_waits_for(channel))
    for row in build(NotificationRow, Notification, tx.rows(query)):
        _settle(tx, failed, row, "failed", why)
    failed.write(tx, channel)
    return len(failed.numbers)


def waiting(tx: Transaction) -> dict[str, bool]:
    """The channels for which something is still to be sent, and whether any of it is due."""
    unsettled = Notification.outcome.is_null()
    query = Notification.select(Notification.channel).distinct()
    due = {row[0] for row in tx.rows(query.where(unsettled & _is_due(tx)))}
    return {row[0]: row[0] in due for row in tx.rows(query.where(unsettled))}


def next_try_at(reader: Connection, channels: Iterable[str]) -> int | None:
    """When the first of what waits for these channels is to be sent (milliseconds); 0 for what is due at once."""
    waiting = Notification.outcome.is_null() & Notification.channel.in_(list(channels))
    if reader.one(Notification.select(Notification.id).where(waiting & Notification.next_try_at.is_null()).limit(1)):
        return 0
    row = reader.one(Notification.select(fn.MIN(Notification.next_try_at)).where(waiting))
    return None if row is None or row[0] is None else int(row[0])


def _due(tx: Transaction, channel: str, most: int) -> tuple[NotificationRow, ...]:
    """Due rows, the most urgent first."""
    rank = Case(Notification.urgency, (("IMMEDIATE", 0), ("WEEKLY", 2)), 1)
    query = select(NotificationRow, Notification).where(_waits_for(channel) & _is_due(tx))
    return build(NotificationRow, Notification, tx.rows(query.order_by(rank, Notification.id).limit(most)))


def _is_due(tx: Transaction) -> Any:
    """A row whose turn is further off than any span is due as well: the clock was put back."""
    moment = Notification.next_try_at
    return moment.is_null() | (moment <= tx.now) | (moment > tx.now + max(SPANS_MS))


def _waits_for(channel: str) -> Any:
    return Notification.outcome.is_null() & (Notification.channel == channel)


def _given_up(tx: Transaction, row: NotificationRow) -> str:
    if row.attempts >= MOST_TRIES:
        return row.error or "apm was stopped while it was being sent"
    if row.channel not in HOUSE and row.attempts == 0 and tx.now - row.at > OLDEST_MS:
        return f"it waited for its channel for more than {OLDEST_MS // (60 * MINUTE_MS)} hours"
    return ""


def _settle(tx: Transaction, settled: _Settled, row: NotificationRow, outcome: str, why: str | None) -> None:
    tx.update(Notification, row.id, outcome=outcome, outcome_at=tx.now, error=why)
    settled.numbers.append(row.id)


def _mark_briefing(tx: Transaction, row: NotificationRow) -> None:
    """A briefing counts as sent once the first of its channels has it."""
    kind, _, number = row.key.partition(":")
    if kind == news.BRIEFED and tx.one(
        Briefing.select(Briefing.id).where((Briefing.id == int(number)) & Briefing.sent_at.is_null())
    ):
        tx.update(Briefing, int(number), sent_at=tx.now)


def _is_unsettled(tx: Transaction, number: int) -> bool:
    return bool(tx.sql("SELECT 1 FROM notifications WHERE id = ? AND outcome IS NULL", (number,)))
