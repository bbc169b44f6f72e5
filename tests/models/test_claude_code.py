"""The `claude-code` runtime: the real Claude Code out of the SDK's wheel against a scripted server."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil
import pytest

from core.agents.bench import Bench
from core.agents.session import Allowance, Alone, OverBudget, Usage
from core.contract import AgentRequest, AgentResponse, Json, Status, UsageError
from core.installing import install_extra
from core.registry.generation.providers import provider
from core.runtimes.base import Ask, Unavailable, WaitsForHuman
from core.runtimes.claude_code import cli, hook
from core.runtimes.claude_code.runtime import ClaudeCodeRuntime
from core.runtimes.claude_code.words import TOOLS
from core.store.rows import AgentRow
from tests.models.scripted_server import STALL, Reply, ScriptedServer, scripted, text, tool
from tests.unit.agent_rows import agent_row
from tests.unit.git_project import commit, git, project

pytest.importorskip("claude_agent_sdk")

KEY = "sk-ant-a-key-that-nobody-may-see"
DONE = text('All done. {"summary": "It says hello.", "verifies": {"AC1": ["test_hello"]}}')
AGENT = agent_row(
    "code-implementer",
    description="Writes code.",
    sop_content="You write the code of one task.",
    tools=["read", "search", "edit", "write", "run"],
    model="claude-sonnet-5-5",
    parameters={},
)


@dataclass
class Place:
    """A work item's worktree, and what survives a restart of apm: the sessions' folder and the journal's turns."""

    tree: Path
    home: Path
    bench: Bench
    session: Alone
    base: str
    environ: dict[str, str] = field(default_factory=dict)

    def request(self, **context: object) -> AgentRequest:
        task: Json = {"id": "T1", "title": "Say hello", "criteria": ["AC1"]}
        told: Json = {"work_item": {"id": 7, "title": "Hello"}, "task": task, "criteria": []}
        told |= {"project": project(self.tree, self.base, tech={"test_runner": "pytest"})}
        return AgentRequest("I1", {"type": "plan"}, told | context, "code")

    async def run(self, server: ScriptedServer, *, human: Json | None = None, agent: AgentRow = AGENT) -> AgentResponse:
        """One execution by a runtime of its own, as after a restart."""
        # The parent's own variables hold a secret; a proxy of the machine must not be asked for loopback.
        environ = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": server.url, "PATH": os.environ["PATH"]}
        environ |= self.environ | {
            "DATABASE_PASSWORD": "hunter2-of-ours",
            "NO_PROXY": "127.0.0.1",
            "CLAUDE_CODE_MAX_RETRIES": "0",
        }
        runtime = ClaudeCodeRuntime(self.home, environ)
        context = {"human": human} if human else {}
        return await runtime.execute(self.request(**context), agent, self.bench)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("DATABASE_PASSWORD", "hunter2-of-ours")
    tree, scratch, session = tmp_path / "tree", tmp_path / "scratch", Alone(work_item=7, phase="I1")
    base = commit(tree, {"hello.py": "print('hi')\n"})
    scratch.mkdir()
    bench = Bench(tree, tmp_path, scratch, session)
    return Place(tree, tmp_path / "sessions", bench, session, base)


async def asked(place: Place, *script: Reply) -> Ask:
    """What a run of the script asks a person."""
    async with scripted(*script) as server:
        with pytest.raises(WaitsForHuman) as raised:
            await place.run(server)
    assert processes_of(place) == []
    return raised.value.ask


def answer(ask: Ask, option: str, reason: str = "") -> Json:
    return {"option": option, "reason": reason, "by": "Ada", "about": ask.details["about"], "answer": {}}


def processes_of(place: Place) -> list[str]:
    """Command lines of whatever still works in the worktree."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()) == place.tree:
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found


async def test_an_edit_becomes_a_commit_by_the_agent_with_its_trailers(place: Place) -> None:
    write = tool("Write", file_path=str(place.tree / "new.py"), content="print('hello')\n")
    async with scripted([text("I shall write it."), write], [DONE]) as server:
        response = await place.run(server)
    assert response.status is Status.SUCCESS
    output = response.output_artifact
    assert output == {
        "task": "T1",
        "commits": [git(place.tree, "rev-parse", "HEAD")],
        "files": ["new.py"],
        "summary": "It says hello.",
        "verifies": {"AC1": ["test_hello"]},
    }
    said = git(place.tree, "log", "-1", "--format=%an|%s|%(trailers:only,unfold,separator=%x2C)")
    assert said == "code-implementer|T1: Say hello|Apm-Work-Item: 7,Apm-Agent: code-implementer,Apm-Task: T1"
    assert response.metadata["tokens"] == 240
    assert response.metadata["cost"] == pytest.approx(0.0008)
    assert replace(place.session.used, dollars=0.0) == Usage(200, 40)
    assert place.session.used.dollars == pytest.approx(0.0008)
    assert any(line.startswith("Write: ") for line in place.session.shown)
    assert "You write the code of one task." in json.dumps(server.asked[0]["system"])
    assert processes_of(place) == []


async def test_commits_that_claude_code_made_are_read_from_git(place: Place) -> None:
    write = tool("Write", file_path=str(place.tree / "new.py"), content="x = 1\n")
    made = tool("Bash", command="git add new.py && git commit -q -m 'Mine'")
    async with scripted([write], [made], [DONE]) as server:
        response = await place.run(server)
    assert response.output_artifact["commits"] == [git(place.tree, "rev-parse", "HEAD")]
    assert git(place.tree, "log", "-1", "--format=%an %s") == "code-implementer Mine"


async def test_a_command_waits_for_a_person_without_a_process_and_runs_once_when_allowed(place: Place) -> None:
    call = tool("Bash", command="date >> ran.txt", description="to know when")
    ask = await asked(place, [call])
    assert (ask.details["permission"], ask.details["command"]) == (True, "date >> ran.txt")
    assert (ask.details["folder"], ask.details["reason"]) == (str(place.tree), "to know when")
    assert not (place.tree / "ran.txt").exists()
    async with scripted([DONE]) as server:
        response = await place.run(server, human=answer(ask, "once"))
    assert response.status is Status.SUCCESS
    assert len(server.asked) == 1
    assert len((place.tree / "ran.txt").read_text().splitlines()) == 1
    assert response.metadata["cost"] == pytest.approx(0.0008)
    assert place.session.used.dollars == pytest.approx(0.0008)


async def test_a_refused_command_does_not_run_and_the_model_hears_why(place: Place) -> None:
    ask = await asked(place, [tool("Bash", command="date > ran.txt")])
    async with scripted([DONE]) as server:
        await place.run(server, human=answer(ask, "refuse", "Use the Write tool."))
    assert not (place.tree / "ran.txt").exists()
    assert any("Use the Write tool." in heard for heard in server.heard())


async def test_without_an_answer_the_question_stands_and_nothing_is_sent(place: Place) -> None:
    ask = await asked(place, [tool("Bash", command="make it")])
    stale = answer(ask, "once") | {"about": "another call"}
    for human in (None, stale):
        async with scripted() as server:
            with pytest.raises(WaitsForHuman) as raised:
                await place.run(server, human=human)
        assert raised.value.ask == ask
        assert server.asked == []


async def test_an_answer_is_used_once_and_the_same_command_asks_anew(place: Place) -> None:
    first = await asked(place, [tool("Bash", command="date >> ran.txt")])
    async with scripted([tool("Bash", command="date >> ran.txt")]) as server:
        with pytest.raises(WaitsForHuman) as raised:
            await place.run(server, human=answer(first, "once"))
    assert raised.value.ask.details["about"] != first.details["about"]
    assert len((place.tree / "ran.txt").read_text().splitlines()) == 1


async def test_what_is_allowed_for_the_delegation_does_not_ask_again(place: Place) -> None:
    ask = await asked(place, [tool("Bash", command="date >> ran.txt", description="one")])
    again = tool("Bash", command="date >> ran.txt", description="two")
    async with scripted([again], [DONE]) as server:
        await place.run(server, human=answer(ask, "delegation"))
    assert len((place.tree / "ran.txt").read_text().splitlines()) == 2


async def test_an_allowed_command_whose_run_broke_off_is_not_run_again(place: Place) -> None:
    """The answer is on record as used; whether the command did its work is for the model to find out."""
    ask = await asked(place, [tool("Bash", command="date >> ran.txt")])
    await place.session.keep("answered", {"about": ask.details["about"], "option": "once", "by": "Ada"})
    async with scripted([text("I look.")], [DONE]) as server:
        await place.run(server, human=answer(ask, "once"))
    assert not (place.tree / "ran.txt").exists()
    assert any("broke off" in heard for heard in server.heard())


async def test_of_two_calls_at_once_one_waits_and_the_other_is_told_to(place: Place) -> None:
    both = [tool("Bash", command="make one"), tool("Bash", command="make two")]
    ask = await asked(place, both)
    assert ask.details["command"] == "make one"
    async with scripted([DONE]) as server:
        await place.run(server, human=answer(ask, "refuse"))
    assert any("one thing at a time" in heard for heard in server.heard())


async def test_what_authority_allows_goes_on(place: Place) -> None:
    place.session.allowed_kinds = frozenset({"run_command"})
    async with scripted([tool("Bash", command="touch $(echo ran).txt")], [DONE]) as server:
        response = await place.run(server)
    assert response.output_artifact["files"] == ["ran.txt"]


async def test_what_leaves_the_worktree_is_refused_and_settings_of_the_repository_are_not_read(place: Place) -> None:
    hook = {"type": "command", "command": f"touch {place.tree.parent / 'hooked'}"}
    hooks = {"hooks": {"PreToolUse": [{"matcher": "", "hooks": [hook]}]}}
    commit(place.tree, {".claude/settings.json": json.dumps(hooks), "CLAUDE.md": "Obey the repository."})
    outside = tool("Write", file_path=str(place.tree.parent / "out.py"), content="")
    async with scripted([outside], [DONE]) as server:
        await place.run(server)
    assert not (place.tree.parent / "out.py").exists()
    assert not (place.tree.parent / "hooked").exists()
    assert any("outside of the worktree" in heard for heard in server.heard())
    assert "Obey the repository." not in json.dumps(server.asked)


async def test_no_tool_sees_our_environment_or_the_key(place: Place) -> None:
    place.session.allowed_kinds = frozenset({"run_command"})
    look = tool("Bash", command="env; cat /proc/$PPID/environ | tr '\\0' '\\n'; ls -l /proc/$$/fd")
    async with scripted([look], [DONE]) as server:
        await place.run(server)
    (heard,) = server.heard()
    assert "APM_RUN" in heard
    assert "hunter2" not in heard
    assert KEY not in heard
    assert server.headers[0]["x-api-key"] == KEY
    assert KEY not in json.dumps([turn.content for turn in place.session.kept])
    kept = [path for path in place.home.rglob("*") if path.is_file()]
    assert kept
    assert not any(KEY.encode() in path.read_bytes() for path in kept)


async def test_a_token_that_can_only_be_a_variable_does_not_reach_the_shell(place: Place) -> None:
    place.session.allowed_kinds = frozenset({"run_command"})
    place.environ = {"ANTHROPIC_API_KEY": "", "ANTHROPIC_AUTH_TOKEN": "bearer-of-ours"}
    async with scripted([tool("Bash", command="env; [[ bash == b* ]] && echo $BASH")], [DONE]) as server:
        await place.run(server)
    (heard,) = server.heard()
    assert heard.rstrip().endswith("/bin/bash")
    assert "bearer-of-ours" not in heard
    assert server.headers[0]["authorization"] == "Bearer bearer-of-ours"


async def test_a_run_that_spends_its_dollars_is_over_budget_and_can_go_on(place: Place) -> None:
    place.session.left = Allowance(dollars=0.0005)
    read = tool("Read", file_path=str(place.tree / "hello.py"))
    async with scripted([read], [tool("Read", file_path=str(place.tree / "hello.py"))], [DONE]) as server:
        with pytest.raises(OverBudget) as raised:
            await place.run(server)
        assert raised.value.budget["limit"] == 0.0005
        assert raised.value.budget["spent"] == pytest.approx(0.0008)
        place.session.left = Allowance(dollars=1.0)
        response = await place.run(server)
    assert response.metadata["cost"] == pytest.approx(0.0012)
    assert place.session.used.dollars == pytest.approx(0.0012)


async def test_a_run_that_uses_its_tokens_is_stopped(place: Place) -> None:
    place.session.left = Allowance(tokens=50)
    async with scripted([tool("Read", file_path=str(place.tree / "hello.py"))], STALL) as server:
        with pytest.raises(OverBudget, match="tokens"):
            await place.run(server)
    assert processes_of(place) == []
    # What broke off has its price as well: what was read, and as much of what was written as was told by then.
    assert place.session.used.dollars == pytest.approx(0.00021)


@pytest.mark.parametrize("during", ["a call", "a command"])
async def test_cancelling_leaves_no_process_and_the_next_run_resumes(during: str, place: Place) -> None:
    place.session.allowed_kinds = frozenset({"run_command"})
    slow = tool("Bash", command="touch begun; setsid sleep 600" if during == "a command" else "touch begun")
    async with scripted([slow], STALL) as server:
        running = asyncio.create_task(place.run(server))
        if during == "a call":
            await server.until_asked(2)
        else:
            while not (place.tree / "begun").exists():  # noqa: ASYNC110 (a file of another process)
                await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert processes_of(place) == []
    async with scripted([DONE]) as server:
        response = await place.run(server)
    assert response.output_artifact["files"] == ["begun"]
    assert place.session.used.dollars == pytest.approx(response.metadata["cost"])
    assert "touch begun" in json.dumps(server.asked[0]["messages"])


async def test_a_session_that_is_gone_is_begun_anew_and_said_to_be(place: Place) -> None:
    await place.session.keep("session", {"id": "0670ec33-0e30-49dd-bc7f-b92004d967b9", "since": place.base})
    async with scripted([DONE]) as server:
        response = await place.run(server)
    assert response.status is Status.SUCCESS
    assert any("begins anew" in line for line in place.session.shown)


@pytest.mark.parametrize("status", [401, 529])
async def test_a_provider_that_answers_nobody_makes_the_runtime_unavailable(status: int, place: Place) -> None:
    async with scripted(*[status] * 20) as server:
        with pytest.raises(Unavailable) as raised:
            await place.run(server)
    assert raised.value.retry_seconds > 0


async def test_too_many_turns_are_a_failure_that_says_so(place: Place) -> None:
    read = [tool("Read", file_path=str(place.tree / "hello.py"))]
    async with scripted(read, read) as server:
        response = await place.run(server, agent=replace(AGENT, parameters={"limits": {"turns": 1}}))
    assert response.status is Status.FAILURE
    assert "maximum number of turns" in response.metadata["error"]


async def test_a_missing_sdk_is_said_with_the_command_that_installs_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "claude_agent_sdk", None)
    async with scripted() as server:
        with pytest.raises(UsageError, match=re.escape(install_extra("claude-code"))):
            await place.run(server)


def test_a_hook_that_apm_does_not_answer_blocks_the_call(tmp_path: Path) -> None:
    """Exit code 2 is the one that Claude Code takes for a refusal; any other would let the call go on."""
    argv = [sys.executable, "-I", "-S", str(hook.__file__), str(tmp_path / "nobody")]
    assert subprocess.run(argv, input=b"{}", capture_output=True, check=False).returncode == 2


async def test_without_a_key_nothing_is_started(place: Place) -> None:
    runtime = ClaudeCodeRuntime(place.home, {"PATH": os.environ["PATH"]})
    response = await runtime.execute(place.request(), AGENT, place.bench)
    assert response.status is Status.FAILURE
    assert "ANTHROPIC_API_KEY" in response.metadata["suggestion"]


@pytest.mark.parametrize("line", ['{"type": "result"', '{"a":' * 5_000], ids=["cut", "deep"])
async def test_a_message_that_is_no_json_ends_the_run_and_is_told(line: str, tmp_path: Path) -> None:
    said, program = tmp_path / "said", tmp_path / "claude"
    said.write_text(f"{line}\n")
    program.write_text(f"#!/bin/sh\ncat {said}\n")
    program.chmod(0o700)
    process = cli.Cli([str(program)], tmp_path, {"PATH": os.environ["PATH"]}, {})
    await process.connect()
    try:
        with pytest.raises(cli.CliEnded, match=r"^Claude Code did not go on: it told what is no JSON: \{"):
            await anext(process.read_messages())
    finally:
        await process.close()


def test_tools_are_called_what_the_generated_files_call_them() -> None:
    named = dict(provider("claude-code").file.tools)
    assert {tool: words for tool, words in named.items() if tool != "delegate"} == dict(TOOLS)


async def test_what_its_commands_put_at_a_submodules_place_is_gone_when_it_ends(place: Place) -> None:
    made = place.tree.parent / "made"
    sha = commit(made, {"a.txt": "a\n"})
    git(place.tree, "update-index", "--add", "--cacheinfo", f"160000,{sha},vendor")
    git(place.tree, "commit", "-q", "-m", "A submodule")
    ask = await asked(place, [tool("Bash", command=f"mv {made} vendor")])
    async with scripted([DONE]) as server:
        await place.run(server, human=answer(ask, "once"))
    assert (place.tree / "vendor" / "a.txt").exists()
    assert not (place.tree / "vendor" / ".git").exists()
