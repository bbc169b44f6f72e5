"""The places of submodules in a worktree, kept free of repositories that a command put there."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from core.paths import real
from core.projects import git
from core.projects.git import GitError

_LINK_MODE = "160000"
_POINTER_BYTES = 4_096
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


async def disarm(worktree: Path) -> None:
    """Remove repositories that a command put where git expects a submodule; a link on the way there becomes a folder.

    Git asks a submodule's own repository about its state, by that repository's settings; one that a command made could
    name a program there. A submodule whose repository lies in the project's own stays. Raises GitError where a place
    cannot be cleared.
    """
    listed = await git.git(worktree, "ls-files", "--stage", "-z")
    links = [entry.partition("\t")[2] for entry in listed.split("\0") if entry.startswith(_LINK_MODE)]
    if not links:
        return
    common = Path((await git.git(worktree, "rev-parse", "--path-format=absolute", "--git-common-dir")).rstrip("\n"))
    await asyncio.to_thread(_disarm, worktree, links, real(common))


def _disarm(worktree: Path, links: Sequence[str], common: Path) -> None:
    for link in links:
        try:
            with _opened(worktree, link) as place:
                if place is not None and not _leads_into(place, worktree / link, common):
                    _remove_repository(place)
        except OSError as error:
            told = f"What a command left at the submodule's place {worktree / link} cannot be removed"
            raise GitError(f"{told} ({error.strerror}); remove it, then try again.") from error


@contextlib.contextmanager
def _opened(worktree: Path, link: str) -> Iterator[int | None]:
    """The folder of a submodule, None where there is none.

    Each part of its path is opened from the one above: a link would have us remove what lies somewhere else.
    """
    with contextlib.ExitStack() as opened:
        folder = os.open(worktree, _FOLDER)
        opened.callback(os.close, folder)
        for name in PurePosixPath(link).parts:
            mode = _mode(name, folder)
            if stat.S_ISLNK(mode):
                os.unlink(name, dir_fd=folder)
                os.mkdir(name, dir_fd=folder)
            elif not stat.S_ISDIR(mode):
                yield None
                return
            folder = os.open(name, _FOLDER, dir_fd=folder)
            opened.callback(os.close, folder)
        yield folder


def _mode(name: str, folder: int) -> int:
    """What a name in a folder is; 0 where there is nothing."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return 0


def _leads_into(place: int, path: Path, common: Path) -> bool:
    """Whether a submodule's place holds git's own pointer to a repository inside the project's."""
    if not stat.S_ISREG(_mode(".git", place)):
        return False
    with open(os.open(".git", _FILE, dir_fd=place), "rb") as file:  # noqa: PTH123
        text = os.fsdecode(file.read(_POINTER_BYTES)).strip()
    return text.startswith("gitdir:") and real(path / text.removeprefix("gitdir:").strip()).is_relative_to(common)


def _remove_repository(place: int) -> None:
    mode = _mode(".git", place)
    if stat.S_ISDIR(mode):
        shutil.rmtree(".git", dir_fd=place)
    elif mode:
        os.unlink(".git", dir_fd=place)
