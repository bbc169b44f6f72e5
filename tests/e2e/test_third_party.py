"""R1 on real third-party packages, as their authors publish them, and on projects that must not pass.

The packages' source distributions come from the package index and stay in pytest's cache; without an index the tests
that need them are skipped. Each becomes a git repository with a worktree on a branch, as apm works on it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.agents import review
from core.agents.bench import Bench
from core.contract import AgentRequest, AgentResponse, Json, Status
from core.orchestration.gates import GateVerdict, check
from tests.e2e import published
from tests.unit.git_project import git, write

CRITERIA = [{"id": "AC1", "text": "The answer is 42"}]


@dataclass(frozen=True)
class Branch:
    """A project's checkout, a worktree of it on a work item's branch, and the agents' view of both."""

    checkout: Path
    worktree: Path
    scratch: Path
    tech: Json
    base: str

    def commit(self, files: dict[str, str], message: str = "a change") -> None:
        write(self.worktree, files)
        git(self.worktree, "add", "-A")
        git(self.worktree, "commit", "-q", "-m", message)

    async def ask(self, role: str, **context: Any) -> AgentResponse:
        settings = context.pop("settings", {})
        project = {
            "path": str(self.checkout),
            "base_commit": self.base,
            "target": "main",
            "branch": "apm/1-answer",
            "settings": settings,
            "tech": self.tech,
        }
        shown = {"project": project, "commit": git(self.worktree, "rev-parse", "HEAD"), "criteria": CRITERIA, **context}
        request = AgentRequest("review-test-orch", {"base_commit": self.base, "tasks": []}, shown, "review.approved")
        agent = getattr(review, role.replace("-", "_"))
        response = await agent(request, Bench(self.worktree, self.scratch, self.scratch))
        assert isinstance(response, AgentResponse)
        return response

    async def review(self, **settings: Any) -> tuple[GateVerdict, dict[str, AgentResponse]]:
        """All four agents, and the gate's verdict on what they measured."""
        roles = ("test-runner", "static-analyzer", "threat-screener")
        answers = {role: await self.ask(role, settings=settings) for role in roles}
        results = {"test-runner": answers["test-runner"].output_artifact}
        answers["ac-verifier"] = await self.ask("ac-verifier", results=results, settings=settings)
        payload: Json = {"acceptance_criteria": CRITERIA}
        for answer in answers.values():
            payload |= answer.output_artifact
        return check("R1", payload), answers


def branch_of(root: Path, tree: Path, tech: Json) -> Branch:
    """Make a repository of a folder of files, with the work item's worktree beside it."""
    git(tree, "init", "-q", "-b", "main")
    git(tree, "add", "-A", "-f")
    git(tree, "commit", "-q", "-m", "as published")
    worktree, scratch = root / "work trees" / "1-answer", root / "scratch"
    scratch.mkdir()
    git(tree, "worktree", "add", "-q", "-b", "apm/1-answer", str(worktree))
    return Branch(tree, worktree, scratch, tech, git(tree, "rev-parse", "HEAD"))


@pytest.fixture(scope="session")
def sources(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return published.fetched(request.config, tmp_path_factory.mktemp("third-party"))


@pytest.fixture
def third_party(sources: Path, tmp_path: Path) -> Callable[[str, Json], Branch]:
    def make(name: str, tech: Json) -> Branch:
        return branch_of(tmp_path, published.unpack(name, sources, tmp_path), tech)

    return make


Fetch = Callable[[str, Json], Branch]


async def test_a_project_with_pytest_ruff_and_mypy_passes_on_its_own_terms(third_party: Fetch) -> None:
    """iniconfig is also installed beside pytest: what counts is the branch's copy, with the branch's change."""
    analysers = [
        {"name": "ruff", "argv": ["{python}", "-m", "ruff", "check", "src"]},
        {"name": "mypy", "argv": ["{python}", "-m", "mypy", "src/iniconfig"]},
    ]
    tech = {"package": "iniconfig", "layout": "src", "test_dirs": ["testing"], "analysers": analysers}
    branch = third_party("iniconfig", tech)
    test = "from iniconfig.answer import answer\n\n\ndef test_ac1_answer() -> None:\n    assert answer() == 42\n"
    code = 'def answer() -> int:\n    """The answer."""\n    return 42\n'
    branch.commit({"src/iniconfig/answer.py": code, "testing/test_answer.py": test})
    verdict, answers = await branch.review()
    assert verdict.missing == ()
    outcomes = {row["id"]: row["outcome"] for row in answers["test-runner"].output_artifact["cases"]}
    assert outcomes["testing/test_answer.py::test_ac1_answer"] == "passed"
    assert len(outcomes) > 50
    assert [tool["name"] for tool in answers["static-analyzer"].output_artifact["static"]["tools"]] == ["ruff", "mypy"]
    assert git(branch.worktree, "status", "--porcelain", "--ignored") == ""


async def test_a_finding_of_the_branch_counts_where_those_of_the_project_do_not(third_party: Fetch) -> None:
    tech = {"package": "webcolors", "layout": "src", "test_dirs": ["tests"]}
    branch = third_party("webcolors", tech)
    branch.commit({"src/webcolors/answer.py": "def answer(text):\n    return eval(context)\n"})
    static = await branch.ask("static-analyzer")
    security = await branch.ask("threat-screener")
    assert [row["code"] for row in static.output_artifact["findings"]] == ["F821"]
    assert [row["code"] for row in security.output_artifact["security"]["details"]] == ["B307"]


async def test_the_projects_own_strict_coverage_is_what_counts(third_party: Fetch) -> None:
    """webcolors measures branches, in parallel mode, with a limit of 100 %, and names packages as its source."""
    branch = third_party("webcolors", {"package": "webcolors", "layout": "src", "test_dirs": ["tests"]})
    response = await branch.ask("test-runner")
    tests = response.output_artifact["tests"]
    assert (tests["failed"], tests["coverage"], tests["reason"]) == (0, 100.0, "")
    assert tests["passed"] > 20
    assert git(branch.worktree, "status", "--porcelain", "--ignored") == ""


async def test_unittest_tests_that_are_a_script_run_by_the_projects_own_command(third_party: Fetch) -> None:
    """toposort's test file runs itself when it is imported, and its folder has the name of a standard module."""
    branch = third_party("toposort", {"package": "toposort", "layout": "src", "test_dirs": ["test"]})
    asked = await branch.ask("test-runner")
    assert asked.status is Status.BLOCKED
    assert "broke off with exit code 3: SystemExit: 2" in asked.missing[0]
    assert "`test` command" in asked.metadata["suggestion"]
    own = ["{python}", "-m", "coverage", "run", "--source=src", "test/test_toposort.py"]
    response = await branch.ask("test-runner", settings={"test": own})
    tests = response.output_artifact["tests"]
    assert response.status is Status.SUCCESS
    assert (tests["failed"], tests["coverage"], tests["reason"]) == (0, 100.0, "")
    assert tests["passed"] > 10
    assert git(branch.worktree, "status", "--porcelain", "--ignored") == ""


async def test_a_package_that_ships_no_tests_does_not_pass(third_party: Fetch) -> None:
    branch = third_party("sortedcontainers", {"package": "sortedcontainers", "layout": "flat"})
    verdict, answers = await branch.review()
    assert answers["test-runner"].output_artifact["tests"]["reason"] == "no tests ran"
    assert not verdict.passed
    assert {"tests: no test ran", "coverage: not measured"} <= set(verdict.missing)


async def test_a_dependency_that_is_not_installed_is_named(third_party: Fetch) -> None:
    branch = third_party("python-slugify", {"package": "slugify", "layout": "flat", "test_dirs": ["tests"]})
    response = await branch.ask("test-runner")
    output = response.output_artifact
    assert output["tests"]["failed"] > 0
    assert output["tests"]["passed"] > 0
    assert "No module named 'text_unidecode'" in output["failures"][0]["text"]


@pytest.fixture
def made_here(tmp_path: Path) -> Callable[[dict[str, str]], Branch]:
    """A small package in a folder whose name has spaces and letters of three alphabets."""

    def make(files: dict[str, str]) -> Branch:
        tree = tmp_path / "Mein Projekt – größer, проект, 計画"
        (tree / "shop").mkdir(parents=True)
        (tree / "shop" / "__init__.py").write_text("")
        branch = branch_of(tmp_path, tree, {"package": "shop", "layout": "flat", "test_dirs": ["tests"]})
        branch.commit(files)
        return branch

    return make


ANSWER = "def answer() -> int:\n    return 42\n"
PASSING = "from shop.answer import answer\n\n\ndef test_ac1_answer() -> None:\n    assert answer() == 42\n"


async def test_a_sound_project_passes_wherever_it_lies(made_here: Callable[[dict[str, str]], Branch]) -> None:
    branch = made_here({"shop/answer.py": ANSWER, "tests/test_größe.py": PASSING})
    verdict, answers = await branch.review()
    assert verdict.missing == ()
    criterion = answers["ac-verifier"].output_artifact["criteria"][0]
    assert criterion["evidence"] == "tests/test_größe.py::test_ac1_answer passed (named by the test)"


async def test_a_project_without_tests_fails_and_says_so(made_here: Callable[[dict[str, str]], Branch]) -> None:
    verdict, answers = await made_here({"shop/answer.py": ANSWER}).review()
    assert not verdict.passed
    assert "tests: no test ran" in verdict.missing
    assert answers["test-runner"].output_artifact["tests"]["total"] == 0


async def test_a_project_whose_tests_fail_does_not_pass(made_here: Callable[[dict[str, str]], Branch]) -> None:
    wrong = PASSING.replace("42", "43")
    verdict, answers = await made_here({"shop/answer.py": ANSWER, "tests/test_answer.py": wrong}).review()
    assert "tests: 0 of 1 passed (0.0 %)" in verdict.missing
    assert "criteria: AC1 is not verified" in verdict.missing
    assert "assert 42 == 43" in answers["test-runner"].output_artifact["failures"][0]["text"]
