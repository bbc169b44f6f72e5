"""`apm demo`: the sample project from request to release for real, again, and after being killed on the way."""

from __future__ import annotations

import json
import signal
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.contract import PHASE_CODES, Json
from tests.e2e.apm_process import Apm, Ended, end, freeze, query, wait_until
from tests.unit.git_project import git

ARTIFACTS = [
    *("request.raw", "workitem.ready", "plan.snapshot", "build.bundle", "review.approved"),
    *("release.deployed", "telemetry.snapshot", "evolution.backlog_delta"),
]
CRITERIA = {
    "D1": ["business_context", "acceptance_criteria", "risks", "six_w_confidence"],
    "P1": ["tasks_cover_criteria", "estimates", "dependencies", "mitigations"],
    "I1": ["tests", "feature_flags", "docs", "migrations"],
    "R1": ["criteria_verified", "tests_pass", "coverage", "static_analysis", "security"],
    "O1": ["version_bumped", "changelog_updated", "deployment", "health", "monitoring"],
    "E1": ["telemetry_analyzed", "improvements", "technical_debt", "backlog"],
}


@pytest.fixture(scope="module")
def cwd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def ended(cwd: Path) -> Ended:
    """One run of the demo, which every test of this module that only looks looks at."""
    return Apm(cwd)("demo", "--headless", "--json")


@pytest.fixture(scope="module")
def report(ended: Ended) -> Json:
    assert ended.code == 0, ended.err
    told: Json = ended.json
    return told


@pytest.fixture(scope="module")
def project(report: Json) -> Path:
    return Path(report["project"]["path"])


def test_it_makes_its_workspace_under_state_demo(report: Json, cwd: Path) -> None:
    assert report["workspace"] == str(cwd / "state" / "demo")


def test_all_eight_artifacts_are_there_each_with_its_digest_and_parent(report: Json) -> None:
    assert [a["type"] for a in report["artifacts"]] == ARTIFACTS
    digests = [a["digest"] for a in report["artifacts"]]
    assert all(len(d) == 64 for d in digests)
    assert len(set(digests)) == 8
    assert all(a["parent"] in digests for a in report["artifacts"][1:])


def test_every_gate_passed_and_every_criterion_has_its_evidence(report: Json) -> None:
    assert [(g["phase"], g["passed"]) for g in report["gates"]] == [(code, True) for code in PHASE_CODES]
    for gate in report["gates"]:
        assert [c["name"] for c in gate["criteria"]] == CRITERIA[gate["phase"]]
        for criterion in gate["criteria"]:
            assert criterion["passed"] is True
            assert criterion["required"]
            assert criterion["actual"]
            assert criterion["evidence"], (gate["phase"], criterion["name"])


def test_what_tools_measured_has_commands_with_exit_codes_and_digests(report: Json) -> None:
    review = next(g for g in report["gates"] if g["phase"] == "R1")
    evidence = {c["name"]: [e for e in c["evidence"] if "command" in e] for c in review["criteria"]}
    for name in ("tests_pass", "coverage", "static_analysis", "security"):
        assert evidence[name], name
        assert all(isinstance(e["exit_code"], int) and len(e["output_digest"]) == 64 for e in evidence[name])


def test_something_was_escalated_something_decided_and_all_of_it_says_by_whom(report: Json) -> None:
    assert report["escalations"]
    for question in report["escalations"]:
        assert question["status"] == "resolved"
        assert question["resolution"]["option"] == question["recommended"]
        assert (question["resolution"]["by"], question["resolution"]["provenance"]) == ("apm demo", "rule")
    decided = [d for d in report["decisions"] if d["outcome"] == "decided"]
    assert decided
    assert all(d["rule"] and d["provenance"] == "rule" for d in decided)


def test_it_says_on_the_way_that_it_answers_and_what_is_replayed(ended: Ended, report: Json) -> None:
    for question in report["escalations"]:
        assert f"#{question['id']} is answered {question['recommended']!r} by apm demo (rule)" in ended.err
    replayed = [line for line in ended.err.splitlines() if line.endswith("(replay)")]
    coded = [d for d in report["work_items"][0]["delegations"] if d["runtime"] == "replay"]
    assert len(replayed) == len(coded) > 0
    assert {d["agent"] for d in coded} == {"code-implementer", "test-implementer"}


def test_the_work_item_went_through_every_phase_and_is_closed(report: Json) -> None:
    [item] = report["work_items"]
    assert item["state"] == "closed"
    assert [(p["phase"], p["status"]) for p in item["phases"]] == [(code, "passed") for code in PHASE_CODES]
    assert all(p["seconds"] >= 0 for p in item["phases"])
    assert report["seconds"] < 60


def test_the_release_is_tagged_merged_and_built(report: Json, project: Path) -> None:
    [tag] = {"v0.4.0"} & set(git(project, "tag").split())
    assert git(project, "rev-parse", f"{tag}^{{commit}}") == git(project, "rev-parse", "main")
    assert len(git(project, "rev-list", "--merges", "v0.3.0..main").split()) == 1
    assert "## [0.4.0]" in git(project, "show", "main:CHANGELOG.md")
    releases = Path(report["workspace"]) / "state" / "releases" / "rowdown" / "0.4.0"
    [wheel] = releases.glob("*.whl")
    assert "rowdown/fill.py" in zipfile.ZipFile(wheel).namelist()


def test_nothing_is_left_behind(project: Path) -> None:
    assert git(project, "status", "--porcelain") == ""
    assert git(project, "branch", "--format=%(refname:short)") == "main"
    assert len(git(project, "worktree", "list").splitlines()) == 1


def test_evolution_leaves_proposals_for_a_human(report: Json) -> None:
    assert report["proposed"]
    assert all((w["state"], w["origin"]) == ("proposed", "evolution") for w in report["proposed"])


def test_run_again_it_tells_the_same_and_repeats_nothing(report: Json, cwd: Path, project: Path) -> None:
    before = git(project, "log", "--all", "--format=%H")
    count = query(Path(report["workspace"]), "SELECT count(*) FROM delegations")
    again = Apm(cwd)("demo", "--headless", "--json")
    assert again.code == 0
    assert f"The demo is over; remove {Path(report['workspace'])} to begin it again." in again.err
    assert without_time(again.json) == without_time(report)
    assert git(project, "log", "--all", "--format=%H") == before
    assert query(Path(report["workspace"]), "SELECT count(*) FROM delegations") == count


def without_time(report: Json) -> Json:
    return {k: v for k, v in report.items() if k != "seconds"}


def test_the_summary_for_a_person_has_digests_figures_and_provenance(report: Json, cwd: Path) -> None:
    told = Apm(cwd)("demo", "--headless")
    assert told.code == 0
    assert all(a["digest"] in told.out for a in report["artifacts"])
    assert "100.0 %" in told.out
    assert "apm demo  rule" in told.out
    assert "(replay)" in told.out


def test_the_team_s_file_is_what_it_was(report: Json) -> None:
    from core.registry.catalog import default_path

    assert (Path(report["workspace"]) / "agents.yaml").read_bytes() == default_path().read_bytes()


@dataclass
class Started:
    """A demo that runs."""

    apm: Apm
    workspace: Path
    process: subprocess.Popen[str]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Started]:
    apm = Apm(tmp_path, tmp_path / "ws")
    process = apm.start("demo", "--headless", "--json")
    yield Started(apm, tmp_path / "ws", process)
    if process.poll() is None:
        end(process, signal.SIGKILL)


def recorded(workspace: Path, agent: str, subject: str = "") -> bool:
    return bool(query(workspace, "SELECT 1 FROM delegations WHERE agent = ? AND subject = ?", agent, subject))


def intended(workspace: Path, agent: str) -> bool:
    return bool(query(workspace, "SELECT 1 FROM intents WHERE agent = ?", agent))


KILLED_AT: tuple[tuple[str, Any], ...] = (
    ("as soon as the work item is there", lambda w: query(w, "SELECT 1 FROM work_items")),
    ("after the criteria were written", lambda w: recorded(w, "ac-writer")),
    ("in the middle of the coding", lambda w: recorded(w, "code-implementer", "T2")),
    ("while the tests run", lambda w: query(w, "SELECT 1 FROM phase_runs WHERE phase = 'R1'")),
    ("between meaning to deploy and having deployed", lambda w: intended(w, "deploy-orchestrator")),
    ("before the health of the release was looked at", lambda w: recorded(w, "deploy-orchestrator")),
    ("while it looks back", lambda w: query(w, "SELECT 1 FROM phase_runs WHERE phase = 'E1'")),
)


def test_killed_again_and_again_it_finishes_the_same_work_once(tmp_path: Path) -> None:
    workspace = tmp_path / "ws"
    apm = Apm(tmp_path, workspace)
    for when, reached in KILLED_AT:
        process = apm.start("demo", "--headless", "--json")
        came = wait_until(process, lambda: reached(workspace))  # noqa: B023 — called before the next turn
        killed = end(process, signal.SIGKILL)
        assert came, (when, killed.err)
    finished = apm("demo", "--headless", "--json")
    assert finished.code == 0, finished.err
    assert [a["type"] for a in finished.json["artifacts"]] == ARTIFACTS
    assert all(g["passed"] for g in finished.json["gates"])
    keys = query(workspace, "SELECT work_item, phase, round, agent, subject FROM delegations")
    assert len(keys) == len(set(keys))
    check_released_once(Path(finished.json["project"]["path"]))
    told = query(
        workspace, "SELECT channel, subject FROM notifications WHERE subject LIKE 'Released%' ORDER BY channel"
    )
    assert [channel for channel, _ in told] == ["console", "file"], "and told once"
    assert told[0][1].startswith("Released as 0.4.0: #1 "), told
    assert json.loads(apm("audit", "verify", "--json").out)["ok"] is True


def check_released_once(project: Path) -> None:
    """One tag, one merge, one commit for each agent and task, and nothing left of the way."""
    assert git(project, "tag").split().count("v0.4.0") == 1
    assert len(git(project, "rev-list", "--merges", "v0.3.0..main").split()) == 1
    trailers = "%(trailers:key=Apm-Agent,key=Apm-Task,separator=%x20)"
    made = [line for line in git(project, "log", f"--format={trailers}", "v0.3.0..main").splitlines() if line.strip()]
    assert len(made) == len(set(made)) > 0
    assert git(project, "status", "--porcelain") == ""
    assert len(git(project, "worktree", "list").splitlines()) == 1


@pytest.mark.parametrize(("number", "phase"), [(signal.SIGTERM, "R1"), (signal.SIGINT, "I1"), (signal.SIGHUP, "I1")])
def test_a_signal_stops_it_in_order_with_all_that_it_started(demo: Started, number: signal.Signals, phase: str) -> None:
    wait_until(demo.process, lambda: query(demo.workspace, "SELECT 1 FROM phase_runs WHERE phase = ?", phase))
    stopped = end(demo.process, number)
    assert stopped.code == 128 + number
    assert f"stopped by {number.name}" in json.loads(stopped.out)["error"]
    assert "Traceback" not in stopped.err
    assert not leftovers(demo.workspace)
    assert not recorded(demo.workspace, "quality-gatekeeper")
    [lease] = query(demo.workspace, "SELECT heartbeat_at FROM leases")
    assert lease == (0,)


def test_a_second_process_follows_and_takes_over_when_the_first_dies(demo: Started) -> None:
    wait_until(demo.process, lambda: query(demo.workspace, "SELECT 1 FROM phase_runs WHERE phase = 'I1'"))
    freeze(demo.process, demo.workspace)
    second = demo.apm.start("run", "1", "--json")
    assert second.stderr is not None
    assert second.stderr.readline() == f"Process {demo.process.pid} drives this workspace; this one follows.\n"
    end(demo.process, signal.SIGKILL)
    finished = end(second)
    assert finished.code == 0, finished.err
    assert [a["type"] for a in finished.json["artifacts"]] == ARTIFACTS
    check_released_once(demo.workspace / "rowdown")


def leftovers(folder: Path) -> list[str]:
    """Processes that still work in a folder."""
    found = (process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"]))
    return [line for line in map(" ".join, found) if str(folder) in line]
