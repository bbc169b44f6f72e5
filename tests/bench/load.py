"""Events as the engine writes them, at a given rate: real deeds through the real store, on the app's event loop.

A cycle is a round of a phase: it is entered, its agents' answers are recorded one after the other, its gate passes,
its artifact is stored, the master is answered; once in a life a question is raised and answered, a decision is made,
outward acts are announced. The shares are those of the demo's own journal, where 53 of a work item's 75 events are
recorded delegations and 12 are phases entered and passed. Each lane waits for its commit before its next step, as
the engine's work items do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from time import perf_counter

from core.contract import AgentRequest, Json, succeeded
from core.demo import sample
from core.governance.decisions import Choice, make_decision
from core.governance.escalations import raise_question, resolve
from core.orchestration import gates, outcomes
from core.orchestration.journal import Key, intend, record
from core.orchestration.live import Live
from core.orchestration.position import Position, read_position
from core.orchestration.requests import PhaseContext
from core.phases import PHASE_BY_CODE
from core.store import reads
from core.store.rows import AgentRow, LiveRow
from core.store.store import Store
from tests.bench.governing import question
from tests.unit.scripted import OUTPUTS, SIX

SPEC = PHASE_BY_CODE["D1"]
ROLES = ("intent-triage", "context-assembler", "problem-framer", "value-articulator", "risk-notary", "ac-writer")
A_LIFE = 6
"""Rounds of a work item, as it has six phases; then the lane goes on to the next one."""
LANES = 16
CASES = 10_000_000
"""From here on questions are numbered, so that they are none of those in the workspace."""
CONTENT: Json = {
    **OUTPUTS["intent-triage"],
    **OUTPUTS["ac-writer"],
    **OUTPUTS["risk-notary"],
    "title": "measured",
    "type": "feature",
    "business_context": "Support answers the same question forty times a week, which takes two hours of work.",
    "problem": "p",
    "value": "v",
    "six_w": SIX,
    "confidence": 0.9,
}

REQUEST = sample.request()


class Pace:
    """Lets through so many events a second; who comes late is let through at once, until it is made up for."""

    def __init__(self, rate: float) -> None:
        self._rate, self._began, self.events = rate, perf_counter(), 0

    async def take(self, events: int) -> None:
        due = self._began + self.events / self._rate
        self.events += events
        wait = due - perf_counter()
        await asyncio.sleep(max(0.0, wait))


class Load:
    """Stands where the app's engine stands: it drives, and tells what runs."""

    def __init__(self, store: Store) -> None:
        self._store, self._live = store, Live(0)
        self._agents: dict[str, AgentRow] = {}
        self._cases = count(CASES)

    @property
    def is_driving(self) -> bool:
        return self._live.is_driven

    async def start(self) -> bool:
        self._agents = {a.role: a for a in await self._store.read(reads.agents)}
        self._live.is_driven = True
        return True

    async def stop(self) -> None:
        self._live.is_driven = False

    def live(self) -> LiveRow:
        return self._live.row()

    def on_live(self, callback: Callable[..., None]) -> Callable[[], None]:
        return self._live.on_change(callback)

    async def run(self, work_items: Iterable[int], rate: float, seconds: float) -> Json:
        """Drive these work items one after the other, `LANES` of them at a time, together at this rate.

        The events that were written, and in which time.
        """
        pace, began, waiting = Pace(rate), perf_counter(), iter(work_items)
        lanes = [asyncio.create_task(self._lane(waiting, pace)) for _ in range(LANES)]
        try:
            done, _ = await asyncio.wait(lanes, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
            for lane in done:
                lane.result()
        finally:
            for lane in lanes:
                lane.cancel()
            await asyncio.gather(*lanes, return_exceptions=True)
        return {"events": pace.events, "seconds": perf_counter() - began}

    async def _lane(self, waiting: Iterator[int], pace: Pace) -> None:
        for number in waiting:
            with self._live.work_item(number):
                for _ in range(A_LIFE):
                    position = await self._store.read(lambda r, number=number: read_position(r, number))  # type: ignore[misc]
                    await self._round(position, pace)
                await self._question(number, pace)

    async def _round(self, position: Position, pace: Pace) -> None:
        number, round_ = position.facts.id, position.rounds(SPEC.code) + 1
        arrived = position.artifacts[0].digest
        await pace.take(1)
        run = await self._store.write(lambda tx: outcomes.open_run(tx, number, SPEC.code, round_, arrived, []))
        results: Json = {}
        for role, key, request in self._asked(number, round_, results):
            await pace.take(1)
            response = succeeded(role, OUTPUTS[role], runtime="offline")
            with self._live.delegation(number, SPEC.code, role, key.subject):
                await self._store.write(
                    lambda tx, role=role, key=key, request=request, response=response: record(  # type: ignore[misc]
                        tx, number, key, request, response, self._agents[role].runtime, milliseconds=3
                    )
                )
            results[role] = response.output_artifact
        content = {**CONTENT, "value": f"round {round_}"}
        verdict = gates.check(SPEC.code, content).to_json()
        context = PhaseContext(SPEC, run, position, {}, [], [], None)
        await pace.take(2)
        artifact = outcomes.handed_on(SPEC, run, content)
        await self._store.write(lambda tx: outcomes.pass_gate(tx, context, verdict, artifact, {}))

    def _asked(self, number: int, round_: int, results: Json) -> Iterator[tuple[str, Key, AgentRequest]]:
        """Eight delegations: the phase's six agents, two of them for a second subject."""
        for role, subject in (*((role, "") for role in ROLES), ("risk-notary", "again"), ("ac-writer", "again")):
            context = {"work_item": {"id": number, "tags": []}, "results": dict(results)}
            request = AgentRequest(SPEC.orchestrator, REQUEST, context, role)
            yield role, Key(SPEC.code, round_, role, subject), request

    async def _question(self, work_item: int, pace: Pace) -> None:
        """What else a work item's life leaves: three announced acts, a decision, a question with its answer."""
        case = next(self._cases)
        for n in range(3):
            await pace.take(1)
            key = Key("O1", case, "versioner", str(n))
            await self._store.write(lambda tx, key=key: intend(tx, work_item, key))  # type: ignore[misc]
        await pace.take(2)
        await self._store.write(lambda tx: make_decision(tx, _choice(case, work_item)))
        await pace.take(1)
        raised = await self._store.write(lambda tx: raise_question(tx, question(case)))
        await pace.take(1)
        await self._store.write(lambda tx: resolve(tx, raised, option="one", by="bench"))


def _choice(case: int, work_item: int) -> Choice:
    options = tuple({"key": key, "label": key, "consequence": "It is built."} for key in ("one", "other"))
    return Choice("technical", f"measured_{case}", f"Which of the two for {case}?", 3, options, "one", (), work_item)
