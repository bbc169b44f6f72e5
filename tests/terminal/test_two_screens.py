"""Two apps on one workspace, each in a terminal of its own: one drives, the other shows and can answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.store import reads_escalations
from core.store.store import Store
from tests.terminal.conftest import ASKED, WORK
from tests.terminal.tty import Tty, assert_given_back, has_tmux, open_app, terminal, wait_until

pytestmark = pytest.mark.skipif(not has_tmux(), reason="tmux is not installed, and a real terminal is what is tested")

VIEWER = "viewer: another apm drives"


@pytest.fixture
def viewer(app: Tty, folder: Path, second: Path) -> Iterator[Tty]:
    with terminal(second, open_app(folder, second / "pid")) as tty:
        tty.wait_for(VIEWER, WORK, ASKED[:12])
        yield tty


def test_what_one_writes_is_on_the_screen_of_the_other(app: Tty, viewer: Tty) -> None:
    for writer, reader, title in ((app, viewer, "From the first"), (viewer, app, "From the second")):
        writer.press("n")
        writer.wait_for("New work item")
        writer.press(title, "F2")

        reader.wait_for(title)
        writer.wait_for(title)


def test_the_viewer_answers_and_both_screens_follow(app: Tty, viewer: Tty, folder: Path) -> None:
    viewer.press("Space")
    viewer.wait_for(ASKED, "recommended")

    viewer.press("a")

    app.wait_for("Nothing waits for you.")
    viewer.press("Escape")
    viewer.wait_for("Nothing waits for you.")
    with Store.open(folder / "state") as store:
        [answer] = store.read_now(lambda r: reads_escalations.answers(r, 1))
    assert answer.option == "utf-8"


def test_a_question_that_is_answered_elsewhere_says_so_where_it_is_open(app: Tty, viewer: Tty, folder: Path) -> None:
    for tty in (app, viewer):
        tty.press("Space")
        tty.wait_for(ASKED, "recommended")

    viewer.press("a")

    app.wait_for("answered UTF-8")
    app.press("2", "?")
    app.wait_for("Keys here")
    with Store.open(folder / "state") as store:
        assert len(store.read_now(lambda r: reads_escalations.answers(r, 1))) == 1


def test_the_viewer_drives_once_the_driver_is_gone(app: Tty, viewer: Tty) -> None:
    app.press("q")
    assert_given_back(app, 0)

    viewer.wait_for("The apm that drove")
    assert wait_until(lambda: VIEWER not in viewer.screen())
    viewer.press("q")
    assert_given_back(viewer, 0)
