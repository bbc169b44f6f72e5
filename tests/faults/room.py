"""Folders that are too small or may not be written to: mounts of its own, in a namespace that ends with the test."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.e2e.apm_process import PATIENCE_SECONDS, Ended, environment

UNSHARE = ("unshare", "--user", "--map-root-user", "--mount")


@cache
def why_not() -> str:
    """Why this machine lets nobody mount in a namespace of their own; "" where it does."""
    try:
        tried = subprocess.run([*UNSHARE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, text=True)
    except FileNotFoundError as error:
        return f"no mounts here: {error}"
    return "" if tried.returncode == 0 else f"no mounts here: {tried.stderr.strip() or tried.returncode}"


@dataclass
class Room:
    """A process that holds the namespace. Close it: the mounts end with it."""

    holder: subprocess.Popen[str]

    @classmethod
    def open(cls) -> Room:
        holder = subprocess.Popen(
            [*UNSHARE, "sh", "-c", "echo; exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert holder.stdout is not None
        holder.stdout.readline()
        return cls(holder)

    def close(self) -> None:
        self.holder.communicate()

    def sh(self, script: str, *words: str | Path) -> str:
        """What the script prints; the words are its `$1` and on."""
        done = subprocess.run(
            [*self._inside(), "sh", "-euc", script, "sh", *words], capture_output=True, text=True, check=True
        )
        return done.stdout

    def python(self, program: str, *words: str | Path) -> Ended:
        return self._ended([sys.executable, "-c", program, *map(str, words)])

    def apm(self, workspace: Path, *words: str | Path) -> Ended:
        place = ["-m", "tui.cli.main", "--workspace", str(workspace)]
        return self._ended([sys.executable, *place, *map(str, words)])

    def _ended(self, words: list[str]) -> Ended:
        done = subprocess.run(
            [*self._inside(), *words], env=environment(), capture_output=True, text=True, timeout=PATIENCE_SECONDS
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def _inside(self) -> tuple[str, ...]:
        pid = str(self.holder.pid)
        return ("nsenter", "--preserve-credentials", "--user", "--mount", "--target", pid, f"--wd={Path.cwd()}")
