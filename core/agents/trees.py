"""What the static gates judge: trees that hold a commit's files and nothing else.

A worktree holds more: what tests wrote, what git ignores, what setup installed. The branch's own commands can rewrite
all of it, and settings or tools from there would judge the branch by what no commit shows.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from core.agents.confined import Ground
from core.contract import Json
from core.paths import real
from core.projects import git
from core.projects.commands import run

MODULES = "node_modules"
TOOL_FOLDERS = (MODULES, ".venv", "venv")
"""Folders of a project that hold installed programs, which no commit has."""


@dataclass(frozen=True, slots=True)
class Installed:
    """Where the programs of each of `TOOL_FOLDERS` are taken from: the folder it stands in, by its name.

    `refused` are those that only the worktree has, where the branch's commands could have replaced them.
    """

    homes: Mapping[str, Path]
    refused: tuple[str, ...] = ()

    def refuses(self, program: str) -> bool:
        """Whether a command's program would come out of a folder that is not trusted; `npx` and its like look there."""
        wanted = {MODULES} if program in _RUNNERS else set(PurePosixPath(program).parts)
        return bool(wanted & set(self.refused))


_RUNNERS = frozenset(("npx", "npm", "pnpm", "pnpx", "yarn", "bunx"))


def installed(project: Json, worktree: Path, *, by_a_model: bool) -> Installed:
    """Of a person's branch what setup made in the worktree; of a model's what its commands could not write to: the
    prepared environment's folder, then the user's checkout."""
    there = tuple(name for name in TOOL_FOLDERS if (worktree / name).is_dir())
    if not by_a_model:
        return Installed(dict.fromkeys(there, worktree))
    places = [Path(str(project[key])) for key in ("environment", "path") if project.get(key)]
    found = {name: next((place for place in places if (place / name).is_dir()), None) for name in (MODULES, *there)}
    homes = {name: place for name, place in found.items() if place is not None}
    return Installed(homes, tuple(name for name in there if name not in homes))


async def tree_at(worktree: Path, commit: str, folder: Path) -> Path:
    """The files of a commit below `folder`, whole: `git archive` would leave out what `export-ignore` names.

    It is a repository of its own that borrows the worktree's objects: tools that ask git are answered, none of them
    reads the ignore rules of whatever lies around `folder`, and nothing they do reaches the project's repository.
    """
    tree = folder / "tree"
    folder.mkdir(parents=True, exist_ok=True)
    shared = ("--quiet", "--shared", "--no-checkout", "--template=")
    await git.git(worktree, "clone", *shared, "--", str(worktree), str(tree))
    await git.git(tree, "checkout", "--quiet", "--detach", commit, "--")
    return tree


async def lend(tree: Path, programs: Installed) -> tuple[Path, ...]:
    """Put the installed programs into a tree as links; the folders that these lead to. What is committed stays."""
    files = (PurePosixPath(path) for path in await git.tracked_files(tree))
    packages = {PurePosixPath(), *(file.parent for file in files if file.name == "package.json")}
    return await asyncio.to_thread(_lend_all, tree, programs.homes, packages)


def _lend_all(tree: Path, homes: Mapping[str, Path], packages: Iterable[PurePosixPath]) -> tuple[Path, ...]:
    lent: list[Path] = []
    for name, home in homes.items():
        for package in packages if name == MODULES else (PurePosixPath(),):
            source, place = (home / package / name).absolute(), tree / package / name
            if source.is_dir() and not os.path.lexists(place):
                lent.append(source)
                if name == MODULES:
                    _link_modules(source, place)
                else:
                    place.symlink_to(source)
    return tuple(lent)


def _link_modules(source: Path, place: Path) -> None:
    """Links are made again as they are: those to a project's own packages then lead to the tree's. Caches stay away."""
    place.mkdir()
    for entry in source.iterdir():
        there = place / entry.name
        if entry.is_symlink():
            there.symlink_to(entry.readlink())
        elif entry.name.startswith("@"):
            _link_modules(entry, there)
        elif entry.name != ".cache":
            there.symlink_to(entry)


def is_plain(tree: Path, path: str) -> bool:
    """Whether a file of a tree is one of its own: a link may lead to whatever a tool would read without end."""
    place = tree / path
    return place.is_file() and not place.is_symlink()


def plain_files(tree: Path, paths: Iterable[str]) -> frozenset[str]:
    """Those that are plain. Looks at each: on a thread, where they are many."""
    return frozenset(path for path in paths if is_plain(tree, path))


def ground_at(ground: Ground, tree: Path, writable: Path, visible: Iterable[Path] = ()) -> Ground:
    """The worktree's ground moved to a tree: its commands can write to nothing else but `writable`."""
    if ground.place is None:
        return ground
    seen = (*ground.place.visible, *visible)
    return replace(ground, place=replace(ground.place, worktree=real(tree), visible=seen, writable=(writable,)))


async def remove(folder: Path) -> None:
    """Remove a folder as far as that goes. By `rm`, which no depth of folders that a tool made can exhaust."""
    await run(["rm", "-rf", "--", str(folder)], cwd=folder.parent)
