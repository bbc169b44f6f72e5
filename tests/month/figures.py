"""The shapes in which both sides count: the script from its plan, and the product's tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields

from tests.month.days import WEEKS, week_of

AGENTS = ("technical", "strategy", "ux", "gtm")


@dataclass(frozen=True, slots=True)
class Count:
    """What one agent's choices came to in a week. Each figure belongs to the week in which it happened.

    `raised` are choices that came up, the same question once more among them (`again`); `answered` are persons'
    answers that are in force and came in time, `accepted` those exactly as recommended; `undone` answers that were
    taken back; `breached` are questions that were not answered when they were due. Requests for a permission that is
    of no use later may have `expired`, or have had the answer of a time-out; `late` answers came after that.
    """

    raised: int = 0
    again: int = 0
    decided: int = 0
    escalated: int = 0
    answered: int = 0
    accepted: int = 0
    undone: int = 0
    reversed: int = 0
    breached: int = 0
    expired: int = 0
    timed_out: int = 0
    late: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(*(getattr(self, name) + getattr(other, name) for name in COLUMNS))


COLUMNS = tuple(f.name for f in fields(Count))


@dataclass(frozen=True, slots=True)
class Conflicts:
    """Of one week: how many came up, how many a rule and a person settled, whose questions were due unanswered."""

    raised: int = 0
    by_rule: int = 0
    by_person: int = 0
    breached: int = 0


CONFLICT_COLUMNS = tuple(f.name for f in fields(Conflicts))

Happened = tuple[str, str, int]
"""One thing that is counted: whose it is ("" for a conflict's), the column, the moment."""


@dataclass(frozen=True, slots=True)
class Week:
    agents: tuple[tuple[str, Count], ...]
    conflicts: Conflicts

    @property
    def total(self) -> Count:
        return sum((count for _, count in self.agents), Count())


@dataclass(frozen=True, slots=True)
class Moments:
    """When, to the millisecond, everything happened that a column of an agent, or of the conflicts, counts."""

    agent: str
    column: str
    at: tuple[int, ...]


def moments_of(happened: Iterable[Happened]) -> tuple[Moments, ...]:
    found: dict[tuple[str, str], list[int]] = {}
    for agent, column, moment in happened:
        found.setdefault((agent, column), []).append(moment)
    return tuple(Moments(*key, tuple(sorted(moments))) for key, moments in sorted(found.items()))


def weeks_of(happened: Iterable[Happened]) -> tuple[Week, ...]:
    """The weeks' tables, from all that is counted one by one."""
    counted = Counter((week_of(moment), agent, column) for agent, column, moment in happened)
    return tuple(
        Week(
            tuple((a, Count(**{name: counted[week, a, name] for name in COLUMNS})) for a in AGENTS),
            Conflicts(**{name: counted[week, "", name] for name in CONFLICT_COLUMNS}),
        )
        for week in range(1, WEEKS + 1)
    )


DIGITS = 12
"""To which bounds are compared: they were reached by two ways."""


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """A scope proposal as both sides count it; `bound` is Wilson's, None for a collaboration or where n is 0.

    `saves` is what an expansion would: questions a week, seconds that an answer took, hours a week.
    """

    agent: str
    subject: str
    change: str
    n: int
    accepted: int
    bound: float | None
    saves: tuple[float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A kind at the moment of a review: answered by people under the present SOP, accepted, and why not proposed.

    `former` were answered under another SOP; `why` is "" where an expansion is proposed.
    """

    agent: str
    kind: str
    n: int
    accepted: int
    bound: float | None
    former: int
    mode: str
    why: str


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What a scope review left undecided, and how the kinds that the report follows stood."""

    at: int
    by: str
    lines: tuple[Line, ...]
    standings: tuple[Standing, ...]


@dataclass(frozen=True, slots=True)
class AtOnce:
    """A contraction that a person's reversal proposed without waiting for a review."""

    at: int
    line: Line


@dataclass(frozen=True, slots=True)
class Word:
    """What a person said to a proposal."""

    at: int
    word: str
    agent: str
    subject: str
    change: str
    reason: str


@dataclass(frozen=True, slots=True)
class Grant:
    """An authority that a person gave, and what the agent did with the kind from then on."""

    at: int
    agent: str
    kind: str
    mode: str
    decided_since: int
    asked_since: int


@dataclass(frozen=True, slots=True)
class Figures:
    """All that is counted on both sides."""

    weeks: tuple[Week, ...]
    moments: tuple[Moments, ...]
    reviews: tuple[Reviewed, ...]
    at_once: tuple[AtOnce, ...]
    words: tuple[Word, ...]
    grants: tuple[Grant, ...]
    briefings: int
    open_at_end: int
