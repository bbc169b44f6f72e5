"""The worktree as a model may touch it: regular files below its root, reached without following a single link.

A path is judged twice. By its words, before anything is opened; and by walking it, each folder opened from the one
above it, so that a link put in its way between the two leads nowhere.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.contract import ApmError
from core.sanitise import one_line, sanitise

PATH_BYTES = 1_024
NAME_BYTES = 255
BEING_WRITTEN = ".apm-being-written"
"""A file's new content, at the root, until it takes the file's place in one step."""
NEW_MODE = 0o644
WHOLE = 2**31
"""Bytes up to which a file is read that is only compared or moved."""
UNWRITABLE = (".gitmodules",)
"""Beside the team's own files: it names places that git would fetch from."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_GIT = re.compile(r"(\.git|git~\d+)[. ]*(:.*)?", re.IGNORECASE | re.DOTALL)
"""Git's own folder, also in the spellings under which other file systems take it for the same."""


class Refused(ApmError):
    """A path or an act that is not allowed here. The message is for the model: what, why, what instead."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file as it stands: its bytes, and its permission bits."""

    content: bytes
    mode: int

    @property
    def digest(self) -> str:
        return digest(self.content)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def parts_of(name: str, root: Path) -> tuple[str, ...]:
    """The names that lead from the root to what `name` means; () is the root itself. Raises Refused.

    Nothing is looked up. An absolute path may be one inside the root.
    """
    told = one_line(repr(name), 120)
    if len(name.encode("utf-8", "surrogatepass")) > PATH_BYTES:
        raise Refused(f"The path {told} is longer than {PATH_BYTES} bytes.")
    if sanitise(name, keep_newlines=False) != name:
        raise Refused(f"The path {told} holds control or invisible characters.")
    parts = tuple(part for part in _below(name, root).split("/") if part not in ("", "."))
    for part in parts:
        if part == "..":
            raise Refused(f"The path {told} climbs with `..`; name the file from the worktree's top.")
        if len(part.encode()) > NAME_BYTES:
            raise Refused(f"The path {told} has a name of more than {NAME_BYTES} bytes.")
        if _GIT.fullmatch(part):
            raise Refused(f"The path {told} is git's own; commits are made for you when you are done.")
    return parts


def _below(name: str, root: Path) -> str:
    if not name.startswith("/"):
        return name
    for base in (str(root), os.path.realpath(root)):
        if name == base or name.startswith(base.rstrip("/") + "/"):
            return name[len(base) :]
    raise Refused(
        f"The path {one_line(repr(name), 120)} lies outside of the worktree; name it from the worktree's top."
    )


class Tree:
    """The files of one worktree. `forbidden` are relative paths which, with all below them, nobody writes here."""

    def __init__(self, root: Path, forbidden: Sequence[str] = ()) -> None:
        self.root = root
        self._forbidden = tuple(tuple(path.casefold().split("/")) for path in (*forbidden, *UNWRITABLE))

    def is_forbidden(self, path: str) -> bool:
        """Whether a path relative to the root may be read here but not written."""
        words = tuple(path.casefold().split("/"))
        return any(words[: len(row)] == row for row in self._forbidden)

    def path(self, name: str) -> str:
        """The path relative to the root that `name` means, in the one spelling under which it is kept."""
        return "/".join(parts_of(name, self.root))

    def writable_path(self, name: str) -> str:
        """The same for a file that is to be written. Raises Refused for one that is not the agent's to write."""
        path = self.path(name)
        if not path:
            raise Refused("The worktree's top is a folder; name a file in it.")
        if self.is_forbidden(path):
            raise Refused(f"{one_line(path)} is a person's to change. If it must change, say so in `missing`.")
        return path

    def read(self, name: str, limit: int) -> Found | None:
        """A regular file's content; None when nothing is there. Raises Refused for anything else."""
        parts = parts_of(name, self.root)
        try:
            with self._folder(parts[:-1]) as folder:
                return _read(folder, parts[-1], limit) if parts else self._no_file(name)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Refused(f"{one_line(name)} cannot be read: {error.strerror}.") from error

    def write(self, name: str, content: bytes, *, before: str | None) -> None:
        """Put `content` in the file's place, whole or not at all; folders on the way are made.

        `before` is the digest of what is replaced, None for a new file. Raises Refused, also when that is not so.
        """
        parts = tuple(self.writable_path(name).split("/"))
        try:
            with self._folder(()) as root, self._folder(parts[:-1], make=True) as folder:
                there = _read_or_none(folder, parts[-1], WHOLE)
                if (there.digest if there else None) != before:
                    raise Refused(f"{one_line(name)} has changed meanwhile; read it again.")
                _write_beside(root, content, there.mode if there else NEW_MODE)
                os.rename(BEING_WRITTEN, parts[-1], src_dir_fd=root, dst_dir_fd=folder)
        except OSError as error:
            raise Refused(f"{one_line(name)} cannot be written: {error.strerror}.") from error

    def remove(self, name: str, *, before: str) -> None:
        """Take a file away whose digest is `before`. Raises Refused, also when it is another or none."""
        parts = tuple(self.writable_path(name).split("/"))
        try:
            with self._folder(parts[:-1]) as folder:
                _check_unchanged(folder, parts[-1], before)
                os.unlink(parts[-1], dir_fd=folder)
        except OSError as error:
            raise Refused(f"{one_line(name)} cannot be removed: {error.strerror}.") from error

    def move(self, name: str, to: str, *, before: str) -> None:
        """Put a file whose digest is `before` where nothing is yet; folders on the way are made. Raises Refused."""
        parts, goal = (tuple(self.writable_path(path).split("/")) for path in (name, to))
        try:
            with self._folder(parts[:-1]) as folder, self._folder(goal[:-1], make=True) as other:
                _check_unchanged(folder, parts[-1], before)
                _check_free(other, goal[-1], to)
                os.rename(parts[-1], goal[-1], src_dir_fd=folder, dst_dir_fd=other)
        except OSError as error:
            raise Refused(f"{one_line(name)} cannot be moved to {one_line(to)}: {error.strerror}.") from error

    def check_free(self, name: str) -> None:
        """Raises Refused when anything is there, be it a folder or a link."""
        parts = tuple(self.writable_path(name).split("/"))
        try:
            with self._folder(parts[:-1]) as folder:
                _check_free(folder, parts[-1], name)
        except FileNotFoundError:
            return
        except OSError as error:
            raise Refused(f"{one_line(name)} cannot be written: {error.strerror}.") from error

    def clear(self) -> None:
        """Remove what a killed write left."""
        with self._folder(()) as root, contextlib.suppress(FileNotFoundError):
            os.unlink(BEING_WRITTEN, dir_fd=root)

    def _no_file(self, name: str) -> Found:
        raise Refused(f"{one_line(name) or 'The worktree'} is a folder, not a file; list it.")

    @contextlib.contextmanager
    def _folder(self, parts: Sequence[str], *, make: bool = False) -> Iterator[int]:
        here = os.open(self.root, _FOLDER)
        try:
            for part in parts:
                if make:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(part, dir_fd=here)
                there = _open_folder(here, part)
                os.close(here)
                here = there
            yield here
        finally:
            os.close(here)


def _open_folder(above: int, part: str) -> int:
    try:
        return os.open(part, _FOLDER, dir_fd=above)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENOTDIR):
            raise
        _refuse_link(above, part)
        raise Refused(f"{one_line(part)} is no folder.") from error


def _refuse_link(folder: int, part: str) -> os.stat_result:
    """What is known of an entry that is no link. Raises FileNotFoundError, and Refused for a link."""
    known = os.stat(part, dir_fd=folder, follow_symlinks=False)
    if stat.S_ISLNK(known.st_mode):
        leads = one_line(os.readlink(part, dir_fd=folder), 120)
        raise Refused(f"{one_line(part)} is a link to {leads}, and links are not followed; name the file itself.")
    return known


def _read_or_none(folder: int, part: str, limit: int) -> Found | None:
    try:
        return _read(folder, part, limit)
    except FileNotFoundError:
        return None


def _check_unchanged(folder: int, part: str, before: str) -> None:
    there = _read_or_none(folder, part, WHOLE)
    if there is None or there.digest != before:
        raise Refused(f"{one_line(part)} has changed meanwhile; look at it again.")


def _check_free(folder: int, part: str, name: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.stat(part, dir_fd=folder, follow_symlinks=False)
        raise Refused(f"There is something at {one_line(name)} already; remove it first, or choose another path.")


def _read(folder: int, part: str, limit: int) -> Found:
    # Looked at before it is opened, because opening a device can already do something; and again afterwards.
    _refuse_special(part, _refuse_link(folder, part), limit)
    handle = os.open(part, _FILE, dir_fd=folder)
    with os.fdopen(handle, "rb") as file:
        known = os.fstat(handle)
        _refuse_special(part, known, limit)
        content = file.read(limit + 1)
    if len(content) > limit:
        raise Refused(f"{one_line(part)} has more than {limit:,} bytes.")
    return Found(content, stat.S_IMODE(known.st_mode))


def _refuse_special(part: str, known: os.stat_result, limit: int) -> None:
    if stat.S_ISDIR(known.st_mode):
        raise Refused(f"{one_line(part)} is a folder, not a file; list it.")
    if not stat.S_ISREG(known.st_mode):
        raise Refused(f"{one_line(part)} is no regular file.")
    if known.st_nlink > 1:
        raise Refused(f"{one_line(part)} is one file under several names, of which some may lie elsewhere.")
    if known.st_size > limit:
        raise Refused(f"{one_line(part)} has {known.st_size:,} bytes; at most {limit:,} are read.")


def _write_beside(root: int, content: bytes, mode: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(BEING_WRITTEN, dir_fd=root)
    handle = os.open(BEING_WRITTEN, _NEW, 0o600, dir_fd=root)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        os.fchmod(handle, mode & 0o777)
        file.flush()
        os.fsync(handle)
