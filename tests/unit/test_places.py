"""Where a workspace is looked for, and what is said where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import places
from core.contract import UsageError


def make_workspace(folder: Path) -> Path:
    (folder / "state").mkdir(parents=True)
    (folder / places.FILE).touch()
    return folder


def test_the_nearest_one_upward_is_found(tmp_path: Path) -> None:
    inner = make_workspace(make_workspace(tmp_path) / "inner")
    (inner / "deep" / "er").mkdir(parents=True)
    assert places.find(inner / "deep" / "er") == inner.resolve()


def test_where_there_is_none_the_demos_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"or name one with --workspace\.$"):
        places.find(tmp_path)
    make_workspace(tmp_path / "state" / "demo")
    with pytest.raises(UsageError, match="The demo's is here: `apm --workspace state/demo`"):
        places.find(tmp_path)
