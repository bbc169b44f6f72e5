"""Reads of questions and answers. Lists are windows in the order of urgency, due time and age, each by an index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from peewee import SQL, fn

from core.store import rows, states
from core.store.reads import WAITING, Connection, build, is_open, is_waiting, of_work_item, select
from core.store.schema import Answer, Escalation, WorkItem

AT_ONCE = 500
"""Numbers in one statement; a database takes only so many parameters."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which open questions are meant; what is not given takes all of them.

    `section` is "needs-me", "overdue", "snoozed" or "acknowledged", at the moment `now`; `match` is part of the text.
    With `person`, "needs-me" is what needs that one, and otherwise what needs anybody.
    """

    section: str | None = None
    now: int = 0
    urgency: str | None = None
    kind: str | None = None
    assigned_to: str | None = None
    work_item: int | None = None
    match: str = ""
    person: str | None = None

    def conditions(self) -> Iterator[Any]:
        # Of one work item there are few: its own index finds them, the one of the open ones would be walked to its end.
        few = is_waiting() & (fn.COALESCE(Escalation.merged_into, 0) == 0)
        yield is_open() if self.work_item is None else few
        if self.section is not None:
            yield SQL(*section_sql(self.section, self.now, self.person))
        for column, value in (
            (Escalation.kind, self.kind),
            (Escalation.assigned_to, self.assigned_to),
            (Escalation.work_item, self.work_item),
        ):
            if value is not None:
                yield column == value
        if self.match:
            yield Escalation.question.contains(self.match)


SECTION_SQL: Mapping[str, str] = {
    "needs-me": '(COALESCE("snoozed_until", 0) <= ? AND COALESCE("acknowledged_until", 0) <= ?)',
    "overdue": '("due_at" IS NOT NULL AND "due_at" <= ?)',
    "snoozed": '(COALESCE("snoozed_until", 0) > ?)',
    "acknowledged": '(COALESCE("acknowledged_until", 0) > ? AND COALESCE("snoozed_until", 0) <= ?)',
}
"""Which of the open questions stand in a section, by the rules of `states`; each `?` is the moment (milliseconds).

Of columns of the index over the open ones alone, and never unknown, so that it can be turned round."""
SECTIONS = tuple(SECTION_SQL)
_OF_PERSON_SQL = '(COALESCE("assigned_to", ?) = ? OR ("due_at" IS NOT NULL AND "due_at" <= ?))'


def section_sql(section: str, now: int, person: str | None = None) -> tuple[str, tuple[int | str, ...]]:
    """The condition of a section with its values; with `person`, "needs-me" is by that one's `states.needs_me`."""
    text = SECTION_SQL[section]
    values = (now,) * text.count("?")
    if section != "needs-me" or person is None:
        return text, values
    return f"({text} AND {_OF_PERSON_SQL})", (*values, person, person, now)


def page(
    reader: Connection, asked: Asked = Asked(), *, limit: int = 500, after: rows.EscalationRow | None = None
) -> tuple[rows.EscalationRow, ...]:
    """The open questions that are meant, most urgent first (urgency, due time, age): `limit` of them, after one row."""
    found: list[rows.EscalationRow] = []
    wanted = states.URGENCIES if asked.urgency is None else (asked.urgency,)
    for urgency in wanted:
        if after is not None and states.URGENCIES.index(urgency) < states.URGENCIES.index(after.urgency):
            continue
        # One query for each urgency walks the index in order; one over all of them would sort every open row.
        query = select(rows.EscalationRow, Escalation).where(Escalation.urgency == urgency, *asked.conditions())
        if after is not None and urgency == after.urgency:
            query = query.where(_behind(after))
        query = query.order_by(Escalation.due_at, Escalation.id).limit(limit - len(found))
        found += build(rows.EscalationRow, Escalation, reader.rows(query))
        if len(found) >= limit:
            break
    return tuple(found)


def titled(reader: Connection, found: Sequence[rows.EscalationRow]) -> tuple[rows.EscalationRow, ...]:
    """The questions with the titles of their work items."""
    numbers = sorted({row.work_item for row in found if row.work_item is not None})
    titles: dict[int, str] = {}
    for at in range(0, len(numbers), AT_ONCE):
        some = WorkItem.id.in_(numbers[at : at + AT_ONCE])
        titles |= dict(reader.rows(WorkItem.select(WorkItem.id, WorkItem.title).where(some)))
    return tuple(replace(row, title=titles.get(row.work_item or 0, "")) for row in found)


def _behind(row: rows.EscalationRow) -> Any:
    """Behind this row in the order of due time (none comes first) and number."""
    later = Escalation.id > row.id
    if row.due_at is None:
        return (Escalation.due_at.is_null() & later) | Escalation.due_at.is_null(False)
    return (Escalation.due_at > row.due_at) | ((Escalation.due_at == row.due_at) & later)


def escalations(
    reader: Connection, *, open_only: bool = True, work_item: int | None = None, limit: int = 500
) -> tuple[rows.EscalationRow, ...]:
    """The open questions as `page` has them; with `open_only` False every one, the newest first."""
    if open_only:
        return page(reader, Asked(work_item=work_item), limit=limit)
    if work_item is not None:
        return of_work_item(reader, rows.EscalationRow, Escalation, work_item, newest=limit)
    query = select(rows.EscalationRow, Escalation).order_by(Escalation.id.desc()).limit(limit)
    return build(rows.EscalationRow, Escalation, reader.rows(query))


def waiting(reader: Connection, work_item: int) -> tuple[rows.EscalationRow, ...]:
    """What a work item waits for: its open questions, and those that wait with an open one they were merged into."""
    return of_work_item(reader, rows.EscalationRow, Escalation, work_item, only=WAITING)


def waiting_with(reader: Connection, key: str) -> int | None:
    """The question with this key that waits, by itself or merged into another one."""
    found = reader.one(Escalation.select(Escalation.id).where((Escalation.key == key) & is_waiting()).limit(1))
    return None if found is None else int(found[0])


def merged_into(reader: Connection, escalation: int) -> tuple[rows.EscalationRow, ...]:
    """The questions that wait for this one's answer because they were merged into it."""
    query = select(rows.EscalationRow, Escalation).where(Escalation.merged_into == escalation).order_by(Escalation.id)
    return build(rows.EscalationRow, Escalation, reader.rows(query))


def answers(reader: Connection, escalation: int) -> tuple[rows.AnswerRow, ...]:
    """Every answer that was given, late and undone ones too, the oldest first."""
    query = select(rows.AnswerRow, Answer).where(Answer.escalation == escalation).order_by(Answer.id)
    return build(rows.AnswerRow, Answer, reader.rows(query))


def answers_of(reader: Connection, work_item: int) -> tuple[tuple[rows.EscalationRow, rows.AnswerRow], ...]:
    """Every answer in force for a work item, oldest first, with its question."""
    asked = {e.id: e for e in of_work_item(reader, rows.EscalationRow, Escalation, work_item)}
    if not asked:
        return ()
    query = (
        select(rows.AnswerRow, Answer)
        .where(Answer.escalation.in_(list(asked)) & Answer.undone_at.is_null() & ~Answer.late)
        .order_by(Answer.id)
    )
    return tuple((asked[a.escalation], a) for a in build(rows.AnswerRow, Answer, reader.rows(query)))
