"""Questions that wait for a human: raised once however often asked, answered once, each on the record.

Every function runs inside a write's closure and leaves one event, or raises UsageError and leaves nothing. What may be
done to an open question besides answering it is in `core.governance.life`, what time does to it in `.clock`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from core.contract import Json, UsageError, canonical_json, digest_of
from core.governance import shown
from core.governance.answers import check_answer, words_of
from core.governance.deadlines import due_at, next_at
from core.governance.holding import held_by_all
from core.governance.options import Option as Option
from core.governance.persons import MOST_REASON, named_person, stated
from core.governance.settling import settle, settle_alike, settle_authority
from core.sanitise import one_line, sanitise
from core.store import reads, reads_escalations, rows, states
from core.store.schema import Answer, Escalation, WorkItem
from core.store.transaction import Transaction

PROVENANCES = ("human", "rule", "timeout")
"""Who or what an answer came from."""

AWAY_MS = 30 * 60_000
"""Who took longer from one thing to the next was not at it all the time: then the attention was not measured."""
TIME_OUT = "time-out"
"""Who an answer is by that nobody gave."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. `subject` tells one question from another of the same kind: equal subjects are one row.

    One that nobody answers within `expires_within_ms` expires; then `on_expiry`, the key of an option, is taken. What
    holds something back must say what is taken: nothing goes on because nobody looked.
    """

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
    expires_within_ms: int | None = None
    on_expiry: str | None = None

    @property
    def key(self) -> str:
        return digest_of({"kind": self.kind, "work_item": self.work_item, "subject": self.subject})

    @property
    def payload(self) -> Json:
        """Everything that the person is shown, bounded and clean."""
        # First of all, so that no details are so long that it is cut off with their end.
        details = self.details if self.on_expiry is None else {"on_expiry": self.on_expiry, **self.details}
        return shown.payload(
            self.question, self.missing, details, [o.to_json() for o in self.options], self.recommended
        )

    @property
    def payload_digest(self) -> str:
        """What an answer is bound to."""
        return digest_of(self.payload)


def raise_question(tx: Transaction, question: Question) -> int:
    """The escalation's number: a new row, or the one with the same key that waits, its counter one higher."""
    _check_expiry(question)
    waiting = reads_escalations.waiting_with(tx, question.key)
    if waiting is not None:
        return _raise_again(tx, waiting, question)
    due, within = due_at(question.urgency, tx.now), question.expires_within_ms
    expires = None if within is None else tx.now + within
    number = tx.insert(
        Escalation,
        kind=question.kind,
        key=question.key,
        urgency=question.urgency,
        work_item=question.work_item,
        phase=question.phase,
        round=question.round,
        blocks=question.blocks,
        chain=canonical_json([one_line(agent, 64) for agent in question.chain[: shown.MOST_ENTRIES]]),
        raised_at=tx.now,
        last_raised_at=tx.now,
        due_at=due,
        expires_at=expires,
        next_at=min((at for at in (due, expires) if at is not None), default=None),
        **_payload_columns(question),
    )
    tx.event("escalation.raised", work_item=question.work_item, escalation=number)
    if question.work_item is not None and is_over(tx, question.work_item):
        # It was cancelled while an agent was still at it; nobody needs to answer for work that is not done.
        withdraw(tx, number, why=f"work item {question.work_item} has come to its end")
    return number


def _check_expiry(question: Question) -> None:
    """Raises ValueError for an expiry that could not be carried out."""
    taken = question.on_expiry
    if taken is None:
        if question.blocks and question.expires_within_ms is not None:
            raise ValueError("a question that holds something back cannot expire without saying what is taken then")
    elif not any(o.key == taken and not o.asks for o in question.options):
        raise ValueError(f"what is taken on expiry must be an answer that needs no values; {taken!r} is none")


def is_over(tx: reads.Connection, work_item: int) -> bool:
    """Also of one that is in an archive."""
    facts = reads.work_item_facts(tx, work_item)
    return facts is None or facts.is_over


def _raise_again(tx: Transaction, number: int, question: Question) -> int:
    row = existing(tx, number)
    columns = _payload_columns(question)
    is_same = row.payload_digest == columns["payload_digest"]
    is_sooner = states.URGENCIES.index(question.urgency) < states.URGENCIES.index(row.urgency)
    if row.merged_into is not None:
        target = existing(tx, row.merged_into)
        if is_same and not is_sooner:
            tx.update(Escalation, target.id, count=target.count + 1)
        else:
            # What was merged was another question than this is now.
            row = _separate(tx, row, target)
    changed = {} if is_same else columns
    if row.expires_at is not None and row.blocks and question.on_expiry is None:
        row = replace(row, expires_at=None)
        changed |= {"expires_at": None, "next_at": next_at(row)}
    blocks = held_by_all(row.blocks, question.blocks)
    if blocks != row.blocks:
        changed |= {"blocks": blocks}
    if is_sooner:
        # Whoever silenced it silenced something less urgent.
        due = min((at for at in (row.due_at, due_at(question.urgency, tx.now)) if at is not None), default=None)
        sooner = replace(row, urgency=question.urgency, due_at=due, acknowledged_until=None, snoozed_until=None)
        changed |= {"urgency": question.urgency, "due_at": due, "next_at": next_at(sooner)}
        changed |= {"acknowledged_until": None, "snoozed_until": None}
    tx.update(Escalation, number, count=row.count + 1, last_raised_at=tx.now, **changed)
    tx.event("escalation.raised_again", work_item=question.work_item, escalation=number)
    return number


def hold_back(tx: Transaction, escalation: int, blocks: str) -> None:
    """The open question holds this back as well; nothing where it does already, or is answered."""
    row = existing(tx, escalation)
    widened = held_by_all(row.blocks, blocks)
    if states.escalation_state(row, tx.now) not in ("resolved", "withdrawn", "expired") and widened != row.blocks:
        tx.update(Escalation, escalation, blocks=widened)
        tx.event("escalation.widened", work_item=row.work_item, escalation=escalation, blocks=widened)


def open_with(tx: Transaction, key: str) -> rows.EscalationRow | None:
    """The open question with that key."""
    row = tx.one(Escalation.select(Escalation.id).where((Escalation.key == key) & reads.is_open()))
    return None if row is None else existing(tx, int(row[0]))


def _payload_columns(question: Question) -> Json:
    payload = question.payload
    return {
        "question": payload["question"],
        "missing": canonical_json(payload["missing"]),
        "details": canonical_json(payload["details"]),
        "options": canonical_json(payload["options"]),
        "recommended": payload["recommended"],
        "payload_digest": digest_of(payload),
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
    """Answer a question and those that were merged into it; the answer's number.

    A question that expired or was withdrawn takes the answer too, kept as late. Raises UsageError when the number
    is unknown, the question already answered, the option not offered, a value missing or misshapen, a reason
    missing (every human answer but the recommended one needs it) or too long, the name no person's, or what was shown
    is not what is asked now.
    """
    row = existing(tx, escalation)
    state = states.escalation_state(row, tx.now)
    if state == "resolved" and provenance == "human" and _timed_out(tx, row):
        state = "expired"
    chosen = _offered(tx, row, state, option)
    if shown_digest is not None and shown_digest != row.payload_digest:
        raise UsageError(f"Escalation {escalation} {shown.difference(tx, row, shown_digest)}")
    if provenance == "human":
        by, reason = named_person(tx, by), stated(reason)
        if not reason and chosen.get("explains"):
            reason = words_of(answer)
        if option != row.recommended and not reason.strip():
            raise UsageError(
                f"Escalation {escalation}: {option!r} is not the recommended answer, so it needs a reason."
            )
    elif provenance not in PROVENANCES or not by.strip():
        raise ValueError(f"an answer is one of {', '.join(PROVENANCES)} and by somebody; not {provenance!r} by {by!r}")
    late = state in ("expired", "withdrawn")
    values = check_answer(escalation, chosen.get("asks", {}), answer, chosen.get("names"))
    # What a person said is within the limit; what the values say stands whole in the answer.
    reason = sanitise(reason, limit=MOST_REASON).strip()
    given = _Given(option, values, reason, by, provenance, late)
    number = _keep(tx, row, given)
    if late:
        _resolve_late(tx, row, given, chosen, has_expired=state == "expired")
        return number
    merged = reads_escalations.merged_into(tx, escalation)
    ended = {escalation: _resolve(tx, row, given, chosen)}
    copied = given if provenance == "timeout" else replace(given, by=f"escalation {escalation}", provenance="rule")
    for other in merged:
        _keep(tx, other, copied)
        ended[other.id] = _resolve(tx, other, copied, next(o for o in other.options if o["key"] == option))
    # Only now, as each of them may be of a work item that another of them has ended.
    for answered, item in ended.items():
        if item is not None:
            withdraw_all(tx, item, why=f"work item {item} was stopped by {given.by}", answered=answered)
    return number


def _resolve_late(tx: Transaction, row: rows.EscalationRow, given: _Given, chosen: Json, *, has_expired: bool) -> None:
    """What an answer does that came once its question had ended: settle what expired, and nothing of what was
    withdrawn."""
    over = _ended(tx, row, chosen) if has_expired else None
    if has_expired:
        settle(tx, row, given.option, by=given.by, provenance=given.provenance, reason=given.reason)
    told = {"escalation": row.id, "by": given.by, "provenance": given.provenance}
    tx.event("escalation.answered_late", work_item=row.work_item, **told)
    if over is not None:
        withdraw_all(tx, over, why=f"work item {over} was stopped by {given.by}", answered=row.id)


@dataclass(frozen=True, slots=True)
class _Given:
    """An answer as it is kept."""

    option: str
    values: Json
    reason: str
    by: str
    provenance: str
    late: bool


def _keep(tx: Transaction, row: rows.EscalationRow, given: _Given) -> int:
    attention = _attention_seconds(tx, row, given.by) if given.provenance == "human" else None
    waited = tx.now - row.raised_at
    return tx.insert(
        Answer,
        escalation=row.id,
        option=given.option,
        answer=canonical_json(given.values),
        reason=given.reason,
        by=given.by,
        provenance=given.provenance,
        payload_digest=row.payload_digest,
        seconds_to_answer=waited / 1000 if waited >= 0 else None,
        attention_seconds=attention,
        late=given.late,
        at=tx.now,
    )


def _attention_seconds(tx: Transaction, row: rows.EscalationRow, by: str) -> float | None:
    """From when the person could begin with it to now, as far as that tells how long they were at it."""
    before = tx.one(Answer.select(Answer.at).where(Answer.by == by).order_by(Answer.id.desc()).limit(1))
    seen = row.acknowledged_at if row.acknowledged_by == by else None
    began = max(row.raised_at, seen or 0, 0 if before is None else int(before[0]))
    spent = tx.now - began
    # Answers of one moment were given together; how long each of them took cannot be told.
    return spent / 1000 if 0 < spent <= AWAY_MS else None


def _resolve(tx: Transaction, row: rows.EscalationRow, given: _Given, chosen: Json) -> int | None:
    """The question has its answer: what hangs on it is settled. The work item, where the answer has ended it."""
    tx.update(Escalation, row.id, resolved_at=tx.now, next_at=None)
    ended = _ended(tx, row, chosen)
    settle(tx, row, given.option, by=given.by, provenance=given.provenance, reason=given.reason)
    tx.event(
        "escalation.resolved", work_item=row.work_item, escalation=row.id, by=given.by, provenance=given.provenance
    )
    settle_authority(tx, row, given.option, by=given.by, reason=given.reason)
    settle_alike(tx, row, given.option)
    return ended


def _ended(tx: Transaction, row: rows.EscalationRow, chosen: Json) -> int | None:
    """End the question's work item where the chosen answer does; its number, None where none has come to its end."""
    if not chosen.get("ends") or row.work_item is None or is_over(tx, row.work_item):
        return None
    tx.update(WorkItem, row.work_item, **{"failed_at" if chosen.get("fails") else "cancelled_at": tx.now})
    return row.work_item


def _timed_out(tx: Transaction, row: rows.EscalationRow) -> bool:
    """Whether all that answered it was the time."""
    given = [answer for answer in reads_escalations.answers(tx, row.id) if answer.undone_at is None]
    return bool(given) and all(answer.provenance == "timeout" for answer in given)


def _offered(tx: Transaction, row: rows.EscalationRow, state: str, option: str) -> Json:
    """The option that is chosen; raises UsageError when the question takes no answer any more, or not this one."""
    if state == "resolved":
        raise UsageError(f"Escalation {row.id} is already answered{_by_whom(tx, row)}.")
    if state == "merged":
        raise UsageError(f"Escalation {row.id} was merged into {row.merged_into}; answer that one.")
    chosen = next((o for o in row.options if o["key"] == option), None)
    if chosen is None:
        legal = ", ".join(o["key"] for o in row.options)
        raise UsageError(f"Escalation {row.id} does not offer {one_line(option, 64)!r}; its answers are {legal}.")
    return chosen


def withdraw(tx: Transaction, escalation: int, *, why: str, answered: int | None = None) -> None:
    """The question no longer stands; `why` goes on the record. Nobody decided anything.

    `answered` is the escalation whose answer left it without a point: taking that back brings this one back.
    """
    row = open_row(tx, escalation)
    tx.update(Escalation, escalation, withdrawn_at=tx.now, next_at=None)
    facts = {} if answered is None else {"answered": answered}
    tx.event("escalation.withdrawn", work_item=row.work_item, escalation=escalation, why=why, **facts)
    release_merged(tx, escalation)


def release_merged(tx: Transaction, escalation: int) -> None:
    """The question closes without an answer: those that were merged into it stand by themselves again."""
    for row in reads_escalations.merged_into(tx, escalation):
        _separate(tx, row, existing(tx, escalation))


def _separate(tx: Transaction, row: rows.EscalationRow, target: rows.EscalationRow) -> rows.EscalationRow:
    """Let it stand by itself again; how often it was raised is not counted by `target` any more."""
    tx.update(Escalation, row.id, merged_into=None, next_at=next_at(row))
    tx.update(Escalation, target.id, count=max(target.count - row.count, 1))
    tx.event("escalation.separated", work_item=row.work_item, escalation=row.id, into=row.merged_into)
    return existing(tx, row.id)


def withdraw_all(
    tx: Transaction, work_item: int, *, why: str, phase: str | None = None, answered: int | None = None
) -> None:
    """Withdraw what is still asked about a work item, or about one of its phases."""
    for row in reads_escalations.waiting(tx, work_item):
        if phase is None or row.phase == phase:
            merged_into = existing(tx, row.id).merged_into
            if merged_into is not None:
                _separate(tx, row, existing(tx, merged_into))
            withdraw(tx, row.id, why=why, answered=answered)


def existing(reader: reads.Connection, escalation: int) -> rows.EscalationRow:
    """Raises UsageError for a number that is none."""
    row = reads.escalation(reader, escalation)
    if row is None:
        raise UsageError(f"There is no escalation {escalation}; `apm escalation list` shows the open ones.")
    return row


def open_row(tx: Transaction, escalation: int) -> rows.EscalationRow:
    """The row of a question that waits. Raises UsageError for one that does not."""
    row = existing(tx, escalation)
    state = states.escalation_state(row, tx.now)
    if state == "merged":
        raise UsageError(f"Escalation {escalation} was merged into {row.merged_into}; nothing was changed.")
    if state in ("resolved", "withdrawn", "expired"):
        raise UsageError(f"Escalation {escalation} is {state}{_by_whom(tx, row)}; nothing was changed.")
    return row


def _by_whom(tx: Transaction, row: rows.EscalationRow) -> str:
    """The answer that stands, in the words that a person chose it by, and whose it is."""
    given = [a for a in reads_escalations.answers(tx, row.id) if a.undone_at is None]
    if not given:
        return ""
    label = next((one_line(o["label"], 120) for o in row.options if o["key"] == given[-1].option), given[-1].option)
    return f" ({label!r} by {given[-1].by})"
