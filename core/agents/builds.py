"""What a release consists of: a Python package as sdist and wheel, anything else as an archive of its source.

Everything is made from a clean export of one commit, never from a worktree in which tools have left their traces.
A build runs the project's code. Where a model wrote some of it that happens in the sandbox, and of what comes out only
plain files with the names of a release are taken.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import re
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from stat import S_ISREG

from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from core.agents.build_requirements import are_here, make_environment, read_pyproject, refused
from core.agents.confined import OPEN, Ground, ground_around, is_a_models_work
from core.contract import ApmError, Json
from core.paths import real
from core.projects.commands import CommandResult, Limits
from core.projects.git import git
from core.sanitise import one_line, sanitise

LIMITS = Limits(seconds=1_200.0)
TAIL = 1_500
"""Characters of a failed build's output that go into the error."""
LARGEST = 2**30
"""Bytes of a file that is taken out of the sandbox."""

VERSION_VARIABLES = (
    "SETUPTOOLS_SCM_PRETEND_VERSION",
    "PBR_VERSION",
    "PDM_BUILD_SCM_VERSION",
    "POETRY_DYNAMIC_VERSIONING_BYPASS",
)
"""Variables that tell a backend the version where it would ask git: an export has no history."""

_RELEASED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]{0,199}?(\.whl|\.tar\.gz)")
_UNMET = re.compile(r"(?:Unmet|Missing) dependencies[^\n]*:\n((?:\t[^\n]*\n?)+)")
"""How `build` lists what a backend asks for besides `requires`: a name after one tab, what is wrong after two."""
_NO_INDEX = re.compile(
    r"No matching distribution|Could not find a version|Failed to establish a new connection"
    r"|Temporary failure in name resolution|Connection refused|Network is unreachable|Read timed out|ProxyError"
)


class BuildError(ApmError):
    """The package could not be built; the message says why, `evidence` what was run, `advice` what else may help."""

    def __init__(self, message: str, evidence: list[Json], advice: str = "") -> None:
        super().__init__(message)
        self.evidence = evidence
        self.advice = advice


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


async def build_commit(project: Json, tree: Path, commit: str, version: str, scratch: Path) -> Built:
    """The files of a release of a commit, in a new folder of `scratch`; raises BuildError.

    A new folder each time: what a build left in the old one could lead the next outside.
    """
    repo = Path(project["path"])
    scratch.mkdir(parents=True, exist_ok=True)
    folder = real(Path(tempfile.mkdtemp(prefix="build-", dir=scratch)))
    source, dist = await export(repo, commit, folder / "source"), folder / "dist"
    dist.mkdir()
    if not is_python_package(source):
        return await archive_source(repo, commit, str(project.get("name", "")), version, dist)
    # Left by an earlier sdist that became the repository; hatchling would take the old version from it.
    (source / "PKG-INFO").unlink(missing_ok=True)
    ground = OPEN
    if await is_a_models_work(project, tree):
        seen = (Path(sys.prefix), Path(sys.base_prefix))
        ground = await ground_around(project, source, visible=seen, writable=(dist,))
    environment = await _environment(project, commit, version)
    try:
        return await build_package(source, version, dist, environment=environment, ground=ground)
    except BuildError as error:
        raise BuildError(str(error), error.evidence, ground.advice(project)) from None


async def _environment(project: Json, commit: str, version: str) -> Mapping[str, str]:
    """The commit's time makes builds repeatable. A version that lives in tags is told, as an export has no tags."""
    seconds = (await git(Path(project["path"]), "show", "--no-patch", "--format=%ct", commit)).strip()
    environment = {"SOURCE_DATE_EPOCH": seconds, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
    version_file = (project.get("tech") or {}).get("version_file") or {}
    if version_file.get("kind") in (None, "vcs"):
        environment |= dict.fromkeys(VERSION_VARIABLES, version)
    return environment


def is_python_package(source: Path) -> bool:
    """Whether a source tree says how it is built; a pyproject.toml that only configures tools does not."""
    return (source / "setup.py").is_file() or "build-system" in read_pyproject(source)


async def build_package(
    source: Path, version: str, dist: Path, *, environment: Mapping[str, str], ground: Ground = OPEN
) -> Built:
    """sdist and wheel of a Python source tree, in `dist`; raises BuildError.

    Where apm's own interpreter has what the build needs, no index is asked. When that fails (an older backend than
    the project expects), the build is done again in an environment of its own, for which pip fetches the backend.
    """
    if ground.place is None:
        results = await _build(source, dist, environment, ground)
    else:
        results = await _build_confined(source, dist, environment, ground)
    evidence = _evidence(results)
    if not results[-1].ok:
        raise BuildError(_why(results), evidence)
    if ground.place is None:
        files = tuple(sorted(path for path in dist.iterdir() if path.is_file()))
    else:
        files = _plain_files(dist, evidence)
    _check_versions(files, version, evidence)
    return Built(files, "build", _build_version(), evidence)


async def _build(source: Path, dist: Path, environment: Mapping[str, str], ground: Ground) -> list[CommandResult]:
    """What was run to build as the project says, each attempt; the last is the one that counts."""
    results: list[CommandResult] = []
    for isolation in [["--no-isolation"], []] if are_here(source) else [[]]:
        shutil.rmtree(dist, ignore_errors=True)
        argv = [sys.executable, "-m", "build", *isolation, "--outdir", str(dist), str(source)]
        # Not in the source tree: a folder named build there would be taken for the tool.
        results.append(await ground.run(argv, cwd=source.parent, limits=LIMITS, env=environment))
        if results[-1].ok:
            break
    return results


async def _build_confined(
    source: Path, dist: Path, environment: Mapping[str, str], ground: Ground
) -> list[CommandResult]:
    """The same in the sandbox, whose place is the source tree. Only apm's own acts have a network."""
    argv = ["-P", "-m", "build", "--no-isolation", "--outdir", str(dist), str(source)]
    results: list[CommandResult] = []
    if are_here(source):
        results.append(await ground.run([sys.executable, *argv], cwd=source, limits=LIMITS, env=environment))
        if results[-1].ok:
            return results
    if refusal := refused(source):
        raise BuildError(refusal if not results else _why(results), _evidence(results))
    home = source.parent / "environment"
    results += await make_environment(source, home, limits=LIMITS, environment=environment)
    if results[-1].ok:
        # What the first attempt made is no file of the release. Where it cannot be removed, the release is refused.
        await asyncio.to_thread(shutil.rmtree, dist, ignore_errors=True)
        dist.mkdir(exist_ok=True)
        python = str(home / "bin" / "python")
        results.append(await ground.run([python, *argv], cwd=source, limits=LIMITS, env=environment))
    return results


def _evidence(results: list[CommandResult]) -> list[Json]:
    return [result.evidence(tool="build", tool_version=_build_version()) for result in results]


def _plain_files(dist: Path, evidence: list[Json]) -> tuple[Path, ...]:
    """The sdist and the wheel that a confined build left; a link there could stand for any file of this machine."""
    files = sorted(islice(dist.iterdir(), 3))
    kinds = sorted(match[1] for file in files if (match := _RELEASED.fullmatch(file.name)))
    if len(files) != 2 or kinds != [".tar.gz", ".whl"]:
        told = ", ".join(one_line(file.name, 100) for file in files) or "nothing"
        raise BuildError(f"The build left {told}; a release takes one sdist and one wheel, and nothing else.", evidence)
    for file in files:
        facts = file.lstat()
        if not S_ISREG(facts.st_mode) or facts.st_size > LARGEST:
            raise BuildError(
                f"The build left {file.name}, which is no plain file of at most {LARGEST} bytes; a release takes only "
                "such files.",
                evidence,
            )
    return tuple(files)


async def archive_source(repo: Path, commit: str, name: str, version: str, dist: Path) -> Built:
    """The source of a commit as one compressed archive."""
    dist.mkdir(parents=True, exist_ok=True)
    stem = f"{re.sub(r'[^A-Za-z0-9._-]+', '-', name).strip('-.') or 'source'}-{version}"
    file = dist / f"{stem}.tar.gz"
    await git(repo, "archive", "--format=tar.gz", f"--prefix={stem}/", f"--output={file}", commit)
    return Built((file,), "git archive", (await git(repo, "--version")).strip().removeprefix("git version "))


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
    failures = [result for result in results if not result.ok]
    last, first = failures[-1], failures[0]
    if last.timed_out:
        return f"The build was stopped at its time limit of {LIMITS.seconds:g} s."
    told = first if _NO_INDEX.search(last.output) else last
    if unmet := _UNMET.search(told.output):
        names = [line.strip() for line in unmet[1].splitlines() if re.match(r"\t[^\t]", line)]
        return (
            f"The build asks for {one_line(', '.join(names), 300)} besides what pyproject.toml names, and does not "
            "have it; add it to `requires` under [build-system], or install it beside apm."
        )
    if told is last and _NO_INDEX.search(last.output):
        return (
            "The build needs packages that apm's environment lacks, and the package index did not give them; "
            "install the project's build requirements beside apm, or give it access to an index. "
            f"The output ends: {sanitise(last.output[-TAIL:])}"
        )
    return f"The build failed with exit code {told.exit_code}. The output ends: {sanitise(told.output[-TAIL:])}"


def _build_version() -> str:
    return importlib.metadata.version("build")
