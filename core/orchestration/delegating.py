"""One delegation: looked up, executed, recorded. This is where "never twice" is kept."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from core.agents.bench import Bench
from core.agents.committed import most_seconds
from core.agents.session import OverBudget
from core.contract import AgentRequest, AgentResponse, ApmError, UsageError, Written, failed
from core.governance.budget_questions import SHARED, budget_question
from core.governance.budgets import Spender
from core.governance.conflicts import ConflictRules
from core.governance.decisions import DOMAIN_AGENTS, Choice
from core.governance.disputes import decide
from core.governance.escalations import raise_question
from core.orchestration import journal
from core.orchestration.consulting import Consultation, choices_of, consultation, word_of
from core.orchestration.executions import Execution, Executions
from core.orchestration.journal import Entry, Key
from core.orchestration.lease import HEARTBEAT_SECONDS, HeldStore
from core.orchestration.live import Live, Shown
from core.orchestration.master import MASTER
from core.orchestration.outward import telling
from core.orchestration.position import Position
from core.orchestration.providers import Providers
from core.orchestration.questions import delegation_question
from core.orchestration.requests import PhaseContext
from core.orchestration.runtimes import runtime_names
from core.orchestration.sessions import JournalSession
from core.orchestration.standing import Parked, Roster, Standing
from core.phases import PhaseSpec
from core.registry.catalog import Catalog
from core.runtimes.base import Runtime, Unavailable, WaitsForHuman
from core.sanitise import one_line, sanitise
from core.store.reads import Connection
from core.store.rows import AgentRow, PhaseRunRow
from core.store.transaction import Transaction

T = TypeVar("T")
Following = Callable[[AgentResponse], Callable[[Transaction, Entry], T] | None]
"""What is to be written together with an answer, if anything."""


def _nothing(_: AgentResponse) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Delegator:
    """Delegates within one round of one phase."""

    store: HeldStore
    catalog: Catalog
    runtimes: Mapping[str, Runtime]
    live: Live
    roster: Roster
    standing: Standing
    position: Position
    context: PhaseContext
    bench: Bench
    home: Path
    """The workspace's folder, whose documents the domain agents may see."""
    executions: Executions
    providers: Providers
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
        return (await self.delegate_and(role, subject, request, _nothing))[0]

    async def delegate_and(
        self, role: str, subject: str, request: AgentRequest, following: Following[T]
    ) -> tuple[Entry, T | None]:
        """The same; and in the commit that records the answer whatever `following` makes of it, on the event loop.

        None where nothing follows, and where the answer stood in the journal.
        """
        key = Key(self.run.phase, self.run.round, role, subject)
        found = self.position.journal.get(key)
        if found is None:
            after = self.context.unproven.get(role, 0)
            found = self.position.journal.same_question(key, journal.request_digest(request), after=after)
        if found is not None:
            await self._settle(key, request, found)
            return found, None
        if self.position.asked(key.phase, key.round, role, subject):
            raise Parked(self.position.waits_for)
        clock = asyncio.get_running_loop().time
        agent = await self._begun(key, clock)
        began = clock()
        with self.live.delegation(self.run.work_item, self.run.phase, role, subject) as shown:
            response, text = await self._execute(key, request, agent, shown)
        spent, follow = int(1000 * (clock() - began)), following(response)

        def record(tx: Transaction) -> tuple[Entry, T | None]:
            number = self.run.work_item
            entry = journal.record(tx, number, key, request, response, agent.runtime, milliseconds=spent, text=text)
            return entry, None if follow is None else follow(tx, entry)

        entry, followed = await self.store.write(record)
        self.position.journal.add(entry)
        await self._settle(key, request, entry)
        return entry, followed

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

    async def _begun(self, key: Key, clock: Callable[[], float]) -> AgentRow:
        """The agent, with its intent on record where it acts outward; raises Parked when the work item has been paused
        or cancelled meanwhile. Nothing is waited for between this and the agent's execution: whoever stood still here
        for long has lost the lease, and may not do what another has recorded."""
        while True:
            asked = clock()
            await self.store.check_held()
            await self.standing.check_goes_on()
            agent = await self.roster.agent(key.agent)
            if agent.outward and key not in self.position.journal.intended:
                await self.store.write(lambda tx: journal.intend(tx, self.run.work_item, key))
                self.position.journal.intended.add(key)
            if clock() - asked < HEARTBEAT_SECONDS:
                return agent

    async def _execute(
        self, key: Key, request: AgentRequest, agent: AgentRow, shown: Shown
    ) -> tuple[AgentResponse, Written]:
        """What the agent answers, as it is to be recorded."""
        runtime = self._runtime(agent)
        rounds = range(self.context.first_round or key.round, key.round + 1)
        answer = self.position.human_answer(key.phase, rounds, key.agent, key.subject)
        told = replace(request, context={**request.context, "human": answer}) if answer else request
        given = float(agent.parameters.get("seconds") or self.catalog.defaults.limits.delegation_seconds)
        limit = most_seconds(key.agent, self.context.project, given)
        session = self._session(key, request, shown)
        with self.executions.one(self.run.work_item) as execution:
            try:
                response = await self._attempt(key, runtime, told, agent, session, limit, execution)
            except asyncio.CancelledError:
                if not execution.is_ended:
                    raise
                # Its work item was cancelled, or another agent of the same budget has asked: then it goes on once a
                # person has answered that.
                raise Parked(self.position.waits_for) from None
        try:
            return _recordable(response, runtime, session)
        except UsageError as error:
            return _recordable(failed(agent.role, sanitise(str(error), limit=4_000)), runtime, session)

    async def _attempt(
        self,
        key: Key,
        runtime: Runtime,
        request: AgentRequest,
        agent: AgentRow,
        session: JournalSession,
        limit: float,
        execution: Execution,
    ) -> AgentResponse:
        """The runtime's answer, its faults as failures; raises Parked when it has to be executed again later."""
        try:
            async with asyncio.timeout(limit) as clock:
                return await runtime.execute(request, agent, self.bench.with_session(session))
        except WaitsForHuman as wait:
            raise await self._ask_person(key, wait) from wait
        except OverBudget as over:
            raise await self._ask_for_budget(key, over, session, execution) from over
        except Unavailable as down:
            await self.providers.failed(down)
            raise Parked(self.position.waits_for, down.retry_seconds) from down
        except TimeoutError as error:
            if not clock.expired():
                return _broken(agent, error)
            what = f"it took longer than its limit of {limit:g} s and was stopped"
            return failed(agent.role, f"{what}; `limits.seconds` of {agent.role} in agents.yaml can be raised")
        except ApmError as error:
            return failed(agent.role, sanitise(str(error), limit=4_000))
        except Exception as error:
            return _broken(agent, error)

    def _session(self, key: Key, request: AgentRequest, shown: Shown) -> JournalSession:
        spender = Spender(self.run.work_item, key.phase, key.round, key.agent, key.subject)
        tags = tuple(request.context.get("work_item", {}).get("tags", ()))
        chain = (MASTER, self.spec.orchestrator, key.agent)
        digest = journal.request_digest(request)
        return JournalSession(
            self.store, spender, digest, self.catalog, tags, chain, shown, self.providers, self.executions
        )

    async def _ask_person(self, key: Key, wait: WaitsForHuman) -> Parked:
        asked = delegation_question(self.spec, self.run.work_item, self.run.round, key.agent, key.subject, wait.ask)
        number = await self.store.write(lambda tx: raise_question(tx, telling(tx, asked)))
        return Parked(self.position.waits_for | {number})

    async def _ask_for_budget(
        self, key: Key, over: OverBudget, session: JournalSession, execution: Execution
    ) -> Parked:
        """Pause the work item and ask; what else draws on the budget is let finish its calls or ended, as is set."""
        budget = await session.exhausted(over)
        chain = (MASTER, self.spec.orchestrator, key.agent)
        question = budget_question(str(over), budget, chain, self.store.store.clock())
        number = await self.store.write(lambda tx: raise_question(tx, telling(tx, question)))
        if self.catalog.defaults.budgets.when_reached == "cancel":
            shared = budget["scope"] in SHARED
            self.executions.end(execution, None if shared else self.run.work_item)
        return Parked(self.position.waits_for | {number})

    def _runtime(self, agent: AgentRow) -> Runtime:
        """The agent's runtime, or its fallback where that one is not available here, or a person has said so."""
        instead = self.position.without_model(self.spec.code, agent.role)
        for name in (instead,) if instead else runtime_names(agent):
            if name in self.runtimes:
                return self.runtimes[name]
        raise ApmError(f"{agent.role} needs the runtime {agent.runtime}, which is not available here.")


def _broken(agent: AgentRow, error: Exception) -> AgentResponse:
    """An agent's own fault must not take the engine down: it is recorded with its trace and escalated."""
    trace = sanitise("".join(traceback.format_exception(error)), limit=8_000)
    return failed(agent.role, one_line(f"{type(error).__name__}: {error}", 500), trace=trace)


def _recordable(response: AgentResponse, runtime: Runtime, session: JournalSession) -> tuple[AgentResponse, Written]:
    """The response with what executed it, without secrets. Raises UsageError where the journal cannot hold it."""
    journal.check_recordable(response)
    named = response.with_metadata(runtime=runtime.name)
    text, clean = journal.written(named), session.cleaned(named)
    return clean, text if clean is named else journal.written(clean)
