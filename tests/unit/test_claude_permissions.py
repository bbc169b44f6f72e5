"""What a tool call of Claude Code amounts to: allowed, refused, or an act with a kind and an impact."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contract import Json
from core.runtimes.claude_code import shell
from core.runtimes.claude_code.permissions import declared, judge
from core.runtimes.claude_code.verdicts import Act, Allowed, Place, Refused, Verdict

PYTEST = (("pytest",), ("python", "-m", "pytest"), ("ruff", "check", "."))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    tree = tmp_path / "tree"
    (tree / "src").mkdir(parents=True)
    (tree / "src" / "app.py").write_text("x = 1\n")
    (tree / ".git").write_text("gitdir: elsewhere\n")
    return Place(tree, tree, PYTEST)


def bash(command: str, place: Place) -> Verdict:
    return judge("Bash", {"command": command}, place)


def kind(verdict: Verdict) -> str:
    return verdict.kind if isinstance(verdict, Act) else type(verdict).__name__


@pytest.mark.parametrize(
    ("tool", "given_"),
    [
        ("Read", {"file_path": "src/app.py"}),
        ("Edit", {"file_path": "src/app.py", "old_string": "1", "new_string": "2"}),
        ("Write", {"file_path": "src/deep/new.py", "content": ""}),
        ("Grep", {"pattern": "x"}),
        ("Glob", {"pattern": "**/*.py"}),
        ("TodoWrite", {"todos": []}),
    ],
)
def test_work_on_files_of_the_worktree_needs_nobody(tool: str, given_: Json, place: Place) -> None:
    assert judge(tool, given_, place) == Allowed()


@pytest.mark.parametrize(
    "name",
    [
        "../outside.py",
        "/etc/passwd",
        "~/x",
        ".git",
        ".git/hooks/pre-commit",
        "agents.yaml",
        "agents.d/own.yaml",
        ".env",
    ],
)
def test_what_an_agent_must_not_write_is_refused_with_a_reason(name: str, place: Place) -> None:
    verdict = judge("Write", {"file_path": name, "content": ""}, place)
    assert isinstance(verdict, Refused)
    assert verdict.reason.endswith(".")


def test_a_file_that_other_programs_obey_is_a_question_of_security(place: Place) -> None:
    verdict = judge("Write", {"file_path": ".claude/settings.json", "content": ""}, place)
    assert verdict == Act("security", 9, "write .claude/settings.json, which other programs obey unasked")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("pytest", "test_strategy"),
        ("python -m pytest -q src/app.py::test_x 2>&1 | tail -20", "test_strategy"),
        ("ruff check . && pytest -x", "test_strategy"),
        ("pip install httpx", "new_dependency"),
        ("npm install @scope/lib", "new_dependency"),
        ("pip install --index-url https://example.org/simple httpx", "external_service"),
        ("pip install ./src", "external_service"),
        ("curl https://example.org", "external_service"),
        ("git fetch origin", "external_service"),
        ("git push", "data_removal"),
        ("git reset --hard HEAD~1", "data_removal"),
        ("rm -rf build", "data_removal"),
        ("find . -name x -delete", "data_removal"),
        ("make release", "run_command"),
        ("git rm src/app.py", "refactoring"),
        ("ls -la src", "Allowed"),
        ("cat src/app.py", "Allowed"),
        ("git status --short", "Allowed"),
        ("git add src/app.py && git commit -m 'A line, and why?'", "Allowed"),
        ("mkdir -p src/deep", "Allowed"),
        ("cat .env", "Refused"),
        ("cat /etc/hosts", "run_command"),
    ],
)
def test_a_command_is_as_grave_as_its_gravest_part(command: str, expected: str, place: Place) -> None:
    assert kind(bash(command, place)) == expected


def test_what_a_project_declares_may_be_written_in_the_usual_ways() -> None:
    project = {"settings": {"lint": [["ruff", "check", "."]]}, "tech": {"test_runner": "pytest"}}
    assert set(declared(project, Path("/env/bin/python"))) == {
        ("ruff", "check", "."),
        ("pytest",),
        ("python", "-m", "pytest"),
        ("python3", "-m", "pytest"),
        ("/env/bin/python", "-m", "pytest"),
    }


@given(st.text(max_size=60))
def test_a_quoted_word_is_read_back_as_it_was(text: str) -> None:
    quoted = "'" + text.replace("'", "") + "'"
    assert shell.read(f"echo {quoted}").commands == (("echo", text.replace("'", "")),)


@given(st.text(alphabet="ab \t'\"$`\\;&|<>(){}[]*?~#!=\n-/.é ​", max_size=40))
def test_whatever_is_appended_never_makes_a_test_run_lighter(tail: str) -> None:
    """Beside reports, file names and nothing, a tail can only make a command graver, never allow it outright."""
    here = Path("/nowhere/tree")
    assert kind(bash("pytest " + tail, Place(here, here, PYTEST))) != "Allowed"


@given(st.sampled_from("$`\\*?[{~#!(<>&\né​"), st.text(alphabet="abc ", max_size=8))
def test_a_line_with_anything_but_words_is_not_plain(char: str, around: str) -> None:
    assert not shell.read(f"pytest {around}{char}{around}x").plain
