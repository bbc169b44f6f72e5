"""The month counted from the plan alone: the rules are written here a second time, and nothing of the product is asked.

What is worked out here is what the product's tables have to say in the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from statistics import median
from typing import TypeVar

from tests.month import arithmetic, story
from tests.month.days import DAY, DAYS, END, HOUR, MINUTE, WEEK, at
from tests.month.deeds import (
    HUMAN,
    PROPOSED,
    Acknowledge,
    Answer,
    Ask,
    ChangeSop,
    Differ,
    Judge,
    Merge,
    Request,
    Reverse,
    Review,
    Settle,
    Snooze,
    Undo,
)
from tests.month.figures import (
    AGENTS,
    DIGITS,
    AtOnce,
    Count,
    Figures,
    Grant,
    Happened,
    Line,
    Reviewed,
    Standing,
    Word,
    moments_of,
    weeks_of,
)

D = TypeVar("D")

LIMIT = {"IMMEDIATE": HOUR, "DAILY": DAY}
COOL_DOWN = 4 * WEEK
AWAY = HOUR // 2
"""Who takes longer from one answer to the next was not at it all the time."""
LEAST_MEASURED = 5
NEVER = 2**63
OFTEN = 5
LEAST_CONFLICTS = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and its fate. `answers` are (moment, option, moment at which it was undone or None)."""

    name: str
    agent: str
    kind: str
    at: int
    urgency: str
    era: int
    answers: tuple[tuple[int, str, int | None], ...]
    merged_at: int | None = None
    silences: tuple[tuple[int, int], ...] = ()
    expires_at: int = NEVER

    def in_force(self, moment: int) -> tuple[int, str] | None:
        """The answer that holds at a moment."""
        given = [a for a in self.answers if a[0] < moment and (a[2] is None or a[2] > moment)]
        return given[-1][:2] if given else None

    def is_open(self, moment: int) -> bool:
        gone = (self.merged_at is not None and self.merged_at <= moment) or self.expires_at <= moment
        return not gone and self.in_force(moment) is None

    @property
    def breached_at(self) -> int | None:
        """When it was due and nobody had answered; while it is put away or seen, that waits."""
        due = self.at + LIMIT[self.urgency]
        for begins, ends in sorted(self.silences):
            due = ends if begins <= due < ends else due
        return due if due < END and self.is_open(due) else None

    def is_accepted(self, moment: int) -> bool:
        """Exactly as recommended, and never otherwise after it had been."""
        return self.in_force(moment) is not None and all(o == PROPOSED for t, o, _ in self.answers if t < moment)


@cache
def deeds(kind: type[D]) -> tuple[D, ...]:
    return tuple(deed for deed in story.story() if isinstance(deed, kind))


@cache
def questions() -> tuple[Asked, ...]:
    """What people are asked about decisions; a question that is put again is one."""
    merged = {deed.ask: deed.at for deed in deeds(Merge)}
    return tuple(
        Asked(
            *(ask.name, ask.agent, ask.kind, ask.at, story.urgency(ask), era(ask.agent, ask.at)),
            _answers(ask.name),
            merged.get(ask.name),
            _silences(ask.name),
        )
        for ask in deeds(Ask)
        if story.waits(ask) and not ask.again
    )


def era(agent: str, moment: int) -> int:
    """How often the agent's SOP was changed before: a record is of one era."""
    return sum(deed.agent == agent and deed.at <= moment for deed in deeds(ChangeSop))


def _answers(name: str) -> tuple[tuple[int, str, int | None], ...]:
    undone = [deed.at for deed in deeds(Undo) if deed.ask == name]
    return tuple(
        (deed.at, deed.option, next((when for when in undone if when > deed.at), None))
        for deed in deeds(Answer)
        if deed.ask == name
    )


def _silences(name: str) -> tuple[tuple[int, int], ...]:
    seen = [(deed.at, deed.at + deed.minutes * MINUTE) for deed in deeds(Acknowledge) if deed.ask == name]
    return (*seen, *((deed.at, deed.until) for deed in deeds(Snooze) if deed.ask == name))


@cache
def requests() -> tuple[Asked, ...]:
    """Permissions in the same shape; who asked for one in time is not asked what became of it later."""
    return tuple(Asked(r.name, r.agent, "", r.at, "DAILY", 0, (), expires_at=r.at + r.within) for r in deeds(Request))


@cache
def disputes() -> tuple[Asked, ...]:
    """The questions that conflicts led to, in the same shape."""
    settled = {deed.conflict: deed for deed in deeds(Settle)}
    found = []
    for deed in deeds(Differ):
        if not deed.winner:
            urgency = "IMMEDIATE" if story.MILESTONE in deed.tags else "DAILY"
            answer = ((settled[deed.name].at, settled[deed.name].winner, None),)
            found.append(Asked(deed.name, deed.between[0], "", deed.at, urgency, 0, answer))
    return tuple(found)


def happened() -> Iterator[Happened]:
    """Everything that is counted, one by one."""
    for ask in deeds(Ask):
        yield ask.agent, "raised", ask.at
        yield ask.agent, "again" if ask.again else "escalated" if story.waits(ask) else "decided", ask.at
    for asked in questions():
        if held := asked.in_force(END):
            yield asked.agent, "answered", held[0]
            if held[1] == PROPOSED:
                yield asked.agent, "accepted", held[0]
        yield from ((asked.agent, "undone", undone) for _, _, undone in asked.answers if undone is not None)
    for asked in (*questions(), *requests()):
        if asked.breached_at is not None:
            yield asked.agent, "breached", asked.breached_at
    yield from ((ask.agent, "reversed", deed.at) for deed, ask in _reversed())
    yield from _of_requests()
    yield from _in_conflicts()


def _of_requests() -> Iterator[Happened]:
    for deed in deeds(Request):
        yield deed.agent, "timed_out" if deed.otherwise else "expired", deed.at + deed.within
        yield from ((deed.agent, "late", answer.at) for answer in deeds(Answer) if answer.ask == deed.name)


def _in_conflicts() -> Iterator[Happened]:
    for deed in deeds(Differ):
        yield "", "raised", deed.at
        if deed.winner:
            yield "", "by_rule", deed.at
    yield from (("", "by_person", deed.at) for deed in deeds(Settle))
    yield from (("", "breached", asked.breached_at) for asked in disputes() if asked.breached_at is not None)


def review_moments() -> list[tuple[int, str]]:
    """Mondays at nine, and when a person asks for one."""
    mondays = [(at(day, "09:00"), "schedule") for day in range(1, DAYS + 1, 7)]
    return sorted([*mondays, *((deed.at, "ada") for deed in deeds(Review))])


def reviews() -> tuple[Reviewed, ...]:
    found, last = [], None
    for moment, by in review_moments():
        since = min(moment - WEEK, moment if last is None else last)
        lines = tuple(sorted(line for agent in AGENTS for line in _lines(agent, moment, since)))
        standings = tuple(standing(t.agent, t.kind, moment) for t in story.watched())
        found.append(Reviewed(moment, by, lines, standings))
        last = moment
    return tuple(found)


def record(agent: str, kind: str, moment: int) -> tuple[int, int]:
    """Questions of the present era that people had answered by then, and those as recommended."""
    own = [asked for asked in _answered(agent, kind, moment) if asked.era == era(agent, moment)]
    return len(own), sum(asked.is_accepted(moment) for asked in own)


def _answered(agent: str, kind: str, moment: int) -> list[Asked]:
    own = [asked for asked in questions() if (asked.agent, asked.kind, asked.merged_at) == (agent, kind, None)]
    return [asked for asked in own if asked.in_force(moment)]


def standing(agent: str, kind: str, moment: int) -> Standing:
    n, accepted = record(agent, kind, moment)
    former = len(_answered(agent, kind, moment)) - n
    mode = story.mode_at(agent, kind, moment)
    return Standing(agent, kind, n, accepted, _bound(accepted, n), former, mode, why_not(agent, kind, moment))


def _bound(accepted: int, n: int) -> float | None:
    return round(float(arithmetic.bound(accepted, n)), DIGITS) if n else None


def why_not(agent: str, kind: str, moment: int) -> str:
    """The first thing that speaks against proposing that the agent decide the kind itself."""
    n, accepted = record(agent, kind, moment)
    if story.mode_at(agent, kind, moment) == "autonomous":
        return "decides it already"
    if (agent, kind) in story.CEILINGS:
        return "ceiling"
    if n < arithmetic.NEEDS_ANSWERS:
        return "too few answers"
    if not arithmetic.is_earned(accepted, n):
        return "bound too low"
    return "cool-down" if (kind, "expansion") in _cooling(agent, moment) else ""


def _lines(agent: str, moment: int, since: int) -> Iterator[Line]:
    kinds = sorted({ask.kind for ask in deeds(Ask) if ask.agent == agent and ask.at < moment})
    for kind in kinds:
        n, accepted = record(agent, kind, moment)
        if not why_not(agent, kind, moment):
            yield Line(agent, kind, "expansion", n, accepted, _bound(accepted, n), _saves(agent, kind, moment, since))
        elif _is_bottleneck(agent, kind, moment, since) and (kind, "bottleneck") not in _cooling(agent, moment):
            yield Line(agent, kind, "bottleneck", n, accepted, _bound(accepted, n))
        if _unjudged(agent, kind, moment):
            yield contraction(agent, kind, moment)
    for other in AGENTS[AGENTS.index(agent) + 1 :]:
        found = [d for d in deeds(Differ) if set(d.between) == {agent, other} and since <= d.at < moment]
        if len(found) >= LEAST_CONFLICTS and (other, "collaboration") not in _cooling(agent, moment):
            yield Line(agent, other, "collaboration", len(found), sum(bool(d.winner) for d in found), None)


def _saves(agent: str, kind: str, moment: int, since: int) -> tuple[float, float, float] | None:
    """Questions a week that its authority asks for, the median of what an answer took, and what both come to."""
    spent = [_attention(asked) for asked in _answered(agent, kind, moment) if asked.era == era(agent, moment)]
    known = [seconds for seconds in spent if seconds is not None]
    own = [asked for asked in questions() if (asked.agent, asked.kind) == (agent, kind) and since <= asked.at < moment]
    weekly = sum(asked.urgency == "DAILY" for asked in own) * WEEK / (moment - since)
    if len(known) < LEAST_MEASURED:
        return None
    return round(weekly, 2), median(known), round(weekly * median(known) / 3600, 2)


def _attention(asked: Asked) -> float | None:
    """Seconds from when the person could begin with it, which is after what they answered before; None for too many."""
    given = next(deed for deed in deeds(Answer) if deed.ask == asked.name and deed.at == asked.answers[-1][0])
    by = [(deed.at, deed.by) for deed in deeds(Answer)] + [(deed.at, HUMAN) for deed in deeds(Settle)]
    before = [moment for moment, person in by if person == given.by and moment < given.at]
    seen = [deed.at for deed in deeds(Acknowledge) if deed.ask == asked.name and given.by == HUMAN]
    spent = given.at - max([asked.at, *before, *seen])
    return spent / 1000 if spent <= AWAY else None


def _is_bottleneck(agent: str, kind: str, moment: int, since: int) -> bool:
    own = [a for a in questions() if (a.agent, a.kind) == (agent, kind) and a.at < moment and not _is_merged(a, moment)]
    inside = [asked for asked in own if asked.at >= since]
    considered = [asked for asked in own if asked.at >= since or asked.is_open(moment)]
    slow = any(asked.breached_at is not None and asked.breached_at < moment for asked in considered)
    return slow or len(inside) * WEEK >= OFTEN * (moment - since)


def _is_merged(asked: Asked, moment: int) -> bool:
    return asked.merged_at is not None and asked.merged_at < moment


def _unjudged(agent: str, kind: str, moment: int) -> bool:
    """Whether the agent decides the kind and people took something of it back that nobody has spoken about."""
    if story.mode_at(agent, kind, moment) != "autonomous":
        return False
    return any(reverse.at < moment for reverse, ask in _reversed() if (ask.agent, ask.kind) == (agent, kind))


def _reversed() -> Iterable[tuple[Reverse, Ask]]:
    asks = {ask.name: ask for ask in deeds(Ask)}
    return [(deed, asks[deed.ask]) for deed in deeds(Reverse)]


def contraction(agent: str, kind: str, moment: int) -> Line:
    """Of what the agent decided itself, what people left standing."""
    own = [a for a in deeds(Ask) if (a.agent, a.kind) == (agent, kind) and a.at <= moment and not story.waits(a)]
    taken = sum((a.agent, a.kind) == (agent, kind) and r.at <= moment for r, a in _reversed())
    return Line(agent, kind, "contraction", len(own), len(own) - taken, _bound(len(own) - taken, len(own)))


def _cooling(agent: str, moment: int) -> set[tuple[str, str]]:
    """(subject, change) that a person has judged, and that is not put again for a while."""
    return {
        (deed.subject, deed.change)
        for deed in deeds(Judge)
        if deed.agent == agent
        and deed.at < moment < deed.at + COOL_DOWN
        and (deed.word == "reject" or (deed.word == "approve" and deed.change != "expansion"))
    }


def grants() -> tuple[Grant, ...]:
    modes = {"expansion": "autonomous", "contraction": "escalate"}
    found = []
    for deed in deeds(Judge):
        if deed.word == "approve" and deed.change in modes:
            since = [a for a in deeds(Ask) if (a.agent, a.kind) == (deed.agent, deed.subject) and a.at > deed.at]
            asked = sum(story.waits(ask) for ask in since)
            found.append(Grant(deed.at, deed.agent, deed.subject, modes[deed.change], len(since) - asked, asked))
    return tuple(found)


def page(agent: str) -> dict[str, int]:
    """What an agent's own page has to say at the end of the month; of its record only what the present SOP answers."""
    whole = sum((dict(week.agents)[agent] for week in weeks_of(happened())), Count())
    kinds = {ask.kind for ask in deeds(Ask) if ask.agent == agent}
    answered, accepted = map(sum, zip(*(record(agent, kind, END) for kind in kinds), strict=True))
    settled = {deed.conflict: deed.winner for deed in deeds(Settle)}
    winners = [deed.winner or settled[deed.name] for deed in deeds(Differ) if agent in deed.between]
    return {
        **{name: getattr(whole, name) for name in ("decided", "escalated", "reversed")},
        "answered": answered,
        "accepted": accepted,
        "conflicts_won": winners.count(agent),
        "conflicts_lost": sum(winner in AGENTS and winner != agent for winner in winners),
    }


def reckon() -> Figures:
    return Figures(
        weeks_of(happened()),
        moments_of(happened()),
        reviews(),
        tuple(AtOnce(deed.at, contraction(ask.agent, ask.kind, deed.at)) for deed, ask in _reversed()),
        tuple(Word(d.at, d.word, d.agent, d.subject, d.change, d.reason) for d in deeds(Judge)),
        grants(),
        DAYS,
        sum(asked.is_open(END) for asked in (*questions(), *requests(), *disputes())),
    )
