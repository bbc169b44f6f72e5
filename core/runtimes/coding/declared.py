"""The commands that an agent may run: those that a project declares or that detection found, by name, as they stand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.agents.testing import configures_pytest
from core.contract import Json
from core.projects.settings import expand, interpreter, python_path
from core.runtimes.coding.confinement import Refused, Tree
from core.sanitise import one_line

MOST_ARGUMENTS = 20

_RUNNERS: Mapping[str, tuple[str, ...]] = {
    "go": ("go", "test", "./..."),
    "go test": ("go", "test", "./..."),
    "cargo": ("cargo", "test"),
    "cargo test": ("cargo", "test"),
    "npm": ("npm", "test", "--silent"),
    "jest": ("npx", "--no-install", "jest"),
    "vitest": ("npx", "--no-install", "vitest", "run"),
    "mocha": ("npx", "--no-install", "mocha"),
}
_TEST_ID = re.compile(r"[A-Za-z0-9_./\[\]-]+(::[\w.\[\], =/+-]+)*")
"""A path, or a test in it as pytest spells it. It is a word of its own on the command line, never read by a shell."""


@dataclass(frozen=True, slots=True)
class Declared:
    """One command that may be run. `takes` says what arguments it may be given: "tests", or nothing."""

    name: str
    argv: tuple[str, ...]
    takes: str = ""

    def given(self, arguments: Sequence[str], tree: Tree) -> list[str]:
        """The command line with these arguments. Raises Refused for what this command does not take."""
        if arguments and not self.takes:
            raise Refused(f"The command {self.name} takes no arguments; it runs as the project declares it.")
        if len(arguments) > MOST_ARGUMENTS:
            raise Refused(f"The command {self.name} takes at most {MOST_ARGUMENTS} arguments.")
        for word in arguments:
            path = word.partition("::")[0]
            if word.startswith("-") or not _TEST_ID.fullmatch(word):
                raise Refused(
                    f"{one_line(repr(word), 120)} is no test; {self.name} takes paths and ids of tests alone."
                )
            tree.path(path)
        return [*self.argv, *arguments]


@dataclass(frozen=True, slots=True)
class Commands:
    """What a project lets its agents run, and with which variables besides the usual ones."""

    by_name: Mapping[str, Declared]
    env: Mapping[str, str]
    seconds: float


def declared(project: Json, worktree: Path, seconds: float) -> Commands:
    """The test command and the analysers. Setup, deployment, health and monitoring are apm's own business.

    `seconds` is the most that one command may take; a project's own `time_limit` can only lower it.
    """
    settings, tech = dict(project.get("settings") or {}), dict(project.get("tech") or {})
    python = str(interpreter(project))
    lint = [list(argv) for argv in settings.get("lint") or ()]
    lint = lint or [list(row["argv"]) for row in tech.get("analysers") or ()]
    places: dict[str, str | Path] = {
        "python": python,
        "worktree": worktree,
        "environment": str(project.get("environment") or ""),
    }
    found = [_test(settings, tech, worktree), *(_named(argv) for argv in lint)]
    by_name: dict[str, Declared] = {}
    for command in found:
        name = _free(command.name, by_name)
        by_name[name] = Declared(name, tuple(expand(command.argv, **places)), command.takes)
    env = {
        "PYTHONPATH": python_path(worktree, tech),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HYPOTHESIS_STORAGE_DIRECTORY": "/tmp/hypothesis",
        "NO_COLOR": "1",
        "CI": "1",
    }
    limit = min(seconds, float(settings.get("time_limit", seconds)))
    return Commands(by_name, env, limit)


def _test(settings: Json, tech: Json, worktree: Path) -> Declared:
    own = settings.get("test")
    if own:
        # What a test command writes for apm's own reading is not wanted here; the folder must only be a legal one.
        words = tuple(word.replace("{scratch}", "/tmp") for word in own)
        return Declared("test", words, "tests" if _is_pytest(words) else "")
    runner = _RUNNERS.get(str(tech.get("test_runner")))
    if runner:
        return Declared("test", runner)
    words = ("{python}", "-m", "pytest", "--color=no", "-p", "no:cacheprovider")
    if not configures_pytest(worktree):
        # Without an own configuration pytest would take one from a folder above, such as the workspace's.
        words += ("-c", "/dev/null", "--rootdir={worktree}")
    return Declared("test", words, "tests")


def _is_pytest(argv: Sequence[str]) -> bool:
    """Whether words added to a command are tests to pytest: it stands alone, not in a script that does more."""
    return Path(argv[0]).name == "pytest" or (len(argv) > 2 and tuple(argv[1:3]) == ("-m", "pytest"))


def _named(argv: Sequence[str]) -> Declared:
    words = argv[2:] if len(argv) > 2 and argv[1] == "-m" else argv
    wrappers = ("npx", "npm", "--no-install", "run", "exec", "uv", "poetry", "--")
    name = next((Path(word).name for word in words if word not in wrappers), argv[0])
    return Declared(one_line(name, 40), tuple(argv))


def _free(name: str, taken: Mapping[str, Declared]) -> str:
    number = 2
    candidate = name
    while candidate in taken:
        candidate, number = f"{name}-{number}", number + 1
    return candidate
