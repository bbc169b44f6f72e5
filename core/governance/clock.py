"""What time does to open questions: reminders, breaches, the ends of silences, expiry. Each happens once.

The moment stands on the row and moves on in the transaction that acts on it, so that neither a restart nor a second
process repeats it. Whatever was missed while nothing ran happens late, one step of it, and not all that was missed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import reduce
from operator import or_
from typing import Any

from peewee import fn

from core.governance.deadlines import ANSWER_WITHIN_MS, MINUTE_MS, due_at, next_at
from core.governance.escalations import TIME_OUT, release_merged, resolve
from core.store import reads, rows
from core.store.reads import Connection, build, select
from core.store.schema import Escalation, Event
from core.store.transaction import Transaction

SLACK_MS = MINUTE_MS
"""A clock is put right by less than this all the time, and nothing is late for it."""
NEWEST_EVENTS = 500
"""Events among which one of the future tells that the clock was ahead when it was written."""
MOST_STEPS = 8
"""Of one question in one sweep; the ends of both silences and what fell due meanwhile are three."""


# One expression, which no index serves: the one of the next moments is to be walked, and it has no closed ones.
_IS_OPEN = fn.COALESCE(
    Escalation.resolved_at, Escalation.withdrawn_at, Escalation.expired_at, Escalation.merged_into
).is_null()


def next_moment(reader: Connection) -> int | None:
    """The earliest moment (milliseconds) at which `sweep` has something to do; None while nothing is asked."""
    query = Escalation.select(Escalation.next_at).where(Escalation.next_at.is_null(False) & _IS_OPEN)
    row = reader.one(query.order_by(Escalation.next_at).limit(1))
    return None if row is None else int(row[0])


def sweep(tx: Transaction, limit: int = 500) -> int:
    """Do what is due now, of at most `limit` questions, the most overdue first; how many were touched."""
    ahead = _pull_in(tx, limit) if _was_ahead(tx) else 0
    return ahead + _strike(tx, limit)


def _was_ahead(tx: Transaction) -> bool:
    """Whether the clock has been put back lately. Only then is it worth looking at every open question.

    A due time that is too late tells it however long ago that was; the rest is told by the newest events.
    """
    for too_late in _due_too_late(tx.now + SLACK_MS):
        # Each urgency by itself, so that each is one step into the index and not a walk over all that are open.
        if tx.one(Escalation.select(Escalation.id).where(too_late & reads.is_open()).limit(1)) is not None:
            return True
    # Without what a sweep has put right itself: of more questions than one sweep takes, that would hide the rest.
    newest = "SELECT at FROM events WHERE kind != 'escalation.rescheduled' ORDER BY seq DESC LIMIT ?"
    [(latest,)] = tx.sql(f"SELECT MAX(at) FROM ({newest}) AS newest", (NEWEST_EVENTS,))
    return latest is not None and int(latest) > tx.now + SLACK_MS


def _strike(tx: Transaction, limit: int) -> int:
    query = Escalation.select(Escalation.id).where((Escalation.next_at <= tx.now) & _IS_OPEN)
    found = tx.rows(query.order_by(Escalation.next_at, Escalation.id).limit(limit))
    for (number,) in found:
        for _ in range(MOST_STEPS):
            # Read anew each time: what was done to it, or to another question before it, may have closed it.
            row = reads.escalation(tx, number)
            step = None if row is None or row.next_at is None else _due_step(row, tx.now)
            if row is None or step is None:
                break
            step(tx, row)
    return len(found)


Step = Callable[[Transaction, rows.EscalationRow], None]


def _due_step(row: rows.EscalationRow, now: int) -> Step | None:
    """The one thing to be done to the question first; None when nothing is due."""
    for at, step in ((row.expires_at, _expire), (row.snoozed_until, _end_snooze), (row.acknowledged_until, _end_ack)):
        if at is not None and at <= now:
            return step
    moment = next_at(row)
    if moment is not None and moment <= now:
        return _remind if row.urgency == "IMMEDIATE" else _breach
    return None if row.next_at == moment else _rewind


def _end_snooze(tx: Transaction, row: rows.EscalationRow) -> None:
    _change(tx, row, "snooze_ended", {"snoozed_until": None})


def _end_ack(tx: Transaction, row: rows.EscalationRow) -> None:
    _change(tx, row, "acknowledgement_ended", {"acknowledged_until": None})


def _breach(tx: Transaction, row: rows.EscalationRow) -> None:
    """Nobody has answered in time: from now on it is IMMEDIATE."""
    changes = {"urgency": "IMMEDIATE", "due_at": due_at("IMMEDIATE", tx.now), "breaches": row.breaches + 1}
    _change(tx, row, "escalated", changes, by="clock", to="IMMEDIATE", **{"from": row.urgency})


def _remind(tx: Transaction, row: rows.EscalationRow) -> None:
    _change(tx, row, "reminded", {"reminders": row.reminders + 1, "reminded_at": tx.now}, number=row.reminders + 1)


def _rewind(tx: Transaction, row: rows.EscalationRow) -> None:
    """Its clock was set by something that is not so any more."""
    _change(tx, row, "rescheduled")


def _expire(tx: Transaction, row: rows.EscalationRow) -> None:
    """Nobody has answered at all: what was said to be taken then is, and where nothing was, nobody decided anything."""
    chosen = row.details.get("on_expiry")
    if chosen is not None:
        resolve(tx, row.id, option=str(chosen), reason="nobody answered in time", by=TIME_OUT, provenance="timeout")
        return
    tx.update(Escalation, row.id, expired_at=tx.now, next_at=None)
    tx.event("escalation.expired", work_item=row.work_item, escalation=row.id, provenance="timeout")
    release_merged(tx, row.id)


def _change(
    tx: Transaction, row: rows.EscalationRow, event: str, changes: dict[str, Any] | None = None, **facts: Any
) -> None:
    changed = changes or {}
    tx.update(Escalation, row.id, **changed, next_at=next_at(replace(row, **changed)))
    tx.event(f"escalation.{event}", work_item=row.work_item, escalation=row.id, **facts)


def _pull_in(tx: Transaction, limit: int) -> int:
    """What was written down by a clock that was ahead, and has been put back since, comes forward by as much."""
    snoozed = _snoozed_ahead(tx, tx.now + SLACK_MS)
    ahead = _noted_ahead(tx.now + SLACK_MS) | Escalation.id.in_(sorted(snoozed)[:limit])
    query = select(rows.EscalationRow, Escalation).where(reads.is_open() & ahead)
    found = build(rows.EscalationRow, Escalation, tx.rows(query.order_by(Escalation.id).limit(limit)))
    for row in found:
        changes = _brought_back(row, tx.now, snoozed.get(row.id))
        until = {"until": changes["snoozed_until"]} if row.id in snoozed else {}
        _change(tx, row, "rescheduled", changes, **until)
    return len(found)


def _snoozed_ahead(tx: Transaction, now: int) -> dict[int, int]:
    """When each question was put away that is so by a clock that was ahead of `now`.

    Its row has no more than the end of it; the newest event that tells of that end has the moment. An end that has been
    brought forward is told by the event of that, so it comes forward again only if that clock was ahead as well.
    """
    query = Escalation.select(Escalation.work_item, Escalation.id, Escalation.snoozed_until)
    ends: dict[int | None, dict[int, int]] = {}
    for item, number, until in tx.rows(query.where(reads.is_open() & (Escalation.snoozed_until > now))):
        ends.setdefault(item, {})[number] = until
    told = {number: at for item, of_item in ends.items() for number, at in _snoozed_at(tx, item, of_item).items()}
    return {number: at for number, at in told.items() if at > now}


def _snoozed_at(tx: Transaction, item: int | None, ends: Mapping[int, int]) -> dict[int, int]:
    """The moments at which a work item's questions were put away until these ends."""
    of_item = Event.work_item.is_null() if item is None else Event.work_item == item
    tells = of_item & Event.kind.in_(("escalation.snoozed", "escalation.rescheduled"))
    found: dict[int, int] = {}
    for at, text in tx.rows(Event.select(Event.at, Event.payload).where(tells).order_by(Event.seq)):
        facts = json.loads(text)
        number = facts["escalation"]
        if number in ends and facts.get("until") == ends[number]:
            found[number] = int(at)
    return found


def _noted_ahead(now: int) -> Any:
    """The condition of a question that has something happen after `now`, or is due later than its urgency allows."""
    ahead = (Escalation.last_raised_at > now) | (Escalation.raised_at > now) | (Escalation.reminded_at > now)
    ahead |= (Escalation.acknowledged_at > now) & Escalation.acknowledged_until.is_null(False)
    return reduce(or_, _due_too_late(now), ahead)


def _due_too_late(now: int) -> list[Any]:
    """For each urgency the condition of a question that is due later than it allows."""
    bounds = [(urgency, now + within) for urgency, within in ANSWER_WITHIN_MS.items() if within is not None]
    return [(Escalation.urgency == urgency) & (Escalation.due_at > bound) for urgency, bound in bounds]


def _brought_back(row: rows.EscalationRow, now: int, snoozed_at: int | None) -> dict[str, Any]:
    """Nothing has happened later than now: what the question's columns say instead. `snoozed_at` is when it was put
    away, where a clock that was ahead has it so."""
    within = ANSWER_WITHIN_MS[row.urgency]
    raised, seen = max(0, row.raised_at - now), max(0, (row.acknowledged_at or 0) - now)
    return {
        "raised_at": row.raised_at - raised,
        "last_raised_at": min(row.last_raised_at, now),
        "expires_at": _earlier(row.expires_at, raised),
        "snoozed_until": _earlier(row.snoozed_until, max(0, (snoozed_at or 0) - now)),
        "acknowledged_at": _earlier(row.acknowledged_at, seen),
        "acknowledged_until": _earlier(row.acknowledged_until, seen),
        "reminded_at": None if row.reminded_at is None else min(row.reminded_at, now),
        "due_at": row.due_at if row.due_at is None or within is None else min(row.due_at, now + within),
    }


def _earlier(at: int | None, by: int) -> int | None:
    return None if at is None else at - by
