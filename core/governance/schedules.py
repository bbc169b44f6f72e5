"""Recurring duties: when each is next due, and the claim that makes it be done once.

A duty's row says when it is due. Whoever acts on it moves the row on in the transaction that acts, so that it happens
once across restarts and processes. What fell due while nothing ran is done late, and once, however often it was missed.

Slots are counted on a wall clock that never jumps, and each is then given its one moment: an hour that summer time
takes away moves its slot to the next hour, and an hour that comes twice counts the first time only.
"""

from __future__ import annotations

import logging
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from typing import TYPE_CHECKING, Any

from core.contract import Json
from core.registry import cron
from core.sanitise import one_line
from core.store.reads import Connection, build, select
from core.store.rows_governance import ScheduleRow
from core.store.schema import Schedule
from core.store.transaction import Transaction

if TYPE_CHECKING:
    from core.registry.schema import Schedules

logger = logging.getLogger(__name__)

DAILY_BRIEFING = "daily-briefing"
WEEKLY_SCOPE_REVIEW = "weekly-scope-review"

RETRY_MS = 5 * 60_000
"""When a duty that failed is tried again, unless its next turn comes sooner."""
MOST_PUT_FORWARD = timedelta(hours=3)
"""No zone puts its clocks forward by more at once: how far back on the wall a slot may be that still lies ahead."""


@dataclass(frozen=True, slots=True)
class Duty:
    """A recurring duty. `expression` is cron's, "" while it is switched off; `zone` names a time zone, or is local."""

    name: str
    expression: str
    zone: str = cron.LOCAL

    @property
    def trigger(self) -> str:
        """What the times depend on, as the row keeps it: another text is another plan."""
        return f"{self.expression} {_zone(self.zone)}" if self.expression else ""


def duties_of(schedules: Schedules) -> tuple[Duty, ...]:
    """The duties with the times that the team's files give them."""
    planned = ((DAILY_BRIEFING, schedules.daily_briefing), (WEEKLY_SCOPE_REVIEW, schedules.weekly_review))
    return tuple(Duty(name, expression or "", schedules.timezone) for name, expression in planned)


def next_slot(duty: Duty, after: int) -> int | None:
    """The first moment after this one (milliseconds) at which the duty is due; None for one that is switched off."""
    if not duty.expression:
        return None
    zone, triggers = _zone(duty.zone), _triggers(duty.expression)
    wall = datetime.fromtimestamp(after / 1000, zone).replace(tzinfo=UTC, fold=0) - MOST_PUT_FORWARD
    while True:
        found: list[datetime] = [at for t in triggers if (at := t.get_next_fire_time(None, wall)) is not None]
        if not found:
            return None
        slot = min(found)
        moment = round(slot.replace(tzinfo=zone).timestamp() * 1000)
        if moment > after:
            return moment
        wall = slot + timedelta(seconds=1)


def _zone(name: str) -> tzinfo:
    if name != cron.LOCAL:
        return zoneinfo.ZoneInfo(name)
    # APScheduler's own way of finding out; a machine with no setting, or a broken one, counts in UTC.
    import tzlocal

    try:
        return tzlocal.get_localzone()
    except (zoneinfo.ZoneInfoNotFoundError, OSError, ValueError) as error:
        logger.warning("this machine's time zone cannot be told, so schedules count in UTC: %s", error)
        return zoneinfo.ZoneInfo("UTC")


@cache
def _triggers(expression: str) -> tuple[Any, ...]:
    """APScheduler's triggers of an expression: two where a day may be met by its number or by its weekday.

    They count in UTC, which stands for a wall clock without jumps, and their own Monday is 0.
    """
    # Loaded at first use: it takes 0.15 s.
    from apscheduler.triggers.cron import CronTrigger

    times = cron.parse(expression)
    days, weekdays = _list(times.days), _list({(day - 1) % 7 for day in times.weekdays})
    both = {"day": days, "day_of_week": weekdays}
    wanted = [{name: value} for name, value in both.items()] if times.is_either_day else [both]
    clock = {"month": _list(times.months), "hour": _list(times.hours), "minute": _list(times.minutes), "second": "0"}
    return tuple(CronTrigger(**clock, **day, timezone=UTC) for day in wanted)


def _list(values: frozenset[int] | set[int]) -> str:
    return ",".join(str(value) for value in sorted(values))


def plan(tx: Transaction, duties: Sequence[Duty]) -> None:
    """Bring the duties' rows to what is wanted now: new ones, other times, a clock that was put back."""
    for duty, row, changes in unplanned(tx, duties, tx.now):
        if row is None:
            tx.insert(Schedule, name=duty.name, **changes)
        else:
            tx.update(Schedule, duty.name, **changes)
        tx.event("schedule.planned", schedule=duty.name, **changes)


def unplanned(reader: Connection, duties: Sequence[Duty], now: int) -> list[tuple[Duty, ScheduleRow | None, Json]]:
    """The duties whose rows are not what is wanted, with their rows and what has to change there."""
    found = []
    for duty in duties:
        row, trigger = schedule(reader, duty.name), duty.trigger
        if (row.trigger if row else "") != trigger:
            found.append((duty, row, {"trigger": trigger, "next_at": _planned(duty, row, now), "error": ""}))
        elif row is not None and (nearer := _nearer(duty, row, now)) is not None:
            found.append((duty, row, {"next_at": nearer}))
    return found


def _planned(duty: Duty, row: ScheduleRow | None, now: int) -> int | None:
    """When a duty with another trigger is due: at another expression's times, or, in another zone, what is overdue."""
    if row is None or row.next_at is None or row.next_at > now:
        return next_slot(duty, now)
    return row.next_at if row.trigger.rpartition(" ")[0] == duty.expression else next_slot(duty, now)


def _nearer(duty: Duty, row: ScheduleRow, now: int) -> int | None:
    """When a duty is due that waits too long since the clock was put back; None where it waits as it should.

    A slot that was done stays done: after a step of less than a period the duty waits for the slot after it.
    """
    if row.next_at is None:
        return None
    first = next_slot(duty, now)
    second = None if first is None else next_slot(duty, first)
    if first is None or second is None:
        return None
    is_done = row.last_at is not None and first <= row.last_at < second
    due = second if is_done else first
    return due if row.next_at > due else None


def claim(tx: Transaction, duty: Duty) -> bool:
    """Whether the duty is due; then its row moves on, and the caller does it in the same transaction.

    The slot that is done, and all before it that were missed, count as this one.
    """
    row = schedule(tx, duty.name)
    if row is None or row.next_at is None or row.next_at > tx.now or row.trigger != duty.trigger:
        return False
    tx.update(Schedule, duty.name, next_at=next_slot(duty, tx.now), last_at=tx.now, error="")
    tx.event("schedule.done", schedule=duty.name, due_at=row.next_at)
    return True


def fail(tx: Transaction, duty: Duty, why: str) -> None:
    """The duty could not be done: keep why, and try again after a while."""
    row = schedule(tx, duty.name)
    if row is None or row.next_at is None or row.trigger != duty.trigger:
        return
    turn = next_slot(duty, tx.now)
    again = tx.now + RETRY_MS if turn is None else min(tx.now + RETRY_MS, turn)
    tx.update(Schedule, duty.name, next_at=again, error=one_line(why, 500))
    tx.event("schedule.failed", schedule=duty.name, why=one_line(why, 500), next_at=again)


def is_due(reader: Connection, duty: Duty, now: int) -> bool:
    """Whether `claim` would hand it out, for whoever prepares what is read before the transaction."""
    row = schedule(reader, duty.name)
    return row is not None and row.next_at is not None and row.next_at <= now and row.trigger == duty.trigger


def next_moment(reader: Connection) -> int | None:
    """When the first of the duties is due (milliseconds); None where none is planned."""
    row = reader.one(
        Schedule.select(Schedule.next_at).where(Schedule.next_at.is_null(False)).order_by(Schedule.next_at)
    )
    return None if row is None else int(row[0])


def schedule(reader: Connection, name: str) -> ScheduleRow | None:
    found = build(ScheduleRow, Schedule, reader.rows(select(ScheduleRow, Schedule).where(Schedule.name == name)))
    return found[0] if found else None
