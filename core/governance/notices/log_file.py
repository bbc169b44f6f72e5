"""The channel that is always there: `state/logs/notifications.log`, a line a notice, for its owner's eyes only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from core import log_files

FILE_NAME = "notifications.log"
MOST_BYTES = 1_000_000
"""Of a log; then it becomes the older one, which it replaces, and a new one begins."""


def log_path(state: Path) -> Path:
    return state / "logs" / FILE_NAME


def append(path: Path, lines: Sequence[str]) -> None:
    """Add the lines, each whole. Raises OSError."""
    log_files.append(path, lines, MOST_BYTES)


def lines_among(path: Path, lines: Collection[str]) -> frozenset[str]:
    """Which of the lines the log has already, or the older one. Raises OSError."""
    found: set[str] = set()
    for log in (path, log_files.older(path)):
        try:
            found.update(log.read_text(encoding="utf-8", errors="replace").splitlines())
        except FileNotFoundError:
            continue
    return frozenset(lines) & found
