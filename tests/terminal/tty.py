"""A real terminal to run the app in: a tmux server of its own, typed into and read like a person would."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60.0
"""How long something may take before it counts as never; a loaded machine is slow, not wrong."""
LOOK_EVERY_SECONDS = 0.05
LOOKS_AT_REST = 10


@dataclass(frozen=True, slots=True)
class Tty:
    """One window of a tmux server."""

    socket: Path

    def tmux(self, *words: str) -> str:
        argv = ["tmux", "-S", str(self.socket), *words]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout

    def press(self, *keys: str) -> None:
        self.tmux("send-keys", "-t", "main", *keys)

    def screen(self) -> str:
        return self.tmux("capture-pane", "-p", "-t", "main")

    def resize(self, columns: int, rows: int) -> None:
        self.tmux("resize-window", "-t", "main", "-x", str(columns), "-y", str(rows))

    def flag(self, name: str) -> str:
        """A flag of the terminal's, such as `alternate_on` or `mouse_any_flag`."""
        return self.tmux("display-message", "-p", "-t", "main", f"#{{{name}}}").strip()

    def wait_for(self, *texts: str) -> str:
        """The screen, once it shows every one of these texts."""
        shown = ""

        def is_shown() -> bool:
            nonlocal shown
            shown = self.screen()
            return all(text in shown for text in texts)

        if not wait_until(is_shown):
            raise AssertionError(f"the screen never showed {texts!r}; it shows:\n{shown}")
        return shown

    def wait_for_rest(self) -> str:
        """The screen, once it has shown the same for a while."""
        seen: list[str] = []

        def is_at_rest() -> bool:
            seen.append(self.screen())
            return len(seen) > LOOKS_AT_REST and len(set(seen[-LOOKS_AT_REST:])) == 1

        if not wait_until(is_at_rest):
            raise AssertionError(f"the screen never came to rest; it shows:\n{seen[-1]}")
        return seen[-1]

    def paste(self, text: str) -> None:
        """Paste as terminals do, in brackets that say so where the program asked for them."""
        self.tmux("set-buffer", text)
        self.tmux("paste-buffer", "-p", "-t", "main")


def assert_given_back(tty: Tty, code: int) -> None:
    """The shell has its screen, its echo and its line editing back, and the mouse is its own."""
    shown = tty.wait_for(f"left {code}", "icanon", "echo")
    assert "-icanon" not in shown
    assert "-echo" not in shown
    assert tty.flag("alternate_on") == "0"
    assert tty.flag("mouse_any_flag") == "0"
    assert tty.flag("cursor_flag") == "1"


def wait_until(holds: Callable[[], bool]) -> bool:
    """Whether the condition came to hold before patience ran out."""
    end = time.monotonic() + PATIENCE_SECONDS
    pause = threading.Event()
    while not holds():
        if time.monotonic() > end:
            return False
        pause.wait(LOOK_EVERY_SECONDS)
    return True


@contextmanager
def terminal(folder: Path, command: str, *, columns: int = 120, rows: int = 36) -> Iterator[Tty]:
    """A shell that runs the command and then says how it ended, in the settings the command left behind."""
    tty = Tty(folder / "tmux")
    then = 'echo "left $?"; stty -a | grep -o -e "-*icanon" -e "-*echo "; cat'
    # A size in the environment would win over the terminal's own.
    env = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "TMUX", "NO_COLOR")}
    env |= {"TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}
    script = f"{command}; {then}"
    new = ["new-session", "-d", "-s", "main", "-x", str(columns), "-y", str(rows), "sh", "-c", script]
    subprocess.run(["tmux", "-S", str(tty.socket), "-f", os.devnull, *new], env=env, check=True)
    try:
        yield tty
    finally:
        subprocess.run(["tmux", "-S", str(tty.socket), "kill-server"], capture_output=True, check=False)


def open_app(workspace: Path, pid_file: Path) -> str:
    """The command that opens the app, and leaves its process number in a file."""
    code = (
        "import os,pathlib,sys;from tui.app import run;"
        f"pathlib.Path({str(pid_file)!r}).write_text(str(os.getpid()));"
        f"sys.exit(run(pathlib.Path({str(workspace)!r})))"
    )
    return f"{shlex.quote(sys.executable)} -c {shlex.quote(code)}"


def has_tmux() -> bool:
    return shutil.which("tmux") is not None
