"""GitHub Copilot's program finds every generated agent, with the words and tools of its file."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from core.registry.generation.providers import provider
from tests.loaders import installing
from tests.loaders.teams import HOSTILE, generated

PROBE = Path(__file__).with_name("copilot_probe.py")


def discovered(root: Path) -> dict[str, dict[str, Any]]:
    program = installing.one(installing.npm("copilot"), "@github/copilot-linux-*/copilot")
    python = installing.pip("copilot-sdk") / "bin/python"
    done = subprocess.run(
        [python, PROBE, program, str(root)],
        env=installing.environment("copilot"),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return {agent["id"]: agent for agent in json.loads(done.stdout.splitlines()[-1])}


def test_it_finds_every_agent_with_its_words_and_tools(tmp_path: Path) -> None:
    team = generated(tmp_path, "copilot", extra=HOSTILE)
    known = provider("copilot")

    found = discovered(tmp_path)

    assert sorted(found) == [subject.role for subject in team]
    for subject in team:
        assert found[subject.role]["description"] == subject.description
        assert found[subject.role]["tools"] == list(known.words(subject.tools))


def test_it_drops_a_file_that_is_wrong(tmp_path: Path) -> None:
    generated(tmp_path, "copilot")
    (tmp_path / ".github/agents/ac-writer.agent.md").write_text("---\nname: [x\n---\nbody\n", encoding="utf-8")

    assert "ac-writer" not in discovered(tmp_path)
