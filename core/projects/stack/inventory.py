"""The project's own files, sorted by name and ending, and the packages that they belong to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from core.projects.tree import Tree, inherited

ASIDE = re.compile(
    r"examples?([-_]\w+)?|\w*[-_]examples?|samples?|demos?|tutorials?|fixtures?|__fixtures__|testdata|test[-_.]?data"
    r"|testing[-_]data|templates?|template[-_][\w-]+|project[-_]templates?|cookiecutter.*|.*\{[{%].*|skeletons?|starter([-_]\w+)?|scaffolds?|boilerplates?"
    r"|_?tests?_?|testing|testsuite|unit_?tests?|it|integration[-_]?tests?|e2e|spec|specs|__tests__|__mocks__|mocks?"
    r"|snapshots|__snapshots__|(functional|androidTest|iosTest|jvmTest|commonTest)\w*"
    r"|.*[._-](Unit|Integration|Functional)?Tests?|.*[a-z](Unit|Integration|Functional)?Tests?"
    r"|bench(es|marks?)?|perf|playgrounds?|docs?([-_]\w+)?|documentation|generated|dist"
    r"|deps|external|externals|extern|subprojects|contrib[-_]deps"
)
"""Names of folders beside the product: examples, fixtures, templates to copy, tests, benchmarks, documents, and
copies of other people's code under names that are not sure enough to be `tree.VENDORED`.

What stands in them is not what the project is: an example's package.json or a test's compose file decides nothing,
and their files count for no language, as long as there are others. Templates of pages are asked for by name.
"""
WORKSHOP = re.compile(r"(tools?|utils?|scripts?|hack|ci|dev[-_]?tools?|\.(?!docker/|deploy/|do/)[^/]+)/", re.IGNORECASE)
"""Folders at the top that hold tools for the project's own developers, hidden ones among them: their manifests are not
the product's.

Deeper down these names are packages like any others.
"""


@dataclass(frozen=True)
class Inventory:
    """`by_name` has lower-case file names and `by_ending` lower-case endings; both leave out what is aside.

    A name that begins with a dot has no ending. Paths are in the tree's order: the outermost first.
    """

    tree: Tree
    by_name: dict[str, list[str]]
    by_ending: dict[str, list[str]]

    @classmethod
    def of(cls, tree: Tree) -> Inventory:
        aside: dict[str, bool] = {"": False}
        own = [path for path in tree.paths if not inherited(path.rpartition("/")[0], aside, _is_aside)]
        return cls(tree, *_sorted(own))

    def with_aside(self) -> Inventory:
        """The same with the files of examples and tests: for a repository that holds nothing else."""
        return Inventory(self.tree, *_sorted(self.tree.paths))

    def narrowed(self, *patterns: str) -> Inventory:
        """Only the names that match one of the patterns: to go over all of them once, not once per pattern."""
        wanted = dict.fromkeys(path for path in self.matching("|".join(patterns)))
        return Inventory(self.tree, *_sorted(wanted))

    def named(self, *names: str) -> list[str]:
        return [path for name in names for path in self.by_name.get(name.lower(), ())]

    def matching(self, pattern: str) -> list[str]:
        """The paths whose lower-case file name matches the pattern as a whole; it must not match the end of a line.

        All names are searched as one text: a hundred thousand calls per pattern would take a second of the scan.
        """
        found = [match[0] for match in re.finditer(f"^(?:{pattern})$", self._lines, re.MULTILINE)]
        found += [name for name in self._names_of_several_lines if re.fullmatch(pattern, name)]
        return [path for name in found for path in self.by_name[name]]

    @cached_property
    def _lines(self) -> str:
        return "\n".join(name for name in self.by_name if "\n" not in name)

    @cached_property
    def _names_of_several_lines(self) -> list[str]:
        return [name for name in self.by_name if "\n" in name]

    def ending(self, *endings: str) -> list[str]:
        return [path for ending in endings for path in self.by_ending.get(ending, ())]


def _sorted(paths: Iterable[str]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    by_name: dict[str, list[str]] = {}
    by_ending: dict[str, list[str]] = {}
    for path in paths:
        name = path[path.rfind("/") + 1 :].lower()
        by_name.setdefault(name, []).append(path)
        dot = name.rfind(".")
        if dot > 0:
            by_ending.setdefault(name[dot + 1 :], []).append(path)
    return by_name, by_ending


def _is_aside(folder: str) -> bool:
    return ASIDE.fullmatch(folder.rpartition("/")[2]) is not None


class Packages:
    """The folders that have a manifest, and which of them a path belongs to: the nearest around it."""

    def __init__(self, folders: Iterable[str]) -> None:
        self._folders = frozenset(folders)
        self._known: dict[str, str] = {"": ""}

    def of(self, path: str) -> str:
        folder = start = path.rpartition("/")[0]
        while folder not in self._known and folder not in self._folders:
            folder = folder.rpartition("/")[0]
        answer = self._known.get(folder, folder)
        self._known[start] = answer
        return answer

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({"", *self._folders}))
