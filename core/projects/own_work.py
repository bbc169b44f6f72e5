"""What on a work item's branch is its own work, and what the target brought in by a merge."""

from __future__ import annotations

from pathlib import Path

from core.contract import Json
from core.projects import git
from core.projects.worktrees import work_item_of


async def own_base(repo: Path, project: Json, head: str = "HEAD") -> str:
    """The commit that a branch's own work comes after: the newest that it shares with the target.

    `project` is as agents are told of it, with `target`, `branch` and its recorded `base_commit`. The recorded one
    holds where the target is gone, shares nothing newer (somebody has forced another history on it), or has all of
    the branch. What this work item itself has released already stays its own.
    """
    recorded, target = str(project["base_commit"]), f"refs/heads/{project['target']}"
    shared = await git.merge_base(repo, target, head)
    if shared in (None, recorded):
        return recorded
    trailers = {"Apm-Work-Item": str(work_item_of(str(project["branch"]))), "Apm-Agent": "deploy-orchestrator"}
    released = [c.sha for c in await git.commits(repo, recorded, target) if trailers.items() <= c.trailers.items()]
    if released:
        shared = await git.merge_base(repo, f"{released[-1]}^1", head)
    if shared is None or shared == await git.head(repo, head) or not await git.is_ancestor(repo, recorded, shared):
        return recorded
    return shared


async def files_of(repo: Path, commit: str) -> list[str]:
    """The paths that a commit changes; of a merge those that it leaves as none of its parents has them."""
    text = await git.git(repo, "show", "--format=", "--name-only", "-z", "--cc", "--end-of-options", commit)
    return [path for path in text.split("\0") if path]
