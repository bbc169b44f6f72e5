"""`apm project`: real git repositories come under the workspace's care, and others are refused."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.unit import git_project
from tests.unit.command_line import CommandLine

PYPROJECT = """\
    [project]
    name = "sample"
    version = "0.1.0"
    """


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A small package under a path with spaces and letters beyond ASCII."""
    path = tmp_path / "Größe & Gewicht" / "mein Projekt"
    git_project.commit(path, {"pyproject.toml": PYPROJECT, "src/sample/__init__.py": "", "tests/test_it.py": ""})
    return path


def test_a_repository_is_added_with_what_was_detected(line: CommandLine, repository: Path) -> None:
    ended = line("project", "add", repository, "--json")
    assert ended.code == 0, ended.err
    shown = ended.json
    assert (shown["name"], shown["path"], shown["target"]) == ("mein-Projekt", str(repository), "main")
    assert shown["tech"]["languages"] == ["python"]
    assert shown["tech"]["package"] == "sample"
    assert line("project", "list", "--json").json == [shown]
    assert line("project", "show", "mein-Projekt", "--json").json == shown


def test_uncommitted_changes_are_mentioned_and_left_alone(line: CommandLine, repository: Path) -> None:
    (repository / "notes.txt").write_text("mine")
    before = git_project.git(repository, "status", "--porcelain")
    ended = line("project", "add", repository)
    assert ended.code == 0
    assert "1 file with uncommitted changes" in ended.err
    assert git_project.git(repository, "status", "--porcelain") == before
    assert git_project.git(repository, "branch", "--list") == "* main"


def test_commands_are_split_as_a_shell_would(line: CommandLine, repository: Path) -> None:
    words = (
        *("--test", "{python} -m pytest 'tests dir' -q", "--lint", "ruff check .", "--lint", "mypy src"),
        *("--health", "https://example.org/up", "--monitor", "curl -f http://localhost", "--time-limit", "30"),
        *("--deploy", "make deploy", "--deployed", "make deployed", "--setup", "make env", "--python", sys.executable),
        *("--coverage-source", "src", "--sandbox", "off"),
    )
    ended = line("project", "add", repository, *words, "--json")
    assert ended.code == 0, ended.err
    assert ended.json["settings"] == {
        "test": ["{python}", "-m", "pytest", "tests dir", "-q"],
        "lint": [["ruff", "check", "."], ["mypy", "src"]],
        "health": {"url": "https://example.org/up"},
        "monitor": {"command": ["curl", "-f", "http://localhost"]},
        "time_limit": 30.0,
        "deploy": ["make", "deploy"],
        "deployed": ["make", "deployed"],
        "setup": [["make", "env"]],
        "python": sys.executable,
        "coverage_source": ["src"],
        "sandbox": "off",
    }


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--test", "pytest 'tests"), "no closing quotation"),
        (("--time-limit", "0"), "'time_limit' is 0.0"),
        (("--time-limit", "-5"), "'time_limit' is -5.0"),
        (("--python", "/nowhere/python"), "no Python interpreter at /nowhere/python"),
        (("--target", "release"), "no branch 'release'"),
        (("--name", "../escape"), "cannot be a project's name"),
        (("--name", ""), "cannot be a project's name"),
    ],
)
def test_a_wrong_setting_is_refused_and_nothing_is_added(
    line: CommandLine, repository: Path, words: tuple[str, ...], told: str
) -> None:
    ended = line("project", "add", repository, *words)
    assert ended.code == 2
    assert told in ended.err
    assert line("project", "list", "--json").json == []


def test_what_is_no_repository_of_its_own_is_refused(line: CommandLine, repository: Path, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    bare = tmp_path / "bare.git"
    git_project.git(tmp_path, "init", "-q", "--bare", str(bare))
    (tmp_path / "empty").mkdir()
    git_project.git(tmp_path / "empty", "init", "-q")
    for path, told in (
        (tmp_path / "plain", "is no git repository"),
        (tmp_path / "nowhere", "There is no folder"),
        (bare, "is no git repository"),
        (tmp_path / "empty", "has no commits yet"),
        (repository / "src", "lies inside the repository"),
    ):
        ended = line("project", "add", path)
        assert ended.code in (1, 2), path
        assert told in ended.err
    assert line("project", "list", "--json").json == []


def test_a_detached_head_needs_a_target(line: CommandLine, repository: Path) -> None:
    git_project.git(repository, "checkout", "-q", "--detach")
    assert "--target" in line("project", "add", repository).err
    assert line("project", "add", repository, "--target", "main").code == 0


def test_the_same_path_and_the_same_name_are_refused_a_second_time(
    line: CommandLine, repository: Path, tmp_path: Path
) -> None:
    line("project", "add", repository, "--name", "sample")
    again = line("project", "add", repository, "--name", "other")
    assert again.code == 2
    assert "`apm project set 'sample'`" in again.err
    git_project.commit(tmp_path / "second", {"a.py": ""})
    taken = line("project", "add", tmp_path / "second", "--name", "Sample")
    assert taken.code == 2
    assert "another --name" in taken.err


def test_settings_change_and_an_empty_value_takes_one_away(line: CommandLine, repository: Path) -> None:
    line("project", "add", repository, "--name", "sample", "--test", "make test", "--lint", "make lint")
    shown = line("project", "set", "sample", "--test", "", "--health", "make up", "--json").json
    assert shown["settings"] == {"lint": [["make", "lint"]], "health": {"command": ["make", "up"]}}


def test_setting_looks_at_the_repository_again(line: CommandLine, repository: Path) -> None:
    line("project", "add", repository, "--name", "sample")
    git_project.git(repository, "branch", "release")
    (repository / "CHANGELOG.md").write_text("# Changelog\n")
    git_project.commit(repository, {})
    shown = line("project", "set", "sample", "--target", "release", "--json").json
    assert (shown["target"], shown["tech"]["changelog"]) == ("release", "CHANGELOG.md")


def test_a_threshold_is_loosened_only_with_a_reason_and_a_name(line: CommandLine, repository: Path) -> None:
    line("project", "add", repository, "--name", "sample")
    refused = line("project", "set", "sample", "--threshold", "coverage=70")
    assert refused.code == 2
    assert "nobody stands for it" in refused.err
    words = ("--threshold", "coverage=70", "--reason", "legacy code", "--by", "ada", "--json")
    stands = line("project", "set", "sample", *words).json["thresholds"]["coverage"]
    assert (stands["value"], stands["by"], stands["reason"]) == (70.0, "ada", "legacy code")
    assert line("project", "set", "sample", "--threshold", "coverage=", "--json").json["thresholds"] == {}


@pytest.mark.parametrize(
    ("given", "told"),
    [("covrage=70", "No gate has a threshold 'covrage'"), ("coverage", "coverage=80"), ("coverage=x", "coverage=80")],
)
def test_a_threshold_that_is_none_is_refused(line: CommandLine, repository: Path, given: str, told: str) -> None:
    line("project", "add", repository, "--name", "sample")
    ended = line("project", "set", "sample", "--threshold", given, "--reason", "x")
    assert ended.code == 2
    assert told in ended.err


def test_a_project_that_is_none_names_those_there_are(line: CommandLine, repository: Path) -> None:
    assert "`apm project add PATH`" in line("project", "show", "x").err
    line("project", "add", repository, "--name", "sample")
    for key in ("x", "2", "9" * 30):
        ended = line("project", "show", key)
        assert ended.code == 2
        assert "known are sample" in ended.err


def test_a_repository_that_was_moved_is_named_anew(line: CommandLine, repository: Path, tmp_path: Path) -> None:
    line("project", "add", repository)
    moved = repository.rename(tmp_path / "moved")

    refused = line("project", "set", "mein-Projekt", "--target", "main")
    assert refused.code != 0
    shown = line("project", "set", "mein-Projekt", "--path", moved, "--deploy-env", "UPLOAD_TOKEN", "--json").json

    assert (shown["path"], shown["settings"]) == (str(moved), {"deploy_env": ["UPLOAD_TOKEN"]})


def test_a_project_is_changed_by_somebody_with_a_name(line: CommandLine, tmp_path: Path) -> None:
    git_project.commit(tmp_path / "shop", {"README.md": "x"})
    line("project", "add", tmp_path / "shop")

    ended = line("project", "set", "shop", "--threshold", "coverage=80", "--reason", "legacy", "--by", " ")

    assert ended.code == 2
    assert "Say who decides this: a name is missing." in ended.err
