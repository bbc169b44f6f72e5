"""The sample project, its request and the recorded coding steps, each taken through the real tools.

Run as a program, this file writes into the cassette what the planning agents ask for now (see ASKED_DRIFTED).
"""

from __future__ import annotations

import asyncio
import json
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.agents import definition, planning
from core.agents.bench import Bench
from core.agents.builds import export
from core.agents.outcomes import read_junit
from core.contract import AgentRequest, ApmError, Json, Status, canonical_json, digest_of
from core.demo import sample
from core.orchestration import gates
from core.orchestration.assembly import assemble
from core.phases import PHASE_BY_CODE
from core.projects.commands import CommandResult, run
from core.projects.git import add_all_and_commit, changed_files, commits, current_branch, git, head, status
from core.registry.catalog import default_path, load

ASKED_DRIFTED = (
    "The planning agents ask for other tasks than the cassette answers. If the new plan is right and the recorded "
    "edits still fit it, run: python tests/unit/test_demo_sample.py"
)
CODING = ("code-implementer", "test-implementer")


@dataclass(frozen=True)
class Played:
    """A copy of the project with every recorded edit committed, and what its test run said."""

    path: Path
    coverage: float
    outcomes: dict[str, str]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return asyncio.run(sample.write_project(tmp_path_factory.mktemp("sample") / "rowdown"))


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("played")
    return asyncio.run(_play(folder))


@pytest.fixture(scope="module")
def planned(project: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Json]:
    return asyncio.run(plan(project, tmp_path_factory.mktemp("scratch")))


async def test_the_history_is_six_commits_by_two_people_with_three_releases(project: Path) -> None:
    found = await commits(project, "")
    tags = (await git(project, "tag", "--list")).split()
    assert [commit.subject for commit in found][::5] == ["Release 0.3.0", "Turn CSV files into Markdown tables"]
    assert len(found) == 6
    assert {commit.author for commit in found} == {"Mara Lindqvist", "Tomas Okafor"}
    assert tags == ["v0.1.0", "v0.2.0", "v0.3.0"]
    assert await current_branch(project) == "main"
    assert await status(project) == ()
    assert _version(project) == "0.3.0"


async def test_the_hashes_are_the_same_whatever_the_machine_is_set_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("post-checkout", "reference-transaction", "post-commit"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/hooked\nexit 1\n", encoding="utf-8")
        (hooks / name).chmod(0o755)
    (tmp_path / ".gitconfig").write_text(
        "[user]\n\tname = Someone\n\temail = someone@example.org\n"
        "[init]\n\tdefaultBranch = trunk\n\tdefaultObjectFormat = sha256\n"
        f"[core]\n\tautocrlf = true\n\thooksPath = {hooks}\n"
        "[commit]\n\tgpgSign = true\n[tag]\n\tgpgSign = true\n[i18n]\n\tcommitEncoding = latin1\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("TZ", "Asia/Tokyo")

    written = await sample.write_project(tmp_path / "with a space, é")

    assert await head(written) == sample.HEAD_COMMIT
    assert await current_branch(written) == "main"
    assert not (tmp_path / "hooked").exists()
    assert b"\r" not in (written / "README.md").read_bytes()


async def test_every_commit_before_it_passes_its_own_tests_and_linter(project: Path, tmp_path: Path) -> None:
    async def faults(sha: str) -> str:
        tree = await export(project, sha, tmp_path / sha[:8])
        results = [await _python(tree, "pytest", "-q", "-p", "no:cacheprovider"), *await _lint(tree)]
        return "\n".join(result.output for result in results if not result.ok)

    found = await asyncio.gather(*(faults(commit.sha) for commit in await commits(project, "", "v0.3.0^")))

    assert found == [""] * 5


async def test_the_last_release_is_covered_and_clean_and_its_tests_are_quick(project: Path, tmp_path: Path) -> None:
    coverage, outcomes = await _tested(project, tmp_path)
    assert coverage >= 95
    assert len(outcomes) > 50
    assert set(outcomes.values()) == {"passed"}
    assert [result.output for result in [*await _lint(project), await _bandit(project)] if not result.ok] == []
    assert await status(project) == ()


async def test_it_has_debt_that_an_evolution_phase_can_find(project: Path) -> None:
    from radon.complexity import cc_visit

    sources = [path.read_text(encoding="utf-8") for path in sorted((project / "src").rglob("*.py"))]
    complexity = {block.name: block.complexity for source in sources for block in cc_visit(source)}
    assert sum(source.count("# TODO: ") for source in sources) == 2
    assert {name for name, value in complexity.items() if value >= 11} == {"is_number"}


def test_it_needs_nothing_but_python(project: Path) -> None:
    manifest = _manifest(project)
    assert manifest["project"]["dependencies"] == []
    assert manifest["build-system"]["requires"] == ["hatchling"]


async def test_a_folder_that_holds_something_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ApmError, match="something is there"):
        await sample.write_project(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


async def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    assert not await sample.is_project(tmp_path)
    await sample.write_project(tmp_path)
    assert await sample.is_project(tmp_path)


async def test_without_git_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ApmError, match="git"):
        await sample.write_project(tmp_path / "demo" / "rowdown")
    assert list((tmp_path / "demo").iterdir()) == []


async def test_a_project_that_went_on_from_the_sample_is_still_it(tmp_path: Path) -> None:
    project = await sample.write_project(tmp_path / "rowdown")
    (project / "README.md").write_text("# Another\n", encoding="utf-8")
    await add_all_and_commit(project, "Go on", author="Ada <ada@example.org>")
    assert await sample.is_project(project)


def test_the_request_passes_the_definition_gate(planned: dict[str, Json]) -> None:
    item = planned["D1"]
    verdict = gates.check("D1", item)
    assert verdict.missing == ()
    assert len(item["acceptance_criteria"]) == 4
    assert [risk["severity"] for risk in item["risks"]] == ["high", "medium", "low"]


def test_its_plan_passes_the_planning_gate_with_three_tasks_in_a_row(planned: dict[str, Json]) -> None:
    plan, item = planned["P1"], planned["D1"]
    verdict = gates.check("P1", {**plan, "acceptance_criteria": item["acceptance_criteria"], "risks": item["risks"]})
    assert verdict.missing == ()
    assert [task["depends_on"] for task in plan["tasks"]] == [[], ["T1"], ["T2"]]


def test_it_raises_one_decision_for_an_agent_and_one_for_a_person(planned: dict[str, Json]) -> None:
    authority = load(default_path()).agents["technical"].authority
    assert authority is not None
    raised = planned["decisions"]["raised"]
    kinds = {decision["kind"] for decision in raised}
    assert {decision["domain"] for decision in raised} == {"technical"}
    assert max(decision["impact"] for decision in raised) <= 8
    assert kinds & {kind.key for kind in authority.autonomous} == {"api_endpoints"}
    assert kinds & {kind.key for kind in authority.escalate} == {"security"}


def test_the_cassette_answers_exactly_the_plan_that_the_request_leads_to(planned: dict[str, Json]) -> None:
    entries = _cassette()["entries"]
    wanted = _asked(planned)
    assert [(entry["role"], entry["subject"]) for entry in entries] == list(wanted), ASKED_DRIFTED
    for entry in entries:
        assert entry["request"] == wanted[entry["role"], entry["subject"]], ASKED_DRIFTED
        assert entry["digest"] == digest_of(entry["request"])


def test_the_cassette_says_that_no_model_was_asked() -> None:
    assert all(entry["metadata"] == {"model": "recorded", "tokens": 0} for entry in _cassette()["entries"])


async def test_the_recorded_work_is_covered_and_clean(played: Played) -> None:
    assert played.coverage >= 96
    assert set(played.outcomes.values()) == {"passed"}
    assert [r.output for r in [*await _lint(played.path), await _bandit(played.path)] if not r.ok] == []
    assert await status(played.path) == ()


def test_each_acceptance_criterion_has_tests_that_passed(played: Played, planned: dict[str, Json]) -> None:
    named = {
        criterion: tests for entry in _cassette()["entries"] for criterion, tests in entry["output"]["verifies"].items()
    }
    assert set(named) == {criterion["id"] for criterion in planned["D1"]["acceptance_criteria"]}
    assert all(named.values())
    assert {played.outcomes.get(test, f"{test} did not run") for tests in named.values() for test in tests} == {
        "passed"
    }


async def test_each_task_changes_code_tests_and_documentation_and_leaves_the_release_to_others(played: Played) -> None:
    changed = {path for _, path in await changed_files(played.path, sample.HEAD_COMMIT)}
    assert {"README.md", "docs/usage.md", "src/rowdown/fill.py", "tests/test_fill.py"} <= changed
    assert not {"CHANGELOG.md", "pyproject.toml"} & changed
    for entry in _cassette()["entries"]:
        paths = [edit["path"] for commit in entry["commits"] for edit in commit["edits"]]
        assert all(path.startswith("tests/") == (entry["role"] == "test-implementer") for path in paths)
        assert entry["role"] == "test-implementer" or any(path.endswith(".md") for path in paths)


async def test_it_builds_without_a_network_into_a_wheel_that_works(played: Played, tmp_path: Path) -> None:
    assert (await _python(played.path, "hatchling", "build", "-t", "wheel", "-d", str(tmp_path))).ok
    wheel = tmp_path / "rowdown-0.3.0-py3-none-any.whl"
    call = "import sys; sys.path.insert(0, sys.argv.pop(1)); from rowdown.cli import main; sys.exit(main())"

    version = await run([sys.executable, "-I", "-c", call, str(wheel), "--version"], cwd=tmp_path)
    check = [sys.executable, "-I", "-c", call, str(wheel), "--fill", str(played.path / "README.md"), "--check"]

    assert version.stdout == "rowdown 0.3.0\n"
    assert (await run(check, cwd=tmp_path)).exit_code == 0


async def plan(project: Path, scratch: Path) -> dict[str, Json]:
    """The artifacts of D1 and P1 that the offline agents make of the request, and the decisions they raise."""
    bench = Bench(project, scratch, scratch)
    content = sample.request()
    context = {
        "work_item": {"id": 1, **{key: content[key] for key in ("title", "type", "tags", "impact")}},
        "project": {"id": 1, "name": sample.NAME, "path": str(project), "tech": {"test_dirs": ["tests"]}},
    }
    found: dict[str, Json] = {}
    raised: list[Json] = []
    for code, agents in (("D1", definition), ("P1", planning)):
        outputs: dict[str, Json] = {}
        phase = PHASE_BY_CODE[code]
        for step in phase.steps:
            results = {role: outputs[role] for role in step.reads}
            request = AgentRequest(phase.orchestrator, content, {**context, "results": results}, step.agent)
            response = await getattr(agents, step.agent.replace("-", "_"))(request, bench)
            assert response.status is Status.SUCCESS, response.metadata
            outputs[step.agent] = response.output_artifact
            raised += response.metadata.get("decisions", [])
        content = found[code] = json.loads(canonical_json(assemble(code, content, outputs)))
    return {**found, "decisions": {"raised": raised}}


def _asked(planned: dict[str, Json]) -> dict[tuple[str, str], Json]:
    """What the replay runtime is going to be asked, by role and task, in the order of the plan."""
    texts = {criterion["id"]: criterion["text"] for criterion in planned["D1"]["acceptance_criteria"]}
    return {
        (role, task["id"]): {"title": task["title"], "criteria": [texts[key] for key in task["criteria"]]}
        for task in planned["P1"]["tasks"]
        for role in CODING
    }


async def rewrite_asked(scratch: Path) -> None:
    """Put what the agents plan now into the cassette; its edits stay as they are."""
    wanted = _asked(await plan(await sample.write_project(scratch / sample.NAME), scratch))
    cassette = _cassette()
    for entry in cassette["entries"]:
        entry["request"] = wanted[entry["role"], entry["subject"]]
        entry["digest"] = digest_of(entry["request"])
    text = json.dumps(cassette, indent=2, ensure_ascii=False) + "\n"
    sample.cassette_path().write_text(text, encoding="utf-8")


async def _play(folder: Path) -> Played:
    """Apply and commit the recorded edits in order; the tests must pass after each task."""
    path = await sample.write_project(folder / "rowdown")
    coverage, outcomes = 0.0, dict[str, str]()
    for entry in _cassette()["entries"]:
        [commit] = entry["commits"]
        for edit in commit["edits"]:
            target = path / edit["path"]
            target.parent.mkdir(exist_ok=True)
            target.write_text(edit["content"], encoding="utf-8")
        await add_all_and_commit(path, commit["subject"], author="Ada <ada@example.org>")
        if entry["role"] == "test-implementer":
            coverage, outcomes = await _tested(path, folder)
            assert set(outcomes.values()) == {"passed"}, f"{entry['subject']}: {outcomes}"
    return Played(path, coverage, outcomes)


async def _tested(project: Path, folder: Path) -> tuple[float, dict[str, str]]:
    """(coverage in percent, outcome by test id) of the project's own tests."""
    report, measured = folder / "junit.xml", folder / "coverage.json"
    result = await _python(
        project,
        "pytest", "-q", "-p", "no:cacheprovider", "-p", "pytest_cov", f"--junitxml={report}",
        "--cov", f"--cov-report=json:{measured}",
    )  # fmt: skip
    (project / ".coverage").unlink(missing_ok=True)
    assert report.is_file(), result.output
    percent: float = json.loads(measured.read_text(encoding="utf-8"))["totals"]["percent_covered"]
    return percent, {case.id: case.outcome for case in read_junit(report, project)}


async def _lint(project: Path) -> Sequence[CommandResult]:
    check = ("ruff", "check", "--no-cache", ".")
    layout = ("ruff", "format", "--no-cache", "--check", ".")
    return [await _python(project, *check), await _python(project, *layout)]


async def _bandit(project: Path) -> CommandResult:
    return await _python(project, "bandit", "-q", "-c", "pyproject.toml", "-r", ".")


async def _python(folder: Path, module: str, *words: str) -> CommandResult:
    # Where the folders of earlier test runs lie, a pytest that ends takes them away first: that took half a minute.
    own = {"PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(folder.parent)}
    return await run([sys.executable, "-P", "-m", module, *words], cwd=folder, env=own)


def _manifest(project: Path) -> dict[str, Any]:
    return tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))


def _version(project: Path) -> str:
    return str(_manifest(project)["project"]["version"])


def _cassette() -> Json:
    content: Json = json.loads(sample.cassette_path().read_text(encoding="utf-8"))
    return content


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        asyncio.run(rewrite_asked(Path(scratch)))
