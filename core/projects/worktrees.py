"""One git worktree per work item, made again from whatever a kill left of it, and removed without a trace.

What belongs to a work item is found by its number: the branch `apm/<id>-<slug>`, the folder `<id>-<slug>` and the
ref `refs/apm/base/<id>`, which names the commit the branch began at. The user's checkout is never touched.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import re
import shutil
import stat
import unicodedata
from collections.abc import AsyncIterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from core.paths import real
from core.projects import processes
from core.projects.commands import sweep_stale
from core.projects.git import GitError, branch_exists, checkouts, git, git_result, head, merge_base

PREFIX = "apm/"
SLUG_CHARACTERS = 40
LOCK_PAUSE_SECONDS = 0.01
_FOLDER = re.compile(r"(\d+)-[a-z0-9-]+")
_HALF_MADE = "initializing"
"""Git locks a worktree with this reason while it makes it; after a kill the lock stays."""


@dataclass(frozen=True, slots=True)
class Worktree:
    """A work item's own checkout, the branch that is checked out there, and the commit that branch began at."""

    path: Path
    branch: str
    base_commit: str


def slug(title: str) -> str:
    """A title as part of a branch's and a folder's name: ASCII letters and digits, at most 40 of them, never empty."""
    plain = unicodedata.normalize("NFKD", title[:1_000]).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    return words[:SLUG_CHARACTERS].rstrip("-") or "work"


async def ensure(project_path: Path, home: Path, work_item: int, title: str, target: str) -> Worktree:
    """The work item's worktree, made or mended as needed; the same one however often it is asked for.

    A new branch begins at the head of the branch `target`. What is committed or merely changed in an existing
    worktree stays. Raises GitError when the branch is checked out elsewhere, or the repository refuses.
    """
    # The git of an apm that was killed may still be filling this very folder.
    await sweep_stale()
    home = real(home)
    home.mkdir(parents=True, exist_ok=True)
    async with _alone(project_path, home):
        branch = await _branch_of(project_path, work_item) or f"{PREFIX}{work_item}-{slug(title)}"
        await _remove_dead_ref_locks(project_path, work_item, branch)
        base = await _ensure_branch(project_path, work_item, branch, target)
        path = home / branch.removeprefix(PREFIX)
        await _remove_dead_locks(path)
        if not await _is_whole(project_path, path):
            await _refuse_elsewhere(project_path, branch, path)
            await _discard(project_path, path)
            await git(project_path, "worktree", "add", "--quiet", str(path), branch)
    return Worktree(path, branch, base)


async def reset_to_commit(worktree: Worktree) -> None:
    """Put a worktree to its branch's head: a killed agent's uncommitted changes go, ignored files stay."""
    path = worktree.path
    await _remove_dead_locks(path)
    for unfinished in ("rebase", "am", "cherry-pick"):
        await git(path, unfinished, "--quit", check=False)
    await git(path, "symbolic-ref", "HEAD", f"refs/heads/{worktree.branch}")
    if not (await git_result(path, "reset", "--quiet", "--hard")).ok:
        # An index that was cut off by a power failure holds nothing that the commit does not.
        folder = await _git_dir(path)
        if folder:
            (folder / "index").unlink(missing_ok=True)
        await git(path, "reset", "--quiet", "--hard")
    # Twice -f: a repository that was cloned into the worktree goes as well.
    await git(path, "clean", "--quiet", "-ffd")


async def remove(project_path: Path, worktree: Worktree, delete_branch: bool) -> None:
    """Remove a worktree with all that is in it, and its branch when told so. What is gone already is no error."""
    if not project_path.is_dir():
        await asyncio.to_thread(_remove_folder, worktree.path)
        return
    async with _alone(project_path, worktree.path.parent):
        await _remove(project_path, worktree.path, worktree.branch, delete_branch)


async def prune(project_path: Path, home: Path, keep: AbstractSet[int]) -> tuple[Path, ...]:
    """Remove the worktrees below `home` that belong to no work item in `keep`; their folders, for the record.

    A branch goes along only when another branch holds all its commits, so that no commit is lost; a worktree that
    holds changes nobody has committed stays.
    """
    home = real(home)
    gone: list[Path] = []
    async with _alone(project_path, home):
        known = {real(checkout.path) for checkout in await checkouts(project_path)}
        there = {path for path in (home.iterdir() if home.is_dir() else ()) if path.is_dir()}
        for path in sorted(there | {path for path in known if path.parent == home}):
            match = _FOLDER.fullmatch(path.name)
            if match and int(match[1]) not in keep and not await holds_changes(path):
                branch = PREFIX + path.name
                await _remove(project_path, path, branch, await _is_held_elsewhere(project_path, branch))
                gone.append(path)
    return tuple(gone)


async def merged_branches(project_path: Path, target: str) -> tuple[str, ...]:
    """The work items' branches that hold no commit which the branch `target` lacks."""
    words = ("--format=%(refname:short)", f"--merged=refs/heads/{target}", f"refs/heads/{PREFIX.rstrip('/')}")
    return tuple((await git(project_path, "for-each-ref", *words)).split())


def work_item_of(branch: str) -> int | None:
    """The number of the work item that a branch is named for."""
    match = _FOLDER.fullmatch(branch.removeprefix(PREFIX))
    return int(match[1]) if match else None


async def holds_changes(path: Path) -> bool:
    """Whether a worktree holds work that no commit has. Ignored files are none, neither are the insides of submodules,
    which no commit here could hold, nor is a tree half made."""
    if not (path / ".git").exists():
        return False
    words = ("status", "--porcelain", "-z", "--untracked-files=all", "--ignore-submodules=dirty")
    result = await git_result(path, *words)
    return result.ok and bool(result.stdout)


async def _remove(project: Path, path: Path, branch: str, delete_branch: bool) -> None:
    await _remove_dead_locks(path)
    await _discard(project, path)
    if delete_branch:
        work_item = int(branch.removeprefix(PREFIX).partition("-")[0])
        await _remove_dead_ref_locks(project, work_item, branch)
        # The branch last: it is what a later start finds when a kill comes in between.
        await git(project, "update-ref", "-d", _base_ref(work_item))
        if await branch_exists(project, branch):
            await git(project, "branch", "--quiet", "-D", branch)


@contextlib.asynccontextmanager
async def _alone(project: Path, home: Path) -> AsyncIterator[None]:
    """Hold the project's worktrees for one apm at a time: git fails when two are added at the same moment.

    The lock is a file in the repository's own folder, and dies with its holder.
    """
    common = await _common_dir(project)
    with (common / "apm.lock").open("w") as lock:
        while not _locked(lock):  # noqa: ASYNC110 (the holder may be another process, which sets no event)
            await asyncio.sleep(LOCK_PAUSE_SECONDS)
        await asyncio.to_thread(_drop_broken_entries, common / "worktrees", home)
        yield


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _drop_broken_entries(entries: Path, home: Path) -> None:
    """Remove entries of ours that a kill left without the pointer to their repository.

    One such entry makes every `git worktree` and `git branch -d` fail in the whole repository, the user's too.
    """
    for entry in entries.iterdir() if entries.is_dir() else ():
        pointer, common = entry / "gitdir", entry / "commondir"
        if pointer.is_file() and not (common.is_file() and common.read_text().strip()):
            tree = Path(pointer.read_text().removesuffix("\n")).parent
            if tree.parent == home:
                shutil.rmtree(entry)


async def _common_dir(project: Path) -> Path:
    text = await git(project, "rev-parse", "--path-format=absolute", "--git-common-dir")
    return Path(text.removesuffix("\n"))


async def _branch_of(project: Path, work_item: int) -> str | None:
    """The branch that belongs to a work item, whatever its title was when the branch was made."""
    names = await git(project, "for-each-ref", "--format=%(refname:short)", f"refs/heads/{PREFIX}{work_item}-*")
    return next(iter(sorted(names.split())), None)


async def _ensure_branch(project: Path, work_item: int, branch: str, target: str) -> str:
    """The base commit of the branch, which is made when it is not there.

    The base is recorded first: a branch without a base would have to guess it, a base without a branch is renewed.
    """
    recorded = (await git_result(project, "rev-parse", "--verify", "--quiet", _base_ref(work_item))).stdout.strip()
    if await branch_exists(project, branch):
        return recorded or await merge_base(project, f"refs/heads/{target}", branch) or await head(project, branch)
    if await branch_exists(project, PREFIX.rstrip("/")):
        raise GitError(f"{project} has a branch named 'apm', so git can make no branch {branch!r}; rename that one.")
    base = await head(project, f"refs/heads/{target}")
    await git(project, "update-ref", _base_ref(work_item), base)
    await git(project, "update-ref", "-m", "apm: new work item", f"refs/heads/{branch}", base, "")
    return base


async def _refuse_elsewhere(project: Path, branch: str, path: Path) -> None:
    other = next((c.path for c in await checkouts(project) if c.branch == branch and real(c.path) != path), None)
    if other is not None and other.is_dir():
        raise GitError(
            f"{branch} is checked out at {other}. If that was done by hand, check out another branch there. If it is "
            "another workspace's, the two number their work items alike: give this one a clone of the repository "
            "(`apm project set NAME --path DIR`). Then try again."
        )


def _base_ref(work_item: int) -> str:
    return f"refs/apm/base/{work_item}"


async def _is_whole(project: Path, path: Path) -> bool:
    """Whether a worktree was made to its end and still belongs to the project."""
    if not (path / ".git").is_file():
        return False
    if not await _is_linked(project, path):
        # The project or the workspace may have been moved; git can mend the two pointers.
        await git(project, "worktree", "repair", str(path), check=False)
    known = {real(checkout.path): checkout for checkout in await checkouts(project)}
    return path in known and known[path].locked != _HALF_MADE and await _is_linked(project, path)


async def _is_linked(project: Path, path: Path) -> bool:
    """Whether the folder's `.git` leads to this project, and the project knows the folder."""
    ours, its = [
        await git_result(folder, "rev-parse", "--path-format=absolute", "--git-common-dir")
        for folder in (project, path)
    ]
    known = {real(checkout.path) for checkout in await checkouts(project)}
    return its.ok and its.stdout == ours.stdout and path in known


async def _discard(project: Path, path: Path) -> None:
    """Take a worktree away, folder first: git drops the entry of a folder that is gone, in whatever state it was."""
    await asyncio.to_thread(_remove_folder, path)
    if any(real(checkout.path) == real(path) for checkout in await checkouts(project)):
        await git(project, "worktree", "remove", "--force", "--force", str(path))


def _remove_folder(path: Path) -> None:
    """Remove a tree even where a tool made its folders read-only, as module caches are."""
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    try:
        shutil.rmtree(path)
    except PermissionError:
        path.chmod(stat.S_IRWXU)
        for folder, names, _ in os.walk(path):
            for inner in (Path(folder, name) for name in names):
                if not inner.is_symlink():
                    inner.chmod(stat.S_IRWXU)
        shutil.rmtree(path)


async def _remove_dead_locks(path: Path) -> None:
    """Drop the lock files that a killed git left in a worktree; a living one keeps its own."""
    folder = await _git_dir(path)
    locks = list(folder.glob("*.lock")) if folder else []
    if locks and not await asyncio.to_thread(processes.working_in, path, "git"):
        for lock in locks:
            lock.unlink(missing_ok=True)


async def _git_dir(path: Path) -> Path | None:
    """Where git keeps a worktree's HEAD and index; None for a folder that is no whole worktree."""
    if not (path / ".git").is_file():
        return None
    result = await git_result(path, "rev-parse", "--absolute-git-dir")
    return Path(result.stdout.removesuffix("\n")) if result.ok else None


async def _remove_dead_ref_locks(project: Path, work_item: int, branch: str) -> None:
    """The same for the two refs of a work item, which live in the project's own repository."""
    common = await _common_dir(project)
    refs = (f"refs/heads/{branch}", _base_ref(work_item))
    locks = [lock for lock in (common / f"{ref}.lock" for ref in refs) if lock.is_file()]
    if locks and not await asyncio.to_thread(processes.working_in, project, "git"):
        for lock in locks:
            lock.unlink(missing_ok=True)


async def _is_held_elsewhere(project: Path, branch: str) -> bool:
    if not await branch_exists(project, branch):
        return True
    names = await git(
        project, "for-each-ref", "--format=%(refname:short)", f"--contains=refs/heads/{branch}", "refs/heads"
    )
    return bool(set(names.split()) - {branch})
