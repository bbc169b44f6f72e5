"""The JSON files of a release, and what a killed write leaves of them."""

from __future__ import annotations

from pathlib import Path

from core.agents.records import read_json, write_json


def test_what_a_killed_write_had_begun_goes_with_the_next_one_and_nothing_else(tmp_path: Path) -> None:
    for name in (".deploy.done.x1y2", ".release.json.x1y2", "deploy.done.of-the-user"):
        (tmp_path / name).write_text("{")

    write_json(tmp_path / "deploy.done", {"attempt": 1})

    assert read_json(tmp_path / "deploy.done") == {"attempt": 1}
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *(".release.json.x1y2", "deploy.done", "deploy.done.of-the-user"),
    ]
