"""The master's analyses of a suggestion: overlap, hours, risk, alignment, and what follows from them.

All are sums and tables over rows, the same for the same rows: no model has a say in what an agent may decide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.contract import Json
from core.governance.authority import Kind
from core.governance.scope.overlaps import Overlap, overlaps
from core.governance.scope.records import LEAST_MEASURED
from core.governance.scope.suggestions import (
    BOTTLENECK,
    COLLABORATION,
    CONTRACTION,
    EXPANSION,
    LEAST_BOUND,
    Suggestion,
    is_earned,
    lacks,
)
from core.phrases import counted, figure
from core.store.rows_governance import ConflictRow

APPROVE, REJECT, CLARIFY = "approve", "reject", "clarify"
LOW, MEDIUM, HIGH = "low", "medium", "high"

HIGH_IMPACT = 9
"""Of a kind; a single decision of such weight goes to a person first, whatever the authority."""
MEDIUM_IMPACT = 5
SAFE_SHARE = 0.95
MOST_SHOWN = 20
ALIGNED_SHARE = 0.5
"""Of a kind's decisions: where more of them meet a first rule, a person is asked whatever the authority."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a suggestion is held against: every domain agent's kinds, the window's conflicts, the milestone's title."""

    kinds: Mapping[str, Sequence[Kind]]
    conflicts: Sequence[ConflictRow]
    milestone: str


@dataclass(frozen=True, slots=True)
class Analysis:
    """Each part is a JSON object whose `text` says it in a sentence. `hours` is None where it is not measured."""

    conflict: Json
    efficiency: Json
    risk: str
    risk_because: tuple[str, ...]
    alignment: Json
    recommendation: str
    reason: str

    @property
    def hours(self) -> float | None:
        value: float | None = self.efficiency["hours_saved_per_week"]
        return value


def analyse(suggestion: Suggestion, around: Surroundings) -> Analysis:
    shared = () if suggestion.kind is None else overlaps(suggestion.agent, suggestion.subject, around.kinds)
    disputes = _disputes(suggestion, shared, around.conflicts)
    risk, because = _risk(suggestion)
    facts = _Facts(suggestion, shared, disputes, risk)
    recommendation, reason = next((word, say(facts)) for word, holds, say in _RULES[suggestion.change] if holds(facts))
    return Analysis(
        _conflict(suggestion, shared, disputes),
        _efficiency(suggestion),
        risk,
        because,
        _alignment(suggestion, shared, around.milestone),
        recommendation,
        reason,
    )


def _disputes(suggestion: Suggestion, shared: Sequence[Overlap], found: Sequence[ConflictRow]) -> tuple[int, ...]:
    """Conflicts of the window with the agents whose kinds it reaches into; of a collaboration the pair's own."""
    if suggestion.conflicts:
        return tuple(c.id for c in suggestion.conflicts)
    others = {overlap.kind.agent for overlap in shared}
    return tuple(c.id for c in found if suggestion.agent in (c.first, c.second) and others & {c.first, c.second})


def _conflict(suggestion: Suggestion, shared: Sequence[Overlap], disputes: Sequence[int]) -> Json:
    named = ", ".join(f"{o.name} ({' and '.join(o.words)}, {o.kind.mode})" for o in shared[:MOST_SHOWN])
    recorded = f"{counted(len(disputes), 'conflict') if disputes else 'no conflict'} with these agents in the window"
    text = f"It reaches into {named}; {recorded}." if shared else "It reaches into no other domain agent's kinds."
    if suggestion.change == COLLABORATION:
        text = f"{counted(len(disputes), 'conflict')} between the two in the window."
    return {
        "overlaps": [
            {"agent": o.kind.agent, "kind": o.kind.key, "mode": o.kind.mode, "words": list(o.words)}
            for o in shared[:MOST_SHOWN]
        ],
        "conflicts": list(disputes[:MOST_SHOWN]),
        "text": text,
    }


def _efficiency(suggestion: Suggestion) -> Json:
    """A week's hours of people's attention. A contraction costs them, so its figure is below zero."""
    kind = suggestion.kind
    if kind is None or suggestion.change == BOTTLENECK:
        text = "It saves no hours by itself: no authority changes."
        return {"hours_saved_per_week": None, "text": text} | (_waiting(suggestion) if kind else {})
    load, record = kind.load, kind.record
    count = load.by_authority if suggestion.change == EXPANSION else -load.decided
    weekly = load.per_week(count)
    saved = None if record.attention_seconds is None else round(weekly * record.attention_seconds / 3_600, 2) + 0.0
    # Adding nothing makes a zero below zero a plain one: a database gives no other back.
    what = "questions a week less" if suggestion.change == EXPANSION else "questions a week more"
    spent = (
        f"hours not measured (how long people were at it is known of {counted(record.attention_measured, 'answer')}, "
        f"it takes {LEAST_MEASURED})"
        if saved is None
        else f"{abs(saved):.2f} h of people's time at {record.attention_seconds:.0f} s an answer (median of "
        f"{record.attention_measured})"
    )
    beside = (
        f"; {load.by_first_rules} of {len(load.escalations)} in the window come from rules that it does not touch"
        if suggestion.change == EXPANSION and load.by_first_rules
        else ""
    )
    return {
        "hours_saved_per_week": saved,
        "questions_per_week": round(weekly, 2),
        "median_attention_seconds": record.attention_seconds,
        "attention_measured": record.attention_measured,
        **_waiting(suggestion),
        "text": f"{abs(weekly):.1f} {what}{beside}; {spent}.",
    }


def _waiting(suggestion: Suggestion) -> Json:
    """Hours a week that work waits for answers which the authority alone asks for."""
    assert suggestion.kind is not None
    load = suggestion.kind.load
    waited = None if load.wait_seconds is None else load.per_week(load.by_authority) * load.wait_seconds / 3_600
    return {
        "median_wait_seconds": load.wait_seconds,
        "waiting_hours_per_week": None if waited is None else round(waited, 2),
    }


_RISKS: tuple[tuple[str, Callable[[Suggestion], bool], Callable[[Suggestion], str]], ...] = (
    (HIGH, lambda s: _limit(s) is not None, lambda s: f"the kind {_limit(s)}"),
    (HIGH, lambda s: s.impact >= HIGH_IMPACT, lambda s: f"its usual impact is {s.impact} of 10"),
    (HIGH, lambda s: _taken_back(s) > 0, lambda s: f"people took {_taken_back(s)} of its own decisions back"),
    (MEDIUM, lambda s: s.impact >= MEDIUM_IMPACT, lambda s: f"its usual impact is {s.impact} of 10"),
    (MEDIUM, lambda s: _share(s) < SAFE_SHARE, lambda s: f"{_share(s):.0%} went as recommended"),
)
"""What a wrong decision of the kind costs, and how likely the record makes one: the highest line that holds."""


def _risk(suggestion: Suggestion) -> tuple[str, tuple[str, ...]]:
    """The risk of the agent's deciding it, whether that is proposed or to be ended. Where no authority changes: low."""
    if suggestion.change in (COLLABORATION, BOTTLENECK):
        return LOW, ("no authority changes",)
    held = [(level, say(suggestion)) for level, holds, say in _RISKS if holds(suggestion)]
    level = next((found for found in (HIGH, MEDIUM) if any(found == reached for reached, _ in held)), LOW)
    because = tuple(text for found, text in held if found == level)
    return level, because or ("a usual impact below 5, reversible, nothing taken back",)


def _limit(suggestion: Suggestion) -> str | None:
    known = suggestion.kind.known if suggestion.kind else None
    return known.limit if known else None


def _taken_back(suggestion: Suggestion) -> int:
    if suggestion.kind is None:
        return 0
    return suggestion.kind.taken_back if suggestion.change == CONTRACTION else suggestion.kind.record.reversed_


def _share(suggestion: Suggestion) -> float:
    return suggestion.accepted / suggestion.n if suggestion.n else 1.0


def _alignment(suggestion: Suggestion, shared: Sequence[Overlap], milestone: str) -> Json:
    """How much of the kind is of the weight that always goes to a person: the milestone's, or a high impact."""
    limited = [o for o in shared if o.kind.limit is not None]
    barred = [{"agent": o.kind.agent, "kind": o.kind.key} for o in limited[:MOST_SHOWN]]
    beside = (
        f" Of what it reaches into, a person always decides {', '.join(o.name for o in limited)}." if limited else ""
    )
    if suggestion.kind is None:
        return {"milestone": milestone, "share_of_first_rules": None, "barred": barred, "text": ""}
    load = suggestion.kind.load
    total, first = len(load.escalations) + load.decided, load.by_first_rules
    text = (
        f"{first} of {total} decisions of the kind in the window went to a person first, by the milestone "
        f"({milestone}) or another rule."
        if total
        else f"No decision of the kind in the window, so none that touched the milestone ({milestone})."
    )
    return {
        "milestone": milestone,
        "share_of_first_rules": round(first / total, 2) if total else None,
        "barred": barred,
        "text": text + beside,
    }


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the recommendations look at."""

    suggestion: Suggestion
    shared: tuple[Overlap, ...]
    disputes: tuple[int, ...]
    risk: str

    @property
    def bound(self) -> float:
        return self.suggestion.bound or 0.0

    @property
    def barred(self) -> str:
        return ", ".join(o.name for o in self.shared if o.kind.limit is not None)

    @property
    def is_earned(self) -> bool:
        return is_earned(self.suggestion.n, self.suggestion.accepted)

    @property
    def lacks(self) -> tuple[str, ...]:
        return lacks(self.suggestion.n, self.suggestion.accepted)

    @property
    def refused(self) -> str:
        """Who said no to the same not long ago, where a person asks for it all the same."""
        return str(self.suggestion.facts.get("refused", ""))

    @property
    def by_authority(self) -> int:
        assert self.suggestion.kind is not None
        return self.suggestion.kind.load.by_authority

    @property
    def first_share(self) -> float:
        assert self.suggestion.kind is not None
        load = self.suggestion.kind.load
        total = len(load.escalations) + load.decided
        return load.by_first_rules / total if total else 0.0

    @property
    def asked(self) -> int:
        assert self.suggestion.kind is not None
        return len(self.suggestion.kind.load.escalations)


_Rule = tuple[str, Callable[[_Facts], bool], Callable[[_Facts], str]]

_RULES: Mapping[str, tuple[_Rule, ...]] = {
    EXPANSION: (
        (
            REJECT,
            lambda f: not f.is_earned,
            lambda f: f"nobody can approve it before the record carries it: {'; '.join(f.lacks)}",
        ),
        (
            CLARIFY,
            lambda f: bool(f.refused),
            lambda f: f"{f.refused}: ask what has changed since",
        ),
        (
            REJECT,
            lambda f: f.asked > 0 and f.by_authority == 0,
            lambda f: f"none of the {f.asked} questions in the window came from the authority, so it would spare none",
        ),
        (
            CLARIFY,
            lambda f: f.first_share > ALIGNED_SHARE,
            lambda f: (
                f"{f.first_share:.0%} of these decisions go to a person first by a rule: ask whether it is worth it"
            ),
        ),
        (
            CLARIFY,
            lambda f: bool(f.barred),
            lambda f: f"it reaches into what a person always decides ({f.barred}): ask where the one ends",
        ),
        (
            CLARIFY,
            lambda f: bool(f.disputes),
            lambda f: (
                f"{counted(len(f.disputes), 'conflict')} with agents whose kinds it reaches into: ask who owns what"
            ),
        ),
        (
            CLARIFY,
            lambda f: f.risk == HIGH,
            lambda f: "the record carries it, the risk is high: ask what a wrong one would cost",
        ),
        (APPROVE, lambda _: True, lambda f: f"the record carries it and the risk is {f.risk}"),
    ),
    CONTRACTION: (
        (
            APPROVE,
            lambda f: "asked_for" in f.suggestion.facts,
            lambda _: "a person asks for it, and wanting to be asked is always theirs to say",
        ),
        (
            CLARIFY,
            lambda f: "earned_by" in f.suggestion.facts,
            lambda _: "who decides is not who earned it: ask whether the record of the one speaks for the other",
        ),
        (
            CLARIFY,
            lambda f: f.bound >= LEAST_BOUND,
            lambda f: f"of its decisions enough stand ({f.bound:.2f}): ask whether what was taken back is an exception",
        ),
        (
            APPROVE,
            lambda _: True,
            lambda f: (
                "of its decisions too few stand: Wilson 95 % lower bound "
                f"{figure(f.bound, LEAST_BOUND, 2)}, below {LEAST_BOUND:.2f}"
            ),
        ),
    ),
    COLLABORATION: (
        (
            CLARIFY,
            lambda f: f.suggestion.accepted == f.suggestion.n,
            lambda _: "rules settled all of them: ask whether anything is left to do",
        ),
        (
            APPROVE,
            lambda _: True,
            lambda f: (
                f"no rule settled {f.suggestion.n - f.suggestion.accepted} of {f.suggestion.n}, and each of those "
                "takes a person's time"
            ),
        ),
    ),
    BOTTLENECK: (
        (
            CLARIFY,
            lambda f: f.suggestion.kind is not None and f.suggestion.kind.known is None,
            lambda _: "no list names the kind: ask whose it is, and name it in agents.yaml",
        ),
        (APPROVE, lambda _: True, lambda _: "work waits for these answers; seeing it costs nothing"),
    ),
}
"""Per change, in order: what is recommended, when, and why. The first that holds is the recommendation."""
