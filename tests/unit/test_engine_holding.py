"""An open question holds back what depends on it, also for an engine that has just started."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from core.contract import AgentRequest, AgentResponse, Json, succeeded
from core.runtimes.base import Ask, WaitsForHuman
from tests.unit.engine_run import Run
from tests.unit.scripted import OUTPUTS, TASK, Scripted


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


THREE: tuple[Json, ...] = tuple({**TASK, "id": name, "criteria": ["AC1", "AC2", "AC3"]} for name in ("T1", "T2", "T3"))


def asking() -> Scripted:
    """A coder who asks a person before each task, where none depends on another."""

    def ask(request: AgentRequest) -> AgentResponse:
        task = str(request.context["task"]["id"])
        if "human" not in request.context:
            raise WaitsForHuman(Ask(f"How is {task} to be done?", (GO_ON,), "go"))
        return succeeded("code-implementer", OUTPUTS["code-implementer"])

    curated = {**OUTPUTS["backlog-curator"], "tasks": list(THREE), "order": ["T1", "T2", "T3"]}
    return Scripted(code_implementer=ask, backlog_curator=lambda _: succeeded("backlog-curator", curated))


GO_ON: Json = {"key": "go", "label": "Go on", "consequence": "It goes on."}


@pytest.mark.parametrize("restarts", [0, 3])
async def test_an_agent_that_asks_holds_the_phase_however_often_the_engine_is_started(run: Run, restarts: int) -> None:
    number = await run.add(until="I1")
    await run.start(asking())
    await run.settle()
    asked = []

    for _ in THREE:
        for _ in range(restarts):
            await run.stop()
            await run.start(asking())
            await run.settle()
        asked.append([question.question for question in await run.questions()])
        await run.answer("go")
        await run.settle()

    assert asked == [[f"How is {name} to be done?"] for name in ("T1", "T2", "T3")]
    assert (await run.outcomes(number))[-1] == ("I1", 1, "passed")
