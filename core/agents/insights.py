"""What the signals of a release say, by rules: each measures one thing and speaks when it passes its limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.contract import PHASE_CODES, Json
from core.phrases import counted

EARLY_SECONDS = 60.0
"""A way through the phases that is shorter than this has no phase that is worth shortening."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Signals by name, and how they changed since the release before."""

    signals: Mapping[str, Json]
    changes: Mapping[str, Json]

    def value(self, name: str) -> float | None:
        signal = self.signals.get(name)
        return None if signal is None else float(signal["value"])

    def having(self, prefix: str) -> list[Json]:
        return [signal for name, signal in self.signals.items() if name.startswith(prefix)]


@dataclass(frozen=True, slots=True)
class Measure:
    """A rule's figure, what it is about, and the signals it rests on."""

    value: float
    subject: str
    signals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """`says` and `aim` may use `{value}`, `{percent}`, `{subject}` and `{limit}`; it speaks when value > limit."""

    name: str
    limit: float
    measure: Callable[[Facts], Measure | None]
    says: str
    aim: str


def analyse(signals: Sequence[Json], changes: Sequence[Json]) -> list[Json]:
    """The insights, each with its signals; when no rule speaks, one that states what was looked at."""
    facts = Facts({signal["name"]: signal for signal in signals}, {change["name"]: change for change in changes})
    measured = [(rule, measure) for rule in RULES if (measure := rule.measure(facts)) is not None]
    found = [_insight(rule, measure) for rule, measure in measured if measure.value > rule.limit]
    return found or [_nothing(measured, len(signals))]


def _insight(rule: Rule, measure: Measure) -> Json:
    words = {
        "value": f"{measure.value:g}",
        "percent": f"{measure.value:.0%}",
        "subject": measure.subject,
        "limit": f"{rule.limit:g}",
    }
    return {
        "rule": rule.name,
        "text": rule.says.format(**words),
        "aim": rule.aim.format(**words),
        "signals": list(measure.signals),
    }


def _nothing(measured: Sequence[tuple[Rule, Measure]], count: int) -> Json:
    """The evidence for "none found": each figure beside the limit that it stayed within."""
    figures = "; ".join(f"{rule.name} {measure.value:g} (limit {rule.limit:g})" for rule, measure in measured)
    said = (
        f"{len(measured)} of {len(RULES)} rules had a figure, and none passed its limit: {figures}." if figures else ""
    )
    text = f"Looked at {counted(count, 'signal')}. {said or 'None of them is one that a rule measures.'}"
    names = sorted({name for _, measure in measured for name in measure.signals})
    return {"rule": "none", "text": text, "aim": "", "signals": names}


def _most_rounds(facts: Facts) -> Measure | None:
    """Of the phases that another one comes before: that one could have asked for it."""
    return _greatest([signal for signal in facts.having("phase_rounds.") if signal.get("subject") != PHASE_CODES[0]])


def _greatest(signals: Sequence[Json]) -> Measure | None:
    if not signals:
        return None
    top = max(signals, key=lambda signal: float(signal["value"]))
    return Measure(float(top["value"]), str(top.get("subject", top["name"])), (str(top["name"]),))


def _longest_phase(facts: Facts) -> Measure | None:
    phases = facts.having("phase_seconds.")
    total = sum(float(signal["value"]) for signal in phases)
    longest = _greatest(phases)
    if longest is None or total < EARLY_SECONDS:
        return None
    return Measure(longest.value / total, longest.subject, tuple(signal["name"] for signal in phases))


def _waiting(facts: Facts) -> Measure | None:
    """Time that questions waited for a human, as a share of that and the phases' own time."""
    median, answered = facts.value("escalations_median_seconds"), facts.value("escalations_answered")
    worked = sum(float(signal["value"]) for signal in facts.having("phase_seconds."))
    if median is None or not answered or median * answered + worked <= 0:
        return None
    waited = median * answered
    names = ("escalations_median_seconds", "escalations_answered")
    return Measure(waited / (waited + worked), counted(int(answered), "question"), names)


def _failing_delegations(facts: Facts) -> Measure | None:
    count, failures = facts.value("delegations_count"), facts.value("delegations_failures")
    if not count or failures is None:
        return None
    return Measure(failures / count, f"{failures:g} of {count:g}", ("delegations_failures", "delegations_count"))


def _coverage_lost(facts: Facts) -> Measure | None:
    changed = [change for name, change in facts.changes.items() if name.endswith("coverage")]
    if not changed:
        return None
    worst = min(changed, key=lambda change: float(change["change"]))
    lost = max(-float(worst["change"]), 0.0)
    return Measure(round(lost, 4), f"{worst['before']:g} to {worst['now']:g}", (worst["name"],))


def _slowest_check(facts: Facts) -> Measure | None:
    return _greatest([signal for signal in facts.having("gate.") if signal["name"].endswith(".seconds")])


def _concentrated_churn(facts: Facts) -> Measure | None:
    """Only where a file could have had company: a release of three files is always concentrated."""
    share = facts.signals.get("largest_share_of_churn")
    if share is None or (facts.value("files_changed") or 0) < 4:
        return None
    return Measure(float(share["value"]), str(share.get("subject", "")), ("largest_share_of_churn", "files_changed"))


def _size(facts: Facts) -> Measure | None:
    names = ("lines_added", "lines_removed")
    values = [facts.value(name) for name in names]
    known = [value for value in values if value is not None]
    return Measure(sum(known), "lines", names) if known else None


def _unwell(facts: Facts) -> Measure | None:
    signal = facts.signals.get("health_ok")
    return Measure(1 - float(signal["value"]), str(signal.get("subject", "")), ("health_ok",)) if signal else None


def _slower_answers(facts: Facts) -> Measure | None:
    """How many times as long the health check takes as before; below half a second nobody minds."""
    change: Any = facts.changes.get("health_response_ms")
    if not change or not change["before"]:
        return None
    ratio = change["now"] / change["before"] if change["now"] > 500 else 1.0
    return Measure(ratio, f"{change['before']:g} ms to {change['now']:g} ms", ("health_response_ms",))


RULES: tuple[Rule, ...] = (
    Rule("unwell", 0, _unwell, "The release does not answer its monitor: {subject}", "Make the release answer again."),
    Rule(
        "rework",
        1,
        _most_rounds,
        "{subject} needed {value} rounds; one is enough when what arrives is complete.",
        "Find what sent {subject} back, and ask for it one phase earlier.",
    ),
    Rule(
        "longest phase",
        0.6,
        _longest_phase,
        "{subject} took {percent} of the time of all phases.",
        "Look at what {subject} waits for, and let it run side by side or beforehand.",
    ),
    Rule(
        "waiting for a human",
        0.5,
        _waiting,
        "{percent} of the time went by waiting for answers to {subject}.",
        "Answer such questions by a rule, or put them before the work begins.",
    ),
    Rule(
        "failing delegations",
        0.1,
        _failing_delegations,
        "{subject} delegations failed ({percent}).",
        "Look at the failures' errors in the journal, and remove the commonest cause.",
    ),
    Rule(
        "coverage lost",
        0,
        _coverage_lost,
        "Test coverage fell from {subject}.",
        "Cover what this release left uncovered.",
    ),
    Rule(
        "slow checks",
        300,
        _slowest_check,
        "The commands behind {subject}'s slowest criterion ran for {value} s.",
        "Bring the checks of {subject} below {limit} s.",
    ),
    Rule(
        "concentrated churn",
        0.5,
        _concentrated_churn,
        "{percent} of the changed lines are in {subject}.",
        "Split {subject} along what changes together.",
    ),
    Rule(
        "size",
        1_000,
        _size,
        "The release changed {value} {subject}; above {limit} a review sees less.",
        "Cut the next request into releases of fewer than {limit} lines.",
    ),
    Rule(
        "slower answers",
        1.5,
        _slower_answers,
        "The health check takes {value} times as long as before ({subject}).",
        "Find what made the release slower to answer.",
    ),
)
