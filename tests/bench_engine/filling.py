"""A journal that is long already: work items as the engine leaves them, recorded by the engine's own functions.

One work item is driven for real; what its agents were asked and what they answered is then recorded again and again
under new numbers: the same rows, events and links of the chain, many work items to a commit. Only the deciding of
what comes next is left out, and that is what makes a million steps a matter of minutes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from core.contract import AgentRequest, AgentResponse, Artifact, Json, Status
from core.orchestration import journal, outcomes, work_items
from core.orchestration.engine import Engine
from core.orchestration.position import Position, read_position
from core.orchestration.requests import PhaseContext
from core.phases import PHASE_BY_CODE, PhaseSpec
from core.store import reads
from core.store.rows import AgentRow
from core.store.store import Reader
from core.store.transaction import Transaction
from core.workspace import Workspace
from tests.bench_engine.team import Idle

TOGETHER = 64
"""Work items that are written side by side, and so in one commit."""


@dataclass(frozen=True, slots=True)
class Step:
    """One recorded delegation of the pattern."""

    agent: AgentRow
    subject: str
    request: AgentRequest
    response: AgentResponse


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase of the pattern. `incoming` is the digest of the artifact that it takes."""

    spec: PhaseSpec
    steps: tuple[Step, ...]
    content: Json
    incoming: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """A work item that went through all phases."""

    phases: tuple[Phase, ...]
    position: Position
    telemetry: Artifact


async def driven_once(workspace: Workspace) -> Pattern:
    """Drive one work item through the workload's phases; what it left, as a pattern."""
    idle = Idle()
    engine = Engine(workspace, idle.as_runtimes())
    number = await workspace.store.write(_accepted)
    await engine.start()
    try:
        await engine.until_settled()
    finally:
        await engine.stop()
    return await workspace.store.read(lambda r: _pattern(r, number, idle))


def _accepted(tx: Transaction) -> int:
    number = work_items.create(tx, title="measured")
    work_items.accept(tx, number, "bench")
    return number


def _pattern(reader: Reader, number: int, idle: Idle) -> Pattern:
    position = read_position(reader, number)
    contents = {a.type: reads.artifact_content(reader, a.id) for a in position.artifacts}
    digests = {a.type: a.digest for a in position.artifacts}
    phases = []
    for spec in PHASE_BY_CODE.values():
        steps = []
        for entry in position.journal.of_phase(spec.code):
            agent = reads.agent(reader, entry.key.agent)
            if agent is not None and entry.key.agent != spec.orchestrator:
                request, response = idle.exchanges[entry.key.agent]
                steps.append(Step(agent, entry.key.subject, request, response))
        phases.append(Phase(spec, tuple(steps), contents[spec.leaves], digests[spec.takes]))
    telemetry = next(a for a in position.artifacts if a.type == "telemetry.snapshot")
    content = contents["telemetry.snapshot"]
    return Pattern(tuple(phases), position, Artifact(telemetry.type, content, telemetry.producer, telemetry.parent))


async def fill(workspace: Workspace, pattern: Pattern, stops: Sequence[tuple[int, int]]) -> None:
    """Record a work item for each stop: so many whole phases, and so many steps of the phase after them.

    One that stops within a phase is unfinished, as a killed process leaves it.
    """
    for at in range(0, len(stops), TOGETHER):
        together = stops[at : at + TOGETHER]
        await asyncio.gather(
            *(workspace.store.write(lambda tx, stop=stop: _recorded(tx, pattern, *stop)) for stop in together)  # type: ignore[misc]
        )


def _recorded(tx: Transaction, pattern: Pattern, whole: int, begun: int) -> None:
    number = _accepted(tx)
    for at, phase in enumerate(pattern.phases[: whole + 1]):
        if at == whole and not begun:
            return
        if phase.spec.code == "E1":
            outcomes.keep_telemetry(tx, number, pattern.telemetry)
        run = outcomes.open_run(tx, number, phase.spec.code, 1, phase.incoming, [], is_first=at == 0)
        steps = phase.steps if at < whole else phase.steps[:begun]
        for step in steps:
            _record(tx, number, phase.spec.code, step)
        if at < whole:
            gate = steps[-1].response
            assert gate.status is Status.SUCCESS
            context = PhaseContext(phase.spec, run, pattern.position, {}, [], [], None)
            judged: Json = {"request": journal.request_digest(steps[-1].request), "delegation": tx.seq}
            artifact = outcomes.handed_on(phase.spec, run, phase.content)
            outcomes.pass_gate(tx, context, gate.output_artifact["verdict"], artifact, judged)


def _record(tx: Transaction, number: int, phase: str, step: Step) -> None:
    key = journal.Key(phase, 1, step.agent.role, step.subject)
    if step.agent.outward:
        journal.intend(tx, number, key)
    journal.record(tx, number, key, step.request, step.response, step.agent.runtime, milliseconds=0)
