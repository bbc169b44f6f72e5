"""No key, move of the mouse, size or news in whatever order ends the app, or has it say that it failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.random_keys import faults_of


@pytest.mark.parametrize("seed", range(6))
# Where the app is left while a scroll bar comes up, Textual forgets the bar's task, and Python complains of that.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_whatever_is_typed_the_app_stays_and_tells_no_fault(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDITOR", "true")
    monkeypatch.setenv("VISUAL", "true")
    assert await faults_of(seed, tmp_path / "workspace", keys=150) == []
