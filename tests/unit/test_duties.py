"""The engine's duties: what falls due is done when it does, once, late rather than never, and none holds up another."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.contract import Json
from core.governance import authority, schedules
from core.governance.escalations import Option, Question, raise_question
from core.governance.scope import deciding
from core.governance.scope.asking import propose
from core.orchestration import duties, lease
from core.orchestration.duties import Duties
from core.orchestration.lease import HeldStore, LeaseLost
from core.registry.catalog import Catalog, default_path, load
from core.registry.schema import Schedules
from core.store import reads, reads_governance, rows
from core.store.rows_governance import ScheduleRow
from core.store.schema import Lease
from core.store.store import Store
from core.store.transaction import Transaction
from tests.fresh import fresh_workspace

DAY_MS = 86_400_000
SETTLED_SECONDS = 20


def moment(text: str) -> int:
    """Milliseconds of a wall clock's reading in Berlin."""
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin")).timestamp() * 1000)


@cache
def team() -> Catalog:
    """The team that comes with apm, its schedules in Berlin's time."""
    found = load(default_path())
    times = Schedules(timezone="Europe/Berlin")
    return replace(found, defaults=found.defaults.model_copy(update={"schedules": times}))


def question(subject: str, urgency: str = "DAILY") -> Question:
    options = (Option("yes", "Yes", "It goes on."), Option("no", "No", "It stays."))
    return Question("gate", {"s": subject}, subject, urgency, options, "yes", ("definition-orch",))


@dataclass
class Clock:
    """Stands still at `now`, or runs on from it."""

    now: int
    since: float | None = None

    def __call__(self) -> int:
        return self.now if self.since is None else self.now + round((time.monotonic() - self.since) * 1000)

    def run(self) -> None:
        self.since = time.monotonic()


@dataclass
class Watch:
    """Whoever has the duties of a workspace, and what they told."""

    store: Store
    state: Path
    clock: Clock
    held: HeldStore
    told: list[str] = field(default_factory=list)
    following: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.duties = Duties(self.held, self.state, team, self.told.append)

    async def at(self, text: str) -> None:
        """Look once, with the clock put to this reading."""
        self.clock.now = moment(text)
        await self.duties.run_due()

    def ask(self, subject: str, urgency: str = "DAILY") -> int:
        return self.store.write_now(lambda tx: raise_question(tx, question(subject, urgency)))

    def escalation(self, number: int) -> rows.EscalationRow:
        found = self.store.read_now(lambda r: reads.escalation(r, number))
        assert found is not None
        return found

    def events(self, kind: str) -> list[Json]:
        return [e.payload for e in self.store.read_now(lambda r: reads.events(r, limit=10_000)) if e.kind == kind]

    def schedule(self, name: str) -> ScheduleRow:
        row = self.store.read_now(lambda r: schedules.schedule(r, name))
        assert row is not None
        return row

    def follow(self) -> None:
        self.following = asyncio.create_task(self.duties.follow())

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(SETTLED_SECONDS):
            while not condition():  # noqa: ASYNC110 — what is waited for has no event of ours
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        if self.following is not None:
            self.duties.stop()
            async with asyncio.timeout(SETTLED_SECONDS):
                await self.following


@pytest.fixture
async def watch(tmp_path: Path) -> AsyncIterator[Watch]:
    fresh_workspace(tmp_path / "ws")
    state, clock = tmp_path / "ws" / "state", Clock(moment("2026-11-20 12:00"))
    with Store.open(state, clock=clock) as store:
        held = await store.write(lease.take)
        watch = Watch(store, state, clock, HeldStore(store, lambda: held))
        yield watch
        await watch.stop()


async def test_a_deadline_that_has_passed_is_acted_on(watch: Watch) -> None:
    asked = watch.ask("Which store?")
    await watch.duties.run_due()
    assert watch.escalation(asked).urgency == "DAILY"
    await watch.at("2026-11-21 12:01")
    assert watch.escalation(asked).urgency == "IMMEDIATE"


async def test_many_deadlines_at_once_are_all_acted_on_in_one_look(watch: Watch) -> None:
    questions = [question(f"question {n}?") for n in range(600)]
    watch.store.write_now(lambda tx: [raise_question(tx, asked) for asked in questions])
    await watch.at("2026-11-21 12:01")
    counted = watch.store.read_now(lambda r: r.sql("SELECT urgency, COUNT(*) FROM escalations GROUP BY urgency"))
    assert counted == [("IMMEDIATE", 600)]


async def test_a_rejection_by_a_clock_that_was_ahead_cools_down_no_longer_than_any_other(watch: Watch) -> None:
    def reject(tx: Transaction) -> None:
        proposal = propose(tx, "technical", "api_endpoints", "escalate", by="ada", reason="too often wrong")
        deciding.reject(tx, proposal, by="ada", reason="not yet")

    watch.clock.now += 400 * DAY_MS
    watch.store.write_now(reject)

    await watch.at("2026-11-21 12:00")
    await watch.at("2026-11-21 12:01")

    [row] = watch.store.read_now(reads_governance.scope_proposals)
    assert row.cool_down_until == moment("2026-11-21 12:00") + deciding.COOL_DOWN_MS
    assert len(watch.events("scope.rescheduled")) == 1


async def test_the_day_s_briefing_is_made_and_sent_at_its_time(watch: Watch) -> None:
    await watch.duties.run_due()
    await watch.at("2026-11-21 07:59")
    assert watch.events("briefing.made") == []
    await watch.at("2026-11-21 08:00")
    await watch.at("2026-11-21 08:01")
    (made,) = watch.events("briefing.made")
    assert made["send"] is True


async def test_the_week_s_review_is_held_at_its_time(watch: Watch) -> None:
    await watch.duties.run_due()
    for text in ("2026-11-22 09:00", "2026-11-23 09:00", "2026-11-23 09:01"):
        await watch.at(text)
    review = watch.store.read_now(reads_governance.scope_review)
    assert review is not None
    assert (review.id, review.requested_by, review.at) == (1, "schedule", moment("2026-11-23 09:00"))


async def test_a_machine_that_slept_for_a_month_owes_one_briefing_and_one_review(watch: Watch) -> None:
    await watch.duties.run_due()
    await watch.at("2026-12-20 15:00")
    await watch.at("2026-12-20 15:01")
    assert len(watch.events("briefing.made")) == 1
    assert len(watch.events("scope.reviewed")) == 1
    assert watch.schedule(schedules.DAILY_BRIEFING).next_at == moment("2026-12-21 08:00")
    assert watch.schedule(schedules.WEEKLY_SCOPE_REVIEW).next_at == moment("2026-12-21 09:00")


async def test_a_duty_that_fails_keeps_its_error_and_stops_no_other(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.governance import briefing

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("no \x1b[31mink")

    await watch.duties.run_due()
    keep = briefing.keep
    monkeypatch.setattr(briefing, "keep", broken)
    asked = watch.ask("Which store?")
    await watch.at("2026-11-23 12:00")
    assert watch.schedule(schedules.DAILY_BRIEFING).error == "RuntimeError: no ink"
    assert len(watch.events("scope.reviewed")) == 1
    assert watch.escalation(asked).urgency == "IMMEDIATE"

    monkeypatch.setattr(briefing, "keep", keep)
    await watch.at("2026-11-23 12:04")
    assert watch.events("briefing.made") == []
    await watch.at("2026-11-23 12:05")
    assert len(watch.events("briefing.made")) == 1
    assert watch.schedule(schedules.DAILY_BRIEFING).error == ""


async def test_a_duty_that_no_schedule_drives_may_fail_and_stops_no_other(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.governance import clock

    def broken(*_: Any) -> Any:
        raise RuntimeError("no deadline today")

    monkeypatch.setattr(clock, "sweep", broken)
    monkeypatch.setattr(clock, "next_moment", broken)
    await watch.duties.run_due()
    await watch.at("2026-11-21 08:00")
    assert len(watch.events("briefing.made")) == 1


async def test_who_has_lost_the_lease_does_nothing(watch: Watch) -> None:
    await watch.duties.run_due()

    def take_over(tx: Transaction) -> None:
        tx.execute(Lease.update(holder="elsewhere:1:0.00", pid=1, fence=99, heartbeat_at=tx.now))

    watch.store.write_now(take_over)
    with pytest.raises(LeaseLost):
        await watch.at("2026-11-21 08:00")
    assert watch.events("briefing.made") == []
    watch.follow()
    assert watch.following is not None
    async with asyncio.timeout(SETTLED_SECONDS):
        await watch.following


async def test_a_question_is_told_as_soon_as_the_duties_are_woken(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duties, "LONGEST_WAIT_SECONDS", 3600.0)
    await watch.duties.run_due()
    watch.follow()
    watch.ask("Which store?", "IMMEDIATE")
    watch.duties.wake()
    await watch.until(lambda: any("Which store?" in line for line in watch.told))


async def test_a_schedule_comes_without_being_woken(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duties, "LONGEST_WAIT_SECONDS", 3600.0)
    await watch.duties.run_due()
    watch.clock.now = moment("2026-11-21 08:00") - 700
    watch.clock.run()
    watch.follow()
    await watch.until(lambda: len(watch.events("briefing.made")) == 1)


async def test_a_clock_that_is_put_forward_is_noticed_without_being_told(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duties, "LONGEST_WAIT_SECONDS", 0.3)
    watch.follow()
    await watch.until(lambda: watch.store.read_now(schedules.next_moment) is not None)
    watch.clock.now = moment("2026-11-21 10:00")
    await watch.until(lambda: len(watch.events("briefing.made")) == 1)


async def test_a_delivery_that_does_not_end_holds_up_nothing(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.governance.notices import delivery

    begun = asyncio.Event()

    async def hang(*_: Any, **__: Any) -> Any:
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(delivery, "deliver", hang)
    asked = watch.ask("Which store?")
    watch.follow()
    async with asyncio.timeout(SETTLED_SECONDS):
        await begun.wait()
    watch.clock.now = moment("2026-11-21 12:01")
    watch.duties.wake()
    await watch.until(lambda: watch.escalation(asked).urgency == "IMMEDIATE")
    entry = {"authority": {"agent": "technical", "kind": "db_schema", "mode": "escalate"}, "reason": "too early"}
    draft = watch.state / "draft"
    draft.write_text(json.dumps({"decided_by": "ada", "decisions": [entry]}), encoding="utf-8")
    draft.rename(watch.state / "inbox" / "monday.json")
    await watch.until((watch.state / "inbox" / "applied" / "monday.json").is_file)
    granted = watch.store.read_now(lambda r: authority.in_force(r, "technical", "db_schema"))
    assert granted is not None
    assert granted.mode == "escalate"


async def test_a_delivery_that_fails_is_tried_again(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.governance.notices import delivery

    deliver = delivery.deliver
    failed: list[bool] = []

    async def fail_once(*arguments: Any, **more: Any) -> Any:
        if not failed:
            failed.append(True)
            raise RuntimeError("no route")
        return await deliver(*arguments, **more)

    monkeypatch.setattr(duties, "REST_SECONDS", 0.01)
    monkeypatch.setattr(delivery, "deliver", fail_once)
    watch.follow()
    await watch.until(lambda: bool(failed))
    watch.ask("Which store?", "IMMEDIATE")
    watch.duties.wake()
    await watch.until(lambda: any("Which store?" in line for line in watch.told))


async def test_the_duties_end_when_they_are_stopped_and_can_be_followed_again(watch: Watch) -> None:
    for _ in range(2):
        watch.follow()
        await watch.until(lambda: watch.store.read_now(schedules.next_moment) is not None)
        await watch.stop()
    names = {task.get_name() for task in asyncio.all_tasks()}
    assert not names & {"apm-deadlines", "apm-delivery", "apm-inbox", "apm-stop"}


async def test_an_idle_look_leaves_nothing_in_the_journal(watch: Watch) -> None:
    for _ in range(2):
        await watch.duties.run_due()
    before = watch.store.read_now(lambda r: reads.events(r, limit=10_000))
    await watch.duties.run_due()
    assert watch.store.read_now(lambda r: reads.events(r, limit=10_000)) == before
