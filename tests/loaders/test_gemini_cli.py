"""Gemini CLI's own loader takes every generated agent whole, and the XML beside it disturbs nothing."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from core.registry.generation.providers import provider
from tests.loaders import installing
from tests.loaders.teams import HOSTILE, generated

PROBE = Path(__file__).with_name("gemini_probe.mjs")


def loaded(root: Path) -> dict[str, Any]:
    modules = installing.npm("gemini")
    loader = installing.one(modules, "@google/gemini-cli-core/dist/src/agents/agentLoader.js")
    done = subprocess.run(
        ["node", str(PROBE), str(loader), str(root / ".gemini/agents")],
        env=installing.environment("gemini"),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_it_loads_every_agent_whole_and_reports_no_error(tmp_path: Path) -> None:
    team = generated(tmp_path, "gemini-cli", extra=HOSTILE)
    generated(tmp_path, "gemini", extra=HOSTILE)
    known = provider("gemini-cli")

    found = loaded(tmp_path)

    assert found["errors"] == []
    agents = {agent["name"]: agent for agent in found["agents"]}
    assert sorted(agents) == [subject.role for subject in team]
    for subject in team:
        agent = agents[subject.role]
        assert (agent["displayName"], agent["description"]) == (subject.display_name, subject.description)
        assert agent["prompt"].startswith(known.rewritten(subject.sop).strip())
        assert agent["tools"] == list(known.words(subject.tools))


def test_no_prompt_asks_for_an_input_that_nobody_gives(tmp_path: Path) -> None:
    generated(tmp_path, "gemini-cli", extra=HOSTILE)

    prompts = [agent["prompt"] for agent in loaded(tmp_path)["agents"]]

    assert [found for prompt in prompts for found in re.findall(r"\$\{\w+\}", prompt)] == []


def test_it_reports_a_file_that_is_wrong(tmp_path: Path) -> None:
    generated(tmp_path, "gemini-cli")
    file = tmp_path / ".gemini/agents/ac-writer.md"
    file.write_text(
        file.read_text(encoding="utf-8").replace("kind: local", "kind: local\ncolor: red"), encoding="utf-8"
    )

    assert len(loaded(tmp_path)["errors"]) == 1
