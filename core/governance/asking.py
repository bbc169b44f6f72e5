"""Asking back: a person wants to know something before they answer, and what is replied stands with the question.

While nobody has replied the question is silent, at most until it is due, and it stays due all the while. Whoever
raised it is told when it runs again; what a model replies by itself comes in by `reply` as well.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.contract import Json, UsageError
from core.governance import life
from core.governance.deadlines import HOUR_MS, MINUTE_MS, next_at
from core.governance.escalations import existing, open_row
from core.governance.persons import named_person
from core.governance.question_record import PREFIX, happenings
from core.sanitise import one_line, sanitise
from core.store import states
from core.store.reads import Connection
from core.store.rows import EscalationRow, EventRow
from core.store.schema import Escalation, Event
from core.store.transaction import Transaction

MOST_TEXT = 4_000
LONGEST_WAIT_MS = 7 * 24 * HOUR_MS
"""For a reply to a question that is never due."""
LATE_WAIT_MS = 30 * MINUTE_MS
"""For a reply to a question that is overdue already."""

ASKED, REPLIED, UNASKED = "asked_back", "replied", "unasked"
_KINDS = (ASKED, REPLIED, UNASKED)


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that was said about a question: `what` is "question" or "reply". `number` is its event's."""

    number: int
    what: str
    text: str
    by: str
    provenance: str
    """"human", or "agent" for a reply of whoever raised it."""
    at: int

    @property
    def is_by_person(self) -> bool:
        return self.provenance == "human"

    def to_json(self) -> Json:
        """For whoever is told of it when it runs again; moments are no concern of theirs."""
        return {"what": self.what, "text": self.text, "by": self.by, "provenance": self.provenance}


def thread(reader: Connection, escalation: EscalationRow) -> tuple[Said, ...]:
    """What was asked back and replied, the oldest first; without what was taken back before anybody replied."""
    return said_in(happenings(reader, escalation, kinds=_KINDS))


def threads_of(reader: Connection, work_item: int) -> dict[int, tuple[Said, ...]]:
    """The threads of a work item's questions by their numbers; a question that nobody asked about has none."""
    kinds = [PREFIX + kind for kind in _KINDS]
    where = (Event.work_item == work_item) & Event.kind.in_(kinds)
    query = Event.select(Event.seq, Event.at, Event.kind, Event.payload).where(where).order_by(Event.seq)
    found: dict[int, list[EventRow]] = {}
    for seq, at, kind, text in reader.rows(query):
        event = EventRow(seq, at, kind, work_item, json.loads(text))
        found.setdefault(event.payload["escalation"], []).append(event)
    return {number: said for number, events in found.items() if (said := said_in(events))}


def said_in(found: Sequence[EventRow]) -> tuple[Said, ...]:
    """The thread that is in a question's events; events of other kinds are passed over."""
    found = [e for e in found if e.kind.removeprefix(PREFIX) in _KINDS]
    taken_back = {e.payload["asked"] for e in found if e.kind.endswith(UNASKED)}
    return tuple(
        Said(
            e.seq,
            "reply" if e.kind.endswith(REPLIED) else "question",
            e.payload["text"],
            e.payload["by"],
            e.payload.get("provenance", "human"),
            e.at,
        )
        for e in found
        if not e.kind.endswith(UNASKED) and e.seq not in taken_back
    )


def open_ask(said: Sequence[Said]) -> Said | None:
    """The question of a thread that nobody has replied to."""
    return said[-1] if said and said[-1].what == "question" else None


def ask_back(tx: Transaction, escalation: int, text: str, *, by: str) -> int:
    """Ask whoever raised it, or whoever knows; the number of what was asked. The question waits for the reply.

    Raises UsageError when it is not open, when nothing is asked, and when a reply is still awaited.
    """
    row, person, asked = open_row(tx, escalation), named_person(tx, by), _text(text)
    if not asked:
        raise UsageError(f"Escalation {escalation}: say what you want to know before you answer it.")
    waiting = open_ask(thread(tx, row))
    if waiting is not None:
        raise UsageError(
            f"Escalation {escalation}: {waiting.by} has asked {one_line(waiting.text, 80)!r} and has no reply yet; "
            f"reply with `apm escalation reply {escalation} TEXT`."
        )
    until = _silent_until(row, tx.now)
    _silence(tx, row, acknowledged_at=tx.now, acknowledged_until=until, acknowledged_by=person)
    return tx.event(PREFIX + ASKED, work_item=row.work_item, escalation=row.id, by=person, text=asked, until=until)


def _silence(tx: Transaction, row: EscalationRow, **changes: Any) -> None:
    tx.update(Escalation, row.id, **changes, next_at=next_at(replace(row, **changes)))


def _silent_until(row: EscalationRow, now: int) -> int:
    if states.is_overdue(row, now):
        return now + LATE_WAIT_MS
    return now + LONGEST_WAIT_MS if row.due_at is None else min(row.due_at, now + LONGEST_WAIT_MS)


def reply(tx: Transaction, escalation: int, text: str, *, by: str, provenance: str = "human") -> int:
    """Reply to what was asked; the number of the reply. The question needs its person again.

    With the provenance "agent", `by` is the agent that raised it. Raises UsageError when nothing was asked, or the
    question is not open any more.
    """
    row, said = open_row(tx, escalation), _text(text)
    if provenance not in ("human", "agent"):
        raise ValueError(f"a reply is a person's or an agent's, not of {provenance!r}")
    name = named_person(tx, by) if provenance == "human" else one_line(by, 64)
    if not said:
        raise UsageError(f"Escalation {escalation}: an empty reply tells nothing.")
    asked = open_ask(thread(tx, row))
    if asked is None:
        raise UsageError(f"Escalation {escalation}: nothing was asked that waits for a reply.")
    _silence(tx, row, acknowledged_until=None)
    facts = {"text": said, "to": asked.number, "provenance": provenance}
    return tx.event(PREFIX + REPLIED, work_item=row.work_item, escalation=row.id, by=name, **facts)


def unask(tx: Transaction, before: EscalationRow, after: EscalationRow, *, asked: int, by: str) -> None:
    """Take back what was asked, with the silence it brought: the rows are those before and after it.

    Raises UsageError when somebody has replied.
    """
    row, person = existing(tx, before.id), named_person(tx, by)
    waiting = open_ask(thread(tx, row))
    if waiting is None or waiting.number != asked:
        raise UsageError(f"Escalation {before.id}: there is a reply to that already, so it cannot be taken back.")
    life.put_back(tx, before, after, by=person)
    tx.event(PREFIX + UNASKED, work_item=row.work_item, escalation=row.id, by=person, asked=asked)


def _text(text: str) -> str:
    return sanitise(text, limit=MOST_TEXT).strip()
