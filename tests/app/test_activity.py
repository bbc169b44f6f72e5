"""The activity: every command with how it ended, every call of an agent with what is known of its cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from core.store.reads_activity import CallRow, CommandRow
from tests.app.driving import SMALL, USUAL, Driving, app_in, lines_of, opened, press, screen_text, settle
from tests.app.records import go_to, in_utc, seed_commands
from tests.app.seeding import MORNING, SECOND, SeededWorkspace
from tui.screens.records.activity import Activity, ActivityText
from tui.screens.work.detail import DelegationDetail
from tui.widgets.record_line import RecordLine


@pytest.fixture(autouse=True)
def utc() -> Iterator[None]:
    with in_utc():
        yield


@pytest.fixture
def ran(busy_workspace: SeededWorkspace) -> SeededWorkspace:
    seed_commands(busy_workspace)
    return busy_workspace


def commands(pilot: Any) -> list[str]:
    """The programs in the list of commands, the newest first."""
    rows: list[CommandRow] = list(pilot.app.screen.pane("commands").rows)
    return [row.command[0].rpartition("/")[2] for row in rows]


def calls(pilot: Any) -> list[CallRow]:
    return list(pilot.app.screen.pane("calls").rows)


def detail(pilot: Any) -> str:
    return "\n".join(lines_of(pilot.app.screen.query_one(ActivityText)))


async def test_every_command_is_there_with_how_it_ended(ran: SeededWorkspace) -> None:
    async with opened(ran) as pilot:
        app_in(pilot).action_go("activity")
        await settle(pilot)
        shown = screen_text(pilot)
        assert commands(pilot) == ["run", "cargo", "make", "git", "python", "python"]
    for ended in ("✗ signal 9", "✗ no exit", "✗ timed out", "✓ exit 0", "✗ exit 1"):
        assert ended in shown


async def test_the_detail_holds_all_that_was_kept(ran: SeededWorkspace) -> None:
    async with opened(ran) as pilot:
        await go_to(pilot, Activity())
        await press(pilot, "j", "j", "j", "j")
        shown = detail(pilot)
    assert "python -m ruff check ." in shown
    assert "exit 1   840 ms" in shown
    assert "ruff 0.17.5" in shown
    assert "state/worktrees/ledger/6" in shown
    assert "rows.py:1: E501" in shown
    assert "2026-03-02 07:30:00 UTC" in shown


async def test_what_printed_nothing_and_what_never_ran_say_so(ran: SeededWorkspace) -> None:
    async with opened(ran) as pilot:
        await go_to(pilot, Activity())
        await press(pilot, "j")
        assert "it never started, or apm stopped it" in " ".join(detail(pilot).split())
        await press(pilot, "j")
        assert "stopped at the time limit" in " ".join(detail(pilot).split())
        await press(pilot, "j")
        assert "It printed nothing." in detail(pilot)


async def test_f_shows_only_what_failed_and_everything_again(ran: SeededWorkspace) -> None:
    async with opened(ran) as pilot:
        await go_to(pilot, Activity())
        await press(pilot, "f")
        assert "only what failed" in screen_text(pilot)
        assert "git" not in commands(pilot)
        assert len(commands(pilot)) == 5
        assert [row.delegation.status for row in calls(pilot)] == ["FAILURE"]
        await press(pilot, "escape")
        assert len(commands(pilot)) == 6


@pytest.mark.parametrize(
    ("filter_text", "found"),
    [
        ("failed !cargo", ["run", "make", "python", "python"]),
        ("ruff", ["python"]),
        ("done", ["git"]),
        ("#6 pytest", ["python"]),
        ("static-analyzer ledger", ["run", "cargo", "make", "git", "python"]),
        ("timed", ["make"]),
        ("!failed", ["git"]),
        ("nothing-like-it", []),
    ],
)
async def test_a_filter_finds_commands(ran: SeededWorkspace, filter_text: str, found: list[str]) -> None:
    async with opened(ran) as pilot:
        await go_to(pilot, Activity())
        await press(pilot, "slash", *(key_of(c) for c in filter_text))
        assert commands(pilot) == found


def key_of(character: str) -> str:
    return {"!": "exclamation_mark", " ": "space", "#": "number_sign", "-": "minus"}.get(character, character)


async def test_what_a_call_cost_is_told_where_it_is_known(ran: SeededWorkspace) -> None:
    async with opened(ran) as pilot:
        await go_to(pilot, Activity())
        await press(pilot, "2", "slash", *map(key_of, "code-reviewer"), "enter")
        shown = detail(pilot)
    assert "some-model-4" in shown
    assert "12,345" in shown
    assert "$0.0042" in shown


async def test_what_is_not_measured_says_so(ran: SeededWorkspace) -> None:
    async with opened(ran) as pilot:
        await go_to(pilot, Activity())
        await press(pilot, "2", "slash", *map(key_of, "test-runner"), "enter")
        assert detail(pilot).count("not measured") == 2
        assert "none named" in detail(pilot)


async def test_enter_opens_what_was_asked_and_answered(ran: SeededWorkspace) -> None:
    async with opened(ran) as pilot:
        await go_to(pilot, Activity())
        await press(pilot, "2", "slash", *map(key_of, "code-reviewer"), "enter", "enter")
        assert isinstance(pilot.app.screen, DelegationDetail)


async def test_enter_on_a_command_goes_to_its_output(ran: SeededWorkspace) -> None:
    async with opened(ran) as pilot:
        await go_to(pilot, Activity())
        await press(pilot, "enter")
        assert pilot.app.focused is pilot.app.screen.query_one(ActivityText)


async def test_what_runs_now_stands_above_the_calls(empty_workspace: SeededWorkspace) -> None:
    engine = Driving()
    async with opened(empty_workspace, engine=engine) as pilot:
        await go_to(pilot, Activity())
        await press(pilot, "2")
        engine.run(1, "I1", "code-implementer", MORNING - 12 * SECOND)
        await settle(pilot)
        assert [row.delegation.agent for row in calls(pilot)] == ["code-implementer"]
        assert "● running" in screen_text(pilot)
        assert "12s" in screen_text(pilot)


async def test_what_runs_now_can_be_entered(busy_workspace: SeededWorkspace) -> None:
    engine = Driving()
    async with opened(busy_workspace, engine=engine) as pilot:
        await go_to(pilot, Activity())
        engine.run(7, "I1", "code-implementer", MORNING - 12 * SECOND)
        await settle(pilot)
        await press(pilot, "2", "g", "enter")
        assert isinstance(pilot.app.screen, DelegationDetail)
        assert "● running   for 12.0 s" in screen_text(pilot)


async def test_a_command_that_is_run_now_appears(empty_workspace: SeededWorkspace) -> None:
    async with opened(empty_workspace) as pilot:
        await go_to(pilot, Activity())
        assert "No command has been run yet." in screen_text(pilot)
        seed_commands(empty_workspace)
        await settle(pilot)
        assert len(commands(pilot)) == 5


@pytest.mark.parametrize(("size", "told"), [(USUAL, "today (UTC) 261 calls, no tokens measured"), (SMALL, "261 calls")])
async def test_the_screen_has_its_name_at_every_size(ran: SeededWorkspace, size: tuple[int, int], told: str) -> None:
    async with opened(ran, size) as pilot:
        await go_to(pilot, Activity())
        line = lines_of(pilot.app.screen.query_one(RecordLine))[0]
    assert line.startswith(" Activity  everything")
    assert told in line
