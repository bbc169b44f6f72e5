"""What a person wrote is kept until it is on record: a refusal loses no word of it, and neither does another screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.governance import escalations, life
from core.store.transaction import Transaction
from tests.app.asked import THIN, row_of
from tests.app.driving import app_in, notices, opened, press, screen_text, send, settle
from tests.app.inbox import ask
from tests.app.marking import raise_again
from tests.app.seeding import MINUTE, SeededWorkspace
from tui.drafts import FILE_NAME, Drafts
from tui.screens.dialogs.reason import ReasonDialog
from tui.screens.work.new_work_item import NewWorkItem
from tui.widgets.fields import Area, Field
from tui.widgets.picker import Picker

ASKED = "Approve the change 2?"


@pytest.fixture
def asked(empty_workspace: SeededWorkspace) -> SeededWorkspace:
    """One question, the first."""
    empty_workspace.at(9 * MINUTE, lambda tx: ask(tx, ASKED))
    return empty_workspace


async def test_a_reason_is_kept_when_the_answer_is_refused(asked: SeededWorkspace) -> None:
    async with opened(asked) as pilot:
        await press(pilot, "t", "r", *"slow")
        await asked.store.write(lambda tx: raise_again(tx, ASKED))
        await press(pilot, "enter")
        assert "has changed since it was shown" in notices(pilot)[-1]
        await press(pilot, "r")
        assert isinstance(pilot.app.screen, ReasonDialog)
        assert pilot.app.screen.query_one(Field).value == "slow"


async def test_a_reason_on_record_is_forgotten(asked: SeededWorkspace) -> None:
    async with opened(asked) as pilot:
        await press(pilot, "t", "r", *"slow", "enter", "u", "r")
        assert isinstance(pilot.app.screen, ReasonDialog)
        assert pilot.app.screen.query_one(Field).value == ""


async def test_a_note_is_kept_when_the_hand_over_is_refused(asked: SeededWorkspace) -> None:
    async with opened(asked) as pilot:
        await press(pilot, "t", "o", *"grace")
        await asked.store.write(lambda tx: escalations.resolve(tx, 1, option="approve", by="linus"))
        await press(pilot, "f2")
        assert app_in(pilot).drafts["assign:1"]["to"] == "grace"


async def test_a_request_is_forgotten_once_its_work_item_is_made(asked: SeededWorkspace) -> None:
    async with opened(asked) as pilot:
        await press(pilot, "n", *"Tidy", "f2")
        await press(pilot, "n")
        assert pilot.app.screen.query_one("#title", Field).value == ""


async def test_a_form_begins_anew_and_once_more_brings_back_what_was_written(asked: SeededWorkspace) -> None:
    async with opened(asked) as pilot:
        await press(pilot, "n", *"Tidy", "tab", "right", "f5")
        assert pilot.app.screen.query_one("#title", Field).value == ""
        assert pilot.app.screen.query_one("#type", Picker).value == "feature"
        await press(pilot, "f5")
        assert pilot.app.screen.query_one("#title", Field).value == "Tidy"
        assert pilot.app.screen.query_one("#type", Picker).value == "bug"


async def test_a_request_that_was_begun_anew_is_forgotten(asked: SeededWorkspace) -> None:
    async with opened(asked) as pilot:
        await press(pilot, "n", *"Tidy", "escape", "n", "f5", "escape")
        assert app_in(pilot).drafts == {}
        await press(pilot, "n", "f5")
        assert pilot.app.screen.query_one("#title", Field).value == ""


async def test_a_form_that_is_not_drawn_yet_forgets_nothing(asked: SeededWorkspace) -> None:
    async with opened(asked) as pilot:
        await press(pilot, "n", *"Tidy", "escape")
        form = NewWorkItem([])
        app_in(pilot).push_screen(form)
        form.keep_draft()
        await settle(pilot)
        assert app_in(pilot).drafts[NewWorkItem.draft_key]["title"] == "Tidy"


async def test_what_was_opened_over_the_last_question_stays_when_its_answer_is_written(
    asked: SeededWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_write = asyncio.Event()
    async with opened(asked) as pilot:
        await press(pilot, "space")
        write = app_in(pilot).bridge.write

        async def held_back(work: Callable[[Transaction], Any]) -> Any:
            await may_write.wait()
            return await write(work)

        monkeypatch.setattr(app_in(pilot).bridge, "write", held_back)
        await pilot.press("a", "n")
        while not isinstance(pilot.app.screen, NewWorkItem):
            await pilot.pause()
        await pilot.press(*"Tidy")
        may_write.set()
        await settle(pilot)
        assert notices(pilot)[-1] == "Nothing more waits for you."
        assert pilot.app.screen.query_one("#title", Field).value == "Tidy"


async def test_u_leaves_what_somebody_else_answered_since(asked: SeededWorkspace) -> None:
    def anew(tx: Transaction) -> None:
        life.undo(tx, 1, by="grace")
        escalations.resolve(tx, 1, option="reject", reason="too soon", by="grace")

    async with opened(asked) as pilot:
        await press(pilot, "t", "a")
        await asked.store.write(anew)
        await press(pilot, "u")
        assert "was answered anew by grace since" in notices(pilot)[-1]


@pytest.mark.parametrize("last", [("escape", "q"), ("ctrl+q",)])
async def test_what_was_written_is_there_at_the_next_start(asked: SeededWorkspace, last: tuple[str, ...]) -> None:
    async with opened(asked) as pilot:
        await press(pilot, "t", "r", *"slow")
        for key in last:
            send(pilot, key)
            await pilot.pause(0)
        while app_in(pilot)._exit is False:
            await pilot.pause(0)
    async with opened(asked) as pilot:
        await press(pilot, "t", "r")
        assert pilot.app.screen.query_one(Field).value == "slow"


async def test_what_is_on_record_is_not_there_at_the_next_start(tmp_path: Path) -> None:
    first, second = Drafts(), Drafts()
    first.follow(tmp_path)
    second.follow(tmp_path)
    first["reply:1"], second["reply:2"] = {"line": "one"}, {"line": "two"}
    first.keep()
    second.keep()
    third = Drafts()
    third.follow(tmp_path)
    assert third == {"reply:1": {"line": "one"}, "reply:2": {"line": "two"}}
    third.clear()
    third.keep()
    assert not (tmp_path / FILE_NAME).exists()


@pytest.mark.parametrize("content", [b"", b"[1]", b'{"a": 1}', b'{"a": {"b": 1}}', b"\xff"])
async def test_a_damaged_file_of_drafts_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    drafts = Drafts()
    drafts.follow(tmp_path)
    assert not any(texts.values() for texts in [{}, *drafts.values()])


async def overtaken(made: SeededWorkspace, pilot: Any) -> None:
    """Somebody else answers the question, and the screen has heard of it."""
    await made.store.write(lambda tx: escalations.resolve(tx, 1, option="approve", by="linus"))
    await settle(pilot)


@pytest.mark.parametrize(
    ("key", "send_key"), [("r", "enter"), ("c", "enter"), ("o", "f2"), ("circumflex_accent", "enter")]
)
async def test_a_dialog_says_that_its_question_is_answered_and_what_is_sent_is_copied(
    asked: SeededWorkspace, key: str, send_key: str
) -> None:
    async with opened(asked) as pilot:
        await press(pilot, "t", key, *"grace")
        assert "already answered" not in screen_text(pilot)
        await overtaken(asked, pilot)
        assert "Question 1 is already answered by linus: Approve. What you send goes to" in screen_text(pilot)
        await press(pilot, send_key)
        assert "copied 5 characters of what you wrote" in notices(pilot)[-1]
    assert (asked.workspace.state / "copied.txt").read_text() == "grace"


async def test_what_is_filled_in_for_a_question_that_is_answered_is_copied(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        app_in(pilot).open_question(THIN)
        await settle(pilot)
        await press(pilot, "e")
        form = pilot.app.screen
        form.query(Area).first().text = "Accounts need a second key"
        row = await row_of(busy_workspace, THIN)
        other = next(option["key"] for option in row.options if not option.get("asks"))
        await busy_workspace.store.write(
            lambda tx: escalations.resolve(tx, THIN, option=other, by="linus", reason="not now")
        )
        await settle(pilot)
        assert "already answered by linus" in screen_text(pilot)
        while pilot.app.screen is form:
            await press(pilot, "f2")
    assert "Accounts need a second key" in (busy_workspace.workspace.state / "copied.txt").read_text()


async def test_a_choice_says_that_its_question_is_answered(asked: SeededWorkspace) -> None:
    async with opened(asked) as pilot:
        await press(pilot, "t", "s")
        await overtaken(asked, pilot)
        assert "Question 1 is already answered by linus: Approve." in screen_text(pilot)
        assert "copied.txt" not in screen_text(pilot)
