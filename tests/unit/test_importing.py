"""What an edit of agents.yaml does to authority: the file changes what the file gave, and nothing a human did."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core import workspace as workspaces
from core.governance import authority
from core.governance.decisions import Choice, make_decision
from core.workspace import FILE, Workspace

KIND = "api_endpoints"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = workspaces.create(tmp_path / "ws")
    with Workspace.open(made) as workspace:
        assert mode(workspace) == "autonomous"
    return made


def mode(workspace: Workspace) -> str:
    current = workspace.store.read_now(lambda r: authority.in_force(r, "technical", KIND))
    return current.mode if current else ""


def entry(text: str) -> str:
    """The lines of the kind in agents.yaml."""
    found = re.search(rf"^( *)- \{{?key: {KIND}\b.*\n(?:\1 +.*\n)*", text, re.MULTILINE)
    assert found is not None
    return found[0]


def escalated(text: str) -> str:
    """agents.yaml with the kind moved to the front of technical's escalate list."""
    lines, technical = entry(text), text.index("- role: technical")
    head, rest = text[:technical], text[technical:].replace(lines, "", 1)
    return head + re.sub(r"^( *escalate:\n)", lambda m: m[1] + lines, rest, count=1, flags=re.MULTILINE)


def edit(folder: Path, text: str) -> None:
    (folder / FILE).write_text(text, encoding="utf-8")


def test_a_kind_that_the_file_moves_to_escalate_escalates(folder: Path) -> None:
    edit(folder, escalated((folder / FILE).read_text(encoding="utf-8")))

    with Workspace.open(folder) as workspace:
        assert mode(workspace) == "escalate"


def test_a_kind_that_the_file_no_longer_names_escalates(folder: Path) -> None:
    text = (folder / FILE).read_text(encoding="utf-8")
    edit(folder, text.replace(entry(text), "", 1))

    with Workspace.open(folder) as workspace:
        made = workspace.store.write_now(lambda tx: make_decision(tx, Choice("technical", KIND, "?", 3)))
        known = workspace.store.read_now(lambda r: authority.kinds(r, "technical"))

    assert made.outcome == "escalated"
    assert KIND not in [k.key for k in known]


def test_what_a_human_granted_stays_whatever_the_file_says(folder: Path) -> None:
    with Workspace.open(folder) as workspace:
        workspace.store.write_now(
            lambda tx: authority.grant(tx, "technical", KIND, "autonomous", by="ada", reason="20 of 20")
        )
    edit(folder, escalated((folder / FILE).read_text(encoding="utf-8")))

    with Workspace.open(folder) as workspace:
        assert mode(workspace) == "autonomous"
