"""A repository as detection sees it: the files that git lists, read with limits, and nothing executed."""

from __future__ import annotations

import ast
import configparser
import json
import re
import tomllib
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from core.contract import Json
from core.paths import real

MAX_FILE_BYTES = 2**20
"""A manifest is never larger; what is, is not read."""
MAX_PARSED = 2 * 2**20
"""Characters of Python that are parsed of one tree; a million take a second and a half."""
VENDORED = re.compile(
    r"node_modules|bower_components|jspm_packages|_?vendor(ed)?|third[-_]?party(-packages)?|3rd[-_]?party"
    r"|(site|dist)-packages|__pypackages__|\.?v(irtual)?env|\.(tox|nox|yarn|pnpm-store|bundle|terraform|gradle)"
    r"|Pods|Carthage|SourcePackages"
)
"""Names of folders that hold other people's code: it says nothing about the project."""
_ENVIRONMENT = "/pyvenv.cfg"
"""What every virtual environment holds, whatever its folder is called."""


@dataclass(frozen=True)
class Tree:
    """Paths relative to `root`, the shallow ones first, vendored ones left out.

    Reading never raises: what cannot be read, or is not what its name says, is empty.
    """

    root: Path
    paths: tuple[str, ...]
    _known: frozenset[str]
    _texts: dict[str, str] = field(default_factory=dict)
    _parsed: list[int] = field(default_factory=lambda: [0])

    @classmethod
    def of(cls, root: Path, tracked: Iterable[str]) -> Tree:
        given = list(tracked)
        environments = {path.removesuffix(_ENVIRONMENT) for path in given if path.endswith(_ENVIRONMENT)}
        known: dict[str, bool] = {"": False}

        def is_vendored(folder: str) -> bool:
            return VENDORED.fullmatch(folder.rpartition("/")[2]) is not None or folder in environments

        own = [path for path in given if not inherited(path.rpartition("/")[0], known, is_vendored)]
        own.sort(key=lambda path: (path.count("/"), path))
        return cls(root, tuple(own), frozenset(own))

    def only(self, folder: str, *names: str) -> Tree:
        """The folder with no more than these of its files: a package's manifests as if it stood alone."""
        prefix = f"{folder}/" if folder else ""
        own = {name: self.read(prefix + name) for name in names if self.has(prefix + name)}
        return Tree(self.root / folder, tuple(own), frozenset(own), own)

    def has(self, path: str) -> bool:
        return path in self._known

    def first(self, *paths: str) -> str | None:
        """The first of these that is there."""
        return next((path for path in paths if self.has(path)), None)

    def top(self, pattern: str) -> list[str]:
        """The files at the top whose whole name matches, in any case."""
        return [path for path in self.paths if "/" not in path and re.fullmatch(pattern, path, re.IGNORECASE)]

    def below(self, folder: str) -> Iterator[str]:
        prefix = f"{folder}/" if folder else ""
        return (path for path in self.paths if path.startswith(prefix))

    def has_folder(self, folder: str) -> bool:
        return folder in self._folders

    @cached_property
    def _folders(self) -> frozenset[str]:
        """Every folder that holds a file somewhere below it; the top is the folder ""."""
        found: set[str] = set()
        for path in self.paths:
            folder = path
            while folder and (folder := folder.rpartition("/")[0]) not in found:
                found.add(folder)
        return frozenset(found)

    def read(self, path: str) -> str:
        """A file's text; empty for one that is not tracked, too large, or behind a link that leads out."""
        if path not in self._texts:
            self._texts[path] = self._read(path) if self.has(path) else ""
        return self._texts[path]

    def toml(self, path: str) -> Json:
        try:
            return tomllib.loads(self.read(path))
        except (ValueError, RecursionError):
            return {}

    def json(self, path: str) -> Json:
        try:
            value = json.loads(self.read(path) or "{}")
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    def ini(self, path: str) -> dict[str, dict[str, str]]:
        """Sections with their options, lower-case; a file with doubled keys counts as far as it goes."""
        parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
        try:
            parser.read_string(self.read(path))
        except (configparser.Error, ValueError):
            return {}
        return {name: {key: value or "" for key, value in parser[name].items()} for name in parser.sections()}

    def python(self, path: str) -> ast.Module:
        """A module's syntax tree; an empty one for what is no Python, and once `MAX_PARSED` has been parsed."""
        text = self.read(path)
        self._parsed[0] += len(text)
        if self._parsed[0] > MAX_PARSED:
            return ast.Module(body=[], type_ignores=[])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return ast.parse(text)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                return ast.Module(body=[], type_ignores=[])

    def _read(self, path: str) -> str:
        file = self.root / path
        try:
            if not real(file).is_relative_to(real(self.root)) or file.stat().st_size > MAX_FILE_BYTES:
                return ""
            return file.read_text(encoding="utf-8-sig", errors="replace") if file.is_file() else ""
        except OSError:
            return ""


def inherited(folder: str, known: dict[str, bool], is_so: Callable[[str], bool]) -> bool:
    """Whether `is_so` holds for a folder or one around it.

    `known` keeps the answers, as many files share a folder, and begins as `{"": False}`. Paths can be as deep as the
    file system lets them, deeper than calls may nest.
    """
    unknown: list[str] = []
    while folder not in known:
        unknown.append(folder)
        folder = folder.rpartition("/")[0]
    answer = known[folder]
    for inner in reversed(unknown):
        answer = known[inner] = answer or is_so(inner)
    return answer


def dig(value: Any, *names: str) -> Any:
    """A value inside nested tables; None when it is not there."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def table(value: Any) -> Json:
    """A manifest's value where a table belongs: people write other things there."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """The same for a list; a text stands for a list of one."""
    return [value] if isinstance(value, str) else list(value) if isinstance(value, list | tuple) else []


def texts(value: Any) -> list[str]:
    return [item for item in items(value) if isinstance(item, str)]
