"""The six gates: pure functions from a payload to measured criteria. Code over evidence, never an opinion.

A payload is the content of the artifact that the phase is about to hand on; P1 and R1 judge against the work item,
so there it carries `acceptance_criteria` and `risks` as well. Nothing here reads a file, a clock or a database, and
nothing in the payload can make it raise: what has the wrong shape does not pass, and `actual` says what it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.contract import PHASE_CODES, Json, UsageError
from core.orchestration.criteria import CHECKS
from core.orchestration.criterion import Criterion
from core.orchestration.payloads import kind_of

THRESHOLDS: Mapping[str, Mapping[str, float]] = {
    "D1": {"business_context_chars": 50, "acceptance_criteria": 3, "risks": 1, "six_w_confidence": 0.70},
    "P1": {"tasks_per_criterion": 1, "max_hours": 4},
    "I1": {},
    "R1": {"pass_rate": 100, "coverage": 90, "static_issues": 0, "security_findings": 0},
    "O1": {},
    "E1": {"improvements": 1, "debt_entries": 1, "backlog_changes": 1},
}
"""SPEC's figures; `agents.yaml` and a project may state others."""


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """A gate's verdict: passed when every criterion is; else what is missing and what to do about it."""

    phase: str
    criteria: tuple[Criterion, ...]
    suggested_action: str = ""

    @property
    def passed(self) -> bool:
        return all(c.passed for c in self.criteria)

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(text for c in self.criteria for text in c.missing)

    def to_json(self) -> Json:
        return {
            "phase": self.phase,
            "passed": self.passed,
            "criteria": [c.to_json() for c in self.criteria],
            "missing": list(self.missing),
            "suggested_action": self.suggested_action,
        }


def check(
    phase: str,
    payload: Json,
    *,
    thresholds: Mapping[str, float] | None = None,
    not_applicable: Mapping[str, str] | None = None,
    loosened: Mapping[str, str] | None = None,
    evidence: Mapping[str, Sequence[Json]] | None = None,
) -> GateVerdict:
    """Judge a payload at a phase's gate.

    `thresholds` override SPEC's by key; `not_applicable` names criteria that a rule exempts, with the rule;
    `loosened` criteria whose threshold a person lowered, with who and why; `evidence` what proves each criterion.
    Raises UsageError for a phase that does not exist or a payload that is no JSON object.
    """
    if phase not in CHECKS:
        raise UsageError(f"There is no gate {phase!r}; the gates are {', '.join(PHASE_CODES)}.")
    if not isinstance(payload, Mapping):
        raise UsageError(f"Gate {phase}: the payload must be a JSON object, not {kind_of(payload)}.")
    limits = {**THRESHOLDS[phase], **(thresholds or {})}
    criteria = []
    for name, measure in CHECKS[phase].items():
        measured = measure(dict(payload), limits)
        rule = (not_applicable or {}).get(name, "")
        criteria.append(
            Criterion(
                name=name,
                required=measured.required,
                actual=measured.actual,
                passed=measured.passed or bool(rule),
                missing=() if rule else measured.missing,
                evidence=tuple((evidence or {}).get(name, ())),
                not_applicable=rule or measured.not_applicable,
                loosened=(loosened or {}).get(name, ""),
                short=measured.short,
            )
        )
    verdict = GateVerdict(phase, tuple(criteria))
    action = "" if verdict.passed else " ".join(_ACTIONS[c.name] for c in criteria if not c.passed)
    return GateVerdict(phase, tuple(criteria), action)


_ACTIONS: Mapping[str, str] = {
    "business_context": "Say why this matters: the situation, who feels it, what it costs today.",
    "acceptance_criteria": "Add conditions that somebody can check, one per line.",
    "risks": "Name what could go wrong.",
    "six_w_confidence": "State who is affected, what they need, when, where it applies, why, and how.",
    "tasks_cover_criteria": "Add a task for each criterion that has none.",
    "estimates": "Estimate each task, and split those above the limit.",
    "dependencies": "Mend the dependencies that are named.",
    "mitigations": "Write what will be done about each risk that is named.",
    "tests": "Add or change tests on the branch, and make them pass.",
    "feature_flags": "Add the flag that the request asks for.",
    "docs": "Update the documentation on the branch.",
    "migrations": "Add the migration for the changed schema.",
    "criteria_verified": "Point each criterion at a test that passed, or verify it yourself with evidence.",
    "tests_pass": "Make every test pass, and have at least one.",
    "coverage": "Cover the code that no test reaches.",
    "static_analysis": "Mend what the analysers report; where none ran, name one in the project's setting `lint`.",
    "security": "Mend what the security checks report.",
    "version_bumped": "Give a version that is greater than the released one.",
    "changelog_updated": "Write the changelog entry.",
    "deployment": "Mend the deployment, then let it run again.",
    "health": "Find out why the release does not answer as it should.",
    "monitoring": "Set up a check that goes on watching the release.",
    "telemetry_analyzed": "Let the telemetry be collected and analyzed.",
    "improvements": "Name an improvement, or record that none was found, with what was looked at as its evidence.",
    "technical_debt": "Register the debt, or record that none was found, with what was looked at as its evidence.",
    "backlog": "Add, change or retire at least one entry of the backlog.",
}
