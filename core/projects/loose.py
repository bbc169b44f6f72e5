"""Loose files: what lies in a worktree beside the project's own files and in no commit, because git ignores it or
nobody has added it. Who takes the worktree for the branch takes them for a part of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from core.projects.git import BY_PRODUCT, git, tracked_files

_LEFT_BY_TOOLS = ("node_modules", "*.py[co]", "*.egg-info", ".eggs", ".coverage.*", ".DS_Store")
"""What `BY_PRODUCT` does not know, and the folder that is too large to be listed. As in a .gitignore."""
_ENVIRONMENT = "/pyvenv.cfg"
_BUILDS = re.compile(r"(\.[^/]*|_?build|coverage|dist|htmlcov|out|site|target|wheels)/")


async def no_commits_files(worktree: Path) -> list[str]:
    """The files that no commit has, ignored ones too; a repository inside is one path that ends in a slash.

    What tools leave behind and virtual environments are left aside.
    """
    exclude = [f"--exclude={pattern}" for pattern in _LEFT_BY_TOOLS]
    listed = (await git(worktree, "ls-files", "--others", "-z", *exclude)).split("\0")
    paths = [path for path in listed if path and not BY_PRODUCT.search(path)]
    environments = tuple(path.removesuffix("pyvenv.cfg") for path in paths if path.endswith(_ENVIRONMENT))
    return [path for path in paths if not path.startswith(environments)]


async def loose_among(worktree: Path, paths: Iterable[str]) -> list[str]:
    """Those of `no_commits_files` that may be meant as a part of the project: not what lies in a folder of builds or a
    hidden one at the top level, unless that holds a tracked file too."""
    ours = {path.partition("/")[0] for path in await tracked_files(worktree) if "/" in path}
    return [path for path in paths if not _BUILDS.match(path) or path.partition("/")[0] in ours]


async def ignored_among(worktree: Path, paths: Iterable[str]) -> set[str]:
    """Those of `no_commits_files` that git ignores, which `git add` takes only with `-f`."""
    known = await git(worktree, "ls-files", "--others", "--exclude-standard", "-z")
    return set(paths) - set(known.split("\0"))
