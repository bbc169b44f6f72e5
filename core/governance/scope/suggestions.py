"""What domain agents suggest about their own scope. Rules over records and nothing else: an agent grades nobody.

Every suggestion stands on figures that a reader can count again; the numbers of what was counted go with it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from core.contract import Json
from core.governance.authority import AUTONOMOUS, ESCALATE
from core.governance.decisions import DOMAIN_AGENTS
from core.governance.scope.grounds import Grounds, KindGrounds, read_grounds
from core.governance.scope.wilson import lower_bound
from core.phrases import counted, figure
from core.sanitise import one_line
from core.store.reads import Connection
from core.store.rows_governance import ConflictRow

EXPANSION, CONTRACTION, COLLABORATION, BOTTLENECK = "expansion", "contraction", "collaboration", "bottleneck"

LEAST_ANSWERED = 20
"""Questions of a kind that humans have answered, before it may be proposed that nobody asks them any more."""
LEAST_BOUND = 0.80
"""Wilson's lower bound of the share accepted that it takes."""
LEAST_CONFLICTS = 3
OFTEN_A_WEEK = 5.0
MOST_BOTTLENECKS = 10
"""Of one agent in one review, the worst."""
MOST_TOPICS = 10


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A change of scope that the figures speak for. `subject` is a kind, or of a collaboration the other agent.

    `n` and `accepted` are questions that humans answered and those of them answered as recommended; of a contraction
    what the agent decided itself and what was left standing of it; of a collaboration conflicts, and those that a rule
    settled. `would` says what approving it does, `because` the figures.
    """

    agent: str
    subject: str
    change: str
    title: str
    n: int
    accepted: int
    would: str
    because: str
    kind: KindGrounds | None = None
    conflicts: tuple[ConflictRow, ...] = ()
    facts: Json = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, str]:
        return self.agent, self.subject, self.change

    @property
    def bound(self) -> float | None:
        return None if self.change == COLLABORATION else lower_bound(self.accepted, self.n)

    @property
    def impact(self) -> int:
        """1 to 10, as the kind's list has it; 0 where no list has one."""
        return self.kind.known.impact if self.kind and self.kind.known else 0


@dataclass(frozen=True, slots=True)
class Suggestions:
    agent: str
    expansions: tuple[Suggestion, ...]
    contractions: tuple[Suggestion, ...]
    collaborations: tuple[Suggestion, ...]
    bottlenecks: tuple[Suggestion, ...]

    @property
    def every(self) -> tuple[Suggestion, ...]:
        return self.contractions + self.expansions + self.collaborations + self.bottlenecks


def suggest_scope_improvements(
    reader: Connection, agent: str, now: int, since: int, *, renewing: Collection[int] = ()
) -> Suggestions:
    """What the agent suggests at the moment `now` over the window from `since` (both milliseconds).

    `renewing` are numbers of undecided proposals that are about to be replaced, and so stand in nothing's way.
    """
    return suggest(read_grounds(reader, agent, now, since, renewing=renewing))


def suggest(grounds: Grounds) -> Suggestions:
    expansions = tuple(s for kind in grounds.kinds for s in _expansion(grounds, kind))
    expanding = {s.subject for s in expansions}
    slow = [s for kind in grounds.kinds if kind.key not in expanding for s in _bottleneck(grounds, kind)]
    return Suggestions(
        grounds.agent,
        expansions,
        tuple(s for kind in grounds.kinds for s in _contraction(grounds, kind)),
        tuple(_collaborations(grounds)),
        tuple(sorted(slow, key=_worst_first)[:MOST_BOTTLENECKS]),
    )


def is_earned(n: int, accepted: int) -> bool:
    """Whether so many answers, so many of them as recommended, are a record that authority may grow on."""
    bound = lower_bound(accepted, n)
    return n >= LEAST_ANSWERED and bound is not None and bound >= LEAST_BOUND


def lacks(n: int, accepted: int) -> tuple[str, ...]:
    """What the figures lack for that, a sentence for each; none where it is earned."""
    bound = lower_bound(accepted, n)
    found = [f"{n} of {LEAST_ANSWERED} answers by people"] if n < LEAST_ANSWERED else []
    if bound is None or bound < LEAST_BOUND:
        said = "none" if bound is None else figure(bound, LEAST_BOUND, 2)
        found.append(f"{accepted} of {n} accepted: lower bound {said}, it needs {LEAST_BOUND:.2f}")
    return tuple(found)


def _stands_free(grounds: Grounds, change: str, key: str) -> bool:
    return (change, key) not in grounds.standing.undecided | grounds.standing.cooling


def _expansion(grounds: Grounds, kind: KindGrounds) -> Iterator[Suggestion]:
    known, record = kind.known, kind.record
    if known is None or known.mode != ESCALATE or known.limit is not None:
        return
    if (CONTRACTION, kind.key) in grounds.standing.cooling or not _stands_free(grounds, EXPANSION, kind.key):
        return
    if is_earned(record.n, len(record.accepted)):
        yield expansion_of(grounds.agent, kind)


def expansion_of(agent: str, kind: KindGrounds, facts: Json | None = None) -> Suggestion:
    record = kind.record
    n, accepted, bound = record.n, len(record.accepted), record.bound
    told = "none" if bound is None else figure(bound, LEAST_BOUND, 2)
    return Suggestion(
        agent,
        kind.key,
        EXPANSION,
        kind.title,
        n,
        accepted,
        f"{agent} would decide {kind.key} itself ({kind.title}); today a person is asked.",
        f"{accepted} of {n} accepted as recommended, Wilson 95 % lower bound {told}; it needs {LEAST_ANSWERED} and "
        f"{LEAST_BOUND:.2f}.",
        kind,
        facts=facts or {},
    )


def _contraction(grounds: Grounds, kind: KindGrounds) -> Iterator[Suggestion]:
    if kind.known is None or kind.known.mode != AUTONOMOUS or (CONTRACTION, kind.key) in grounds.standing.undecided:
        return
    if kind.reversals:
        yield contraction_of(grounds.agent, kind, reversed_words(kind), {"reversals": list(kind.reversals)})
    elif _is_of_another_cohort(grounds, kind) and _stands_free(grounds, CONTRACTION, kind.key):
        assert kind.earned_by is not None
        because = (
            f"It decides this itself by proposal {kind.earned_by[0]}, on the record of another runtime, model or SOP; "
            f"what decides now has {len(kind.record.accepted)} of {kind.record.n} accepted of its own."
        )
        yield contraction_of(grounds.agent, kind, because, {"earned_by": kind.earned_by[0]})


def contraction_of(agent: str, kind: KindGrounds, because: str, facts: Json) -> Suggestion:
    would = f"{agent} would ask a person about {kind.key} ({kind.title}); today it decides that itself."
    kept = kind.decided - kind.taken_back
    return Suggestion(agent, kind.key, CONTRACTION, kind.title, kind.decided, kept, would, because, kind, facts=facts)


def reversed_words(kind: KindGrounds) -> str:
    named = ", ".join(str(number) for number in kind.reversals[-5:])
    return (
        f"Of {kind.decided} that it decided itself people took {kind.taken_back} back; to be looked at now: "
        f"{'decision' if len(kind.reversals) == 1 else 'decisions'} {named}"
        + (f" and {len(kind.reversals) - 5} before." if len(kind.reversals) > 5 else ".")
    )


def _is_of_another_cohort(grounds: Grounds, kind: KindGrounds) -> bool:
    is_other = kind.earned_by is not None and kind.earned_by[1] != grounds.cohort
    return is_other and (kind.key, grounds.cohort) not in grounds.standing.confirmed


def _collaborations(grounds: Grounds) -> Iterator[Suggestion]:
    """One for each pair, in the name of whichever of the two comes first among the domain agents."""
    for other in DOMAIN_AGENTS:
        found = tuple(c for c in grounds.conflicts if {c.first, c.second} == {grounds.agent, other})
        is_mine = DOMAIN_AGENTS.index(grounds.agent) < DOMAIN_AGENTS.index(other)
        if len(found) >= LEAST_CONFLICTS and is_mine and _stands_free(grounds, COLLABORATION, other):
            yield _collaboration(grounds.agent, other, found)


def _collaboration(agent: str, other: str, found: tuple[ConflictRow, ...]) -> Suggestion:
    by_rule = sum(c.provenance == "rule" for c in found)
    by_person = sum(c.provenance == "human" for c in found)
    wait = len(found) - by_rule - by_person
    topics = tuple(dict.fromkeys(one_line(c.topic, 120) for c in found))
    return Suggestion(
        agent,
        other,
        COLLABORATION,
        f"{agent} and {other}",
        len(found),
        by_rule,
        f"No authority of {agent} and {other} changes. Approving says that they shall settle such things before they "
        "decide: give one of them the kind, or write a rule for their words under `conflicts` in agents.yaml.",
        f"They differed {len(found)} times: {by_rule} settled by a rule, {by_person} by a person, {wait} otherwise or "
        f"not yet; about {'; '.join(topics[:3])}{' …' if len(topics) > 3 else ''}.",
        conflicts=found,
        facts={
            "conflicts": [c.id for c in found[:200]],
            "topics": list(topics[:MOST_TOPICS]),
            "ended": {"rule": by_rule, "human": by_person, "other": wait},
        },
    )


def _bottleneck(grounds: Grounds, kind: KindGrounds) -> Iterator[Suggestion]:
    load = kind.load
    # What an authority asked for that has since become autonomous, nobody is asked any more.
    moot = load.by_authority if kind.known is not None and kind.known.mode == AUTONOMOUS else 0
    often = load.per_week(len(load.escalations) - moot)
    is_slow = load.breached > 0 or load.overdue * 2 > load.considered
    is_over = moot == len(load.escalations) and not load.waiting
    if not is_over and (is_slow or often >= OFTEN_A_WEEK) and _stands_free(grounds, BOTTLENECK, kind.key):
        yield Suggestion(
            grounds.agent,
            kind.key,
            BOTTLENECK,
            kind.title,
            kind.record.n,
            len(kind.record.accepted),
            f"No authority over {grounds.agent}'s {kind.key} ({kind.title}) changes. Approving says that it is seen "
            f"how it holds work up, and {_remedy(kind)}",
            f"{counted(len(load.escalations), 'question')} in the window ({often:.1f} a week), "
            f"{load.overdue} of {load.considered} waited longer than they may, {load.waiting} wait still"
            + (f"; the median wait was {hours(load.wait_seconds)}." if load.wait_seconds is not None else "."),
            kind,
            facts={"is_slow": is_slow, "is_often": often >= OFTEN_A_WEEK},
        )


def _remedy(kind: KindGrounds) -> str:
    """What can be done about it besides a change of authority."""
    if kind.known is None:
        return "that somebody will name the kind in agents.yaml; what no list names always waits for a person."
    if kind.known.limit is not None:
        return f"that somebody will see to quicker answers; the kind {kind.known.limit}."
    if kind.known.mode == AUTONOMOUS:
        return "that somebody will look at what sends these to a person although the agent may decide them."
    return "that somebody will see to quicker answers, until its record carries more."


def _worst_first(suggestion: Suggestion) -> tuple[int, int, str]:
    assert suggestion.kind is not None
    load = suggestion.kind.load
    return -load.overdue, -len(load.escalations), suggestion.subject


def hours(seconds: float) -> str:
    """A span as a person reads it."""
    return f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3_600:.1f} h"
