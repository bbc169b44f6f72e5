"""One delegation: looked up, executed, recorded. This is where "never twice" is kept."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.agents.bench import Bench
from core.contract import AgentRequest, AgentResponse, ApmError, failed
from core.governance.conflicts import ConflictRules
from core.governance.decisions import DOMAIN_AGENTS, Choice
from core.governance.disputes import decide
from core.governance.escalations import raise_question
from core.orchestration import journal
from core.orchestration.consulting import Consultation, choices_of, consultation, word_of
from core.orchestration.journal import Entry, Key
from core.orchestration.lease import HeldStore
from core.orchestration.live import Live
from core.orchestration.position import Position
from core.orchestration.questions import delegation_question
from core.orchestration.requests import PhaseContext
from core.phases import PhaseSpec
from core.registry.catalog import Catalog
from core.runtimes.base import Runtime, WaitsForHuman
from core.sanitise import one_line, sanitise
from core.store import reads
from core.store.reads import Connection
from core.store.rows import AgentRow, PhaseRunRow


class Parked(Exception):
    """The work item has to wait: for an answer, or because somebody paused it.

    `waits_for` are the questions that were open then: before one of them is answered there is no use in going on.
    """

    def __init__(self, waits_for: frozenset[int] = frozenset()) -> None:
        super().__init__()
        self.waits_for = waits_for


@dataclass(frozen=True, slots=True)
class Delegator:
    """Delegates within one round of one phase."""

    store: HeldStore
    catalog: Catalog
    runtimes: Mapping[str, Runtime]
    live: Live
    position: Position
    context: PhaseContext
    bench: Bench
    home: Path
    """The workspace's folder, whose documents the domain agents may see."""
    settling: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Agents side by side may raise the same decision: its owner is asked once."""

    @property
    def spec(self) -> PhaseSpec:
        return self.context.spec

    @property
    def run(self) -> PhaseRunRow:
        return self.context.run

    async def delegate(self, role: str, subject: str, request: AgentRequest) -> Entry:
        """The recorded response to this request: from the journal where it stands there, else by executing it.

        Raises Parked when a human has to answer first.
        """
        key = Key(self.run.phase, self.run.round, role, subject)
        found = self.position.journal.get(key)
        if found is None:
            after = self.context.unproven.get(role, 0)
            found = self.position.journal.same_question(key, journal.request_digest(request), after=after)
        if found is not None:
            await self._settle(key, request, found)
            return found
        if self.position.asked(key.phase, key.round, role, subject):
            raise Parked(self.position.waits_for)
        agent = await self._agent(role)
        if agent.outward:
            await self.store.write(lambda tx: journal.intend(tx, self.run.work_item, key))
        began = time.monotonic()
        with self.live.delegation(self.run.work_item, self.run.phase, role, subject):
            response = await self._execute(key, request, agent)
        spent = int(1000 * (time.monotonic() - began))
        entry = await self.store.write(
            lambda tx: journal.record(tx, self.run.work_item, key, request, response, agent, milliseconds=spent)
        )
        self.position.journal.add(entry)
        await self._settle(key, request, entry)
        return entry

    async def _settle(self, key: Key, request: AgentRequest, entry: Entry) -> None:
        """Have every decision that the answer raised decided by its owner or put to a person, each once."""
        if key.agent in DOMAIN_AGENTS:
            return
        choices = choices_of(self.run.work_item, key, request, entry.response)
        if not choices:
            return
        rules = ConflictRules.of(self.catalog)
        for choice in choices:
            async with self.settling:
                await self._decide(choice, request, rules)

    async def _decide(self, choice: Choice, request: AgentRequest, rules: ConflictRules) -> None:
        asked = await self.store.read(lambda r: self._consultation(r, choice, request, rules))
        if asked is None:
            await self.store.write(lambda tx: decide(tx, choice, rules))
            return
        answer = await self.delegate(asked.owner, asked.subject, asked.request)
        settled = replace(choice, word=word_of(choice, answer))
        await self.store.write(lambda tx: decide(tx, settled, rules))

    def _consultation(
        self, reader: Connection, choice: Choice, request: AgentRequest, rules: ConflictRules
    ) -> Consultation | None:
        project = self.context.project
        own = {} if project is None else {str(project["name"]): self.bench.worktree or Path(str(project["path"]))}
        item = request.context.get("work_item", {})
        return consultation(reader, choice, rules.first, {"": self.home, **own}, item)

    async def _agent(self, role: str) -> AgentRow:
        """The agent's row as it is now; raises Parked when the work item has been paused or cancelled meanwhile."""
        number = self.run.work_item
        facts, agent = await self.store.read(lambda r: (reads.work_item_facts(r, number), reads.agent(r, role)))
        if facts is None or facts.paused_at is not None or facts.cancelled_at is not None:
            raise Parked
        if agent is None:
            raise ApmError(f"No agent has the role {role}; `apm agents import` brings it back from agents.yaml.")
        return agent

    async def _execute(self, key: Key, request: AgentRequest, agent: AgentRow) -> AgentResponse:
        runtime = self._runtime(agent)
        answer = self.position.human_answer(key.phase, key.round, key.agent, key.subject)
        told = replace(request, context={**request.context, "human": answer}) if answer else request
        limit = float(agent.parameters.get("seconds") or self.catalog.defaults.limits.delegation_seconds)
        try:
            async with asyncio.timeout(limit):
                response = await runtime.execute(told, agent, self.bench)
            journal.check_recordable(response)
        except WaitsForHuman as wait:
            question = delegation_question(
                self.spec, self.run.work_item, self.run.round, key.agent, key.subject, wait.ask
            )
            number = await self.store.write(lambda tx: raise_question(tx, question))
            raise Parked(self.position.waits_for | {number}) from wait
        except TimeoutError:
            response = failed(agent.role, f"it took longer than its limit of {limit:g} s and was stopped")
        except ApmError as error:
            response = failed(agent.role, sanitise(str(error), limit=4_000))
        except Exception as error:
            # An agent's own fault must not take the engine down: it is recorded with its trace and escalated.
            trace = sanitise("".join(traceback.format_exception(error)), limit=8_000)
            response = failed(agent.role, one_line(f"{type(error).__name__}: {error}", 500), trace=trace)
        return replace(response, metadata={"runtime": runtime.name, **response.metadata})

    def _runtime(self, agent: AgentRow) -> Runtime:
        """The agent's runtime, or its fallback where that one is not available here."""
        for name in (agent.runtime, str(agent.parameters.get("fallback"))):
            if name in self.runtimes:
                return self.runtimes[name]
        raise ApmError(f"{agent.role} needs the runtime {agent.runtime}, which is not available here.")
