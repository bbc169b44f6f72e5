"""`apm doctor` and `apm init`: what is missing is found, named, and told how to be mended."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from core.contract import Json
from tests.e2e.apm_process import Ended
from tests.unit import git_project
from tests.unit.command_line import CommandLine
from tui.cli.main import main


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


@pytest.mark.parametrize("by_environment", [False, True])
def test_a_folder_that_is_named_wins_over_the_workspace(line: CommandLine, by_environment: bool) -> None:
    here = line.folder.parent / "here"
    here.mkdir()
    line.monkeypatch.chdir(here)
    if by_environment:
        line.monkeypatch.setenv("APM_WORKSPACE", str(line.folder))
        assert main(["init", "."]) == 0
    else:
        assert line("init", ".").code == 0

    assert (here / "agents.yaml").is_file()
    assert not line.folder.exists()


def test_the_help_of_init_says_which_folder_it_is(line: CommandLine) -> None:
    told = " ".join(line("init", "--help").out.split())

    assert "Without DIR it is the folder that --workspace or APM_WORKSPACE names" in told


@pytest.mark.parametrize("words", [("init",), ("work-item", "list"), ("serve",), ()])
def test_a_folder_in_the_place_of_the_team_s_file_is_to_be_moved_away(
    line: CommandLine, words: tuple[str, ...]
) -> None:
    (line.folder / "agents.yaml").mkdir(parents=True)
    line.monkeypatch.setattr("tui.cli.main.has_screen", lambda: True)

    ended = line(*words)

    assert ended.code == 2
    told = f"{line.folder / 'agents.yaml'} is no file; move it away, then `apm init {line.folder}` writes one."
    assert told in ended.err
    assert not (line.folder / "state").exists()
    assert problems(line("doctor", "--json"))["folder"]["remedy"].startswith("Move it away, then run `apm init ")


def test_an_empty_team_s_file_is_not_sent_to_the_command_that_was_just_run(line: CommandLine) -> None:
    line("init")
    (line.folder / "agents.yaml").write_text("")

    ended = line("init")

    assert ended.code == 2
    assert "is empty; it needs version, " in ended.err
    assert "as `apm init` writes them in a folder that has no agents.yaml" in ended.err


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


def test_prices_of_one_s_own_are_looked_at_where_there_are_any(line: CommandLine) -> None:
    line("init", line.folder)
    none = line("doctor", "--json").json
    (line.folder / "prices.yaml").write_text("my-model: {input: 1, output: 4}\n")
    sound = line("doctor", "--json").json
    (line.folder / "prices.yaml").write_text("my-model: {input: 1, output: 4}\nother:\n  input: -1\n")

    ended = line("doctor", "--json")

    assert "prices.yaml" not in {f["name"] for f in none}
    assert [(f["status"], f["found"]) for f in sound if f["name"] == "prices.yaml"] == [
        ("ok", "models with a price of their own: 1")
    ]
    assert ended.code == 1
    assert problems(ended)["prices.yaml"]["found"] == (
        "prices.yaml:3: other.input: is -1; it must be dollars per million tokens"
    )


@pytest.mark.parametrize(
    ("program", "found"), [("", "not found"), ("#!/bin/sh\nexit 1\n", "bwrap may not make a sandbox here")]
)
def test_without_a_sandbox_doctor_names_what_is_open(line: CommandLine, program: str, found: str) -> None:
    programs = line.folder.parent / "programs"
    programs.mkdir()
    (programs / "git").symlink_to(str(shutil.which("git")))
    if program:
        (programs / "bwrap").write_text(program)
        (programs / "bwrap").chmod(0o755)
    line.monkeypatch.setenv("PATH", str(programs))

    told = {row["name"]: row for row in line("doctor", "--json").json}["bubblewrap"]

    assert told["status"] == "advice"
    assert told["found"].endswith(found)
    assert all(word in told["remedy"] for word in ("your home", "state/journal.key", "the inbox", "the network"))
