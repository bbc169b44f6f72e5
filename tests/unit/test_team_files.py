"""What a release must not bring along: the files that say who may decide what in the workspace that governs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.orchestration.outcomes import team_files

CHANGED = ["agents.yaml", "agents.d/own.yaml", "agents.dirty", "src/agents.yaml", "ops/agents.yaml", "README.md"]


@pytest.mark.parametrize(
    ("home", "found"),
    [
        (".", ["agents.yaml", "agents.d/own.yaml"]),
        ("ops", ["ops/agents.yaml"]),
        ("..", []),
        ("../elsewhere", []),
    ],
)
def test_only_the_workspaces_own_files_count(tmp_path: Path, home: str, found: list[str]) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()

    assert team_files(CHANGED, repository, repository / home) == found
