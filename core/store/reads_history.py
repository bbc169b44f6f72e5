"""Reads of the journal as history: which events a filter lets through, in order, and the rows of a window of them.

The journal only grows, and its numbers have no gaps: without a filter the order is a range. With one it is found from
the newest event backwards, a stretch at a time, and then extended by what is new: a million events are not looked at
in one go. What a filter cannot see in an event's kind it looks for in two steps: SQL takes those that may match, Python
those that do.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any

from peewee import fn

from core.store.event_facts import DELEGATED, PERSON, RULE, TIME_OUT, EventFacts
from core.store.newest_first import NewestFirst, Without, pattern, whole_number
from core.store.reads import Connection
from core.store.reads_events import events_in_turn
from core.store.schema import Delegation, Event, Evidence


@dataclass(frozen=True, slots=True)
class Section:
    """A quick filter: events of these kinds (all where there are none), of which those that `holds` is true of."""

    kinds: frozenset[str] = frozenset()
    families: frozenset[str] = frozenset()
    holds: Callable[[EventFacts], bool] | None = None
    may_hold: Callable[[], Any] | None = None
    """The condition of the database under which it may be true."""
    with_commands: bool = False
    """Only events that came with commands which were run."""
    leaves_out: frozenset[str] = frozenset()
    """Kinds that are not meant, whatever else is."""

    def takes(self, kind: str) -> bool:
        if kind in self.leaves_out:
            return False
        is_named = kind in self.kinds or kind.partition(".")[0] in self.families
        return is_named or not (self.kinds or self.families)


_DECIDING = frozenset(
    {"decision", "escalation", "conflict", "scope", "authority", "work_item", "inbox", "context", "project"}
)
_ANSWERED = ("escalation.resolved", "escalation.answered_late")
"""Most of what is decided: these say by their provenance whose word it was."""
_RULED = ("decision.decided", "decision.escalated", "conflict.resolved", "conflict.escalated")


def _may_be_persons() -> Any:
    """A person's: it says so, or is signed and does not say that it was somebody else's."""
    is_human = Event.payload ** '%"provenance":"human"%'
    is_signed = Event.payload ** '%"by":"%'
    may_be_unsaid = Event.kind.not_in(_ANSWERED) | ~(Event.payload ** '%"provenance":"%')
    return is_human | (is_signed & may_be_unsaid) | (Event.kind == "work_item.created")


def _may_be_rules() -> Any:
    said = [Event.payload ** f'%"{name}"%' for name in ('provenance":"rule', 'provenance":"timeout', 'by":"time-out')]
    return reduce(or_, said) | Event.kind.in_(_RULED)


MODEL_STEPS = frozenset({"delegation.turn", "spend.reserved", "spend.settled"})
"""What comes with every call of a model: a hundred of them tell less than the answer that they end in."""
USUAL = "usual"
SECTIONS: Mapping[str, Section] = {
    USUAL: Section(leaves_out=MODEL_STEPS),
    "all": Section(),
    "people": Section(
        families=_DECIDING,
        holds=lambda event: event.who.provenance == PERSON,
        may_hold=_may_be_persons,
    ),
    "rules": Section(
        families=_DECIDING,
        holds=lambda event: event.who.provenance in (RULE, TIME_OUT),
        may_hold=_may_be_rules,
    ),
    "gates": Section(frozenset({"phase.passed", "phase.blocked", "phase.sent_back", "phase.failed", "phase.void"})),
    "delegations": Section(families=frozenset({"delegation"}), leaves_out=MODEL_STEPS),
    "calls": Section(frozenset({"delegation.turn"}), families=frozenset({"spend", "budget"})),
    "authority": Section(families=frozenset({"authority", "scope"})),
    "team": Section(families=frozenset({"agents"})),
    "commands": Section(frozenset({DELEGATED, "project.prepared"}), with_commands=True),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """Which events are meant. Words are casefolded; `words_of` says a kind in words, in which they are looked for."""

    wanted: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    section: str = "all"
    work_item: int | None = None
    words_of: Callable[[str], str] = field(default=str, compare=False)

    @property
    def is_by_index(self) -> bool:
        """Nothing is asked but perhaps whose work item they are, for which there is an index."""
        return not (self.wanted or self.refused) and self.section in (USUAL, "all")

    @property
    def is_everything(self) -> bool:
        return self.is_by_index and self.work_item is None and self.section == "all"

    @property
    def is_usual(self) -> bool:
        """Everything but the few kinds that are left out."""
        return self.is_by_index and self.work_item is None and self.section == USUAL


def matches(asked: Asked, event: EventFacts) -> bool:
    """Whether an event is meant: the rule that the queries here follow. `with_commands` is the queries' alone."""
    section, kind = SECTIONS[asked.section], event.kind or ""
    if asked.work_item is not None and event.work_item != asked.work_item:
        return False
    if not section.takes(kind) or (section.holds is not None and not section.holds(event)):
        return False
    text = asked.words_of(kind).casefold()
    return all(w in text or _names(event, w) for w in asked.wanted) and not any(
        w in text or _names(event, w) for w in asked.refused
    )


_NAMED = ("by", "agent", "phase", "name", "channel", "schedule", "key", "mode", "rule")


def _names(event: EventFacts, word: str) -> bool:
    """Whether who decided, or one of the names and numbers that the event is about, is meant by a word."""
    if whole_number(word) in (event.seq, *event.refs.values()):
        return True
    names = (event.who.name, *(event.facts.get(key) for key in _NAMED))
    return any(isinstance(name, str) and word in name.casefold() for name in names)


@dataclass(frozen=True, slots=True)
class History:
    """What was found so far. To be given back to `history`, which goes on from there.

    Events up to `head` were looked at, and of those all behind `low`: the newest first, a stretch at a time.
    """

    asked: Asked
    head: int
    low: int
    order: Sequence[int]
    found: array[int]

    @property
    def is_complete(self) -> bool:
        return self.low == 0


STRETCH = 50_000
"""Events that one reading looks at beyond what is new: a tenth of a second, and up to a second with words."""


def history(reader: Connection, asked: Asked, before: History | None = None, *, most: int = STRETCH) -> History:
    """The numbers of the events that are meant, newest first, as far as they were looked at."""
    head = newest(reader)
    if asked.is_everything:
        return History(asked, head, 0, range(head, 0, -1), array("q"))
    if asked.is_usual:
        return _usual(reader, asked, before, head, most)
    if before is None or before.asked != asked or before.head > head:
        low = 0 if asked.is_by_index else max(head - most, 0)
        return _history(asked, head, low, array("q", _matching(reader, asked, low, head)))
    count = len(before.order)
    # What was given out is a view of its first entries: to go on behind them changes nothing of it.
    found = before.found if len(before.found) == count else before.found[:count]
    found.extend(_matching(reader, asked, before.head, head))
    low = max(before.low - most, 0)
    if before.low:
        found = array("q", _matching(reader, asked, low, before.low)) + found
    return _history(asked, head, low, found)


def _usual(reader: Connection, asked: Asked, before: History | None, head: int, most: int) -> History:
    """The whole range at once; what is left out of it goes as it is found. A number without an event stays in it."""
    if before is None or before.asked != asked or before.head > head:
        has_called = reader.sql("SELECT EXISTS (SELECT 1 FROM spend) OR EXISTS (SELECT 1 FROM turns)")[0][0]
        low = max(head - most, 0) if has_called else 0
        left_out = array("q", _steps(reader, low, head) if has_called else ())
        return History(asked, head, low, Without(head, left_out), left_out)
    low = max(before.low - most, 0)
    older = array("q", _steps(reader, low, before.low))
    left_out = older + before.found + array("q", _steps(reader, before.head, head))
    return History(asked, head, low, Without(head, left_out), left_out)


def _steps(reader: Connection, after: int, until: int) -> list[int]:
    if until <= after:
        return []
    return sorted(_numbers(reader, [*_Stretch(after, until, None).of_events, Event.kind.in_(sorted(MODEL_STEPS))]))


def _history(asked: Asked, head: int, low: int, found: array[int]) -> History:
    return History(asked, head, low, NewestFirst(found, len(found)), found)


def newest(reader: Connection) -> int:
    """The number of the last event; 0 before the first."""
    row = reader.one(Event.select(fn.MAX(Event.seq)))
    return int(row[0]) if row and row[0] is not None else 0


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Events after a number and up to another one."""

    after: int
    until: int
    work_item: int | None

    @property
    def of_events(self) -> list[Any]:
        where = [(Event.seq > self.after) & (Event.seq <= self.until)]
        return where if self.work_item is None else [*where, Event.work_item == self.work_item]

    def of_delegations(self, reader: Connection) -> list[Any]:
        """Their rows stand in the order of their events, of which there is no index."""
        first, end = (_first_behind(reader, number) for number in (self.after, self.until))
        where = [(Delegation.id >= first) & (Delegation.id < end)]
        return where if self.work_item is None else [*where, Delegation.work_item == self.work_item]


def _first_behind(reader: Connection, event: int) -> int:
    """The number of the first delegation whose event is behind this one, found by halving."""
    row = reader.one(Delegation.select(fn.MAX(Delegation.id)))
    low, high = 1, int(row[0] or 0) + 1 if row else 1
    while low < high:
        middle = (low + high) // 2
        found = reader.sql("SELECT id, event FROM delegations WHERE id >= ? ORDER BY id LIMIT 1", (middle,))
        if found and found[0][1] <= event:
            low = found[0][0] + 1
        else:
            high = middle
    return low


def _matching(reader: Connection, asked: Asked, after: int, until: int) -> list[int]:
    """The numbers of what is meant in a stretch, ascending."""
    if until <= after:
        return []
    stretch = _Stretch(after, until, asked.work_item)
    if asked.is_by_index:
        left_out = sorted(SECTIONS[asked.section].leaves_out)
        return sorted(_numbers(reader, [*stretch.of_events, Event.kind.not_in(left_out)]))
    kinds = [row[0] for row in reader.rows(Event.select(Event.kind).where(*stretch.of_events).distinct())]
    found: set[int] = set()
    for lacking, those in _by_what_lacks(asked, kinds).items():
        found |= _of_kinds(reader, asked, stretch, those, lacking)
    return sorted(found)


def _of_kinds(
    reader: Connection, asked: Asked, stretch: _Stretch, kinds: Sequence[str], lacking: Sequence[str]
) -> set[int]:
    """What is meant of these kinds, whose own words lack some of those that are wanted."""
    section = SECTIONS[asked.section]
    if lacking or section.holds is not None:
        candidates = _candidates(reader, stretch, kinds, section, [[word] for word in lacking])
        return {event.seq for event in events_in_turn(reader, sorted(candidates)) if matches(asked, event)}
    if section.with_commands:
        every = _candidates(reader, stretch, kinds, section, [])
    else:
        every = set(_numbers(reader, [*stretch.of_events, Event.kind.in_(kinds)]))
    if not asked.refused:
        return every
    named = _candidates(reader, stretch, kinds, section, [asked.refused])
    return every - {event.seq for event in events_in_turn(reader, sorted(named)) if not matches(asked, event)}


def _by_what_lacks(asked: Asked, kinds: Collection[str]) -> dict[tuple[str, ...], list[str]]:
    """The kinds that may be meant, by the wanted words that they do not say themselves."""
    found: dict[tuple[str, ...], list[str]] = {}
    for kind in kinds:
        text = asked.words_of(kind).casefold()
        if SECTIONS[asked.section].takes(kind) and not any(word in text for word in asked.refused):
            found.setdefault(tuple(word for word in asked.wanted if word not in text), []).append(kind)
    return found


def _candidates(
    reader: Connection, stretch: _Stretch, kinds: Sequence[str], section: Section, words: Sequence[Sequence[str]]
) -> set[int]:
    """Numbers of events of these kinds that may name, of each group of words, one of them."""
    found: set[int] = set()
    if DELEGATED in kinds:
        named = [reduce(or_, (_may_be_of(word) for word in group)) for group in words]
        ran = [Delegation.id.in_(Evidence.select(Evidence.delegation))] if section.with_commands else []
        query = Delegation.select(Delegation.event).where(*stretch.of_delegations(reader), *named, *ran)
        found.update(row[0] for row in reader.rows(query))
    others = [kind for kind in kinds if kind != DELEGATED]
    if others:
        named = [reduce(or_, (_may_name(word) for word in group)) for group in words]
        named += [section.may_hold()] if section.may_hold is not None else []
        found.update(_numbers(reader, [*stretch.of_events, Event.kind.in_(others), *named]))
    return found


def _numbers(reader: Connection, conditions: Sequence[Any]) -> list[int]:
    return [row[0] for row in reader.rows(Event.select(Event.seq).where(*conditions))]


def _may_name(word: str) -> Any:
    return _is_numbered(word, Event.seq, Event.work_item) | (Event.payload ** pattern(word))


def _may_be_of(word: str) -> Any:
    """Of a delegation its row is looked at: a payload may be long, and there are many."""
    like = pattern(word)
    named = (Delegation.agent**like) | (Delegation.phase**like)
    return _is_numbered(word, Delegation.event, Delegation.work_item) | named


def _is_numbered(word: str, seq: Any, work_item: Any) -> Any:
    number = whole_number(word)
    return seq.in_([]) if number is None else (seq == number) | (work_item == number)
