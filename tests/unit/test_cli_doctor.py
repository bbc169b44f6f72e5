"""`apm doctor` and `apm init`: what is missing is found, named, and told how to be mended."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from core.contract import Json
from tests.e2e.apm_process import Ended
from tests.unit import git_project
from tests.unit.command_line import CommandLine


@pytest.fixture
def line(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(tmp_path / "workspace", capsys, monkeypatch)


def problems(ended: Ended) -> dict[str, Json]:
    return {f["name"]: f for f in ended.json if f["status"] == "problem"}


def test_init_makes_a_workspace_and_leaves_an_existing_one_as_it_is(line: CommandLine) -> None:
    made = line("init", line.folder, "--json").json
    assert (made["created"], made["workspace"], made["profile"]) == (True, str(line.folder), "default")
    assert made["agents"] >= 50
    (line.folder / "agents.yaml").write_text((line.folder / "agents.yaml").read_text() + "\n# mine\n")
    again = line("init", line.folder, "--json").json
    assert again["created"] is False
    assert (line.folder / "agents.yaml").read_text().endswith("# mine\n")


def test_without_a_folder_init_takes_the_workspace_that_is_named(line: CommandLine) -> None:
    assert line("init", "--json").json["workspace"] == str(line.folder)


def test_an_unknown_profile_names_the_known_ones(line: CommandLine) -> None:
    ended = line("init", line.folder, "--profile", "nix")
    assert ended.code == 2
    assert "'default'" in ended.err
    assert not line.folder.exists()


def test_a_sound_workspace_has_no_problem(line: CommandLine) -> None:
    line("init", line.folder)
    ended = line("doctor", "--json")
    assert ended.code == 0, problems(ended)
    assert all(set(f) == {"area", "name", "status", "found", "remedy"} for f in ended.json)
    assert {f["name"] for f in ended.json} >= {
        "python",
        "git",
        "ruff",
        "bandit",
        "pytest",
        "database",
        "journal",
        "disk",
    }


def test_every_row_has_a_glyph_and_a_word_and_problems_their_remedy(line: CommandLine) -> None:
    out = line("doctor").out
    assert "✓ ok" in out
    assert "✗ problem" in out
    assert f"Run `apm init {line.folder}`." in out


def test_a_key_is_told_as_set_and_never_shown(line: CommandLine) -> None:
    line.monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-very-secret")
    ended = line("doctor", "--json")
    assert "sk-very-secret" not in ended.out
    assert next(f for f in ended.json if f["name"] == "runtime anthropic")["found"] == "configured"


def test_without_git_it_says_so(line: CommandLine, tmp_path: Path) -> None:
    line("init", line.folder)
    line.monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    ended = line("doctor", "--json")
    assert ended.code == 1
    assert problems(ended)["git"]["remedy"].startswith("Install git")


def test_a_broken_team_and_a_broken_database_are_both_found(line: CommandLine) -> None:
    line("init", line.folder)
    (line.folder / "agents.yaml").write_text("version: 2\n")
    (line.folder / "state" / "apm.db").write_bytes(b"nothing of a database" * 100)
    for leftover in (line.folder / "state").glob("apm.db-*"):
        leftover.unlink()
    ended = line("doctor", "--json")
    assert ended.code == 1
    found = problems(ended)
    assert "agents.yaml:" in found["agents.yaml"]["found"]
    assert "is not a database" in found["database"]["found"]


def test_projects_that_moved_or_cannot_run_their_tests_are_found(line: CommandLine, tmp_path: Path) -> None:
    line("init", line.folder)
    for name in ("gone", "bare", "dirty"):
        git_project.commit(
            tmp_path / name, {"tests/test_a.py": "import pytest\n", "pyproject.toml": "[tool.pytest.ini_options]\n"}
        )
        line("project", "add", tmp_path / name)
    shutil.rmtree(tmp_path / "gone")
    environment = tmp_path / "bare" / ".venv" / "bin"
    environment.mkdir(parents=True)
    (environment / "python").write_text("#!/bin/sh\necho no pytest here >&2\nexit 1\n")
    (environment / "python").chmod(0o755)
    (tmp_path / "dirty" / "tests" / "test_a.py").write_text("changed")
    ended = line("doctor", "--json")
    assert ended.code == 1
    found = {(f["area"], f["name"]): f for f in ended.json}
    assert found["project gone", "repository"]["status"] == "problem"
    assert "no pytest here" in found["project bare", "python"]["found"]
    assert "--python PATH" in found["project bare", "python"]["remedy"]
    assert found["project dirty", "changes"]["status"] == "advice"
    assert found["project dirty", "python"]["status"] == "ok"


def test_a_team_s_file_that_is_not_read_is_told(line: CommandLine) -> None:
    line("init", line.folder)
    (line.folder / "agents.d").mkdir()
    (line.folder / "agents.d" / "ours.yml").write_text("version: 1\nagents: []\n")

    found = {f["name"]: f for f in line("doctor", "--json").json}

    assert found["agents.yaml"]["status"] == "advice"
    assert "rename ours.yml" in found["agents.yaml"]["remedy"]
