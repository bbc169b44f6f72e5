"""When too much comes up at once, a channel is told of the first few, and then of how many more there are.

What is IMMEDIATE has a measure of its own, so that no flood of other notices holds it back. Whether a channel is in a
flood is read from its digests; what they stand for are the rows that were suppressed after them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.governance.notices import wording
from core.governance.notices.channels import CONSOLE, FILE
from core.governance.notices.wording import Notice
from core.store.reads import Connection
from core.store.schema import Notification
from core.store.transaction import Transaction

MINUTE_MS = 60_000
WINDOW_MS = 10 * MINUTE_MS
GATHER_MS = MINUTE_MS
"""How long a flood's first digest waits for what else belongs to it."""

MOST_IN_WINDOW = 10
HOUSE_LIMITS: Mapping[str, int | None] = {CONSOLE: 50, FILE: None}
"""Notices of one class and window that a channel of the house is told of; the file has no limit."""

MEASURED = ("questions", "reminders", "decisions")
"""What comes up as often as agents and files make it. Briefings and reviews come by schedule, and are always told."""

HELD_BACK = "too many notices at once; a digest tells how many"

IMMEDIATE, OTHER = "IMMEDIATE", "other"
CLASSES = (IMMEDIATE, OTHER)

_DIGEST = "digest"
_LOOKED_AT = 5_000
"""Rows, the newest first, among which a channel's last ten minutes are looked for."""


@dataclass(frozen=True, slots=True)
class Sifted:
    """What a channel is told of, and what only its digest counts."""

    told: tuple[Notice, ...]
    held_back: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest's row. It can grow while nobody has tried to send it."""

    id: int
    at: int
    count: int
    can_grow: bool
    outcome_at: int | None


def class_of(urgency: str | None) -> str:
    return IMMEDIATE if urgency == IMMEDIATE else OTHER


def is_digest(key: str) -> bool:
    return key.startswith(f"{_DIGEST}:")


def limit_of(channel: str) -> int | None:
    return HOUSE_LIMITS.get(channel, MOST_IN_WINDOW)


def sift(tx: Transaction, channel: str, notices: Sequence[Notice]) -> Sifted:
    """The notices that fit into the channel's window, in their order, and those that do not."""
    limit = limit_of(channel)
    if limit is None:
        return Sifted(tuple(notices), ())
    left = {name: _left(tx, channel, name, limit) for name in CLASSES} if notices else {}
    told, held_back = [], []
    for notice in notices:
        name = class_of(notice.urgency)
        if notice.what not in MEASURED or left[name] > 0:
            left[name] -= notice.what in MEASURED
            told.append(notice)
        else:
            held_back.append(notice)
    return Sifted(tuple(told), tuple(held_back))


def _left(tx: Transaction, channel: str, name: str, limit: int) -> int:
    digest = newest_digest(tx, channel, name)
    if digest is not None and _is_recent(digest.at, tx.now):
        return 0
    columns = (Notification.channel, Notification.key, Notification.urgency, Notification.outcome, Notification.at)
    told = 0
    for row in tx.rows(Notification.select(*columns).order_by(Notification.id.desc()).limit(_LOOKED_AT)):
        where, key, urgency, outcome, at = row
        if at <= tx.now - WINDOW_MS:
            break
        is_one = where == channel and class_of(urgency) == name and outcome != "suppressed" and not is_digest(key)
        told += is_one and _is_recent(at, tx.now)
    return limit - told


def _is_recent(at: int, now: int) -> bool:
    # A clock that was put back leaves rows of the future behind, which say nothing of now.
    return now - WINDOW_MS < at <= now


def newest_digest(reader: Connection, channel: str, name: str) -> Digest | None:
    columns: Sequence[Any] = (Notification.id, Notification.at, Notification.repeats, Notification.attempts)
    prefix = f"{_DIGEST}:{name}:"
    is_digest = (Notification.key > prefix) & (Notification.key < prefix + ":") & (Notification.channel == channel)
    query = Notification.select(*columns, Notification.outcome, Notification.outcome_at).where(is_digest)
    row = reader.one(query.order_by(Notification.id.desc()).limit(1))
    if row is None:
        return None
    number, at, count, attempts, outcome, outcome_at = row
    return Digest(number, at, count, attempts == 0 and outcome is None, outcome_at)


def digest_for(tx: Transaction, channel: str, name: str) -> Digest:
    """The digest that takes what is held back now: the one that waits, or a new one, one window after the last."""
    last = newest_digest(tx, channel, name)
    if last is not None and last.can_grow:
        return last
    earliest = tx.now + GATHER_MS
    if last is not None and _is_recent(last.at, tx.now):
        earliest = max(earliest, (last.outcome_at or tx.now) + WINDOW_MS)
    number = tx.insert(
        Notification,
        key=f"{_DIGEST}:{name}:{tx.next_seq:012d}",
        channel=channel,
        subject="",
        body="",
        at=tx.now,
        next_try_at=earliest,
        urgency=IMMEDIATE if name == IMMEDIATE else None,
    )
    return Digest(number, tx.now, 0, True, None)


def fill(tx: Transaction, digest: Digest, channel: str, name: str, added: int) -> None:
    """Make a digest tell of `added` more, which are rows by now as far as they are rows at all."""
    count = digest.count + added
    urgency = Notification.urgency == IMMEDIATE if name == IMMEDIATE else _is_other()
    held = (
        (Notification.channel == channel) & (Notification.outcome == "suppressed") & (Notification.error == HELD_BACK)
    )
    query = Notification.select(Notification.subject).where((Notification.id > digest.id) & held & urgency)
    lines = [str(row[0]) for row in tx.rows(query.order_by(Notification.id).limit(wording.MOST_LINES))]
    what = "IMMEDIATE question" if name == IMMEDIATE else "notice"
    head = f"{count:,} more {what}{'' if count == 1 else 's'}"
    why = f"So much came up at once that this channel was told of the first {limit_of(channel)} only. Held back were:"
    tx.update(
        Notification,
        digest.id,
        repeats=count,
        subject=wording.subject(f"{head} {'waits' if count == 1 else 'wait'}"),
        body=wording.body([why, wording.bullets(lines, count), "See what waits: apm escalation list"]),
    )


def _is_other() -> Any:
    return Notification.urgency.is_null() | (Notification.urgency != IMMEDIATE)
