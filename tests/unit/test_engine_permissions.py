"""A delegation that asks a person more than once: each answer says which question it was given to."""

from __future__ import annotations

from dataclasses import replace

from core.contract import AgentRequest, AgentResponse, succeeded
from core.orchestration.journal import Journal
from core.orchestration.position import read_position
from core.runtimes.base import Ask, WaitsForHuman
from tests.unit.engine_run import Run
from tests.unit.scripted import OUTPUTS, Scripted

OPTIONS = (
    {"key": "once", "label": "Allow it once", "consequence": "It runs."},
    {"key": "refuse", "label": "Refuse it", "consequence": "It does not run."},
)


async def test_an_answer_says_what_it_is_about(run: Run) -> None:
    heard: list[object] = []

    def frame(request: AgentRequest) -> AgentResponse:
        about = request.context.get("human", {}).get("about")
        heard.append(about)
        if about == "call 2":
            return succeeded("problem-framer", OUTPUTS["problem-framer"])
        asked = "call 2" if about == "call 1" else "call 1"
        details = {"permission": True, "about": asked, "command": "make"}
        raise WaitsForHuman(Ask(f"May I make {asked}?", OPTIONS, "once", details))

    await run.start(Scripted(problem_framer=frame))
    await run.add()
    for number in (1, 2):
        await run.settle()
        (question,) = await run.questions()
        assert (question.kind, question.question) == ("permission", f"May I make call {number}?")
        await run.answer("once")
    await run.settle()
    assert await run.questions() == ()
    assert heard == [None, "call 1", "call 2"]


async def test_an_answer_serves_the_round_it_was_given_in_alone(run: Run) -> None:
    def frame(request: AgentRequest) -> AgentResponse:
        if "human" in request.context:
            return succeeded("problem-framer", OUTPUTS["problem-framer"])
        raise WaitsForHuman(Ask("May I?", OPTIONS, "once", {"permission": True}))

    await run.start(Scripted(problem_framer=frame))
    number = await run.add()
    await run.settle()
    await run.answer("once")
    await run.settle()

    position = await run.ws.store.read(lambda r: read_position(r, number))
    unrecorded = replace(position, journal=Journal(()))
    assert unrecorded.human_answer("D1", range(1, 2), "problem-framer", "") is not None
    assert unrecorded.human_answer("D1", range(2, 3), "problem-framer", "") is None
    assert position.human_answer("D1", range(1, 3), "problem-framer", "") is None
