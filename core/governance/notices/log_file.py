"""The channel that is always there: `state/logs/notifications.log`, a line a notice, for its owner's eyes only."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

FILE_NAME = "notifications.log"
MOST_BYTES = 1_000_000
"""Of a log; then it becomes the older one, which it replaces, and a new one begins."""


def log_path(state: Path) -> Path:
    return state / "logs" / FILE_NAME


def append(path: Path, lines: Sequence[str]) -> None:
    """Add the lines, each whole, beside other processes that do the same. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for line in lines:
        with _held(path) as log:
            content = f"{line}\n".encode("utf-8", "replace")
            if os.fstat(log).st_size + len(content) <= MOST_BYTES:
                _write(log, content)
                continue
            path.replace(_older(path))
        with _held(path) as log:
            _write(log, content)


def lines_among(path: Path, lines: Collection[str]) -> frozenset[str]:
    """Which of the lines the log has already, or the older one. Raises OSError."""
    found: set[str] = set()
    for log in (path, _older(path)):
        try:
            found.update(log.read_text(encoding="utf-8").splitlines())
        except FileNotFoundError:
            continue
    return frozenset(lines) & found


def _older(path: Path) -> Path:
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
