from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.agents import review
from core.agents.bench import Bench
from core.contract import AgentRequest, AgentResponse, Status, canonical_json
from tests.unit.git_project import commit, git, project

CRITERIA = [{"id": "AC1", "text": "Prices are shown gross"}, {"id": "AC2", "text": "Zero stays zero"}]
FILES = {
    "src/shop/__init__.py": "",
    "src/shop/price.py": "def gross(net):\n    return net * 1.2\n",
    "tests/test_price.py": "from shop.price import gross\n\n\ndef test_ac1_gross():\n    assert gross(10) == 12\n",
    ".gitignore": "__pycache__\n",
}
TECH = {"layout": "src", "package": "shop", "test_dirs": ["tests"], "languages": ["python"]}


@dataclass(frozen=True)
class Desk:
    """A branch, and what its agents are asked about it."""

    repo: Path
    scratch: Path
    base: str

    @property
    def bench(self) -> Bench:
        return Bench(worktree=self.repo, releases=self.scratch, scratch=self.scratch)

    def request(self, **context: object) -> AgentRequest:
        head = git(self.repo, "rev-parse", "HEAD")
        bundle = {"base_commit": self.base, "head_commit": head, "tasks": []}
        shown = {"project": project(self.repo, self.base, tech=TECH), "commit": head, "criteria": CRITERIA}
        return AgentRequest("review-test-orch", bundle, {**shown, **context}, "review.approved")


def make_desk(root: Path, files: dict[str, str]) -> Desk:
    (root / "scratch").mkdir()
    base = commit(root / "repo", {".gitignore": "__pycache__\n"})
    commit(root / "repo", files)
    return Desk(root / "repo", root / "scratch", base)


class TestAGoodBranch:
    @pytest.fixture(scope="class")
    def desk(self, tmp_path_factory: pytest.TempPathFactory) -> Desk:
        return make_desk(tmp_path_factory.mktemp("good"), FILES)

    @pytest.fixture(scope="class")
    def ran(self, desk: Desk) -> AgentResponse:
        return asyncio.run(review.test_runner(desk.request(), desk.bench))

    def test_its_tests_are_run_and_counted(self, ran: AgentResponse) -> None:
        assert ran.status is Status.SUCCESS
        tests = ran.output_artifact["tests"]
        assert (tests["total"], tests["passed"], tests["failed"], tests["coverage"]) == (1, 1, 0, 100.0)
        assert ran.output_artifact["cases"] == [{"id": "tests/test_price.py::test_ac1_gross", "outcome": "passed"}]
        assert ran.metadata["tool"] == "pytest"
        assert ran.metadata["evidence"][0]["exit_code"] == 0

    async def test_its_analysis_and_screening_are_clean(self, desk: Desk) -> None:
        static = await review.static_analyzer(desk.request(), desk.bench)
        security = await review.threat_screener(desk.request(), desk.bench)
        assert (static.status, static.output_artifact["static"]["issues"]) == (Status.SUCCESS, 0)
        assert (security.status, security.output_artifact["security"]["findings"]) == (Status.SUCCESS, 0)
        assert static.metadata["evidence"]
        assert security.metadata["evidence"]

    async def test_a_criterion_is_verified_by_the_test_that_names_it(self, desk: Desk, ran: AgentResponse) -> None:
        results = {"test-runner": ran.output_artifact}
        answers = {"criteria": {"AC2": "tried by hand"}}
        response = await review.ac_verifier(desk.request(results=results, answers=answers), desk.bench)
        assert response.status is Status.SUCCESS
        assert response.output_artifact["criteria"] == [
            {
                "id": "AC1",
                "verified": True,
                "evidence": "tests/test_price.py::test_ac1_gross passed (named by the test)",
                "hint": "",
            },
            {"id": "AC2", "verified": True, "evidence": "human: tried by hand", "hint": ""},
        ]

    async def test_without_a_recorded_run_nothing_is_verified(self, desk: Desk) -> None:
        response = await review.ac_verifier(desk.request(), desk.bench)
        assert [row["verified"] for row in response.output_artifact["criteria"]] == [False, False]
        assert "did not run" in response.output_artifact["criteria"][0]["evidence"]

    def test_responses_are_plain_json(self, ran: AgentResponse) -> None:
        assert AgentResponse.from_json(ran.to_json()) == ran
        canonical_json(ran.to_json())


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
async def test_criteria_of_a_project_in_javascript_are_verified_by_its_own_tests(tmp_path: Path) -> None:
    tests = """
        const test = require("node:test");
        test("AC1 shows gross prices", () => {});
        test("keeps zero", () => {});
        """
    desk = make_desk(tmp_path, {"package.json": '{"scripts": {"test": "node --test"}}', "test/price.test.js": tests})
    shown = project(desk.repo, desk.base)
    ran = await review.test_runner(desk.request(project=shown), desk.bench)
    response = await review.ac_verifier(
        desk.request(project=shown, results={"test-runner": ran.output_artifact}), desk.bench
    )
    first, second = response.output_artifact["criteria"]
    assert (first["verified"], second["verified"]) == (True, False)
    assert first["evidence"] == "AC1 shows gross prices passed (named by the test in test/price.test.js)"
    assert 'test("AC2 …")' in second["evidence"]
    assert "the run has AC1 shows gross prices, keeps zero" in second["evidence"]


async def test_failing_tests_are_a_result_for_the_gate(tmp_path: Path) -> None:
    desk = make_desk(tmp_path, FILES | {"tests/test_price.py": "def test_no():\n    assert False, 'it is wrong'\n"})
    response = await review.test_runner(desk.request(), desk.bench)
    assert response.status is Status.SUCCESS
    assert response.output_artifact["tests"]["failed"] == 1
    assert "it is wrong" in response.output_artifact["failures"][0]["text"]


async def test_tests_that_cannot_be_counted_are_asked_for(tmp_path: Path) -> None:
    desk = make_desk(tmp_path, FILES)
    (desk.repo / "src/shop/price.py").write_text("changed, not committed\n")
    response = await review.test_runner(desk.request(), desk.bench)
    assert response.status is Status.BLOCKED
    assert "src/shop/price.py" in response.missing[0]
    assert response.metadata["suggestion"].startswith("Commit or discard it")


async def test_a_missing_analyser_is_asked_for(tmp_path: Path) -> None:
    desk = make_desk(tmp_path, FILES)
    shown = project(desk.repo, desk.base, lint=[["no-such-linter", "."]])
    response = await review.static_analyzer(desk.request(project=shown), desk.bench)
    assert response.status is Status.BLOCKED
    assert "no-such-linter" in response.missing[0]


async def test_without_criteria_there_is_nothing_to_verify(tmp_path: Path) -> None:
    desk = make_desk(tmp_path, FILES)
    response = await review.ac_verifier(desk.request(criteria=[]), desk.bench)
    assert (response.status, response.missing) == (Status.BLOCKED, ["acceptance criteria"])


@pytest.mark.parametrize(
    "agent", [review.test_runner, review.static_analyzer, review.threat_screener, review.ac_verifier]
)
async def test_without_a_project_each_agent_asks_for_one(agent: object, tmp_path: Path) -> None:
    request = AgentRequest("review-test-orch", {}, {"criteria": CRITERIA}, "review.approved")
    response = await agent(request, Bench(None, tmp_path, tmp_path))  # type: ignore[operator]
    assert response.status is Status.BLOCKED
    assert "worktree" in response.missing[0]
