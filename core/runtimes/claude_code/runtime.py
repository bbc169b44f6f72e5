"""The `claude-code` runtime: a specialist does a task in Claude Code, through claude-agent-sdk.

How Claude Code 2.1.330 behaves under SDK 0.2.187, tried against a server of ours, and what follows from it:

- A PreToolUse hook that says `defer` ends the process with `stop_reason: tool_deferred`; calls of the same message
  that were allowed have run, a second deferral makes it forget the first. Resumed, it runs the hook for that call
  again, before the SDK's `initialize` is read: hooks of the SDK come too late for it, hooks of `--settings` do not.
- Resumed for a deferred call it needs no prompt; one that is sent is a turn of its own afterwards. So nothing is
  sent, and standard input stays open until the result: the SDK's client does that, its `query` does not.
- Resumed after a kill, a call without a result reads as interrupted, its outcome unknown.
- `total_cost_usd` counts the whole session over all its processes, `usage` this run, `--max-budget-usd` this process.
- Budget, turns and API errors end with exit code 1 after a result; an API error has subtype `success`.
- A session that it does not know ends it with a result before it has answered `initialize`, for which the SDK waits
  a minute unless its transport raises.
- With CLAUDE_CODE_API_KEY_FILE_DESCRIPTOR the key is read from a pipe, and no tool sees it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from core.agents.bench import Bench
from core.agents.confined import MAIL
from core.agents.session import OverBudget, Reservation
from core.contract import AgentRequest, AgentResponse, Json, UsageError, failed
from core.installing import install_extra
from core.projects import git
from core.projects.child import to_the_end
from core.projects.governing import TEAM, governing
from core.projects.settings import interpreter
from core.projects.submodules import disarm
from core.redaction import Redactor, secrets_of
from core.runtimes.base import WaitsForHuman
from core.runtimes.claude_code import cli, words
from core.runtimes.claude_code.credentials import BY_PIPE, CREDENTIALS
from core.runtimes.claude_code.gate import Gate, served
from core.runtimes.claude_code.past import DEFERRED, SESSION, SPENT, Past
from core.runtimes.claude_code.permissions import declared
from core.runtimes.claude_code.results import Outcome, conclude
from core.runtimes.claude_code.watching import Watch
from core.runtimes.models.prices import cost, price_of
from core.sanitise import one_line
from core.store.rows import AgentRow

NAME = "claude-code"
MOST_TURNS, MOST_TOKENS, MOST_DOLLARS = 60, 2_000_000, 5.0
"""What one execution may use where the agent's `limits` (turns) and parameters (tokens, dollars) say nothing."""
STIRS_WITHIN_SECONDS = 30.0
"""How long a resumed Claude Code may take to come to the call that waited, before it is told to go on."""


class _Lost(Exception):
    """The session is not there any more."""


@dataclass(frozen=True, slots=True)
class _Task:
    """What one execution is about."""

    request: AgentRequest
    agent: AgentRow
    bench: Bench
    worktree: Path
    answer: Json


class ClaudeCodeRuntime:
    """Runs agents in Claude Code. `home` keeps its sessions, a folder per work item; `environ` has the credentials.

    The files of `workspace` that say who may decide what are not an agent's to write.
    """

    name = NAME

    def __init__(self, home: Path, environ: Mapping[str, str], workspace: Path | None = None) -> None:
        self._home, self._environ, self._workspace = home, dict(environ), workspace
        self._redactor = Redactor(secrets_of(environ))

    async def execute(self, request: AgentRequest, agent: AgentRow, bench: Bench) -> AgentResponse:
        """Raises UsageError where the SDK is not installed, CliEnded when Claude Code ends without a result."""
        if not any(self._environ.get(name) for name in CREDENTIALS):
            return failed(agent.role, "Claude Code has no credentials here", suggestion="Set ANTHROPIC_API_KEY.")
        task = _Task(request, agent, bench, bench.tree(), dict(request.context.get("human") or {}))
        sdk = await _sdk()
        past = Past.of(await bench.session.turns())
        waiting = past.waiting
        if waiting is not None and task.answer.get("about") != waiting["about"]:
            raise WaitsForHuman(words.question(agent, waiting, task.worktree, past.session))
        try:
            return await self._run(sdk, task, past)
        except _Lost:
            bench.session.show("The session of before is gone; Claude Code begins anew, with the files as they are.")
            return await self._run(sdk, task, replace(past, session="", waiting=None, spent=0.0))

    async def _run(self, sdk: Any, task: _Task, past: Past) -> AgentResponse:
        session, parameters = task.bench.session, task.agent.parameters or {}
        left = await session.allowance()
        dollars = _least(float(parameters.get("dollars") or MOST_DOLLARS), left.dollars)
        tokens = int(_least(int(parameters.get("tokens") or MOST_TOKENS), left.tokens))
        model = words.model_of(task.agent) or ""
        reserved = await session.reserve(NAME, model, tokens=tokens, dollars=dollars)
        watch = Watch(session, self._secrets(), past.events, tokens)
        project = task.request.context.get("project", {})
        commands = declared(project, interpreter(project)) if project else ()
        own = governing(Path(project["path"]), self._workspace) if project else TEAM
        gate = Gate(session, task.worktree, commands, past, task.answer, self._readable(task), own)
        try:
            began = await self._begin(task, past)
            await self._talk(sdk, task, past, began, gate, watch, dollars)
        finally:
            await to_the_end(self._settle(task, reserved, watch, past))
        outcome = Outcome(began.session, began.since, watch, dollars, past.spent)
        if gate.waiting is not None and watch.result.deferred_tool_use is not None:
            await session.keep(DEFERRED, gate.waiting)
            raise WaitsForHuman(words.question(task.agent, gate.waiting, task.worktree, began.session))
        return await conclude(task.request, task.agent, task.worktree, outcome)

    async def _begin(self, task: _Task, past: Past) -> Past:
        """The session's id is on record before Claude Code knows it, so that no kill loses what it will have cost."""
        if past.session:
            return past
        began = replace(past, session=str(uuid.uuid4()), since=past.since or await git.head(task.worktree))
        await task.bench.session.keep(SESSION, {"id": began.session, "since": began.since})
        return began

    async def _talk(
        self, sdk: Any, task: _Task, past: Past, began: Past, gate: Gate, watch: Watch, dollars: float
    ) -> None:
        resumed = bool(past.session)
        async with served(gate) as settings:
            argv = await self._argv(sdk, task, began.session, resumed, settings, dollars)
            process = cli.Cli(argv, task.worktree, self._environment(task), self._by_pipe())
            client = sdk.ClaudeSDKClient(sdk.ClaudeAgentOptions(verbatim_prompts=True), transport=process)
            try:
                await client.connect()
                # The call that waited is come back to by itself; a prompt would be a turn of its own after it.
                if past.waiting is None or not await _comes(gate.asked):
                    await client.query(words.GO_ON if resumed else self._prompt(task))
                async for message in client.receive_response():
                    await watch.take(message)
            except Exception as error:
                _explain(process, resumed, error)
                raise
            finally:
                await to_the_end(_end(client, process, task.worktree))

    async def _argv(
        self, sdk: Any, task: _Task, session: str, resumed: bool, settings: Json, dollars: float
    ) -> list[str]:
        agent = task.agent
        file = self._place(task) / f"{agent.role}.json"
        agents = json.dumps({agent.role: words.definition(agent)})
        await asyncio.to_thread(_prepare, file, agents, self._place(task))
        model = words.model_of(agent)
        return [
            str(cli.bundled(sdk)),
            f"--resume={session}" if resumed else f"--session-id={session}",
            f"--agents={file}",
            f"--agent={agent.role}",
            f"--tools={','.join(words.tools_of(agent))}",
            *([f"--model={model}"] if model else []),
            f"--max-turns={int((agent.parameters.get('limits') or {}).get('turns') or MOST_TURNS)}",
            f"--max-budget-usd={dollars:.6f}",
            f"--settings={json.dumps(settings)}",
            "--setting-sources=",
            "--strict-mcp-config",
            "--permission-mode=default",
        ]

    def _prompt(self, task: _Task) -> str:
        hidden = (task.worktree, task.bench.releases, task.bench.scratch, self._place(task))
        return words.prompt(task.request, hidden, self._redactor.text)

    def _place(self, task: _Task) -> Path:
        return self._home / str(task.bench.session.work_item)

    def _readable(self, task: _Task) -> tuple[Path, ...]:
        """Where Claude Code puts a tool's output that is too long for the conversation."""
        return (task.bench.scratch, self._place(task) / "config" / "projects")

    def _environment(self, task: _Task) -> dict[str, str]:
        return cli.environment(self._environ, self._place(task), task.bench.scratch, task.agent.role, MAIL)

    def _by_pipe(self) -> dict[str, str]:
        return {way: value for name, way in BY_PIPE.items() if (value := self._environ.get(name))}

    def _secrets(self) -> tuple[str, ...]:
        return tuple(value for name in CREDENTIALS if (value := self._environ.get(name)))

    async def _settle(self, task: _Task, reserved: Reservation, watch: Watch, past: Past) -> None:
        """Give back what was not used. A run that broke off tells its tokens only: they are priced by the list, and
        what that comes to is taken off the total that the session tells when it ends."""
        session, used = task.bench.session, watch.so_far
        if watch.result is None:
            if used.tokens:
                price = price_of(watch.model)
                dollars = (reserved.dollars or 0.0) if price is None else cost(price, used)
                await session.keep(SPENT, {"dollars": past.spent + dollars})
                used = replace(used, dollars=dollars)
            await session.settle(reserved, used)
            return
        total = float(watch.result.total_cost_usd or 0.0)
        await session.keep(SPENT, {"dollars": total})
        await session.settle(reserved, replace(used, dollars=max(total - past.spent, 0.0)), watch.result.session_id)


async def _sdk() -> Any:
    try:
        sdk = await asyncio.to_thread(import_module, "claude_agent_sdk")
    except ImportError as error:
        told = f"The runtime claude-code needs claude-agent-sdk ({one_line(str(error))})"
        raise UsageError(f"{told}; install it with `{install_extra(NAME)}`.") from error
    # What it logs it raises as well, and standard error may be a screen.
    log = logging.getLogger("claude_agent_sdk")
    if not log.handlers:
        log.addHandler(logging.NullHandler())
    return sdk


async def _comes(asked: asyncio.Event) -> bool:
    """Whether a resumed Claude Code comes to the call that waited."""
    try:
        async with asyncio.timeout(STIRS_WITHIN_SECONDS):
            await asked.wait()
    except TimeoutError:
        return False
    return True


async def _end(client: Any, process: cli.Cli, worktree: Path) -> None:
    async with AsyncExitStack() as ending:
        ending.push_async_callback(disarm, worktree)
        ending.push_async_callback(process.close)
        await client.disconnect()


def _explain(process: cli.Cli, resumed: bool, error: Exception) -> None:
    """Raise what the process said where the SDK can only say that it is gone."""
    if process.ended is not None and not isinstance(error, OverBudget):
        if resumed and "No conversation found" in process.ended.said:
            raise _Lost from error
        raise process.ended from error


def _prepare(file: Path, agents: str, place: Path) -> None:
    for folder in (place / "user", place / "config"):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.write_text(agents, encoding="utf-8")
    shell = cli.bare_shell(place)
    shell.write_text(cli.BARE_SHELL, encoding="utf-8")
    shell.chmod(0o700)


def _least(cap: float, left: float | None) -> float:
    """The cap, or what is left where that is less. Nothing left: the cap, so that the reservation says so."""
    return cap if left is None or left <= 0 else min(cap, left)
