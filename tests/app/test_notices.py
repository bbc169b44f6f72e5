"""What is said in passing stands on the screen once, however often it is said."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from textual import events
from textual.widget import Widget
from textual.widgets._toast import Toast, ToastRack

from core.governance import escalations
from tests.app.asked import PASSKEYS, answers, row_of
from tests.app.driving import SMALL, USUAL, WIDE, app_in, notices, opened, press, screen_text, send, settle
from tests.app.seeding import SeededWorkspace
from tui.notices import LATE
from tui.questions.works import answer_work
from tui.widgets.cards import Cards
from tui.widgets.key_bar import KeyBar
from tui.writing import WAITS

SAID = "Question 2 is already answered."


async def test_the_same_notice_takes_the_place_of_the_one_that_stands(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace, USUAL) as pilot:
        app = app_in(pilot)
        for _ in range(12):
            app.complain(SAID)
        await settle(pilot)
        app.complain(SAID)
        await settle(pilot)
        assert notices(pilot) == [SAID]
        assert len(pilot.app.screen.query(Toast)) == 1


async def test_a_press_on_a_notice_that_is_just_gone_is_not_for_it(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace, USUAL) as pilot:
        app = app_in(pilot)
        app.complain(SAID)
        await settle(pilot)
        toast = pilot.app.screen.query_one(Toast)
        x, y = toast.region.offset
        await toast.remove()
        assert app.screen.get_widget_and_offset_at(x, y)[0] is toast
        app.post_message(events.MouseDown(None, x, y, 0, 0, 1, False, False, False, x, y))
        await settle(pilot)
        assert app.is_running


async def test_what_is_said_again_is_the_newest(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        app = app_in(pilot)
        for text in ("One.", "Two.", "One."):
            app.tell(text)
            await settle(pilot)
        assert notices(pilot) == ["Two.", "One."]


async def test_few_stand_at_a_time_and_what_went_wrong_stands_longest(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        app = app_in(pilot)
        app.complain("Wrong.")
        for text in ("One.", "Two.", "Three.", "Four."):
            app.tell(text)
        await settle(pilot)
        assert notices(pilot) == ["Wrong.", "Three.", "Four."]
        for text in ("Worse.", "Worst.", "All is lost."):
            app.complain(text)
        await settle(pilot)
        assert notices(pilot) == ["Worse.", "Worst.", "All is lost."]


LONG = "Question 2 is already answered by grace: retry. What you wrote went to state/copied.txt. " * 3


@pytest.mark.parametrize("size", [SMALL, USUAL, WIDE])
@pytest.mark.parametrize("keys", [("space",), ("space", "r"), ("t",), ("space", "3"), ("t", "a"), ("n",), ("0",)])
async def test_no_notice_lies_over_what_is_read_or_answered(
    busy_workspace: SeededWorkspace, size: tuple[int, int], keys: tuple[str, ...]
) -> None:
    async with opened(busy_workspace, size) as pilot:
        await press(pilot, *keys)
        app = app_in(pilot)
        app.tell(LONG)
        app.tell("It is done.")
        app.complain(LONG)
        await settle(pilot)
        screen = pilot.app.screen
        rack = screen.query_one(ToastRack).region
        assert screen.query(Toast)
        assert rack.height > 0
        for widget in screen.query("Document, Cards, KeyBar, TopLine, RowList, #box"):
            assert not (widget.region.area and widget.region.overlaps(rack)), widget
        for cards in screen.query(Cards):
            assert cards.region.height >= 2
            box = cards.parent
            assert isinstance(box, Widget)
            assert box.region.contains_region(cards.region)
        assert any(bar.region.height == 1 for bar in screen.query(KeyBar))


async def test_on_a_low_screen_one_stands_and_what_went_wrong_is_not_driven_out_by_what_only_tells(
    busy_workspace: SeededWorkspace,
) -> None:
    async with opened(busy_workspace, SMALL) as pilot:
        app = app_in(pilot)
        app.tell("One.")
        app.tell("Two.")
        await settle(pilot)
        assert notices(pilot) == ["Two."]
        app.tell_late(is_late=True)
        app.tell("Three.")
        await settle(pilot)
        assert notices(pilot) == [LATE]
        shown = " ".join(screen_text(pilot).replace("█", " ").split())
        assert LATE in shown, "all of it can be read"
        app.complain("Wrong.")
        await settle(pilot)
        assert notices(pilot) == ["Wrong."]


@pytest.mark.parametrize("option", ["passkeys", "codes"])
async def test_an_answer_that_was_given_is_told_in_the_words_of_the_screens(
    busy_workspace: SeededWorkspace, option: str
) -> None:
    made = busy_workspace
    async with opened(made) as pilot:
        row = await row_of(made, PASSKEYS)
        await made.store.write(lambda tx: escalations.resolve(tx, PASSKEYS, option=option, reason="cheap", by="root"))
        app_in(pilot).do(answer_work(row, "passkeys", None, "", "ada"), "done")
        await settle(pilot)
        label = {"passkeys": "WebAuthn passkeys", "codes": "One-time codes by mail"}[option]
        assert notices(pilot) == [f"Question 2 is already answered ('{label}' by root)."]


async def test_a_write_that_waits_for_the_database_says_so_and_is_sent_once(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space")
        with closing(sqlite3.connect(busy_workspace.state / "apm.db")) as other:
            other.execute("BEGIN IMMEDIATE")
            send(pilot, "a")
            while LATE not in notices(pilot):
                await pilot.pause(0)
            send(pilot, "a")
            while WAITS not in notices(pilot):
                await pilot.pause(0)
            other.rollback()
        await settle(pilot)
        told = notices(pilot)
    assert LATE not in told
    assert [line for line in told if line.startswith("Question 2")] == [
        "Question 2 is answered: WebAuthn passkeys.  u undo"
    ]
    assert len(await answers(busy_workspace, PASSKEYS)) == 1
