"""A deployment, and what it left in the repository and beside it."""

from __future__ import annotations

from pathlib import Path

from tests.unit.git_project import git
from tests.unit.release_place import Place

ROLE = "deploy-orchestrator"


def tags(place: Place) -> list[str]:
    return git(place.repo, "tag", "--list").split()


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}
