"""The reference validator of Agent Skills is content with every generated skill."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.loaders import installing
from tests.loaders.teams import HOSTILE, generated


def agentskills(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = installing.pip("skills") / "bin/agentskills"
    return subprocess.run(
        [program, *arguments], env=installing.environment("skills"), capture_output=True, text=True, timeout=60
    )


def test_it_validates_every_skill(tmp_path: Path) -> None:
    team = generated(tmp_path, "skills", extra=HOSTILE)

    for subject in team:
        folder = tmp_path / ".claude/skills" / subject.role
        done = agentskills("validate", str(folder))
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        read = json.loads(agentskills("read-properties", str(folder)).stdout)
        assert (read["name"], read["description"]) == (subject.role, subject.description)
    assert {subject.role for subject in HOSTILE} <= {subject.role for subject in team}
