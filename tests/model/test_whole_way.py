"""A request, a file to edit and a permission to ask, on a real model through both runtimes.

What a small model makes of them is not looked at; that each thing ends in a defined way, is paid for, and is on record.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.agents.bench import Bench
from core.agents.session import Alone
from core.contract import AgentRequest, Json, Status
from core.projects import git
from core.runtimes.base import WaitsForHuman
from core.runtimes.claude_code.runtime import ClaudeCodeRuntime
from core.runtimes.coding.loop import CodingRuntime
from core.runtimes.models.anthropic_api import AnthropicConnection, AnthropicModel
from core.runtimes.models.calling import open_line
from core.runtimes.models.endpoints import NO_KEY, Endpoint
from core.store.rows import AgentRow
from tests.e2e.apm_process import Apm, environment, query
from tests.models.asked import row
from tests.unit.git_project import commit

REQUEST = """Finance retypes every table by hand, which costs two hours a month. `rowdown --totals` must append a row
of sums before the end of May. Text columns stay empty. `--no-totals` turns it off. The risk is a wrong sum."""
SHORT: Json = {"limits": {"turns": 4, "output_tokens": 256}, "seconds": 900}
"""A small model that finds no end writes fifteen tokens a second."""
WRITE = "You make one small change with your tools. First call `write`, then call `done`."
SHELL = "You use the Bash tool at once, with exactly the command that you are asked to run. Say nothing else."


def test_a_request_goes_through_definition_and_planning_as_far_as_the_model_brings_it(
    server: str, tmp_path: Path
) -> None:
    apm, folder = Apm(tmp_path, tmp_path / "ws"), tmp_path / "ws"
    assert apm("init", folder).code == 0
    assert apm("work-item", "create", "Add a totals row", "--body", "-", stdin=REQUEST).code == 0
    for role in ("intent-triage", "problem-framer", "value-articulator", "risk-notary", "ac-writer"):
        shorten(folder, role)

    ended = subprocess.run(
        [sys.executable, "-m", "tui.cli.main", "--workspace", str(folder), "run", "--all", "--until", "P1", "--json"],
        env=environment() | {"ANTHROPIC_BASE_URL": server, "ANTHROPIC_MODEL": "local"},
        capture_output=True,
        text=True,
        timeout=1_800,
    )

    assert ended.returncode in (0, 3), ended.stderr
    [item] = json.loads(ended.stdout)["work_items"]
    asked = [d for d in item["delegations"] if d["runtime"] == "anthropic"]
    assert asked
    assert {d["status"] for d in asked} <= {"SUCCESS", "BLOCKED", "FAILURE"}
    assert item["state"] == ("waiting" if ended.returncode == 3 else item["state"])
    [(open_calls, tokens, priced)] = query(
        folder, "SELECT SUM(settled_at IS NULL), SUM(tokens), SUM(cost IS NOT NULL AND tokens > 0) FROM spend"
    )
    assert (open_calls, priced) == (0, 0)
    assert tokens > 0
    assert apm("audit", "verify").code == 0


def shorten(folder: Path, role: str) -> None:
    """A small model on two cores reads a hundred tokens a second: its procedure is a sentence."""
    overlays = folder / "agents.d"
    overlays.mkdir(exist_ok=True)
    (overlays / f"{role}.yaml").write_text(
        f"version: 1\nagents:\n  - role: {role}\n    sop: You do what {role} does, briefly and to the point.\n"
        "    limits: {seconds: 600}\n"
    )


def bench(tmp_path: Path, session: Alone) -> Bench:
    tree = tmp_path / "tree"
    commit(tree, {"README.md": "# Notes\n"})
    subprocess.run(["git", "checkout", "-qb", "apm/1-x"], cwd=tree, check=True)
    for name in ("releases", "scratch"):
        (tmp_path / name).mkdir()
    return Bench(tree, tmp_path / "releases", tmp_path / "scratch", session)


async def request(place: Bench, title: str) -> AgentRequest:
    tree = place.tree()
    context: Json = {
        "work_item": {"id": 1, "title": title, "type": "feature", "tags": [], "impact": 3},
        "project": {
            "id": 1,
            "name": "notes",
            "path": str(tree),
            "target": "main",
            "branch": "apm/1-x",
            "base_commit": await git.head(tree),
            "settings": {},
            "tech": {},
            "environment": str(tree),
        },
        "task": {"id": "T1", "title": title, "criteria": ["AC1"]},
        "criteria": [{"id": "AC1", "text": title}],
    }
    return AgentRequest("implementation-orch", {"tasks": []}, context, "code-implementer")


def coder(sop: str, tools: list[str]) -> AgentRow:
    return row("code-implementer", sop_content=sop, model="local", tools=tools, parameters=SHORT)


async def test_a_loop_of_tools_ends_in_a_commit_or_says_why_not(server: str, tmp_path: Path) -> None:
    session = Alone(1, "I1", "code-implementer", "T1")
    place = bench(tmp_path, session)
    connection = AnthropicConnection(open_line(Endpoint("anthropic", server, NO_KEY), environ={}))
    runtime = CodingRuntime("anthropic", lambda agent: AnthropicModel("local", connection), workspace=tmp_path)

    asked = await request(place, "Write the file hello.txt whose content is the word hello")
    response = await runtime.execute(asked, coder(WRITE, ["read", "write"]), place)

    await connection.aclose()
    assert response.metadata["tokens"] == session.used.tokens > 0
    made = await git.commits(place.tree(), str(asked.context["project"]["base_commit"]), "HEAD")
    if response.status is Status.SUCCESS:
        assert [c.sha for c in made] == response.output_artifact["commits"]
        assert made[0].trailers["Apm-Task"] == "T1"
    else:
        assert made == ()
        assert response.metadata.get("error") or response.missing
    assert not await git.status(place.tree()) or response.status is not Status.SUCCESS


async def test_claude_code_asks_a_person_and_goes_on_with_the_answer(server: str, tmp_path: Path) -> None:
    session = Alone(1, "I1", "code-implementer", "T1")
    place = bench(tmp_path, session)
    environ = {"PATH": os.environ["PATH"], "ANTHROPIC_BASE_URL": server, "ANTHROPIC_API_KEY": "local"}
    runtime = ClaudeCodeRuntime(tmp_path / "home", environ)
    asked, agent = await request(place, "Run this command: make all"), coder(SHELL, ["run"])

    waits = await waiting(runtime, asked, agent, place)
    if waits is None:
        pytest.skip("this model called no tool, so there was nothing to ask a person")
    details = waits.ask.details
    assert details["permission"]
    assert details["command"]
    human: Json = {"option": "refuse", "reason": "not now", "by": "ada", "about": details["about"]}
    context = {**asked.context, "human": human}
    told = AgentRequest(asked.requesting_agent, asked.input_artifact, context, asked.expected_output)
    async with asyncio.timeout(900):
        response = await ClaudeCodeRuntime(tmp_path / "home", environ).execute(told, agent, place)
    assert response.status in (Status.SUCCESS, Status.FAILURE, Status.BLOCKED)
    assert session.used.tokens > 0


async def waiting(
    runtime: ClaudeCodeRuntime, asked: AgentRequest, agent: AgentRow, place: Bench
) -> WaitsForHuman | None:
    """What it wants to ask a person, if it comes to that."""
    try:
        async with asyncio.timeout(900):
            await runtime.execute(asked, agent, place)
    except WaitsForHuman as wait:
        return wait
    return None
