"""What a kill, a disk or a hand can leave of a worktree."""

from __future__ import annotations

import shutil
from pathlib import Path

from core.projects.worktrees import Worktree
from tests.unit.git_project import git as by_hand


def tree_gone(repo: Path, worktree: Worktree) -> None:
    shutil.rmtree(worktree.path)


def entry_gone(repo: Path, worktree: Worktree) -> None:
    shutil.rmtree(repo / ".git" / "worktrees" / worktree.path.name)


def both_gone(repo: Path, worktree: Worktree) -> None:
    tree_gone(repo, worktree)
    entry_gone(repo, worktree)


def half_made(repo: Path, worktree: Worktree) -> None:
    """As after a kill in the middle of `git worktree add`: locked, an index lock, a part of the files."""
    entry = repo / ".git" / "worktrees" / worktree.path.name
    (entry / "locked").write_text("initializing\n")
    (entry / "index").rename(entry / "index.lock")
    (worktree.path / "b.txt").unlink()


def folder_without_link(repo: Path, worktree: Worktree) -> None:
    (worktree.path / ".git").unlink()


def broken_link(repo: Path, worktree: Worktree) -> None:
    (worktree.path / ".git").write_text("")


def empty_entry(repo: Path, worktree: Worktree) -> None:
    for file in (repo / ".git" / "worktrees" / worktree.path.name).iterdir():
        shutil.rmtree(file) if file.is_dir() else file.unlink()


def entry_without_repository(repo: Path, worktree: Worktree) -> None:
    """As after a kill early in `git worktree add`: git itself then refuses every worktree command."""
    (repo / ".git" / "worktrees" / worktree.path.name / "commondir").write_text("")


def branch_gone(repo: Path, worktree: Worktree) -> None:
    by_hand(repo, "update-ref", "-d", f"refs/heads/{worktree.branch}")


def locks_left(repo: Path, worktree: Worktree) -> None:
    entry = repo / ".git" / "worktrees" / worktree.path.name
    for lock in ("index.lock", "HEAD.lock"):
        (entry / lock).write_text("")
    for ref in ("refs/apm/base/7", f"refs/heads/{worktree.branch}"):
        Path(repo / ".git" / f"{ref}.lock").write_text("")


def base_only(repo: Path, worktree: Worktree) -> None:
    """As after a kill between the two refs of a new work item."""
    both_gone(repo, worktree)
    branch_gone(repo, worktree)


def file_in_the_way(repo: Path, worktree: Worktree) -> None:
    tree_gone(repo, worktree)
    worktree.path.write_text("")


ACCIDENTS = [
    tree_gone,
    entry_gone,
    both_gone,
    half_made,
    folder_without_link,
    broken_link,
    empty_entry,
    entry_without_repository,
    branch_gone,
    locks_left,
    base_only,
    file_in_the_way,
]
