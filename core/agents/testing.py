"""Runs a project's own tests and measures their coverage, and says plainly when something cannot be measured.

The default is pytest under `coverage run`, with the project's own options in force. Reports, caches and data go to
a folder of the run under scratch, so that nothing of apm's is left in the worktree.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from core.agents.bounded import Unreadable, read_text
from core.agents.branch import shown
from core.agents.confined import OPEN, Ground, ground_of
from core.agents.measured_coverage import DATA, READERS, Interpreter, measure, probe, read_report, selection
from core.agents.outcomes import (
    ERROR,
    FAILED,
    Case,
    Counts,
    counted,
    failure_text,
    printed_cases,
    read_junit,
    read_summary,
)
from core.agents.runners import how_to_cover, runner_of
from core.contract import ApmError, Json
from core.installing import pip_install
from core.paths import real
from core.projects import git
from core.projects.commands import CommandResult, Limits
from core.projects.settings import expand, interpreter, python_path
from core.sanitise import one_line

DEFAULT_SECONDS = 900.0
OUTPUT_BYTES = 16 * 2**20
"""Of what a test command prints, per stream; a verbose runner's line a test makes 100,000 of them 10 MB."""
KEPT_FAILURES = 50
COMMAND = "the test command itself"
"""Id of the failure that stands for a command which fails although none of its tests does."""

_PYTEST_BROKE_OFF = (3, 4)
"""Pytest's exit codes for an error of its own (or of a plugin), and for options that it does not know."""
_MODULES = ("pytest", "coverage", "xdist", "pytest_cov")
_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "go": ("go", "test", "-v", "./..."),
    "go test": ("go", "test", "-v", "./..."),
    "cargo": ("cargo", "test"),
    "cargo test": ("cargo", "test"),
    "npm": ("npm", "test", "--silent"),
    "jest": ("npx", "--no-install", "jest"),
    "vitest": ("npx", "--no-install", "vitest", "run"),
    "mocha": ("npx", "--no-install", "mocha"),
}
"""What is run for a test runner that is not Python's, as long as the project's settings name no command."""

_TELLING = tuple(
    re.compile(pattern, re.M)
    for pattern in (
        r"^(?:E|INTERNALERROR>) +((?:[\w.]*Error|[\w.]*Exception|SystemExit)\b.*)$",
        r"error: (.*)$",
        r"^ERROR:? (.*)$",
    )
)


@dataclass(frozen=True, slots=True)
class TestRun:
    """What a test run showed. `failed` includes `errors` (broken set-up, a test file that cannot be imported).

    `measured` is False when the counts are not known at all; then they are 0 and `reason` says why. With counts
    known, `reason` says why there is no coverage, or that no test ran. `left` names files that the tests left behind.
    `tool` is empty where the tests were not even begun.
    """

    __test__: ClassVar[bool] = False

    measured: bool
    total: int = 0
    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    coverage: float | None = None
    cases: tuple[tuple[str, str], ...] = ()
    failures: tuple[tuple[str, str], ...] = ()
    reason: str = ""
    suggestion: str = ""
    left: tuple[str, ...] = ()
    tool: str = ""
    tool_version: str = ""
    evidence: tuple[Json, ...] = ()


async def run_tests(project: Json, worktree: Path, scratch: Path, *, coverage: bool) -> TestRun:
    """Run the project's tests in the worktree; with `coverage`, measure the worktree's code under them.

    Runs `settings.test` as it is when there is one (with `{scratch}` replaced by the run's folder), otherwise the
    runner that detection finds on the branch, otherwise pytest. Never raises for what the project does.
    """
    folder = Path(tempfile.mkdtemp(prefix="tests-", dir=scratch))
    ground = await ground_of(project, worktree, folder, scratch)
    return await run_tests_on(ground, project, worktree, folder, coverage=coverage)


async def run_tests_on(ground: Ground, project: Json, worktree: Path, folder: Path, *, coverage: bool) -> TestRun:
    """`run_tests` on a ground and with a folder of the run that are there already."""
    before = set(await git.status(worktree))
    bench = _Run(project, worktree, folder, coverage, ground, await runner_of(project, worktree))
    command = bench.command()
    try:
        done = await (_run_command(bench, command) if command else _run_pytest(bench))
    except Unreadable as error:
        done = TestRun(False, reason=f"the tests were not run: {error}", suggestion=f"Look at it in {worktree}.")
    left = sorted(path for _, path in set(await git.status(worktree)) - before)
    return replace(_advised(done, ground.advice(project)), left=tuple(shown(path) for path in left))


def _advised(done: TestRun, advice: str) -> TestRun:
    """The run with what may have kept it from passing."""
    if done.measured and not done.failed:
        return done
    return replace(done, suggestion=" ".join(part for part in (done.suggestion, advice) if part))


@dataclass(frozen=True, slots=True)
class _Run:
    """The places and limits of one run."""

    project: Json
    worktree: Path
    folder: Path
    coverage: bool
    ground: Ground = OPEN
    runner: str = ""

    @property
    def settings(self) -> Json:
        return dict(self.project.get("settings") or {})

    @property
    def tech(self) -> Json:
        return dict(self.project.get("tech") or {})

    @property
    def python(self) -> str:
        return str(interpreter(self.project))

    @property
    def limits(self) -> Limits:
        return Limits(float(self.settings.get("time_limit", DEFAULT_SECONDS)), OUTPUT_BYTES)

    @property
    def env(self) -> dict[str, str]:
        return {
            "PYTHONPATH": python_path(self.worktree, self.tech),
            "PYTHONDONTWRITEBYTECODE": "1",
            "COVERAGE_FILE": str(self.folder / DATA),
            "HYPOTHESIS_STORAGE_DIRECTORY": str(self.folder / "hypothesis"),
        }

    def command(self) -> list[str]:
        """The project's own test command, or its runner's; empty for the default, pytest."""
        own = self.settings.get("test")
        if not own:
            return list(_COMMANDS.get(self.runner, ()))
        words = expand(own, python=self.python, worktree=self.worktree)
        return [word.replace("{scratch}", str(self.folder)) for word in words]


async def _run_pytest(bench: _Run) -> TestRun:
    package = str(bench.tech.get("package") or "").partition(".")[0]
    found = await probe(bench.python, bench.worktree, _MODULES, package, bench.env, bench.ground)
    refusal = _unusable(bench, found)
    if refusal:
        return refusal
    with_coverage = bench.coverage and found.versions["coverage"] is not None
    argv = _pytest(bench, found, with_coverage)
    result = await bench.ground.run(argv, cwd=bench.worktree, limits=bench.limits, env=bench.env)
    version = found.versions["pytest"] or ""
    broke_off = result.exit_code in _PYTEST_BROKE_OFF
    done = _no_figures(result) if broke_off else await _counted(bench, result)
    evidence = (result.evidence(tool="pytest", tool_version=version),)
    done = replace(done, tool="pytest", tool_version=version, evidence=evidence)
    if not bench.coverage or not done.total:
        return done
    if not with_coverage:
        return replace(
            done,
            reason=f"coverage was not measured: {bench.python} has no module named coverage",
            suggestion=f"Install it: {pip_install(bench.python, 'coverage')}",
        )
    return await _with_coverage(bench, done, found.versions["coverage"] or "")


def _pytest(bench: _Run, found: Interpreter, with_coverage: bool) -> list[str]:
    """The command: the project's own options stay in force, but for those that would spoil the measurement."""
    argv = [bench.python, "-m"]
    if with_coverage:
        argv += ["coverage", "run", *selection(bench.project, bench.worktree, found.coverage or {}), "-m"]
    argv += ["pytest", f"--junitxml={bench.folder / 'junit.xml'}", "--color=no"]
    for option in ("junit_family=xunit1", f"cache_dir={bench.folder / 'cache'}"):
        argv += ["-o", option]
    if not configures_pytest(bench.worktree):
        # Without an own configuration pytest would take one from a folder above, such as the workspace's.
        empty = bench.folder / "pytest.ini"
        empty.write_text("[pytest]\n")
        argv += ["-c", str(empty), f"--rootdir={bench.worktree}"]
    # Named, because a project may leave installed plugins alone, and pytest refuses options of what it has not loaded.
    if with_coverage and found.versions["xdist"] is not None:
        argv += ["-p", "xdist", "-n0"]  # `coverage run` sees only its own process, not xdist's workers
    if found.versions["pytest_cov"] is not None:
        argv += ["-p", "pytest_cov", "--no-cov"]  # two tracers in one process take each other's data away
    return argv


def configures_pytest(worktree: Path) -> bool:
    """Whether the project has options for pytest of its own; a broken pyproject.toml counts, for pytest to report.

    Raises Unreadable for a file that is not read.
    """
    if any((worktree / name).is_file() for name in ("pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml")):
        return True
    for name, section in (("tox.ini", "[pytest]"), ("setup.cfg", "[tool:pytest]")):
        if section in (read_text(worktree / name) or ""):
            return True
    try:
        return "pytest" in tomllib.loads(read_text(worktree / "pyproject.toml") or "").get("tool", {})
    except (tomllib.TOMLDecodeError, TypeError, RecursionError):
        return True


def _unusable(bench: _Run, found: Interpreter) -> TestRun | None:
    """Why this interpreter cannot run the tests of this worktree, or None."""
    if not found.versions:
        reason = f"the Python interpreter {bench.python} cannot be used: {_telling(found.result)}"
        suggestion = "Set the project's `python` to an interpreter that has its dependencies and pytest."
    elif found.versions["pytest"] is None:
        reason = f"{bench.python} has no module named pytest"
        suggestion = f"Install it: {pip_install(bench.python, 'pytest', 'coverage')}"
    elif found.origin and Path(found.origin).is_absolute() and not _inside(found.origin, bench.worktree):
        package = bench.tech["package"]
        reason = f"`import {package}` finds {one_line(found.origin)}, not the branch's code in the worktree"
        suggestion = f"Uninstall that copy from {bench.python}, or set the project's `python` to another interpreter."
    else:
        return None
    return TestRun(False, reason=reason, suggestion=suggestion, evidence=(found.result.evidence(tool="pytest"),))


def _inside(path: str, worktree: Path) -> bool:
    return real(Path(path)).is_relative_to(real(worktree))


async def _run_command(bench: _Run, argv: list[str]) -> TestRun:
    result = await bench.ground.run(argv, cwd=bench.worktree, limits=bench.limits, env=bench.env)
    tool = Path(argv[0]).name
    done = replace(await _counted(bench, result), tool=tool, evidence=(result.evidence(tool=tool),))
    return await _with_coverage(bench, done, "") if bench.coverage and done.total else done


async def _counted(bench: _Run, result: CommandResult) -> TestRun:
    """The figures of a run that ended, or why there are none."""
    if result.not_found:
        return TestRun(False, reason=_telling(result), suggestion="Install it, or set the project's `test` command.")
    if result.timed_out:
        seconds = f"{bench.limits.seconds:g}"
        reason = f"the tests ({_words(result)}) did not end within {seconds} s and were stopped with all their children"
        return TestRun(False, reason=reason, suggestion="Mend the test that hangs, or raise `time_limit`.")
    try:
        return await asyncio.to_thread(_read, bench, result)
    except ApmError as error:
        return TestRun(False, reason=str(error), suggestion="Let the test command write a plain JUnit XML report.")


def _read(bench: _Run, result: CommandResult) -> TestRun:
    """The figures of its report, else of all that it printed: of one that was cut, no part is counted."""
    cases, counts = _figures(bench, result)
    if counts is None:
        return _too_much(result) if result.truncated else _no_figures(result)
    done = _judged(result, cases, counts)
    named = [] if cases or result.truncated else printed_cases(result.output)
    return replace(done, cases=(*done.cases, *((case.id, case.outcome) for case in named)))


def _figures(bench: _Run, result: CommandResult) -> tuple[list[Case], Counts | None]:
    report = bench.folder / "junit.xml"
    if report.is_file():
        cases = read_junit(report, bench.worktree)
        if cases or result.exit_code in (0, 1, 5):
            return cases, counted(cases)
    summary = None if result.truncated else read_summary(result.output)
    return [], summary[1] if summary else None


def _too_much(result: CommandResult) -> TestRun:
    reason = f"the test command ({_words(result)}) printed more than {OUTPUT_BYTES >> 20} MB, too much to count from"
    return TestRun(False, reason=reason, suggestion="Let it write JUnit XML to {scratch}/junit.xml, or print less.")


def _no_figures(result: CommandResult) -> TestRun:
    command = _words(result)
    if result.ok:
        return TestRun(
            False,
            reason=f"the test command ({command}) printed no count of tests that apm can read",
            suggestion="Let it write JUnit XML to {scratch}/junit.xml, or print its runner's summary (go test: -v).",
        )
    reason = f"the test command ({command}) broke off with exit code {result.exit_code}: {_telling(result)}"
    return TestRun(
        False,
        reason=reason,
        suggestion="Install what it needs into the project's Python, correct it, or set the project's `test` command.",
    )


def _words(result: CommandResult) -> str:
    words = " ".join(result.argv[:6])
    return one_line(words if len(result.argv) <= 6 else f"{words} …")


def _judged(result: CommandResult, cases: list[Case], counts: Counts) -> TestRun:
    """Fail-safe: a command that fails although all its tests pass counts as one failure more."""
    if not counts.total:
        return TestRun(True, reason="no tests ran", suggestion="Add tests; a release needs at least one that passes.")
    if not result.ok and not counts.failed:
        text = f"It ended with exit code {result.exit_code} although no test failed.\n{result.output}"
        cases = [*cases, Case(COMMAND, ERROR, failure_text(text))]
        counts = Counts(counts.passed, 1, 1, counts.skipped)
    elif counts.failed and not cases:
        cases = [Case(COMMAND, FAILED, failure_text(result.output))]
    bad = [(case.id, case.text) for case in cases if case.outcome in (FAILED, ERROR)]
    return TestRun(
        measured=True,
        total=counts.total,
        passed=counts.passed,
        failed=counts.failed,
        errors=counts.errors,
        skipped=counts.skipped,
        cases=tuple((case.id, case.outcome) for case in cases),
        failures=tuple(bad[:KEPT_FAILURES]),
    )


async def _with_coverage(bench: _Run, done: TestRun, version: str) -> TestRun:
    """The run with its coverage: from data of coverage.py, or from a report that the command itself wrote."""
    reports = [bench.folder / name for name in READERS if (bench.folder / name).is_file()]
    if any(bench.folder.glob(f"{DATA}*")):
        figure = await measure(bench.python, bench.worktree, bench.folder, bench.env, bench.ground)
    elif reports:
        figure = read_report(reports[0], bench.worktree)
    else:
        names = ", ".join(READERS)
        return replace(
            done,
            reason="coverage was not measured: the test command left neither coverage data nor a report",
            suggestion=how_to_cover(bench.project, bench.runner, names),
        )
    shown = tuple(result.evidence(tool="coverage", tool_version=version) for result in figure.results)
    suggestion = "Name the code to measure in the project's `coverage_source`." if figure.reason else ""
    return replace(
        done,
        coverage=figure.percent,
        reason=figure.reason,
        suggestion=suggestion,
        evidence=(*done.evidence, *shown),
    )


def _telling(result: CommandResult) -> str:
    """The one line of a failed command's output that says most."""
    for pattern in _TELLING:
        found = pattern.search(result.stderr) or pattern.search(result.stdout)
        if found:
            return one_line(found[1])
    lines = [line for line in result.output.splitlines() if line.strip()]
    return one_line(lines[-1]) if lines else f"exit code {result.exit_code}"
