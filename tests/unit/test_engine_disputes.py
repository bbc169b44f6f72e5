"""Decisions that meet in one work item: what a person said stands, nothing is passed over, nobody is asked twice."""

from __future__ import annotations

from typing import Any

import pytest

from core.contract import AgentRequest, AgentResponse, Json, UsageError, succeeded
from core.governance import life, reversal
from core.store import reads_governance
from tests.unit.engine_run import Run
from tests.unit.scripted import OUTPUTS, Scripted
from tests.unit.test_engine_decisions import coded, decision, decisions_of, planned, saying


async def test_a_persons_decision_is_not_overruled_by_a_rule(run: Run) -> None:
    number = await run.add(until="P1")
    ours = decision(kind="security", topic="user experience of login", blocks="P1")
    theirs = decision(kind="layout", domain="ux", topic="user experience of login", recommended="old")
    script = Scripted(decomposer=saying("decomposer", ours), estimator=saying("estimator", theirs))
    await run.start(script)
    await run.settle()
    await run.answer("new")

    await run.settle()

    (asked,) = await run.questions()
    assert (asked.kind, asked.details["rule"]) == ("conflict", "security was decided by ada")
    first, *_ = await decisions_of(run, number)
    assert (first.choice, first.decided_by) == ("new", "ada")


async def test_an_undone_conflict_leaves_what_a_person_had_said_before(run: Run) -> None:
    number = await run.add(until="P1")
    ours = decision(kind="security", topic="login", blocks="P1")
    theirs = decision(kind="layout", domain="ux", topic="login", recommended="old")
    await run.start(Scripted(decomposer=saying("decomposer", ours), estimator=saying("estimator", theirs)))
    await run.settle()
    await run.answer("new")
    await run.settle()
    (asked,) = await run.questions()
    await run.stop()
    before = [(d.choice, d.decided_by, d.provenance, d.reason) for d in await decisions_of(run, number)]

    await run.answer("ux", asked.id)
    assert {d.choice for d in await decisions_of(run, number)} == {"old"}
    await run.ws.store.write(lambda tx: life.undo(tx, asked.id, by="ada", reason="slip"))

    assert [(d.choice, d.decided_by, d.provenance, d.reason) for d in await decisions_of(run, number)] == before


async def test_an_answer_with_too_many_decisions_is_refused_whole(run: Run) -> None:
    many = [decision(question=f"Case {n}?") for n in range(50)]
    number = await run.add(until="I1")

    await run.start(Scripted(decomposer=saying("decomposer", *many, decision(kind="security", impact=10))))
    await run.settle()

    (asked,) = await run.questions()
    assert "more than 50 decisions" in asked.question
    assert await decisions_of(run, number) == []


async def test_both_tasks_that_raise_the_same_decision_wait_for_it(run: Run) -> None:
    def raised(request: AgentRequest) -> AgentResponse:
        mine = decision(kind="external_service", blocks=request.context["task"]["id"])
        return succeeded("pattern-applier", OUTPUTS["pattern-applier"], decisions=[mine])

    number = await run.add(until="I1")
    script = Scripted(**planned({"id": "T1"}, {"id": "T2"}), pattern_applier=raised)
    # Both come up before either is answered: the first task waits, the second is begun.
    await run.start(script)
    await run.settle()

    assert coded(script) == []
    assert [q.blocks for q in await run.questions()] == ["I1"]
    await run.answer("new")
    await run.settle()
    assert coded(script) == ["T1", "T2"]
    assert len(await decisions_of(run, number)) == 1


async def test_agents_side_by_side_with_the_same_decision_ask_its_owner_once(run: Run) -> None:
    number = await run.add(until="D1")
    script = Scripted(
        **{
            role.replace("-", "_"): saying(role, decision())
            for role in ("problem-framer", "value-articulator", "risk-notary", "ac-writer")
        }
    )

    await run.start(script)
    await run.settle()

    assert script.calls["technical"] == 1
    assert len(await decisions_of(run, number)) == 1


async def test_a_further_owner_joins_the_conflict_that_waits(run: Run) -> None:
    raised = [
        decision(kind="component_design", topic="the colour"),
        decision(kind="layout", domain="ux", topic="the colour", recommended="old"),
        decision(kind="campaign", domain="gtm", topic="the colour", recommended="new"),
    ]
    number = await run.add(until="P1")

    await run.start(Scripted(decomposer=saying("decomposer", *raised)))
    await run.settle()

    (asked,) = await run.questions()
    assert [d.conflict for d in await decisions_of(run, number)] == [1, 1, 1]
    await run.answer("ux", asked.id)
    assert [d.choice for d in await decisions_of(run, number)] == ["old", "old", "old"]


async def test_the_words_of_the_options_do_not_decide_whose_rule_holds(run: Run) -> None:
    options = [{"key": k, "label": k, "consequence": "c"} for k in ("performance", "calm")]
    raised = [
        decision(kind="component_design", topic="the list", options=options, recommended="performance"),
        decision(kind="layout", domain="ux", topic="the list", options=options, recommended="calm"),
    ]
    await run.add(until="P1")

    await run.start(Scripted(decomposer=saying("decomposer", *raised)))
    await run.settle()

    assert [q.kind for q in await run.questions()] == ["conflict"]


async def test_a_rule_does_not_give_a_side_what_it_never_offered(run: Run) -> None:
    other = [{"key": k, "label": k, "consequence": "c"} for k in ("rows", "cards")]
    raised = [
        decision(kind="component_design", topic="performance of the list"),
        decision(kind="layout", domain="ux", topic="performance of the list", options=other, recommended="rows"),
    ]
    await run.add(until="P1")

    await run.start(Scripted(decomposer=saying("decomposer", *raised)))
    await run.settle()

    (asked,) = await run.questions()
    assert asked.details["rule"] == "rows is none of the options of component_design"


async def test_options_without_a_key_of_their_own_and_a_strange_recommendation_are_left_out(run: Run) -> None:
    options = [
        {"key": "new", "label": "first", "consequence": "c"},
        {"key": "new", "label": "second", "consequence": "c"},
        {"key": "", "consequence": "c"},
        "old",
    ]
    number = await run.add(until="P1")

    await run.start(Scripted(decomposer=saying("decomposer", decision(options=options, recommended="bogus"))))
    await run.settle()

    (made,) = await decisions_of(run, number)
    assert [o["label"] for o in made.options] == ["first"]
    assert (made.recommended, made.choice) == (None, "new")


async def test_an_option_that_an_agent_calls_reject_ends_nothing(run: Run) -> None:
    options = [{"key": "reject", "label": "Reject the ORM", "consequence": "Plain SQL is written."}]
    number = await run.add(until="I1")
    await run.start(Scripted(decomposer=saying("decomposer", decision(kind="security", options=options))))
    await run.settle()

    await run.answer("reject")
    await run.settle()

    assert (await run.outcomes(number))[-1] == ("I1", 1, "passed")


async def test_a_decision_in_dispute_is_not_taken_back_beside_it(run: Run) -> None:
    raised = [
        decision(kind="component_design", topic="the colour"),
        decision(kind="layout", domain="ux", topic="the colour", recommended="old"),
    ]
    number = await run.add(until="P1")
    await run.start(Scripted(decomposer=saying("decomposer", *raised)))
    await run.settle()
    (first, _) = await decisions_of(run, number)

    with pytest.raises(UsageError, match="is in dispute; answer escalation 1"):
        await run.ws.store.write(lambda tx: reversal.reverse(tx, first.id, by="ada", reason="no"))


async def test_the_same_topic_in_dispute_again_after_an_answer_is_asked_afresh(run: Run) -> None:
    raised = [
        decision(kind="component_design", topic="the colour"),
        decision(kind="layout", domain="ux", topic="the colour", recommended="old"),
    ]
    again = [{**d, "question": "And in the footer?"} for d in raised]
    number = await run.add(until="P1")
    script = Scripted(
        decomposer=saying("decomposer", *[{**d, "blocks": "P1"} for d in raised]),
        estimator=saying("estimator", *[{**d, "blocks": "I1"} for d in again]),
    )
    await run.start(script)
    await run.settle()
    await run.answer("neither")
    await run.settle()

    found = await run.ws.store.read(lambda r: reads_governance.conflicts(r, work_item=number))
    assert [c.resolved_at is None for c in found] == [True, False]
    assert [q.blocks for q in await run.questions()] == ["I1"]


async def test_a_decision_that_is_being_asked_is_not_settled_by_a_lower_figure(run: Run) -> None:
    number = await run.add(until="I1")
    grave, slight = (decision(question="Redis?", impact=impact) for impact in (9, 5))
    script = Scripted(decomposer=saying("decomposer", grave), estimator=saying("estimator", slight))
    await run.start(script)
    await run.settle()
    (asked,) = await run.questions()
    assert (asked.count, asked.urgency, script.calls["technical"]) == (2, "IMMEDIATE", 0)

    await run.answer("old")
    await run.settle()

    assert [(d.impact, d.choice, d.decided_by) for d in await decisions_of(run, number)] == [
        (9, "old", "ada"),
        (5, "old", "ada"),
    ]
    told = script.requests["code-implementer"][0].context["decisions"]
    assert {d["choice"] for d in told} == {"old"}


PRICES = [{"key": key, "label": key, "consequence": "c"} for key in ("free", "paid")]


def differing(topic: str, **changes: Any) -> tuple[Json, Json]:
    """Decisions of two owners, each by its own authority, that want different things."""
    ours = decision(kind="component_design", topic=topic, **changes)
    return ours, decision(kind="layout", domain="ux", topic=topic, recommended="old", **changes)


async def test_a_grave_decision_with_other_answers_is_asked_beside_the_conflict(run: Run) -> None:
    pricing = decision(
        kind="pricing", domain="strategy", topic="the list", impact=10, options=PRICES, recommended="free", blocks="P1"
    )
    number = await run.add(until="I1")

    await run.start(Scripted(decomposer=saying("decomposer", *differing("the list"), pricing)))
    await run.settle()

    grave, conflict = await run.questions()
    assert (grave.kind, grave.urgency, grave.blocks) == ("decision", "IMMEDIATE", "P1")
    assert [o["key"] for o in grave.options] == ["free", "paid"]
    assert (conflict.kind, conflict.urgency) == ("conflict", "DAILY")
    assert (await run.outcomes(number))[-1] == ("P1", 1, None)
    await run.answer("technical", conflict.id)
    await run.settle()
    assert [d.choice for d in await decisions_of(run, number)] == ["new", "new", None]
    await run.answer("paid", grave.id)
    await run.settle()
    assert [d.choice for d in await decisions_of(run, number)] == ["new", "new", "paid"]
    assert not await run.questions()
    assert (await run.outcomes(number))[-1] == ("I1", 1, "passed")


async def test_a_further_owner_widens_the_question_and_voids_what_was_shown_before(run: Run) -> None:
    further = decision(kind="campaign", domain="gtm", topic="the list", impact=10, blocks="P1")
    number = await run.add(until="I1")
    shown: list[str] = []

    async def looking_first(_: AgentRequest) -> AgentResponse:
        shown.extend(q.payload_digest for q in await run.questions())
        return succeeded("estimator", OUTPUTS["estimator"], decisions=[further])

    await run.start(Scripted(decomposer=saying("decomposer", *differing("the list")), estimator=looking_first))
    await run.settle()

    (asked,) = await run.questions()
    assert (asked.kind, asked.urgency, asked.blocks, asked.details["impact"]) == ("conflict", "IMMEDIATE", "P1", 10)
    assert asked.question.endswith("technical is for new, ux is for old, gtm is for new")
    assert [o["key"] for o in asked.options] == ["technical", "ux", "gtm", "neither"]
    with pytest.raises(UsageError, match="has changed since it was shown"):
        await run.answer("technical", shown_digest=shown[0])
    await run.answer("gtm")
    await run.settle()
    assert [(d.choice, d.decided_by) for d in await decisions_of(run, number)] == [("new", "ada")] * 3
    assert (await run.outcomes(number))[-1] == ("I1", 1, "passed")


async def test_a_further_owners_wish_can_be_the_answer_and_nobody_gets_what_it_never_offered(run: Run) -> None:
    third = [{"key": k, "label": k, "consequence": "c"} for k in ("old", "none")]
    further = decision(kind="campaign", domain="gtm", topic="the list", options=third, recommended="none")
    number = await run.add(until="P1")
    await run.start(Scripted(decomposer=saying("decomposer", *differing("the list"), further)))
    await run.settle()
    (asked,) = await run.questions()

    await run.answer("gtm", asked.id)
    assert [d.choice for d in await decisions_of(run, number)] == ["neither", "neither", "none"]
    await run.stop()
    await run.ws.store.write(lambda tx: life.undo(tx, asked.id, by="ada", reason="slip"))
    await run.answer("technical", asked.id)

    assert [d.choice for d in await decisions_of(run, number)] == ["new", "new", "neither"]


async def test_a_decision_of_no_domain_is_a_persons_and_in_no_conflict(run: Run) -> None:
    number = await run.add(until="P1")
    ours, theirs = differing("the list")

    await run.start(Scripted(decomposer=saying("decomposer", ours, {**theirs, "domain": "finance"})))
    await run.settle()

    assert [q.kind for q in await run.questions()] == ["decision"]
    assert [d.conflict for d in await decisions_of(run, number)] == [None, None]


async def test_a_further_owner_after_a_rule_is_answered_for_all_of_them(run: Run) -> None:
    further = decision(kind="campaign", domain="gtm", topic="performance of the list", recommended="old")
    number = await run.add(until="I1")
    script = Scripted(decomposer=saying("decomposer", *differing("performance of the list"), further))
    await run.start(script)
    await run.settle()
    (asked,) = await run.questions()
    assert asked.details["positions"] == {"technical": "new", "ux": "old", "gtm": "old"}
    assert asked.details["rule"] == "no-rule-decides"

    await run.answer("gtm")
    await run.settle()

    assert [(d.choice, d.decided_by) for d in await decisions_of(run, number)] == [("old", "ada")] * 3
    told = script.requests["code-implementer"][0].context["decisions"]
    assert [d["choice"] for d in told] == ["old", "old", "old"]


async def test_no_rule_of_two_settles_what_a_third_has_decided_too(run: Run) -> None:
    ours, theirs = differing("performance of the list")
    agreeing = decision(kind="campaign", domain="gtm", topic="performance of the list", recommended="old")
    number = await run.add(until="P1")

    await run.start(Scripted(decomposer=saying("decomposer", theirs, agreeing, ours)))
    await run.settle()

    assert [q.details["rule"] for q in await run.questions()] == ["no-rule-decides"]
    assert {d.conflict for d in await decisions_of(run, number)} == {1}


async def test_an_answer_is_not_taken_back_once_its_decisions_are_in_dispute_anew(run: Run) -> None:
    further = decision(kind="campaign", domain="gtm", topic="the list", blocks="E1")
    number = await run.add(until="P1")

    async def answered_first(_: AgentRequest) -> AgentResponse:
        await run.answer("ux", 1)
        return succeeded("estimator", OUTPUTS["estimator"], decisions=[further])

    ours_and_theirs = differing("the list", blocks="E1")
    await run.start(Scripted(decomposer=saying("decomposer", *ours_and_theirs), estimator=answered_first))
    await run.settle()
    (asked,) = await run.questions()
    assert {d.conflict for d in await decisions_of(run, number)} == {2}

    with pytest.raises(UsageError, match="part of a later conflict about the list in work item 1"):
        await run.ws.store.write(lambda tx: life.undo(tx, 1, by="ada", reason="slip"))

    await run.answer("gtm", asked.id)
    assert [d.choice for d in await decisions_of(run, number)] == ["new", "new", "new"]
