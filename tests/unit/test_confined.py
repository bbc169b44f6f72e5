"""What a model wrote on a branch runs at the gates as it runs for the model: without a network and the machine."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.agents.analysers import analyse
from core.agents.confined import Ground, ground_of, has_a_models_work
from core.agents.testing import TestRun, run_tests
from core.contract import Json
from core.projects.sandbox import NOTE, Sandbox
from tests.unit.git_project import commit, git, project
from tests.unit.test_sandbox import needs_bubblewrap

BY_A_MODEL = "Add\n\nApm-Work-Item: 7\nApm-Agent: code-implementer\nApm-Task: T1"
TEST = """\
import pathlib, socket
from shop import price

def test_price():
    assert price() == 1

def test_asks_somebody():
    socket.create_connection(("127.0.0.1", PORT), 5).close()

def test_reads_what_is_not_its_own():
    assert pathlib.Path(r"SECRET").read_text() == "key"
"""


@dataclass(frozen=True)
class Place:
    repo: Path
    scratch: Path
    base: str
    test: str

    def written(self, message: str) -> None:
        commit(self.repo, {"shop.py": "def price():\n    return 1\n", "tests/test_shop.py": self.test}, message)

    def buried(self, commits: int) -> None:
        """So many commits of a person's on top, all of them later."""
        told = "commit refs/heads/main\ncommitter Ada <ada@example.org> {} +0000\ndata 1\nx\n"
        first, *others = (told.format(2_000_000_000 + number) for number in range(commits))
        stream = "".join([first, f"from {git(self.repo, 'rev-parse', 'HEAD')}\n", *others])
        subprocess.run(["git", "fast-import", "--quiet"], cwd=self.repo, input=stream, text=True, check=True)

    def project(self, **settings: object) -> Json:
        settings = {"python": sys.executable, **settings}
        return project(self.repo, self.base, tech={"package": "shop"}, **settings)

    async def run(self, **settings: object) -> TestRun:
        return await run_tests(self.project(**settings), self.repo, self.scratch, coverage=True)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A project beside a secret and a server that the tests of its branch go to."""
    (tmp_path / "scratch").mkdir()
    (tmp_path / "secret.txt").write_text("key")
    base = commit(tmp_path / "repo", {"README.md": "A shop.\n"})
    with socket.create_server(("127.0.0.1", 0)) as server:
        test = TEST.replace("PORT", str(server.getsockname()[1])).replace("SECRET", str(tmp_path / "secret.txt"))
        yield Place(tmp_path / "repo", tmp_path / "scratch", base, test)


def notes(done: TestRun) -> set[str]:
    return {str(entry["note"]) for entry in done.evidence}


@needs_bubblewrap
async def test_a_models_tests_are_counted_and_measured_but_reach_nothing_and_that_is_said(place: Place) -> None:
    place.written(BY_A_MODEL)

    done = await place.run()

    assert (done.passed, done.failed, done.coverage) == (1, 2, 100.0), done
    assert notes(done) == {NOTE}
    assert "`apm project set repo --sandbox off`" in done.suggestion


@needs_bubblewrap
async def test_where_a_person_has_said_off_they_run_as_they_are(place: Place) -> None:
    place.written(BY_A_MODEL)

    done = await place.run(sandbox="off")

    assert (done.passed, done.failed, done.suggestion, notes(done)) == (3, 0, "", {""})


@needs_bubblewrap
async def test_what_a_person_wrote_runs_as_the_person_would_run_it(place: Place) -> None:
    place.written("Add")

    done = await place.run(sandbox="auto")

    assert (done.passed, done.failed, notes(done)) == (3, 0, {""})


async def test_without_bubblewrap_all_run_as_they_are(place: Place) -> None:
    place.written(BY_A_MODEL)

    found = await ground_of(place.project(), place.repo, place.scratch, place.scratch, Sandbox("no-such-program"))

    assert found == Ground()


@needs_bubblewrap
async def test_a_projects_analyser_runs_a_models_configuration_in_the_sandbox_too(place: Place) -> None:
    linter = f"open({str(place.scratch / 'pwned')!r}, 'w')"
    commit(place.repo, {"lint.py": linter}, BY_A_MODEL)

    done = await analyse(place.project(lint=[["{python}", "lint.py"]]), place.repo, place.scratch, place.base)

    assert [entry["note"] for entry in done.evidence] == [NOTE]
    assert not (place.scratch / "pwned").exists()


@pytest.mark.parametrize(
    ("message", "author", "expected"),
    [
        (BY_A_MODEL, "Ada <ada@example.org>", True),
        ("Add\n\nApm-Work-Item: 7\nApm-Agent: code-implementer\nApm-Task: ", "Ada <ada@example.org>", True),
        ("By itself", "code-implementer <apm@localhost>", True),
        ("A version\n\nApm-Work-Item: 7\nApm-Agent: version-bumper", "apm <apm@localhost>", False),
        ("A person's", "Ada <ada@example.org>", False),
    ],
)
async def test_by_its_commits_a_branch_is_known_as_a_models_work(
    place: Place, message: str, author: str, expected: bool
) -> None:
    git(place.repo, "commit", "-q", "--allow-empty", "-m", message, f"--author={author}")

    assert await has_a_models_work(place.repo, place.base) is expected


async def test_a_models_commit_is_found_below_any_number_of_others(place: Place) -> None:
    place.written(BY_A_MODEL)
    place.buried(1_001)

    assert await has_a_models_work(place.repo, place.base) is True


async def test_where_git_cannot_tell_a_branch_is_taken_for_a_models_work(place: Place) -> None:
    assert await has_a_models_work(place.repo, "0" * 40) is True
