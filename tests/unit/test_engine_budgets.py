"""The engine where agents cost money: it pauses and asks, waits for providers, and pays for nothing twice."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from core.agents.session import OverBudget, Session, Turn, Usage
from core.contract import AgentResponse, Status
from core.governance import budgets
from core.orchestration import sessions, work_items
from core.orchestration.engine import Engine
from core.store import reads_team
from core.store.schema import Spend
from core.workspace import Workspace
from tests.unit.engine_run import Run
from tests.unit.paid import Paid, costing, limit


async def test_a_used_up_budget_pauses_the_work_item_and_asks(workspace: Workspace, run: Run) -> None:
    limit(workspace, "work_item: {dollars: 1, tokens: null}")
    paid = Paid(spending={"intent-triage": costing(0.75), "problem-framer": costing(0.5)})
    number = await run.add()

    await run.start(paid)
    await run.settle()

    [asked] = await run.questions()
    assert (asked.kind, asked.work_item, asked.blocks, asked.chain[-1]) == ("budget", number, "D1", "problem-framer")
    assert paid.calls["problem-framer"] == 0
    assert (await run.item(number)).state == "waiting"


async def test_it_goes_on_once_a_person_allows_more_and_pays_nothing_twice(workspace: Workspace, run: Run) -> None:
    limit(workspace, "work_item: {dollars: 1, tokens: null}")
    paid = Paid(spending={"intent-triage": costing(0.75), "problem-framer": costing(0.5)})
    number = await run.add()
    await run.start(paid)
    await run.settle()

    await run.answer("allow")
    await run.settle()

    assert await run.outcomes(number) == [("D1", 1, "passed")]
    assert (paid.calls["intent-triage"], paid.calls["problem-framer"]) == (1, 1)
    assert await workspace.store.read(lambda r: reads_team.cost_of_day(r, workspace.store.clock()).dollars) == 1.25


async def test_stopping_ends_the_work_item(workspace: Workspace, run: Run) -> None:
    limit(workspace, "work_item: {dollars: 1, tokens: null}")
    number = await run.add()
    await run.start(Paid(spending={"intent-triage": costing(2)}))
    await run.settle()

    await run.answer("stop")
    await run.settle()

    assert (await run.item(number)).state == "cancelled"


@pytest.mark.parametrize(("setting", "ends"), [("finish", "finished"), ("cancel", "cancelled")])
async def test_what_runs_beside_it_is_finished_or_cancelled_as_is_set(
    workspace: Workspace, run: Run, setting: str, ends: str
) -> None:
    limit(workspace, "work_item: {dollars: 1, tokens: null}")
    limit(workspace, f"when_reached: {setting}")
    running, refused, ended = asyncio.Event(), asyncio.Event(), []

    async def slow(session: Session) -> None:
        running.set()
        try:
            if setting == "finish":
                await refused.wait()
            else:
                await asyncio.Event().wait()
            ended.append("finished")
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    async def greedy(session: Session) -> None:
        await running.wait()
        try:
            await costing(2)(session)
        finally:
            refused.set()

    await run.add()
    await run.start(Paid(spending={"value-articulator": slow, "risk-notary": greedy}))
    await run.settle()

    assert ended == [ends]
    assert [q.kind for q in await run.questions()] == ["budget"]


@pytest.mark.parametrize("how", ["cancelled", "answered to stop"])
async def test_what_still_runs_for_a_work_item_that_is_ended_is_cancelled_at_once(
    workspace: Workspace, run: Run, how: str
) -> None:
    limit(workspace, "work_item: {dollars: 1, tokens: null}")
    running, ended = asyncio.Event(), []

    async def slow(session: Session) -> None:
        held = await session.reserve("anthropic", "m", tokens=10, dollars=0.1)
        running.set()
        try:
            await asyncio.Event().wait()
        finally:
            await session.settle(held, Usage(input=5, dollars=0.05))
            ended.append("ended")

    async def greedy(session: Session) -> None:
        await running.wait()
        await costing(2)(session)

    number = await run.add()
    await run.start(Paid(spending={"value-articulator": slow, "risk-notary": greedy}))
    await running.wait()
    async with asyncio.timeout(20):
        while not (asked := await run.questions()):  # noqa: ASYNC110 (the engine tells nobody of a question)
            await asyncio.sleep(0)

    if how == "cancelled":
        await workspace.store.write(lambda tx: work_items.cancel(tx, number, "ada"))
    else:
        assert [q.kind for q in asked] == ["budget"]
        await run.answer("stop")
    async with asyncio.timeout(20):
        await run.settle()

    assert ended == ["ended"]
    assert (await run.item(number)).state == "cancelled"
    assert await workspace.store.read(lambda r: r.rows(Spend.select(Spend.id).where(Spend.settled_at.is_null()))) == []


async def test_a_runtime_that_stops_by_its_own_cap_has_the_budget_asked_about_that_it_came_from(
    workspace: Workspace, run: Run
) -> None:
    """Claude Code counts for itself, against what was left of all budgets when it began."""
    limit(workspace, "work_item: {dollars: 2, tokens: null}")

    async def capped(session: Session) -> None:
        held = await session.reserve("claude-code", "m", tokens=100, dollars=2)
        await session.settle(held, Usage(input=60, dollars=1.99))
        found = {"scope": "delegation", "unit": "dollars", "limit": 2.0, "spent": 1.99, "needed": 0.0}
        raise OverBudget("Claude Code has spent $1.99 of the $2.00 it may spend.", found)

    number = await run.add()
    script = Paid(spending={"intent-triage": capped})
    await run.start(script)
    await run.settle()

    [asked] = await run.questions()
    told = asked.details["budget"]
    assert (asked.kind, told["scope"], told["limit"], told["spent"]) == ("budget", "work_item", 2.0, 1.99)
    script.spending.clear()
    await run.answer("allow")
    await run.settle()
    assert await run.outcomes(number) == [("D1", 1, "passed")]


async def test_an_agent_cannot_raise_what_it_may_spend(workspace: Workspace, run: Run) -> None:
    """Whatever an answer claims about budgets is an answer, and nothing more."""
    limit(workspace, "work_item: {dollars: 1, tokens: null}")
    script = Paid(spending={"problem-framer": costing(2)})
    script.answers["intent-triage"] = lambda request: AgentResponse(
        "intent-triage",
        {"classification": {"type": "bug", "domain": "x", "complexity": "low"}, "budget": {"dollars": 1e6}},
        status=Status.SUCCESS,
        metadata={"budgets": {"work_item": None}, "cost": -1e9, "tokens": -5},
    )
    await run.add()
    await run.start(script)
    await run.settle()

    assert [q.kind for q in await run.questions()] == ["budget"]


async def test_calls_that_a_killed_engine_left_open_count_at_their_most(workspace: Workspace, run: Run) -> None:
    hangs = asyncio.Event()

    async def hang(session: Session) -> None:
        await session.reserve("anthropic", "m", tokens=100, dollars=2.5)
        hangs.set()
        await asyncio.Event().wait()

    number = await run.add()
    await run.start(Paid(spending={"intent-triage": hang}))
    await hangs.wait()
    await run.stop()

    await run.start(Paid())
    await run.settle()

    spender = budgets.Spender(number, "D1", 1, "intent-triage")
    used = await workspace.store.read(lambda r: budgets.spent(r, "work_item", spender, workspace.store.clock()))
    assert (used.dollars, used.settled_dollars, used.lost) == (2.5, 0.0, 1)


async def test_turns_taken_before_a_kill_are_there_afterwards(workspace: Workspace, run: Run) -> None:
    kept = asyncio.Event()
    again: list[Turn] = []

    async def first(session: Session) -> None:
        await session.keep("reply", {"text": "I have read it; the key is sk-ant-api03-abcdefghijklmnop"})
        kept.set()
        await asyncio.Event().wait()

    async def second(session: Session) -> None:
        again.extend(await session.turns())
        await session.keep("reply", {"text": "done"})

    await run.add()
    await run.start(Paid(spending={"intent-triage": first}))
    await kept.wait()
    await run.stop()
    await run.start(Paid(spending={"intent-triage": second}))
    await run.settle()

    assert [(t.number, t.kind, t.content) for t in again] == [
        (1, "reply", {"text": "I have read it; the key is [redacted]"})
    ]


async def test_what_a_call_cost_is_on_record_with_whom_it_was_paid_to(workspace: Workspace, run: Run) -> None:
    number = await run.add()
    await run.start(Paid(spending={"intent-triage": costing(0.25)}))
    await run.settle()

    columns = (Spend.work_item, Spend.phase, Spend.agent, Spend.provider, Spend.model, Spend.cost, Spend.input_tokens)
    found = await workspace.store.read(lambda r: r.rows(Spend.select(*columns, Spend.request_id)))
    assert found == [(number, "D1", "intent-triage", "anthropic", "m", 0.25, 60, "req_1")]


async def test_what_runs_tells_its_tokens_and_dollars_as_they_come(workspace: Workspace, run: Run) -> None:
    seen: list[Any] = []

    async def chatty(session: Session) -> None:
        held = await session.reserve("anthropic", "m", tokens=100, dollars=1.0)
        session.show("thinks", Usage(input=10, dollars=0.1))
        assert isinstance(run.engine, Engine)
        seen.extend(run.engine.live().delegations)
        await session.settle(held, Usage(input=10, output=5, dollars=0.2))

    await run.add()
    await run.start(Paid(spending={"intent-triage": chatty}))
    await run.settle()

    assert [(d["agent"], d["doing"], d["tokens"], d["dollars"]) for d in seen] == [("intent-triage", "thinks", 10, 0.1)]


class OneBeside:
    """A call that holds most of a budget of $1 until the other one was `refused`, and then uses little of it."""

    def __init__(self) -> None:
        self._reserved, self.refused = asyncio.Event(), asyncio.Event()

    async def holds(self, session: Session) -> None:
        held = await session.reserve("anthropic", "m", tokens=100, dollars=0.7)
        self._reserved.set()
        await self.refused.wait()
        await session.settle(held, Usage(input=60, output=40, dollars=0.1))

    async def has_no_room(self, session: Session) -> None:
        """The other one's call, begun when the first holds what it takes."""
        await self._reserved.wait()
        await costing(0.6)(session)


async def test_a_call_waits_for_one_beside_it_that_uses_less_than_it_reserved(workspace: Workspace, run: Run) -> None:
    limit(workspace, "work_item: {dollars: 1, tokens: null}")
    beside = OneBeside()

    async def patient(session: Session) -> None:
        engine = run.engine
        assert engine is not None

        def look() -> None:
            """Its line says that it waits; then what it waits for may end."""
            if any("waits for a call" in str(one.get("doing")) for one in engine.live().delegations):
                beside.refused.set()

        engine.on_live(look)
        await beside.has_no_room(session)

    number = await run.add()
    await run.start(Paid(spending={"value-articulator": beside.holds, "risk-notary": patient}))
    await run.settle()

    assert not await run.questions()
    assert await run.outcomes(number) == [("D1", 1, "passed")]


async def test_a_call_that_waits_in_vain_for_one_beside_it_asks(
    workspace: Workspace, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "PATIENCE", 0.0)
    limit(workspace, "work_item: {dollars: 1, tokens: null}")
    beside = OneBeside()

    async def hasty(session: Session) -> None:
        try:
            await beside.has_no_room(session)
        finally:
            beside.refused.set()

    await run.add()
    await run.start(Paid(spending={"value-articulator": beside.holds, "risk-notary": hasty}))
    await run.settle()

    [asked] = await run.questions()
    assert (asked.kind, asked.details["budget"]["held"]) == ("budget", 0.7)
