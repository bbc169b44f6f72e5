"""opencode lists every generated agent, gives each its prompt whole, and takes away the tools that it may not use."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from core.registry.generation.subjects import Subject
from tests.loaders import installing
from tests.loaders.teams import HOSTILE, generated


def run(root: Path, *arguments: str) -> str:
    program = installing.one(installing.npm("opencode"), "opencode-linux-*/bin/opencode")
    environment = installing.environment("opencode", OPENCODE_DISABLE_MODELS_FETCH="1", OPENCODE_DISABLE_AUTOUPDATE="1")
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    # Into files: it ends before a pipe has taken all that it prints.
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        done = subprocess.run([program, *arguments], cwd=root, env=environment, stdout=out, stderr=err, timeout=120)
        out.seek(0)
        err.seek(0)
        shown, complaint = out.read(), err.read()
    assert done.returncode == 0, shown + complaint
    assert complaint.strip() == ""
    return shown


def agent(root: Path, role: str) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(run(root, "debug", "agent", role))
    return shown


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("opencode")


@pytest.fixture(scope="module")
def team(root: Path) -> tuple[Subject, ...]:
    return generated(root, "opencode", extra=HOSTILE)


def test_it_lists_every_agent(root: Path, team: tuple[Subject, ...]) -> None:
    listed = re.findall(r"^(\S+) \(subagent\)$", run(root, "agent", "list"), re.MULTILINE)

    assert {subject.role for subject in team} <= set(listed)


@pytest.mark.parametrize("subject", HOSTILE, ids=lambda subject: subject.role)
def test_words_that_try_to_be_something_else_stay_words(
    root: Path, team: tuple[Subject, ...], subject: Subject
) -> None:
    shown = agent(root, subject.role)

    assert shown["description"] == subject.description
    assert shown["prompt"].startswith(subject.sop.strip())


def test_an_agent_has_the_tools_of_its_file_and_no_others(root: Path, team: tuple[Subject, ...]) -> None:
    tools = {tool for tool, allowed in agent(root, "ac-writer")["tools"].items() if allowed}

    assert {"read", "grep", "glob"} <= tools
    assert tools.isdisjoint({"edit", "write", "bash", "task", "webfetch", "websearch"})


def test_an_orchestrator_may_call_its_team_and_nobody_else(root: Path, team: tuple[Subject, ...]) -> None:
    rules = [rule for rule in agent(root, "definition-orch")["permission"] if rule["permission"] == "task"]
    delegates = next(subject.delegates_to for subject in team if subject.role == "definition-orch")

    assert (rules[0]["pattern"], rules[0]["action"]) == ("*", "deny")
    assert [rule["pattern"] for rule in rules if rule["action"] == "allow"] == list(delegates)
