"""What may be done to a question besides answering it: acknowledged, put away, handed over, merged, pressed, undone.

Every function runs inside a write's closure and leaves one event, or raises UsageError and leaves nothing. `by` is a
person's name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.contract import PHASE_CODES, UsageError
from core.governance.budget_questions import about_the_same_budget
from core.governance.deadlines import MINUTE_MS, due_at, next_at
from core.governance.escalations import existing, is_over, open_row, withdraw_all
from core.governance.persons import named_person, stated_in_a_line
from core.governance.settling import unsettle
from core.sanitise import one_line
from core.store import reads, reads_escalations, reads_governance, rows, states
from core.store.carried import carried
from core.store.reads import Connection
from core.store.schema import Answer, Escalation, Event, WorkItem
from core.store.transaction import Transaction

MOST_MINUTES = 366 * 24 * 60


def acknowledge(tx: Transaction, escalation: int, *, by: str, minutes: int = 30) -> None:
    """Somebody has seen it: no reminders until `minutes` have passed; then it needs a human again. It stays due."""
    row, person = open_row(tx, escalation), named_person(tx, by)
    if not 0 < minutes <= MOST_MINUTES:
        raise UsageError(f"Escalation {row.id}: acknowledge for 1 to {MOST_MINUTES} minutes, not {minutes}.")
    until = tx.now + minutes * MINUTE_MS
    _change(tx, row, acknowledged_at=tx.now, acknowledged_until=until, acknowledged_by=person)
    tx.event("escalation.acknowledged", work_item=row.work_item, escalation=escalation, by=person, until=until)


def snooze(tx: Transaction, escalation: int, *, until: int, by: str) -> None:
    """Hide it until the moment `until` (milliseconds). It stays due, and what falls due meanwhile happens then."""
    row, person = open_row(tx, escalation), named_person(tx, by)
    if not tx.now < until <= tx.now + MOST_MINUTES * MINUTE_MS:
        raise UsageError(f"Escalation {escalation}: snooze until a moment in the future, a year ahead at most.")
    _change(tx, row, snoozed_until=until)
    tx.event("escalation.snoozed", work_item=row.work_item, escalation=escalation, by=person, until=until)


def assign(tx: Transaction, escalation: int, *, to: str, by: str, note: str = "") -> None:
    """Hand it over to a person, with a word. Whoever gets it has not seen it, so it is neither put away nor seen."""
    row, person = open_row(tx, escalation), named_person(tx, by)
    if not to.strip():
        raise UsageError(f"Escalation {escalation}: name the person to hand it to.")
    other, told = named_person(tx, to), stated_in_a_line(note, "The word for whoever gets it")
    silence: dict[str, Any] = {"acknowledged_until": None, "snoozed_until": None}
    _change(tx, row, assigned_to=other, note=told, **silence)
    facts = {"from": row.assigned_to, "to": other, "note": told}
    tx.event("escalation.assigned", work_item=row.work_item, escalation=escalation, by=person, **facts)


def escalate(tx: Transaction, escalation: int, *, by: str, reason: str = "") -> None:
    """Press it: one urgency up, due as that urgency wants or as before, whichever is earlier; no silence holds."""
    row, person = open_row(tx, escalation), named_person(tx, by)
    rank = states.URGENCIES.index(row.urgency)
    if rank == 0:
        raise UsageError(f"Escalation {escalation} is {row.urgency} already; hand it over, or answer it.")
    urgency = states.URGENCIES[rank - 1]
    due = min(at for at in (row.due_at, due_at(urgency, tx.now)) if at is not None)
    _change(tx, row, urgency=urgency, due_at=due, acknowledged_until=None, snoozed_until=None)
    facts = {"from": row.urgency, "to": urgency, "reason": stated_in_a_line(reason)}
    tx.event("escalation.escalated", work_item=row.work_item, escalation=escalation, by=person, **facts)


def merge(tx: Transaction, escalations: Sequence[int], *, into: int, by: str) -> None:
    """One answer for several questions that take the same answers: `into` stays, the others wait for its answer."""
    target, person = open_row(tx, into), named_person(tx, by)
    others = [open_row(tx, number) for number in dict.fromkeys(escalations)]
    if not others or any(row.id == into for row in others):
        raise UsageError(f"Escalation {into} stays; name the others, which are to be merged into it.")
    for row in others:
        check_alike(row, target)
    moved = [m for row in others for m in reads_escalations.merged_into(tx, row.id)]
    for row in (*others, *moved):
        # What was raised of the questions that come along is counted by the target alone.
        own = row.count - sum(other.count for other in moved if other.merged_into == row.id)
        tx.update(Escalation, row.id, merged_into=into, next_at=None, count=max(own, 1))
    every = (target, *others)
    urgency, due = _gravest(every)
    # Who put it away or saw it silenced something less urgent.
    silence: dict[str, Any] = {"acknowledged_until": None, "snoozed_until": None} if urgency != target.urgency else {}
    _change(tx, target, urgency=urgency, due_at=due, count=sum(row.count for row in every), **silence)
    merged = [row.id for row in others]
    tx.event("escalation.merged", work_item=target.work_item, escalation=into, merged=merged, by=person)


def _gravest(questions: Sequence[rows.EscalationRow]) -> tuple[str, int | None]:
    """The urgency and the due time of several questions that are one."""
    due = min((row.due_at for row in questions if row.due_at is not None), default=None)
    return min((row.urgency for row in questions), key=states.URGENCIES.index), due


def unmerge(tx: Transaction, merged: Sequence[rows.EscalationRow], *, target: rows.EscalationRow, by: str) -> None:
    """Take a merge back: `merged` and `target` are the questions as they were before it, all of them open ones.

    Raises UsageError when the one they were merged into is answered, or one of them is not merged into it any more.
    """
    row, person = open_row(tx, target.id), named_person(tx, by)
    now = {other.id: existing(tx, other.id) for other in merged}
    gone = [number for number, other in now.items() if other.merged_into != target.id]
    if gone:
        raise UsageError(f"Escalation {gone[0]} is not merged into {target.id} any more; nothing was changed.")
    for before in merged:
        own = replace(now[before.id], merged_into=before.merged_into)
        moment = None if before.merged_into is not None else next_at(own)
        count = own.count + sum(now[other.id].count for other in merged if other.merged_into == before.id)
        tx.update(Escalation, before.id, merged_into=before.merged_into, next_at=moment, count=count)
        tx.event("escalation.separated", work_item=before.work_item, escalation=before.id, into=target.id, by=person)
    alone = [other for other in merged if other.merged_into is None]
    changes: dict[str, Any] = {"count": max(row.count - sum(other.count for other in now.values()), 1)}
    if (row.urgency, row.due_at) == _gravest((target, *alone)):
        # Only what the merge itself has brought is given back.
        changes |= {"urgency": target.urgency, "due_at": target.due_at}
    _change(tx, row, **changes)
    tx.event("escalation.put_back", work_item=row.work_item, escalation=row.id, by=person, changed=sorted(changes))


def check_alike(row: rows.EscalationRow, target: rows.EscalationRow) -> None:
    """Raises UsageError unless one answer can be the answer of both."""
    if row.kind != target.kind:
        raise UsageError(f"Escalation {row.id} is about a {row.kind}, {target.id} about a {target.kind}.")
    takes = [{o["key"]: (o.get("asks", {}), bool(o.get("ends"))) for o in r.options} for r in (row, target)]
    if takes[0] != takes[1]:
        raise UsageError(
            f"Escalation {row.id} takes other answers than {target.id} ({', '.join(takes[0])}; {', '.join(takes[1])}), "
            "so one answer cannot be both's."
        )
    if row.kind == "budget" and not about_the_same_budget(row, target):
        raise UsageError(f"Escalation {row.id} is about another budget than {target.id}; each is answered by itself.")
    if row.kind in ("conflict", "scope"):
        raise UsageError(f"Escalation {row.id} is about a {row.kind}; each of those is settled by itself.")


HANDLING = (
    "acknowledged_at",
    "acknowledged_until",
    "acknowledged_by",
    "snoozed_until",
    "assigned_to",
    "note",
    "urgency",
    "due_at",
)
"""What people change about an open question without answering it."""


def put_back(tx: Transaction, before: rows.EscalationRow, after: rows.EscalationRow, *, by: str) -> None:
    """Undo one deed: the question is handled again as it was in `before`, where `after` is what the deed left.

    Raises UsageError when it is not open any more, or when somebody else, or the clock, has handled it since.
    """
    row, person = open_row(tx, before.id), named_person(tx, by)
    names = [name for name in HANDLING if getattr(before, name) != getattr(after, name)]
    since = [name for name in names if getattr(row, name) != getattr(after, name)]
    if since:
        what = since[0].replace("_", " ")
        raise UsageError(f"Escalation {row.id}: its {what} has been changed since, so that cannot be taken back.")
    changes = {name: getattr(before, name) for name in names}
    for silence in ("acknowledged_until", "snoozed_until"):
        if changes.get(silence) is not None and changes[silence] <= tx.now:
            changes[silence] = None
    _change(tx, row, **changes)
    tx.event("escalation.put_back", work_item=row.work_item, escalation=row.id, by=person, changed=names)


def undo(tx: Transaction, escalation: int, *, by: str, reason: str = "", answer: int | None = None) -> None:
    """Take the answer back: the question is open again, due anew, and what the answer settled waits again.

    With `answer`, the number of one, only that answer is taken back. Raises UsageError when it is not answered, when
    another answer stands than the one that is meant, when work has gone on from the answer, and when what it settled
    has been settled anew since.
    """
    person, row = named_person(tx, by), answered(tx, escalation)
    if answer is not None:
        _check_stands(tx, row, answer)
    together = (row, *reads_escalations.merged_into(tx, escalation))
    why = stated_in_a_line(reason)
    for one in together:
        _take_back(tx, one, person, why)
        unsettle(tx, one, by=person, reason=why)
        tx.event("escalation.undone", work_item=one.work_item, escalation=one.id, by=person, reason=why)
    for work_item in {one.work_item for one in together if one.work_item is not None}:
        if is_over(tx, work_item):
            # Somebody ended it after the answer; nobody needs to answer for work that is not done.
            withdraw_all(tx, work_item, why=f"work item {work_item} has come to its end")


def answered(reader: Connection, escalation: int) -> rows.EscalationRow:
    """The question, whose answer can be taken back; raises UsageError where it cannot."""
    row = existing(reader, escalation)
    if row.merged_into is not None:
        raise UsageError(f"Escalation {escalation} was answered with {row.merged_into}; undo that one.")
    if row.resolved_at is None:
        raise UsageError(f"Escalation {escalation} has no answer to take back.")
    if found := hindrance(reader, row):
        raise UsageError(found)
    return row


def _check_stands(tx: Transaction, row: rows.EscalationRow, answer: int) -> None:
    """Raises UsageError when the question was answered anew since that answer."""
    standing = [a for a in reads_escalations.answers(tx, row.id) if a.undone_at is None and not a.late]
    other = next((a for a in standing if a.id != answer), None)
    if other is not None:
        raise UsageError(
            f"Escalation {row.id} was answered anew by {one_line(other.by, 60)} since; that answer stands, and "
            f"`apm escalation undo {row.id}` takes it back."
        )


def _take_back(tx: Transaction, row: rows.EscalationRow, person: str, why: str) -> None:
    ends = {o["key"] for o in row.options if o.get("ends")}
    ended = False
    for answer in reads_escalations.answers(tx, row.id):
        if answer.undone_at is None and not answer.late:
            tx.update(Answer, answer.id, undone_at=tx.now, undone_by=person, undo_reason=why)
            ended = answer.option in ends
    again: dict[str, Any] = {"due_at": due_at(row.urgency, tx.now), "reminders": 0, "reminded_at": None}
    again |= {"resolved_at": None, "acknowledged_until": None, "snoozed_until": None}
    if row.merged_into is None:
        expires = None if row.expires_at is None else tx.now + row.expires_at - row.raised_at
        _change(tx, row, **again, expires_at=expires)
    else:
        tx.update(Escalation, row.id, resolved_at=None)
    facts = None if row.work_item is None else reads.work_item_facts(tx, row.work_item)
    if ended and facts is not None and row.resolved_at in (facts.cancelled_at, facts.failed_at):
        tx.update(WorkItem, facts.id, cancelled_at=None, failed_at=None)
        for number in _withdrawn_by(tx, row):
            other = existing(tx, number)
            if other.withdrawn_at is not None and _asked_again(tx, other) is None:
                tx.update(Escalation, other.id, withdrawn_at=None, next_at=next_at(other))


def _withdrawn_by(tx: Transaction, row: rows.EscalationRow) -> list[int]:
    """The questions that the answer to this one left without a point."""
    facts = (json.loads(text) for _, text in _events_since(tx, row, ("escalation.withdrawn",)))
    return [f["escalation"] for f in facts if f.get("answered") == row.id]


def _events_since(
    tx: Connection, row: rows.EscalationRow, kinds: Sequence[str] | None = None
) -> Iterator[tuple[str, str]]:
    """Kind and payload of what happened to the question's work item after its last answer, in order.

    By the numbers of the events: a clock that was put back says nothing of what came after what.
    """
    mine = (Event.work_item == row.work_item) & (Event.kind == "escalation.resolved")
    answered = tx.rows(Event.select(Event.seq, Event.payload).where(mine).order_by(Event.seq.desc()))
    last = next((seq for seq, text in answered if json.loads(text)["escalation"] == row.id), None)
    if last is None:
        return
    query = Event.select(Event.seq).where((Event.work_item == row.work_item) & (Event.seq > last))
    if kinds is not None:
        query = query.where(Event.kind.in_(kinds))
    for (seq,) in tx.rows(query.order_by(Event.seq)):
        # One at a time: a delegation's event carries its whole request and response.
        [found] = tx.rows(Event.select(Event.kind, Event.payload).where(Event.seq == seq))
        yield found


def _asked_again(tx: Connection, row: rows.EscalationRow) -> int | None:
    """The question that waits and is the same as this one, which does not."""
    found = reads_escalations.waiting_with(tx, row.key)
    return None if found == row.id else found


def hindrance(tx: Connection, row: rows.EscalationRow) -> str:
    """Why the answer to this question, and to those merged into it, cannot be taken back; "" where it can be."""
    every = (row, *reads_escalations.merged_into(tx, row.id))
    return next((found for one in every if (found := _hindrance(tx, one))), "")


def _hindrance(tx: Connection, row: rows.EscalationRow) -> str:
    """That somebody has worked on from the answer, or reversed what it settled, or that the same is asked again."""
    again = _asked_again(tx, row)
    if again is not None:
        return f"Escalation {row.id}: the same is asked again as escalation {again}; answer that one."
    for decision in reads_governance.decisions_of_escalation(tx, row.id) if row.kind == "decision" else ():
        if decision.reverted_at is not None:
            return (
                f"Escalation {row.id}: decision {decision.id}, which it settled, was reversed by "
                f"{decision.reverted_by} since; `apm decisions list` shows what holds instead."
            )
        if decision.conflict is not None:
            return (
                f"Escalation {row.id}: decision {decision.id}, which it settled, has been a side of conflict "
                f"{decision.conflict} since; what ends that holds, and `apm decisions reverse` takes a decision back."
            )
    if row.work_item is not None and reads.work_item_facts(tx, row.work_item) is None:
        return f"Escalation {row.id}: work item {row.work_item} is in an archive, so its answers stand."
    done = _work_since(tx, row) if row.work_item is not None and row.blocks else ""
    if not done:
        return ""
    reverse = "" if row.kind != "decision" else "reverse its decision (`apm decisions reverse`), "
    return (
        f"Escalation {row.id}: work has gone on from this answer ({done}), so it cannot be taken back; {reverse}answer "
        f"what is asked next, or cancel work item {row.work_item}."
    )


def _work_since(tx: Connection, row: rows.EscalationRow) -> str:
    """What was done in the phases, or for the task, that waited for the answer; "" for nothing."""
    phase = row.blocks if row.blocks in PHASE_CODES else row.phase or PHASE_CODES[0]
    later = PHASE_CODES[PHASE_CODES.index(phase) :]
    for _, text in _events_since(tx, row):
        for table, _, columns in carried(json.loads(text), seq=0, at=0, work_item=row.work_item):
            told = _WORK.get(table)
            if told is None or columns.get("phase") not in later:
                continue
            if table != "delegations" or row.blocks in PHASE_CODES or columns["subject"] == row.blocks:
                return told.format(**columns)
    return ""


_WORK: Mapping[str, str] = {
    "phase_runs": "{phase} began its round {round}",
    "delegations": "{agent} has worked in {phase}",
    "gate_results": "the gate of {phase} has judged",
}
"""The tables whose new rows are work, and how it is told."""


def _change(tx: Transaction, row: rows.EscalationRow, **changes: Any) -> None:
    """Change an open question's columns, and with them when its clock strikes next."""
    tx.update(Escalation, row.id, **changes, next_at=next_at(replace(row, **changes)))
