"""Claude Code, as its Python SDK bundles it, lists every generated agent and logs nothing about any."""

from __future__ import annotations

import html
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.loaders import installing
from tests.loaders.teams import HOSTILE, generated

BUILT_IN = {"claude", "Explore", "general-purpose", "Plan", "statusline-setup"}
INITIALIZE = {"type": "control_request", "request_id": "1", "request": {"subtype": "initialize", "hooks": None}}


def start(root: Path, *arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
    program = installing.one(installing.pip("claude"), "lib/python*/site-packages/claude_agent_sdk/_bundled/claude")
    environment = installing.environment(
        "claude",
        ANTHROPIC_API_KEY="none",
        ANTHROPIC_BASE_URL="http://127.0.0.1:9",
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="1",
        CLAUDE_CODE_MAX_RETRIES="0",
    )
    common = ["-p", "--output-format", "stream-json", "--verbose", "--setting-sources", "project", "--debug-to-stderr"]
    return subprocess.run(
        [program, *common, *arguments],
        cwd=root,
        env=environment,
        input=said,
        capture_output=True,
        text=True,
        timeout=120,
    )


def loaded(root: Path) -> tuple[dict[str, str], dict[str, str], list[str]]:
    """Descriptions of agents and of commands (skills are commands), and the log's lines about agents' files."""
    done = start(root, "--input-format", "stream-json", said=json.dumps(INITIALIZE) + "\n")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    response = next(a["response"]["response"] for a in answers if a["type"] == "control_response")
    log = [line for line in done.stderr.splitlines() if "gent file" in line or "rontmatter" in line]
    return _named(response["agents"]), _named(response["commands"]), log


def _named(entries: list[dict[str, Any]]) -> dict[str, str]:
    return {entry["name"]: entry["description"] for entry in entries}


def test_it_lists_every_agent_with_its_description_and_no_complaint(tmp_path: Path) -> None:
    team = generated(tmp_path, "claude-code", extra=HOSTILE)

    agents, _, log = loaded(tmp_path)

    assert {role: text for role, text in agents.items() if role not in BUILT_IN} == {
        subject.role: subject.description for subject in team
    }
    assert log == []


def test_it_complains_about_a_file_that_is_wrong(tmp_path: Path) -> None:
    generated(tmp_path, "claude-code")
    file = tmp_path / ".claude/agents/master-orchestrator.md"
    file.write_text(file.read_text(encoding="utf-8").replace("model:", "memory: nowhere\nmodel:"), encoding="utf-8")

    assert any("master-orchestrator.md" in line for line in loaded(tmp_path)[2])


@pytest.mark.parametrize(
    ("role", "has", "lacks"),
    [
        ("master-orchestrator", {"Task"}, {"Read", "Bash", "Edit", "Write", "WebFetch"}),
        ("ac-writer", {"Read"}, {"Task", "Bash", "Edit", "Write", "WebFetch"}),
        ("python-implementer", {"Read", "Edit", "Write", "Bash"}, {"Task", "WebFetch"}),
    ],
)
def test_an_agent_that_leads_a_session_has_the_tools_of_its_file(
    tmp_path: Path, role: str, has: set[str], lacks: set[str]
) -> None:
    generated(tmp_path, "claude-code")

    done = start(tmp_path, "--agent", role, "hello")
    first = next(json.loads(line) for line in done.stdout.splitlines() if '"init"' in line)

    assert has <= set(first["tools"])
    assert lacks.isdisjoint(first["tools"])


def test_its_validator_is_content(tmp_path: Path) -> None:
    generated(tmp_path, "claude-code", extra=HOSTILE)
    program = installing.one(installing.pip("claude"), "lib/python*/site-packages/claude_agent_sdk/_bundled/claude")

    done = subprocess.run(
        [program, "plugin", "validate", "--strict", "--json", str(tmp_path)],
        env=installing.environment("claude"),
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (json.loads(done.stdout)["success"], done.returncode) == (True, 0)


def test_it_lists_every_skill(tmp_path: Path) -> None:
    team = generated(tmp_path, "skills", extra=HOSTILE)

    _, commands, _ = loaded(tmp_path)

    assert {subject.role for subject in team} <= set(commands)
    for subject in team:
        assert html.unescape(commands[subject.role]).startswith(subject.description)
