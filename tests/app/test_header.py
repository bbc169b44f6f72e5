"""The header tells what presses, and says so loudly when the engine does not go on."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from core.contract import ApmError
from core.governance.escalations import resolve
from core.store.schema import Budget, Counter
from core.store.transaction import MS_PER_DAY, Transaction
from tests.app.driving import SMALL, USUAL, WIDE, Driving, app_in, lines_of, notices, opened, press, screen_text, settle
from tests.app.seeding import HOUR, MORNING, SeededWorkspace
from tui.widgets.top_line import TopLine


@dataclass
class Faulty(Driving):
    """An engine with which something is wrong."""

    fault: BaseException | None = None


def stopped() -> Faulty:
    return Faulty(may_drive=False, fault=ApmError("Another apm has taken the lease of this workspace."))


async def test_an_engine_that_stopped_says_so_and_how_it_goes_on(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace, engine=stopped()) as pilot:
        header = lines_of(pilot.app.screen.query_one(TopLine))[0]
        assert "engine stopped: Another apm has taken the" in header
        told = [notice for notice in notices(pilot) if notice.startswith("The engine stopped.")]
        assert told == [
            "The engine stopped. Another apm has taken the lease of this workspace. What is recorded is kept. "
            "It starts again by itself while no other apm drives this workspace; if it does not, press q and start apm "
            "again."
        ]
        await press(pilot, "j", "enter")
        assert "engine stopped" in screen_text(pilot)
        assert len([n for n in notices(pilot) if n.startswith("The engine stopped.")]) == 1, "it is told once"


@pytest.mark.parametrize("size", [WIDE, USUAL, SMALL])
async def test_a_stopped_engine_shows_at_every_size(busy_workspace: SeededWorkspace, size: tuple[int, int]) -> None:
    async with opened(busy_workspace, size, engine=stopped()) as pilot:
        assert "engine stopped" in lines_of(pilot.app.screen.query_one(TopLine))[0]


async def test_an_engine_that_is_held_up_tries_again(busy_workspace: SeededWorkspace) -> None:
    engine = Faulty()
    async with opened(busy_workspace, engine=engine) as pilot:
        assert "engine" not in lines_of(pilot.app.screen.query_one(TopLine))[0]
        engine.fault = ApmError("The disk is full.")
        app_in(pilot)._tick()
        await settle(pilot)
        assert "engine held up: The disk is full." in lines_of(pilot.app.screen.query_one(TopLine))[0]
        engine.fault = None
        app_in(pilot)._tick()
        await settle(pilot)
        assert "engine" not in lines_of(pilot.app.screen.query_one(TopLine))[0]


async def test_a_question_that_was_answered_is_not_counted_any_more(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        assert "5 waiting for you" in screen_text(pilot)

        def answer(tx: Transaction) -> None:
            resolve(tx, 5, option="retry", by="grace")

        await busy_workspace.store.write(answer)
        await settle(pilot)
        assert "4 waiting for you" in screen_text(pilot)


async def test_what_comes_back_and_what_becomes_late_is_counted_without_an_event(
    busy_workspace: SeededWorkspace,
) -> None:
    async with opened(busy_workspace) as pilot:
        assert "5 waiting for you   ▲ 1 overdue" in screen_text(pilot)
        busy_workspace.clock.now = MORNING + 4 * HOUR
        app_in(pilot)._tick()
        await settle(pilot)
        assert "7 waiting for you   ▲ 1 overdue" in screen_text(pilot)
        busy_workspace.clock.now = MORNING + 23 * HOUR + HOUR // 2
        app_in(pilot)._tick()
        await settle(pilot)
        assert "▲ 2 overdue" in screen_text(pilot)


@pytest.mark.parametrize("size", [WIDE, USUAL, SMALL])
async def test_proposals_that_wait_for_a_word_are_counted_at_every_width(
    scoped: SeededWorkspace, size: tuple[int, int]
) -> None:
    async with opened(scoped, size) as pilot:
        assert "○ 5 to review" in screen_text(pilot).splitlines()[0]


async def test_the_budget_stands_beside_the_cost_once_there_is_one(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace, (140, 36)) as pilot:
        assert "$0.21 today" in screen_text(pilot)

        def set_budget(tx: Transaction) -> None:
            tx.insert(Budget, scope="day", cost=5.0, at=tx.now, by="ada", reason="")
            tx.event("budget.set")

        await busy_workspace.store.write(set_budget)
        await settle(pilot)
        assert "$0.21 of $5.00 today" in screen_text(pilot)


def spend(made: SeededWorkspace, dollars: float, tokens: int, limit: float | None, token_limit: int | None) -> None:
    def work(tx: Transaction) -> None:
        tx.execute(Counter.update(cost=0, tokens=0))
        tx.execute(
            Counter.update(cost=dollars, tokens=tokens).where(
                (Counter.agent == "ac-writer") & (Counter.day == MORNING // MS_PER_DAY)
            )
        )
        tx.insert(Budget, scope="day", cost=limit, tokens=token_limit, at=tx.now, by="ada", reason="")
        tx.event("budget.set")

    made.store.write_now(work)


@pytest.mark.parametrize(
    ("used", "told", "short", "tone"),
    [
        ((39.9, 0, 50.0, None), "$39.90 of $50.00 today", "", "dim"),
        ((41.0, 0, 50.0, None), "▲ budget nearly used: $41.00 of $50.00 today", "▲ low $41 of $50", "ask"),
        ((50.2, 0, 50.0, None), "✗ budget used up: $50.20 of $50.00 today", "✗ out $50 of $50", "bad"),
        (
            (1.0, 900_000, 50.0, 1_000_000),
            "▲ budget nearly used: 900k of 1.0M tok today",
            "▲ low 900k of 1.0M tok",
            "ask",
        ),
        ((0.0, 5_000, None, None), "5.0k tok today", "", "dim"),
    ],
)
async def test_a_budget_near_its_end_is_told_at_every_width(
    busy_workspace: SeededWorkspace,
    used: tuple[float, int, float | None, int | None],
    told: str,
    short: str,
    tone: str,
) -> None:
    spend(busy_workspace, *used)
    async with opened(busy_workspace, (160, 36)) as pilot:
        header = pilot.app.screen.query_one(TopLine)
        assert told in lines_of(header)[0]
        assert any(told.removesuffix(" today") in text and its == tone for text, its in header.halves(160)[1])
        assert short in "".join(text for text, _ in header.halves(80)[1])
        left, right = header.halves(40)
        shown = "".join(text for text, _ in (*left, *right))
        assert short.removesuffix(" tok").removeprefix("▲ low ").removeprefix("✗ out ") in shown
        assert " REPLAY " in shown
        assert len(shown) <= 40
