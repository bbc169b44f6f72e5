"""One round of one phase: its sub-agents in order, side by side where they may be, then its gate.

A sub-agent that is BLOCKED does not stop the phase: the gate lists everything that is missing in one question. One
that FAILs does: what it left open is escalated, and the agents beside it finish first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence, Set
from dataclasses import replace
from functools import partial
from typing import Any

from core.contract import AgentResponse, ApmError, Artifact, Json, Status, UsageError
from core.orchestration import outcomes
from core.orchestration.assembly import assemble, score
from core.orchestration.delegating import Delegator, Following
from core.orchestration.findings import findings, unsettled
from core.orchestration.gatekeeping import proof_of
from core.orchestration.journal import Entry, request_digest
from core.orchestration.lease import HeldStore
from core.orchestration.position import Position
from core.orchestration.questions import ATTESTED, Missed
from core.orchestration.requests import PhaseContext
from core.orchestration.standing import Parked, Standing
from core.phases import PhaseSpec, Step
from core.projects import git
from core.projects.own_work import own_base
from core.registry import catalog as registry
from core.registry.catalog import Catalog
from core.store.transaction import Transaction


class PhaseRunner:
    """Runs one round. `run` answers whether the work item can go on."""

    def __init__(
        self,
        store: HeldStore,
        catalog: Catalog,
        delegator: Delegator,
        context: PhaseContext,
        standing: Standing,
        enter_next: Callable[[Transaction, Position], Position],
    ) -> None:
        """`enter_next` begins the phase that a position leads to, where nothing is in the way; the position then."""
        self._store, self._catalog, self._delegator, self._enter_next = store, catalog, delegator, enter_next
        self._context, self._standing, self._bench = context, standing, delegator.bench
        self._spec: PhaseSpec = context.spec
        self._entries: dict[tuple[str, str], Entry] = {}

    async def run(self) -> bool:
        if self._spec.groups[0][0].per_task:
            await self._run_tasks()
        else:
            await self._run_groups(None)
        failures = [
            (role, subject, e.response)
            for (role, subject), e in self._entries.items()
            if e.response.status is Status.FAILURE
        ]
        if failures:
            await self._store.write(lambda tx: outcomes.agents_failed(tx, self._spec, self._context.run, failures))
            return False
        return await self._judge()

    async def _run_tasks(self) -> None:
        """Each task in dependency order; one whose decision is open waits with those that depend on it."""
        held: set[str] = set()
        tasks = {t["id"]: t for t in self._context.incoming["tasks"]}
        order = [t for t in self._context.incoming.get("order", []) if t in tasks]
        for name in [*order, *(t for t in tasks if t not in order)]:
            held |= {name} if self._is_held(tasks[name], held) else set()
            if name not in held and not await self._run_groups(tasks[name]):
                if not self._context.position.holds_back(name):
                    return
                held.add(name)
        if held:
            raise Parked(self._context.position.waits_for)

    def _is_held(self, task: Json, held: Set[str]) -> bool:
        """Whether a decision about the task is open, or about one that it depends on. What its own agent asks is no
        such: the phase is parked there, whether it has just been asked or was before the engine was started."""
        name, position, run = str(task["id"]), self._context.position, self._context.run
        asked = [q for q in position.questions if q.blocks == name and "agent" in q.details]
        if any((q.phase, q.round) == (run.phase, run.round) for q in asked):
            return False
        return position.holds_back(name) or not held.isdisjoint(task.get("depends_on", ()))

    async def _run_groups(self, task: Json | None) -> bool:
        """The phase's groups one after another; False when the rest was not begun: an agent failed, or the task that
        this is about has to wait for a decision that came up."""
        subject = str(task["id"]) if task else ""
        for group in self._spec.groups:
            ready = [step for step in group if self._may_run(step, subject)]
            entries = await self._side_by_side(ready, subject, task)
            if any(e.response.status is Status.FAILURE for e in entries):
                return False
            if any(e.response.metadata.get("decisions") for e in entries) and await self._waits(subject):
                return False
        return True

    async def _side_by_side(self, ready: Sequence[Step], subject: str, task: Json | None) -> list[Entry]:
        """What the agents of a group answer. One that fails leaves the others be; it is raised once they have ended."""
        if len(ready) == 1:
            return [await self._step(ready[0], subject, task)]
        found = await asyncio.gather(*(self._step(step, subject, task) for step in ready), return_exceptions=True)
        _raise_first(found)
        return [e for e in found if isinstance(e, Entry)]

    async def _waits(self, subject: str) -> bool:
        """Whether a decision that has just come up holds back the task. Raises Parked when it holds the phase."""
        position = await self._standing.position()
        self._context = replace(self._context, position=position)
        self._delegator = replace(self._delegator, position=position, context=self._context)
        if position.holds_back(self._spec.code):
            raise Parked(position.waits_for)
        return bool(subject) and position.holds_back(subject)

    def _may_run(self, step: Step, subject: str) -> bool:
        done = (self._entries.get((role, subject)) for role in step.requires)
        return all(e is not None and e.response.status is Status.SUCCESS for e in done)

    async def _step(self, step: Step, subject: str, task: Json | None) -> Entry:
        commit = await self._commit() if step.sees_commit or ATTESTED.intersection(step.asks) else None
        request = self._context.request(step, self._results(subject), task=task, commit=commit)
        entry = await self._delegator.delegate(step.agent, subject, request)
        self._entries[(step.agent, subject)] = entry
        return entry

    def _results(self, subject: str) -> dict[str, Json]:
        return {role: e.response.output_artifact for (role, s), e in self._entries.items() if s == subject}

    async def _commit(self) -> str | None:
        return None if self._bench.worktree is None else await git.head(self._bench.worktree)

    async def _judge(self) -> bool:
        """Let the gate check judge what the phase has; hand on the artifact, or say what is missing."""
        spec, context = self._spec, self._context
        payload = assemble(spec.code, context.incoming, self._results(""))
        judged = dict(payload)
        if spec.code in ("P1", "R1"):
            source = context.incoming if spec.code == "P1" else {}
            judged["acceptance_criteria"] = source.get("acceptance_criteria", context.criteria)
            judged["risks"] = source.get("risks", context.risks)
        commit = await self._commit() if spec.code in ("I1", "R1", "O1") else None
        request = context.gate_request(judged, await self._gate(), self._proofs(), self._task_results(), commit)
        if not self._is_about(commit):
            return await self._judge_anew()
        passing = self._passing(payload, commit)
        entry, passed = await self._delegator.delegate_and(spec.gate_agent, "", request, passing)
        if passed is not None:
            self._standing.passed(passed)
            return True
        if entry.request_digest != request_digest(request):
            return await self._judge_anew()
        if entry.response.status is not Status.SUCCESS:
            failures = [(spec.gate_agent, "", entry.response)]
            await self._store.write(lambda tx: outcomes.agents_failed(tx, spec, context.run, failures))
            return False
        verdict, stopped = entry.response.output_artifact["verdict"], self._blocked()
        # Which way the gate went, what happened is written down; that this failed stops only what would go on.
        after = [(s.agent, "", (await self._step(s, "", None)).response) for s in spec.after_gate]
        if not verdict["passed"]:
            content = self._content(payload, entry.response)
            return await self._send_back_or_ask(verdict, judged | content, entry, commit, stopped)
        broken = [failure for failure in after if failure[2].status is Status.FAILURE]
        if broken:
            await self._store.write(lambda tx: outcomes.agents_failed(tx, spec, context.run, broken))
            return False
        artifact = self._artifact(payload, entry.response)
        self._standing.passed(await self._store.write(lambda tx: self._pass(verdict, artifact, commit, tx, entry)))
        return True

    def _passing(self, payload: Json, commit: str | None) -> Following[outcomes.Passed]:
        """What follows from a passed gate and needs no agent any more is written together with its verdict."""

        def follows(response: AgentResponse) -> Callable[[Transaction, Entry], outcomes.Passed] | None:
            if self._spec.after_gate or response.status is not Status.SUCCESS:
                return None
            verdict = response.output_artifact["verdict"]
            if not verdict["passed"]:
                return None
            try:
                artifact = self._artifact(payload, response)
            except UsageError:
                # Once the answer is on record this is raised again, and then ends the round.
                return None
            return partial(self._pass, verdict, artifact, commit)

        return follows

    def _artifact(self, payload: Json, response: AgentResponse) -> Artifact:
        content = self._content(payload, response)
        if self._spec.code == "R1":
            content = {**content, "score": score(content)}
        return outcomes.handed_on(self._spec, self._context.run, content)

    def _content(self, payload: Json, response: AgentResponse) -> Json:
        return payload if self._spec.code != "I1" else dict(response.output_artifact["payload"])

    def _pass(
        self, verdict: Json, artifact: Artifact, commit: str | None, tx: Transaction, entry: Entry
    ) -> outcomes.Passed:
        passed = outcomes.pass_gate(tx, self._context, verdict, artifact, judged_digest(entry, commit))
        if not self._standing.is_current:
            return passed
        return replace(passed, position=self._enter_next(tx, passed.position))

    def _is_about(self, commit: str | None) -> bool:
        """Whether what the agents measured on the branch is this commit: people commit while tests run."""
        if commit is None:
            return True
        results = self._results("")
        measured = [(s, self._entries[(s.agent, "")]) for s in self._spec.steps if s.sees_commit and not s.per_task]
        return all(
            e.request_digest == request_digest(self._context.request(s, results, commit=commit)) for s, e in measured
        )

    async def _judge_anew(self) -> bool:
        """What was recorded in this round is not about what stands there now: another round, on what does."""
        run, round_ = self._context.run, self._context.position.rounds(self._spec.code) + 1
        await self._store.write(lambda tx: outcomes.judge_anew(tx, run, round_))
        return True

    async def _send_back_or_ask(
        self, verdict: Json, judged: Json, entry: Entry, commit: str | None, stopped: dict[str, AgentResponse]
    ) -> bool:
        missed = Missed(
            verdict=verdict,
            judged=judged_digest(entry, commit),
            findings=tuple(findings(self._spec.code, self._results(""), judged)),
            blocked=stopped,
            unsettled=unsettled(judged),
            place=self._place_to_mend(),
        )
        limit = self._catalog.defaults.limits.revision_rounds
        return await self._store.write(lambda tx: outcomes.miss_gate(tx, self._spec, self._context, missed, limit))

    def _place_to_mend(self) -> Json:
        """The branch and its worktree, for whoever is asked to change something there."""
        project = self._context.project
        if project is None or self._bench.worktree is None or self._spec.code in ("D1", "P1", "E1"):
            return {}
        return {"branch": project["branch"], "worktree": str(self._bench.worktree)}

    def _blocked(self) -> dict[str, AgentResponse]:
        return {
            f"{role} {subject}".strip(): e.response
            for (role, subject), e in self._entries.items()
            if e.response.status is Status.BLOCKED
        }

    async def _gate(self) -> Json:
        facts, project = self._context.position.facts, self._context.position.project
        own = project.thresholds if project else None
        changed = await self._changed_files()
        rules = registry.not_applicable(self._catalog, self._spec.code, facts.type, changed)
        return {
            "thresholds": registry.thresholds(self._catalog, self._spec.code, facts.type, own),
            "loosened": registry.loosened(self._catalog, self._spec.code, facts.type, own),
            "not_applicable": {name: f"{rule.id}: {rule.why}" for name, rule in rules.items()},
        }

    async def _changed_files(self) -> list[str] | None:
        project = self._context.project
        if project is None or self._bench.worktree is None or self._spec.code in ("D1", "P1"):
            return None
        found = await git.changed_files(self._bench.worktree, await own_base(self._bench.worktree, project))
        return [path for _, path in found]

    def _proofs(self) -> Json:
        proofs: dict[str, list[Json]] = {}
        for (role, _), entry in self._entries.items():
            proofs.setdefault(role, []).extend(proof_of(role, entry.number, entry.response))
        return proofs

    def _task_results(self) -> Json:
        """Per task what its agents answered, for the gate of I1."""
        rows: dict[str, Json] = {}
        for (role, subject), entry in self._entries.items():
            if subject:
                rows.setdefault(subject, {"id": subject})[role] = entry.response.output_artifact
        return {"tasks": list(rows.values())}


def judged_digest(entry: Entry, commit: str | None) -> Json:
    """What a verdict is bound to: the gate's request, and the branch's commit where it saw one."""
    return {"request": entry.request_digest, "delegation": entry.number, **({"commit": commit} if commit else {})}


def _raise_first(found: Sequence[Any]) -> None:
    """Faults before parking: a question may wait, a fault of the program may not. Who is parked waits for all."""
    raised = [f for f in found if isinstance(f, BaseException)]
    for kind in (ApmError, Exception, BaseException):
        first = next((f for f in raised if isinstance(f, kind) and not isinstance(f, Parked)), None)
        if first is not None:
            raise first
    parked = [f for f in raised if isinstance(f, Parked)]
    if parked:
        rests = [p.rest_seconds for p in parked if p.rest_seconds]
        raise Parked(frozenset().union(*(p.waits_for for p in parked)), min(rests, default=0.0)) from parked[0]
