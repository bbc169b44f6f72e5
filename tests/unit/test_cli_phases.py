"""`apm route`, `apm gate check` and `apm schema`: the rules of the phases from the command line."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from core.contract import PHASE_CODES, Json
from core.orchestration.artifacts import MODELS
from tests.unit.command_line import CommandLine

PASSING: dict[str, Json] = {
    "D1": {
        "business_context": "Support answers the same question about the export forty times every week.",
        "acceptance_criteria": [{"id": f"AC{n}", "text": f"condition {n}"} for n in (1, 2, 3)],
        "risks": [{"id": "R1", "text": "scripts that read the export may break"}],
        "six_w": {"who": 1.0, "what": 1.0, "when": 0.7, "where": 0.7, "why": 0.7, "how": 0.7},
    },
    "P1": {
        "acceptance_criteria": [{"id": "AC1", "text": "it works"}],
        "risks": [{"id": "R1", "text": "it may not"}],
        "tasks": [{"id": "T1", "title": "do it", "criteria": ["AC1"], "estimate_hours": 4, "depends_on": []}],
        "mitigations": [{"risk": "R1", "plan": "try it first"}],
    },
    "I1": {
        "tests": {"updated": True, "passed": 3, "failed": 0},
        "feature_flags": {"needed": False, "added": []},
        "docs": {"updated": True, "files": ["README.md"]},
        "migrations": {"schema_changed": False, "created": []},
    },
    "R1": {
        "acceptance_criteria": [{"id": "AC1", "text": "it works"}],
        "criteria": [{"id": "AC1", "verified": True, "evidence": "tests/test_it.py::test_works"}],
        "tests": {"total": 3, "passed": 3, "failed": 0, "coverage": 90.0},
        "static": {"tools": [{"name": "ruff"}], "issues": 0},
        "security": {"tools": [{"name": "bandit"}], "findings": 0},
    },
    "O1": {
        "version": {"from": "0.9.0", "to": "0.10.0"},
        "changelog": {"updated": True, "entry": "- a header line"},
        "deployment": {"status": "success", "target": "releases"},
        "health": {"status": "healthy", "response_ms": 12.0},
        "monitoring": {"active": True},
    },
    "E1": {
        "telemetry": {"analyzed": True},
        "improvements": [{"id": "I1", "text": "cache the header"}],
        "debt": [{"id": "D1", "text": "TODO", "location": "a.py:3", "cost": 1}],
        "backlog": {"added": [{"title": "cache"}], "updated": [], "sunset": []},
    },
}

SPOILED: dict[str, tuple[tuple[str, ...], Any, str]] = {
    "D1": (("six_w", "how"), 0.0, "six_w_confidence"),
    "P1": (("tasks",), [], "tasks_cover_criteria"),
    "I1": (("tests", "failed"), 1, "tests"),
    "R1": (("tests",), {"total": 0, "passed": 0, "failed": 0, "coverage": None}, "tests_pass"),
    "O1": (("version", "to"), "0.9.0", "version_bumped"),
    "E1": (("debt",), [], "technical_debt"),
}
"""A place in the passing payload, the value that spoils it, and the criterion that has to see it."""


def spoiled(phase: str) -> Json:
    payload = copy.deepcopy(PASSING[phase])
    place, value, _ = SPOILED[phase]
    inner = payload
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return payload


@pytest.mark.parametrize("phase", PHASE_CODES)
def test_a_payload_that_has_everything_passes_with_exit_code_0(line: CommandLine, phase: str) -> None:
    ended = line("gate", "check", phase, "-", "--json", stdin=json.dumps(PASSING[phase]))
    assert ended.code == 0
    verdict = ended.json
    assert list(verdict) == ["phase", "passed", "criteria", "missing", "suggested_action"]
    assert (verdict["phase"], verdict["passed"], verdict["missing"]) == (phase, True, [])
    assert all({"name", "required", "actual", "passed"} <= set(c) for c in verdict["criteria"])


@pytest.mark.parametrize("phase", PHASE_CODES)
def test_a_payload_that_lacks_something_does_not_pass_and_says_what(line: CommandLine, phase: str) -> None:
    ended = line("gate", "check", phase, "-", "--json", stdin=json.dumps(spoiled(phase)))
    assert ended.code == 1
    failing = {c["name"] for c in ended.json["criteria"] if not c["passed"]}
    assert SPOILED[phase][2] in failing
    assert ended.json["missing"]
    assert ended.json["suggested_action"]


def test_the_table_has_a_glyph_and_a_word_for_every_criterion(line: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "payload.json"
    file.write_text(json.dumps(spoiled("O1")))
    ended = line("gate", "check", "o1", file)
    assert ended.code == 1
    assert ended.out.splitlines()[0] == "O1: not passed"
    assert "✗ missing  version_bumped" in ended.out
    assert "✓ passed   health" in ended.out


def test_a_gate_can_be_asked_where_there_is_no_workspace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui.cli.main import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("APM_WORKSPACE", raising=False)
    (tmp_path / "payload.json").write_text(json.dumps(PASSING["O1"]))
    assert main(["gate", "check", "O1", "payload.json", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["passed"] is True


def test_the_workspace_s_own_figures_are_measured_against(line: CommandLine) -> None:
    file = line.folder / "agents.yaml"
    file.write_text(file.read_text().replace("acceptance_criteria: 3", "acceptance_criteria: 4", 1))
    ended = line("gate", "check", "D1", "-", "--json", stdin=json.dumps(PASSING["D1"]))
    assert ended.code == 1
    assert ended.json["missing"] == ["acceptance_criteria: 3 of 4"]


def test_what_the_type_makes_pointless_is_exempt_by_its_rule(line: CommandLine) -> None:
    payload = {**PASSING["R1"], "tests": {"total": 0, "passed": 0, "failed": 0, "coverage": None}}
    ended = line("gate", "check", "R1", "-", "--type", "docs", "--json", stdin=json.dumps(payload))
    assert ended.code == 0
    exempt = {c["name"]: c["not_applicable"] for c in ended.json["criteria"] if c.get("not_applicable")}
    assert set(exempt) == {"tests_pass", "coverage"}
    assert exempt["coverage"].startswith("docs-need-no-tests: ")


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        ("{", "line 1, column 2"),
        ("[]", "no JSON object"),
        ('{"risks": NaN}', "NaN is not a JSON number"),
        ("[" * 200_000, "nested too deeply"),
        (b"\xff\xfe", "not UTF-8"),
        ("", "not JSON"),
    ],
)
def test_a_payload_that_is_no_json_object_is_refused_in_a_sentence(
    line: CommandLine, payload: str | bytes, told: str
) -> None:
    ended = line("gate", "check", "D1", "-", stdin=payload)
    assert ended.code == 2
    assert told in ended.err
    assert ended.out == ""


def test_a_file_that_is_not_there_is_named(line: CommandLine) -> None:
    ended = line("gate", "check", "D1", line.folder / "nowhere.json")
    assert ended.code == 2
    assert "nowhere.json cannot be read: no such file or directory" in ended.err


def test_a_route_has_the_four_documented_keys(line: CommandLine) -> None:
    ended = line("route", "plan.snapshot", "--json")
    assert ended.code == 0
    assert ended.json == {
        "artifact": "plan.snapshot",
        "orchestrator": "implementation-orch",
        "phase": "I1",
        "output": "build.bundle",
    }


def test_an_unknown_type_names_the_known_ones(line: CommandLine) -> None:
    for command in ("route", "schema"):
        ended = line(command, "plan.snapshots")
        assert ended.code == 2
        assert all(known in ended.err for known in MODELS)


@pytest.mark.parametrize("artifact_type", MODELS)
def test_every_type_has_a_schema(line: CommandLine, artifact_type: str) -> None:
    ended = line("schema", artifact_type)
    assert ended.code == 0
    assert ended.json["title"] == artifact_type
    assert ended.json["type"] == "object"
