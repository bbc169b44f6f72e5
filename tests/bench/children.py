"""How the benchmark starts other programs: as an installed apm would be, with its byte code kept."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""Where `python -m tui…` and `python -m tests…` work from."""
ROWS, COLUMNS = 40, 120


def environment(place: Path) -> dict[str, str]:
    """This process's environment, in which byte code is kept, and kept in the benchmark's own folder.

    Without that a checkout whose byte code is not written would compile itself at every start, an installed one not.
    """
    without = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**without, "PYTHONPYCACHEPREFIX": str(place / "bytecode")}


def on_terminal(
    place: Path, arguments: Sequence[str], descriptors: Sequence[int] = ()
) -> tuple[subprocess.Popen[bytes], int]:
    """Python with the arguments on a terminal of its own: the process, and our end of the terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    colours = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": str(COLUMNS), "LINES": str(ROWS)}
    child = subprocess.Popen(
        [sys.executable, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=ROOT,
        env=environment(place) | colours,
        pass_fds=descriptors,
        start_new_session=True,
    )
    os.close(theirs)
    return child, ours
