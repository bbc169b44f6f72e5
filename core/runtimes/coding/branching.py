"""What of a worktree is a task's to commit: what the agent wrote, and nothing that only happened to lie there."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from core.contract import Json
from core.projects import git
from core.runtimes.coding.confinement import Refused, Tree
from core.sanitise import one_line


async def tidy(tree: Tree, written: AbstractSet[str]) -> list[str]:
    """Take out of the worktree what is not the agent's to commit; the paths, for the record.

    That is: files that commands left which the agent did not write, and changes of files that it may not write.
    """
    new = (await git.git(tree.root, "ls-files", "--others", "--exclude-standard", "-z")).split("\0")
    foreign = [path for path in new if path and path not in written and not git.BY_PRODUCT.search(path)]
    for path in foreign:
        await asyncio.to_thread(_remove, tree, path)
    changed = [path for _, path in await git.status(tree.root, untracked=False)]
    kept_back = [path for path in changed if tree.is_forbidden(path)]
    if kept_back:
        await git.git(tree.root, "restore", "--source=HEAD", "--staged", "--worktree", "--", *kept_back)
    return sorted([*foreign, *kept_back])


def _remove(tree: Tree, path: str) -> None:
    if path.endswith("/"):
        shutil.rmtree(tree.root / path, ignore_errors=True)
    else:
        (tree.root / path).unlink(missing_ok=True)


async def check_size(tree: Tree, limit: int) -> None:
    """Raises Refused when a file that is about to be committed is too large, or when all are together."""
    total = 0
    for _, path in await git.status(tree.root):
        known = (tree.root / path).lstat() if os.path.lexists(tree.root / path) else None
        total += known.st_size if known else 0
        if total > limit:
            raise Refused(f"With {one_line(path)} the change has more than {limit:,} bytes; make it smaller.")


def proofs_of(given: Json, criteria: Sequence[str]) -> dict[str, list[str]]:
    """The tests that the agent names, by criterion. Raises Refused for a criterion that the request does not have."""
    found: dict[str, list[str]] = {}
    for criterion, tests in given.items():
        named = [one_line(test, 300) for test in tests if test.strip()]
        if named and criteria and criterion not in criteria:
            raise Refused(f"{one_line(repr(criterion), 60)} is no criterion here; there are {', '.join(criteria)}.")
        if named and criteria:
            found[criterion] = named
    return found
