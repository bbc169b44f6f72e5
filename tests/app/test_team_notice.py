"""What the app says of the team's files: a notice when they change, a line while they are broken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from core import workspace as workspaces
from core.orchestration import reloading
from core.places import FILE
from core.workspace import Workspace
from tests.app.driving import app_in, notices, screen_text
from tui.app import ApmApp
from tui.driving import Notices, in_short, make_engine

AT_FAULT = "defaults.limits.revision_rounds: is 'many'"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(reloading, "PATIENCE_SECONDS", 0.2)
    made = workspaces.create(tmp_path / "ws")
    Workspace.open(made).close()
    return made


@pytest.fixture
def app(folder: Path) -> Iterator[Callable[[], ApmApp]]:
    """Opens the app on the workspace as `apm` does."""
    opened: list[Workspace] = []

    def make() -> ApmApp:
        workspace = Workspace.open(folder, team="as-known")
        opened.append(workspace)
        made = ApmApp(workspace, make_engine=lambda known: make_engine(known, made.tell, made.complain, made.standing))
        return made

    yield make
    for workspace in opened:
        workspace.close()


def save(folder: Path, rounds: str) -> None:
    text = (workspaces.create(folder) / FILE).read_text(encoding="utf-8")
    head, _, rest = text.partition("revision_rounds: ")
    (folder / FILE).write_text(f"{head}revision_rounds: {rounds}{rest[rest.index(' ') :]}", encoding="utf-8")


async def until(pilot: Pilot[Any], condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await pilot.pause(0.01)


def is_driving(pilot: Pilot[Any]) -> bool:
    engine = app_in(pilot).engine
    return engine is not None and engine.is_driving


async def leave(pilot: Pilot[Any]) -> None:
    engine = app_in(pilot).engine
    if engine is not None:
        await engine.stop()


async def test_a_change_is_told(app: Callable[[], ApmApp], folder: Path) -> None:
    async with app().run_test(size=(140, 40), notifications=True) as pilot:
        await until(pilot, lambda: is_driving(pilot))

        save(folder, "5")

        await until(pilot, lambda: "The team has changed: 1 setting." in notices(pilot))
        await leave(pilot)


async def test_a_broken_file_is_told_and_stands_in_the_header_until_it_is_mended(
    app: Callable[[], ApmApp], folder: Path
) -> None:
    async with app().run_test(size=(140, 40), notifications=True) as pilot:
        await until(pilot, lambda: is_driving(pilot))

        save(folder, "many")

        await until(pilot, lambda: AT_FAULT in screen_text(pilot).splitlines()[0])
        await until(pilot, lambda: any(AT_FAULT in notice for notice in notices(pilot)))
        save(folder, "3")
        await until(pilot, lambda: AT_FAULT not in screen_text(pilot).splitlines()[0])
        await leave(pilot)


def test_a_notice_names_one_thing_to_mend_and_where_the_others_are() -> None:
    assert in_short("one") == "one"
    assert in_short("one\ntwo\nthree") == "one\n(and 2 more: `apm doctor` lists them)"


async def test_a_notice_of_what_a_person_has_just_done_here_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Notices, "GATHER_SECONDS", 0.0)
    told: list[str] = []
    has_told = asyncio.Event()

    def tell(line: str) -> None:
        told.append(line)
        has_told.set()

    hear = Notices(tell, lambda: ["Question 2 waits again."])
    for line in ("Waiting again: question 2: Which?", "Waiting again: question 21: Why?"):
        hear(line)
    await asyncio.wait_for(has_told.wait(), 10)
    assert told == ["Waiting again: question 21: Why?"]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("DAILY question 6: Which? (apm escalation show 6)", "DAILY question 6: Which?"),
        ("A scope review (5 proposals) is held. (apm scope list)", "A scope review (5 proposals) is held."),
        ("The briefing of today (apm briefing)", "The briefing of today"),
        ("The engine is held up. (apm doctor)", "The engine is held up. (apm doctor)"),
    ],
)
async def test_a_notice_names_no_command_for_what_the_app_itself_shows(
    monkeypatch: pytest.MonkeyPatch, line: str, shown: str
) -> None:
    monkeypatch.setattr(Notices, "GATHER_SECONDS", 0.0)
    told: asyncio.Queue[str] = asyncio.Queue()
    Notices(told.put_nowait, list)(line)
    assert await asyncio.wait_for(told.get(), 10) == shown


async def test_what_was_done_stands_for_a_while(app: Callable[[], ApmApp]) -> None:
    async with app().run_test(notifications=True) as pilot:
        app_in(pilot).tell("Question 2 waits again.")
        await until(pilot, lambda: "Question 2 waits again." in app_in(pilot).standing())
        await leave(pilot)


async def test_an_app_that_opens_on_a_broken_file_drives_once_it_is_mended(
    app: Callable[[], ApmApp], folder: Path
) -> None:
    save(folder, "many")

    async with app().run_test(size=(140, 40), notifications=True) as pilot:
        await until(pilot, lambda: AT_FAULT in screen_text(pilot).splitlines()[0])
        await until(pilot, lambda: any(AT_FAULT in notice for notice in notices(pilot)))
        assert app_in(pilot).engine is None

        save(folder, "5")

        await until(pilot, lambda: is_driving(pilot))
        await until(pilot, lambda: AT_FAULT not in screen_text(pilot).splitlines()[0])
        await leave(pilot)
