"""Reads for lists of any length: the order of all rows as their numbers, and some of the rows by number.

An order is read often and may have 100,000 numbers, so each query of one walks an index or the table in its order, and
looks at no more than it needs. A filter is words that a row must hold and words that it must not, in small letters
("casefolded"). A row holds a word when one of these has it as a part, letters of either case being the same:

- a question: its urgency, or "snoozed" or "seen" where somebody has put it away or seen it; its kind; its text; the
  number of its work item with a `#`, that one's title and its project's name; its phase;
- a work item: its number with a `#`; its title; its type; its project's name; its state, in the words of
  `states.WORK_ITEM_STATES`, or "paused" where a pause keeps it from going on.

Databases know the cases of the letters a-z. A word with others is found in small letters, in capitals, and with a
capital first.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from operator import or_
from types import MappingProxyType
from typing import Any

from peewee import Case, Value, fn

from core.contract import PHASE_CODES
from core.store import reads, rows, rows_governance, states
from core.store.reads import Connection, build, is_waiting, select
from core.store.reads_escalations import AT_ONCE, SECTIONS, Asked, titled
from core.store.schema import Conflict, Escalation, Project, WorkItem

_ALWAYS = Value(1) == 1

Holds = Callable[[str], Any]
"""The condition that a row holds a word."""


# Questions


def escalation_order(
    reader: Connection,
    section: str | None,
    words: Sequence[str],
    refused: Sequence[str],
    now: int,
    *,
    urgency: str | None = None,
    assigned_to: str | None = None,
    person: str | None = None,
) -> array[int]:
    """The numbers of the open questions of a section (one of `SECTIONS`; None for all), filtered.

    Those that need an answer now (of that person, where one is named) come first; among them the most urgent, then
    those due first, then the oldest.
    """
    meant = tuple(Asked(section=section, now=now, assigned_to=assigned_to, person=person).conditions())
    _, needs = Asked(section="needs-me", now=now, person=person).conditions()
    found = array("q")
    for is_needed in _NEEDS.get(section, (True, False)):
        for level in states.URGENCIES if urgency is None else (urgency,):
            query = (
                Escalation.select(Escalation.id)
                .where(*meant, Escalation.urgency == level, needs if is_needed else ~needs)
                .where(*_filtered(_question_holds(level, is_needed, now), words, refused))
                .order_by(Escalation.due_at, Escalation.id)
            )
            found += reader.numbers(query)
    return found


_NEEDS: dict[str | None, tuple[bool, ...]] = {"needs-me": (True,), "snoozed": (False,), "acknowledged": (False,)}
"""Where a section lies, before or after the line between what needs an answer now and what does not."""


def escalations(reader: Connection, numbers: Sequence[int]) -> dict[int, rows.EscalationRow]:
    """Those questions, open or not, by number, with the titles of their work items."""
    found: dict[int, rows.EscalationRow] = {}
    for some in _chunks(numbers):
        query = select(rows.EscalationRow, Escalation).where(Escalation.id.in_(some))
        found |= {row.id: row for row in titled(reader, build(rows.EscalationRow, Escalation, reader.rows(query)))}
    return found


def section_counts(reader: Connection, now: int) -> dict[str | None, int]:
    """How many open questions each section holds; under None all of them."""
    conditions = [tuple(Asked(section=section, now=now).conditions())[1] for section in SECTIONS]
    counted = (fn.COUNT(Case(None, [(condition, 1)])) for condition in conditions)
    row = reader.one(Escalation.select(fn.COUNT(Escalation.id), *counted).where(reads.is_open()))
    return dict(zip((None, *SECTIONS), row or (), strict=True))


def next_change(reader: Connection, now: int) -> int | None:
    """The next moment (milliseconds) at which an open question needs an answer again, with nobody doing anything."""
    ends = (fn.MIN(Case(None, [(until > now, until)])) for until in (_SNOOZED, _SEEN))
    # What was handed to somebody else needs everybody once it is late.
    handed_over = Escalation.assigned_to.is_null(False) & (Escalation.due_at > now)
    late = fn.MIN(Case(None, [(handed_over, Escalation.due_at)]))
    row = reader.one(Escalation.select(*ends, late).where(reads.is_open()))
    return min((moment for moment in row or () if moment is not None), default=None)


_SNOOZED, _SEEN = Escalation.snoozed_until, Escalation.acknowledged_until


def _question_holds(urgency: str, is_needed: bool, now: int) -> Holds:
    """For questions of one urgency that need an answer now, or for those that do not: they rest, or are another's."""
    is_snoozed, is_seen = fn.COALESCE(_SNOOZED, 0) > now, fn.COALESCE(_SEEN, 0) > now

    def holds(word: str) -> Any:
        is_urgency = word in urgency.casefold()
        if is_needed and is_urgency:
            return _ALWAYS
        state: list[Any] = []
        if not is_needed:
            state += [is_snoozed] if word in "snoozed" else []
            state += [~is_snoozed & is_seen] if word in "seen" else []
            state += [~is_snoozed & ~is_seen] if is_urgency else []
        target = [_has_number(Escalation.work_item, word)] if _is_number(word) else []
        phase = [_has(fn.COALESCE(Escalation.phase, ""), word)] if _in_some(word, PHASE_CODES) else []
        named = fn.COALESCE(Escalation.work_item, 0).in_(_named(word))
        handed = _has(fn.COALESCE(Escalation.assigned_to, ""), word)
        own = (_has(Escalation.question, word), _has(Escalation.kind, word), named, handed)
        return _any((*state, *own, *target, *phase))

    return holds


def _named(word: str) -> Any:
    """The work items whose title, or whose project's name, holds a word."""
    projects = Project.select(Project.id).where(_has(Project.name, word))
    return WorkItem.select(WorkItem.id).where(_has(WorkItem.title, word) | WorkItem.project.in_(projects))


# Work items


def work_item_order(
    reader: Connection,
    words: Sequence[str],
    refused: Sequence[str],
    live: rows.LiveRow,
    shown: Mapping[str, str] = MappingProxyType({}),
) -> array[int]:
    """The numbers of the work items, filtered: work first, then what Evolution proposes and nobody has accepted, then
    what has come to its end; in each the newest first.

    `shown` are other words by which a state is found as well, by the state: those that stand on the screen.
    """
    names = {number: name.casefold() for number, name in reader.rows(Project.select(Project.id, Project.name))}
    found = array("q")
    is_advice = WorkItem.accepted_at.is_null() & (WorkItem.origin == "evolution")
    for is_ended, among in ((False, ~is_advice), (False, is_advice), (True, _ALWAYS)):
        holds = _work_item_holds(names, _states(is_ended, live.work_items), shown)
        query = (
            WorkItem.select(WorkItem.id)
            .where(_ended().is_null(not is_ended), among, *_filtered(holds, words, refused))
            .order_by(WorkItem.id.desc())
        )
        found += reader.numbers(query)
    return found


def work_items(
    reader: Connection, numbers: Sequence[int], live: rows.LiveRow | None = None
) -> dict[int, rows.WorkItemRow]:
    """Those work items with their phase cells, by number."""
    found: dict[int, rows.WorkItemRow] = {}
    for some in _chunks(numbers):
        found |= {row.id: row for row in reads.work_items(reader, among=some, limit=len(some), live=live)}
    return found


def work_item_count(reader: Connection) -> int:
    row = reader.one(WorkItem.select(fn.COUNT(WorkItem.id)))
    return int(row[0]) if row else 0


def _ended() -> Any:
    return fn.COALESCE(WorkItem.closed_at, WorkItem.cancelled_at, WorkItem.failed_at)


Cases = tuple[tuple[Any, str], ...]
"""Conditions and the word of each; the first one that holds says it."""


def _work_item_holds(projects: Mapping[int, str], states_: Cases, shown: Mapping[str, str]) -> Holds:
    def holds(word: str) -> Any:
        among = [number for number, name in projects.items() if word in name]
        project = [fn.COALESCE(WorkItem.project, 0).in_(among)] if among else []
        number = [_has_number(WorkItem.id, word)] if _is_number(word) else []
        every = dict.fromkeys(name for _, name in states_)
        named = [state for state in every if word in state or word in shown.get(state, "")]
        state = [Case(None, states_).in_(named)] if named else []
        return _any((*number, _has(WorkItem.title, word), _has(WorkItem.type, word), *project, *state))

    return holds


def _states(is_ended: bool, running: Sequence[int]) -> Cases:
    """`states.work_item_state` of those that have come to their end or have not, and "paused", as it is shown."""
    if is_ended:
        return (
            (WorkItem.cancelled_at.is_null(False), "cancelled"),
            (WorkItem.closed_at.is_null(False), "closed"),
            (_ALWAYS, "failed"),
        )
    asked = Escalation.select(Escalation.id).where(
        (Escalation.work_item == WorkItem.id) & is_waiting() & (Escalation.blocks != "")
    )
    is_running = WorkItem.id.in_(list(running))
    is_paused = WorkItem.paused_at.is_null(False)
    return (
        (WorkItem.accepted_at.is_null(), "proposed"),
        (is_running & is_paused, "paused"),
        (is_running, "running"),
        (fn.EXISTS(asked), "waiting"),
        (WorkItem.released_at.is_null(False), "released"),
        (is_paused, "paused"),
        (_ALWAYS, "ready"),
    )


# Words


def _filtered(holds: Holds, words: Iterable[str], refused: Iterable[str]) -> Iterator[Any]:
    yield from (holds(word) for word in words)
    yield from (~holds(word) for word in refused)


def _has(column: Any, word: str) -> Any:
    spellings = (word,) if word.isascii() else dict.fromkeys((word, word.upper(), word.capitalize()))
    return _any(column.contains(spelling) for spelling in spellings)


def _has_number(column: Any, word: str) -> Any:
    return Value("#").concat(fn.COALESCE(column.cast("TEXT"), "")).contains(word)


def _is_number(word: str) -> bool:
    return word.removeprefix("#").isdecimal() or word == "#"


def _in_some(word: str, texts: Iterable[str]) -> bool:
    return any(word in text.casefold() for text in texts)


def _any(conditions: Iterable[Any]) -> Any:
    return reduce(or_, conditions)


# Conflicts


def conflict_order(reader: Connection) -> array[int]:
    """The numbers of all conflicts: those that wait for a person first, then the newest."""
    is_settled = Conflict.resolved_at.is_null(False)
    return reader.numbers(Conflict.select(Conflict.id).order_by(is_settled, Conflict.at.desc(), Conflict.id.desc()))


def waiting_conflicts(reader: Connection) -> int:
    """How many conflicts wait for a person."""
    row = reader.one(Conflict.select(fn.COUNT(Conflict.id)).where(Conflict.resolved_at.is_null()))
    return int(row[0]) if row else 0


def conflicts(reader: Connection, numbers: Sequence[int]) -> dict[int, rows_governance.ConflictRow]:
    """Those conflicts, by number."""
    found: dict[int, rows_governance.ConflictRow] = {}
    for some in _chunks(numbers):
        query = select(rows_governance.ConflictRow, Conflict).where(Conflict.id.in_(some))
        found |= {row.id: row for row in build(rows_governance.ConflictRow, Conflict, reader.rows(query))}
    return found


def _chunks(numbers: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(numbers), AT_ONCE):
        yield list(numbers[start : start + AT_ONCE])
