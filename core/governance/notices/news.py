"""What of the journal's news becomes a notice, and what that notice says: one table by the kind of event."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from peewee import fn

from core.contract import Json
from core.governance.budgets import WHOSE, amount
from core.governance.notices import wording
from core.governance.notices.wording import Asked, Notice
from core.store import reads, reads_governance, states
from core.store.reads import Connection
from core.store.schema import Answer, Briefing, Event
from core.store.transaction import Transaction

RAISED, RAISED_AGAIN, ESCALATED = "escalation.raised", "escalation.raised_again", "escalation.escalated"
RESOLVED = "escalation.resolved"
"""News only where a time-out gave the answer: whoever answers knows it."""
BRIEFED = "briefing.made"
PASSED = "phase.passed"
"""News only of O1: the work item is released."""


@dataclass(frozen=True, slots=True)
class News:
    """An event that is worth telling."""

    seq: int
    at: int
    kind: str
    work_item: int | None
    facts: Json


@dataclass(frozen=True, slots=True)
class Telling:
    """How news of a question are told. `head` begins the subject and `news` the body, with the question's own facts.

    Of a question that is answered, or gone in another way, nothing is told unless that `tells_end`.
    """

    what: str
    head: str
    news: str = ""
    tells_end: bool = False


QUESTIONS: Mapping[str, Telling] = {
    RAISED: Telling("questions", "{urgency} question {id}"),
    ESCALATED: Telling(
        "questions", "Now {urgency}: question {id}", "This question has become more urgent: it is {urgency} now."
    ),
    "escalation.assigned": Telling(
        "questions", "For {assigned_to}: question {id}", "This question was handed to {assigned_to}. {note}"
    ),
    "escalation.reminded": Telling(
        "reminders", "Still waiting: question {id}", "Nobody has answered this question yet."
    ),
    "escalation.acknowledgement_ended": Telling(
        "reminders", "Waiting again: question {id}", "Somebody has seen this question, and it is still not answered."
    ),
    "escalation.snooze_ended": Telling(
        "reminders", "Waiting again: question {id}", "This question was put away for a while, and is back."
    ),
    "escalation.separated": Telling(
        "reminders", "Waiting again: question {id}", "The question that this one was merged into has no answer."
    ),
    "escalation.undone": Telling(
        "reminders", "Waiting again: question {id}", "The answer to this question was taken back."
    ),
    "escalation.expired": Telling(
        "questions",
        "Expired: question {id}",
        "Nobody has answered this question in its time. An answer is still taken, as a late one.",
        tells_end=True,
    ),
    "escalation.answered_late": Telling(
        "decisions", "Answered late: question {id}", "This question had ended before it was answered: {answer}.", True
    ),
    RESOLVED: Telling(
        "questions", "Timed out: question {id}", "Nobody answered this question in time: {answer}.", tells_end=True
    ),
}

_OVER = ("resolved", "withdrawn", "merged", "expired")
_ASKED = tuple(field.name for field in fields(Asked) if field.name != "title")
_STATE = ("resolved_at", "withdrawn_at", "expired_at", "merged_into", "snoozed_until", "acknowledged_until", "due_at")
_JSON = ("chain", "options")

# Written once: building a statement costs more than running it, and there is one for each notice.
_QUESTION_SQL = f"SELECT {', '.join((*_ASKED, *_STATE))} FROM escalations WHERE id = ?"
_TITLE_SQL = "SELECT title FROM work_items WHERE id = ?"
_STATE_SQL = f"SELECT {', '.join(_STATE)} FROM escalations WHERE id = ?"


@dataclass(frozen=True, slots=True)
class _Facts:
    """The stored facts that a question's state comes from."""

    resolved_at: int | None
    withdrawn_at: int | None
    expired_at: int | None
    merged_into: int | None
    snoozed_until: int | None
    acknowledged_until: int | None
    due_at: int | None


def key_of(kind: str, number: int) -> str:
    """A notice's key: of a raised question its number, of everything else the event that tells of it."""
    return f"{kind}:{number}"


def read_news(reader: Connection, after: int, limit: int) -> list[News]:
    """The next events that are worth telling, in order."""
    columns = (Event.seq, Event.at, Event.kind, Event.work_item, Event.payload)
    is_release = (Event.kind != PASSED) | (fn.json_extract(Event.payload, "$.phase") == "O1")
    told = (Event.seq > after) & Event.kind.in_(TOLD_KINDS) & is_release
    query = Event.select(*columns).where(told).order_by(Event.seq).limit(limit)
    return [News(seq, at, kind, item, json.loads(facts)) for seq, at, kind, item, facts in reader.rows(query)]


def notice_of(tx: Transaction, news: News) -> Notice | None:
    """What is told of an event; nothing of one whose subject has gone."""
    if news.kind == RAISED_AGAIN:
        # A question that only comes up again is counted; one that has become more urgent thereby is told.
        return _notice(tx, ESCALATED, news) if _sets_urgency(news) else None
    if news.kind == RAISED:
        return question_notice(tx, RAISED, int(news.facts["escalation"]))
    if news.kind == RESOLVED and news.facts.get("provenance") != "timeout":
        return None
    return _notice(tx, news.kind, news) if news.kind in QUESTIONS else OTHERS[news.kind](tx, news)


def _notice(tx: Transaction, kind: str, news: News) -> Notice | None:
    return question_notice(tx, kind, int(news.facts["escalation"]), key=key_of(kind, news.seq))


def _sets_urgency(news: News) -> bool:
    return any(table == "escalations" and "urgency" in values for table, _, values in news.facts.get("rows", ()))


def question_notice(tx: Transaction, kind: str, number: int, *, key: str = "") -> Notice | None:
    """The notice about a question; None for a number that is none."""
    row = tx.sql(_QUESTION_SQL, (number,))
    if not row:
        return None
    found = row[0]
    asked = Asked(*(json.loads(value) if name in _JSON else value for name, value in zip(_ASKED, found, strict=False)))
    for (title,) in tx.sql(_TITLE_SQL, (asked.work_item,)) if asked.work_item is not None else ():
        asked = replace(asked, title=title)
    telling = QUESTIONS[kind]
    words = {
        "id": asked.id,
        "urgency": asked.urgency,
        "assigned_to": wording.cleaned_line(asked.assigned_to or "somebody", 60),
        "note": wording.cleaned(asked.note, wording.NOTE_CHARACTERS),
        "answer": _last_answer(tx, number) if "{answer}" in telling.news else "",
    }
    state = states.escalation_state(_Facts(*found[len(_ASKED) :]), tx.now)
    return Notice(
        key=key or key_of(kind, number),
        what=telling.what,
        subject=wording.question_subject(telling.head.format(**words), asked),
        body=wording.question_body(asked, telling.news.format(**words).strip()),
        urgency=asked.urgency,
        escalation=number,
        moot=f"the question is {state} already" if state in _OVER and not telling.tells_end else "",
    )


def end_of(tx: Transaction, key: str, escalation: int | None) -> str:
    """Why a queued notice need not be sent any more: its question has ended meanwhile. "" where it is to be sent."""
    telling = QUESTIONS.get(key.rpartition(":")[0])
    if telling is None or telling.tells_end or escalation is None:
        return ""
    found = tx.sql(_STATE_SQL, (escalation,))
    state = states.escalation_state(_Facts(*found[0]), tx.now) if found else "gone"
    return f"the question was {state} before this was sent" if state in (*_OVER, "gone") else ""


def _last_answer(reader: Connection, escalation: int) -> str:
    query = Answer.select(Answer.option, Answer.by, Answer.reason).where(Answer.escalation == escalation)
    found = reader.one(query.order_by(Answer.id.desc()))
    if found is None:
        return "the answer is on its record"
    option, by, reason = (str(value) for value in found)
    return wording.cleaned_line(f"{option!r} by {by}" + (f", because {reason}" if reason else ""))


def _reviewed(reader: Connection, news: News) -> Notice:
    numbers = [int(number) for number in news.facts.get("proposals", ())]
    count = "no proposal" if not numbers else "1 proposal" if len(numbers) == 1 else f"{len(numbers)} proposals"
    verb = "waits" if len(numbers) == 1 else "wait"
    lines = [wording.cleaned_line(line) for line in _proposals(reader, numbers[: wording.MOST_LINES])]
    how = "Decide: apm scope approve ID, or apm scope reject ID --reason TEXT. All of it: apm scope list"
    return Notice(
        key=key_of(news.kind, news.seq),
        what="reviews",
        subject=wording.subject(f"Scope review {news.facts.get('review')}: {count} {verb if numbers else 'to decide'}"),
        body=wording.body([wording.bullets(lines, len(numbers)), how if numbers else "Authority stays as it is."]),
    )


def _proposed(reader: Connection, news: News) -> Notice | None:
    return _proposal(reader, news, "A person took a decision back, so its owner's authority is put to the question.")


def _asked(reader: Connection, news: News) -> Notice | None:
    row = reads_governance.scope_proposal(reader, int(news.facts["proposal"]))
    wish = {} if row is None else row.analysis.get("asked_for", {})
    by, reason = (wording.cleaned(str(wish.get(key, "")), wording.NOTE_CHARACTERS) for key in ("by", "reason"))
    return _proposal(reader, news, f"{by or 'Somebody'} asks for it" + (f": {reason}" if reason else "."))


def _proposal(reader: Connection, news: News, why: str) -> Notice | None:
    number = int(news.facts["proposal"])
    lines = list(_proposals(reader, [number]))
    if not lines:
        return None
    how = f"Decide: apm scope approve {number}, or apm scope reject {number} --reason TEXT"
    return Notice(
        key=key_of(news.kind, news.seq),
        what="reviews",
        subject=wording.subject(f"Scope proposal {lines[0]}"),
        body=wording.body([why, wording.bullets(lines), how]),
    )


def _proposals(reader: Connection, numbers: Iterable[int]) -> Iterable[str]:
    rows = (reads_governance.scope_proposal(reader, number) for number in numbers)
    return (wording.proposal_line(row) for row in rows if row is not None)


def _briefed(reader: Connection, news: News) -> Notice | None:
    if not news.facts.get("send"):
        return None
    number = int(news.facts["briefing"])
    row = reader.one(Briefing.select(Briefing.date, Briefing.content, Briefing.at).where(Briefing.id == number))
    if row is None:
        return None
    content = json.loads(row[1])
    return Notice(
        key=key_of(news.kind, number),
        what="briefing",
        subject=wording.subject(f"Briefing of {row[0]}"),
        body=wording.briefing_body(content, int(row[2])),
    )


def _applied(_: Connection, news: News) -> Notice:
    counts = news.facts.get("counts", {})
    done = [f"{kind.replace('_', ' ')}: {number}" for kind, number in sorted(counts.items())]
    name, by = (wording.cleaned_line(str(news.facts.get(fact, "")), 80) for fact in ("name", "by"))
    return Notice(
        key=key_of(news.kind, news.seq),
        what="decisions",
        subject=wording.subject(f"Decisions applied: {name}"),
        body=wording.body([f"The decisions in {name} by {by} were applied, all of them.", wording.bullets(done)]),
    )


def _rejected(_: Connection, news: News) -> Notice:
    reasons: list[Any] = list(news.facts.get("reasons", ()))
    name = wording.cleaned_line(str(news.facts.get("name", "")), 80)
    found = int(news.facts.get("count", len(reasons)))
    text = f"{name} was refused as a whole; nothing of it was done. It lies in state/inbox/rejected/ with its reasons."
    return Notice(
        key=key_of(news.kind, news.seq),
        what="decisions",
        subject=wording.subject(f"Decisions refused: {name}: {reasons[0] if reasons else 'no reason is known'}"),
        body=wording.body([text, wording.bullets([str(reason) for reason in reasons], found)]),
    )


def _warned(_: Connection, news: News) -> Notice:
    facts = news.facts
    scope, unit = str(facts["scope"]), str(facts["unit"])
    whose = f"work item {facts['item']}'s" if scope == "work_item" else WHOSE[scope]
    told = f"{facts['percent']} % of {whose} budget is used"
    figures = f"{amount(unit, facts['spent'])} of {amount(unit, facts['limit'])}"
    text = f"{told}: {figures}. What has no room in it any more will wait for an answer."
    return Notice(
        key=key_of(news.kind, news.seq),
        what="questions",
        subject=wording.subject(f"Budget: {told}"),
        body=wording.body([text]),
    )


def _released(reader: Connection, news: News) -> Notice | None:
    item = None if news.work_item is None else reads.work_item_facts(reader, news.work_item)
    if item is None:
        return None
    released = [kept.id for kept in reads.artifacts(reader, item.id) if kept.type == "release.deployed"]
    version = f" as {reads.artifact_content(reader, released[-1])['version']['to']}" if released else ""
    project = None if item.project is None else reads.project(reader, item.project)
    where = "" if project is None else f" into {project.target} of {project.name}"
    told = f"#{item.id} {wording.cleaned_line(item.title, wording.TITLE_CHARACTERS)}"
    how = f"What was checked, and by whom: apm work-item show {item.id}"
    return Notice(
        key=key_of(news.kind, news.seq),
        what="releases",
        subject=wording.subject(f"Released{version}: {told}"),
        body=wording.body([wording.cleaned_line(f"#{item.id} {item.title} is released{version}{where}."), how]),
    )


OTHERS: Mapping[str, Callable[[Connection, News], Notice | None]] = {
    "scope.reviewed": _reviewed,
    "scope.proposed": _proposed,
    "scope.asked": _asked,
    BRIEFED: _briefed,
    "inbox.applied": _applied,
    "inbox.rejected": _rejected,
    "budget.warned": _warned,
    PASSED: _released,
}

TOLD_KINDS = (*QUESTIONS, RAISED_AGAIN, *OTHERS)
