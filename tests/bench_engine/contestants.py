"""Who is measured, and how a run of each is started: a process of its own, in an empty folder of its own."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.bench_engine.standard import Outcome, Shape, told, words

ROOT = Path(__file__).parents[2]
GRACE_SECONDS = 60.0
"""What a run may take beyond its time limit, to begin and to end."""


class NotMeasured(Exception):
    """There is no figure, and this is why."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """A program that runs the standard workload. `part` is the word that `--only` knows it by."""

    part: str
    title: str
    module: str
    extra: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    """What its own virtual environment holds, pinned; none for what runs in ours."""
    npm: tuple[str, ...] = ()
    """What it needs of npm's packages besides, pinned."""
    is_rival: bool = False
    more: int = 1
    """So many times the work items: a run must not be over in a tenth of a second."""


OURS = Contestant("ours", "apm", "tests.bench_engine.ours")
BYTES = "{bytes}"
"""Stands for the bytes that a step of apm came to, in the run before."""
RAW = "tests.bench_engine.raw"
RAW_GROUP = Contestant("raw", "raw sqlite3, group commit, a row of 500 bytes", RAW, more=5)
RAW_LARGE = Contestant("raw", "raw sqlite3, group commit, as many bytes as apm", RAW, ("--bytes", BYTES), more=5)

OWN: tuple[Contestant, ...] = (
    OURS,
    Contestant("ours", "apm, synchronous=NORMAL", "tests.bench_engine.ours", ("--synchronous", "normal")),
    Contestant("git", "apm, a project in git, nothing replaced", "tests.bench_engine.ours", ("--git",)),
    RAW_GROUP,
    RAW_LARGE,
    Contestant("raw", "raw sqlite3, a commit per step", RAW, ("--commit", "step")),
)


def run(contestant: Contestant, python: Path, shape: Shape, step_bytes: int) -> Outcome:
    """One run. Raises NotMeasured, with the program's last words, when it gives no figure."""
    extra = [word.replace(BYTES, str(step_bytes)) for word in contestant.extra]
    larger = replace(shape, items=shape.items * contestant.more)
    with tempfile.TemporaryDirectory(prefix="apm-bench-") as folder:
        command = [str(python), "-m", contestant.module, *extra, *words(larger, Path(folder))]
        try:
            return told(spoken(command, shape.seconds + GRACE_SECONDS))
        except ValueError as error:
            raise NotMeasured(str(error)) from None


def spoken(command: Sequence[str], seconds: float) -> str:
    """What a program prints. Raises NotMeasured, with its last words, when it fails or takes longer."""
    try:
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        raise NotMeasured(f"it had not ended after {seconds:.0f} s") from None
    if ended.returncode:
        raise NotMeasured(last_line(ended.stderr) or f"it ended with {ended.returncode}")
    return ended.stdout


def last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


def own_python() -> Path:
    return Path(sys.executable)
