"""What one manifest says: its name, what it depends on, and what it declares the project to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.projects.stack.vocabulary import Category

Ecosystem = Literal[
    "pypi", "npm", "go", "cargo", "maven", "nuget", "gem", "composer", "swift", "pub", "hex", "scala", "c", "dbt"
]
Group = Literal["main", "build", "dev", "optional"]


@dataclass(frozen=True, slots=True)
class Dependency:
    """`name` as its ecosystem compares names, `wanted` the version or range as written.

    Only the groups `main` (what runs needs it) and `build` (what is shipped is made with it) say what a project is
    made of. `dev` (tests, documents, checks) does not: a library whose tests start Django is no Django project. Nor
    does `optional` (extras, features that are off): what a library works with on request it does not stand on.
    """

    name: str
    wanted: str = ""
    group: Group = "main"

    @property
    def counts(self) -> bool:
        return self.group in ("main", "build")


@dataclass(frozen=True, slots=True)
class Sign:
    """A word that a manifest or file stands for, and the rest of a sentence that begins with the file."""

    category: Category
    word: str
    says: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """`published`: others can depend on it, so it is a library unless it is an application, or a part of one.
    `offered`: it says that it is for others, so it is a library whatever else it is.

    `program`: it builds something that is run, whatever that is; `command` says so for what may be a command, if
    nothing shows that it serves or has windows. `languages` are those it declares; each still needs a file of its own
    to count.
    """

    path: str
    ecosystem: Ecosystem
    name: str = ""
    dependencies: tuple[Dependency, ...] = ()
    languages: tuple[str, ...] = ()
    signs: tuple[Sign, ...] = ()
    published: bool = False
    program: bool = False
    command: str = ""
    offered: bool = False

    @property
    def folder(self) -> str:
        """The package's folder; a folder of requirement files lies in it."""
        folder = self.path.rpartition("/")[0]
        return folder.rpartition("/")[0] if folder.rpartition("/")[2] == "requirements" else folder


def cli(says: str) -> Sign:
    return Sign("project_type", "cli", says)


def mobile(says: str) -> Sign:
    return Sign("project_type", "mobile", says)


def framework(word: str, says: str) -> Sign:
    return Sign("framework", word, says)
