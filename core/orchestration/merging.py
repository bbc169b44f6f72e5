"""The target merged into a work item's branch, so that a kill in the middle of it is found and undone."""

from __future__ import annotations

from core.agents.bench import Bench
from core.contract import ApmError, Json
from core.projects import git, worktrees
from core.projects.submodules import disarm

MERGING = "merging"
"""The file in a work item's scratch that says its branch is being merged into by us at this moment."""


async def merge_in(bench: Bench, target: str) -> tuple[str, ...]:
    """Merge the target into the branch; the conflicting paths. The mark stays only when we are killed in it."""
    # Git puts what is changed aside before it merges, and for that it looks into submodules, whatever it is told.
    await disarm(bench.tree())
    mark = bench.scratch / MERGING
    mark.touch()
    try:
        conflicts = await git.merge_in(bench.tree(), target)
    except ApmError:
        # Git has refused and changed nothing: what stands in the worktree is a person's.
        mark.unlink()
        raise
    mark.unlink()
    return conflicts


async def undo_killed_merge(bench: Bench, project: Json) -> None:
    """Undo what a merge of ours left that a kill cut short; a merge that a person is at bears no mark."""
    if (bench.scratch / MERGING).exists():
        tree = worktrees.Worktree(bench.tree(), project["branch"], project["base_commit"])
        await worktrees.reset_to_commit(tree)
        (bench.scratch / MERGING).unlink()
