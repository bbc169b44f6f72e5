"""The world that releases go out to, and the agents that act on it as the product's own do: looking before each act.

What is done here stays done, whatever becomes of the process that did it, and is counted. A commit, a tag and a file
are looked for and made in one step, as git and the file system make them; a deployment is a command, which runs beside
the process that began it, ends with it when that is killed, and about which nobody can ask whether it has happened.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from core.agents.bench import Bench
from core.contract import AgentRequest, AgentResponse, Json, blocked, succeeded
from core.orchestration.drive import Drive
from core.store.rows import AgentRow
from tests.bench_engine.team import ANSWERS
from tests.simulation.agents import Agents, Key, Ledger

ACTS: dict[str, tuple[str, ...]] = {
    "versioner": ("version commit",),
    "changelog-curator": ("changelog commit",),
    "deploy-orchestrator": ("merge", "tag"),
    "health-verifier": ("monitor",),
    "incident-scribe": ("record",),
}
"""What an agent does to the world; the deployment, which is more than a look and an act, is apart."""
DEPLOYER = "deploy-orchestrator"
OUTWARD = ("versioner", "changelog-curator", DEPLOYER)
"""Whose intent is on record before they act."""
PROPOSAL = "Split a.py"
COMMAND_SECONDS = 0.5
"""How long a deployment takes at most."""


class Ungitted(Drive):
    """A drive of a work item without a project: there is no branch to ask whether it may be released."""

    async def _ready_to_release(self, *_: object) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Command:
    """A deployment under way, and when it takes effect."""

    key: Key
    process: int
    due: float


@dataclass
class Marks:
    """What a release's folder says of its deployments: the last that was begun, the last that has ended well."""

    begun: int = 0
    ended: int = 0


@dataclass
class Outside:
    """Counts acts by work item. `is_intended` looks into the journal as it stands on the disk."""

    is_intended: Callable[[Key], bool]
    acts: Counter[tuple[int, str]] = field(default_factory=Counter)
    marks: defaultdict[int, Marks] = field(default_factory=lambda: defaultdict(Marks))
    commands: list[Command] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def do(self, key: Key, act: str) -> None:
        work_item, _, _, agent, _ = key
        if agent in OUTWARD and not self.is_intended(key):
            self.violations.append(f"{agent} acts on the world for {key} without an intent")
        self.acts[work_item, act] += 1
        if self.acts[work_item, act] > 1:
            self.violations.append(f"work item {work_item} has {self.acts[work_item, act]} times a {act}")

    def do_once(self, key: Key, act: str) -> None:
        if not self.acts[key[0], act]:
            self.do(key, act)

    def pass_time(self, now: float) -> None:
        """Let the commands take effect whose moment has come."""
        due = [command for command in self.commands if command.due <= now]
        self.commands = [command for command in self.commands if command.due > now]
        for command in due:
            self.do(command.key, "deployment")

    def end_commands(self, process: int, work_item: int | None = None) -> None:
        """End those of a process, or only those about one work item."""
        self.commands = [c for c in self.commands if c.process != process or work_item not in (None, c.key[0])]

    def seen(self, work_item: int | None) -> str | None:
        """What a person who looks can say of a deployment whose end nobody has written down; None: of no use now."""
        marks = self.marks.get(work_item or 0, Marks())
        if marks.begun == marks.ended or any(command.key[0] == work_item for command in self.commands):
            return None
        return "done" if self.acts[work_item or 0, "deployment"] else f"again {marks.begun}"


class ReleasingAgents(Agents):
    """The simulated agents with those that act outward among them."""

    def __init__(
        self, ledger: Ledger, chance: Random, is_calm: Callable[[], bool], outside: Outside, process: int
    ) -> None:
        super().__init__(ledger, chance, is_calm, process)
        self._outside = outside

    async def _answer(self, key: Key, request: AgentRequest, agent: AgentRow, bench: Bench) -> AgentResponse:
        role = agent.role
        if role == "refactor-proposer":
            proposed: Json = {"title": PROPOSAL, "type": "chore", "body": "It has grown."}
            return succeeded(role, {**ANSWERS[role], "backlog": {"added": [proposed], "updated": []}})
        for act in ACTS.get(role, ()):
            await self._pause()
            self._outside.do_once(key, act)
        if role == DEPLOYER and not await self._is_deployed(key, request):
            return blocked(role, {}, ["deployment"], "Look whether it is deployed, then say so.")
        await self._pause()
        return succeeded(role, ANSWERS[role]) if role in ANSWERS else await super()._answer(key, request, agent, bench)

    async def _pause(self) -> None:
        """Long enough for the process to be killed in it."""
        await asyncio.sleep(0 if self._is_calm() else self._chance.random() * COMMAND_SECONDS)

    async def _is_deployed(self, key: Key, request: AgentRequest) -> bool:
        """Run the command, unless it ran or may have; False where a person has to look first."""
        outside, clock = self._outside, asyncio.get_running_loop().time
        marks = outside.marks[key[0]]
        answer = request.context.get("answers", {}).get("deployment")
        if marks.begun > marks.ended and answer == "done":
            marks.ended = marks.begun
        if marks.begun and marks.begun == marks.ended:
            return True
        if marks.begun and answer != f"again {marks.begun}":
            return False
        marks.begun = attempt = marks.begun + 1
        seconds = self._chance.random() * COMMAND_SECONDS
        outside.commands.append(Command(key, self._process, clock() + seconds * self._chance.random()))
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            outside.end_commands(self._process, key[0])
            raise
        outside.pass_time(clock())
        marks.ended = max(marks.ended, attempt)
        return True
