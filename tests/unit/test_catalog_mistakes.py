"""Mistakes in agents.yaml are told in one sentence, with the line where they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.registry.catalog import (
    CatalogError,
    load,
)
from tests.unit.catalog_file import SHIPPED, complaint, edited, write


def assert_told(path: Path, line: int, told: str) -> None:
    message = complaint(path)
    assert [text for text in message.splitlines() if text.startswith(f"agents.yaml:{line}: ") and told in text], message


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("  limits:\n", "\tlimits:\n", "is indented with a tab"),
        ("version: 1", "version: 2", "version: is 2; it must be 1"),
        ("version: 1", 'version: "1"', "version: is '1'; it must be the number 1, without quotes"),
        ("parallel_work_items: 4", "parallel_workitems: 4", "did you mean 'parallel_work_items'?"),
        ("parallel_work_items: 4", "parallel_work_items: four", "is 'four'; it must be a whole number"),
        ("parallel_work_items: 4", "parallel_work_items: 0", "defaults.limits.parallel_work_items: is 0; it must be 1"),
        ("coverage: 90", "coverage: 900", "gates.thresholds.R1.coverage: is 900; it must be 100 or less"),
        (
            "coverage: 90",
            "coverge: 90",
            "gates.thresholds.R1.coverge: is not a key known here; did you mean 'coverage'",
        ),
        ("max_hours: 4", "max_hours: 0", "is 0; it must be above 0"),
        ("criteria: [I1.tests,", "criteria: [I1.test,", "is no criterion of a gate; did you mean 'I1.tests'?"),
        ("by_type: {}", "by_type: {spike: {D1: {risk: 1}}}", "risk: is no threshold of D1; did you mean 'risks'?"),
        ("by_type: {}", "by_type: {spike: {D1: {risks: -1}}}", "by_type.spike.D1.risks: is -1.0; it must be 0 or more"),
        (
            "by_type: {}",
            "by_type: {spice: {}}",
            "it must be one of feature, bug, chore, spike, docs; did you mean 'spike'",
        ),
        (
            "urgency: DAILY",
            "urgency: daily",
            "is 'daily'; it must be one of IMMEDIATE, DAILY, WEEKLY; did you mean 'DAILY'",
        ),
        ("winner: ux", "winner: gtm", "is gtm, which is neither technical nor ux"),
        ("between: [technical, ux]", "between: [technical, technical]", "names technical twice"),
        ("title: Milestone", "title: 7", "defaults.milestone.title: is 7; it must be text; put quotes around it"),
        ("outward: true", "outward: yes", "is 'yes'; it must be true or false"),
        (
            "runtime: auto",
            "runtime: antropic",
            "agents[code-implementer].runtime: is 'antropic'; it must be one of auto,",
        ),
        ("runtime: auto", "runtime: antropic", "did you mean 'anthropic'?"),
        ("runtime: auto", "runtime: offline", "is offline, which writes no code; use human, replay or"),
        ("fallback: human", "fallback: anthropic", "a fallback serves where no model is"),
        ("[requirements, acceptance-criteria]", "requirements", "is 'requirements'; it must be a list"),
        ("[requirements, acceptance-criteria]", "[]", "has 0 entries; it needs at least 1"),
        ("role: ac-writer", "role: AC Writer", "is 'AC Writer'; it must be 1 to 64 of a-z, 0-9 and -"),
        (
            "role: ac-writer",
            "role: ac-writter",
            "which phase D1 needs; did you mean 'ac-writer' where 'ac-writter' stands",
        ),
        ("{key: caching,", "{key: api_endpoints,", "'api_endpoints' stands twice"),
        ('"CONTRIBUTING*"', '"../secrets/*"', "leads outside; write a path relative to the project"),
        ('"CONTRIBUTING*"', '"/etc/*"', "leads outside"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    path, line = edited(tmp_path, old, new)

    assert_told(path, line, told)


@pytest.mark.parametrize(
    ("role", "old", "new", "told"),
    [
        (
            "ac-writer",
            "capabilities:",
            "capabilites:",
            "[ac-writer].capabilites: is not a key known here; did you mean",
        ),
        ("ac-writer", "tier: 3", "tier: 4", "is 4; it must be 3 or less"),
        ("ac-writer", "tier: 3", "tier: 2", "agents[ac-writer].tier: is 2; for ac-writer it must be 3"),
        ("ac-writer", "phase: D1", "phase: D2", "is 'D2'; it must be one of D1, P1, I1, R1, O1, E1"),
        ("ac-writer", "phase: D1", "phase: P1", "agents[ac-writer].phase: is P1; for ac-writer it must be D1"),
        ("ac-writer", "type: sub-agent", "type: subagent", "did you mean 'sub-agent'?"),
        ("ac-writer", "type: sub-agent", "type: utility", "is utility; for ac-writer it must be sub-agent"),
        ("code-implementer", "limits: {seconds: 3600}", "limits: {turn: 9}", "is not a key known here; did you mean"),
        (
            "code-implementer",
            "limits: {seconds: 3600}",
            "limits: {turns: 0}",
            "limits.turns: is 0; it must be 1 or more",
        ),
        (
            "code-implementer",
            "limits: {seconds: 3600}",
            "limits: {files: many}",
            "files: is 'many'; it must be a whole",
        ),
        ("code-implementer", "limits: {seconds: 3600}", "limits: {bytes: 1.5}", "bytes: is 1.5; it must be a whole"),
        ("quality-gatekeeper", "runtime: tool", "runtime: anthropic", "can only be tool: gates are judged by code"),
        ("test-runner", "runtime: tool", "runtime: replay", "can only be tool: what it reports is measured by code"),
        ("master-orchestrator", "runtime: tool", "runtime: human", "the master only routes, which code does"),
    ],
)
def test_a_mistake_in_an_agent_is_told_with_its_line(tmp_path: Path, role: str, old: str, new: str, told: str) -> None:
    path, line = edited(tmp_path, old, new, after=f"role: {role}")

    assert_told(path, line, told)


@pytest.mark.parametrize(
    ("new", "told"),
    [
        ("impact: 9", "is 9; what is above 8 always escalates"),
        ("impact: 4, reversible: false", "is false; what cannot be undone needs `ceiling: escalate`"),
        ("impact: 4, ceiling: escalate", "is escalate, so the kind cannot stand under autonomous"),
        ("impact: 11", "is 11; it must be 10 or less"),
    ],
)
def test_a_kind_that_cannot_be_autonomous(tmp_path: Path, new: str, told: str) -> None:
    path, line = edited(tmp_path, "impact: 4", new, after="key: caching")

    assert_told(path, line, told)


def test_an_impact_rule_without_its_impact(tmp_path: Path) -> None:
    path, _ = edited(tmp_path, "    value: 8\n", "")

    assert "escalate_first[high-impact]: needs `value` with impact_above, and only there" in complaint(path)


def test_a_role_that_stands_twice_and_the_one_it_displaced(tmp_path: Path) -> None:
    path, line = edited(tmp_path, "role: estimator", "role: ac-writer")

    assert complaint(path).splitlines() == [
        *(
            f"agents.yaml:{SHIPPED[: SHIPPED.index('agents:')].count(chr(10)) + 1}: agents: no agent has the role "
            "'estimator', which phase P1 needs",
        ),
        f"agents.yaml:{line}: agents[ac-writer].role: 'ac-writer' stands twice; a role names one agent",
    ]


def test_a_key_that_stands_twice(tmp_path: Path) -> None:
    path, line = edited(tmp_path, "revision_rounds: 3", "revision_rounds: 3\n    revision_rounds: 4")

    assert complaint(path) == (
        f"agents.yaml:{line + 1}: defaults.limits.revision_rounds: stands twice; the first is on line {line}"
    )


def test_a_kind_that_is_both_autonomous_and_escalate(tmp_path: Path) -> None:
    path, _ = edited(tmp_path, "{key: caching,", "{key: security,")

    assert "'security' is both autonomous and escalate; a kind is one of them" in complaint(path)


def test_rules_that_share_a_name(tmp_path: Path) -> None:
    path, _ = edited(tmp_path, "id: no-rule-decides", "id: high-impact")

    assert complaint(path).count("'high-impact' names 2 rules") == 2


def test_a_missing_agent_is_told_by_name(tmp_path: Path) -> None:
    start, end = SHIPPED.index("  - role: ac-writer"), SHIPPED.index("  - role: definition-gate-check")
    message = complaint(write(tmp_path, SHIPPED[:start] + SHIPPED[end:]))

    assert message.endswith("agents: no agent has the role 'ac-writer', which phase D1 needs")


def test_a_missing_section_is_told_once(tmp_path: Path) -> None:
    path, _ = edited(tmp_path, "conflicts:", "conflict:")

    assert re.sub(r":\d+:", ":", complaint(path)) == (
        "agents.yaml: conflict: is not a key known here; did you mean 'conflicts'?"
    )


def test_ten_problems_are_listed_and_the_rest_counted(tmp_path: Path) -> None:
    lines = complaint(write(tmp_path, SHIPPED.replace("tier: 3", "tier: third"))).splitlines()

    assert len(lines) == 11
    assert lines[-1] == f"… and {SHIPPED.count('tier: 3') - 10} more"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "agents.yaml:1: is empty; it needs version, gates"),
        (b"# only a remark\n", "agents.yaml:1: is empty"),
        (b"- a\n- b\n", "agents.yaml:1: is not a mapping of sections"),
        (b"\x7fELF\x02\x01\x00\x00", "agents.yaml:1: holds the control character"),
        (b"\x89PNG\r\n\x1a\n\xff\xd8", "agents.yaml:1: is not UTF-8 text"),
        (b"a: &a [x,x,x,x,x,x,x,x]\nb: [" + b"*a," * 100_000 + b"]", "more than 100000 values"),
        (b"# " + b"x" * 5 * 2**20, "is larger than 4 MB"),
    ],
    ids=["empty", "remark", "list", "binary", "picture", "laughs", "huge"],
)
def test_what_is_no_catalog_at_all(tmp_path: Path, content: bytes, told: str) -> None:
    assert told in complaint(write(tmp_path, content))


def test_a_broken_file_ends_a_command_as_bad_usage(tmp_path: Path) -> None:
    with pytest.raises(CatalogError) as caught:
        load(tmp_path / "agents.yaml")

    assert caught.value.exit_code == 2
    assert "cannot be read: no such file" in str(caught.value)
