"""Which documents a domain agent is given: those that its patterns match in a folder, and nothing outside of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

MOST_FILES = 200
"""Documents of one agent; what lies beyond was not chosen, it was swept in."""
MOST_BYTES = 1_000_000
"""A larger file is no document that anybody hands to an agent."""


@dataclass(frozen=True, slots=True)
class ContextFiles:
    """Paths relative to the folder, in order; `missing` are the patterns that match nothing."""

    given: tuple[str, ...]
    missing: tuple[str, ...]


def context_files(folder: Path, patterns: Sequence[str]) -> ContextFiles:
    """The documents that the patterns (`docs/**/*.md`) match in a folder. Missing ones are listed, never fatal."""
    root = folder.resolve()
    given: dict[str, None] = {}
    missing = []
    for pattern in patterns:
        found = list(_documents(root, pattern))
        if not found:
            missing.append(pattern)
        given |= dict.fromkeys(found)
    return ContextFiles(tuple(list(given)[:MOST_FILES]), tuple(missing))


def _documents(root: Path, pattern: str) -> Iterator[str]:
    if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
        return
    # Before Python 3.13 a pattern that ends in `**` matches folders and no files.
    for path in _sorted(root.glob(f"{pattern}/*" if pattern.endswith("**") else pattern)):
        real = path.resolve()
        # A link may stand in the folder and lead out of it; what counts is where it leads.
        if real.is_relative_to(root) and real.is_file() and real.stat().st_size <= MOST_BYTES:
            yield path.relative_to(root).as_posix()


def _sorted(paths: Iterable[Path]) -> list[Path]:
    return sorted(paths)[:MOST_FILES]
