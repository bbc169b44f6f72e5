"""What apm needs, what of it is there, and what to do about the rest: the machine, the workspace, its projects.

Every check gives findings and raises nothing: a doctor that falls ill himself helps nobody.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.contract import ApmError, Json
from core.orchestration.model_runtimes import missing
from core.projects import git
from core.projects.commands import Limits, run
from core.projects.sandbox import BUBBLEWRAP, Sandbox
from core.projects.settings import interpreter
from core.sanitise import one_line
from core.store import reads, rows
from core.store.audit import verify
from core.store.soundness import damage
from core.store.store import Store

Level = Literal["ok", "advice", "problem"]

LEAST_PYTHON = (3, 11)
LEAST_GIT = (2, 31)
"""`git rev-parse --path-format=absolute` came with 2.31."""
LEAST_FREE_MB = 100
GOOD_FREE_MB = 1_000
PROBE = Limits(seconds=30.0, output_bytes=64_000)

TOOLS: Mapping[str, str] = {
    "pytest": "runs a project's tests where it names no command of its own",
    "coverage": "measures what tests reach",
    "pytest-cov": "measures what tests reach, for projects that ask pytest for it",
    "ruff": "analyses projects that configure no analyser",
    "bandit": "looks for insecure code",
    "detect-secrets": "looks for secrets",
    "radon": "measures complexity",
    "build": "builds the package of a release",
}
"""Tools that come with apm, and what each is for."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `remedy` says what to do, empty when nothing has to be done."""

    area: str
    name: str
    level: Level
    found: str
    remedy: str = ""

    def to_json(self) -> Json:
        return {
            "area": self.area,
            "name": self.name,
            "status": self.level,
            "found": self.found,
            "remedy": self.remedy,
        }


async def examine(folder: Path | None) -> list[Finding]:
    """The findings about this machine and, where there is one, the workspace in `folder`."""
    found = [*_python(), *await _git(), *_tools(), *await _optional()]
    if folder is None:
        advice = "`apm init` makes one in the current folder."
        return [*found, Finding("workspace", "folder", "advice", "none here", advice)]
    return [*found, *await _workspace(folder)]


def _python() -> Iterator[Finding]:
    version = ".".join(str(part) for part in sys.version_info[:3])
    wanted = ".".join(str(part) for part in LEAST_PYTHON)
    if sys.version_info[:2] >= LEAST_PYTHON:
        yield Finding("machine", "python", "ok", version)
    else:
        yield Finding("machine", "python", "problem", version, f"Install Python {wanted} or newer.")


async def _git() -> list[Finding]:
    wanted = ".".join(str(part) for part in LEAST_GIT)
    result = await run(["git", "--version"], cwd=Path.cwd(), limits=PROBE)
    if not result.ok:
        return [Finding("machine", "git", "problem", "not found", f"Install git {wanted} or newer.")]
    text = one_line(result.stdout).removeprefix("git version ")
    numbers = tuple(int(part) for part in text.split(" ")[0].split(".")[:2] if part.isdecimal())
    if numbers < LEAST_GIT:
        return [Finding("machine", "git", "problem", text, f"Update git to {wanted} or newer.")]
    return [Finding("machine", "git", "ok", text)]


def _tools() -> Iterator[Finding]:
    from importlib.metadata import PackageNotFoundError, version

    for name, purpose in TOOLS.items():
        try:
            yield Finding("machine", name, "ok", version(name))
        except PackageNotFoundError:
            yield Finding("machine", name, "problem", "not found", f"It {purpose}; install apm again.")


async def _optional() -> list[Finding]:
    found = [
        Finding("machine", f"runtime {name}", "advice", why_not, "Only needed by agents that run on it.")
        if why_not
        else Finding("machine", f"runtime {name}", "ok", "configured")
        for name, why_not in missing(os.environ).items()
    ]
    return [*found, await _sandbox(), _tmux()]


def _tmux() -> Finding:
    where = shutil.which("tmux")
    if where:
        return Finding("machine", "tmux", "ok", where)
    return Finding("machine", "tmux", "advice", "not found", "Only needed to run apm's own terminal tests.")


async def _sandbox() -> Finding:
    """Tried for real: bubblewrap may be there and not be allowed."""
    where = shutil.which("bwrap")
    if where and await Sandbox().kind() == BUBBLEWRAP:
        return Finding("machine", "bubblewrap", "ok", where)
    told = f"{where} may not make a sandbox here" if where else "not found"
    remedy = (
        "Without it, what a model wrote runs as you: your home, the workspace with state/journal.key and the inbox, "
        "and the network are open to it. Install bubblewrap and allow it user namespaces, or let no model write code."
    )
    return Finding("machine", "bubblewrap", "advice", told, remedy)


async def _workspace(folder: Path) -> list[Finding]:
    from core.places import FILE

    if (folder / FILE).exists() and not (folder / FILE).is_file():
        remedy = f"Move it away, then run `apm init {folder}`."
        return [Finding("workspace", "folder", "problem", f"{folder / FILE} is no file", remedy)]
    if not (folder / FILE).is_file():
        return [Finding("workspace", "folder", "problem", f"{folder} has no {FILE}", f"Run `apm init {folder}`.")]
    found = [Finding("workspace", "folder", "ok", str(folder)), _team(folder / FILE), *_disk(folder / "state")]
    try:
        store = Store.open(folder / "state")
    except ApmError as error:
        return [*found, Finding("workspace", "database", "problem", str(error), "Do what the message says.")]
    found += [*await _notifications(folder / "state"), *_prices(folder)]
    with store:
        found += _checked("database", lambda: _database(store))
        found += _checked("journal", lambda: _journal(store))
        found += _checked("engine", lambda: _engine(store))
        for project in store.read_now(reads.projects):
            found += await _project(project)
    return found


def _checked(name: str, check: Callable[[], Finding]) -> list[Finding]:
    try:
        return [check()]
    except ApmError as error:
        return [Finding("workspace", name, "problem", str(error), "Do what the message says.")]


def _team(path: Path) -> Finding:
    from core.registry.catalog import load
    from core.registry.sources import OVERLAYS

    try:
        catalog = load(path)
    except ApmError as error:
        return Finding("workspace", path.name, "problem", str(error), "Mend the lines that are named.")
    unread = sorted(file.name for file in (path.parent / OVERLAYS).glob("*.yml"))
    if unread:
        remedy = f"Only *.yaml is read in {OVERLAYS}: rename {', '.join(map(one_line, unread))}."
        return Finding(
            "workspace", path.name, "advice", f"{len(catalog.agents)} agents; {len(unread)} files unread", remedy
        )
    return Finding("workspace", path.name, "ok", f"{len(catalog.agents)} agents")


async def _notifications(state: Path) -> list[Finding]:
    """The channels outside the house: by name and scheme, for the rest of a URL is a secret."""
    from core.governance.notices.channels import FILE_NAME, read_channels
    from core.governance.notices.outside import look_at

    try:
        channels = read_channels(state)
    except ApmError as error:
        return [Finding("workspace", "notifications", "problem", str(error), "Mend the lines that are named.")]
    if not channels.outside:
        return [Finding("workspace", "notifications", "ok", "console and file; no channel outside is set up")]
    found = []
    if channels.is_readable_by_others and any(channel.holds_secret for channel in channels.outside):
        told = f"others on this machine can read the passwords in {FILE_NAME}"
        found.append(Finding("workspace", FILE_NAME, "problem", told, f"Run `chmod 600 {state / FILE_NAME}`."))
    looked_at = await asyncio.gather(*(look_at(channel, os.environ) for channel in channels.outside))
    for channel, outcome in zip(channels.outside, looked_at, strict=True):
        scheme = channel.scheme(os.environ) or "no scheme"
        level: Level = "ok" if outcome.is_sent else "problem"
        told = f"{scheme}: {outcome.why or 'Apprise knows it'}"
        remedy = "" if outcome.is_sent else f"Mend its url in state/{FILE_NAME}, or set the variable that it names."
        found.append(Finding("notifications", channel.name, level, told, remedy))
    return found


def _prices(folder: Path) -> Iterator[Finding]:
    """What the workspace says that it pays, where it does. With a mistake in it only Claude Code still asks a model."""
    from core.runtimes.models.prices import OWN, read_own

    try:
        models = len(read_own(folder))
    except ApmError as error:
        yield Finding("workspace", OWN, "problem", str(error), "Mend the lines that are named.")
        return
    if models:
        yield Finding("workspace", OWN, "ok", f"models with a price of their own: {models}")


def _disk(state: Path) -> Iterator[Finding]:
    if not os.access(state, os.W_OK | os.X_OK):
        yield Finding("workspace", "permission", "problem", f"{state} cannot be written to", "Give yourself the right.")
    else:
        yield Finding("workspace", "permission", "ok", f"{state} can be written to")
    free = shutil.disk_usage(state if state.exists() else state.parent).free // 2**20
    level: Level = "ok" if free >= GOOD_FREE_MB else "advice" if free >= LEAST_FREE_MB else "problem"
    remedy = "" if level == "ok" else "Worktrees, builds and the journal need room: free some space."
    yield Finding("workspace", "disk", level, f"{free:,} MB free", remedy)


def _database(store: Store) -> Finding:
    damaged = damage(store.path)
    if damaged:
        return Finding("workspace", "database", "problem", damaged, "Stop apm first; then do what the message says.")
    return Finding("workspace", "database", "ok", f"{store.path}, every page of it sound")


def _journal(store: Store) -> Finding:
    result = store.read_now(lambda r: verify(r, store.key))
    if result.is_whole:
        return Finding("workspace", "journal", "ok", f"{result.events} events, each as it was written")
    remedy = "Somebody or something changed the database besides apm: compare it with a backup."
    return Finding("workspace", "journal", "problem", result.faults[0].what, remedy)


def _engine(store: Store) -> Finding:
    live = store.read_now(reads.read_live)
    if not live.is_driven:
        return Finding("workspace", "engine", "ok", "nobody drives this workspace")
    return Finding("workspace", "engine", "ok", f"process {live.pid} drives it, {len(live.work_items)} work items run")


async def _project(project: rows.ProjectRow) -> list[Finding]:
    """Its folder, its branch, its uncommitted changes, and whether its interpreter can run its tests."""
    area, path = f"project {project.name}", Path(project.path)
    try:
        if not path.is_dir() or not await git.is_repository(path):
            remedy = f"Put it back, or say where it is now: `apm project set {project.name} --path DIR`."
            return [Finding(area, "repository", "problem", f"{path} is no git repository any more", remedy)]
        found = [Finding(area, "repository", "ok", str(path))]
        if not await git.branch_exists(path, project.target):
            remedy = f"Name another: `apm project set {project.name} --target BRANCH`."
            found.append(Finding(area, "target", "problem", f"there is no branch {project.target}", remedy))
        changed = len(await git.status(path, untracked=False))
        if changed:
            remedy = "A release cannot move a checked-out branch over them: commit or stash them before O1."
            found.append(Finding(area, "changes", "advice", f"{changed} files with uncommitted changes", remedy))
        return [*found, await _interpreter(area, project)]
    except ApmError as error:
        return [Finding(area, "repository", "problem", str(error), "Do what the message says.")]


async def _interpreter(area: str, project: rows.ProjectRow) -> Finding:
    python = interpreter({"path": project.path, "settings": project.settings})
    runner = project.tech.get("test_runner")
    wanted = runner if runner and "test" not in project.settings else "sys"
    result = await run([str(python), "-c", f"import {wanted}"], cwd=Path(project.path), limits=PROBE)
    if result.ok:
        what = "" if wanted == "sys" else f", {wanted} can be imported"
        return Finding(area, "python", "ok", f"{python}{what}")
    remedy = (
        f"Install {wanted} there, or name another interpreter: `apm project set {project.name} --python PATH`."
        if wanted != "sys"
        else f"Name another: `apm project set {project.name} --python PATH`."
    )
    return Finding(area, "python", "problem", f"{python}: {one_line(result.stderr) or 'it does not run'}", remedy)
