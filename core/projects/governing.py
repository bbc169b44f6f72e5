"""What of a workspace says who may decide what in it, and what that may cost: people change it, no branch does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.paths import real

TEAM = ("agents.yaml", "agents.d")
NAMES = (*TEAM, "prices.yaml", "state")
"""The team with its authority, what a budget's dollars buy, and apm's own state: what lies in its inbox answers for a
person."""


def governing(repository: Path, workspace: Path | None) -> tuple[str, ...]:
    """Those files and folders, relative to a repository that the workspace lies in; none where it lies elsewhere.

    Without a workspace nobody has said which of these names are its own: then a team at the top is taken for such.
    """
    if workspace is None:
        return TEAM
    if not real(workspace).is_relative_to(real(repository)):
        return ()
    home = real(workspace).relative_to(real(repository))
    return tuple((home / name).as_posix() for name in NAMES)


def governs(path: str, own: Sequence[str]) -> bool:
    """Whether a path relative to the repository is one of those, or below one, also where names know no cases."""
    words = path.casefold().split("/")
    return any(words[: len(row)] == row for row in (name.casefold().split("/") for name in own))
