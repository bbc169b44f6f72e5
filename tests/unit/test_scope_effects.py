"""A change of authority reaches the files that apm generated, wherever it generated them, and no others."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from core.governance import authority
from core.governance.scope.effects import Effects, regenerate, renew
from core.registry.generation.recording import record
from core.registry.generation.service import generate
from core.store import reads
from core.store.schema import Project
from core.store.transaction import Transaction
from core.workspace import Workspace
from tests.unit.generation_team import contents, read_team

KIND = "new_dependency"
TECHNICAL = Path(".claude/agents/domain/technical.md")


def take_away(workspace: Workspace) -> None:
    workspace.store.write_now(lambda tx: authority.grant(tx, "technical", KIND, "escalate", by="ada", reason="for now"))


def renewed(workspace: Workspace, *agents: str) -> Effects:
    return renew(workspace.store, workspace.folder, agents or ("technical",))


def made(workspace: Workspace, root: Path, *providers: str, without: str = "") -> None:
    reports = generate(read_team(workspace, without=without), root, providers=providers)
    workspace.store.write_now(lambda tx: record(tx, *reports, home=workspace.folder))


def project(workspace: Workspace, path: Path) -> Path:
    path.mkdir()

    def write(tx: Transaction) -> None:
        tx.insert(Project, name=path.name, path=str(path), target="main", tech="{}", settings="{}", created_at=tx.now)
        tx.event("project.added")

    workspace.store.write_now(write)
    return path


def escalates(file: Path) -> bool:
    """Whether the file tells the agent to escalate the kind."""
    decides, _, escalates = file.read_text().partition("### Decide")[2].partition("### Escalate")
    assert (f"`{KIND}`" in decides) is not (f"`{KIND}`" in escalates)
    return f"`{KIND}`" in escalates


def test_where_nothing_was_generated_nothing_is_written(workspace: Workspace, tmp_path: Path) -> None:
    place = project(workspace, tmp_path / "shop")
    take_away(workspace)
    before = sorted(p.name for p in workspace.folder.iterdir())

    assert renewed(workspace) == Effects()

    assert list(place.iterdir()) == []
    assert sorted(p.name for p in workspace.folder.iterdir()) == before


def test_the_agent_s_file_follows_in_the_workspace_and_in_every_project(workspace: Workspace, tmp_path: Path) -> None:
    roots = [workspace.folder, project(workspace, tmp_path / "shop")]
    for root in roots:
        made(workspace, root)
    take_away(workspace)

    found = renewed(workspace)

    assert found.written == tuple(root / TECHNICAL for root in roots)
    assert all(escalates(path) for path in found.written)


def test_other_agents_files_stay_as_they_are(workspace: Workspace) -> None:
    made(workspace, workspace.folder)
    before = contents(workspace.folder / ".claude")
    take_away(workspace)

    renewed(workspace)

    after = contents(workspace.folder / ".claude")
    assert [path for path in after if after[path] != before[path]] == ["agents/domain/technical.md"]
    assert renewed(workspace, "ux").written == ()


def test_every_provider_that_has_a_file_of_the_agent_gets_it_anew(workspace: Workspace) -> None:
    made(workspace, workspace.folder, "claude-code", "gemini", "codex")
    take_away(workspace)

    written = [path.relative_to(workspace.folder).as_posix() for path in renewed(workspace).written]

    assert sorted(written) == sorted(
        [TECHNICAL.as_posix(), ".gemini/agents/technical.xml", ".codex/agents/technical.toml"]
    )


def test_a_section_about_the_whole_team_keeps_its_team_and_the_words_around_it(
    workspace: Workspace, tmp_path: Path
) -> None:
    place = project(workspace, tmp_path / "shop")
    (place / "AGENTS.md").write_text("# Mine\n\nMy own words.\n")
    made(workspace, place, "agents-md", without="react-tester")
    before = (place / "AGENTS.md").read_text().splitlines()
    take_away(workspace)

    assert renewed(workspace).written == (place / "AGENTS.md",)

    after = (place / "AGENTS.md").read_text().splitlines()
    assert after[:3] == ["# Mine", "", "My own words."]
    assert not [line for line in after if "react-tester" in line]
    decides, escalated = (line for line in after if line not in before)
    assert KIND not in decides
    assert KIND in escalated


def test_a_file_that_was_edited_by_hand_is_kept_and_told(
    workspace: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    made(workspace, workspace.folder)
    mine = workspace.folder / TECHNICAL
    mine.write_text(mine.read_text() + "My own words.\n")
    take_away(workspace)

    found = renewed(workspace)

    assert (found.written, found.refused) == ((), (mine,))
    assert "My own words." in mine.read_text()
    with caplog.at_level(logging.WARNING):
        assert regenerate(workspace.store, workspace.folder, ["technical"]) == []
    assert "technical.md was kept" in caplog.text


def test_a_file_that_was_deleted_stays_deleted(workspace: Workspace) -> None:
    made(workspace, workspace.folder)
    (workspace.folder / TECHNICAL).unlink()
    take_away(workspace)

    assert renewed(workspace) == Effects()


def test_a_folder_that_cannot_be_served_is_told_and_keeps_no_other_from_it(
    workspace: Workspace, tmp_path: Path
) -> None:
    broken, good = project(workspace, tmp_path / "broken"), project(workspace, tmp_path / "good")
    for root in (broken, good):
        made(workspace, root)
    (broken / ".apm/generated.json").write_text("{")
    take_away(workspace)

    found = renewed(workspace)

    assert found.written == (good / TECHNICAL,)
    assert len(found.faults) == 1
    assert "generated.json is not JSON" in found.faults[0]


def test_a_project_whose_folder_is_gone_is_passed_over(workspace: Workspace, tmp_path: Path) -> None:
    place = project(workspace, tmp_path / "shop")
    place.rmdir()
    take_away(workspace)

    assert renewed(workspace) == Effects()


def test_the_agent_s_row_goes_on_naming_the_file_that_it_named(workspace: Workspace, tmp_path: Path) -> None:
    made(workspace, workspace.folder)
    place = project(workspace, tmp_path / "shop")
    made(workspace, place)
    take_away(workspace)

    renewed(workspace)

    row = workspace.store.read_now(lambda r: reads.agent(r, "technical"))
    assert row is not None
    assert row.file_path == str(place / TECHNICAL)
