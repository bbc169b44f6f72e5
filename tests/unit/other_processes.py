"""Processes beside the test's that say who they are, one that has ended, and a clock that is set meanwhile."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from core.projects import identity

SAYS_WHO = "from core.projects import identity; print(identity.own(), flush=True); input()"


@contextmanager
def another(code: str = SAYS_WHO) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A living process, and who it says it is."""
    words = [sys.executable, "-c", code]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def nobody_here() -> str:
    """The identity of a process that has ended: numbers never come to be as high."""
    place = identity.own().rsplit(":", 2)[0]
    return f"{place}:999999999:1"


def set_clock(seconds: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The boot moves with the clock, and with it the start of every process that psutil tells from now on."""
    for shown in Path("/proc").iterdir():
        if shown.name != "stat":
            (folder / shown.name).symlink_to(shown)
    (folder / "stat").write_text(f"btime {int(psutil.boot_time()) + seconds}\n")
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(folder))
