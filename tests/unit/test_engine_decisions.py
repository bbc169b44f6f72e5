"""Decisions in the pipeline: raised by agents, made by their owners, and what depends on an open one waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from core.contract import AgentRequest, AgentResponse, Json, succeeded
from core.governance import reversal
from core.orchestration import work_items
from core.store import reads, reads_governance, rows
from tests.unit.engine_run import Run
from tests.unit.scripted import OUTPUTS, TASK, Scripted

OPTIONS: list[Json] = [
    {"key": "new", "label": "New", "consequence": "More to keep."},
    {"key": "old", "label": "Old", "consequence": "Less to keep."},
]


def decision(**changes: Any) -> Json:
    facts: Json = {
        "kind": "api_endpoints",
        "domain": "technical",
        "question": "Which of the two?",
        "impact": 5,
        "options": OPTIONS,
        "recommended": "new",
        "blocks": "I1",
    }
    return facts | changes


def saying(role: str, *decisions: Json) -> Callable[[AgentRequest], AgentResponse]:
    return lambda _: succeeded(role, OUTPUTS[role], decisions=list(decisions))


def planned(*tasks: Json) -> dict[str, Callable[[AgentRequest], AgentResponse]]:
    """Planning agents whose plan has these tasks."""
    whole = [{**TASK, **t} for t in tasks]
    order = [t["id"] for t in whole]
    criteria = ["AC1", "AC2", "AC3"]
    listed = [{**t, "criteria": criteria} for t in whole]
    depends: Json = {t["id"]: t["depends_on"] for t in whole if t["depends_on"]}
    return {
        "decomposer": lambda _: succeeded("decomposer", {"tasks": whole}),
        "estimator": lambda _: succeeded("estimator", {"estimates": dict.fromkeys(order, 2)}),
        "dependency_mapper": lambda _: succeeded("dependency-mapper", {"depends_on": depends, "order": order}),
        "backlog_curator": lambda _: succeeded(
            "backlog-curator", {**OUTPUTS["backlog-curator"], "tasks": listed, "order": order}
        ),
    }


def asking_about(task: str, *decisions: Json) -> Callable[[AgentRequest], AgentResponse]:
    """A first agent of I1 that raises decisions about one task."""

    def answer(request: AgentRequest) -> AgentResponse:
        mine = list(decisions) if request.context["task"]["id"] == task else []
        return succeeded("pattern-applier", OUTPUTS["pattern-applier"], decisions=mine)

    return answer


async def decisions_of(run: Run, number: int) -> list[rows.DecisionRow]:
    found = await run.ws.store.read(lambda r: reads.decisions(r, work_item=number))
    return list(reversed(found))


def coded(script: Scripted) -> list[str]:
    return [r.context["task"]["id"] for r in script.requests.get("code-implementer", [])]


async def test_the_owner_is_asked_as_an_agent_with_its_own_documents_only(run: Run) -> None:
    (run.ws.folder / "README.md").write_text("what it is\n")
    (run.ws.folder / "marketing").mkdir()
    (run.ws.folder / "marketing" / "plan.md").write_text("for others\n")
    number = await run.add(until="P1")
    script = Scripted(decomposer=saying("decomposer", decision()))

    await run.start(script)
    await run.settle()

    (asked,) = script.requests["technical"]
    assert asked.requesting_agent == "decomposer"
    assert asked.input_artifact["recommended"] == "new"
    assert asked.context["documents"]["given"] == ["README.md"]
    assert "docs/**/*.md" in asked.context["documents"]["missing"]
    (made,) = await decisions_of(run, number)
    assert (made.outcome, made.choice, made.decided_by, made.provenance) == ("decided", "new", "technical", "rule")
    assert made.reason.startswith("As recommended: More to keep.")
    recorded = await run.ws.store.read(lambda r: reads.delegations(r, number))
    assert [d.agent for d in recorded].count("technical") == 1


async def test_the_owners_own_choice_stands_and_coders_hear_of_it(run: Run) -> None:
    number = await run.add(until="I1")
    script = Scripted(
        decomposer=saying("decomposer", decision()),
        technical=lambda _: succeeded("technical", {"choice": "old", "reason": "It is measured."}),
    )

    await run.start(script)
    await run.settle()

    (made,) = await decisions_of(run, number)
    assert (made.choice, made.recommended, made.reason) == ("old", "new", "It is measured.")
    told = script.requests["code-implementer"][0].context["decisions"]
    assert [(d["choice"], d["by"]) for d in told] == [("old", "technical")]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (succeeded("technical", {"escalate": {"question": "It is really a new service."}}), "really a new service"),
        (succeeded("technical", {"choice": "third"}), "none of new, old"),
        (AgentResponse.from_json({**succeeded("technical", {}).to_json(), "status": "FAILURE"}), "could not decide"),
    ],
)
async def test_an_owner_that_does_not_decide_leaves_it_to_a_person(run: Run, answer: AgentResponse, says: str) -> None:
    number = await run.add(until="I1")
    await run.start(Scripted(decomposer=saying("decomposer", decision()), technical=lambda _: answer))

    await run.settle()

    (made,) = await decisions_of(run, number)
    assert made.outcome == "escalated"
    assert says in made.rule
    assert (await run.item(number)).state == "waiting"


async def test_what_is_a_persons_is_not_put_to_the_owner(run: Run) -> None:
    script = Scripted(
        decomposer=saying("decomposer", decision(kind="security"), decision(impact=9), decision(domain="finance"))
    )
    number = await run.add(until="P1", tags=["x"])

    await run.start(script)
    await run.settle()

    assert script.calls["technical"] == 0
    assert [d.outcome for d in await decisions_of(run, number)] == ["escalated"] * 3


@pytest.mark.parametrize("impact", [None, 0, 11, "high"])
async def test_an_impact_that_is_none_is_the_greatest(run: Run, impact: Any) -> None:
    number = await run.add(until="P1")

    await run.start(Scripted(decomposer=saying("decomposer", decision(impact=impact))))
    await run.settle()

    (made,) = await decisions_of(run, number)
    assert (made.impact, made.outcome) == (10, "escalated")


async def test_a_milestones_work_item_asks_at_once(run: Run) -> None:
    await run.add(until="P1", tags=["milestone"])

    await run.start(Scripted(decomposer=saying("decomposer", decision())))
    await run.settle()

    (asked,) = await run.questions()
    assert (asked.urgency, asked.details["rule"]) == ("IMMEDIATE", "milestone: tagged milestone")


async def test_a_task_waits_for_its_decision_and_the_others_go_on(run: Run) -> None:
    number = await run.add(until="I1")
    plan = planned({"id": "T1"}, {"id": "T2"}, {"id": "T3", "depends_on": ["T1"]})
    script = Scripted(**plan, pattern_applier=asking_about("T1", decision(kind="external_service", blocks="T1")))

    await run.start(script)
    await run.settle()

    assert coded(script) == ["T2"]
    assert (await run.item(number)).state == "waiting"
    await run.answer("new")
    await run.settle()
    assert coded(script) == ["T2", "T1", "T3"]
    assert script.calls["pattern-applier"] == 3
    assert (await run.outcomes(number))[-1] == ("I1", 1, "passed")


async def test_a_task_that_waits_is_not_tried_again_and_again(run: Run) -> None:
    plan = planned({"id": "T1"}, {"id": "T2"})
    raised = asking_about("T1", decision(kind="external_service", blocks="T1"))
    number = await run.add(until="I1")
    await run.start(Scripted(**plan, pattern_applier=raised))
    await run.settle()
    await run.stop()

    script = Scripted(**plan, pattern_applier=raised)
    await run.start(script)
    await run.settle()

    assert not script.calls
    assert [(q.count, q.blocks) for q in await run.questions()] == [(1, "T1")]
    assert len(await decisions_of(run, number)) == 1


async def test_a_rejected_task_is_built_otherwise_and_the_work_goes_on(run: Run) -> None:
    number = await run.add(until="I1")
    options = [{"key": k, "label": k, "consequence": "c"} for k in ("approve", "reject")]
    raised = decision(kind="external_service", blocks="T1", options=options, recommended="approve")
    script = Scripted(**planned({"id": "T1"}), pattern_applier=asking_about("T1", raised))
    await run.start(script)
    await run.settle()

    await run.answer("reject")
    await run.settle()

    assert (await run.outcomes(number))[-1] == ("I1", 1, "passed")
    told = script.requests["code-implementer"][0].context["decisions"]
    assert [(d["choice"], d["reason"]) for d in told] == [("reject", "because")]


async def test_a_decision_that_blocks_the_phase_it_comes_from_is_waited_for_there(run: Run) -> None:
    number = await run.add(until="D1")
    script = Scripted(intent_triage=saying("intent-triage", decision(kind="security", blocks="D1")))

    await run.start(script)
    await run.settle()

    assert script.calls["context-assembler"] == 0
    assert (await run.item(number)).state == "waiting"
    await run.answer("new")
    await run.settle()
    assert script.calls["intent-triage"] == 1
    assert await run.outcomes(number) == [("D1", 1, "passed")]


async def test_a_kill_between_answer_and_decision_loses_neither(run: Run) -> None:
    reached = asyncio.Event()

    async def never(_: AgentRequest) -> AgentResponse:
        reached.set()
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    number = await run.add(until="P1")
    await run.start(Scripted(decomposer=saying("decomposer", decision()), technical=never))
    await reached.wait()
    await run.stop()

    second = Scripted()
    await run.start(second)
    await run.settle()

    assert second.calls["decomposer"] == 0
    assert second.calls["technical"] == 1
    assert [d.choice for d in await decisions_of(run, number)] == ["new"]


def differing(topic: str, **changes: Any) -> tuple[Json, Json]:
    ours = decision(kind="performance", topic=topic, recommended="new", **changes)
    theirs = decision(kind="layout", domain="ux", topic=topic, recommended="old", **changes)
    return ours, theirs


async def test_two_owners_who_differ_are_settled_by_the_rule_of_their_topic(run: Run) -> None:
    number = await run.add(until="I1")
    script = Scripted(decomposer=saying("decomposer", *differing("performance of the list")))

    await run.start(script)
    await run.settle()

    (found,) = await run.ws.store.read(lambda r: reads_governance.conflicts(r, work_item=number))
    assert (found.outcome, found.winner, found.rule) == ("resolved", "technical", "technical-wins-performance")
    made = await decisions_of(run, number)
    assert [(d.agent, d.choice, d.conflict) for d in made] == [("technical", "new", 1), ("ux", "new", 1)]
    assert made[1].decided_by == "technical-wins-performance"
    assert not await run.questions()
    told = script.requests["code-implementer"][0].context["decisions"]
    assert [d["choice"] for d in told] == ["new", "new"]


async def test_two_owners_without_a_rule_are_a_persons_to_settle(run: Run) -> None:
    number = await run.add(until="I1")
    script = Scripted(decomposer=saying("decomposer", *differing("the colour of the list")))
    await run.start(script)
    await run.settle()
    assert script.calls["pattern-applier"] == 0
    (asked,) = await run.questions()
    assert (asked.kind, [o["key"] for o in asked.options]) == ("conflict", ["technical", "ux", "neither"])

    await run.answer("ux")
    await run.settle()

    assert [(d.choice, d.decided_by, d.provenance) for d in await decisions_of(run, number)] == [
        ("old", "ada", "human"),
        ("old", "ada", "human"),
    ]
    assert (await run.outcomes(number))[-1] == ("I1", 1, "passed")


async def test_a_conflict_with_a_persons_decision_is_one_question_not_two(run: Run) -> None:
    number = await run.add(until="I1")
    ours, theirs = differing("performance of the list")
    script = Scripted(decomposer=saying("decomposer", ours, {**theirs, "kind": "navigation"}))

    await run.start(script)
    await run.settle()

    (asked,) = await run.questions()
    assert (asked.kind, asked.details["rule"]) == ("conflict", "navigation is a person's decision")
    assert asked.blocks == "I1"
    await run.answer("technical")
    await run.settle()
    assert [d.choice for d in await decisions_of(run, number)] == ["new", "new"]


async def test_owners_who_agree_are_no_conflict(run: Run) -> None:
    ours, theirs = differing("performance of the list")
    number = await run.add(until="P1")

    await run.start(Scripted(decomposer=saying("decomposer", ours, {**theirs, "recommended": "new"})))
    await run.settle()

    assert await run.ws.store.read(lambda r: reads_governance.conflicts(r, work_item=number)) == ()


async def test_a_decision_taken_back_is_told_to_those_who_build_by_it(run: Run) -> None:
    number = await run.add(until="P1")
    await run.start(Scripted(decomposer=saying("decomposer", decision())))
    await run.settle()
    await run.stop()
    await run.ws.store.write(lambda tx: reversal.reverse(tx, 1, by="ada", reason="too new", choice="old"))

    script = Scripted()
    await run.ws.store.write(lambda tx: work_items.stop_after(tx, number, "I1"))
    await run.start(script)
    await run.settle()

    told = script.requests["code-implementer"][0].context["decisions"]
    assert [(d["choice"], d["by"], d["reason"]) for d in told] == [("old", "ada", "too new")]


async def test_what_waits_is_told_before_a_run_ends(run: Run) -> None:
    await run.add(until="I1")
    lines: list[str] = []
    await run.start(Scripted(decomposer=saying("decomposer", decision(kind="security"))))
    assert run.engine is not None
    run.engine.on_notice(lines.append)
    await run.settle()

    await run.engine.keep_duties()

    assert len(lines) == 1
    assert "Which of the two?" in lines[0]
    assert "Which of the two?" in (run.ws.state / "logs" / "notifications.log").read_text()
