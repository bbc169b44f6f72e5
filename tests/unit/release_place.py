"""A project with a work item's branch in a worktree of its own, and O1's agents asked one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.agents import release
from core.agents.bench import Bench
from core.contract import AgentRequest, AgentResponse, Json, Status
from tests.unit.git_project import commit, git, write

PYPROJECT = """
    [build-system]
    requires = ["hatchling"]
    build-backend = "hatchling.build"

    [project]
    name = "rows"
    version = "1.2.0"  # the one place
    requires-python = ">=3.11"
"""
CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2026-01-31\n\n### Added\n\n- Tables\n"
TECH: Json = {
    "languages": ["python"],
    "packaging": "pyproject",
    "package": "rows",
    "layout": "src",
    "version_file": {"path": "pyproject.toml", "kind": "pyproject"},
    "changelog": "CHANGELOG.md",
}
BRANCH = "apm/7-sort-rows"
Agent = Callable[[AgentRequest, Bench], Awaitable[AgentResponse]]
AGENTS: dict[str, Agent] = {
    "versioner": release.versioner,
    "changelog-curator": release.changelog_curator,
    "deploy-orchestrator": release.deploy_orchestrator,
    "health-verifier": release.health_verifier,
    "incident-scribe": release.incident_scribe,
}


@dataclass
class Place:
    """`repo` is the user's checkout on main, `tree` the worktree on the branch, one commit ahead."""

    repo: Path
    tree: Path
    bench: Bench
    base: str
    tech: Json = field(default_factory=lambda: dict(TECH))
    settings: Json = field(default_factory=dict)
    item: Json = field(
        default_factory=lambda: {"id": 7, "title": "Sort rows by a column", "type": "feature", "tags": []}
    )
    answers: Json = field(default_factory=dict)
    reviewed: str | None = None
    results: dict[str, Json] = field(default_factory=dict)

    def request(self, role: str) -> AgentRequest:
        project = {
            "id": 1,
            "name": self.repo.name,
            "path": str(self.repo),
            "target": "main",
            "branch": BRANCH,
            "base_commit": self.base,
            "settings": self.settings,
            "tech": self.tech,
        }
        context: Json = {"work_item": self.item, "project": project, "answers": self.answers, "results": self.results}
        context["criteria"] = [{"id": "AC1", "text": "Numbers sort by value"}]
        if self.reviewed is not None:
            context["commit"] = self.reviewed
        return AgentRequest("release-ops-orch", {"criteria": []}, context, "release.deployed")

    async def ask(self, role: str) -> AgentResponse:
        """One agent's answer, kept as a result for the next ones when it succeeded."""
        response = await AGENTS[role](self.request(role), self.bench)
        if response.status is Status.SUCCESS:
            self.results[role] = response.output_artifact
        return response

    async def prepare(self) -> None:
        """Version and changelog, as they stand when the deployment begins."""
        assert (await self.ask("versioner")).status is Status.SUCCESS
        assert (await self.ask("changelog-curator")).status is Status.SUCCESS

    def log(self, ref: str = BRANCH) -> list[str]:
        return git(self.repo, "log", "--format=%s", ref).splitlines()


def make_place(home: Path, files: dict[str, str] | None = None, **facts: Any) -> Place:
    """A repository below `home` with one commit on main, and one more on the work item's branch."""
    repo, tree = home / "repo", home / "tree"
    start = {"pyproject.toml": PYPROJECT, "CHANGELOG.md": CHANGELOG, "src/rows/__init__.py": '__version__ = "1.2.0"\n'}
    base = commit(repo, start if files is None else files, "start")
    git(repo, "config", "user.name", "Ada")
    git(repo, "config", "user.email", "ada@example.org")
    git(repo, "worktree", "add", "-q", "-b", BRANCH, str(tree))
    commit_in(tree, {"src/rows/sorting.py": "def sort(rows):\n    return sorted(rows)\n"}, "Sort rows")
    bench = Bench(tree, home / "releases", home / "scratch")
    bench.releases.mkdir()
    bench.scratch.mkdir()
    return Place(repo, tree, bench, base, **facts)


def commit_in(tree: Path, files: dict[str, str], message: str) -> str:
    write(tree, files)
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", message)
    return git(tree, "rev-parse", "HEAD")


def run(work: Awaitable[AgentResponse]) -> AgentResponse:
    """For fixtures that outlive a test's event loop."""

    async def wait() -> AgentResponse:
        return await work

    return asyncio.run(wait())
