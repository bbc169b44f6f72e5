"""Real projects and real requests through the whole command line, as a person meets them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import published
from tests.e2e.apm_process import Apm, Ended
from tests.e2e.people import CODE, FILES, REQUEST, TESTS, commit, git

GREET = {"greeter/__init__.py": CODE, "tests/test_greet.py": TESTS, "README.md": "# greeter\n\nIn German too.\n"}


@dataclass(frozen=True)
class Place:
    """A workspace with one project whose one work item waits for a person to code it."""

    apm: Apm
    project: Path
    worktree: Path

    def done(self) -> Ended:
        """Say that everything is committed, and let apm go on."""
        self.answer("all")
        return self.apm("run", "--all", "--json")

    def answer(self, option: str) -> None:
        (question,) = self.questions()
        ended = self.apm("escalation", "resolve", str(question["id"]), "--option", option, "--reason", "r")
        assert ended.code == 0, ended.err

    def questions(self) -> Any:
        return self.apm("escalation", "list", "--json").json


def place(root: Path, project: Path, body: str, *settings: str) -> Place:
    assert Apm(root)("init", root / "ws").code == 0
    apm = Apm(root, root / "ws")
    assert apm("project", "add", project, *settings).code == 0
    assert apm("work-item", "create", "Greet in German", "--body", "-", stdin=body).code == 0
    ended = apm("run", "1", "--json")
    assert ended.code == 3, ended.err
    (question,) = apm("escalation", "list", "--json").json
    return Place(apm, project, Path(question["details"]["worktree"]))


def greeter(root: Path, files: dict[str, str] | None = None) -> Path:
    """The sample package in a folder with spaces and letters of three alphabets."""
    path = root / "Mein Projekt – größer, проект 計画"
    path.mkdir()
    git(path, "init", "--quiet", "--initial-branch=main")
    commit(path, "Greet people", FILES if files is None else files)
    return path


def states(ended: Ended) -> list[str]:
    return [item["state"] for item in ended.json["work_items"]]


@pytest.fixture
def iniconfig(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A small package as its authors publish it."""
    return published.unpack("iniconfig", published.fetched(request.config, tmp_path), tmp_path)


ANSWER = '''"""The answer."""


def answer(more: int = 0) -> int:
    """The answer, and more."""
    if not isinstance(more, int):
        raise TypeError("more must be a number")
    return 42 + more
'''
ANSWER_TESTS = """import pytest

from iniconfig.answer import answer


def test_answer_ac1() -> None:
    assert answer() == 42


def test_more_ac2() -> None:
    assert answer(1) == 43


def test_text_ac3() -> None:
    with pytest.raises(TypeError):
        answer("x")  # type: ignore[arg-type]
"""


def test_a_third_party_package_is_released_by_its_own_tests_and_tools(iniconfig: Path, tmp_path: Path) -> None:
    git(iniconfig, "init", "--quiet", "--initial-branch=main")
    git(iniconfig, "add", "--all", "--force")
    git(iniconfig, "commit", "--quiet", "-m", "As published")
    body = REQUEST.replace("greeter/__init__.py", "src/iniconfig/answer.py")
    at = place(tmp_path, iniconfig, body)
    readme = (at.worktree / "README.rst").read_text()
    commit(
        at.worktree,
        "Give the answer",
        {
            "src/iniconfig/answer.py": ANSWER,
            "testing/test_answer.py": ANSWER_TESTS,
            "README.rst": f"{readme}\nanswer() gives the answer.\n",
        },
    )
    ended = at.done()
    assert (ended.code, states(ended)) == (0, ["closed"]), at.questions()
    figures = {c["name"]: c["actual"] for gate in ended.json["gates"] for c in gate["criteria"]}
    assert figures["tests_pass"] == "57 of 57 passed (100.0 %)"
    assert figures["version_bumped"] == "2.3.1 -> 2.4.0"
    assert figures["static_analysis"] == "0 issues by 2 tools"
    assert git(iniconfig, "describe", "--tags", "main") == "v2.4.0"
    assert git(iniconfig, "status", "--porcelain") == ""
    released = {path.name for path in (tmp_path / "ws" / "state" / "releases").rglob("iniconfig-2.4.0*")}
    assert released == {"iniconfig-2.4.0.tar.gz", "iniconfig-2.4.0-py3-none-any.whl"}


def test_a_request_of_two_megabytes_is_taken_in(tmp_path: Path) -> None:
    noise = "The customer said that it [bold]must[/bold] work and \x1b[31mshould\u202e not break.\n" * 26_000
    at = place(tmp_path, greeter(tmp_path), f"{REQUEST}\n\n## Notes\n{noise}")
    ended = at.apm("work-item", "show", "1", "--json")
    assert [p["status"] for p in ended.json["phases"][:2]] == ["passed", "passed"]
    assert len(ended.out) < 20_000


@pytest.mark.parametrize(
    ("settings", "finding"),
    [
        (("--test", "no-such-tool run"), "The program 'no-such-tool' was not found; install it, or correct"),
        (("--time-limit", "1", "--test", "sh -c 'sleep 600 & sleep 600'"), "did not end within 1 s and were stopped"),
    ],
    ids=["missing tool", "hangs"],
)
def test_tests_that_did_not_run_stop_the_build_and_are_told(
    tmp_path: Path, settings: tuple[str, ...], finding: str
) -> None:
    at = place(tmp_path, greeter(tmp_path), REQUEST, *settings)
    commit(at.worktree, "Greet", GREET)
    ended = at.done()
    (question,) = at.questions()
    assert (ended.code, question["phase"]) == (3, "I1")
    assert finding in question["details"]["findings"][0]
    assert git(at.project, "tag") == ""


def test_a_target_that_moved_against_the_branch_is_a_question_and_touches_nothing(tmp_path: Path) -> None:
    at = place(tmp_path, greeter(tmp_path), REQUEST)
    commit(at.worktree, "Greet", GREET)
    theirs = commit(at.project, "Say more", {"README.md": "# greeter\n\nSomebody else's words.\n"})
    ended = at.done()
    (question,) = at.questions()
    assert (ended.code, question["phase"]) == (3, "O1")
    assert "README.md conflict" in question["question"]
    assert git(at.project, "rev-parse", "main") == theirs
    assert git(at.worktree, "status", "--porcelain") == ""


def test_a_branch_that_lost_its_commits_after_the_review_is_not_released(tmp_path: Path) -> None:
    at = place(tmp_path, greeter(tmp_path), REQUEST)
    commit(at.worktree, "Greet", GREET)
    at.answer("all")
    assert at.apm("run", "1", "--until", "R1").code == 0
    git(at.worktree, "reset", "--quiet", "--hard", "main")
    ended = at.apm("run", "1", "--json")
    assert (ended.code, at.questions()[0]["phase"]) == (3, "R1")
    assert git(at.project, "tag") == ""
