"""Which of its streams have to be a terminal, and what is said where they are none."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.terminal.conftest import WORK
from tests.terminal.tty import ROOT, assert_given_back, has_tmux, terminal

needs_tmux = pytest.mark.skipif(not has_tmux(), reason="tmux is not installed, and a real terminal is what is tested")


def apm(folder: Path) -> str:
    return shlex.join([sys.executable, "-m", "tui.cli.main", "--workspace", str(folder)])


@needs_tmux
def test_standard_error_may_be_a_file(folder: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"

    with terminal(tmp_path, f"{apm(folder)} 2>{shlex.quote(str(log))}") as tty:
        tty.wait_for(WORK, "? help")
        tty.press("q")
        assert_given_back(tty, 0)

    assert log.read_bytes() == b""


@needs_tmux
@pytest.mark.parametrize("elsewhere", ["</dev/null", "| cat", ">/dev/null"])
def test_keys_and_screen_are_a_terminals_or_a_sentence_says_so(folder: Path, tmp_path: Path, elsewhere: str) -> None:
    with terminal(tmp_path, f"{apm(folder)} {elsewhere}") as tty:
        shown = tty.wait_for("The app needs a terminal", "apm run --all", "left ")

    assert "Traceback" not in shown


def test_without_any_terminal_it_is_a_sentence(folder: Path) -> None:
    ended = subprocess.run(
        shlex.split(apm(folder)), cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("apm: The app needs a terminal; `apm run --all` works without one.")
