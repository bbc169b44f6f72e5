"""An open question holds back what depends on it, also for an engine that has just started."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from core.contract import AgentRequest, AgentResponse, Json, succeeded
from tests.unit.engine_run import Run
from tests.unit.scripted import OUTPUTS, Scripted


def deciding(blocks: str) -> Callable[[AgentRequest], AgentResponse]:
    decision: Json = {"kind": "security", "domain": "technical", "question": "?", "impact": 5, "blocks": blocks}
    return lambda _: succeeded("decomposer", OUTPUTS["decomposer"], decisions=[decision])


async def stopped_in_the_middle_of_i1(run: Run, blocks: str) -> int:
    reached = asyncio.Event()

    async def never(_: AgentRequest) -> AgentResponse:
        reached.set()
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    number = await run.add(until="R1")
    await run.start(Scripted(decomposer=deciding(blocks), pattern_applier=never))
    await reached.wait()
    await run.stop()
    return number


async def test_a_decision_on_the_release_does_not_hold_back_the_build(run: Run) -> None:
    number = await stopped_in_the_middle_of_i1(run, "O1")

    await run.start(Scripted())
    await run.settle()

    assert (await run.outcomes(number))[-1] == ("R1", 1, "passed")
    assert [q.blocks for q in await run.questions()] == ["O1"]


@pytest.mark.parametrize("blocks", ["I1", "T1"])
async def test_a_decision_on_the_build_or_its_task_is_waited_for_at_rest(run: Run, blocks: str) -> None:
    number = await run.add(until="R1")
    await run.start(Scripted(decomposer=deciding(blocks)))
    await run.settle()
    await run.stop()

    await run.start(Scripted())
    await run.settle()
    assert (await run.item(number)).cells[2].status != "passed"
    await run.answer("approve")
    await run.settle()

    assert (await run.outcomes(number))[-1] == ("R1", 1, "passed")
