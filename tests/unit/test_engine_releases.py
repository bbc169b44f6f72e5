"""A release asks when its record cannot be written, and goes on where a kill cut its merge short."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest

from core.agents.bench import Bench
from core.agents.evolution import refactor_proposer
from core.contract import AgentRequest, AgentResponse, Json, Status, blocked, failed, succeeded
from core.orchestration import work_items
from core.orchestration.engine import Engine
from core.projects import git as gits
from core.store import reads
from core.store.schema import Project
from core.store.transaction import Transaction
from tests.e2e.people import FILES, Office, commit, git
from tests.unit.scripted import OUTPUTS, Scripted

RELEASE: dict[str, Json] = {
    "versioner": {"version": {"from": "0.1.0", "to": "0.2.0"}},
    "changelog-curator": {"changelog": {"updated": True, "entry": "Greets in German."}},
    "deploy-orchestrator": {"deployment": {"status": "success", "target": "main"}},
    "health-verifier": {"health": {"status": "healthy", "response_ms": 1.0}, "monitoring": {"active": True}},
    "incident-scribe": {"events": [], "record": "record.json"},
}


def releasing(**answers: Any) -> Scripted:
    made = {role.replace("-", "_"): lambda _, r=role: succeeded(r, RELEASE[r]) for role in RELEASE}
    return Scripted(**{**made, **answers})


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    made = Office(tmp_path)
    yield made
    await made.close()


async def drive_to_o1(office: Office, script: Scripted) -> int:
    office.engine = Engine(office.ws, script.as_runtimes())
    number = await office.request()
    await office.ws.store.write(lambda tx: work_items.stop_after(tx, number, "O1"))
    await office.engine.start()
    return number


DEPLOYED: Json = {"deployment": {"status": "success", "target": "main"}, "tag": "v0.2.0", "merge_commit": "0" * 40}


@pytest.mark.parametrize(
    ("answer", "held"),
    [
        (succeeded("deploy-orchestrator", DEPLOYED), "main holds its release, tagged v0.2.0, and it is deployed;"),
        (
            AgentResponse(
                "deploy-orchestrator",
                {**DEPLOYED, "deployment": {"status": "failed", "target": "main"}},
                Status.FAILURE,
                {"error": "exit code 1"},
            ),
            "main holds its release, tagged v0.2.0, and its deploy command has failed;",
        ),
        (failed("deploy-orchestrator", "it took longer than its limit"), "Its release was begun and cut short:"),
        (
            blocked(
                "deploy-orchestrator",
                {"deployment": {"status": "blocked", "target": "main"}},
                ["a checkout"],
                "Tidy it.",
            ),
            "",
        ),
    ],
)
async def test_ending_a_work_item_says_what_its_release_has_done_outside(
    office: Office, answer: AgentResponse, held: str
) -> None:
    ill = {"health": {"status": "unhealthy", "response_ms": 1.0}, "monitoring": {"active": True}}
    script = releasing(
        deploy_orchestrator=lambda _: answer, health_verifier=lambda _: succeeded("health-verifier", ill)
    )
    number = await drive_to_o1(office, script)
    await office.settle()
    (question,) = await office.questions()
    stop = next(option for option in question.options if option.get("ends"))
    said = await office.ws.store.write(lambda tx: work_items.cancel(tx, number, "ada"))

    assert question.phase == "O1"
    assert stop["consequence"].removeprefix("It ends as failed; its branch is kept.").strip() == said
    assert said.startswith(held)
    assert bool(said) == bool(held)


async def test_a_question_that_comes_before_any_release_says_nothing_of_one(office: Office) -> None:
    number = await drive_to_o1(office, releasing(versioner=lambda _: failed("versioner", "no version")))
    await office.settle()
    (question,) = await office.questions()
    assert question.options[-1]["consequence"] == "It ends as failed; its branch is kept."
    assert await office.ws.store.write(lambda tx: work_items.cancel(tx, number, "ada")) == ""


def trees(office: Office) -> list[Path]:
    """The worktrees of the project."""
    return sorted((office.ws.state / "worktrees" / "greeter").iterdir())


def committing(office: Office, files: dict[str, str]) -> Any:
    """A test run that finds something still to commit on the branch."""

    def test(_: Any) -> Any:
        (tree,) = trees(office)
        if not git(tree, "log", "--format=%s", "main..HEAD"):
            commit(tree, "mine", files)
        return succeeded("test-runner", OUTPUTS["test-runner"])

    return test


async def outcomes(office: Office, number: int) -> list[tuple[str, str | None]]:
    found = await office.ws.store.read(lambda r: reads.phase_runs(r, number))
    return [(p.phase, p.outcome) for p in found]


async def test_a_record_that_could_not_be_written_is_told_and_only_it_is_tried_again(office: Office) -> None:
    full = [True]

    def scribe(_: Any) -> Any:
        return failed("incident-scribe", "no space") if full else succeeded("incident-scribe", {"events": []})

    script = releasing(incident_scribe=scribe)
    number = await drive_to_o1(office, script)
    await office.settle()
    (question,) = await office.questions()
    assert (question.kind, question.phase) == ("error", "O1")

    full.clear()
    await office.answer(question, "retry")
    await office.settle()

    assert (await outcomes(office, number))[-2:] == [("O1", "failed"), ("O1", "passed")]
    assert [script.calls[role] for role in RELEASE] == [1, 1, 1, 1, 2]


async def test_a_release_that_failed_is_written_down_too(office: Office) -> None:
    sick = {"health": {"status": "unhealthy", "response_ms": 1.0}, "monitoring": {"active": True}}
    script = releasing(health_verifier=lambda _: succeeded("health-verifier", sick))

    number = await drive_to_o1(office, script)
    await office.settle()

    (question,) = await office.questions()
    assert (question.kind, question.phase) == ("gate", "O1")
    assert script.calls["incident-scribe"] == 1
    assert (await outcomes(office, number))[-1] == ("O1", "blocked")


async def test_a_release_whose_project_is_gone_asks_instead_of_trying_for_ever(office: Office, tmp_path: Path) -> None:
    number = await drive_to_o1(office, releasing())
    await office.settle()
    repository = Path((await office.ws.store.read(lambda r: reads.project(r, "greeter"))).path)  # type: ignore[union-attr]
    repository.rename(tmp_path / "elsewhere")

    await office.ws.store.write(lambda tx: work_items.stop_after(tx, number, "E1"))
    await office.settle()

    (question,) = await office.questions()
    assert (question.kind, question.phase, question.blocks) == ("error", "E1", "E1")
    assert "greeter" in question.question

    (tmp_path / "elsewhere").rename(repository)
    await office.answer(question, "retry")
    await office.settle()
    collected = await office.ws.store.read(lambda r: reads.artifacts(r, number))
    assert collected[-1].type == "telemetry.snapshot"


async def test_a_merge_that_was_killed_half_way_is_done_again(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    merge_in, killed = gits.merge_in, asyncio.Event()

    async def cut_short(worktree: Path, target: str) -> tuple[str, ...]:
        git(worktree, "merge", "--no-commit", "--no-ff", target)
        killed.set()
        await asyncio.Event().wait()
        return ()

    def test(_: Any) -> Any:
        (tree,) = trees(office)
        if not (tree / "mine.txt").exists():
            commit(tree, "mine", {"mine.txt": "1\n"})
            commit(office.project_path, "theirs", {"theirs.txt": "1\n"})
        return succeeded("test-runner", OUTPUTS["test-runner"])

    monkeypatch.setattr(gits, "merge_in", cut_short)
    number = await drive_to_o1(office, releasing(test_runner=test))
    await killed.wait()
    await office.engine.stop()
    monkeypatch.setattr(gits, "merge_in", merge_in)

    office.engine = Engine(office.ws, releasing(test_runner=test).as_runtimes())
    await office.engine.start()
    await office.settle()

    assert await office.questions() == ()
    assert (await outcomes(office, number))[-1] == ("O1", "passed")


GRANT = """{"decided_by": "Ada", "decisions": [{"authority":
{"agent": "technical", "kind": "external_service", "mode": "autonomous"}, "reason": "it asked for it"}]}"""


@pytest.mark.parametrize(
    "files",
    [
        {"agents.yaml": "agents: []\n"},
        {"prices.yaml": "claude-sonnet-5-5: {input: 0, output: 0}\n"},
        {"state/inbox/grant.json": GRANT, ".gitignore": ""},
    ],
    ids=["team", "prices", "inbox"],
)
async def test_what_says_who_may_decide_is_not_released_into_the_workspace_that_it_governs(
    office: Office, files: dict[str, str]
) -> None:
    home = office.ws.folder
    git(home, "init", "--quiet", "--initial-branch=main")
    commit(home, "Greet people", {**FILES, ".gitignore": "state/\n"})

    def move(tx: Transaction) -> None:
        tx.update(Project, office.project, path=str(home))
        tx.event("project.changed", project=office.project)

    await office.ws.store.write(move)

    number = await drive_to_o1(office, releasing(test_runner=committing(office, files)))
    await office.settle()

    (question,) = await office.questions()
    assert (question.kind, question.phase) == ("error", "O1")
    assert f"{min(set(files) - {'.gitignore'})}, which says who may decide" in question.question
    assert not (home / "state" / "inbox" / "grant.json").exists()
    assert (await outcomes(office, number))[-1][1] != "passed"


async def test_a_branch_that_was_reset_after_its_review_is_reviewed_again(office: Office) -> None:
    script = releasing(test_runner=committing(office, {"mine.txt": "1\n"}))
    number = await drive_to_o1(office, script)
    await office.ws.store.write(lambda tx: work_items.stop_after(tx, number, "R1"))
    await office.settle()
    (tree,) = trees(office)
    git(tree, "reset", "--quiet", "--hard", "main")

    await office.ws.store.write(lambda tx: work_items.stop_after(tx, number, "O1"))
    await office.settle()

    assert (await outcomes(office, number)).count(("R1", "passed")) == 2


async def test_a_worktree_with_another_branch_is_told_instead_of_worked_in(office: Office) -> None:
    def test(_: Any) -> Any:
        git(trees(office)[0], "checkout", "--quiet", "-b", "mine")
        return succeeded("test-runner", OUTPUTS["test-runner"])

    number = await drive_to_o1(office, releasing(test_runner=test))
    await office.settle()

    (question,) = await office.questions()
    assert (question.kind, question.phase) == ("error", "O1")
    assert f"has mine checked out instead of apm/{number}-greet-in-german" in question.question


async def test_releases_of_one_project_go_one_after_the_other(office: Office) -> None:
    """The first release stands still until the other one has asked for its turn, or has begun beside it."""
    begun: list[tuple[int, str]] = []
    other = asyncio.Event()

    class Turns(asyncio.Lock):
        asked = 0

        async def acquire(self) -> Literal[True]:
            self.asked += 1
            if self.asked == 2:
                other.set()
            return await super().acquire()

    async def release(request: AgentRequest, role: str) -> AgentResponse:
        begun.append((request.context["work_item"]["id"], role))
        if len({number for number, _ in begun}) == 2:
            other.set()
        await other.wait()
        return succeeded(role, RELEASE[role])

    script = releasing(**{role.replace("-", "_"): lambda r, role=role: release(r, role) for role in RELEASE})
    first = await drive_to_o1(office, script)
    office.engine._equipment.release_locks[office.project] = Turns()
    second = await office.request("Greet in French")
    await office.ws.store.write(lambda tx: work_items.stop_after(tx, second, "O1"))
    await office.settle()

    assert [role for _, role in begun] == [*RELEASE, *RELEASE]
    assert [number for number, _ in begun] in ([a] * 5 + [b] * 5 for a, b in ((first, second), (second, first)))


async def test_a_release_proposes_nothing_that_still_waits_and_proposes_again_what_was_cancelled(
    office: Office, tmp_path: Path
) -> None:
    debt: list[Json] = [{"id": "d1", "text": "TODO: sort", "location": "greeter/__init__.py:1", "cost": 1}]
    found: Iterator[Json] = iter(debt * 3 + [{**debt[0], "location": "README.md:1"}])

    def propose(request: AgentRequest) -> Awaitable[AgentResponse]:
        return refactor_proposer(request, Bench(None, tmp_path, tmp_path))

    script = releasing(
        signal_harvester=lambda _: succeeded("signal-harvester", {"signals": []}),
        insight_synthesizer=lambda _: succeeded("insight-synthesizer", {"telemetry": {"analyzed": True}}),
        debt_registrar=lambda _: succeeded("debt-registrar", {"debt": [next(found)]}),
        refactor_proposer=propose,
        sunset_planner=lambda _: succeeded("sunset-planner", {"sunset": []}),
    )
    office.engine = Engine(office.ws, script.as_runtimes())
    await office.engine.start()

    async def release() -> tuple[int, list[tuple[str, int | None]], list[int]]:
        number = await office.request()
        await office.settle()
        (delta,) = [
            await office.ws.store.read(partial(reads.artifact_content, artifact=row.id))
            for row in await office.ws.store.read(lambda r: reads.artifacts(r, number))
            if row.type == "evolution.backlog_delta"
        ]
        items = await office.ws.store.read(reads.work_items)
        proposed = [(item.facts.title, item.facts.parent) for item in items if item.facts.origin == "evolution"]
        return number, proposed, [entry["work_item"] for entry in delta["backlog"]["updated"]]

    first, proposed, updated = await release()
    title = "Pay the technical debt in greeter/__init__.py"
    assert (proposed, updated) == ([(title, first)], [])

    assert (await release())[1:] == ([(title, first)], [first + 1])

    await office.ws.store.write(lambda tx: work_items.cancel(tx, first + 1, "ada"))
    third, proposed, updated = await release()
    assert (proposed, updated) == ([(title, third), (title, first)], [])

    fourth, proposed, updated = await release()
    assert (proposed[0], updated) == (("Pay the technical debt in README.md", fourth), [])
