"""What a release consists of: a Python package as sdist and wheel, anything else as an archive of its source.

Everything is made from a clean export of one commit, never from a worktree in which tools have left their traces.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import re
import shutil
import sys
import tarfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from core.contract import ApmError, Json
from core.projects.commands import CommandResult, Limits, run
from core.projects.git import git
from core.sanitise import one_line, sanitise

LIMITS = Limits(seconds=1_200.0)
DEFAULT_REQUIRES = ("setuptools>=40.8.0",)
"""What PEP 517 builds with where a project names no backend."""
TAIL = 1_500
"""Characters of a failed build's output that go into the error."""

VERSION_VARIABLES = (
    "SETUPTOOLS_SCM_PRETEND_VERSION",
    "PBR_VERSION",
    "PDM_BUILD_SCM_VERSION",
    "POETRY_DYNAMIC_VERSIONING_BYPASS",
)
"""Variables that tell a backend the version where it would ask git: an export has no history."""

_NO_INDEX = re.compile(
    r"No matching distribution|Could not find a version|Failed to establish a new connection"
    r"|Temporary failure in name resolution|Connection refused|Network is unreachable|Read timed out|ProxyError"
)


class BuildError(ApmError):
    """The package could not be built; the message says why, `evidence` what was run."""

    def __init__(self, message: str, evidence: list[Json]) -> None:
        super().__init__(message)
        self.evidence = evidence


@dataclass(frozen=True, slots=True)
class Built:
    """The files of a release, and the commands that made them."""

    files: tuple[Path, ...]
    tool: str
    tool_version: str
    evidence: list[Json] = field(default_factory=list)


async def export(repo: Path, commit: str, folder: Path) -> Path:
    """The files of a commit in `folder`, which is emptied first."""
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    folder.mkdir(parents=True)
    archive = folder.with_name(folder.name + ".tar")
    await git(repo, "archive", "--format=tar", f"--output={archive}", commit)
    await asyncio.to_thread(_extract, archive, folder)
    archive.unlink()
    return folder


def _extract(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="tar")


def is_python_package(source: Path) -> bool:
    """Whether a source tree says how it is built; a pyproject.toml that only configures tools does not."""
    return (source / "setup.py").is_file() or "build-system" in _pyproject(source)


async def build_package(source: Path, version: str, dist: Path, *, environment: Mapping[str, str]) -> Built:
    """sdist and wheel of a Python source tree, in `dist`; raises BuildError.

    Where apm's own interpreter has what the build needs, no index is asked. When that fails (an older backend than
    the project expects), the build is done again in an environment of its own, for which pip fetches the backend.
    """
    results: list[CommandResult] = []
    for isolation in _attempts(source):
        shutil.rmtree(dist, ignore_errors=True)
        argv = [sys.executable, "-m", "build", *isolation, "--outdir", str(dist), str(source)]
        # Not in the source tree: a folder named build there would be taken for the tool.
        results.append(await run(argv, cwd=source.parent, limits=LIMITS, env=environment))
        if results[-1].ok:
            break
    evidence = [result.evidence(tool="build", tool_version=_build_version()) for result in results]
    if not results[-1].ok:
        raise BuildError(_why(results), evidence)
    files = tuple(sorted(path for path in dist.iterdir() if path.is_file()))
    _check_versions(files, version, evidence)
    return Built(files, "build", _build_version(), evidence)


async def archive_source(repo: Path, commit: str, name: str, version: str, dist: Path) -> Built:
    """The source of a commit as one compressed archive."""
    dist.mkdir(parents=True, exist_ok=True)
    stem = f"{re.sub(r'[^A-Za-z0-9._-]+', '-', name).strip('-.') or 'source'}-{version}"
    file = dist / f"{stem}.tar.gz"
    await git(repo, "archive", "--format=tar.gz", f"--prefix={stem}/", f"--output={file}", commit)
    return Built((file,), "git archive", (await git(repo, "--version")).strip().removeprefix("git version "))


def _attempts(source: Path) -> list[list[str]]:
    return [["--no-isolation"], []] if _needs_are_here(source) else [[]]


def _needs_are_here(source: Path) -> bool:
    """Whether this interpreter satisfies `build-system.requires`."""
    requires = _pyproject(source).get("build-system", {}).get("requires", DEFAULT_REQUIRES)
    return all(_is_here(str(text)) for text in requires)


def _is_here(text: str) -> bool:
    try:
        requirement = Requirement(text)
        if requirement.marker and not requirement.marker.evaluate():
            return True
        return requirement.specifier.contains(importlib.metadata.version(requirement.name), prereleases=True)
    except (InvalidRequirement, importlib.metadata.PackageNotFoundError):
        return False


def _pyproject(source: Path) -> dict[str, Any]:
    try:
        return tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _check_versions(files: tuple[Path, ...], version: str, evidence: list[Json]) -> None:
    """A wheel that carries another version than the release would be installed as that other one."""
    for file in files:
        if file.suffix != ".whl":
            continue
        try:
            built, wanted = parse_wheel_filename(file.name)[1], Version(version)
        except (InvalidWheelFilename, InvalidVersion) as error:
            raise BuildError(
                f"The build made {one_line(file.name)}, which is no wheel pip takes: {error}.", evidence
            ) from None
        if built != wanted:
            raise BuildError(
                f"The build made version {built}, but this release is {version}; make the build take its version "
                "from the file that the project's version stands in.",
                evidence,
            )


def _why(results: list[CommandResult]) -> str:
    """The reason of the last build, or of the one before it where the last only lacked an index."""
    last, first = results[-1], results[0]
    if last.timed_out:
        return f"The build was stopped at its time limit of {LIMITS.seconds:g} s."
    if _NO_INDEX.search(last.output) and last is first:
        return (
            "The build needs packages that apm's environment lacks, and the package index did not give them; "
            "install the project's build requirements beside apm, or give it access to an index. "
            f"The output ends: {sanitise(last.output[-TAIL:])}"
        )
    told = first if _NO_INDEX.search(last.output) else last
    return f"The build failed with exit code {told.exit_code}. The output ends: {sanitise(told.output[-TAIL:])}"


def _build_version() -> str:
    return importlib.metadata.version("build")
