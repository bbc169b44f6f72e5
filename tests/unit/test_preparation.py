"""What a person reads where a project's own setup does not come to its end."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from core.contract import ApmError
from core.projects.preparation import prepare
from tests.unit.git_project import commit, project


@pytest.mark.parametrize(
    ("command", "limit", "told"),
    [
        (
            [sys.executable, "-c", "import time; time.sleep(60)"],
            0.5,
            "was stopped at its time limit of 0.5 s. Mend it with `apm project set repo --time-limit …` or `--setup …`",
        ),
        ([sys.executable, "-c", "raise SystemExit(7)"], 60, "ended with exit code 7. Mend it with"),
        ([sys.executable, "-c", "raise SystemExit('no room')"], 60, "ended with exit code 1: no room Mend it with"),
        (["no-such-program"], 60, "could not be started: The program 'no-such-program' was not found"),
    ],
)
async def test_why_a_setup_command_failed_is_said(tmp_path: Path, command: list[str], limit: float, told: str) -> None:
    repo = tmp_path / "repo"
    commit(repo, {"a.txt": ""})
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    asked = project(repo, setup=[command], time_limit=limit) | {"environment": str(tmp_path / "environment" / "here")}

    with pytest.raises(ApmError) as raised:
        await prepare(asked, repo, scratch)

    assert told in str(raised.value)
