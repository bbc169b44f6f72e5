"""What is said in passing stands on the screen once, however often it is said."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from textual.widgets._toast import Toast

from core.governance import escalations
from tests.app.asked import PASSKEYS, answers, row_of
from tests.app.driving import USUAL, app_in, notices, opened, press, send, settle
from tests.app.seeding import SeededWorkspace
from tui.notices import LATE
from tui.questions.works import answer_work
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
