"""One answer for many while others write: what changes meanwhile, what is taken back, how much is written at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from core.governance import escalations
from core.store import reads, reads_triage
from core.store.transaction import Transaction
from tests.app.driving import SMALL, WIDE, app_in, notices, opened, press, screen_text, settle
from tests.app.inbox import ask
from tests.app.marking import ALL, chosen, marked, mix, plan_of, raise_again, triage_of
from tests.app.seeding import MORNING, SeededWorkspace
from tui.questions import bulk_deeds
from tui.questions.bulk import BATCH, Plan, Progress, Refusal, by_reason, do_plan, in_short, make_plan, take_back


@pytest.fixture
def mixed(empty_workspace: SeededWorkspace) -> SeededWorkspace:
    return mix(empty_workspace)


# What changes meanwhile


async def test_what_changed_since_it_was_marked_is_left(mixed: SeededWorkspace) -> None:
    async with opened(mixed) as pilot:
        await press(pilot, "t", ALL)
        await mixed.store.write(lambda tx: raise_again(tx, "Approve the change 2?"))
        await settle(pilot)
        await press(pilot, "a")
        assert (3, "changed since it was marked: look at it again") in [(r.id, r.why) for r in plan_of(pilot).refusals]
        await press(pilot, "y")
        assert 3 not in await chosen(mixed)
        assert 3 in marked(pilot)


async def test_what_changed_while_the_plan_was_read_is_refused_and_told(mixed: SeededWorkspace) -> None:
    async with opened(mixed) as pilot:
        await press(pilot, "t", ALL, "a")
        await mixed.store.write(lambda tx: raise_again(tx, "Approve the change 2?"))
        await mixed.store.write(lambda tx: escalations.resolve(tx, 1, option="approve", by="grace"))
        await press(pilot, "y")
        assert await chosen(mixed) == {
            1: ["approve"],
            2: ["approve"],
            4: ["approve"],
            **{n: ["retry"] for n in (5, 6, 7)},
        }
        assert "has changed since it was shown" in notices(pilot)[-1]
        assert "is already answered" in notices(pilot)[-1]
        assert marked(pilot) == [3, 8, 9]


# Taking it back


async def test_u_takes_all_of_it_back(mixed: SeededWorkspace) -> None:
    async with opened(mixed) as pilot:
        await press(pilot, "t", ALL, "a", "y", "u")
        assert await chosen(mixed) == {}
        assert notices(pilot)[1:] == ["7 questions open again."]
        await press(pilot, "u")
        assert "Nothing was done here" in notices(pilot)[-1]


async def test_what_cannot_be_taken_back_is_told(mixed: SeededWorkspace) -> None:
    async with opened(mixed) as pilot:
        await press(pilot, "t", ALL, "a", "y")
        await mixed.store.write(lambda tx: ask(tx, "Approve the change 0?"))
        await press(pilot, "u")
        assert notices(pilot)[-2:] == [
            "6 questions open again.",
            "1 question could not be taken back: 1 × the same is asked again as question 10; answer that one.",
        ]
        assert await chosen(mixed) == {1: ["approve"]}


async def test_it_can_be_taken_back_from_another_screen(mixed: SeededWorkspace) -> None:
    async with opened(mixed) as pilot:
        await press(pilot, "t", ALL, "a", "y", "escape", "escape", "u")
        assert await chosen(mixed) == {}


# Many


def thousands(tx: Transaction, count: int) -> None:
    """One question, so many times: each by a number of its own."""
    ask(tx, "Approve the change?")
    [columns] = tx.sql("SELECT group_concat(name, ', ') FROM pragma_table_info('escalations') WHERE name <> 'id'")
    numbers = "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
    copied = columns[0].replace("key", "key || i", 1)
    tx.sql(f"INSERT INTO escalations ({columns[0]}) {numbers} SELECT {copied} FROM escalations, n", (count,))


async def test_ten_thousand_are_marked_planned_and_stopped_on_the_way(empty_workspace: SeededWorkspace) -> None:
    made = empty_workspace
    made.store.write_now(lambda tx: thousands(tx, 10_000))
    async with opened(made) as pilot:
        await press(pilot, "t", ALL)
        assert triage_of(pilot).inbox.mark_count == 10_000
        await press(pilot, "a")
        assert plan_of(pilot).groups() == [("Approve (recommended)", 10_000, 0)]
        await pilot.press("y", "escape")
        await settle(pilot)
        answered = len(await chosen(made))
        assert 0 < answered < 10_000
        assert triage_of(pilot).inbox.count == 10_000 - answered
        assert triage_of(pilot).inbox.mark_count == 10_000 - answered
        assert notices(pilot)[-1].startswith(f"{answered} questions answered.")
        await press(pilot, "u")
        assert await chosen(made) == {}


async def plan_for(made: SeededWorkspace, numbers: list[int]) -> Plan:
    found = await made.store.read(lambda r: reads_triage.asked(r, numbers))
    return make_plan(bulk_deeds.accept("ada"), numbers, found, {}, MORNING)


async def test_it_stops_between_two_batches(empty_workspace: SeededWorkspace) -> None:
    made, count = empty_workspace, 2 * BATCH + 5
    made.store.write_now(lambda tx: thousands(tx, count))
    plan = await plan_for(made, list(range(1, count + 1)))
    progress = Progress(count)
    progress.seen = lambda: setattr(progress, "stop", True)
    outcome = await do_plan(plan, "", made.store.write, progress)
    assert [d.id for d in outcome.done] == list(range(1, BATCH + 1))
    assert outcome.left == tuple(range(BATCH + 1, count + 1))
    assert len(await chosen(made)) == BATCH


async def test_a_batch_is_one_commit(empty_workspace: SeededWorkspace) -> None:
    made, commits = empty_workspace, []
    made.store.write_now(lambda tx: thousands(tx, 2 * BATCH))
    plan = await plan_for(made, list(range(1, 2 * BATCH + 1)))
    made.store.subscribe(lambda events: commits.append(len(events)))
    await do_plan(plan, "", made.store.write, Progress(2 * BATCH))
    assert sum(commits) == 2 * BATCH
    assert len(commits) <= 4


async def test_others_write_between_two_batches(empty_workspace: SeededWorkspace) -> None:
    made, count = empty_workspace, 5 * BATCH
    made.store.write_now(lambda tx: thousands(tx, count))
    plan = await plan_for(made, list(range(1, count + 1)))
    first = asyncio.Event()
    progress = Progress(count, seen=first.set)
    doing = asyncio.create_task(do_plan(plan, "", made.store.write, progress))
    await first.wait()
    await made.store.write(lambda tx: ask(tx, "May I?"))
    assert progress.at < count
    assert len((await doing).done) == count


async def test_a_fault_of_one_leaves_the_others_done(mixed: SeededWorkspace) -> None:
    plan = await plan_for(mixed, [1, 2, 3])

    async def write(work: Callable[[Transaction], Any]) -> Any:
        def faulty(tx: Transaction) -> Any:
            found = work(tx)
            if tx.events[-1].payload.find('"escalation":2') >= 0:
                raise RuntimeError("the disk has a hole")
            return found

        return await mixed.store.write(faulty)

    outcome = await do_plan(plan, "", write, Progress(3))
    assert [d.id for d in outcome.done] == [1, 3]
    assert [(r.id, r.why) for r in outcome.failed] == [(2, "RuntimeError: the disk has a hole")]
    assert await chosen(mixed) == {1: ["approve"], 3: ["approve"]}


async def test_it_is_taken_back_the_last_first(mixed: SeededWorkspace) -> None:
    plan = await plan_for(mixed, [1, 2, 3])
    outcome = await do_plan(plan, "", mixed.store.write, Progress(3))
    order: list[int] = []
    mixed.store.subscribe(lambda events: order.extend(e.seq for e in events))
    assert await take_back(outcome.done, mixed.store.write) == (3, ())
    undone = await mixed.store.read(lambda r: reads.events(r, last=3))
    assert [event.payload["escalation"] for event in undone] == [3, 2, 1]


def test_reasons_are_told_the_most_frequent_first() -> None:
    refusals = [Refusal(1, "late"), Refusal(2, "gone"), Refusal(3, "gone"), Refusal(4, "odd"), Refusal(5, "new")]
    assert [why for why, _ in by_reason(refusals)] == ["gone", "late", "odd", "new"]
    assert in_short(refusals) == "2 × gone; 1 × late; 1 × odd; and 1 more"


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_the_keys_of_the_plan_are_in_sight(mixed: SeededWorkspace, size: tuple[int, int]) -> None:
    async with opened(mixed, size) as pilot:
        await press(pilot, "t", ALL, "a")
        assert "y do it  n leave" in screen_text(pilot)
        assert app_in(pilot).focused is not None
