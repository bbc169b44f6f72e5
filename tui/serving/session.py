"""The app at the other end of one connection: a process of its own, which speaks to the server over its streams.

The connection's end, however it comes about, is the hang-up that a closed terminal would be: the app stops what it
runs and leaves.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
from pathlib import Path
from typing import Any

from textual.drivers.web_driver import WebDriver

from core.paths import real

DRIVER = f"{__name__}:BrowserDriver"
CLEARED = "\x1b[2J\x1b[H"
MOST = 1_000
"""Columns and rows: a size beyond that is no window's."""
ROOT = Path(__file__).parents[2]


def command(workspace: Path) -> str:
    """The shell command that opens the app on a workspace."""
    return shell_command(__name__, main.__name__, real(workspace))


def shell_command(module: str, function: str, *arguments: object) -> str:
    """A shell command that calls a function of ours with these, as texts, in this very interpreter and source.

    What lies in the current folder does not count: a project may have a package of the same name.
    """
    code = (
        f"import sys; sys.path.append({str(ROOT)!r}); from {module} import {function} as f; sys.exit(f(*sys.argv[1:]))"
    )
    return f"exec {shlex.join([sys.executable, '-P', '-c', code, *map(str, arguments)])}"


class BrowserDriver(WebDriver):
    """Textual's own driver for browsers, with a clean end."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._write = _write_out  # type: ignore[assignment]

    def run_input_thread(self) -> None:
        super().run_input_thread()
        if not self.exit_event.is_set():
            self._hang_up()

    def stop_application_mode(self) -> None:
        """As Textual's, but the connection is left open: there may be something to say still."""
        self.exit_event.set()
        self._input_reader.close()

    def on_meta(self, packet_type: str, payload: dict[str, object]) -> None:
        if packet_type == "quit":
            self._hang_up()
        else:
            super().on_meta(packet_type, payload)

    def _hang_up(self) -> None:
        """Leave as for a closed terminal: Textual's own way out would not wait for the engine."""
        os.kill(os.getpid(), signal.SIGHUP)


def is_size(*counts: object) -> bool:
    """Whether these can be the columns and rows of a window."""
    return all(isinstance(n, int) and 1 <= n <= MOST for n in counts)


def main(folder: str) -> int:
    from core.contract import ApmError
    from tui.app import run
    from tui.cli.logs import log_into

    log_into(Path(folder, "state"), is_shown=False)
    try:
        return run(Path(folder))
    except ApmError as error:
        _say(str(error))
        return error.exit_code


def _say(text: str) -> None:
    """Show why there is no app, in its place, until the connection ends."""
    from core.sanitise import sanitise

    said = (CLEARED + "\r\n".join(sanitise(f"apm: {text}").splitlines())).encode()
    _write_out(b"D" + len(said).to_bytes(4, "big") + said)
    while os.read(0, 4_096):
        continue


def _write_out(data: bytes) -> None:
    """All of it, though a signal may cut a large write short; nothing once nobody reads any more."""
    left = memoryview(data)
    try:
        while left:
            left = left[os.write(1, left) :]
    except OSError:
        return
