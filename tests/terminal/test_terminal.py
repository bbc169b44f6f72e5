"""The app in a real terminal: it starts, follows the window's size, and gives the terminal back however it ends."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import psutil
import pytest

from tests.terminal.tty import Tty, assert_given_back, has_tmux, open_app, terminal, wait_until

pytestmark = pytest.mark.skipif(not has_tmux(), reason="tmux is not installed, and a real terminal is what is tested")


def test_it_starts_and_shows_the_four_panes(app: Tty) -> None:
    app.wait_for("1 agents", "D1 Definition", "2 work", "3 questions", "4 briefing")
    assert app.flag("alternate_on") == "1"


@pytest.mark.parametrize(
    ("columns", "rows", "shown", "hidden"),
    [
        (40, 12, ("2 work  3  4", "Export rep"), "questions"),
        (80, 24, ("1 agents  2 work  3 questions  4 briefing", "Export reports as CSV"), "agents ─"),
        (160, 50, ("1 agents", "2 work", "3 questions", "4 briefing", "Export reports as CSV"), "too small"),
    ],
)
def test_it_follows_the_size_of_its_window(
    app: Tty, columns: int, rows: int, shown: tuple[str, ...], hidden: str
) -> None:
    app.resize(columns, rows)
    app.wait_for(*shown)
    screen = app.wait_for_rest()
    assert hidden not in screen
    assert {len(line) for line in screen.splitlines()} <= set(range(columns + 1))

    app.resize(120, 36)

    app.wait_for("1 agents", "2 work", "3 questions", "4 briefing")
    above = [line for line in app.wait_for_rest().rstrip().splitlines() if not line.startswith("█")]  # notices below
    assert above[-1].strip().endswith("help")


def test_q_gives_the_terminal_back(app: Tty) -> None:
    app.press("q")
    assert_given_back(app, 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda s: s.name)
def test_a_signal_gives_the_terminal_back(app: Tty, pid_file: Path, number: signal.Signals) -> None:
    os.kill(int(pid_file.read_text()), number)
    assert_given_back(app, 128 + number)


def test_the_next_start_drives_again_after_a_signal(app: Tty, folder: Path, pid_file: Path, second: Path) -> None:
    """The lease was given back, not left to go stale."""
    os.kill(int(pid_file.read_text()), signal.SIGTERM)
    assert_given_back(app, 143)
    with terminal(second, open_app(folder, pid_file)) as tty:
        assert "viewer" not in tty.wait_for("Export reports as CSV", "? help")


def test_a_terminal_that_is_closed_ends_the_app_in_good_order(
    app: Tty, folder: Path, pid_file: Path, second: Path
) -> None:
    pid = int(pid_file.read_text())
    app.tmux("kill-server")
    assert wait_until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    with terminal(second, open_app(folder, pid_file)) as tty:
        assert "viewer" not in tty.wait_for("Export reports as CSV", "? help")


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
