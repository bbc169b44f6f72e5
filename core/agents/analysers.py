"""Static analysis: what the project configures, run as the project runs it; else ruff's rules for errors.

`issues` counts what the branch adds, and is None where a tool is missing and the others found nothing; what was there
at `base_commit` already is `existing`, listed by its number only. Without that, no work item on a project with a past
could ever pass. Where the project configures nothing, ruff looks at the files that the branch changed and at no others,
for what is an error in anybody's style; where those are of another language, an analyser is asked for: nothing that no
tool has read is called clean.

What a tool printed is read in `core.agents.analyser_output`.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import importlib.util
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from core.agents.analyser_output import OUTPUT_BYTES, read
from core.agents.bounded import Unreadable, read_text
from core.agents.branch import shown
from core.agents.confined import Ground, ground_of, has_a_models_work
from core.agents.findings import LISTED, Finding, added, evidence_of
from core.agents.measured_coverage import probe
from core.agents.portions import in_portions
from core.agents.trees import Installed, ground_at, installed, lend, plain_files, remove, tree_at
from core.contract import Json
from core.installing import pip_install
from core.projects import git
from core.projects.commands import CommandResult, Limits
from core.projects.settings import expand, interpreter
from core.projects.toolchain import analyser_worth_naming
from core.sanitise import one_line

TOOL_SECONDS = 600.0

PYTHON_TOOLS = (
    "ruff",
    "flake8",
    "mypy",
    "black",
    "isort",
    "pylint",
    "pycodestyle",
    "pydocstyle",
    "pyflakes",
    "pyright",
)
"""Analysers that are Python modules: run with the project's interpreter when it has them."""

ERRORS = "E9,F63,F7,F82"
"""Ruff's rules for outright errors: what is no Python, comparisons that never hold, statements out of place, undefined
names. All others are a style, which is the project's to choose."""

OURS: Mapping[str, tuple[str, ...]] = {"ruff": (), "mypy": ("--python-executable", "{python}")}
"""Analysers that apm's own interpreter may run on any project, with the options that this takes."""

_RUNNERS = frozenset(
    ("npx", "npm", "pnpm", "yarn", "uv", "poetry", "exec", "run", "--", "--no", "--no-install", "--silent")
)
_ENV: Mapping[str, str] = {
    "RUFF_OUTPUT_FORMAT": "json",
    "RUFF_NO_CACHE": "true",
    "MYPY_CACHE_DIR": "{cache}/mypy",
    "BLACK_CACHE_DIR": "{cache}/black",
    "PYLINTHOME": "{cache}/pylint",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONSAFEPATH": "1",
    "NO_COLOR": "1",
}
"""Caches stay out of the worktree, and a `ruff.py` in the repository is not taken for ruff (PYTHONSAFEPATH)."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One analyser as it will run. `paths`: only these, when they exist; None: what its own arguments say."""

    name: str
    argv: tuple[str, ...]
    version: str = ""
    paths: tuple[str, ...] | None = None
    missing: str = ""
    install: str = ""
    note: str = ""
    """What a reader of its result has to know."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one tool found in one tree. No `results`: it has no file there."""

    tool: Tool
    results: tuple[CommandResult, ...]
    findings: tuple[Finding, ...]

    @property
    def exit_code(self) -> int | None:
        """Of all the portions that it was given, the first that is not 0."""
        return next((result.exit_code for result in self.results if not result.ok), 0 if self.results else None)


@dataclass(frozen=True, slots=True)
class Analysis:
    """The whole static analysis: `payload` is the agent's output, `missing` names tools that are not there."""

    payload: Json
    missing: tuple[str, ...] = ()
    suggestion: str = ""
    evidence: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class _Branch:
    """A branch under analysis. `folder` is the run's own, `programs` what its trees are lent."""

    project: Json
    worktree: Path
    folder: Path
    base: str
    ground: Ground
    programs: Installed


async def analyse(project: Json, worktree: Path, scratch: Path, base: str) -> Analysis:
    """Run the project's analysers on the branch's last commit and tell apart what the branch adds since `base`."""
    folder = Path(tempfile.mkdtemp(prefix="static-", dir=scratch))
    ground = await ground_of(project, worktree, folder, scratch)
    programs = installed(project, worktree, by_a_model=await has_a_models_work(worktree, base))
    branch = _Branch(project, worktree, folder, base, ground, programs)
    tools = await _tools(branch)
    present = [tool for tool in tools if not tool.missing]
    now = await _reports(branch, present, await git.head(worktree))
    before: dict[str, tuple[Finding, ...]] = {}
    suspects = [report.tool for report in now if report.findings]
    if suspects:
        before = {report.tool.name: report.findings for report in await _reports(branch, suspects, base)}
    split = await asyncio.to_thread(_split, now, before, worktree)
    lacking = [tool for tool in tools if tool.missing]
    return Analysis(
        payload=_payload(split, lacking),
        missing=tuple(tool.missing for tool in lacking),
        suggestion=" ".join(tool.install for tool in lacking),
        evidence=tuple(
            evidence_of(result, report.tool.name, report.tool.version) for report in now for result in report.results
        ),
    )


def _split(
    now: Sequence[Report], before: Mapping[str, Sequence[Finding]], worktree: Path
) -> list[tuple[Report, list[Finding], list[Finding]]]:
    """Each report with what is new in it and what was there. On a thread: of 100,000 findings it takes a second."""
    return [(report, *added(report.findings, before.get(report.tool.name, ()), worktree)) for report in now]


def _payload(split: Sequence[tuple[Report, list[Finding], list[Finding]]], lacking: Sequence[Tool]) -> Json:
    rows = [
        {
            "name": report.tool.name,
            "version": report.tool.version,
            "exit_code": report.exit_code,
            "issues": len(new),
            "existing": len(existing),
            "status": "measured" if report.results else "not applicable",
            "note": report.tool.note if report.results else "no file that it reads is among the changed ones",
        }
        for report, new, existing in split
    ]
    nothing = {"version": "", "exit_code": None, "issues": 0, "existing": 0, "status": "not measured"}
    rows += [{**nothing, "name": tool.name, "note": tool.missing} for tool in lacking]
    found = [found for _, new, _ in split for found in new]
    # A gate would read 0 as clean, also where a tool that has to say so did not run.
    issues = None if lacking and not found else len(found)
    return {
        "static": {"tools": rows, "issues": issues, "existing": sum(len(existing) for _, _, existing in split)},
        "findings": [item.to_json() for item in found[:LISTED]],
    }


async def _tools(branch: _Branch) -> list[Tool]:
    settings, tech = branch.project.get("settings") or {}, branch.project.get("tech") or {}
    commands = [(_name(argv), list(argv)) for argv in settings.get("lint") or ()]
    commands = commands or [(row["name"], list(row["argv"])) for row in tech.get("analysers") or ()]
    if not commands:
        return [await _default(branch)]
    python = str(interpreter(branch.project))
    wanted = sorted({_module(argv) for _, argv in commands} & set(PYTHON_TOOLS))
    # Asked in a folder of ours: an old Python would take modules from where it stands.
    has = (await probe(python, branch.folder, wanted, "", {"PYTHONSAFEPATH": "1"})).versions if wanted else {}
    tools = [
        _refused(branch, name, argv[0]) if branch.programs.refuses(argv[0]) else _resolved(name, argv, python, has)
        for name, argv in commands
    ]
    return [replace(tool, name=_distinct(tools, index)) for index, tool in enumerate(tools)]


def _refused(branch: _Branch, name: str, program: str) -> Tool:
    folders = " and ".join(branch.programs.refused)
    return Tool(
        name,
        (),
        missing=f"static analysis by {name}: {one_line(program)} would be taken from {folders} of the worktree, where "
        "the commands of a model's branch can replace it",
        install=f"Install {name} in {branch.project['path']} as well (with npm: `npm ci`), where they cannot write.",
    )


def _distinct(tools: Sequence[Tool], index: int) -> str:
    """`ruff check` and `ruff format --check` are one module and two tools: the second gets a number."""
    name = tools[index].name
    earlier = sum(tool.name == name for tool in tools[:index])
    return f"{name} ({earlier + 1})" if earlier else name


def _runs_module(argv: Sequence[str]) -> bool:
    """`python -m ruff …`, in any spelling of the interpreter; `mypy -m package` is not meant."""
    return len(argv) > 2 and argv[1] == "-m" and (argv[0] == "{python}" or Path(argv[0]).name.startswith("python"))


def _module(argv: Sequence[str]) -> str:
    """The Python module that a command runs, or the program's name."""
    return argv[2] if _runs_module(argv) else Path(argv[0]).name


def _name(argv: Sequence[str]) -> str:
    """What a command is called: `npx --no-install eslint .` is eslint."""
    words = argv[2:] if _runs_module(argv) else argv
    return next((Path(word).name for word in words if word not in _RUNNERS), argv[0])


def _resolved(name: str, argv: list[str], python: str, has: Mapping[str, str | None]) -> Tool:
    """The command with the interpreter that has the tool: the project's first, then apm's own."""
    module = _module(argv)
    if module not in PYTHON_TOOLS:
        return _program(name, argv)
    rest = argv[3:] if _runs_module(argv) else argv[1:]
    if has.get(module) is not None:
        return Tool(name, (python, "-m", module, *rest), has[module] or "")
    if module in OURS and importlib.util.find_spec(module):
        extra = expand(OURS[module], python=python)
        version = importlib.metadata.version(module)
        return Tool(name, (sys.executable, "-P", "-m", module, *rest, *extra), version)
    if not _runs_module(argv) and shutil.which(argv[0]):
        return Tool(name, tuple(argv))
    missing = f"static analysis by {name}: the project configures it, and {python} does not have it"
    return Tool(name, (), missing=missing, install=f"Install it: {pip_install(python, module)}")


def _program(name: str, argv: list[str]) -> Tool:
    if shutil.which(argv[0]) or "/" in argv[0] or "{" in argv[0]:
        return Tool(name, tuple(argv))
    missing = f"static analysis by {name}: the project configures it, and the program {argv[0]} is not installed"
    return Tool(name, (), missing=missing, install=f"Install {argv[0]}, or name the command in the setting `lint`.")


async def _default(branch: _Branch) -> Tool:
    """Ruff's rules for errors on what the branch changed; for other languages an analyser is asked for."""
    changed = await git.changed_files(branch.worktree, branch.base)
    files = tuple(path for _, path in changed if path.endswith((".py", ".pyi")))
    there = [path for status, path in changed if status != "D"]
    unread, command = ("", "") if set(files) & set(there) else analyser_worth_naming(there)
    name = str(branch.project.get("name") or "NAME")
    if unread:
        return _asked_for(name, unread, command)
    try:
        target = await asyncio.to_thread(_target, branch.worktree)
    except Unreadable as error:
        return Tool("ruff", (), missing=f"static analysis by ruff: {error}", install="Mend pyproject.toml.")
    argv = (sys.executable, "-P", "-m", "ruff", "check", "--isolated", "--select", ERRORS, *target, "--")
    configures = f"the project configures no analyser (`apm project set {shlex.quote(name)} --lint …`)"
    note = f"by ruff's rules for errors; {configures}"
    return Tool("ruff", argv, importlib.metadata.version("ruff"), paths=files, note=note)


def _asked_for(project: str, unread: str, command: str) -> Tool:
    """The analyser that nobody has named yet for a file that the branch changed."""
    missing = f"static analysis of {shown(unread)}: the project configures no analyser that reads it"
    install = (
        f"Name one: apm project set {shlex.quote(project)} --lint '{command}'; or exempt the work item from "
        "R1.static_analysis by a rule under gates.not_applicable in agents.yaml."
    )
    return Tool(_name(command.split()), (), missing=missing, install=install)


def _target(worktree: Path) -> tuple[str, ...]:
    """The oldest Python that the project says it supports: `--isolated` keeps ruff from asking the project."""
    text = read_text(worktree / "pyproject.toml") or ""
    found = re.search(r"^requires-python\s*=\s*[\"'][^\"']*>=\s*3\.(\d{1,3})", text, re.M)
    return ("--target-version", f"py3{min(max(int(found[1]), 7), 14)}") if found else ()


async def _reports(branch: _Branch, tools: Sequence[Tool], commit: str) -> list[Report]:
    return await asyncio.gather(*(_report(branch, tool, commit) for tool in tools))


async def _report(branch: _Branch, tool: Tool, commit: str) -> Report:
    """One tool's findings at a commit, in a tree that is its alone and gone afterwards."""
    place = Path(tempfile.mkdtemp(prefix="tree-", dir=branch.folder))
    cache = Path(tempfile.mkdtemp(prefix="cache-", dir=branch.folder))
    try:
        root = await tree_at(branch.worktree, commit, place)
        lent = await lend(root, branch.programs)
        words = expand(tool.argv, python=str(interpreter(branch.project)), worktree=root)
        env = {name: value.replace("{cache}", str(cache)) for name, value in _ENV.items()}
        # An environment that setup made may have installed the project as a link to the worktree.
        ground = ground_at(branch.ground, root, cache, (*lent, branch.worktree))

        async def run(names: Sequence[str]) -> CommandResult:
            return await ground.run([*words, *names], cwd=root, limits=Limits(TOOL_SECONDS, OUTPUT_BYTES), env=env)

        if tool.paths is None:
            results = [await run(())]
        else:
            plain = await asyncio.to_thread(plain_files, root, tool.paths)
            results = await in_portions(run, [path for path in tool.paths if path in plain])
        found = [await asyncio.to_thread(read, tool.name, result, root) for result in results]
        return Report(tool, tuple(results), tuple(chain.from_iterable(found)))
    finally:
        await remove(place)
        await remove(cache)
