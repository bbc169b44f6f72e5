"""Finding and ending processes that apm's commands started, wherever they went.

Three variables mark a child and all its descendants: the runs it belongs to (one apm may run inside a command of
another), the workspace, and the apm that started it. A descendant that throws its environment away and leaves its
process group as well is beyond reach.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil

from core.projects import identity

RUN, WORKSPACE, OWNER = "APM_RUN", "APM_RUN_WORKSPACE", "APM_RUN_OWNER"
SEARCHES, FIRST_PAUSE_SECONDS = 16, 0.002
"""How often a kill looks for what was forked meanwhile, and how soon; each pause is half as long again."""


def marks(run_id: str, workspace_id: str, *, stale_when_orphaned: bool) -> dict[str, str]:
    """The variables for a child's environment; without an owner it is never taken for a leftover."""
    runs = {RUN: f"{os.environ.get(RUN, '')}/{run_id}"}
    return runs | {WORKSPACE: workspace_id, OWNER: identity.own()} if stale_when_orphaned else runs


def of_run(run_id: str) -> list[psutil.Process]:
    """Every process that a run started, directly or not."""
    return [process for process, variables in _environments() if run_id in variables.get(RUN, "").split("/")]


def stale(workspace_id: str) -> list[psutil.Process]:
    """Processes of a workspace whose apm is known to be gone; never this process or one that it was started from."""
    ours = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    return [
        process
        for process, variables in _environments()
        if variables.get(WORKSPACE) == workspace_id
        and identity.is_dead(variables.get(OWNER, ""))
        and process.pid not in ours
    ]


def working_in(folder: Path, name: str) -> bool:
    """Whether a program of this name is at work in a folder or below it."""
    for process in _all():
        with contextlib.suppress(psutil.Error, OSError):
            if process.name() == name and Path(process.cwd()).is_relative_to(folder):
                return True
    return False


def kill_until_none(find: Callable[[], Sequence[psutil.Process]]) -> int:
    """SIGKILL what `find` finds until it finds nothing: a child may fork between the search and the signal.

    Returns how many processes it were. Blocks for about 2.6 s at most (a process in uninterruptible sleep stays).
    """
    killed: set[int] = set()
    pause = FIRST_PAUSE_SECONDS
    for _ in range(SEARCHES):
        found = find()
        if not found:
            break
        killed.update(process.pid for process in found)
        signal_all(found, signal.SIGKILL)
        time.sleep(pause)
        pause *= 1.5
    return len(killed)


def signal_all(found: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in found:
        with contextlib.suppress(psutil.Error):
            process.send_signal(number)


def outside(found: Sequence[psutil.Process], group: int) -> list[psutil.Process]:
    """Those that are not in this process group any more."""
    left = []
    for process in found:
        with contextlib.suppress(ProcessLookupError):
            if os.getpgid(process.pid) != group:
                left.append(process)
    return left


def signal_group(pid: int, number: signal.Signals) -> bool:
    """Signal a child's process group; False when nothing is left in it."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _all() -> Iterator[psutil.Process]:
    """Not `psutil.process_iter`, whose shared cache two threads must not walk at once."""
    for pid in psutil.pids():
        with contextlib.suppress(psutil.Error):
            yield psutil.Process(pid)


def _environments() -> Iterator[tuple[psutil.Process, dict[str, str]]]:
    """Processes with their variables, but for those that have ended or are not ours to read."""
    for process in _all():
        with contextlib.suppress(psutil.Error, OSError):
            yield process, process.environ()
