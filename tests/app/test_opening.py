"""The app paints before it has opened the workspace, and leaves with a reason when there is none to open."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path

import pytest

from core import workspace as workspaces
from core.orchestration import work_items
from core.store.database import StoreError
from core.workspace import Workspace
from tests.app.driving import app_in, notices, opened, press, screen_text, settle
from tests.app.seeding import SeededWorkspace, seed_project
from tui.app import ApmApp
from tui.undoing import Undo

NOTHING = "Nothing was done here that can be taken back. The history has what was answered before."


async def test_the_frame_stands_before_the_workspace_is_open_and_the_rows_come_after(tmp_path: Path) -> None:
    folder = workspaces.create(tmp_path / "here")
    with Workspace.open(folder) as workspace:
        workspace.store.write_now(lambda tx: work_items.create(tx, title="Zebra crossing"))
    painted = threading.Event()

    def open_once_painted() -> Workspace:
        assert painted.wait(30)
        return Workspace.open(folder)

    app = ApmApp(open_once_painted)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        assert "questions" in screen_text(pilot)
        assert "Zebra crossing" not in screen_text(pilot)
        painted.set()
        await settle(pilot)
        assert "Zebra crossing" in screen_text(pilot)
    app.close_workspace()


async def test_a_workspace_that_cannot_be_opened_ends_the_app_with_its_reason() -> None:
    def fail() -> Workspace:
        raise StoreError("The database is damaged.")

    app = ApmApp(fail)
    async with app.run_test() as pilot:
        await pilot.pause()
        await app.workers.wait_for_complete()
    assert app.return_value == 1
    assert str(app.fault) == "The database is damaged."


async def test_u_takes_back_what_was_done_last_and_then_what_was_done_before(empty_workspace: SeededWorkspace) -> None:
    undone: list[str] = []
    async with opened(empty_workspace) as pilot:
        for name in ("first", "second"):
            undo = Undo(f"{name} is taken back.", partial(_note, undone, name))
            app_in(pilot).do(partial(seed_project, name=name), f"{name} is done.", undo=undo)
            await settle(pilot)
        await press(pilot, "u", "u", "u")
        assert undone == ["second", "first"]
        assert notices(pilot)[-3:] == ["second is taken back.", "first is taken back.", NOTHING]


async def test_u_right_after_a_key_takes_back_what_that_key_did(empty_workspace: SeededWorkspace) -> None:
    undone: list[str] = []
    async with opened(empty_workspace) as pilot:
        app = app_in(pilot)
        for name in ("first", "second"):
            app.do(
                partial(seed_project, name=name), f"{name} is done.", undo=Undo("undone", partial(_note, undone, name))
            )
        app.action_undo()
        await settle(pilot)
        assert undone == ["second"]


def _note(undone: list[str], name: str, _: object) -> None:
    undone.append(name)


async def test_what_could_not_be_done_cannot_be_taken_back(empty_workspace: SeededWorkspace) -> None:
    def refuse(_: object) -> None:
        raise StoreError("No space is left.")

    async with opened(empty_workspace) as pilot:
        app_in(pilot).do(refuse, "done", undo=Undo("undone", lambda _: pytest.fail("nothing to undo")))
        await settle(pilot)
        await press(pilot, "u")
        assert notices(pilot) == ["No space is left.", NOTHING]


async def test_u_never_reaches_past_what_was_done_last(empty_workspace: SeededWorkspace) -> None:
    undone: list[str] = []
    async with opened(empty_workspace) as pilot:
        undo = Undo("first is taken back.", partial(_note, undone, "first"))
        app_in(pilot).do(partial(seed_project, name="first"), "first is done.", undo=undo)
        await settle(pilot)
        app_in(pilot).do(partial(seed_project, name="second"), "second is done.")
        await settle(pilot)
        await press(pilot, "u")
        assert notices(pilot)[-1].startswith("second is done. That cannot be taken back;")
        assert undone == []
        await press(pilot, "u")
        assert undone == ["first"]
