"""Who decides on Claude Code's tool calls: rules first, then authority, then a person.

Claude Code asks before each call by a hook of its settings, and hears the decision over a socket that only this user
can open. Settings' hooks, not the SDK's own: when a session is resumed, the call that waited is run again before the
SDK has said that it has hooks, and would be refused (2.1.330). Of the calls of one message the first that needs a
person is deferred, which ends the process with the session on disk; the others that need one are denied, since a
second deferral would make Claude Code forget the first.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote

from core.agents.session import Session
from core.contract import Json
from core.projects.governing import TEAM
from core.runtimes.claude_code import hook
from core.runtimes.claude_code.past import ANSWERED, GRANTED, Past, about_of, act_of
from core.runtimes.claude_code.permissions import judge
from core.runtimes.claude_code.verdicts import Act, Allowed, Place, Refused
from core.sanitise import one_line, sanitise

ONCE, FOR_DELEGATION, REFUSE, STOP = "once", "delegation", "refuse", "stop"
HOOK_SECONDS = 60
READABLE_CHARACTERS = 4_000
ONE_AT_A_TIME = "Another call of yours waits for a person. Ask for one thing at a time: make this call again later."
INTERRUPTED = "This was allowed and begun, and then the session broke off. See what it did before you try it again."


@dataclass
class Gate:
    """Decisions of one run. `answer` is the person's, as the engine hands it over."""

    session: Session
    worktree: Path
    commands: tuple[tuple[str, ...], ...]
    past: Past
    answer: Json = field(default_factory=dict)
    readable: tuple[Path, ...] = ()
    governing: tuple[str, ...] = TEAM
    waiting: Json | None = None
    """The call that is to wait for a person; set by this run."""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    _one_by_one: asyncio.Lock = field(default_factory=asyncio.Lock)
    _used: set[str] = field(default_factory=set)
    _granted: set[str] = field(default_factory=set)

    async def decide(self, call: Json) -> tuple[str, str]:
        """("allow" | "deny" | "defer", why) for a call as Claude Code's hook describes it."""
        self.asked.set()
        tool, given = str(call.get("tool_name", "")), dict(call.get("tool_input") or {})
        cwd = Path(str(call.get("cwd") or self.worktree))
        place = Place(self.worktree, cwd, self.commands, self.readable, self.governing)
        # In a thread: a search is held against the names of all files that it reaches.
        verdict = await asyncio.to_thread(judge, tool, given, place)
        match verdict:
            case Allowed():
                return "allow", "part of the work"
            case Refused(reason):
                self.session.show(f"refused: {one_line(reason)}")
                return "deny", reason
            case Act() if hidden := _not_to_be_judged(given):
                return "deny", hidden
            case Act():
                async with self._one_by_one:
                    return await self._decide_act(verdict, tool, given, str(call.get("tool_use_id", "")), place.cwd)

    async def _decide_act(self, act: Act, tool: str, given: Json, number: str, cwd: Path) -> tuple[str, str]:
        about, doing = about_of(number, tool, given), act_of(tool, given)
        if about in self.past.answered or about in self._used:
            return "deny", INTERRUPTED
        if self.answer and self.answer.get("about") == about:
            return await self._obey(about, doing)
        if doing in self.past.granted or doing in self._granted:
            return "allow", "a person allowed this for the whole delegation"
        permission = await self.session.permit(act.kind, act.impact, act.what)
        if permission.allowed:
            return "allow", permission.rule
        if self.waiting is not None:
            return "deny", ONE_AT_A_TIME
        self.waiting = {"about": about, "tool_use_id": number, "tool": tool, "input": given, "cwd": str(cwd)}
        self.waiting |= {"kind": act.kind, "impact": act.impact, "what": act.what, "rule": permission.rule}
        return "defer", permission.rule

    async def _obey(self, about: str, doing: str) -> tuple[str, str]:
        """The answer is used up on record before it is obeyed: what it allows is never done twice."""
        option, by = str(self.answer.get("option", "")), one_line(str(self.answer.get("by") or "a person"))
        self._used.add(about)
        await self.session.keep(ANSWERED, {"about": about, "option": option, "by": by})
        if option == FOR_DELEGATION:
            self._granted.add(doing)
            await self.session.keep(GRANTED, {"act": doing, "by": by})
        if option in (ONCE, FOR_DELEGATION):
            return "allow", f"{by} allowed it"
        said = sanitise(str(self.answer.get("reason") or ""), limit=2_000).strip()
        return "deny", f"{by} refused this{f': {said}' if said else '.'}"


def _not_to_be_judged(given: Json) -> str:
    """Why a person could not see what they would allow; empty when they can."""
    texts = [value for value in given.values() if isinstance(value, str)]
    if sum(map(len, texts)) > READABLE_CHARACTERS:
        return "This is too long for a person to judge; put it into a file of the worktree and run that."
    if any(sanitise(text, limit=len(text)) != text for text in texts):
        return "This holds characters that nobody can see; write it without them."
    return ""


@contextlib.asynccontextmanager
async def served(gate: Gate) -> AsyncIterator[Json]:
    """Answer Claude Code's questions while inside; the settings that make it ask."""
    # A socket's path has room for about a hundred characters, which a workspace's folder may exceed.
    folder = Path(tempfile.mkdtemp(prefix="apm-"))
    path = folder / "gate"
    failures: list[BaseException] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            # Claude Code is killed once it has spent its dollars, and may be about to ask: a question that is cut
            # short, and an answer that nobody is left to hear, are no faults. Without an answer nothing is done.
            with contextlib.suppress(ConnectionError, json.JSONDecodeError, UnicodeDecodeError):
                call = json.loads(await reader.read())
                writer.write(await decided(call))
                await writer.drain()
        finally:
            writer.close()

    async def decided(call: Json) -> bytes:
        try:
            decision, why = await gate.decide(call)
        except Exception as error:
            # Claude Code hears nothing, so it does nothing; the run raises the error when it ends.
            failures.append(error)
            return b""
        said = {"permissionDecision": decision, "permissionDecisionReason": why}
        return json.dumps({"hookSpecificOutput": {"hookEventName": "PreToolUse", **said}}).encode()

    server = await asyncio.start_unix_server(answer, path, limit=2**26)
    try:
        yield _settings(path)
    finally:
        server.close()
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    if failures:
        raise failures[0]


def _settings(socket: Path) -> Json:
    program = " ".join(quote(word) for word in (sys.executable, "-I", "-S", str(hook.__file__), str(socket)))
    asks = {"type": "command", "command": program, "timeout": HOOK_SECONDS}
    return {
        "hooks": {"PreToolUse": [{"matcher": "", "hooks": [asks]}]},
        "attribution": {"commit": "", "pr": ""},
        "includeCoAuthoredBy": False,
        "cleanupPeriodDays": 3_650,
    }
