"""From the sub-agents' outputs to the phase's artifact: one pure function a phase.

`results` are outputs by role. What an agent did not deliver stays empty here, so that the gate can say it is missing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from core.contract import Json
from core.orchestration.criteria import SIX_W

Results = Mapping[str, Json]

WEIGHTS = {"tests": 40, "coverage": 20, "criteria": 20, "static": 10, "security": 10}
"""Points of the review's score; together 100."""


def assemble(phase: str, incoming: Json, results: Results) -> Json:
    """The content of the artifact that the phase is about to hand on."""
    return _ASSEMBLERS[phase](incoming, results)


def _definition(request: Json, results: Results) -> Json:
    framed, valued = results.get("problem-framer", {}), results.get("value-articulator", {})
    classification = results.get("intent-triage", {}).get("classification", {})
    scores = framed.get("six_w", {})
    return {
        "title": request["title"],
        "type": classification.get("type") or request["type"],
        "classification": {
            "type": classification.get("type", request["type"]),
            "domain": classification.get("domain", ""),
            "complexity": classification.get("complexity", ""),
        },
        "business_context": valued.get("business_context", ""),
        "problem": framed.get("problem", ""),
        "value": valued.get("value", ""),
        "acceptance_criteria": results.get("ac-writer", {}).get("acceptance_criteria", []),
        "risks": results.get("risk-notary", {}).get("risks", []),
        "six_w": {w: float(scores.get(w, 0.0)) for w in SIX_W},
        "confidence": float(framed.get("confidence", 0.0)),
        "stated": framed.get("stated", {}),
        "tags": request.get("tags", []),
        "impact": request.get("impact"),
    }


def _planning(_: Json, results: Results) -> Json:
    curated = results.get("backlog-curator", {})
    return {
        "tasks": curated.get("tasks", []),
        "mitigations": curated.get("mitigations", []),
        "order": curated.get("order", []),
    }


def _implementation(_: Json, results: Results) -> Json:
    """The gate check computes it from git and a test run; nothing of it is taken on an agent's word."""
    return dict(results.get("implementation-gate-check", {}))


def _review(_: Json, results: Results) -> Json:
    measured = results.get("test-runner", {}).get("tests", {})
    return {
        "tests": {k: measured.get(k) for k in ("total", "passed", "failed", "skipped", "coverage")},
        "static": results.get("static-analyzer", {}).get("static", {}),
        "security": results.get("threat-screener", {}).get("security", {}),
        "criteria": results.get("ac-verifier", {}).get("criteria", []),
    }


def score(payload: Json) -> float:
    """How good a build is, 0 to 100, from the figures of `review.approved`; for people, no gate reads it.

    The sum over `WEIGHTS` of points times a share: tests, passed of those that passed or failed; coverage, its
    percentage; criteria, verified of all; static and security, 1 / (1 + findings). What was not measured brings
    nothing. One decimal, never rounded up.
    """
    tests, criteria = payload.get("tests") or {}, payload.get("criteria") or []
    ran = (tests.get("passed") or 0) + (tests.get("failed") or 0)
    issues, findings = (payload.get("static") or {}).get("issues"), (payload.get("security") or {}).get("findings")
    shares = {
        "tests": (tests.get("passed") or 0) / ran if ran else 0.0,
        "coverage": (tests.get("coverage") or 0.0) / 100,
        "criteria": sum(bool(row.get("verified")) for row in criteria) / len(criteria) if criteria else 0.0,
        "static": 0.0 if issues is None else 1 / (1 + issues),
        "security": 0.0 if findings is None else 1 / (1 + findings),
    }
    points = sum(weight * min(max(shares[name], 0.0), 1.0) for name, weight in WEIGHTS.items())
    return math.floor(round(points * 10, 6)) / 10


def _release(_: Json, results: Results) -> Json:
    deployed, checked = results.get("deploy-orchestrator", {}), results.get("health-verifier", {})
    return {
        "version": results.get("versioner", {}).get("version", {}),
        "changelog": results.get("changelog-curator", {}).get("changelog", {}),
        "deployment": deployed.get("deployment", {}),
        "health": checked.get("health", {}),
        "monitoring": checked.get("monitoring", {}),
        "artifacts": deployed.get("artifacts", []),
        "tag": deployed.get("tag", ""),
        "merge_commit": deployed.get("merge_commit", ""),
    }


def _evolution(_: Json, results: Results) -> Json:
    proposed = results.get("refactor-proposer", {})
    backlog = proposed.get("backlog", {})
    return {
        "telemetry": results.get("insight-synthesizer", {}).get("telemetry", {}),
        "insights": results.get("insight-synthesizer", {}).get("insights", []),
        "improvements": proposed.get("improvements", []),
        "debt": results.get("debt-registrar", {}).get("debt", []),
        "backlog": {
            "added": backlog.get("added", []),
            "updated": backlog.get("updated", []),
            "sunset": results.get("sunset-planner", {}).get("sunset", []),
        },
    }


_ASSEMBLERS: Mapping[str, Callable[[Json, Results], Json]] = {
    "D1": _definition,
    "P1": _planning,
    "I1": _implementation,
    "R1": _review,
    "O1": _release,
    "E1": _evolution,
}
