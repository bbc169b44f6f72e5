"""What goes wrong is told once to somebody who can act, and never repeated in silence."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

from core.contract import AgentRequest, succeeded
from core.governance.escalations import is_over
from core.orchestration import delegating, journal, work_items
from core.orchestration import engine as engines
from core.store import reads
from core.store.database import StoreError
from tests.unit.engine_run import Run
from tests.unit.scripted import OUTPUTS, Scripted


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, run: Run) -> Run:
    monkeypatch.setattr(engines, "REST_SECONDS", 0.01)
    return run


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (succeeded("risk-notary", {"share": float("nan")}), "not JSON"),
        (succeeded("risk-notary", {"name": "\udc80"}), "not JSON"),
        (succeeded("risk-notary", {"names": {"a", "b"}}), "not JSON"),
        (succeeded("risk-notary", {}, decisions=["approve it"]), "decisions"),
        (succeeded("risk-notary", {}, evidence=None), "evidence"),
        *(
            (
                succeeded("risk-notary", {}, evidence=[{"command": ["x"], name: value}]),
                f"{name} in the answer's evidence",
            )
            for name, value in (
                ("exit_code", [1]),
                ("exit_code", 0.5),
                ("exit_code", 2**63),
                ("seconds", "soon"),
                ("seconds", 1e300),
                ("seconds", math.nan),
                ("started_at", 10**400),
            )
        ),
        (succeeded("risk-notary", {}, evidence=[{"command": 5}]), "command in the answer's evidence"),
        (succeeded("risk-notary", {}, tokens="12k"), "tokens"),
        (None, "NoneType"),
    ],
)
async def test_an_answer_that_cannot_be_recorded_is_a_failure_of_its_agent(run: Run, answer: Any, words: str) -> None:
    async def give(_: AgentRequest) -> Any:
        return answer

    script = Scripted(risk_notary=give)
    await run.add()
    await run.start(script)

    await run.settle()

    (question,) = await run.questions()
    assert question.kind == "error"
    assert words in question.question
    assert script.calls["risk-notary"] == 1


async def test_an_agent_that_took_too_long_is_told_with_the_key_that_bounds_it(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delegating, "most_seconds", lambda role, project, limit: 0.01)

    async def hang(_: AgentRequest) -> Any:
        await asyncio.Event().wait()

    await run.add()
    await run.start(Scripted(risk_notary=hang))

    await run.settle()

    (question,) = await run.questions()
    assert "longer than its limit of 0.01 s" in question.question
    assert "`limits.seconds` of risk-notary in agents.yaml" in question.question


async def test_a_time_out_that_an_agent_met_is_not_its_own(run: Run) -> None:
    async def unreachable(_: AgentRequest) -> Any:
        raise TimeoutError(110, "Connection timed out")

    await run.add()
    await run.start(Scripted(risk_notary=unreachable))

    await run.settle()

    (question,) = await run.questions()
    assert "TimeoutError: [Errno 110] Connection timed out" in question.question
    assert "longer than its limit" not in question.question


async def test_a_start_that_fails_keeps_nobody_else_from_driving(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> None:
        raise StoreError("No space is left.")

    await run.add()
    with monkeypatch.context() as patched:
        patched.setattr(engines, "lose_open", full)
        with pytest.raises(StoreError, match="No space is left"):
            await run.start(Scripted())
    assert run.engine is not None
    assert not run.engine.is_driving
    assert not (await run.ws.store.read(reads.read_live)).is_driven

    assert await run.start(Scripted())
    await run.settle()
    assert await run.outcomes(1) == [("D1", 1, "passed")]


async def test_work_that_was_cancelled_is_ended_although_a_look_at_it_failed(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ended, left = asyncio.Event(), asyncio.Event(), [1]

    async def hang(_: AgentRequest) -> Any:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    def locked_once(reader: Any, number: int) -> bool:
        if left:
            left.pop()
            raise StoreError("It is locked.")
        return is_over(reader, number)

    monkeypatch.setattr(engines, "is_over", locked_once)
    number = await run.add()
    await run.start(Scripted(risk_notary=hang))
    await begun.wait()
    await run.do(work_items.cancel, number, "ada")

    async with asyncio.timeout(20):
        await ended.wait()
    assert left == []


async def test_a_decision_with_a_recommendation_of_no_use_is_escalated_all_the_same(run: Run) -> None:
    decision = {"kind": "security", "domain": "technical", "question": "Is it?", "recommended": ["approve"]}
    await run.add()
    await run.start(
        Scripted(risk_notary=lambda _: succeeded("risk-notary", OUTPUTS["risk-notary"], decisions=[decision]))
    )

    await run.settle()

    assert [q.kind for q in await run.questions()] == ["decision"]


async def test_a_fault_of_the_orchestrator_is_put_to_a_person(run: Run) -> None:
    framed = {**OUTPUTS["problem-framer"], "six_w": {"who": "high"}}
    number = await run.add()
    await run.start(Scripted(problem_framer=lambda _: succeeded("problem-framer", framed)))

    await run.settle()

    assert "ValueError" in (await run.questions())[0].question
    assert await run.outcomes(number) == [("D1", 1, "failed")]


async def settled_at_last(run: Run) -> None:
    """Once the rests of whatever failed are over; it may have failed more than once before the store served again."""
    while True:
        try:
            return await run.settle()
        except StoreError:
            await asyncio.sleep(0.01)


async def test_a_store_that_fails_for_a_moment_asks_nobody(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    record, left = journal.record, [1]

    def full_once(*args: Any, **named: Any) -> Any:
        if left:
            left.pop()
            raise StoreError("No space is left.")
        return record(*args, **named)

    monkeypatch.setattr(journal, "record", full_once)
    number = await run.add()
    await run.start(Scripted())

    with pytest.raises(StoreError):
        await run.settle()
    async with asyncio.timeout(20):
        await settled_at_last(run)

    assert await run.outcomes(number) == [("D1", 1, "passed")]
    assert await run.questions() == ()


async def test_work_that_is_cancelled_while_the_store_fails_leaves_no_fault_behind(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any, **named: Any) -> Any:
        raise StoreError("No space is left.")

    monkeypatch.setattr(journal, "record", full)
    number = await run.add()
    await run.start(Scripted())
    with pytest.raises(StoreError):
        await run.settle()

    await run.do(work_items.cancel, number, "ada")

    async with asyncio.timeout(20):
        await settled_at_last(run)
    assert (await run.item(number)).state == "cancelled"
