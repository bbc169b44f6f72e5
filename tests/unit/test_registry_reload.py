"""The team's files while the engine drives: what changes is brought in, what is broken changes nothing and says why."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from core.contract import AgentRequest, AgentResponse, succeeded
from core.orchestration import reloading
from core.orchestration.engine import Engine
from core.orchestration.reloading import Reload
from core.places import FILE
from core.store import reads, rows
from core.store.schema import Lease
from core.store.transaction import Transaction
from core.workspace import OVERLAYS, Workspace
from tests.unit.engine_run import Run
from tests.unit.scripted import OUTPUTS, Scripted

OVERLAY = "version: 1\nagents:\n  - role: ac-writer\n    runtime: {runtime}\n"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, run: Run) -> Run:
    monkeypatch.setattr(reloading, "PATIENCE_SECONDS", 0.2)
    return run


@pytest.fixture
async def told(run: Run) -> list[Reload]:
    """What the engine, which has been started, tells of the team's files."""
    await run.start(Scripted())
    heard: list[Reload] = []
    assert run.engine is not None
    run.engine.on_registry(heard.append)
    return heard


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await condition():  # noqa: ASYNC110 — the file system sets no event of ours
            await asyncio.sleep(0.01)


async def until_told(told: list[Reload], count: int = 1) -> Reload:
    async def is_told() -> bool:
        return len(told) >= count

    await until(is_told)
    return told[count - 1]


def text_of(run: Run) -> str:
    return (run.ws.folder / FILE).read_text(encoding="utf-8")


def edited(text: str, rounds: int = 5) -> str:
    return text.replace("revision_rounds: 3", f"revision_rounds: {rounds}")


def save(run: Run, text: str) -> None:
    (run.ws.folder / FILE).write_text(text, encoding="utf-8")


def rounds(run: Run) -> int:
    assert run.engine is not None
    return run.engine._equipment.catalog.defaults.limits.revision_rounds


async def agent(run: Run, role: str) -> rows.AgentRow:
    found = await run.ws.store.read(lambda r: reads.agent(r, role))
    assert found is not None
    return found


async def events(run: Run, kind: str) -> list[rows.EventRow]:
    return [e for e in await run.ws.store.read(reads.events) if e.kind == kind]


async def test_a_change_is_brought_in_and_the_engine_goes_on_with_it(run: Run, told: list[Reload]) -> None:
    save(run, edited(text_of(run)))

    assert str(await until_told(told)) == "The team has changed: 1 setting."
    assert rounds(run) == 5


async def test_an_overlay_is_heard_although_its_folder_came_later(run: Run, told: list[Reload]) -> None:
    folder = run.ws.folder / OVERLAYS
    folder.mkdir()
    (folder / "team.yaml").write_text(OVERLAY.format(runtime="human"), encoding="utf-8")
    await until_told(told)
    assert (await agent(run, "ac-writer")).runtime == "human"

    (folder / "team.yaml").write_text(OVERLAY.format(runtime="replay"), encoding="utf-8")
    await until_told(told, 2)
    assert (await agent(run, "ac-writer")).runtime == "replay"

    (folder / "team.yaml").unlink()
    await until_told(told, 3)
    assert (await agent(run, "ac-writer")).runtime == "auto"


async def test_a_broken_file_changes_nothing_and_says_why_once(run: Run, told: list[Reload]) -> None:
    good, before = text_of(run), await run.ws.store.read(reads.agents)
    broken = good.replace("revision_rounds: 3", "revision_rounds: many")

    save(run, broken)
    refused = await until_told(told)
    save(run, edited(good))
    await until_told(told, 2)
    save(run, good)
    await until_told(told, 3)

    assert "defaults.limits.revision_rounds: is 'many'" in refused.fault
    assert [e.payload["why"] for e in await events(run, "agents.refused")] == [refused.fault]
    assert [r.fault for r in told[1:]] == ["", ""]
    assert await run.ws.store.read(reads.agents) == before


async def test_a_file_that_is_mended_to_what_it_was_is_in_order_again(run: Run, told: list[Reload]) -> None:
    good = text_of(run)
    save(run, "version: 2\n")
    await until_told(told)

    save(run, good)

    assert str(await until_told(told, 2)) == "The team's files are in order again."


async def test_a_resave_and_a_remark_are_silent(run: Run, told: list[Reload]) -> None:
    good = text_of(run)
    save(run, good)
    save(run, good + "# later\n")

    async def has_seen() -> bool:
        return run.ws.imported_digest() == run.ws.digest()

    await until(has_seen)
    save(run, edited(good))

    assert str(await until_told(told)) == "The team has changed: 1 setting."
    assert len(told) == 1


def rename_over(path: Path, text: str) -> None:
    draft = path.with_name("agents.yaml.tmp")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def delete_and_create(path: Path, text: str) -> None:
    path.rename(path.with_name("agents.yaml~"))
    path.write_text(text, encoding="utf-8")


def empty_then_write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as stream:
        stream.truncate()
        stream.flush()
        stream.write(text[: len(text) // 2])
        stream.flush()
        stream.write(text[len(text) // 2 :])


@pytest.mark.parametrize("write", [rename_over, delete_and_create, empty_then_write])
async def test_however_an_editor_saves(run: Run, told: list[Reload], write: Callable[[Path, str], None]) -> None:
    good = text_of(run)
    for count, number in enumerate((5, 6, 7), 1):
        await asyncio.to_thread(write, run.ws.folder / FILE, edited(good, number))
        await until_told(told, count)
        assert rounds(run) == number
    assert [r.fault for r in told] == ["", "", ""]


async def test_what_another_process_brought_in_first_is_gone_on_with(run: Run, told: list[Reload]) -> None:
    with Workspace.open(run.ws.folder) as other:
        save(run, edited(text_of(run)))
        other.update_registry()
    await until_told(told)

    assert rounds(run) == 5
    assert len(await events(run, "agents.imported")) == 2


def hold_elsewhere(tx: Transaction) -> None:
    tx.execute(Lease.insert(name="engine", holder="elsewhere:1:0.00", pid=1, fence=1, heartbeat_at=tx.now))


async def test_a_viewer_leaves_it_to_the_holder_and_sees_the_new_state(run: Run) -> None:
    await run.ws.store.write(hold_elsewhere)
    assert not await run.start(Scripted())
    heard: list[Reload] = []
    assert run.engine is not None
    run.engine.on_registry(heard.append)

    with Workspace.open(run.ws.folder) as holder:
        save(run, edited(text_of(run)).replace("runtime: auto", "runtime: replay"))
        holder.update_registry()

    assert (await agent(run, "code-implementer")).runtime == "replay"
    assert heard == []
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "apm-team"]


async def test_a_delegation_that_runs_keeps_what_it_began_with_and_the_next_has_the_new(run: Run) -> None:
    reached, go_on = asyncio.Event(), asyncio.Event()
    seen: list[str] = []

    class Noting(Scripted):
        async def execute(self, request: AgentRequest, agent: rows.AgentRow, bench: Any) -> AgentResponse:
            if agent.role in ("problem-framer", "ac-writer"):
                seen.append(f"{agent.role} {agent.sop_content}")
            return await super().execute(request, agent, bench)

    async def slow(_: AgentRequest) -> AgentResponse:
        reached.set()
        await go_on.wait()
        return succeeded("problem-framer", OUTPUTS["problem-framer"])

    await run.add()
    await run.start(Noting(problem_framer=slow))
    await reached.wait()
    (run.ws.folder / OVERLAYS).mkdir()
    roles = "".join(f"  - role: {role}\n    sop: New.\n" for role in ("problem-framer", "ac-writer"))
    (run.ws.folder / OVERLAYS / "team.yaml").write_text(f"version: 1\nagents:\n{roles}", encoding="utf-8")

    async def is_in() -> bool:
        return (await agent(run, "ac-writer")).sop_content == "New."

    await until(is_in)
    go_on.set()
    await run.settle()

    assert [text for text in seen if text.startswith("ac-writer")] == ["ac-writer New."]
    assert not [text for text in seen if text == "problem-framer New."]


async def test_who_takes_over_begins_with_the_files_as_they_are(run: Run) -> None:
    engine = Engine(run.ws, Scripted().as_runtimes())
    save(run, edited(text_of(run)))

    await engine.start()
    run.engine = engine

    assert rounds(run) == 5


async def test_where_nothing_can_be_watched_the_files_are_looked_at(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import watchfiles

    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr(watchfiles, "awatch", refuse)
    monkeypatch.setattr(reloading, "REST_SECONDS", 0.01)
    await run.start(Scripted())
    save(run, edited(text_of(run)))

    async def is_in() -> bool:
        return rounds(run) == 5

    await until(is_in)


async def test_a_listener_that_fails_and_a_watch_that_breaks_end_nothing(
    run: Run, told: list[Reload], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run.engine is not None
    monkeypatch.setattr(reloading, "REST_SECONDS", 0.01)
    run.engine.on_registry(lambda _: 1 / 0)  # type: ignore[arg-type]
    broken = [True]
    take = reloading.Team._take

    async def take_or_break(team: reloading.Team, digest: str | None) -> bool:
        if broken:
            broken.clear()
            raise RuntimeError("out of order")
        return await take(team, digest)

    monkeypatch.setattr(reloading.Team, "_take", take_or_break)
    for number in (5, 7):
        save(run, edited(text_of(run), number).replace("revision_rounds: 5", f"revision_rounds: {number}"))
        await until_told(told, (number - 3) // 2)

    assert rounds(run) == 7


async def test_files_that_were_mended_before_the_wait_began_are_not_waited_for(run: Run) -> None:
    async with asyncio.timeout(20):
        await reloading.until_changed(run.ws, "the digest of broken files")
