"""Questions that wait for a human: raised once however often asked, answered once, each on the record.

Every function runs inside a write's closure and leaves one event, or raises UsageError and leaves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.contract import Json, UsageError, canonical_json, digest_of
from core.governance.answers import check_answer
from core.governance.settling import settle_authority
from core.store import reads, rows, states
from core.store.schema import Answer, Decision, Escalation, WorkItem
from core.store.writer import Transaction

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS

ANSWER_WITHIN_MS: Mapping[str, int | None] = {"IMMEDIATE": HOUR_MS, "DAILY": 24 * HOUR_MS, "WEEKLY": None}
"""How long a question of each urgency may wait. WEEKLY waits for the next scope review and never pages."""

KINDS = ("gate", "decision", "conflict", "error", "scope", "budget", "permission")


@dataclass(frozen=True, slots=True)
class Option:
    """One legal answer and what it leads to.

    `asks` are the values it has to carry: {key: shape}; with `ends` it ends the work item that is asked about.
    """

    key: str
    label: str
    consequence: str
    asks: Mapping[str, str] = field(default_factory=dict)
    ends: bool = False

    def to_json(self) -> Json:
        shown: Json = {"key": self.key, "label": self.label, "consequence": self.consequence}
        if self.asks:
            shown["asks"] = dict(self.asks)
        return {**shown, "ends": True} if self.ends else shown


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. `subject` tells one question from another of the same kind: equal subjects are one row."""

    kind: str
    subject: Json
    question: str
    urgency: str
    options: tuple[Option, ...]
    recommended: str | None
    chain: tuple[str, ...]
    work_item: int | None = None
    phase: str | None = None
    round: int | None = None
    blocks: str = ""
    missing: tuple[str, ...] = ()
    details: Json = field(default_factory=dict)

    @property
    def key(self) -> str:
        return digest_of({"kind": self.kind, "work_item": self.work_item, "subject": self.subject})

    @property
    def payload_digest(self) -> str:
        """What an answer is bound to: everything that the person is shown."""
        return digest_of(
            {
                "question": self.question,
                "missing": list(self.missing),
                "details": self.details,
                "options": [o.to_json() for o in self.options],
                "recommended": self.recommended,
            }
        )


def raise_question(tx: Transaction, question: Question) -> int:
    """The escalation's number: a new row, or the open one with the same key, its counter one higher."""
    row = tx.one(Escalation.select(Escalation.id).where((Escalation.key == question.key) & reads.is_open()))
    if row is not None:
        return _raise_again(tx, int(row[0]), question)
    number = tx.insert(
        Escalation,
        kind=question.kind,
        key=question.key,
        urgency=question.urgency,
        work_item=question.work_item,
        phase=question.phase,
        round=question.round,
        blocks=question.blocks,
        chain=canonical_json(list(question.chain)),
        raised_at=tx.now,
        last_raised_at=tx.now,
        due_at=_due_at(tx, question.urgency),
        **_payload_columns(question),
    )
    tx.event("escalation.raised", work_item=question.work_item, escalation=number)
    if question.work_item is not None and is_over(tx, question.work_item):
        # It was cancelled while an agent was still at it; nobody needs to answer for work that is not done.
        withdraw(tx, number, why=f"work item {question.work_item} has come to its end")
    return number


def is_over(tx: Transaction, work_item: int) -> bool:
    facts = reads.work_item_facts(tx, work_item)
    return facts is not None and any(at is not None for at in (facts.cancelled_at, facts.closed_at, facts.failed_at))


def _raise_again(tx: Transaction, number: int, question: Question) -> int:
    row = _open_row(tx, number)
    changed = {} if row.payload_digest == question.payload_digest else _payload_columns(question)
    if states.URGENCIES.index(question.urgency) < states.URGENCIES.index(row.urgency):
        changed |= {"urgency": question.urgency, "due_at": _earlier(row.due_at, _due_at(tx, question.urgency))}
    tx.update(Escalation, number, count=row.count + 1, last_raised_at=tx.now, **changed)
    tx.event("escalation.raised_again", work_item=question.work_item, escalation=number)
    return number


def _due_at(tx: Transaction, urgency: str) -> int | None:
    within = ANSWER_WITHIN_MS[urgency]
    return None if within is None else tx.now + within


def _earlier(one: int | None, other: int | None) -> int | None:
    return min((at for at in (one, other) if at is not None), default=None)


def _payload_columns(question: Question) -> Json:
    return {
        "question": question.question,
        "missing": canonical_json(list(question.missing)),
        "details": canonical_json(question.details),
        "options": canonical_json([o.to_json() for o in question.options]),
        "recommended": question.recommended,
        "payload_digest": question.payload_digest,
    }


def resolve(
    tx: Transaction,
    escalation: int,
    *,
    option: str,
    answer: Any = None,
    reason: str = "",
    by: str,
    provenance: str = "human",
    shown_digest: str | None = None,
) -> int:
    """Answer a question; the answer's number.

    A question that expired or was withdrawn takes the answer too, kept as late. Raises UsageError when the number
    is unknown, the question already answered, the option not offered, a value missing or misshapen, a reason
    missing (every human answer but the recommended one needs it), or what was shown is not what is asked now.
    """
    row = _row(tx, escalation)
    state = states.escalation_state(row, tx.now)
    chosen = _offered(tx, row, state, option)
    if shown_digest is not None and shown_digest != row.payload_digest:
        raise UsageError(f"Escalation {escalation} has changed since it was shown; look at it again, then answer.")
    if provenance == "human" and option != row.recommended and not reason.strip():
        raise UsageError(f"Escalation {escalation}: {option!r} is not the recommended answer, so it needs a reason.")
    values = check_answer(escalation, chosen.get("asks", {}), answer)
    late = state in ("expired", "withdrawn")
    ended = row.work_item if chosen.get("ends") and not late else None
    if ended is not None and is_over(tx, ended):
        ended = None
    number = tx.insert(
        Answer,
        escalation=escalation,
        option=option,
        answer=canonical_json(values),
        reason=reason,
        by=by,
        provenance=provenance,
        payload_digest=row.payload_digest,
        seconds_to_answer=(tx.now - row.raised_at) / 1000,
        late=late,
        at=tx.now,
    )
    if not late:
        tx.update(Escalation, escalation, resolved_at=tx.now)
        _settle_decision(tx, row, option, provenance)
        if ended is not None:
            tx.update(WorkItem, ended, cancelled_at=tx.now)
    tx.event(
        "escalation.answered_late" if late else "escalation.resolved",
        work_item=row.work_item,
        escalation=escalation,
        by=by,
        provenance=provenance,
    )
    if not late:
        settle_authority(tx, row, option, by=by, reason=reason)
    if ended is not None:
        withdraw_all(tx, ended, why=f"work item {ended} was cancelled by {by}")
    return number


def _offered(tx: Transaction, row: rows.EscalationRow, state: str, option: str) -> Json:
    """The option that is chosen; raises UsageError when the question takes no answer any more, or not this one."""
    if state == "resolved":
        raise UsageError(f"Escalation {row.id} is already answered{_by_whom(tx, row.id)}.")
    if state == "merged":
        raise UsageError(f"Escalation {row.id} was merged into {row.merged_into}; answer that one.")
    chosen = next((o for o in row.options if o["key"] == option), None)
    if chosen is None:
        legal = ", ".join(o["key"] for o in row.options)
        raise UsageError(f"Escalation {row.id} does not offer {option!r}; its answers are {legal}.")
    return chosen


def _settle_decision(tx: Transaction, row: rows.EscalationRow, option: str, provenance: str) -> None:
    if row.kind != "decision":
        return
    for found in tx.rows(Decision.select(Decision.id).where(Decision.escalation == row.id)):
        tx.update(Decision, int(found[0]), choice=option, provenance=provenance, decided_at=tx.now)


def acknowledge(tx: Transaction, escalation: int, *, by: str, minutes: int = 30) -> None:
    """Somebody has seen it: no reminders until `minutes` have passed. The due time stays."""
    row = _open_row(tx, escalation)
    if minutes <= 0:
        raise UsageError(f"Escalation {row.id}: acknowledge for a number of minutes above 0, not {minutes}.")
    until = tx.now + minutes * MINUTE_MS
    tx.update(Escalation, escalation, acknowledged_at=tx.now, acknowledged_until=until, acknowledged_by=by)
    tx.event("escalation.acknowledged", work_item=row.work_item, escalation=escalation, by=by)


def snooze(tx: Transaction, escalation: int, *, until: int, by: str) -> None:
    """Hide it until the moment `until` (milliseconds); the due time stays."""
    row = _open_row(tx, escalation)
    if until <= tx.now:
        raise UsageError(f"Escalation {escalation}: snooze until a moment in the future.")
    tx.update(Escalation, escalation, snoozed_until=until)
    tx.event("escalation.snoozed", work_item=row.work_item, escalation=escalation, by=by)


def assign(tx: Transaction, escalation: int, *, to: str, by: str) -> None:
    """Hand the question to somebody by name."""
    row = _open_row(tx, escalation)
    if not to.strip():
        raise UsageError(f"Escalation {escalation}: name the person to assign it to.")
    tx.update(Escalation, escalation, assigned_to=to)
    tx.event("escalation.assigned", work_item=row.work_item, escalation=escalation, by=by)


def withdraw(tx: Transaction, escalation: int, *, why: str) -> None:
    """The question no longer stands; `why` goes on the record. Nobody decided anything."""
    row = _open_row(tx, escalation)
    tx.update(Escalation, escalation, withdrawn_at=tx.now)
    tx.event("escalation.withdrawn", work_item=row.work_item, escalation=escalation, why=why)


def withdraw_all(tx: Transaction, work_item: int, *, why: str, phase: str | None = None) -> None:
    """Withdraw what is still asked about a work item, or about one of its phases."""
    for row in reads.escalations(tx, work_item=work_item):
        if phase is None or row.phase == phase:
            withdraw(tx, row.id, why=why)


def _row(tx: Transaction, escalation: int) -> rows.EscalationRow:
    row = reads.escalation(tx, escalation)
    if row is None:
        raise UsageError(f"There is no escalation {escalation}; `apm escalation list` shows the open ones.")
    return row


def _open_row(tx: Transaction, escalation: int) -> rows.EscalationRow:
    row = _row(tx, escalation)
    state = states.escalation_state(row, tx.now)
    if state in ("resolved", "merged", "withdrawn", "expired"):
        raise UsageError(f"Escalation {escalation} is {state}{_by_whom(tx, escalation)}; nothing was changed.")
    return row


def _by_whom(tx: Transaction, escalation: int) -> str:
    given = [a for a in reads.answers(tx, escalation) if a.undone_at is None]
    return f" ({given[-1].option!r} by {given[-1].by})" if given else ""
