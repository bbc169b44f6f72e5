from __future__ import annotations

from pathlib import Path

import pytest

from core.paths import real


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there")
    (tmp_path / "round").symlink_to("round")
    return real(tmp_path)


@pytest.mark.parametrize(
    ("name", "leads_to"),
    [("there", "there"), ("link/file", "there/file"), ("link/../x", "x"), ("none/x", "none/x")],
)
def test_links_are_followed_as_far_as_they_lead(folder: Path, name: str, leads_to: str) -> None:
    assert real(folder / name) == (folder / name).resolve() == folder / leads_to


@pytest.mark.parametrize("name", ["round", "round/x"])
def test_links_in_a_circle_stand_for_themselves(folder: Path, name: str) -> None:
    assert real(folder / name) == folder / name
