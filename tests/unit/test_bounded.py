"""What a branch left is read within bounds, and what is not read is told."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from core.agents.bounded import Unreadable, read_bytes, read_text
from core.agents.measured_coverage import read_report
from core.agents.outcomes import read_junit
from core.agents.testing import run_tests
from core.contract import ApmError
from tests.unit.git_project import commit, project


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(40 * 2**30)


def bound(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as place:
        place.bind(str(path))


HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "sparse": (sparse, "has more than 8,388,608 bytes"),
    "pipe": (os.mkfifo, "is no regular file"),
    "folder": (Path.mkdir, "is no regular file"),
    "socket": (bound, "cannot be opened"),
    "link": (lambda path: path.symlink_to("/etc/passwd"), "is a link"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_small_regular_file_is_refused_in_a_sentence(tmp_path: Path, kind: str) -> None:
    make, why = HOSTILE[kind]
    make(tmp_path / "s.ini")

    with pytest.raises(Unreadable, match=f"s.ini {why}.* and is not read; remove it, or put a plain file in its place"):
        read_bytes(tmp_path / "s.ini")


def test_a_file_is_read_up_to_its_last_byte_and_one_that_is_not_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"caf\xc3\xa9\xff")

    assert read_bytes(tmp_path / "a.txt", 6) == b"caf\xc3\xa9\xff"
    assert read_text(tmp_path / "a.txt") == "café\ufffd"
    assert read_text(tmp_path / "b.txt") is read_text(tmp_path / "a.txt/b.txt") is None
    with pytest.raises(Unreadable, match="more than 5 bytes"):
        read_bytes(tmp_path / "a.txt", 5)


@pytest.mark.parametrize("kind", ["sparse", "pipe", "link"])
def test_reports_are_read_no_other_way(tmp_path: Path, kind: str) -> None:
    for name in ("junit.xml", "coverage.json"):
        HOSTILE[kind][0](tmp_path / name)

    with pytest.raises(ApmError, match=r"junit\.xml"):
        read_junit(tmp_path / "junit.xml", tmp_path)
    assert (
        "the coverage report was not taken: coverage.json" in read_report(tmp_path / "coverage.json", tmp_path).reason
    )


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"files": {}, "totals": {"num_statements": 1, "percent_covered": 1e999}}']
)
def test_a_report_that_python_chokes_on_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "coverage.json").write_text(text)

    figure = read_report(tmp_path / "coverage.json", tmp_path)

    assert (figure.percent, "coverage.json cannot be read" in figure.reason) == (None, True)


@pytest.mark.parametrize("name", ["setup.cfg", "pyproject.toml"])
async def test_settings_that_are_not_read_leave_the_tests_unmeasured(tmp_path: Path, name: str) -> None:
    commit(tmp_path / "repo", {"test_x.py": "def test_x(): ...\n"})
    (tmp_path / "repo" / name).symlink_to("/etc/passwd")

    done = await run_tests(project(tmp_path / "repo"), tmp_path / "repo", tmp_path, coverage=True)

    assert not done.measured
    assert done.reason.startswith(f"the tests were not run: {name} is a link and is not read")


async def test_a_manifest_of_hostile_depth_is_left_to_pytest(tmp_path: Path) -> None:
    commit(tmp_path / "repo", {"test_x.py": "def test_x(): ...\n", "pyproject.toml": "a = " + "[" * 100_000})

    done = await run_tests(project(tmp_path / "repo"), tmp_path / "repo", tmp_path, coverage=False)

    assert not done.measured
    assert "broke off" in done.reason
