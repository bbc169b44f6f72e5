"""Which documents a domain agent is given: those that its patterns match in some folders, and nothing outside of them.

A search is bounded in what it looks at, what it gives and how large that is; what was left out for that is counted.
Links are not followed out of a folder, and not into folders at all.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from core.contract import Json
from core.paths import real
from core.sanitise import one_line

MOST_FILES = 200
"""Documents of one agent; what lies beyond was not chosen, it was swept in."""
MOST_BYTES = 1_000_000
"""A larger file is no document that anybody hands to an agent."""
MOST_LOOKED_AT = 50_000
"""Entries of folders that one pattern may look at in one folder."""
HIDDEN = frozenset({".git", ".hg", ".svn", "node_modules", ".venv", "__pycache__"})
"""Folders that hold no documents; a pattern that names one enters it."""
STATE = "apm.db"
"""The file that tells a workspace's state folder, which is nobody's document."""


@dataclass(frozen=True, slots=True)
class ContextFiles:
    """`given` are paths below their folders, in order, those of a folder with a name as `name:path`; `missing` are the
    patterns that match nothing anywhere; `left_out` counts documents that were too large or too many."""

    given: tuple[str, ...]
    missing: tuple[str, ...]
    left_out: int = 0

    def to_json(self) -> Json:
        return {"given": list(self.given), "missing": list(self.missing), "left_out": self.left_out}


def context_files(folders: Mapping[str, Path], patterns: Sequence[str]) -> ContextFiles:
    """The documents that the patterns (`docs/**/*.md`) match in folders by name. What is missing is listed."""
    given: dict[str, None] = {}
    missing, left_out = [], 0
    for pattern in patterns:
        found = [shown for name, folder in folders.items() for shown in _shown(name, folder, pattern)]
        if not found:
            missing.append(pattern)
        left_out += sum(shown is None for shown in found)
        given |= dict.fromkeys(shown for shown in found if shown is not None)
    return ContextFiles(tuple(given)[:MOST_FILES], tuple(missing), left_out + max(0, len(given) - MOST_FILES))


def _shown(name: str, folder: Path, pattern: str) -> Iterator[str | None]:
    """The documents of one folder as they are named; None for one that is too large."""
    root = real(folder)
    for path in sorted(_matches(root, pattern)):
        there = real(Path(path))
        size = _size(there)
        # A link may stand in the folder and lead out of it; what counts is where it leads.
        if size is not None and there.is_relative_to(root):
            inside = one_line(Path(path).relative_to(root).as_posix(), 500)
            yield (f"{name}:{inside}" if name else inside) if size <= MOST_BYTES else None


def _size(path: Path) -> int | None:
    """Bytes of a regular file; None for anything else, and for one that is gone again."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _matches(root: Path, pattern: str) -> Iterator[str]:
    parts = _parts(pattern)
    if not parts or pattern.startswith("/") or ".." in parts:
        return
    looked_at = 0
    waiting = [(str(root), parts)]
    while waiting:
        folder, (part, *rest) = waiting.pop()
        for entry in _entries(folder):
            looked_at += 1
            if looked_at > MOST_LOOKED_AT:
                return
            is_folder = entry.is_dir(follow_symlinks=False)
            if part == "**":
                if is_folder and entry.name not in HIDDEN and not _is_state(entry.path):
                    waiting.append((entry.path, (part, *rest)))
                # `**` also stands for no folder at all; at the end it stands for every file below.
                tail = rest or ["*"]
                if _is_like(entry.name, tail[0]):
                    yield from _step(entry, is_folder, tail[1:], waiting)
            elif _is_like(entry.name, part):
                yield from _step(entry, is_folder, rest, waiting)


def _parts(pattern: str) -> tuple[str, ...]:
    parts = [part for part in pattern.split("/") if part not in (".", "")]
    return tuple(p for n, p in enumerate(parts) if not (p == "**" and n and parts[n - 1] == "**"))


def _is_like(name: str, part: str) -> bool:
    """As a shell matches: a name with a dot in front wants one in the pattern."""
    return fnmatchcase(name, part) and name.startswith(".") == part.startswith(".")


def _step(
    entry: os.DirEntry[str], is_folder: bool, rest: Sequence[str], waiting: list[tuple[str, tuple[str, ...]]]
) -> Iterator[str]:
    """One part of the pattern further: into a folder with what is left of it, or to a file when nothing is."""
    if rest and is_folder:
        waiting.append((entry.path, tuple(rest)))
    elif not rest and not is_folder:
        yield entry.path


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda e: e.name)
    except OSError:
        # Gone or not ours to read: there are no documents for us in it.
        return []


def _is_state(folder: str) -> bool:
    return os.path.exists(os.path.join(folder, STATE))  # noqa: PTH110, PTH118 — a Path for each folder costs more
