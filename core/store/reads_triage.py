"""Reads for clearing many questions: how many stand in each section, who answered what today, what a bulk answer needs.

A bulk answer looks at thousands of questions; their details, which may be long, are not read for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from peewee import SQL

from core.store.reads import Connection, build
from core.store.reads_escalations import SECTION_SQL, section_sql, titled
from core.store.rows import EscalationRow
from core.store.schema import Escalation
from core.store.transaction import MS_PER_DAY

CHUNK = 500
"""Numbers in one statement; a database takes only so many parameters."""

_OPEN = "resolved_at IS NULL AND withdrawn_at IS NULL AND expired_at IS NULL AND COALESCE(merged_into, 0) = 0"
"""The condition of `reads.is_open`, written out: the merged ones are few, so their index would be the wrong one."""

_COUNTS = f"""
SELECT COUNT(*),
  COUNT(CASE WHEN {{needs_me}} THEN 1 END),
  COUNT(CASE WHEN {SECTION_SQL["overdue"]} THEN 1 END),
  COUNT(CASE WHEN urgency = 'IMMEDIATE' THEN 1 END),
  COUNT(CASE WHEN {SECTION_SQL["snoozed"]} THEN 1 END),
  COUNT(CASE WHEN {SECTION_SQL["acknowledged"]} THEN 1 END),
  COUNT(CASE WHEN assigned_to = ? THEN 1 END),
  MIN(CASE WHEN due_at > ? THEN due_at END),
  MIN(CASE WHEN snoozed_until > ? THEN snoozed_until END)
FROM escalations WHERE {_OPEN}
"""

_STANDS = 'FROM answers WHERE id > ? AND at < ? AND undone_at IS NULL AND "by" NOT LIKE ?'
_COPIES = "escalation %"
"""Who copies of an answer are by: questions that were merged into another one are answered with it, by no rule."""


@dataclass(frozen=True, slots=True)
class TriageCounts:
    """How many questions each section holds at one moment, and what is due next."""

    everything: int = 0
    needs_me: int = 0
    overdue: int = 0
    immediate: int = 0
    snoozed: int = 0
    seen: int = 0
    handed_to_me: int = 0
    next_due: int | None = None
    """The next moment (milliseconds) at which an open question falls due, whether or not somebody has seen it."""
    next_back: int | None = None
    """When the first one that was put away comes back."""
    by_person: int = 0
    by_rule: int = 0
    by_time_out: int = 0
    """Answers of today (UTC) that stand."""

    @property
    def answered(self) -> int:
        return self.by_person + self.by_rule + self.by_time_out


def triage_counts(reader: Connection, person: str, now: int) -> TriageCounts:
    needs_me, values = section_sql("needs-me", now, person)
    given = (*values, now, now, now, now, person, now, now)
    [counted] = reader.sql(_COUNTS.format(needs_me=needs_me), given)
    today = dict(reader.sql(f"SELECT provenance, COUNT(*) {_STANDS} GROUP BY provenance", _of_day(reader, now)))
    answered = (int(today.get(provenance, 0)) for provenance in ("human", "rule", "timeout"))
    return TriageCounts(*counted, *answered)


def _of_day(reader: Connection, now: int) -> tuple[int, int, str]:
    """What `_STANDS` takes for the day (UTC) that `now` lies in. To its end as well: a clock that was ahead leaves
    answers of days to come behind."""
    midnight = now // MS_PER_DAY * MS_PER_DAY
    return _last_answer_before(reader, midnight), midnight + MS_PER_DAY, _COPIES


def _last_answer_before(reader: Connection, moment: int) -> int:
    """The number of the last answer before that moment, 0 for none: looked for from the newest backwards."""
    found = reader.sql("SELECT id FROM answers WHERE at < ? ORDER BY id DESC LIMIT 1", (moment,))
    return int(found[0][0]) if found else 0


@dataclass(frozen=True, slots=True)
class AnsweredRow:
    """An answer that stands, with its question: `by` gave it, a person, a rule or the clock (`provenance`)."""

    id: int
    escalation: int
    question: str
    kind: str
    work_item: int | None
    label: str
    reason: str
    by: str
    provenance: str
    late: bool
    at: int
    is_recommended: bool


def answered_today(reader: Connection, now: int, provenance: str) -> tuple[int, ...]:
    """The numbers of today's (UTC) answers that stand, given by "human", "rule" or "timeout"; newest first."""
    given = (*_of_day(reader, now), provenance)
    found = reader.sql(f"SELECT id {_STANDS} AND provenance = ? ORDER BY id DESC", given)
    return tuple(int(number) for (number,) in found)


_ANSWERED = """
SELECT a.id, a.escalation_id, e.question, e.kind, e.work_item, a.option, a.reason, a."by", a.provenance, a.late, a.at,
  e.recommended, e.options
FROM answers a JOIN escalations e ON e.id = a.escalation_id WHERE a.id IN ({marks})
"""


def answered(reader: Connection, numbers: Sequence[int]) -> dict[int, AnsweredRow]:
    """Those answers, by number."""
    found: dict[int, AnsweredRow] = {}
    for chunk in _chunks(numbers):
        for columns in reader.sql(_ANSWERED.format(marks=",".join("?" * len(chunk))), chunk):
            row = _answered_row(*columns)
            found[row.id] = row
    return found


def _answered_row(
    number: int, escalation: int, question: str, kind: str, work_item: int | None, option: str, *others: Any
) -> AnsweredRow:
    reason, by, provenance, late, at, recommended, options = others
    label = next((str(o["label"]) for o in json.loads(options) if o["key"] == option), option)
    given = (label, reason, by, provenance, bool(late), at, option == recommended)
    return AnsweredRow(number, escalation, question, kind, work_item, *given)


_UNREAD = ("details", "missing", "chain")
"""Columns that may be long, and that say nothing about which answers a question takes."""


def asked(reader: Connection, numbers: Sequence[int]) -> dict[int, EscalationRow]:
    """Those questions, whatever has become of them, by number; without their details, what is missing and the chain."""
    found: dict[int, EscalationRow] = {}
    for chunk in _chunks(numbers):
        query = Escalation.select(*_BARE_COLUMNS).where(Escalation.id.in_(list(chunk)))
        found |= {row.id: row for row in titled(reader, build(EscalationRow, Escalation, reader.rows(query)))}
    return found


_BARE_COLUMNS = tuple(
    SQL("'{}'" if f.name == "details" else "'[]'") if f.name in _UNREAD else Escalation._meta.fields[f.name]
    for f in fields(EscalationRow)
    if f.metadata.get("column", True)
)


def digests(reader: Connection, numbers: Sequence[int]) -> dict[int, str]:
    """What each of those questions is at this moment, as the digest that an answer is bound to."""
    found: dict[int, str] = {}
    for chunk in _chunks(numbers):
        query = Escalation.select(Escalation.id, Escalation.payload_digest).where(Escalation.id.in_(list(chunk)))
        found |= {int(number): str(digest) for number, digest in reader.rows(query)}
    return found


def _chunks(numbers: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(numbers), CHUNK):
        yield numbers[start : start + CHUNK]
