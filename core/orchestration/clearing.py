"""What a killed process left: its children, and what stood ready for work that is over."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Set
from pathlib import Path

from core.contract import ApmError
from core.orchestration.drive import Equipment
from core.projects import commands, git, worktrees
from core.store import reads, rows

logger = logging.getLogger(__name__)


async def clear_after_others(equipment: Equipment, workspace: str) -> None:
    """End their processes, and take away worktrees, branches and scratch of work that is over.

    A fault of git there stops nothing. `workspace` is the mark that the workspace's processes bear.
    """
    await commands.sweep_stale(workspace)
    projects, unfinished = await equipment.store.read(lambda r: (reads.projects(r), reads.unfinished(r)))
    await asyncio.to_thread(_clear_scratch, equipment.state / "scratch", {number for number, _ in unfinished})
    for project in projects:
        if not Path(project.path).is_dir():
            continue
        keep = {number for number, of_project in unfinished if of_project == project.id}
        try:
            await worktrees.prune(Path(project.path), equipment.state / "worktrees" / project.name, keep)
            await _clear_branches(equipment, project, keep)
        except (ApmError, OSError) as error:
            logger.warning("worktrees of %s could not be cleaned: %s", project.name, error)


def _clear_scratch(scratch: Path, keep: Set[int]) -> None:
    for folder in scratch.iterdir() if scratch.is_dir() else ():
        if folder.name.isdecimal() and int(folder.name) not in keep:
            shutil.rmtree(folder, ignore_errors=True)


async def _clear_branches(equipment: Equipment, project: rows.ProjectRow, keep: Set[int]) -> None:
    """Remove merged branches of work that is over: whoever was killed while clearing away left no worktree to find."""
    for branch in await worktrees.merged_branches(Path(project.path), project.target):
        number = worktrees.work_item_of(branch)
        if number is None or number in keep:
            continue
        facts = await equipment.store.read(lambda r, number=number: reads.work_item_facts(r, number))  # type: ignore[misc]
        # Another workspace has its own numbers.
        if facts is not None and facts.is_over and (facts.project, facts.branch) == (project.id, branch):
            await clear_away(equipment, facts)


async def clear_away(equipment: Equipment, facts: rows.WorkItemFactsRow) -> None:
    """Remove worktree and scratch of finished work. The branch goes too when all of it is in the target."""
    scratch = equipment.state / "scratch" / str(facts.id)
    try:
        scratch.rmdir()
    except FileNotFoundError:
        pass
    except OSError:
        # Something lies there, which may be a lot.
        await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)
    of = facts.project
    project = None if of is None else await equipment.store.read(lambda r: reads.project(r, of))
    if project is None or facts.branch is None or facts.base_commit is None:
        return
    path = equipment.state / "worktrees" / project.name / facts.branch.removeprefix(worktrees.PREFIX)
    if not path.exists() and not await git.branch_exists(Path(project.path), facts.branch):
        return
    if await worktrees.holds_changes(path):
        logger.warning("%s is kept: it holds changes that nobody has committed", path)
        return
    merged = await git.is_ancestor(Path(project.path), facts.branch, project.target)
    tree = worktrees.Worktree(path, facts.branch, facts.base_commit)
    await worktrees.remove(Path(project.path), tree, delete_branch=merged)
