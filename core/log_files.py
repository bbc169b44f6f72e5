"""Logs that several processes write at once and that never outgrow their limit: one, and the one before it.

A rotating handler of `logging` keeps its file open: of two processes each would go on in the file that the other has
put aside, and rotate away what the other has just begun. Here each line finds the file that has the name now, locked.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


def append(path: Path, lines: Sequence[str], most_bytes: int) -> None:
    """Add the lines, each whole, beside other processes that do the same. Raises OSError.

    A log that would grow beyond `most_bytes` becomes the older one first (`.1`), which it replaces. A line that alone
    is longer has a log for itself.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for line in lines:
        with _held(path) as log:
            content = f"{line}\n".encode("utf-8", "backslashreplace")
            size = os.fstat(log).st_size
            if size == 0 or size + len(content) <= most_bytes:
                _write(log, content)
                continue
            path.replace(older(path))
        with _held(path) as log:
            _write(log, content)


def older(path: Path) -> Path:
    """The log before this one."""
    return path.with_name(f"{path.name}.1")


@contextmanager
def _held(path: Path) -> Iterator[int]:
    """The log, opened and locked; the one that has the name now, if another process has just put it aside."""
    while True:
        log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(log, fcntl.LOCK_EX)
            if _is_named(path, log):
                yield log
                return
        finally:
            os.close(log)


def _is_named(path: Path, log: int) -> bool:
    opened = os.fstat(log)
    try:
        named = path.stat()
    except FileNotFoundError:
        return False
    return (opened.st_dev, opened.st_ino) == (named.st_dev, named.st_ino)


def _write(log: int, content: bytes) -> None:
    written = 0
    while written < len(content):
        written += os.write(log, content[written:])
