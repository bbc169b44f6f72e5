"""The history: every event, whose word it was, whether the record is whole, and what it is about."""

from __future__ import annotations

import ast
import importlib
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

import core
from core.governance.escalations import resolve
from core.store.transaction import Transaction
from tests.app import money
from tests.app.driving import SMALL, USUAL, WIDE, app_in, lines_of, notices, opened, press, screen_text, settle
from tests.app.records import go_to, in_utc, seed_commands
from tests.app.seeding import MORNING, SeededWorkspace
from tests.app.test_hostile import EVIL, hostile, is_visible
from tui.screens.pane_screen import PaneScreen
from tui.screens.questions.decision import Decision
from tui.screens.records.activity import Activity
from tui.screens.records.history import EventText, History
from tui.screens.team.agents import Agents
from tui.screens.work.detail import DelegationDetail
from tui.screens.work.work_item import WorkItemScreen
from tui.subjects import open_ref
from tui.text.event_words import KINDS
from tui.text.moments import exact_moment, moment
from tui.widgets.event_list import SECTIONS, EventList

MADE_OF_PARTS = {
    "phase.": ("passed", "blocked", "sent_back", "failed", "void"),
    "conflict.": ("resolved", "escalated"),
    "decision.": ("decided", "escalated"),
    "notification.": ("sent", "failed", "put_off", "suppressed"),
    "scope.": ("approved", "rejected"),
    "escalation.": ("snooze_ended", "acknowledgement_ended", "escalated", "reminded", "rescheduled"),
}
"""Kinds whose last word is a value: what it may be."""


def written_kinds() -> Iterator[str]:
    """Every kind of event that core writes, as its code says."""
    folder = Path(core.__file__).parent
    for path in sorted(folder.rglob("*.py")):
        if "migrations" in path.parts:
            continue
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "event":
                yield from kinds_of(call.args[0], path, folder)


def kinds_of(kind: ast.expr, path: Path, folder: Path) -> Iterator[str]:
    if isinstance(kind, ast.JoinedStr) and isinstance(kind.values[0], ast.Constant):
        prefix = str(kind.values[0].value)
        yield from (prefix + word for word in MADE_OF_PARTS[prefix])
        return
    module = importlib.import_module(".".join(("core", *path.relative_to(folder).with_suffix("").parts)))
    yield str(value_of(kind, vars(module)))


def value_of(expression: ast.expr, names: Mapping[str, object]) -> str:
    """Of a literal, a module's constant, or one behind the other."""
    if isinstance(expression, ast.Constant):
        return str(expression.value)
    if isinstance(expression, ast.Name):
        return str(names[expression.id])
    assert isinstance(expression, ast.BinOp), ast.unparse(expression)
    return value_of(expression.left, names) + value_of(expression.right, names)


@pytest.fixture(autouse=True)
def utc() -> Iterator[None]:
    with in_utc():
        yield


def events_of(pilot: object) -> EventList:
    found: EventList = pilot.app.screen.query_one(EventList)  # type: ignore[attr-defined]
    return found


def test_every_kind_of_event_that_is_written_has_words() -> None:
    kinds = set(written_kinds())
    assert len(kinds) > 60
    assert sorted(kinds - set(KINDS)) == []


def test_words_fit_into_their_column() -> None:
    assert [mark.word for mark in KINDS.values() if len(mark.word) > 20] == []


def test_of_today_the_time_is_told_and_of_other_days_the_date() -> None:
    assert moment(MORNING, MORNING) == "09:30:00"
    assert moment(MORNING - 24 * 3_600_000, MORNING) == "2026-03-01"
    assert moment(10**17, MORNING) == "?"
    assert exact_moment(MORNING) == "2026-03-02 09:30:00 UTC"


async def test_the_newest_event_comes_first_and_is_told_in_full(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await go_to(pilot, History())
        shown = screen_text(pilot)
    assert "‖ question seen" in shown
    assert "◆ person  ada" in shown
    assert "not verified" in shown
    assert '"escalation": 7' in shown


async def test_the_history_is_reached_from_anywhere(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        app_in(pilot).action_go("history")
        await settle(pilot)
        assert isinstance(pilot.app.screen, History)


@pytest.mark.parametrize(
    ("filter_text", "kinds"),
    [
        ("put", {"escalation.snoozed", "decision.escalated"}),
        ("ada !accepted", {"escalation.acknowledged", "escalation.snoozed"}),
        ("quality-gatekeeper", {"escalation.raised"}),
        ("question 5", {"escalation.raised"}),
    ],
)
async def test_a_filter_looks_at_words_people_and_numbers(
    busy_workspace: SeededWorkspace, filter_text: str, kinds: set[str]
) -> None:
    async with opened(busy_workspace) as pilot:
        await go_to(pilot, History())
        events_of(pilot).set_filter(filter_text)
        await settle(pilot)
        assert {row.event.kind for row in events_of(pilot).rows} == kinds


@pytest.mark.parametrize("key", [key for key in SECTIONS if key != "usual"])
async def test_f_chooses_which_events(busy_workspace: SeededWorkspace, key: str) -> None:
    seed_commands(busy_workspace)
    async with opened(busy_workspace) as pilot:
        await go_to(pilot, History())
        await press(pilot, "f", str(list(SECTIONS).index(key)))
        assert events_of(pilot).section == key
        assert SECTIONS[key][0] in screen_text(pilot)


async def test_the_steps_of_models_are_a_sort_of_their_own(busy_workspace: SeededWorkspace) -> None:
    def spend(tx: Transaction) -> None:
        money.pay(tx, money.WRITER, 1_000, 0.01)
        money.take_turns(tx, money.TURNS)
        tx.event("budget.set", work_item=7, budget=1, scope="day", by="ada")

    busy_workspace.store.write_now(spend)
    steps = {"delegation.turn", "spend.reserved", "spend.settled"}
    async with opened(busy_workspace) as pilot:
        await go_to(pilot, History())
        kinds = [row.event.kind for row in events_of(pilot).rows]
        assert kinds[0] == "budget.set"
        assert "escalation.raised" in kinds
        assert not steps & set(kinds)
        await press(pilot, "f", "9")
        assert {row.event.kind for row in events_of(pilot).rows} == {*steps, "budget.set"}
        await press(pilot, "f", "1")
        assert steps < {row.event.kind for row in events_of(pilot).rows}


async def test_escape_gives_up_the_choice_before_it_leaves(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await go_to(pilot, History())
        await press(pilot, "f", "2", "escape")
        assert events_of(pilot).section == "usual"
        await press(pilot, "escape")
        assert not isinstance(pilot.app.screen, History)


async def test_where_nothing_is_of_that_sort_it_says_what_to_press(empty_workspace: SeededWorkspace) -> None:
    async with opened(empty_workspace) as pilot:
        await go_to(pilot, History())
        assert "Nothing has happened yet." in screen_text(pilot)
        await press(pilot, "f", "4")
        assert "esc shows what happened again" in screen_text(pilot)


async def test_i_shows_one_work_item_and_everything_again(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await go_to(pilot, History())
        total = events_of(pilot).count
        await press(pilot, "j", "j", "j", "j", "i")
        assert {row.event.work_item for row in events_of(pilot).rows} == {7}
        assert "of work item 7" in screen_text(pilot)
        await press(pilot, "i")
        assert events_of(pilot).count == total


async def test_an_event_of_no_work_item_says_so(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await go_to(pilot, History())
        await press(pilot, "i")
        assert notices(pilot)[-1] == "This event belongs to no work item."


async def test_it_opens_on_one_work_item(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await go_to(pilot, History(work_item=6))
        assert {row.event.work_item for row in events_of(pilot).rows} == {6}


@pytest.mark.parametrize(
    ("filter_text", "screen"),
    [
        ("question asked doc-toucher", Decision),
        ("accepted 3", WorkItemScreen),
        ("recorded test-runner", DelegationDetail),
        ("decision put up", Decision),
    ],
)
async def test_enter_opens_what_it_is_about(
    busy_workspace: SeededWorkspace, filter_text: str, screen: type[object]
) -> None:
    async with opened(busy_workspace) as pilot:
        await go_to(pilot, History())
        events_of(pilot).set_filter(filter_text)
        await settle(pilot)
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, screen)


async def test_a_link_leads_to_the_agent_itself(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        assert open_ref(app_in(pilot), ("agent", "ac-writer"))
        await settle(pilot)
        assert isinstance(pilot.app.screen, Agents)
        assert pilot.app.screen.row is not None
        assert pilot.app.screen.row.role == "ac-writer"


async def test_an_event_about_nothing_that_has_a_screen_is_read_here(empty_workspace: SeededWorkspace) -> None:
    empty_workspace.store.write_now(lambda tx: tx.event("engine.started", holder="x", fence=1))
    async with opened(empty_workspace) as pilot:
        await go_to(pilot, History())
        await press(pilot, "enter")
        assert pilot.app.focused is not None
        assert pilot.app.focused.id == "event"


# The chain


async def test_a_whole_chain_is_said_to_be_whole(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await go_to(pilot, History())
        await press(pilot, "V")
        shown = screen_text(pilot)
    assert "✓ chain whole up to 82" in shown
    assert "✓ verified" in shown
    assert notices(pilot)[-1] == "The chain is whole: 82 events, each as it was written."


async def test_what_came_after_the_look_is_not_verified(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await go_to(pilot, History())
        await press(pilot, "V")
        busy_workspace.store.write_now(lambda tx: tx.event("engine.started", holder="x", fence=1))
        await settle(pilot)
        shown = " ".join(" ".join(lines_of(pilot.app.screen.query_one(EventText))).split())
        assert "not verified it came after event 82" in shown


async def test_a_broken_chain_is_told_with_its_place(busy_workspace: SeededWorkspace) -> None:
    tamper(busy_workspace, 'UPDATE events SET payload = \'{"by":"eve"}\' WHERE seq = 80')
    async with opened(busy_workspace) as pilot:
        await go_to(pilot, History())
        await press(pilot, "V")
        shown = screen_text(pilot)
        assert "✗ chain broken at 80" in shown
        assert "✗ not proven" in shown
        await press(pilot, "j", "j")
        assert "✗ broken" in screen_text(pilot)
        await press(pilot, "j")
        assert "✓ verified" in screen_text(pilot)
    assert notices(pilot)[-1].startswith("The chain is broken: event 80")


async def test_an_event_that_was_taken_out_is_shown_as_missing(busy_workspace: SeededWorkspace) -> None:
    tamper(busy_workspace, "DELETE FROM events WHERE seq = 81")
    async with opened(busy_workspace) as pilot:
        await go_to(pilot, History())
        await press(pilot, "j")
        shown = screen_text(pilot)
    assert "✗ missing" in shown
    assert "no event 81" in shown


def tamper(made: SeededWorkspace, statement: str) -> None:
    with sqlite3.connect(made.state / "apm.db") as database:
        database.execute(statement)
    database.close()


# What comes while one reads


def come(made: SeededWorkspace, count: int) -> None:
    def work(tx: Transaction) -> None:
        for _ in range(count):
            tx.event("schedule.done", schedule="nightly")

    made.store.write_now(work)


async def test_at_the_top_the_list_follows_what_comes(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await go_to(pilot, History())
        come(busy_workspace, 3)
        await settle(pilot)
        assert events_of(pilot).cursor == 0
        assert "schedule kept" in screen_text(pilot).splitlines()[4]
        assert "new" not in screen_text(pilot).splitlines()[1]


@pytest.mark.parametrize("size", [WIDE, USUAL, SMALL], ids=lambda s: f"{s[0]}x{s[1]}")
async def test_further_down_the_list_does_not_move(busy_workspace: SeededWorkspace, size: tuple[int, int]) -> None:
    async with opened(busy_workspace, size) as pilot:
        await go_to(pilot, History())
        await press(pilot, "j", "j")
        before = screen_text(pilot).splitlines()
        come(busy_workspace, 1_000)
        await settle(pilot)
        after = screen_text(pilot).splitlines()
        assert [line[:36] for line in after[3:8]] == [line[:36] for line in before[3:8]]
        assert "+1,000 new, g" in after[1]
        await press(pilot, "g")
        assert "new" not in screen_text(pilot).splitlines()[1]
        assert "schedule kept" in screen_text(pilot)


async def test_an_answer_that_was_just_given_is_the_newest_decision_of_a_person(
    busy_workspace: SeededWorkspace,
) -> None:
    async with opened(busy_workspace) as pilot:
        await go_to(pilot, History())
        await press(pilot, "f", "2")
        busy_workspace.store.write_now(lambda tx: resolve(tx, 5, option="retry", by="ada", reason=""))
        await settle(pilot)
        first = events_of(pilot).rows[0].event
    assert (first.kind, first.who.name) == ("escalation.resolved", "ada")


# Hostile text


@pytest.mark.parametrize("screen", [History, Activity])
async def test_hostile_text_is_harmless(tmp_path: Path, screen: type[PaneScreen]) -> None:
    made = SeededWorkspace(tmp_path)
    made.store.write_now(hostile)
    made.store.write_now(
        lambda tx: tx.event(f"evil.{EVIL}"[:60], by=EVIL, agent=EVIL, name=EVIL, why=[EVIL, {EVIL: EVIL}])
    )
    try:
        async with opened(made, USUAL) as pilot:
            await go_to(pilot, screen())
            for _ in range(12):
                assert_harmless(pilot)
                await press(pilot, "2", "G", "g", "1", "j")
    finally:
        made.close()


def assert_harmless(pilot: Pilot[Any]) -> None:
    strips = pilot.app.screen._compositor.render_strips()
    written = "".join(segment.text for strip in strips for segment in strip)
    assert [f"{ord(c):x}" for c in written if not is_visible(c)] == []
    assert {sum(cell_len(segment.text) for segment in strip) for strip in strips} == {USUAL[0]}


async def test_a_document_of_ten_megabytes_is_shown_as_far_as_it_goes(empty_workspace: SeededWorkspace) -> None:
    empty_workspace.store.write_now(lambda tx: tx.event("context.imported", by="ada", keys=["x" * 10_000_000]))
    async with opened(empty_workspace) as pilot:
        await go_to(pilot, History())
        await press(pilot, "2", "G")
        assert "characters in all" in "".join(lines_of(pilot.app.screen.query_one(EventText)))


async def test_an_event_that_cannot_be_shown_is_told_and_the_app_goes_on(
    busy_workspace: SeededWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object) -> None:
        raise ValueError("no such form")

    monkeypatch.setattr("tui.screens.records.history.event_paragraphs", break_down)
    async with opened(busy_workspace) as pilot:
        await go_to(pilot, History())
        assert "That failed. ValueError: no such form" in notices(pilot)
        assert pilot.app.is_running
