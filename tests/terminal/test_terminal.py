"""The app in a real terminal: it starts, follows the window's size, and gives the terminal back however it ends."""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from core.store.store import Store
from tests.app.seeding import seed_project, seed_work_item
from tests.terminal.tty import ROOT, Tty, has_tmux, open_app, terminal, wait_until

pytestmark = pytest.mark.skipif(not has_tmux(), reason="tmux is not installed, and a real terminal is what is tested")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with one work item, paused so that nothing runs by itself."""
    made = tmp_path / "workspace"
    made.mkdir()
    shutil.copy(ROOT / "agents.yaml", made / "agents.yaml")
    with Store.open(made / "state", synchronous="off") as store:

        def write(tx: object) -> None:
            number = seed_work_item(tx, "Export reports as CSV", project=seed_project(tx, "ledger"))  # type: ignore[arg-type]
            from core.orchestration.work_items import pause

            pause(tx, number, by="ada")  # type: ignore[arg-type]

        store.write_now(write)
    return made


@pytest.fixture
def pid_file(tmp_path: Path) -> Path:
    return tmp_path / "pid"


@pytest.fixture
def app(folder: Path, pid_file: Path, tmp_path: Path) -> Iterator[Tty]:
    with terminal(tmp_path, open_app(folder, pid_file)) as tty:
        tty.wait_for("Export reports as CSV", "? help")
        yield tty


def assert_given_back(tty: Tty, code: int) -> None:
    """The shell has its screen, its echo and its line editing back, and the mouse is its own."""
    shown = tty.wait_for(f"left {code}", "icanon", "echo")
    assert "-icanon" not in shown
    assert "-echo" not in shown
    assert tty.flag("alternate_on") == "0"
    assert tty.flag("mouse_any_flag") == "0"
    assert tty.flag("cursor_flag") == "1"


def test_it_starts_and_shows_the_four_panes(app: Tty) -> None:
    app.wait_for("1 agents", "D1 Definition", "2 work", "3 questions", "4 briefing")
    assert app.flag("alternate_on") == "1"


def test_it_follows_the_size_of_its_window(app: Tty) -> None:
    app.resize(40, 12)
    app.wait_for("2 work  3  4", "Export rep")
    app.resize(120, 36)
    app.wait_for("1 agents", "4 briefing")


def test_q_gives_the_terminal_back(app: Tty) -> None:
    app.press("q")
    assert_given_back(app, 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda s: s.name)
def test_a_signal_gives_the_terminal_back(app: Tty, pid_file: Path, number: signal.Signals) -> None:
    os.kill(int(pid_file.read_text()), number)
    assert_given_back(app, 128 + number)


def test_the_next_start_drives_again_after_a_signal(app: Tty, folder: Path, pid_file: Path, tmp_path: Path) -> None:
    """The lease was given back, not left to go stale."""
    os.kill(int(pid_file.read_text()), signal.SIGTERM)
    assert_given_back(app, 143)
    second = tmp_path / "second"
    second.mkdir()
    with terminal(second, open_app(folder, pid_file)) as tty:
        assert "viewer" not in tty.wait_for("Export reports as CSV", "? help")


def test_a_terminal_that_is_closed_ends_the_app_in_good_order(
    app: Tty, folder: Path, pid_file: Path, tmp_path: Path
) -> None:
    pid = int(pid_file.read_text())
    app.tmux("kill-server")
    assert wait_until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    second = tmp_path / "second"
    second.mkdir()
    with terminal(second, open_app(folder, pid_file)) as tty:
        assert "viewer" not in tty.wait_for("Export reports as CSV", "? help")


def test_a_second_app_on_the_same_workspace_is_a_viewer_that_follows(
    app: Tty, folder: Path, pid_file: Path, tmp_path: Path
) -> None:
    second = tmp_path / "second"
    second.mkdir()
    with terminal(second, open_app(folder, pid_file)) as viewer:
        viewer.wait_for("viewer: another apm drives", "Export reports as CSV")
        app.press("n")
        app.wait_for("New work item")
        app.press("Write it down", "F2")
        viewer.wait_for("Write it down")
        viewer.press("q")
        assert_given_back(viewer, 0)


def test_what_is_pasted_answers_and_commands_nothing(app: Tty) -> None:
    app.tmux("set-buffer", "qqqnx")
    app.tmux("paste-buffer", "-p", "-t", "main")
    app.press("3")
    app.wait_for("Export reports as CSV", "4 briefing")
    assert app.flag("alternate_on") == "1"


def test_no_colour_means_none(folder: Path, pid_file: Path, tmp_path: Path) -> None:
    with terminal(tmp_path, f"NO_COLOR=1 {open_app(folder, pid_file)}") as tty:
        tty.wait_for("Export reports as CSV", "? help")
        drawn = tty.tmux("capture-pane", "-p", "-e", "-t", "main")
    assert [codes for codes in re.findall(r"\x1b\[([\d;]*)m", drawn) if not is_grey(codes)] == []


def is_grey(codes: str) -> bool:
    """Whether a sequence sets no colour but black, white and what lies between."""
    palette = {int(n) for n in re.findall(r"[34]8;5;(\d+)", codes)}
    exact = [set(rgb) for rgb in re.findall(r"[34]8;2;(\d+);(\d+);(\d+)", codes)]
    named = re.sub(r"[34]8;(5;\d+|2;\d+;\d+;\d+)", "", codes).split(";")
    return (
        palette <= {0, 7, 8, 15, 16, 59, 102, 145, 188, 231, *range(232, 256)}
        and all(len(rgb) == 1 for rgb in exact)
        and not any(re.fullmatch(r"[349][1-6]|10[1-6]", n) for n in named)
    )
