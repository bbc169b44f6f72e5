"""A person's day by commands alone: a workspace, a project, a request, questions and their answers, a release."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.apm_process import Apm
from tests.e2e.people import CODE, FILES, REQUEST, TESTS
from tests.unit import git_project

VAGUE = "Make it better"
SUPPLIED = {
    "business_context": "Support answers the same question about the export forty times a week, two hours of work.",
    "acceptance_criteria": ["The export has a header line", "It names every column", "An empty export has it too"],
    "risks": ["Scripts that read the export may break"],
    "who": "Support people who export reports",
    "what": "A header line in the CSV export",
    "when": "Before the release in December",
    "where": "The export command in export.py",
    "why": "They answer the same question forty times a week",
    "how": "Write the column names before the first row",
}


@pytest.fixture
def apm(tmp_path: Path) -> Apm:
    made = Apm(tmp_path, tmp_path / "my workspace")
    assert made("init", "my workspace").code == 0
    return made


def test_a_vague_request_ends_in_good_questions_and_goes_on_with_their_answers(apm: Apm) -> None:
    assert apm("work-item", "create", VAGUE, "--json").json["state"] == "proposed"
    asked = apm("run", "1", "--until", "D1", "--json")
    assert asked.code == 3
    [item] = asked.json["work_items"]
    assert (item["state"], item["phase"]) == ("waiting", "D1")
    assert item["phases"] == [{**item["phases"][0], "phase": "D1", "status": "blocked", "attempt": 1}]
    [gate] = asked.json["gates"]
    assert gate["passed"] is False

    [question] = apm("escalation", "list", "--json").json
    assert question["id"] in item["escalations"]
    assert question["chain"][0] == "master-orchestrator"
    assert {m.split(":")[0] for m in question["missing"]} == {c["name"] for c in gate["criteria"] if not c["passed"]}
    [supply] = [o for o in question["options"] if o["key"] == question["recommended"]]
    assert set(supply["asks"]) == set(SUPPLIED)

    words = ("escalation", "resolve", str(question["id"]), "--recommended", "--answer", "-")
    assert apm(*words, stdin=json.dumps(SUPPLIED)).code == 0
    passed = apm("run", "1", "--until", "D1", "--json")
    assert passed.code == 0
    [item] = passed.json["work_items"]
    assert [(p["phase"], p["status"], p["attempt"]) for p in item["phases"]] == [("D1", "passed", 2)]
    assert [a["type"] for a in item["artifacts"]] == ["request.raw", "workitem.ready"]
    # What was found in the first round and is not concerned by the answer was not asked again.
    assert [d["attempt"] for d in item["delegations"] if d["agent"] == "intent-triage"] == [1]


def test_run_all_takes_what_people_made_and_tells_each_that_waits(apm: Apm) -> None:
    for _ in range(2):
        apm("work-item", "create", VAGUE)
    ended = apm("run", "--all")
    assert ended.code == 3
    assert "1 Make it better: waiting in D1" in ended.out
    assert "2 Make it better: waiting in D1" in ended.out
    assert "(`apm escalation show 2`)" in ended.out
    lines = ended.err.splitlines()
    assert "1 D1 begins" in lines
    assert any(line.startswith("2 D1 intent-triage SUCCESS ") and line.endswith(" ms") for line in lines)


def test_from_request_to_release_by_commands_and_commits(apm: Apm, tmp_path: Path) -> None:
    project = tmp_path / "Größe & Gewicht" / "mein Projekt"
    git_project.commit(project, FILES)
    added = apm("project", "add", project, "--name", "greeter", "--json")
    assert added.code == 0, added.err
    created = apm("work-item", "create", "Greet in German", "--body", "-", "--json", stdin=REQUEST)
    assert created.json["project"] == "greeter"

    assert apm("run", "1").code == 3
    [question] = apm("escalation", "list", "--json").json
    assert question["details"]["branch"] == "apm/1-greet-in-german"
    tree = Path(question["details"]["worktree"])
    readme = "# greeter\n\nGreets, in German too.\n"
    files = {"greeter/__init__.py": CODE, "tests/test_greet.py": TESTS, "README.md": readme}
    git_project.commit(tree, files, "Greet in the language that is asked for")
    reason = ("--option", "all", "--reason", "code and tests are there")
    assert apm("escalation", "resolve", str(question["id"]), *reason).code == 0

    finished = apm("run", "1", "--json")
    assert finished.code == 0, (finished.err, apm("escalation", "list").out)
    assert finished.json["work_items"][0]["state"] == "closed"
    assert all(g["passed"] for g in finished.json["gates"])
    assert git_project.git(project, "describe", "--tags", "main") == "v0.2.0"
    assert git_project.git(project, "status", "--porcelain") == ""
    assert "Hallo" in (project / "greeter" / "__init__.py").read_text()
    assert apm("audit", "verify").code == 0
    assert apm("doctor").code == 0
