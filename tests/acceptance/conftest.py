"""A workspace of the profile pm33, and the command line in front of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.command_line import CommandLine


@pytest.fixture
def pm33(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    line = CommandLine(tmp_path / "pm33", capsys, monkeypatch)
    assert line("init", "--profile", "pm33").code == 0
    return line
