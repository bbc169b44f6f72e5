"""Who a process is: told from a later one with the same number, and from those whose numbers mean nothing here.

A process calls itself `host:boot:namespace:pid:start`. On Linux a number counts within one PID namespace of one boot,
and the start in clock ticks since that boot, which nobody moves who sets the clock. Elsewhere boot and namespace are
empty, and the start is in seconds since the epoch, as psutil gives it.
"""

from __future__ import annotations

import contextlib
import os
import platform
from pathlib import Path

import psutil

IS_LINUX = psutil.LINUX
PROC = Path("/proc")
NOWHERE = "?:?"
"""Boot and namespace where they cannot be read, or /proc shows the processes of another namespace."""
SAME_START_SECONDS = 30.0
"""How far two readings of one start in seconds may lie apart: the clock may have been set in between."""


def own() -> str:
    """This process; a bare pid may be another program's by the time somebody asks.

    Raises OSError on a Linux without /proc.
    """
    start = _state_and_start("self")[1] if IS_LINUX else f"{psutil.Process().create_time():.2f}"
    return f"{_place()}:{os.getpid()}:{start}"


def is_dead(identity: str) -> bool:
    """Whether the process that called itself this is known to have ended.

    Nothing is known of another host or namespace, of another boot under our host's name, which may be another machine
    of that name, and of identities from earlier versions, which say neither.
    """
    rest, _, start = identity.rpartition(":")
    place, _, pid = rest.rpartition(":")
    if place != _place() or place.endswith(NOWHERE):
        return False
    try:
        return _has_ended(int(pid), start) if IS_LINUX else _has_ended_by_clock(int(pid), float(start))
    except (ProcessLookupError, psutil.NoSuchProcess):
        return True
    except (OSError, psutil.Error, ValueError, OverflowError):
        return False


def _place() -> str:
    """Where our processes' numbers are theirs alone: host, boot and PID namespace."""
    host = platform.node()
    if not IS_LINUX:
        return f"{host}::"
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
        namespace = (PROC / "self/ns/pid").stat().st_ino
        shows_ours = (PROC / "self").readlink().name == str(os.getpid())
    except OSError:
        shows_ours = False
    return f"{host}:{boot}:{namespace}" if shows_ours else f"{host}:{NOWHERE}"


def _has_ended(pid: int, start: str) -> bool:
    """Raises ProcessLookupError when there is no such process, and FileNotFoundError when /proc hides it."""
    with contextlib.suppress(PermissionError):
        os.kill(pid, 0)
    state, found = _state_and_start(str(pid))
    return found != start or state in ("Z", "X")


def _has_ended_by_clock(pid: int, start: float) -> bool:
    """Raises psutil.Error when there is no such process, or it cannot be asked."""
    return abs(psutil.Process(pid).create_time() - start) >= SAME_START_SECONDS


def _state_and_start(pid: str) -> tuple[str, str]:
    """Fields 3 and 22 of a process's `stat`, after a name in brackets that may itself hold blanks and brackets."""
    fields = (PROC / pid / "stat").read_bytes().rpartition(b")")[2].decode().split()
    return fields[0], fields[19]
