"""Killed between a commit of the release and its record, a work item is released as it was reviewed, and once.

The commit stands on the branch and the journal knows nothing of it but that its agent has begun. It counts as the
agent's where it is what the agent makes of the reviewed commit; a trailer alone proves nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from core.agents.bench import Bench
from core.contract import AgentRequest, AgentResponse
from core.orchestration.engine import Engine
from core.projects import git as gits
from core.runtimes.functions import FunctionRuntime
from core.store import reads
from core.store.rows import AgentRow
from tests.chaos.team import REAL
from tests.e2e.people import Office, commit, git
from tests.unit.scripted import Scripted


class Team:
    """Scripted up to the review; release and evolution are the product's own."""

    name = "team"

    def __init__(self) -> None:
        self._script, self._functions = Scripted(), FunctionRuntime("tool")

    async def execute(self, request: AgentRequest, agent: AgentRow, bench: Bench) -> AgentResponse:
        if agent.role in REAL:
            return await self._functions.execute(request, agent, bench)
        if agent.role == "code-implementer" and not (bench.tree() / "mine.txt").exists():
            commit(bench.tree(), "feat: mine", {"mine.txt": "1\n"})
        return await self._script.execute(request, agent, bench)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    made = Office(tmp_path)
    begin_anew(made)
    yield made
    await made.close()


def begin_anew(office: Office) -> None:
    office.engine = Engine(office.ws, dict.fromkeys(("tool", "offline", "human"), Team()))


def tree_of(office: Office) -> Path:
    (tree,) = (office.ws.state / "worktrees" / "greeter").iterdir()
    return tree


async def killed_at(office: Office, monkeypatch: pytest.MonkeyPatch, subject: str, *, is_committed: bool = True) -> int:
    """The engine is gone once the commit of that subject stood on the branch, or just before it did."""
    add_all_and_commit, reached = gits.add_all_and_commit, asyncio.Event()

    async def cut_short(worktree: Path, message: str, **given: Any) -> str | None:
        is_meant = message.startswith(subject)
        made = None if is_meant and not is_committed else await add_all_and_commit(worktree, message, **given)
        if is_meant:
            reached.set()
            await asyncio.Event().wait()
        return made

    monkeypatch.setattr(gits, "add_all_and_commit", cut_short)
    number = await office.request()
    await office.engine.start()
    async with asyncio.timeout(60):
        await reached.wait()
    await office.engine.stop()
    monkeypatch.setattr(gits, "add_all_and_commit", add_all_and_commit)
    begin_anew(office)
    return number


async def go_on(office: Office) -> None:
    await office.engine.start()
    await office.settle()


async def rounds(office: Office, number: int) -> list[tuple[str, str | None]]:
    found = await office.ws.store.read(lambda r: reads.phase_runs(r, number))
    return [(run.phase, run.outcome) for run in found if run.phase in ("R1", "O1")]


def released(office: Office) -> list[str]:
    return sorted(git(office.project_path, "log", "--format=%s", "--no-merges", "main").splitlines())


@pytest.mark.parametrize("subject", ["Version", "Changelog"])
async def test_what_a_killed_agent_committed_needs_no_second_review(
    office: Office, monkeypatch: pytest.MonkeyPatch, subject: str
) -> None:
    number = await killed_at(office, monkeypatch, subject)

    await go_on(office)

    assert await rounds(office, number) == [("R1", "passed"), ("O1", "passed")]
    assert released(office) == ["Changelog of 0.2.0", "Greet people", "Version 0.2.0", "feat: mine"]
    assert git(office.project_path, "tag").split() == ["v0.2.0"]
    items = await office.ws.store.read(lambda r: reads.work_items(r, limit=100))
    assert not [item.facts.title for item in items if "back" in item.facts.title]
    assert len(git(office.project_path, "worktree", "list").splitlines()) == 1
    assert not any((office.ws.state / "scratch").iterdir())


def forge(tree: Path, files: dict[str, str], subject: str = "Version 0.2.0") -> None:
    commit(tree, f"{subject}\n\nApm-Work-Item: 1\nApm-Agent: versioner\n", files)


def other_content(tree: Path) -> None:
    text = (tree / "pyproject.toml").read_text()
    forge(tree, {"pyproject.toml": text.replace("0.1.0", "0.2.0"), "greeter/more.py": "MORE = 1\n"})


def other_version(tree: Path) -> None:
    text = (tree / "pyproject.toml").read_text()
    forge(tree, {"pyproject.toml": text.replace("0.1.0", "7.0.0")}, "Version 7.0.0")


@pytest.mark.parametrize("forgery", [other_content, other_version])
async def test_a_commit_that_only_claims_to_be_the_agents_is_reviewed(
    office: Office, monkeypatch: pytest.MonkeyPatch, forgery: Callable[[Path], None]
) -> None:
    number = await killed_at(office, monkeypatch, "Version", is_committed=False)
    git(tree_of(office), "checkout", "--", ".")
    forgery(tree_of(office))

    await go_on(office)

    assert (await rounds(office, number))[:3] == [("R1", "passed"), ("O1", "void"), ("R1", "passed")]


async def test_a_commit_on_top_of_the_agents_is_reviewed(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    number = await killed_at(office, monkeypatch, "Version")
    forge(tree_of(office), {"greeter/more.py": "MORE = 1\n"})

    await go_on(office)

    assert (await rounds(office, number))[:3] == [("R1", "passed"), ("O1", "void"), ("R1", "passed")]


async def test_a_commit_below_the_agents_is_reviewed(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The agent began before somebody committed, and made its own on top of that."""
    number = await killed_at(office, monkeypatch, "Version")
    tree = tree_of(office)
    git(tree, "reset", "--quiet", "--hard", "HEAD^")
    commit(tree, "mine too", {"greeter/more.py": "MORE = 1\n"})
    text = (tree / "pyproject.toml").read_text()
    forge(tree, {"pyproject.toml": text.replace("0.1.0", "0.2.0")})

    await go_on(office)

    assert (await rounds(office, number))[:3] == [("R1", "passed"), ("O1", "void"), ("R1", "passed")]
