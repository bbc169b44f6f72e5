"""The six gates, criterion by criterion, as SPEC states them."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contract import PHASE_CODES, Json, UsageError
from core.orchestration.criterion import Criterion
from core.orchestration.gates import check

SIX = {"who": 0.7, "what": 0.7, "when": 0.7, "where": 0.7, "why": 0.7, "how": 0.7}
CRITERIA = [{"id": "AC1", "text": "one"}, {"id": "AC2", "text": "two"}, {"id": "AC3", "text": "three"}]
RISKS = [{"id": "R1", "text": "it may be slow"}]
TASK = {"id": "T1", "title": "all of it", "criteria": ["AC1", "AC2", "AC3"], "estimate_hours": 4, "depends_on": []}
VERIFIED: list[Json] = [{"id": f"AC{n}", "verified": True, "evidence": "tests/test_x.py::test_y"} for n in (1, 2, 3)]
RAN: Json = {"name": "ruff", "exit_code": 0, "issues": 0}
IDLE: Json = {"name": "ruff", "exit_code": None, "issues": 0, "status": "not applicable", "note": "no file for it"}
HUGE = 10**400
"""A number that JSON can hold and a float cannot."""
LONG = "9" * 5_000
"""Digits that Python makes no number of."""

GOOD: dict[str, Json] = {
    "D1": {
        "business_context": "x" * 50,
        "acceptance_criteria": CRITERIA,
        "risks": RISKS,
        "six_w": SIX,
    },
    "P1": {
        "acceptance_criteria": CRITERIA,
        "risks": RISKS,
        "tasks": [TASK],
        "mitigations": [{"risk": "R1", "plan": "measure it"}],
        "order": ["T1"],
    },
    "I1": {
        "tests": {"updated": True, "passed": 3, "failed": 0},
        "feature_flags": {"needed": False, "added": []},
        "docs": {"updated": True, "files": ["README.md"]},
        "migrations": {"schema_changed": False, "created": []},
    },
    "R1": {
        "acceptance_criteria": CRITERIA,
        "risks": RISKS,
        "tests": {"total": 3, "passed": 3, "failed": 0, "coverage": 90.0},
        "static": {"tools": ["ruff"], "issues": 0},
        "security": {"tools": ["bandit"], "findings": 0},
        "criteria": VERIFIED,
    },
    "O1": {
        "version": {"from": "1.2.3", "to": "1.3.0"},
        "changelog": {"updated": True, "entry": "Added a thing"},
        "deployment": {"status": "success", "target": "releases"},
        "health": {"status": "healthy", "response_ms": 45},
        "monitoring": {"active": True},
    },
    "E1": {
        "telemetry": {"analyzed": True},
        "improvements": [{"id": "none", "text": "none found", "evidence": ["12 signals"]}],
        "debt": [{"id": "none", "text": "none found", "location": "", "cost": 0, "evidence": ["12 files"]}],
        "backlog": {"added": [{"title": "look at it"}], "updated": [], "sunset": []},
    },
}


def measured(phase: str, name: str, **changes: Any) -> Criterion:
    verdict = check(phase, {**GOOD[phase], **changes})
    return next(c for c in verdict.criteria if c.name == name)


@pytest.mark.parametrize("phase", PHASE_CODES)
def test_a_payload_that_meets_every_criterion_passes(phase: str) -> None:
    verdict = check(phase, GOOD[phase])

    assert verdict.passed
    assert verdict.missing == ()
    assert verdict.suggested_action == ""


@pytest.mark.parametrize("phase", PHASE_CODES)
def test_an_empty_payload_misses_every_criterion_and_says_what_to_do(phase: str) -> None:
    verdict = check(phase, {})

    # Where no risk is known none lacks a plan; D1 has seen to it that one is.
    assert [c.name for c in verdict.criteria if c.passed] == (["mitigations"] if phase == "P1" else [])
    assert verdict.missing
    assert verdict.suggested_action


@pytest.mark.parametrize(
    ("phase", "name", "changes", "passed"),
    [
        ("D1", "business_context", {"business_context": "x" * 49}, False),
        ("D1", "business_context", {"business_context": " " * 10 + "x" * 45 + " " * 10}, False),
        ("D1", "business_context", {"business_context": None}, False),
        ("D1", "acceptance_criteria", {"acceptance_criteria": ["a", "b", "c"]}, True),
        ("D1", "acceptance_criteria", {"acceptance_criteria": ["a", "b", "  A  "]}, False),
        ("D1", "acceptance_criteria", {"acceptance_criteria": ["a", "b", " "]}, False),
        ("D1", "acceptance_criteria", {"acceptance_criteria": ["a", "b", "c", 7]}, False),
        ("D1", "acceptance_criteria", {"acceptance_criteria": ["2.", "...", "TBD"]}, False),
        ("D1", "acceptance_criteria", {"acceptance_criteria": ["a", "b", {"id": "AC3", "text": "TBD"}]}, False),
        ("D1", "business_context", {"business_context": "." * 60}, False),
        ("D1", "risks", {"risks": []}, False),
        ("D1", "risks", {"risks": [{"id": "R1", "text": "..."}]}, False),
        ("D1", "risks", {"risks": [*RISKS, ["another"]]}, False),
        ("D1", "risks", {"risks": [{"id": "R1", "text": " "}]}, False),
        ("D1", "six_w_confidence", {"six_w": {**SIX, "how": 0.69}}, False),
        ("D1", "six_w_confidence", {"six_w": {**SIX, "how": 0.0, "who": 1.0, "what": 1.0, "why": 0.8}}, True),
        ("D1", "six_w_confidence", {"six_w": {k: 1.0 for k in SIX if k != "how"}}, False),
        ("D1", "six_w_confidence", {"six_w": {**SIX, "how": 7}}, False),
        ("D1", "six_w_confidence", {"six_w": {}, "confidence": 1.0}, False),
        ("P1", "tasks_cover_criteria", {"tasks": [{**TASK, "criteria": ["AC1", "AC2"]}]}, False),
        ("P1", "tasks_cover_criteria", {"acceptance_criteria": []}, False),
        ("P1", "tasks_cover_criteria", {"tasks": [{**TASK, "criteria": ["AC1", "AC2", "AC3", ["AC4"]]}]}, False),
        ("P1", "estimates", {"tasks": [TASK, "T2"]}, False),
        ("P1", "estimates", {"tasks": [{**TASK, "estimate_hours": HUGE}]}, False),
        ("P1", "estimates", {"tasks": [{**TASK, "estimate_hours": 4.01}]}, False),
        ("P1", "estimates", {"tasks": [{**TASK, "estimate_hours": 0}]}, False),
        ("P1", "estimates", {"tasks": [{**TASK, "estimate_hours": True}]}, False),
        ("P1", "estimates", {"tasks": [{k: v for k, v in TASK.items() if k != "estimate_hours"}]}, False),
        ("P1", "estimates", {"tasks": []}, False),
        ("P1", "dependencies", {"tasks": [{**TASK, "depends_on": ["T9"]}]}, False),
        ("P1", "dependencies", {"tasks": [{**TASK, "depends_on": ["T1"]}]}, False),
        ("P1", "dependencies", {"tasks": [{**TASK, "depends_on": [7]}]}, False),
        ("P1", "dependencies", {"tasks": [{**TASK, "depends_on": [["T9"]]}]}, False),
        ("P1", "dependencies", {"tasks": [{**TASK, "depends_on": None}]}, False),
        ("P1", "dependencies", {"tasks": [TASK, TASK]}, False),
        ("P1", "mitigations", {"mitigations": [{"risk": "R1", "plan": "  "}]}, False),
        ("P1", "mitigations", {"mitigations": [{"risk": "R1", "plan": "..."}]}, False),
        ("P1", "mitigations", {"mitigations": [{"risk": "R1", "plan": "TBD."}]}, False),
        ("P1", "mitigations", {"risks": [], "mitigations": []}, True),
        ("P1", "mitigations", {"risks": "it may be slow"}, False),
        ("P1", "mitigations", {"risks": [7], "mitigations": [{"risk": "R1", "plan": "measure it"}]}, False),
        ("I1", "tests", {"tests": {"updated": False, "passed": 3, "failed": 0}}, False),
        ("I1", "tests", {"tests": {"updated": True, "passed": 0, "failed": 0}}, False),
        ("I1", "tests", {"tests": {"updated": True, "passed": 3, "failed": 1}}, False),
        ("I1", "feature_flags", {"feature_flags": {"needed": True, "added": []}}, False),
        ("I1", "feature_flags", {"feature_flags": {"needed": True, "added": ["new_parser"]}}, True),
        ("I1", "migrations", {"migrations": {"schema_changed": True, "created": []}}, False),
        ("I1", "migrations", {"migrations": {"schema_changed": True, "created": ["0002_x.py"]}}, True),
        ("R1", "tests_pass", {"tests": {"total": 0, "passed": 0, "failed": 0, "coverage": 100}}, False),
        ("R1", "tests_pass", {"tests": {"total": 100, "passed": 99, "failed": 1, "coverage": 95}}, False),
        ("R1", "tests_pass", {"tests": {"total": 3, "passed": 2, "failed": 0, "skipped": 1, "coverage": 95}}, True),
        ("R1", "tests_pass", {"tests": {"total": 1, "passed": 0, "failed": 0, "skipped": 1, "coverage": 95}}, False),
        ("R1", "tests_pass", {"tests": {"total": 3, "passed": 5, "failed": 0, "coverage": 95}}, False),
        ("R1", "coverage", {"tests": {"total": 3, "passed": 3, "failed": 0, "coverage": 89.99}}, False),
        ("R1", "coverage", {"tests": {"total": 3, "passed": 3, "failed": 0, "coverage": 100}}, True),
        ("R1", "coverage", {"tests": {"total": 3, "passed": 3, "failed": 0, "coverage": 9000}}, False),
        ("R1", "coverage", {"tests": {"total": 3, "passed": 3, "failed": 0, "coverage": None}}, False),
        ("R1", "coverage", {"tests": {"total": 3, "passed": 3, "failed": 0, "coverage": HUGE}}, False),
        ("R1", "criteria_verified", {"criteria": [*VERIFIED, {**VERIFIED[0], "verified": False}]}, False),
        ("R1", "criteria_verified", {"criteria": [*VERIFIED, VERIFIED[0]]}, True),
        ("R1", "static_analysis", {"static": {"tools": ["ruff"], "issues": 1}}, False),
        ("R1", "static_analysis", {"static": {"tools": [], "issues": 0}}, False),
        ("R1", "static_analysis", {"static": {"tools": [False, 1, " "], "issues": 0}}, False),
        ("R1", "static_analysis", {"static": {"tools": [{"name": "ruff", "exit_code": None}], "issues": 0}}, False),
        ("R1", "static_analysis", {"static": {"tools": [{**RAN, "status": "not measured"}], "issues": 0}}, False),
        ("R1", "static_analysis", {"static": {"tools": [RAN], "issues": 0}}, True),
        ("R1", "static_analysis", {"static": {"tools": [{"name": "ruff"}], "issues": 0}}, True),
        ("R1", "security", {"security": {"tools": ["bandit"], "findings": [{"id": 1}]}}, False),
        ("R1", "security", {"security": {"tools": ["bandit"], "findings": []}}, True),
        ("R1", "security", {"security": {"tools": ["bandit"], "findings": None}}, False),
        ("R1", "static_analysis", {"static": {"tools": ["eslint"], "issues": None}}, False),
        ("R1", "criteria_verified", {"criteria": [{"id": "AC1", "verified": True, "evidence": "t"}]}, False),
        ("O1", "version_bumped", {"version": {"from": "1.2.3", "to": "1.2.3"}}, False),
        ("O1", "version_bumped", {"version": {"from": "1.10.0", "to": "1.9.9"}}, False),
        ("O1", "version_bumped", {"version": {"from": "1.3.0-rc.1", "to": "1.3.0"}}, True),
        ("O1", "version_bumped", {"version": {"from": "1.3.0", "to": "1.3.0-rc.1"}}, False),
        ("O1", "version_bumped", {"version": {"from": None, "to": "0.1.0"}}, True),
        ("O1", "version_bumped", {"version": {"from": "rubbish", "to": "0.1.0"}}, False),
        ("O1", "version_bumped", {"version": {"from": "1.2.3rc1", "to": "1.2.3"}}, True),
        ("O1", "version_bumped", {"version": {"from": "1.2.3.4", "to": "1.2.3.5"}}, True),
        ("O1", "version_bumped", {"version": {"from": "1.2.3", "to": "1.2.3rc1"}}, False),
        ("O1", "version_bumped", {"version": {"from": "1.0.0", "to": "1.0.01"}}, False),
        ("O1", "version_bumped", {"version": {"from": "1.0.0", "to": "01.1.0"}}, False),
        ("O1", "version_bumped", {"version": {"from": "1.0.0-rc.1", "to": "1.0.0-rc.02"}}, False),
        ("O1", "version_bumped", {"version": {"from": "2024.07.04", "to": "2024.08.30"}}, True),
        ("O1", "version_bumped", {"version": {"from": "1.0.0", "to": f"{LONG}.0.0"}}, True),
        ("O1", "version_bumped", {"version": {"from": f"{LONG}.0.0", "to": "1.0.0"}}, False),
        ("O1", "version_bumped", {"version": {"from": "1.0.0.0", "to": f"{LONG}.0.0.0"}}, False),
        ("O1", "changelog_updated", {"changelog": {"updated": True, "entry": " "}}, False),
        ("O1", "deployment", {"deployment": {"status": "failed", "target": "x"}}, False),
        ("O1", "health", {"health": {"status": "unhealthy", "response_ms": 3}}, False),
        ("O1", "health", {"health": {"status": "healthy", "response_ms": -5}}, False),
        ("O1", "health", {"health": {"status": "healthy", "response_ms": "soon"}}, False),
        ("O1", "health", {"health": {"status": "healthy", "response_ms": None}}, True),
        ("O1", "health", {"health": {"status": "healthy", "response_ms": HUGE}}, False),
        ("O1", "monitoring", {"monitoring": {"active": "yes"}}, False),
        ("E1", "telemetry_analyzed", {"telemetry": {"analyzed": 1}}, False),
        ("E1", "improvements", {"improvements": []}, False),
        ("E1", "improvements", {"improvements": ["None found."]}, False),
        ("E1", "improvements", {"improvements": [{"text": "none found"}]}, False),
        ("E1", "improvements", {"improvements": [{"text": "None found", "evidence": "12 signals"}]}, True),
        ("E1", "improvements", {"improvements": ["none found: 12 signals within their limits"]}, True),
        ("E1", "improvements", {"improvements": [{"text": "nothing found"}]}, False),
        ("E1", "improvements", {"improvements": ["No changes needed at all."]}, False),
        ("E1", "improvements", {"improvements": ["No retry in client.py: add one"]}, True),
        ("E1", "improvements", {"improvements": [{"id": "none", "text": "all is well"}]}, False),
        ("E1", "improvements", {"improvements": [{"id": "I1", "text": "cache the header"}]}, True),
        ("E1", "technical_debt", {"debt": ["no debt"]}, False),
        ("E1", "technical_debt", {"debt": [{"text": "no debt", "location": " "}]}, False),
        ("E1", "technical_debt", {"debt": [{"text": "a long function", "location": "a.py:3"}]}, True),
        ("E1", "technical_debt", {"debt": []}, False),
        ("E1", "backlog", {"backlog": {"added": [], "updated": [], "sunset": []}}, False),
        ("E1", "backlog", {"backlog": {"added": ["none"], "updated": ["Nothing."], "sunset": [{"id": "none"}]}}, False),
        ("E1", "backlog", {"backlog": {"added": ["none"], "updated": [{"title": "cache the header"}]}}, True),
    ],
)
def test_a_criterion_is_measured(phase: str, name: str, changes: Json, passed: bool) -> None:
    assert measured(phase, name, **changes).passed is passed


@pytest.mark.parametrize(
    ("phase", "name", "changes", "shown"),
    [
        ("D1", "six_w_confidence", {"six_w": {**SIX, "how": 0.68}}, "0.697"),
        ("R1", "coverage", {"tests": {"coverage": 89.96}}, "89.96 %"),
        ("R1", "coverage", {"tests": {"coverage": 90}}, "90.0 %"),
    ],
)
def test_what_failed_is_not_shown_as_what_it_had_to_reach(phase: str, name: str, changes: Json, shown: str) -> None:
    assert measured(phase, name, **changes).actual == shown


def test_unverified_evidence_is_no_evidence() -> None:
    ticked = [{"id": f"AC{n}", "verified": True, "evidence": ""} for n in (1, 2, 3)]

    verdict = measured("R1", "criteria_verified", criteria=ticked)

    assert verdict.missing == tuple(f"criteria: AC{n} is not verified" for n in (1, 2, 3))


@pytest.mark.parametrize(
    ("name", "part", "shown"),
    [
        ("docs", {"updated": True, "files": [], "waived": "human: internal"}, "not updated, waived by human: internal"),
        ("docs", {"updated": True, "files": ["a.md"], "waived": ""}, "updated (1 files)"),
        (
            "migrations",
            {"schema_changed": False, "created": [], "waived": "human: the\ncolumn is unused"},
            "none created, waived by human: the column is unused",
        ),
        ("migrations", {"schema_changed": False, "created": [], "waived": None}, "schema unchanged"),
    ],
)
def test_what_a_person_waived_is_not_shown_as_done(name: str, part: Json, shown: str) -> None:
    assert measured("I1", name, **{name: part}).actual == shown


def test_a_cycle_is_named() -> None:
    tasks = [{**TASK, "id": a, "depends_on": [b]} for a, b in (("T1", "T2"), ("T2", "T3"), ("T3", "T1"))]

    assert "cycle" in measured("P1", "dependencies", tasks=tasks).missing[0]


def test_a_rule_makes_a_criterion_not_applicable_and_is_shown() -> None:
    verdict = check("I1", {}, not_applicable={"tests": "docs-need-no-tests"})

    shown = verdict.criteria[0].to_json()
    assert (shown["passed"], shown["not_applicable"], verdict.criteria[0].missing) == (True, "docs-need-no-tests", ())


def test_only_tools_that_ran_are_counted() -> None:
    audit = {"name": "pip-audit", "exit_code": None, "status": "not applicable"}

    assert measured("R1", "static_analysis", static={"tools": [RAN, IDLE], "issues": 0}).actual == "0 issues by 1 tool"
    told = {**RAN, "note": "by ruff's rules for errors"}
    assert measured("R1", "static_analysis", static={"tools": [told, IDLE], "issues": 0}).actual == (
        "0 issues by ruff's rules for errors"
    )
    assert measured("R1", "security", security={"tools": [RAN, audit], "findings": 0}).actual == "0 findings by 1 tool"


def test_where_no_tool_has_a_file_to_read_nothing_is_called_clean_and_the_rule_is_shown() -> None:
    criterion = measured("R1", "static_analysis", static={"tools": [IDLE], "issues": 0})

    assert (criterion.passed, criterion.actual) == (True, "not applicable")
    assert criterion.not_applicable == "nothing-to-read: no file for it"


def test_what_was_not_measured_says_why() -> None:
    row = {**IDLE, "status": "not measured", "note": "the project configures no analyser"}

    criterion = measured("R1", "static_analysis", static={"tools": [row], "issues": 0})

    assert criterion.missing == ("static_analysis: not measured: the project configures no analyser",)


def test_a_loosened_threshold_is_used_and_shown() -> None:
    tests = {"total": 3, "passed": 3, "failed": 0, "coverage": 70}

    verdict = check(
        "R1", {**GOOD["R1"], "tests": tests}, thresholds={"coverage": 60}, loosened={"coverage": "60 by Ada"}
    )

    coverage = next(c for c in verdict.criteria if c.name == "coverage")
    assert (coverage.passed, coverage.to_json()["loosened"]) == (True, "60 by Ada")


def test_an_unknown_gate_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="D1, P1, I1, R1, O1, E1"):
        check("Q1", {})


numbers = st.integers() | st.floats() | st.sampled_from([HUGE, -HUGE])
versions = st.sampled_from([f"{LONG}.0.0", f"1.0.0-{LONG}", f"{LONG}.0.0.0", "1.0.01", "1.0", "1!1.0", "v1.0.0"])
json_values = st.recursive(
    st.none() | st.booleans() | numbers | versions | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
known_keys = st.sampled_from(sorted({key for payload in GOOD.values() for key in payload}))


@given(phase=st.sampled_from(PHASE_CODES), payload=st.dictionaries(known_keys, json_values))
def test_no_payload_whatever_makes_a_gate_raise(phase: str, payload: Json) -> None:
    verdict = check(phase, payload)

    assert all(c.required and c.actual for c in verdict.criteria)
    assert verdict.passed is not bool(verdict.missing)


def places(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to each value inside of a payload."""
    inner: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way for key, part in inner for way in [(*here, key), *places(part, (*here, key))]]


def with_value(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    if not place:
        return new
    changed = copy.copy(value)
    changed[place[0]] = with_value(value[place[0]], place[1:], new)
    return changed


@given(phase=st.sampled_from(PHASE_CODES), data=st.data())
def test_no_value_in_a_good_payload_makes_a_gate_raise_whatever_it_becomes(phase: str, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(places(GOOD[phase])))

    verdict = check(phase, with_value(GOOD[phase], place, data.draw(json_values)))

    assert verdict.passed is not bool(verdict.missing)


LISTS: dict[str, list[tuple[Any, ...]]] = {
    "D1": [("acceptance_criteria",), ("risks",)],
    "P1": [("acceptance_criteria",), ("risks",), ("tasks",), ("tasks", 0, "criteria"), ("tasks", 0, "depends_on")],
    "R1": [("acceptance_criteria",)],
}
"""The lists whose every entry a gate has to read."""


@given(data=st.data(), entry=st.none() | st.booleans() | numbers | st.lists(st.text(), max_size=2))
def test_an_entry_of_the_wrong_type_never_counts_as_not_there(data: st.DataObject, entry: Any) -> None:
    phase, place = data.draw(st.sampled_from([(phase, place) for phase, found in LISTS.items() for place in found]))
    entries: Any = GOOD[phase]
    for key in place:
        entries = entries[key]

    assert not check(phase, with_value(GOOD[phase], place, [*entries, entry])).passed


@given(phase=st.sampled_from(PHASE_CODES), data=st.data())
def test_taking_one_thing_away_from_a_good_payload_never_passes_with_something_missing(
    phase: str, data: st.DataObject
) -> None:
    gone = data.draw(st.sampled_from(sorted(GOOD[phase])))

    verdict = check(phase, {k: v for k, v in GOOD[phase].items() if k != gone})

    optional = {"order", "risks", "mitigations"} if phase in ("P1", "R1") else set()
    assert verdict.passed is (gone in optional and not verdict.missing)
