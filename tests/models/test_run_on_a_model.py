"""`apm run` with nothing but an address in the environment: definition, planning and real edits on a model."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.apm_process import Apm, environment, query
from tests.models.scripted_server import ScriptedServer, scripted
from tests.models.team import FILES, OUTPUTS, TITLE, WORK, Team
from tests.unit.git_project import commit, git

KEY = "sk-ant-marker-0123456789abcdef"


def workspace(place: Path) -> Path:
    """A workspace with a project and one work item whose request says little."""
    commit(place / "greetings", FILES)
    apm = Apm(place, place / "ws")
    assert apm("init", place / "ws").code == 0
    assert apm("project", "add", place / "greetings").code == 0
    assert apm("work-item", "create", TITLE, "--project", "greetings").code == 0
    return place / "ws"


async def run(folder: Path, server: ScriptedServer | None, *words: str) -> tuple[int, str, str]:
    """The exit code of `apm run`, and what it printed where."""
    process = await start(folder, server, *words)
    out, err = await asyncio.wait_for(process.communicate(), 240)
    return int(process.returncode or 0), out.decode(), err.decode()


async def start(folder: Path, server: ScriptedServer | None, *words: str) -> asyncio.subprocess.Process:
    known = {} if server is None else {"ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": KEY}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tui.cli.main", "--workspace", str(folder), "run", "--all", *words),
        env=environment() | known,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


def recorded(folder: Path) -> list[tuple[Any, ...]]:
    return query(folder, "SELECT phase, agent, subject, status, runtime FROM delegations ORDER BY id")


async def test_a_plain_request_becomes_commits_on_a_branch(tmp_path: Path) -> None:
    folder, team = workspace(tmp_path), Team()
    async with scripted(says=team.says) as server:
        code, out, err = await run(folder, server, "--until", "I1", "--json")

    assert code == 0, err
    [item] = json.loads(out)["work_items"]
    assert [(p["phase"], p["status"]) for p in item["phases"]] == [("D1", "passed"), ("P1", "passed"), ("I1", "passed")]
    on_models = {agent for _, agent, _, _, runtime in recorded(folder) if runtime == "anthropic"}
    assert on_models == {
        *("intent-triage", "problem-framer", "value-articulator", "risk-notary", "ac-writer"),
        *("decomposer", "estimator", "mitigation-planner", "backlog-curator", "code-implementer", "test-implementer"),
    }
    assert "Hola" in git(tmp_path / "greetings", "show", f"apm/1-{slug()}:greetings.py")
    log = git(
        tmp_path / "greetings", "log", "--format=%an %(trailers:key=Apm-Agent,valueonly)", f"main..apm/1-{slug()}"
    )
    assert {line.split()[0] for line in log.splitlines() if line.strip()} == {"code-implementer", "test-implementer"}
    assert "tokens" in err
    assert (item["cost"]["calls"], item["cost"]["tokens"]) == (len(server.asked), 120 * len(server.asked))
    assert KEY not in out + err + "".join(str(row) for row in query(folder, "SELECT payload FROM events"))


def slug() -> str:
    return TITLE.lower().replace(" ", "-")


async def test_two_owners_decisions_on_one_topic_are_one_question(tmp_path: Path) -> None:
    options = [{"key": key, "label": key, "consequence": "So it is."} for key in ("remote", "local")]
    shared = {"impact": 5, "options": options, "topic": "where greetings come from"}
    raised = [
        {"kind": "external_service", "domain": "technical", "question": "Which?", "recommended": "remote", **shared},
        {"kind": "navigation", "domain": "ux", "question": "Which?", "recommended": "local", **shared},
    ]
    folder, team = workspace(tmp_path), Team(raising={"decomposer": raised})
    async with scripted(says=team.says) as server:
        code, _, err = await run(folder, server, "--until", "I1")

    assert code == 3, err
    [(kind, blocks, question)] = query(
        folder, "SELECT kind, blocks, question FROM escalations WHERE resolved_at IS NULL AND withdrawn_at IS NULL"
    )
    assert (kind, blocks) == ("conflict", "I1")
    assert question.endswith("where greetings come from: technical is for remote, ux is for local")


async def test_without_a_model_the_same_request_asks_a_person(tmp_path: Path) -> None:
    folder = workspace(tmp_path)

    code, _, _ = await run(folder, None, "--until", "I1", "--json")

    assert code == 3
    assert {runtime for *_, runtime in recorded(folder)} <= {"offline", "tool"}


async def test_pulling_the_plug_costs_the_calls_in_flight_and_no_more(tmp_path: Path) -> None:
    """Killed again and again, each time when one more call has been asked: every answer is paid for once."""
    folder, team = workspace(tmp_path), Team()
    kills = 0
    async with scripted(says=team.says) as server:
        for at in (3, 9, 14):
            process = await start(folder, server, "--until", "I1")
            asked = asyncio.create_task(server.until_asked(at))
            ended = asyncio.create_task(process.wait())
            await asyncio.wait({asked, ended}, return_when=asyncio.FIRST_COMPLETED, timeout=120)
            if process.returncode is None:
                os.kill(process.pid, signal.SIGKILL)
                kills += 1
            await ended
            asked.cancel()
        code, out, err = await run(folder, server, "--until", "I1", "--json")
        asked_in_all = len(server.asked)

    assert code == 0, err
    assert [p["status"] for p in json.loads(out)["work_items"][0]["phases"]] == ["passed"] * 3
    needed = len(OUTPUTS) + sum(len(steps) for steps in WORK.values())
    # A call that was killed is asked again; where two agents worked side by side both may have been in flight.
    assert needed <= asked_in_all <= needed + 2 * kills
    assert query(folder, "SELECT COUNT(*) FROM spend WHERE settled_at IS NULL") == [(0,)]
    log = git(tmp_path / "greetings", "log", "--format=%an", f"main..apm/1-{slug()}")
    assert sorted(log.splitlines()) == ["code-implementer", "test-implementer"]


async def test_a_recording_plays_in_another_workspace_without_a_model(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    first, second, cassette = workspace(tmp_path / "one"), workspace(tmp_path / "two"), tmp_path / "answers.json"
    async with scripted(says=Team().says) as server:
        code, _, err = await run(first, server, "--until", "I1", "--record", str(cassette))
    assert code == 0, err
    assert KEY not in cassette.read_text()

    code, _, err = await run(second, None, "--until", "I1", "--replay", str(cassette))

    assert code == 0, err
    assert {runtime for _, agent, _, _, runtime in recorded(second) if agent == "ac-writer"} == {"replay"}
    tree = "rev-parse", f"apm/1-{slug()}^{{tree}}"
    assert git(tmp_path / "one" / "greetings", *tree) == git(tmp_path / "two" / "greetings", *tree)


async def test_a_provider_that_takes_no_calls_is_said_and_is_no_success(tmp_path: Path) -> None:
    """Each time, although it is asked about once: whoever starts runs by a timer looks at the exit code."""
    folder = workspace(tmp_path)
    async with scripted(says=lambda body: 401) as server:
        runs = [await run(folder, server, "--until", "D1") for _ in range(2)]

    for code, _, err in runs:
        assert code == 3
        assert "anthropic takes no calls: it refuses the key" in err
        assert "The next run goes on from there." in err
    assert query(folder, "SELECT COUNT(*) FROM escalations") == [(1,)]

    async with scripted(says=Team().says) as server:
        code, _, err = await run(folder, server, "--until", "D1")
    assert code == 0, err
    assert query(folder, "SELECT COUNT(*) FROM escalations WHERE withdrawn_at IS NULL") == [(0,)]


@pytest.mark.parametrize("words", [("--record", "a", "--replay", "b"), ("--replay", "nowhere.json")])
def test_a_tape_that_cannot_be_is_bad_usage(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert Apm(tmp_path)("run", "--all", *words).code == 2
