"""From the journal to notices: each event that is worth telling becomes a row for every channel that takes it.

The events are read from a cursor that moves in the same transaction, and a notice has one row per channel (its key and
the channel are unique), so that nothing is told twice, whoever plans and however often. A channel that is new hears of
what still waits, and of no history.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from peewee import Case, fn

from core.contract import Json, digest_of
from core.governance.notices import floods, news, wording
from core.governance.notices.channels import HOUSE, SUBJECTS, Channels
from core.governance.notices.news import RAISED, RAISED_AGAIN, News
from core.governance.notices.wording import Notice
from core.store import reads, states
from core.store.reads import Connection
from core.store.schema import Escalation, Notification
from core.store.settings import keep_setting, read_setting
from core.store.transaction import Transaction

CURSOR, CHANNELS = "notices.cursor", "notices.channels"
_BEGAN_SQL = """SELECT MAX("seq") FROM "events" WHERE "work_item" IS NULL AND "kind" = 'engine.started'"""
"""Settings: the last event that was looked at, and the channels' names with what each takes. Never a URL."""

MOST_NEWS = 1_000
"""Events of one transaction."""
MOST_NOTICES = 100
"""Of one transaction, and of what waits when a channel is new: others want to write too."""
MOST_UNREAD = 200
"""Events without news that the cursor may stay behind: each move of it is an event too."""
DAY_MS = 86_400_000
TOLD_BY_ANOTHER = "a newer notice tells of the same question"


@dataclass(frozen=True, slots=True)
class Taker:
    """A channel as the database knows it: its name and what it takes."""

    name: str
    urgencies: tuple[str, ...]
    what: tuple[str, ...]

    def takes(self, notice: Notice) -> bool:
        return notice.what in self.what and (notice.urgency is None or notice.urgency in self.urgencies)

    def to_json(self) -> Json:
        return {"name": self.name, "urgencies": list(self.urgencies), "what": list(self.what)}


HOUSE_TAKERS = tuple(Taker(name, states.URGENCIES, tuple(SUBJECTS)) for name in HOUSE)


@dataclass(frozen=True, slots=True)
class Planned:
    """Rows that are to be sent, rows that are not, and whether everything was looked at."""

    queued: int = 0
    suppressed: int = 0
    is_done: bool = True

    def __add__(self, other: Planned) -> Planned:
        return Planned(self.queued + other.queued, self.suppressed + other.suppressed, self.is_done and other.is_done)


def plan(tx: Transaction, channels: Channels | None = None) -> int:
    """Queue a notice for each event that came since the last time; how many rows are to be sent.

    It does as much as one transaction should do: the next call, or a delivery, goes on. Without `channels` those count
    that were known at the last delivery; before the first one nothing is queued, and `delivery.deliver` plans by
    itself once it has read the channels' file, for which a transaction has no time.
    """
    if channels is None and _known(tx) is None:
        return 0
    return plan_some(tx, channels).queued


def plan_some(tx: Transaction, channels: Channels | None = None) -> Planned:
    """As `plan`, saying whether there is more. Without `channels` the house is told before any channel is known."""
    known = _known(tx)
    takers = known if channels is None and known is not None else _takers(channels or Channels())
    planned = Planned()
    if takers != known:
        names = {taker.name for taker in known or ()}
        for taker in takers:
            if taker.name not in names:
                planned += _tell_what_waits(tx, taker)
        keep_setting(tx, CHANNELS, [taker.to_json() for taker in takers])
        tx.event("notification.channels", channels=[taker.name for taker in takers], queued=planned.queued)
    return planned + _tell_news(tx, takers)


def tell_fault(tx: Transaction, fault: str) -> None:
    """Tell the house that a channel cannot be used; once a day, however often it is found. `fault` holds no secret."""
    key = f"fault:{tx.now // DAY_MS}:{digest_of(fault)[:32]}"
    subject = wording.subject(f"A notification channel cannot be used: {fault}")
    notice = Notice(key, "decisions", subject, wording.fault_body(fault))
    queued = sum(_queue(tx, taker.name, notice) for taker in HOUSE_TAKERS if not _is_queued(tx, taker.name, key))
    if queued:
        tx.event("notification.queued", queued=queued, suppressed=0)


def _tell_news(tx: Transaction, takers: Sequence[Taker]) -> Planned:
    """Tell what came since the cursor; without a cursor what came since whoever drives began, else from now on."""
    cursor = read_setting(tx, CURSOR)
    if cursor is None:
        cursor = tx.sql(_BEGAN_SQL)[0][0] or tx.next_seq
        keep_setting(tx, CURSOR, cursor)
        tx.event("notification.begun")
    found = news.read_news(tx, int(cursor), MOST_NEWS)
    notices, again, looked_at = _notices(tx, found)
    planned = Planned(is_done=looked_at == len(found) < MOST_NEWS)
    for taker in takers:
        planned += _tell(tx, taker, notices)
    counted = _count_repeats(tx, again)
    last = tx.seq if planned.is_done else found[looked_at - 1].seq
    if planned.queued or planned.suppressed or counted or last - int(cursor) > MOST_UNREAD or not planned.is_done:
        # The event that says so is the next one, and is no news itself.
        keep_setting(tx, CURSOR, tx.next_seq if planned.is_done else last)
        tx.event("notification.queued", queued=planned.queued, suppressed=planned.suppressed)
    return planned


def _notices(tx: Transaction, found: Sequence[News]) -> tuple[list[Notice], set[int], int]:
    """The notices of the first of these events, the questions that were raised again, how many were looked at."""
    notices: dict[str, Notice] = {}
    again: set[int] = set()
    for looked_at, item in enumerate(found):
        if len(notices) >= MOST_NOTICES:
            return _newest(notices.values()), again, looked_at
        if item.kind == RAISED_AGAIN:
            again.add(int(item.facts["escalation"]))
        notice = news.notice_of(tx, item)
        if notice is not None:
            notices.setdefault(notice.key, notice)
    return _newest(notices.values()), again, len(found)


def _newest(notices: Iterable[Notice]) -> list[Notice]:
    """The notices, where several say the same kind of thing of one question all but the last of them moot."""
    found = list(notices)
    last = {(n.escalation, n.what): n.key for n in found}
    is_elder = (n.escalation is not None and n.key != last[n.escalation, n.what] for n in found)
    return [
        replace(n, moot=n.moot or TOLD_BY_ANOTHER) if elder else n for n, elder in zip(found, is_elder, strict=True)
    ]


def _tell_what_waits(tx: Transaction, taker: Taker) -> Planned:
    """A channel that is new hears of the most urgent questions that wait, and of how many more there are."""
    waiting = (
        reads.is_open()
        & Escalation.urgency.in_(taker.urgencies)
        & (Escalation.snoozed_until.is_null() | (Escalation.snoozed_until <= tx.now))
        & (Escalation.acknowledged_until.is_null() | (Escalation.acknowledged_until <= tx.now))
    )
    if "questions" not in taker.what:
        return Planned()
    rank = Case(Escalation.urgency, tuple((urgency, n) for n, urgency in enumerate(states.URGENCIES)), 9)
    query = Escalation.select(Escalation.id).where(waiting).order_by(rank, Escalation.due_at, Escalation.id)
    numbers = [int(row[0]) for row in tx.rows(query.limit(MOST_NOTICES))]
    notices = [news.question_notice(tx, RAISED, number) for number in numbers]
    counted = tx.one(Escalation.select(fn.COUNT(Escalation.id)).where(waiting)) or (0,)
    return _tell(tx, taker, [n for n in notices if n is not None], uncounted=int(counted[0]) - len(numbers))


def _tell(tx: Transaction, taker: Taker, notices: Sequence[Notice], *, uncounted: int = 0) -> Planned:
    """Queue what a channel takes of these. `uncounted` are further ones, for which there are no rows but a digest."""
    wanted = [n for n in notices if taker.takes(n) and not _is_queued(tx, taker.name, n.key)]
    for notice in wanted:
        if notice.moot:
            _queue(tx, taker.name, notice, suppressed=notice.moot)
    sifted = floods.sift(tx, taker.name, [n for n in wanted if not n.moot])
    queued = sum(_queue(tx, taker.name, notice) for notice in sifted.told)
    for name in floods.CLASSES:
        held = [n for n in sifted.held_back if floods.class_of(n.urgency) == name]
        further = uncounted if name == floods.OTHER else 0
        if held or further:
            digest = floods.digest_for(tx, taker.name, name)
            for notice in held:
                _queue(tx, taker.name, notice, suppressed=floods.HELD_BACK)
            floods.fill(tx, digest, taker.name, name, len(held) + further)
            queued += digest.count == 0
    return Planned(queued, len(wanted) - len(sifted.told))


def _queue(tx: Transaction, channel: str, notice: Notice, *, suppressed: str = "") -> int:
    """Write a notice's row; 1 for one that is to be sent. What is suppressed keeps its subject only."""
    settled: Json = {"outcome": "suppressed", "outcome_at": tx.now, "error": suppressed} if suppressed else {}
    tx.insert(
        Notification,
        key=notice.key,
        channel=channel,
        subject=notice.subject,
        body="" if suppressed else notice.body,
        escalation=notice.escalation,
        urgency=notice.urgency,
        at=tx.now,
        **settled,
    )
    return 0 if suppressed else 1


def _is_queued(tx: Transaction, channel: str, key: str) -> bool:
    return bool(tx.sql("SELECT 1 FROM notifications WHERE key = ? AND channel = ?", (key, channel)))


def _count_repeats(tx: Transaction, again: set[int]) -> bool:
    """Write down how often questions came up again that were told once; whether that changed anything."""
    changed = False
    for number in sorted(again):
        row = tx.one(Escalation.select(Escalation.count).where(Escalation.id == number))
        repeats = int(row[0]) - 1 if row else 0
        query = Notification.select(Notification.id).where(
            (Notification.key == news.key_of(RAISED, number)) & (Notification.repeats != repeats)
        )
        for found in tx.rows(query):
            tx.update(Notification, int(found[0]), repeats=repeats)
            changed = True
    return changed


def known_names(reader: Connection) -> frozenset[str]:
    """The channels as they were when something was planned last."""
    return frozenset(taker.name for taker in _known(reader) or ())


def _takers(channels: Channels) -> tuple[Taker, ...]:
    outside = (Taker(channel.name, channel.urgencies, channel.what) for channel in channels.outside)
    return (*HOUSE_TAKERS, *outside)


def _known(reader: Connection) -> tuple[Taker, ...] | None:
    found = read_setting(reader, CHANNELS)
    if found is None:
        return None
    return tuple(Taker(entry["name"], tuple(entry["urgencies"]), tuple(entry["what"])) for entry in found)
