"""How a branch is measured, where the branch itself has changed that: settings of coverage, analysers and scanners.

A project's tools read their settings from its files, and so a branch can loosen what it is measured by. What a person
has changed is shown with the name; what a model has changed is a finding, until a person commits to that file as well.
"""

from __future__ import annotations

import configparser
import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

from core.agents.branch import shown
from core.agents.confined import last_to_touch
from core.agents.findings import Finding
from core.contract import Json, canonical_json
from core.projects import git
from core.sanitise import one_line

WHOLE: Final = (
    *(".coveragerc", ".bandit", ".flake8", "mypy.ini", ".mypy.ini", "ruff.toml", ".ruff.toml", "pyrightconfig.json"),
    *(".pylintrc", "pylintrc", ".eslintrc*", "eslint.config.*", ".eslintignore", ".nycrc*", "jest.config.*"),
    *("vitest.config.*", "tsconfig*.json", ".golangci.*", "clippy.toml", ".clippy.toml", ".secrets.baseline"),
)
"""Names of files that hold nothing else, in whichever folder."""
_TOML = ("coverage", "bandit", "ruff", "mypy", "pyright", "pylint", "flake8", "isort", "black")
_INI = ("coverage", "bandit", "flake8", "mypy", "pylint", "isort", "pycodestyle")
_PACKAGE = ("eslintConfig", "eslintIgnore", "jest", "nyc", "c8")


TOOL: Final = "settings"
_BY_MODEL = (
    "an agent changed how this branch is measured: take that back, or have a person commit to this file on the branch, "
    "who then stands for it"
)


@dataclass(frozen=True, slots=True)
class Change:
    """Settings that differ from the base's. `part` is the file's part, "" for all of it; `author` who was the last to
    commit to the file."""

    path: str
    part: str
    author: str
    by_model: bool

    @property
    def place(self) -> str:
        return f"{self.path} [{self.part}]" if self.part else self.path

    def to_json(self) -> Json:
        return {"place": shown(self.place), "author": one_line(self.author, 100), "by_model": self.by_model}


def findings(found: Sequence[Change]) -> list[Finding]:
    """What a model has changed, each as a finding."""
    return [
        Finding(TOOL, shown(change.path), 0, change.part or "changed", _BY_MODEL, "HIGH")
        for change in found
        if change.by_model
    ]


def evidence(found: Sequence[Change]) -> list[Json]:
    """One row that names what was changed and by whom; none where nothing was."""
    told = "; ".join(f"{change.place} by {change.author or 'nobody known'}" for change in found)
    return [{"tool": TOOL, "note": one_line(f"the branch changes how it is measured: {told}", 500)}] if found else []


async def changes(worktree: Path, base: str, changed: Sequence[str]) -> tuple[Change, ...]:
    """What the branch has changed of its measuring, among the paths that it changed since `base`."""
    found: list[Change] = []
    for path in changed:
        if not _holds_settings(path):
            continue
        before, now = [await git.file_at(worktree, ref, path) for ref in (base, "HEAD")]
        parts = changed_parts(path, before or "", now or "")
        if parts:
            author, by_model = await last_to_touch(worktree, base, path)
            found += [Change(path, part, author, by_model) for part in parts]
    return tuple(found)


def changed_parts(path: str, before: str, now: str) -> list[str]:
    """The parts of a file of settings whose values differ; comments and order are none."""
    read = _READERS.get(Path(path).name)
    if read is None:
        return [""] if before != now else []
    try:
        old, new = read(before), read(now)
    except (ValueError, configparser.Error, RecursionError):
        # What cannot be read cannot be told to be the same.
        return [""] if before != now else []
    return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))


def _holds_settings(path: str) -> bool:
    name = Path(path).name
    return name in _READERS or any(fnmatch(name, pattern) for pattern in WHOLE)


def _of_toml(text: str) -> Mapping[str, Any]:
    tools = tomllib.loads(text).get("tool", {})
    return {f"tool.{name}": tools[name] for name in _TOML if name in tools} if isinstance(tools, dict) else {}


def _of_ini(text: str) -> Mapping[str, Any]:
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(text)
    return {name: dict(parser.items(name)) for name in parser.sections() if name.removeprefix("tool:").startswith(_INI)}


def _of_package(text: str) -> Mapping[str, Any]:
    value = json.loads(text or "{}")
    return {name: canonical_json(value[name]) for name in _PACKAGE if name in value} if isinstance(value, dict) else {}


_READERS: Mapping[str, Callable[[str], Mapping[str, Any]]] = {
    "pyproject.toml": _of_toml,
    "setup.cfg": _of_ini,
    "tox.ini": _of_ini,
    "package.json": _of_package,
}
"""Files that hold other things as well: what of them is settings, by its name."""
