"""Running `apm` as its user does: a process of its own, with the streams and the exit code that it has there."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 120.0
"""After which a process that does not do what a test waits for has failed."""
LOOK_SECONDS = 0.005


@dataclass(frozen=True)
class Ended:
    """`json` is the one document on standard output."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Apm:
    """The command line, started in a folder."""

    cwd: Path
    workspace: Path | None = None

    def __call__(self, *words: str | Path, stdin: str = "") -> Ended:
        ended = subprocess.run(
            self._argv(words),
            cwd=self.cwd,
            env=environment(),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def start(self, *words: str | Path) -> subprocess.Popen[str]:
        """Start it and go on; the caller ends it."""
        return subprocess.Popen(
            self._argv(words),
            cwd=self.cwd,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _argv(self, words: tuple[str | Path, ...]) -> list[str]:
        place = [] if self.workspace is None else ["--workspace", str(self.workspace)]
        return [sys.executable, "-m", "tui.cli.main", *place, *(str(w) for w in words)]


def environment() -> dict[str, str]:
    """The tests' environment without what would lead apm elsewhere, and with this checkout importable."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("APM_")}
    return {**kept, "PYTHONPATH": str(ROOT)}


def query(workspace: Path, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """Rows of a workspace's database as they are at this moment; none while it is not there yet."""
    path = workspace / "state" / "apm.db"
    if not path.exists():
        return []
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        return connection.execute(sql, values).fetchall()
    except sqlite3.OperationalError:
        return []
    finally:
        connection.close()


def freeze(process: subprocess.Popen[str], workspace: Path) -> None:
    """Stop a process where it stands, at a moment when it holds no write of the database open."""
    while True:
        process.send_signal(signal.SIGSTOP)
        connection = sqlite3.connect(workspace / "state" / "apm.db", timeout=0, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
            return
        except sqlite3.OperationalError:
            process.send_signal(signal.SIGCONT)
        finally:
            connection.close()


def wait_until(process: subprocess.Popen[str], condition: Callable[[], object]) -> bool:
    """Wait until the condition holds (True) or the process has ended without (False)."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if process.poll() is not None:
            return bool(condition())
        if time.monotonic() > deadline:
            process.kill()
            process.communicate()
            raise AssertionError("apm did not come to where the test waits for it")
        time.sleep(LOOK_SECONDS)
    return True


def end(process: subprocess.Popen[str], number: signal.Signals | None = None) -> Ended:
    """Send a signal, if one is given, and collect what the process leaves."""
    if number is not None:
        process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    return Ended(process.returncode, out, err)
