"""Which code a test run should cover, and how much of it the run did cover.

The figure is only worth something when it is about the worktree's code: files outside it (an editable install of
the user's checkout, an installed copy) make it no figure at all.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.agents.bounded import Unreadable, read_text
from core.agents.confined import OPEN, Ground
from core.contract import Json
from core.paths import real
from core.projects.commands import CommandResult, Limits
from core.sanitise import one_line

REPORT_SECONDS = 300.0
REPORT_BYTES = 64 * 2**20
DATA, REPORT = "coverage.data", "coverage.json"
"""Names of the files in the run's own folder."""

_COV_OPTION = re.compile(r"--cov[= ]\"?([\w./-]+)")
_PYTEST_CONFIGS = ("pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg", "pytest.toml")


@dataclass(frozen=True, slots=True)
class Measurement:
    """A percentage, or the reason why there is none."""

    percent: float | None
    reason: str = ""
    results: tuple[CommandResult, ...] = ()


def selection(project: Json, worktree: Path, config: Mapping[str, Any]) -> list[str]:
    """The options of `coverage run` that say what to measure.

    In order: the project's settings in apm, its own coverage configuration, `--cov=…` in its pytest options, the
    package that detection found, and at last everything but the tests. Raises Unreadable for settings that are
    not read.
    """
    tech = project.get("tech", {})
    chosen = project.get("settings", {}).get("coverage_source") or []
    if not chosen and any(config.get(name) for name in ("source", "source_pkgs", "source_dirs", "include")):
        return []
    chosen = chosen or _cov_options(worktree)
    if chosen:
        return [f"--source={','.join(chosen)}"]
    package = str(tech.get("package") or "").replace(".", "/")
    for root in ("src", "."):
        if package and (worktree / root / package).is_dir():
            return [f"--source={Path(root) / package}"]
        if package and (worktree / root / f"{package}.py").is_file():
            return [f"--include={Path(root) / package}.py"]
    tests = [f"{name}/*" for name in tech.get("test_dirs") or ("tests", "test")]
    return ["--source=.", f"--omit={','.join([*tests, 'test_*.py', 'conftest.py', 'setup.py'])}"]


def _cov_options(worktree: Path) -> list[str]:
    texts = (read_text(worktree / name) or "" for name in _PYTEST_CONFIGS)
    return list(dict.fromkeys(name for text in texts for name in _COV_OPTION.findall(text)))


async def measure(
    python: str, worktree: Path, folder: Path, env: Mapping[str, str], ground: Ground = OPEN
) -> Measurement:
    """The percentage from the data that a run left in `folder`; parallel data is combined first."""
    results: list[CommandResult] = []
    limits = Limits(seconds=REPORT_SECONDS)
    parts = sorted(folder.glob(f"{DATA}.*"))
    if parts:
        append = ["--append"] if (folder / DATA).is_file() else []
        argv = [python, "-m", "coverage", "combine", *append, *map(str, parts)]
        results.append(await ground.run(argv, cwd=worktree, limits=limits, env=env))
    report = folder / REPORT
    argv = [python, "-m", "coverage", "json", "--ignore-errors", "--fail-under=0", "-o", str(report)]
    results.append(await ground.run(argv, cwd=worktree, limits=limits, env=env))
    if not report.is_file():
        said = _last_line(results[-1])
        return Measurement(None, f"coverage has nothing to report: {said}", tuple(results))
    figure = read_report(report, worktree)
    return Measurement(figure.percent, figure.reason, tuple(results))


def _last_line(result: CommandResult) -> str:
    lines = [line for line in result.output.splitlines() if line.strip()]
    return one_line(lines[-1]) if lines else f"exit code {result.exit_code}"


def read_report(report: Path, worktree: Path) -> Measurement:
    """A coverage report that a command left behind, in any of the formats of `READERS`."""
    try:
        return READERS[report.name](read_text(report, REPORT_BYTES) or "", worktree)
    except Unreadable as error:
        return Measurement(None, f"the coverage report was not taken: {error}")
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        return Measurement(None, f"the coverage report {report.name} cannot be read: {one_line(str(error))}")


def _coverage_py(text: str, worktree: Path) -> Measurement:
    report = json.loads(text)
    outside = [name for name in report["files"] if not _inside(worktree, name)]
    if outside:
        return Measurement(
            None,
            f"coverage measured {one_line(outside[0])}, which lies outside the worktree: the tests run an installed "
            "copy, not the branch's code",
        )
    totals = report["totals"]
    if not totals["num_statements"]:
        return Measurement(None, "coverage measured no statement of the project's code")
    return Measurement(floored(float(totals["percent_covered"])))


def _cobertura(text: str, _: Path) -> Measurement:
    head = re.search(r"<coverage\b[^>]*?\bline-rate=\"([\d.]+)\"", text[:10_000])
    if not head:
        raise ValueError("no line-rate in its first element")
    return Measurement(floored(100 * float(head[1])))


def _lcov(text: str, _: Path) -> Measurement:
    found = sum(map(int, re.findall(r"^LF:(\d+)$", text, re.M)))
    hit = sum(map(int, re.findall(r"^LH:(\d+)$", text, re.M)))
    if not found:
        raise ValueError("it counts no line")
    return Measurement(floored(100 * hit / found))


def _istanbul(text: str, _: Path) -> Measurement:
    return Measurement(floored(float(json.loads(text)["total"]["lines"]["pct"])))


READERS: Mapping[str, Callable[[str, Path], Measurement]] = {
    REPORT: _coverage_py,
    "coverage.xml": _cobertura,
    "lcov.info": _lcov,
    "coverage-summary.json": _istanbul,
}
"""Reports that a custom test command may write into `{scratch}`, by file name."""


def floored(percent: float) -> float:
    """Two decimals, never rounded up: 89.996 is not 90. (`round` first takes off the float's own last digits.)"""
    return math.floor(round(percent * 100, 6)) / 100


def _inside(worktree: Path, name: str) -> bool:
    return real(worktree / name).is_relative_to(real(worktree))


PROBE = """
import importlib, importlib.util, json, sys
try:
    from importlib import metadata
except ImportError:
    metadata = None
def version(name):
    try:
        if importlib.util.find_spec(name) is None:
            return None
    except Exception:
        return None
    try:
        return metadata.version(name.replace("_", "-"))
    except Exception:
        return ""
def origin(name):
    try:
        spec = importlib.util.find_spec(name)
        return spec and (spec.origin or list(spec.submodule_search_locations)[0])
    except Exception:
        return None
def coverage_config():
    try:
        import coverage
        measured = coverage.Coverage()
    except Exception as error:
        return {"error": "%s: %s" % (type(error).__name__, error)}
    config = {}
    for name in ("source", "source_pkgs", "source_dirs", "include"):
        try:
            config[name] = bool(measured.get_option("run:" + name))
        except Exception:
            config[name] = False
    return config
modules, package = json.loads(sys.argv[1]), sys.argv[2]
print(json.dumps({
    "versions": {name: version(name) for name in modules},
    "origin": origin(package) if package else None,
    "coverage": coverage_config() if version("coverage") is not None else {},
}))
"""
"""Run by the project's own interpreter, which may be old: it uses nothing that Python 3.6 lacks."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """What the project's Python has: versions of modules (None: not there), and where it finds the package."""

    result: CommandResult
    versions: Mapping[str, str | None]
    origin: str | None = None
    coverage: Mapping[str, Any] | None = None


async def probe(
    python: str,
    worktree: Path,
    modules: Sequence[str],
    package: str,
    env: Mapping[str, str],
    ground: Ground = OPEN,
) -> Interpreter:
    """Ask an interpreter what it has; `versions` is empty when it could not be asked."""
    argv = [python, "-c", PROBE, json.dumps(list(modules)), package]
    result = await ground.run(argv, cwd=worktree, limits=Limits(seconds=60), env=env)
    lines = result.stdout.strip().splitlines()
    if not result.ok or not lines:
        return Interpreter(result, {})
    try:
        answer = json.loads(lines[-1])
        versions, origin = {name: answer["versions"][name] for name in modules}, answer["origin"]
        if not all(isinstance(value, str | None) for value in (*versions.values(), origin)):
            return Interpreter(result, {})
        return Interpreter(result, versions, origin, dict(answer["coverage"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return Interpreter(result, {})
