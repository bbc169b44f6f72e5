"""Which runner runs a branch's tests, and what a person is told in its words."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from core.contract import Json
from core.projects.detection import detect_test_runner

_JEST = "npx --no-install jest --coverage --coverageReporters=lcovonly --coverageDirectory={scratch}"
_VITEST = (
    "npx --no-install vitest run --coverage --coverage.reporter=lcovonly --coverage.reportsDirectory={scratch} "
    "--reporter=default --reporter=junit --outputFile.junit={scratch}/junit.xml"
)
_NODE = (
    "node --test --experimental-test-coverage --test-reporter=lcov --test-reporter-destination={scratch}/lcov.info "
    "--test-reporter=junit --test-reporter-destination={scratch}/junit.xml"
)
COVERING: Mapping[str, str] = {
    "npm": _NODE,
    "mocha": "npx --no-install c8 --reporter=lcovonly --reports-dir={scratch} mocha",
    "jest": _JEST,
    "vitest": _VITEST,
    "go": "sh -c 'go test -v -coverprofile={scratch}/c.out ./... && gcov2lcov -infile={scratch}/c.out "
    "-outfile={scratch}/lcov.info'",
    "cargo": "cargo llvm-cov --lcov --output-path {scratch}/lcov.info",
}
"""A command that runs the tests and leaves a report of coverage that apm reads, by runner."""


NAMING: Mapping[str, str] = {
    **dict.fromkeys(("pytest", "unittest"), "def test_{lower}_…"),
    **dict.fromkeys(("npm", "mocha", "jest", "vitest"), 'test("{id} …")'),
    "go": "func Test{upper}…",
    "cargo": "fn {lower}_…",
}
"""What a test is called that names a criterion, by runner."""

_OF_PACKAGE_JSON = frozenset(("npm", "mocha", "jest", "vitest"))


async def runner_of(project: Json, worktree: Path) -> str:
    """The runner of the tests on a branch, empty where apm recognises none.

    It is found anew where the project had no tests when it was added, and where package.json may name another by now.
    A file of another language never takes the place of the runner of all the tests that were there.
    """
    known = str((project.get("tech") or {}).get("test_runner") or "")
    if known and known not in _OF_PACKAGE_JSON:
        return known
    found = await detect_test_runner(worktree) or ""
    return found if not known or found in _OF_PACKAGE_JSON else known


def how_to_cover(project: Json, runner: str, reports: str) -> str:
    """What to do where a test command left no coverage; `reports` are the names of those that apm reads."""
    command = COVERING.get(runner)
    if command is None:
        return f"Run the tests under `coverage run`, or write one of {reports} to {{scratch}}."
    name = shlex.quote(str(project.get("name") or "NAME"))
    return f'Let the tests write one of {reports} to {{scratch}}, as in: apm project set {name} --test "{command}"'


def how_to_name(criterion: str, runner: str) -> str:
    """A test's name that has a criterion in it, as its language writes names."""
    plain = re.sub(r"\W", "", criterion)
    words = NAMING.get(runner, "{id} in its name")
    return words.format(id=criterion, lower=plain.lower(), upper=plain.upper())
