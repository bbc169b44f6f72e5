"""The engine drives work items by their journal: never twice, never past a question, never past a gate."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from core.contract import AgentRequest, AgentResponse, Json, blocked, failed, succeeded
from core.governance import life
from core.orchestration import work_items
from core.orchestration.engine import Engine
from core.store import reads
from core.store.schema import Counter
from core.workspace import Workspace
from tests.unit.engine_run import Run
from tests.unit.other_processes import nobody_here
from tests.unit.scripted import OUTPUTS, Scripted


async def test_a_complete_request_passes_its_gates_and_leaves_a_chain_of_artifacts(run: Run) -> None:
    number = await run.add(until="R1")
    await run.start(Scripted())

    await run.settle()

    made = await run.ws.store.read(lambda r: reads.artifacts(r, number))
    assert [a.type for a in made] == [
        "request.raw",
        "workitem.ready",
        "plan.snapshot",
        "build.bundle",
        "review.approved",
    ]
    assert [a.parent for a in made[1:]] == [a.digest for a in made[:-1]]
    assert await run.outcomes(number) == [(p, 1, "passed") for p in ("D1", "P1", "I1", "R1")]


async def test_every_delegation_is_recorded_once_under_its_key(run: Run) -> None:
    number = await run.add(until="R1")
    script = Scripted()
    await run.start(script)
    await run.settle()

    recorded = await run.ws.store.read(lambda r: reads.delegations(r, number))

    keys = [(d.phase, d.round, d.agent, d.subject) for d in recorded]
    assert len(keys) == len(set(keys))
    assert set(script.calls.values()) == {1}
    assert {d.agent for d in recorded} - set(script.calls) == {
        "definition-orch",
        "planning-orch",
        "implementation-orch",
        "review-test-orch",
    }


async def test_a_gate_that_is_missed_asks_once_for_everything(run: Run) -> None:
    script = Scripted(
        ac_writer=lambda _: blocked(
            "ac-writer", {"acceptance_criteria": []}, ["acceptance_criteria: 0"], "Name three."
        ),
        value_articulator=lambda _: blocked("value-articulator", {}, ["business_context"], "Say why."),
    )
    number = await run.add()
    await run.start(script)

    await run.settle()

    (question,) = await run.questions()
    assert question.missing == ["business_context: 0 of 50 characters", "acceptance_criteria: 0 of 3"]
    assert question.details["agents"]["ac-writer"]["suggestion"] == "Name three."
    assert question.chain == ["master-orchestrator", "definition-orch", "definition-gate-check"]
    assert (await run.item(number)).state == "waiting"


def from_answers(request: AgentRequest) -> AgentResponse:
    given = request.context.get("answers", {}).get("acceptance_criteria", [])
    return succeeded(
        "ac-writer", {"acceptance_criteria": [{"id": f"AC{n}", "text": t} for n, t in enumerate(given, 1)]}
    )


async def test_an_answer_lets_the_phase_go_on_and_asks_again_only_whom_it_concerns(run: Run) -> None:
    script = Scripted(ac_writer=from_answers)
    number = await run.add()
    await run.start(script)
    await run.settle()

    await run.answer("supply", answer={"acceptance_criteria": ["one", "two", "three"]})
    await run.settle()

    assert await run.outcomes(number) == [("D1", 1, "blocked"), ("D1", 2, "passed")]
    assert {role for role, n in script.calls.items() if n > 1} == {"ac-writer", "definition-gate-check"}


async def test_answers_add_up_over_rounds(run: Run) -> None:
    number = await run.add()
    await run.start(Scripted(ac_writer=from_answers))
    await run.settle()
    await run.answer("supply", answer={"acceptance_criteria": ["one", "two"]})
    await run.settle()
    (question,) = await run.questions()
    assert question.missing == ["acceptance_criteria: 2 of 3"]

    await run.answer("supply", answer={"acceptance_criteria": ["three"]})
    await run.settle()

    assert (await run.outcomes(number))[-1] == ("D1", 3, "passed")


async def test_an_agent_that_fails_is_escalated_and_only_it_runs_again(run: Run) -> None:
    broken = [True]

    def risky(_: AgentRequest) -> AgentResponse:
        if broken:
            return failed("risk-notary", "the oracle is silent", ["user_stories"], "Run discovery first.")
        return succeeded("risk-notary", OUTPUTS["risk-notary"])

    script = Scripted(risk_notary=risky)
    number = await run.add()
    await run.start(script)
    await run.settle()
    (question,) = await run.questions()
    assert (question.kind, question.missing) == ("error", ["user_stories"])
    assert question.details["required_action"] == "Run discovery first."

    broken.clear()
    await run.answer("retry")
    await run.settle()

    assert (await run.outcomes(number))[-1] == ("D1", 2, "passed")
    assert {role for role, n in script.calls.items() if n > 1} == {"risk-notary"}


async def test_work_that_is_given_up_after_a_failure_has_failed_until_that_is_taken_back(run: Run) -> None:
    broken = [True]

    def risky(_: AgentRequest) -> AgentResponse:
        return failed("risk-notary", "silent") if broken else succeeded("risk-notary", OUTPUTS["risk-notary"])

    number = await run.add()
    await run.start(Scripted(risk_notary=risky))
    await run.settle()
    (question,) = await run.questions()
    assert question.options[-1]["consequence"] == "It ends as failed; its branch is kept."

    await run.answer("stop")
    await run.settle()

    item = await run.item(number)
    assert (item.state, item.facts.cancelled_at) == ("failed", None)
    broken.clear()
    await run.ws.store.write(lambda tx: life.undo(tx, question.id, by="ada", reason="too early"))
    await run.answer("retry")
    await run.settle()

    assert (await run.outcomes(number))[-1] == ("D1", 2, "passed")


async def test_an_agent_that_lacks_something_has_not_failed(run: Run) -> None:
    await run.start(
        Scripted(ac_writer=lambda _: blocked("ac-writer", {}, ["acceptance_criteria"], "Say what it does."))
    )
    await run.add()
    await run.settle()

    found = await run.ws.store.read(lambda r: r.rows(Counter.select(Counter.agent, Counter.runs, Counter.failures)))
    assert ("ac-writer", 1, 0) in found
    assert {failures for _, _, failures in found} == {0}


async def test_a_fault_of_an_agents_code_is_recorded_and_escalated_not_swallowed(run: Run) -> None:
    def crash(_: AgentRequest) -> AgentResponse:
        raise ZeroDivisionError("division by zero")

    number = await run.add()
    await run.start(Scripted(problem_framer=crash))

    await run.settle()

    recorded = await run.ws.store.read(lambda r: reads.delegations(r, number))
    fault = next(d for d in recorded if d.agent == "problem-framer")
    response = (await run.ws.store.read(lambda r: reads.delegation_record(r, fault.event)))["response"]
    assert response["metadata"]["error"] == "ZeroDivisionError: division by zero"
    assert "test_engine.py" in response["metadata"]["trace"]
    assert "ZeroDivisionError" in (await run.questions())[0].question


async def test_agents_that_may_run_side_by_side_do(run: Run) -> None:
    barrier = asyncio.Barrier(2)

    def both(role: str) -> Callable[[AgentRequest], Any]:
        async def answer(_: AgentRequest) -> AgentResponse:
            async with asyncio.timeout(10):
                await barrier.wait()
            return succeeded(role, OUTPUTS[role])

        return answer

    number = await run.add()
    await run.start(Scripted(value_articulator=both("value-articulator"), risk_notary=both("risk-notary")))

    await run.settle()

    assert await run.outcomes(number) == [("D1", 1, "passed")]


def raises(kind: str) -> Callable[[AgentRequest], AgentResponse]:
    decision: Json = {
        "kind": kind,
        "domain": "technical",
        "question": f"Is this {kind} right?",
        "impact": 5,
        "options": [
            {"key": "approve", "label": "Yes", "consequence": "It is built."},
            {"key": "reject", "label": "No", "consequence": "It is not."},
        ],
        "recommended": "approve",
        "blocks": "I1",
    }
    return lambda _: succeeded("decomposer", OUTPUTS["decomposer"], decisions=[decision])


async def test_an_escalated_decision_holds_back_only_what_depends_on_it(run: Run) -> None:
    number = await run.add(until="I1")
    script = Scripted(decomposer=raises("security"))
    await run.start(script)
    await run.settle()

    assert await run.outcomes(number) == [("D1", 1, "passed"), ("P1", 1, "passed")]
    assert (await run.item(number)).state == "waiting"
    await run.answer("approve")
    await run.settle()

    assert (await run.outcomes(number))[-1] == ("I1", 1, "passed")
    assert script.requests["code-implementer"][0].context["decisions"][0]["choice"] == "approve"


async def test_a_rejected_decision_ends_what_depends_on_it(run: Run) -> None:
    """One without options of its own, which is a plain yes or no."""
    bare: Json = {"kind": "security", "domain": "technical", "question": "?", "impact": 5, "blocks": "I1"}
    number = await run.add(until="I1")
    await run.start(Scripted(decomposer=lambda _: succeeded("decomposer", OUTPUTS["decomposer"], decisions=[bare])))
    await run.settle()

    await run.answer("reject")
    await run.settle()

    assert (await run.item(number)).state == "cancelled"


async def test_a_decision_within_authority_stops_nobody(run: Run) -> None:
    number = await run.add(until="I1")
    await run.start(Scripted(decomposer=raises("api_endpoints")))

    await run.settle()

    made = await run.ws.store.read(lambda r: reads.decisions(r, work_item=number))
    assert [(d.outcome, d.choice, d.provenance) for d in made] == [("decided", "approve", "rule")]
    assert (await run.outcomes(number))[-1] == ("I1", 1, "passed")


async def test_stopping_in_the_middle_loses_nothing_and_repeats_nothing(run: Run) -> None:
    number = await run.add()
    reached = asyncio.Event()

    async def never_answers(_: AgentRequest) -> AgentResponse:
        reached.set()
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    await run.start(Scripted(ac_writer=never_answers))
    await reached.wait()
    await run.stop()

    second = Scripted()
    await run.start(second)
    await run.settle()

    assert await run.outcomes(number) == [("D1", 1, "passed")]
    assert set(second.calls) == {"ac-writer", "definition-gate-check"}


async def test_a_pause_lets_what_runs_finish_and_starts_nothing_more(run: Run) -> None:
    number = await run.add()
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_: AgentRequest) -> AgentResponse:
        reached.set()
        await go_on.wait()
        return succeeded("context-assembler", {})

    script = Scripted(context_assembler=slow)
    await run.start(script)
    await reached.wait()
    await run.do(work_items.pause, number, "ada")
    go_on.set()
    await run.settle()

    assert script.calls["context-assembler"] == 1
    assert script.calls["problem-framer"] == 0
    await run.do(work_items.resume, number, "ada")
    await run.settle()
    assert script.calls["context-assembler"] == 1
    assert (await run.item(number)).cells[0].status == "passed"


async def test_a_pause_does_not_lift_the_phase_to_stop_after(run: Run) -> None:
    number = await run.add(until="D1")
    await run.do(work_items.pause, number, "ada")

    await run.do(work_items.resume, number, "ada")
    assert (await run.item(number)).facts.until == "D1"
    await run.do(work_items.resume, number, "ada")
    assert (await run.item(number)).facts.until is None


async def test_only_one_engine_drives_a_workspace(run: Run) -> None:
    await run.start(Scripted())
    with Workspace.open(run.ws.folder) as other:
        second = Engine(other, Scripted().as_runtimes())
        # The lease is this process's own, so a second engine here stands for the same holder; another host's does not.
        await other.store.write(pretend_another_host)

        assert await second.start() is False
        assert second.is_driving is False


def pretend_another_host(tx: Any) -> None:
    from core.store.schema import Lease

    tx.execute(Lease.update(holder="elsewhere:1:0.00"))


async def test_an_engine_for_one_work_item_leaves_the_others_alone(run: Run) -> None:
    mine, other = await run.add(), await run.add()
    run.engine = Engine(run.ws, Scripted().as_runtimes(), only=[mine])
    await run.engine.start()

    await run.settle()

    assert await run.outcomes(mine) == [("D1", 1, "passed")]
    assert await run.outcomes(other) == []


async def test_a_dead_holders_lease_is_taken_at_once(run: Run) -> None:
    from core.store.schema import Lease

    def leave_behind(tx: Any) -> None:
        tx.execute(Lease.insert(name="engine", holder=nobody_here(), pid=999999999, fence=7, heartbeat_at=tx.now))

    await run.ws.store.write(leave_behind)

    assert await run.start(Scripted())
    fence = await run.ws.store.read(lambda r: r.one(Lease.select(Lease.fence)))
    assert fence == (8,)


async def test_several_work_items_run_at_once(run: Run) -> None:
    barrier = asyncio.Barrier(3)

    async def together(_: AgentRequest) -> AgentResponse:
        async with asyncio.timeout(10):
            await barrier.wait()
        return succeeded("intent-triage", OUTPUTS["intent-triage"])

    numbers = [await run.add() for _ in range(3)]
    await run.start(Scripted(intent_triage=together))

    await run.settle()

    assert [await run.outcomes(n) for n in numbers] == [[("D1", 1, "passed")]] * 3


async def test_the_journal_of_a_whole_run_verifies(run: Run) -> None:
    from core.store.chain import event_from_row, faults, head_from_row
    from core.store.schema import ChainHead, Event

    await run.add(until="R1")
    await run.start(Scripted())
    await run.settle()

    def read(reader: Any) -> list[Any]:
        columns = (Event.seq, Event.at, Event.kind, Event.work_item, Event.payload, Event.mac)
        found = [event_from_row(row) for row in reader.rows(Event.select(*columns).order_by(Event.seq))]
        head = reader.one(ChainHead.select(ChainHead.seq, ChainHead.mac, ChainHead.signature))
        return list(faults(run.ws.store.key, found, head_from_row(head)))

    assert await run.ws.store.read(read) == []
