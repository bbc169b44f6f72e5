"""Tests that pass count for the branch: files that no commit has, and that nobody will get, may have no part in it."""

from __future__ import annotations

import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.agents.committed import BESIDES_SECONDS, TESTERS, most_seconds, run_committed
from core.agents.testing import DEFAULT_SECONDS, TestRun
from core.contract import Json
from core.projects.loose import no_commits_files
from core.projects.preparation import made_by_setup, prepare
from core.projects.sandbox import NOTE
from core.registry.catalog import default_path, load
from tests.unit.git_project import commit, git, project, write
from tests.unit.test_confined import BY_A_MODEL
from tests.unit.test_sandbox import needs_bubblewrap

TECH = {"layout": "src", "package": "shop", "test_dirs": ["tests"]}
TEST = "from shop import gross\n\n\ndef test_gross():\n    assert gross(10) == 12\n"
PLAIN = "def gross(net):\n    return net * 1.2\n"
BY_MODULE = "def gross(net):\n    from shop.lib.rates import RATE\n\n    return net * RATE\n"
BY_FILE = """\
import json
import pathlib


def gross(net):
    return net * json.loads((pathlib.Path(__file__).parent / "rates.json").read_text())
"""


@dataclass(frozen=True)
class Place:
    repo: Path
    scratch: Path
    base: str

    def project(self, **settings: object) -> Json:
        settings = {"python": sys.executable, **settings}
        environment = str(self.scratch.parent / "environment")
        return {**project(self.repo, self.base, tech=TECH, **settings), "environment": environment}

    def shop(self, code: str, message: str = "a change", **files: str) -> None:
        commit(self.repo, {"src/shop/__init__.py": code, "tests/test_shop.py": TEST, **files}, message)

    async def run(self, *, coverage: bool = True, **settings: object) -> TestRun:
        return await run_committed(self.project(**settings), self.repo, self.scratch, coverage=coverage)

    async def prepare(self, code: str) -> Json:
        """The settings of a project whose setup is this Python, run in the worktree already."""
        settings: Json = {"setup": [["{python}", "-c", code]]}
        await prepare(self.project(**settings), self.repo, self.scratch)
        return settings


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "scratch").mkdir()
    # What apm is tested with takes six times longer to load than these tests to run.
    options = '[tool.pytest.ini_options]\naddopts = "--disable-plugin-autoload"\n'
    ignored = "lib/\n*.json\n*_cache/\n*.egg-info/\nvenv/\n__pycache__\n_version.py\nbuild/\n*.txt\n"
    return Place(
        tmp_path / "repo",
        tmp_path / "scratch",
        commit(tmp_path / "repo", {"pyproject.toml": options, ".gitignore": ignored}),
    )


def commit_only(repo: Path, files: dict[str, str]) -> None:
    """Commit these and nothing that git ignores."""
    write(repo, files)
    git(repo, "add", "--", *files)
    git(repo, "commit", "-q", "-m", "a change")


def notes(done: TestRun) -> list[str]:
    return [entry["note"] for entry in done.evidence]


@pytest.mark.parametrize("coverage", [True, False])
@pytest.mark.parametrize(
    ("code", "path", "text"),
    [(BY_MODULE, "src/shop/lib/rates.py", "RATE = 1.2\n"), (BY_FILE, "src/shop/rates.json", "1.2")],
    ids=["a module", "data"],
)
async def test_what_passes_only_with_an_ignored_file_does_not_count(
    place: Place, code: str, path: str, text: str, coverage: bool
) -> None:
    place.shop(code)
    write(place.repo, {path: text})

    done = await place.run(coverage=coverage)

    assert (done.measured, done.passed, done.coverage) == (False, 0, None)
    assert done.reason == (
        f"the tests pass only with files that no commit has: {path} (ignored by git); without them 1 of 1 fail, such "
        "as tests/test_shop.py::test_gross"
    )
    assert "`git add -f`" in done.suggestion
    assert done.failures[0][0] == "tests/test_shop.py::test_gross"
    assert notes(done)[-1] == f"the commit alone, without {path} (ignored by git)"
    assert list(place.scratch.glob("alone-*")) == []

    git(place.repo, "add", "-f", path)
    git(place.repo, "commit", "-q", "-m", "The rates")
    assert (await place.run(coverage=coverage)).passed == 1


async def test_what_passes_only_with_a_file_that_nobody_has_added_does_not_count(place: Place) -> None:
    git(place.repo, "rm", "-q", ".gitignore")
    place.shop(BY_FILE)
    write(place.repo, {"src/shop/rates.json": "1.2"})

    done = await place.run()

    assert done.reason.startswith("the tests pass only with files that no commit has: src/shop/rates.json; without")
    (place.repo / "src/shop/rates.json").unlink()
    assert (await place.run()).failed == 1


async def test_a_loose_file_that_plays_no_part_is_a_line_of_evidence(place: Place) -> None:
    place.shop(PLAIN)
    write(place.repo, {"notes.json": "{}", "build/out.json": ""})

    done = await place.run()

    assert (done.reason, done.passed, done.coverage) == ("", 1, 100.0)
    assert notes(done) == ["", "", "the commit alone, without notes.json (ignored by git), build/"]


async def test_where_nothing_is_loose_nothing_is_run_again(place: Place) -> None:
    place.shop(PLAIN)
    made = ("src/shop/__pycache__/a.pyc", "src/.mypy_cache/a.json", "src/shop.egg-info/PKG-INFO", "build/lib/shop.py")
    write(place.repo, dict.fromkeys((*made, "src/venv/pyvenv.cfg", "src/venv/lib/a.json"), ""))

    done = await place.run()

    assert (done.passed, notes(done)) == (1, ["", ""])


async def test_what_the_run_itself_writes_is_not_loose_while_the_same_commit_is_tested(place: Place) -> None:
    place.shop(PLAIN + "\n\nopen('src/shop/table.json', 'w').close()\n")

    for _ in range(2):
        done = await place.run()
        assert (done.passed, notes(done)) == (1, ["", ""])

    assert (place.repo / "src/shop/table.json").exists()


async def test_what_an_earlier_commits_tests_have_written_is_loose(place: Place) -> None:
    place.shop(BY_FILE, **{"tests/conftest.py": "open('src/shop/rates.json', 'w').write('1.2')\n"})
    assert (await place.run()).passed == 1

    commit_only(place.repo, {"tests/conftest.py": ""})

    assert "src/shop/rates.json (ignored by git); without them 1 of 1 fail" in (await place.run()).reason


async def test_a_folder_at_the_top_that_git_ignores_may_be_a_part_of_the_project(place: Place) -> None:
    place.shop("def gross(net):\n    from lib.rates import RATE\n\n    return net * RATE\n")
    write(place.repo, {"lib/rates.py": "RATE = 1.2\n"})

    done = await place.run()

    assert "no commit has: lib/rates.py (ignored by git); without them 1 of 1 fail" in done.reason


async def test_what_setup_made_is_not_loose_and_is_there_when_the_tests_run_alone(place: Place) -> None:
    place.shop("from shop._version import RATE\n\n\ndef gross(net):\n    return net * RATE\n")
    settings = await place.prepare("open('src/shop/_version.py', 'w').write('RATE = 1.2')")
    assert made_by_setup(place.scratch) == {"src/shop/_version.py"}
    assert notes(await place.run(**settings)) == ["", ""]

    commit_only(place.repo, {"README.md": "A shop.\n"})
    write(place.repo, {"notes.json": "{}"})
    done = await place.run(**settings)

    assert (done.reason, done.passed) == ("", 1)
    assert notes(done)[-1] == "the commit alone, without notes.json (ignored by git)"


async def test_the_mark_of_an_elder_setup_lists_nothing(place: Place) -> None:
    (place.scratch / "prepared-0123456789abcdef").touch()
    assert made_by_setup(place.scratch) == frozenset()


async def test_a_test_that_only_the_worktree_has_does_not_count_either(place: Place) -> None:
    place.shop(PLAIN)
    write(place.repo, {"tests/lib/test_more.py": "def test_more(): ...\n"})

    done = await place.run()

    assert done.reason.endswith("tests/lib/test_more.py (ignored by git); without them 1 of 2 pass")


async def test_a_command_that_breaks_off_without_them_says_why(place: Place) -> None:
    place.shop(PLAIN)
    write(place.repo, {"run.json": "print('2 passed in 0.01s')"})

    done = await place.run(coverage=False, test=["{python}", "run.json"])

    assert "run.json (ignored by git); without them the test command" in done.reason
    assert "broke off with exit code 2" in done.reason


async def test_failing_tests_stay_what_they_are(place: Place) -> None:
    place.shop("def gross(net):\n    return net\n")
    write(place.repo, {"notes.json": "{}"})

    done = await place.run()

    assert (done.measured, done.failed, notes(done)) == (True, 1, ["", ""])


async def test_where_they_cannot_be_run_alone_that_is_said(place: Place, tmp_path: Path) -> None:
    home = tmp_path / "environment"
    venv.create(home)
    library = next(home.glob("lib/python*/site-packages"))
    (library / "extra.pth").write_text(f"{sysconfig.get_path('purelib')}\n{place.repo / 'code'}\n")
    commit(place.repo, {"code/shop/__init__.py": PLAIN, "tests/test_shop.py": TEST})
    write(place.repo, {"notes.json": "{}"})

    for _ in range(2):
        done = await place.run(python=str(home / "bin/python"))
        assert (done.measured, done.passed) == (True, 1)
        expected = f"not verified without notes.json (ignored by git): `import shop` finds {place.repo}/code/shop"
        assert notes(done)[-1].startswith(expected)


async def test_submodules_that_setup_has_fetched_are_there_when_the_tests_run_alone(
    place: Place, tmp_path: Path
) -> None:
    commit(tmp_path / "other", {"rates.py": "RATE = 1.2\n"})
    allowed = ("-c", "protocol.file.allow=always")
    git(place.repo, *allowed, "submodule", "--quiet", "add", str(tmp_path / "other"), "src/other")
    place.shop("from other.rates import RATE\n\n\ndef gross(net):\n    return net * RATE\n")
    write(place.repo, {"notes.json": "{}"})

    done = await place.run()

    assert (done.reason, done.passed, len(done.evidence)) == ("", 1, 3)


@needs_bubblewrap
async def test_alone_too_what_a_model_wrote_runs_in_the_sandbox(place: Place) -> None:
    place.shop(BY_FILE, BY_A_MODEL)
    settings = await place.prepare("open('src/shop/rates.json', 'w').write('1.2')")
    write(place.repo, {"notes.json": "{}"})

    done = await place.run(**settings)

    assert (done.reason, done.passed) == ("", 1)
    assert notes(done) == [NOTE, NOTE, f"the commit alone, without notes.json (ignored by git); {NOTE}"]


async def test_a_link_in_the_way_of_what_setup_made_is_not_followed(place: Place, tmp_path: Path) -> None:
    write(tmp_path / "outside", {"rates.json": "the key of somebody"})
    place.shop(PLAIN)
    settings = await place.prepare("import os; os.mkdir('src/made'); open('src/made/rates.json', 'w').close()")
    swap = f"""
        import pathlib, shutil

        def test_swap():
            made, told = pathlib.Path("src/made"), pathlib.Path({str(tmp_path / "told")!r})
            if made.exists():
                shutil.rmtree(made)
                made.symlink_to(told.parent / "outside")
            else:
                told.touch()
        """
    commit_only(place.repo, {"tests/test_swap.py": swap})
    write(place.repo, {"notes.json": "{}"})

    await place.run(**settings)

    assert (place.repo / "src/made").is_symlink()
    assert (tmp_path / "told").exists()


async def test_names_of_any_kind_are_listed(place: Place) -> None:
    write(place.repo, {"src/ä\nb.json": "", 'src/"c".json': ""})
    assert set(await no_commits_files(place.repo)) == {"src/ä\nb.json", 'src/"c".json'}


class TestHowLongItMayTake:
    @pytest.mark.parametrize(
        ("role", "settings", "seconds"),
        [
            ("test-runner", {"time_limit": 3_600}, 7_800),
            ("implementation-gate-check", {"time_limit": 3_600}, 7_800),
            ("test-runner", {"time_limit": 5}, 1_000),
            ("test-runner", {}, 1_000),
            ("static-analyzer", {"time_limit": 3_600}, 1_000),
        ],
    )
    def test_tests_have_their_projects_time_twice(self, role: str, settings: Json, seconds: float) -> None:
        assert most_seconds(role, {"settings": settings}, 1_000) == seconds

    def test_work_without_a_project_has_its_agents_own(self) -> None:
        assert most_seconds("test-runner", None, 1_000) == 1_000

    def test_the_agents_that_run_tests_have_time_for_the_default(self) -> None:
        agents = load(default_path()).agents
        assert set(agents) >= TESTERS
        assert all(agents[role].seconds >= 2 * DEFAULT_SECONDS + BESIDES_SECONDS for role in TESTERS)
