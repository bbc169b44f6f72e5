"""Time from starting a program to the first bytes on its terminal that hold its text, in a real pseudo-terminal."""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from core import workspace as workspaces
from core.orchestration import work_items
from core.workspace import Workspace
from tests.bench import bare_app
from tests.bench.children import on_terminal
from tests.bench.measure import Baseline, Figure, duration

WARM_UP, REPEATS = 2, 10
PATIENCE_SECONDS = 30.0
FRAME, TITLE = b"waiting for you", b"Zebra"
"""Words of the app's header, and of the one row that its workspace holds."""


def measure(place: Path) -> list[Figure]:
    """The two programs by turns; the first starts, which compile and load from disk, are not counted."""
    folder = workspaces.create(place / "workspace")
    with Workspace.open(folder) as workspace:
        workspace.store.write_now(lambda tx: work_items.create(tx, title=TITLE.decode()))
    apm = ("-m", "tui.cli.main", "--workspace", str(folder))
    bare = ("-m", bare_app.__name__)
    frames, rows, bares = [], [], []
    for _ in range(WARM_UP + REPEATS):
        frame, row = _seconds_until(place, apm, (FRAME, TITLE))
        (text,) = _seconds_until(place, bare, (bare_app.TEXT.encode(),))
        frames.append(frame)
        rows.append(row)
        bares.append(text)
    baseline = Baseline("bare Textual app", bares[WARM_UP:])
    return [
        duration("apm: first frame", frames[WARM_UP:], "ms", baseline=baseline),
        duration("apm: first row of data", rows[WARM_UP:], "ms", baseline=baseline),
        duration("bare Textual app: its text", bares[WARM_UP:], "ms"),
    ]


def _seconds_until(place: Path, arguments: Sequence[str], texts: Sequence[bytes]) -> list[float]:
    """Start Python with the arguments on a terminal of its own; seconds until each of the texts was written to it."""
    began = perf_counter()
    program, ours = on_terminal(place, arguments)
    try:
        return _moments(ours, texts, began)
    finally:
        _end(program, ours)


def _moments(terminal: int, texts: Sequence[bytes], began: float) -> list[float]:
    """Raises RuntimeError, with what was written instead, when a text does not come."""
    written = b""
    found: dict[bytes, float] = {}
    while len(found) < len(texts):
        chunk = _read(terminal, began + PATIENCE_SECONDS - perf_counter())
        now = perf_counter()
        if not chunk:
            missing = [text for text in texts if text not in found]
            raise RuntimeError(
                f"{missing} did not appear within {PATIENCE_SECONDS:g} s; the end was {written[-500:]!r}"
            )
        written += chunk
        for text in texts:
            if text in written:
                found.setdefault(text, now - began)
    return [found[text] for text in texts]


def _read(terminal: int, seconds: float) -> bytes:
    """What the program has written next; nothing when it has ended or time is up."""
    if not select.select([terminal], [], [], max(0.0, seconds))[0]:
        return b""
    try:
        return os.read(terminal, 2**16)
    except OSError:
        # Linux answers so once the program has closed its side.
        return b""


def _end(program: subprocess.Popen[bytes], terminal: int) -> None:
    """Stop the program, taking in what it still writes: one that waits for room on its terminal could not end."""
    program.terminate()
    deadline = perf_counter() + PATIENCE_SECONDS
    while program.poll() is None and perf_counter() < deadline:
        _read(terminal, 0.05)
    program.kill()
    program.wait()
    os.close(terminal)
