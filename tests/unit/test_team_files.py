"""What a release must not bring along: the files that say who may decide what in the workspace that governs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.projects.governing import TEAM, governing, governs

CHANGED = [
    *("agents.yaml", "agents.d/own.yaml", "agents.dirty", "src/agents.yaml", "prices.yaml", "State/inbox/grant.json"),
    *("ops/agents.yaml", "ops/state/inbox/x.json", "states.py", "README.md"),
]


@pytest.mark.parametrize(
    ("home", "found"),
    [
        (".", ["agents.yaml", "agents.d/own.yaml", "prices.yaml", "State/inbox/grant.json"]),
        ("ops", ["ops/agents.yaml", "ops/state/inbox/x.json"]),
        ("..", []),
        ("../elsewhere", []),
    ],
)
def test_only_the_workspaces_own_files_count(tmp_path: Path, home: str, found: list[str]) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()

    own = governing(repository, repository / home)
    assert [path for path in CHANGED if governs(path, own)] == found


def test_where_no_workspace_is_named_a_team_at_the_top_counts(tmp_path: Path) -> None:
    assert governing(tmp_path, None) == TEAM
