"""What a model wrote on a branch runs at the gates as it runs for the model: without a network and the machine."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from core.agents.analysers import analyse
from core.agents.confined import OPEN, ground_of, has_a_models_work, place_around
from core.agents.testing import TestRun, run_tests
from core.contract import Json
from core.projects.sandbox import NOTE, SWITCHED_OFF, WITHOUT, Sandbox, enclosure
from tests.unit.git_project import commit, git, project, write
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

    def separate(self) -> Path:
        """The user's checkout, of which the branch's worktree is another from now on."""
        checkout = self.repo.parent / "checkout"
        self.repo.rename(checkout)
        git(checkout, "worktree", "add", "-q", "-b", "apm/1-x", str(self.repo))
        return checkout

    def buried(self, commits: int) -> None:
        """So many commits of a person's on top, all of them later."""
        told = "commit refs/heads/main\ncommitter Ada <ada@example.org> {} +0000\ndata 1\nx\n"
        first, *others = (told.format(2_000_000_000 + number) for number in range(commits))
        stream = "".join([first, f"from {git(self.repo, 'rev-parse', 'HEAD')}\n", *others])
        subprocess.run(["git", "fast-import", "--quiet"], cwd=self.repo, input=stream, text=True, check=True)

    def project(self, **settings: object) -> Json:
        settings = {"python": sys.executable, **settings}
        told = project(self.repo, self.base, tech={"package": "shop"}, **settings)
        checkout = self.repo.parent / "checkout"
        return told | {"path": str(checkout)} if checkout.exists() else told

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
async def test_where_a_person_has_said_off_they_run_as_they_are_and_that_is_said(place: Place) -> None:
    place.written(BY_A_MODEL)

    done = await place.run(sandbox="off")

    assert (done.passed, done.failed, done.suggestion, notes(done)) == (3, 0, "", {SWITCHED_OFF})


@needs_bubblewrap
async def test_what_a_person_wrote_runs_as_the_person_would_run_it(place: Place) -> None:
    place.written("Add")

    done = await place.run(sandbox="auto")

    assert (done.passed, done.failed, notes(done)) == (3, 0, {""})


async def test_without_bubblewrap_all_run_as_they_are_and_that_is_said(place: Place) -> None:
    place.written(BY_A_MODEL)

    found = await ground_of(place.project(), place.repo, place.scratch, place.scratch, Sandbox("no-such-program"))
    result = await found.run(["true"], cwd=place.repo)

    assert (result.exit_code, result.note, found.advice(place.project())) == (0, WITHOUT, "")


async def test_a_persons_branch_needs_no_such_word(place: Place) -> None:
    place.written("Add")

    for settings in ({}, {"sandbox": "off"}):
        project = place.project(**settings)
        ground = await ground_of(project, place.repo, place.scratch, place.scratch, Sandbox("no-such-program"))
        assert ground == OPEN


@needs_bubblewrap
async def test_a_projects_analyser_runs_a_models_configuration_in_the_sandbox_too(place: Place) -> None:
    linter = f"open({str(place.scratch / 'pwned')!r}, 'w')"
    commit(place.repo, {"lint.py": linter}, BY_A_MODEL)

    done = await analyse(place.project(lint=[["{python}", "lint.py"]]), place.repo, place.scratch, place.base)

    assert [entry["note"] for entry in done.evidence] == [NOTE]
    assert not (place.scratch / "pwned").exists()


LOOK = """\
import pathlib, sys
for folder in sys.argv[1:]:
    print(*sorted(path.name for path in pathlib.Path(folder).iterdir()) if pathlib.Path(folder).is_dir() else ["-"])
"""


async def seen(place: Place, *folders: Path, argv: tuple[str, ...] = ()) -> list[str]:
    """What a command of the branch finds in folders: their names by folder, "-" where there is none."""
    place.written(BY_A_MODEL)
    ground = await ground_of(place.project(), place.repo, place.scratch, place.scratch)
    assert ground.place is not None
    words = [*(argv or (sys.executable, "-c", LOOK)), *map(str, folders)]
    result = await ground.run(words, cwd=place.repo)
    assert result.ok, result.output
    return result.stdout.split("\n")[:-1]


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """A folder of the user's with a program in it and one above it."""
    write(tmp_path / "private", {"key": "secret", "bin/python": "#!/bin/sh\n", "run": "#!/bin/sh\n"})
    (tmp_path / "private" / "bin" / "python").chmod(0o755)
    (tmp_path / "private" / "run").chmod(0o755)
    return tmp_path / "private"


@needs_bubblewrap
async def test_an_environment_that_is_a_link_out_of_the_repository_shows_nothing(place: Place, private: Path) -> None:
    checkout = place.separate()
    (checkout / ".venv").symlink_to(private)
    (checkout / "venv").symlink_to(Path.home())
    commit(checkout, {})

    assert await seen(place, checkout / ".venv", checkout / "venv", private) == ["-", "-", "-"]


@needs_bubblewrap
async def test_an_environment_that_the_user_made_is_shown_also_through_a_link(place: Place, private: Path) -> None:
    checkout = place.separate()
    (checkout / ".venv").symlink_to(private)

    assert await seen(place, checkout / ".venv") == ["bin key run"]


@needs_bubblewrap
async def test_a_link_of_the_users_own_to_his_home_shows_nothing_either(place: Place) -> None:
    checkout = place.separate()
    (checkout / ".venv").symlink_to(Path.home())

    assert await seen(place, checkout / ".venv") == ["-"]


@needs_bubblewrap
@pytest.mark.parametrize("carried", ["pyvenv.cfg", "bin/python"])
async def test_nothing_that_a_repositorys_environment_names_is_shown(place: Place, private: Path, carried: str) -> None:
    checkout = place.separate()
    names = private / "bin"
    (checkout / ".venv" / "bin").mkdir(parents=True)
    if carried == "pyvenv.cfg":
        (checkout / ".venv" / "pyvenv.cfg").write_text(f"home = {names}\n")
        (checkout / ".venv" / "bin" / "python").symlink_to(sys.executable)
        git(checkout, "add", ".venv/pyvenv.cfg")
    else:
        (checkout / ".venv" / "bin" / "python").symlink_to(private / "run")
        git(checkout, "add", ".venv/bin/python")
    git(checkout, "commit", "-q", "-m", "An environment")

    place.written(BY_A_MODEL)
    found = await place_around(place.project(python=".venv/bin/python"), place.repo, place.scratch)

    shown = enclosure(found, [str(checkout / ".venv" / "bin" / "python")], Path.home(), {"PATH": "/usr/bin"})
    assert str(checkout / ".venv") in shown
    assert not [word for word in shown if word.startswith(str(private))]


async def test_no_link_is_followed_that_a_command_may_have_written(place: Place, private: Path) -> None:
    (place.repo / "tool").symlink_to(private / "run")
    around = await place_around(place.project(), place.repo, place.scratch)

    shown = enclosure(around, [str(place.repo / "tool")], Path.home(), {"PATH": "/usr/bin"})

    assert not [word for word in shown if word.startswith(str(private))]


@needs_bubblewrap
async def test_a_worktree_in_a_home_that_is_a_link_works(
    place: Place, private: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").symlink_to(tmp_path / "real")
    place.repo.rename(tmp_path / "moved")
    (tmp_path / "real").mkdir()
    private.rename(tmp_path / "real" / "private")
    (tmp_path / "moved").rename(tmp_path / "real" / "repo")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    moved = replace(place, repo=(tmp_path / "home" / "repo"))

    home, real = tmp_path / "home", tmp_path / "real"
    assert await seen(moved, real / "repo" / "tests", home / "private", real / "private") == ["test_shop.py", "-", "-"]


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
