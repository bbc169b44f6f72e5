"""The engine where a model cannot do its work: an outage is told once, and a person can let it go on without."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import pytest

from core.agents.bench import Bench
from core.agents.session import Session
from core.contract import AgentRequest, AgentResponse, failed
from core.governance.providers import is_back, raise_once
from core.orchestration import providers
from core.runtimes.base import Unavailable
from core.store import reads, reads_escalations
from core.store.database import StoreError
from core.store.rows import AgentRow
from core.workspace import Workspace
from tests.unit.engine_run import Run
from tests.unit.paid import Paid, costing
from tests.unit.scripted import Scripted


async def test_a_provider_that_is_down_is_told_once_and_tried_again_by_itself(workspace: Workspace, run: Run) -> None:
    tries, told = [], []

    async def down_twice(session: Session) -> None:
        tries.append(1)
        if len(tries) < 3:
            told.append(len(await workspace.store.read(reads_escalations.escalations)))
            raise Unavailable("anthropic", "the quota is used up.", 0.05)
        await costing(0.1)(session)

    resting = []
    number = await run.add()
    await run.start(Paid(spending={"intent-triage": down_twice}))
    engine = run.engine
    assert engine is not None
    engine.on_live(lambda: resting.append(dict(engine.live().resting)))
    async with asyncio.timeout(20):
        while not await run.outcomes(number) or (await run.outcomes(number))[-1][2] is None:
            await run.settle()
            await asyncio.sleep(0)

    assert told == [0, 1]
    assert {number for one in resting for number in one} == {number}
    assert resting[-1] == {}
    assert await run.outcomes(number) == [("D1", 1, "passed")]
    assert await run.questions() == ()


async def test_an_outage_and_its_end_are_told_although_the_store_failed_first(
    workspace: Workspace, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def once_full(write: Any) -> Any:
        left = [1]

        def writes(*given: Any) -> Any:
            if left:
                left.pop()
                raise StoreError("No space is left.")
            return write(*given)

        return writes

    monkeypatch.setattr(providers, "raise_once", once_full(raise_once))
    monkeypatch.setattr(providers, "is_back", once_full(is_back))
    await run.start(Scripted())
    assert run.engine is not None
    known, down = run.engine._equipment.providers, Unavailable("anthropic", "its quota is used up", 30.0)

    for told in (1, 0):
        for fails in (True, False):
            with pytest.raises(StoreError) if fails else nullcontext():
                await (known.failed(down) if told else known.answered("anthropic"))
        assert len(await run.questions()) == told


@dataclass
class Babbling(Scripted):
    """A model of which every answer is refused."""

    name = "anthropic"

    async def execute(self, request: AgentRequest, agent: AgentRow, bench: Bench) -> AgentResponse:
        return failed(agent.role, "the model gave no answer that its schema allows")


async def test_what_a_model_cannot_do_goes_on_without_it_when_a_person_says_so(workspace: Workspace, run: Run) -> None:
    script, asked = Scripted(), []

    class Team(Scripted):
        def as_runtimes(self) -> dict[str, Any]:
            return script.as_runtimes() | {"anthropic": Babbling()}

    number = await run.add()
    await run.start(Team())
    await run.settle()

    [question] = await run.questions()
    asked.append(question)
    assert [option["key"] for option in question.options] == ["retry", "without", "stop"]
    await run.answer("without")
    await run.settle()

    # The next agent has the same model, and is another question.
    [question] = await run.questions()
    assert question.details["instead"].keys().isdisjoint(asked[0].details["instead"])
    recorded = await workspace.store.read(lambda r: reads.delegations(r, number))
    first = next(iter(asked[0].details["instead"]))
    assert [(d.agent, d.runtime, d.status) for d in recorded if d.agent == first] == [
        (first, "anthropic", "FAILURE"),
        (first, "scripted", "SUCCESS"),
    ]


async def test_an_outage_that_has_another_cause_by_now_says_so_in_the_same_question(
    workspace: Workspace, run: Run
) -> None:
    causes = ["no answer at 10.0.0.1:80.", "no answer at 10.0.0.2:80.", "it refuses the key."]
    asked: list[tuple[int, str]] = []

    async def down(session: Session) -> None:
        found = await workspace.store.read(reads_escalations.escalations)
        asked.extend((q.id, q.question) for q in found)
        raise Unavailable("anthropic", causes.pop(0), 0.01 if causes else 3600)

    await run.add()
    await run.start(Paid(spending={"intent-triage": down}))
    async with asyncio.timeout(20):
        while causes:
            await run.settle()
            await asyncio.sleep(0)
        await run.settle()

    [question] = await run.questions()
    assert {number for number, _ in asked} == {question.id}
    assert all("10.0.0.1" in text for _, text in asked)
    assert "it refuses the key" in question.question
