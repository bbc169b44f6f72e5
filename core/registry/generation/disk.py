"""The folder that files are generated into: nothing outside it is read or written, and no file is ever half there."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from core.registry.generation.rendering import GenerationError

OWN_FOLDER = ".apm"
TEMPORARY = ".apm-new"
"""How the name of a file ends until all of them are written; no loader reads such a name."""

MAX_BYTES = 8 * 2**20
"""A file where a generated one should stand is read so far; nothing that a provider loads is larger."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """A file and the bytes it is to hold; None takes it away."""

    place: Path
    content: bytes | None


def place_of(root: Path, path: str, *, may_be_link: bool = False) -> Path:
    """Where a relative path really is; raises GenerationError when that is outside of the folder, or git's own.

    A folder on the way may be a link that stays inside; the file itself only with `may_be_link`.
    """
    pure = PurePosixPath(path)
    if pure.is_absolute() or not pure.parts or ".." in pure.parts or "\\" in path or "\0" in path:
        raise GenerationError(f"{path!r} is no path inside {root}.")
    try:
        place = (root / path).resolve()
    except (OSError, RuntimeError) as error:
        raise GenerationError(f"{path} in {root} is a link that leads nowhere: {error}.") from None
    if not place.is_relative_to(root.resolve()):
        raise GenerationError(f"{path} leads through a link to {place}, outside {root}; remove the link.")
    if any(part.lower() == ".git" for part in (*pure.parts, *place.relative_to(root.resolve()).parts)):
        raise GenerationError(f"{path} in {root} would be among git's own files, where nothing is generated.")
    if not may_be_link and (root / path).is_symlink():
        raise GenerationError(f"{path} in {root} is a link to {place}, which is not apm's to write; remove the link.")
    return place


def read(place: Path) -> bytes | None:
    """The file's bytes, None where there is none; raises GenerationError for what is no readable file."""
    try:
        # Without O_NONBLOCK a named pipe would be waited for until somebody writes into it.
        descriptor = os.open(place, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        blocking = next(parent for parent in place.parents if parent.exists())
        raise GenerationError(f"{blocking} is a file where a folder is needed; move it out of the way.") from None
    except OSError as error:
        raise GenerationError(f"{place} cannot be read: {error.strerror}.") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise GenerationError(f"{place} is no regular file; move it out of the way.")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(MAX_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(content) > MAX_BYTES:
        raise GenerationError(f"{place} is larger than {MAX_BYTES // 2**20} MB; move it out of the way.")
    return content


@contextlib.contextmanager
def locked(root: Path) -> Iterator[None]:
    """One generation at a time per folder; a second one waits for the first."""
    folder = place_of(root, OWN_FOLDER)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except (FileExistsError, NotADirectoryError):
        raise GenerationError(f"{folder} is a file where a folder is needed; move it out of the way.") from None
    except OSError as error:
        raise GenerationError(f"{folder} cannot be made or opened: {error.strerror}.") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def replace_all(root: Path, replacements: Iterable[Replacement], intend: bytes, place: Path) -> tuple[str, ...]:
    """Put every file in its place, or none; the folders made for them, relative to `root`.

    All new contents stand on the disk under temporary names first. Then `intend` is put at `place`, which tells a
    later run what was under way, and the files are renamed. An error before or in between puts back what was there
    and raises GenerationError; a kill leaves each file old or new.
    """
    changes = tuple(replacements)
    made: list[Path] = []
    done: list[Replacement] = []
    intended = Replacement(place, read(place))
    try:
        for change in changes:
            if change.content is not None:
                _make_folders(root.resolve(), change.place.parent, made)
                _write_temporary(change.place, change.content)
        replace(place, intend)
        # Put back as well: what is said to be under way would make a stranger's file count as apm's.
        done.append(intended)
        for change in changes:
            before = Replacement(change.place, read(change.place))
            _put(change)
            done.append(before)
        _flush_folders({change.place.parent for change in changes})
    except (OSError, GenerationError) as error:
        lost = _put_back(done)
        _clear(changes, made)
        what = str(error) if isinstance(error, GenerationError) else f"{error.filename or root}: {error.strerror}."
        end = f"These could not be put back: {', '.join(lost)}." if lost else "No file was changed."
        raise GenerationError(f"{what} {end}") from None
    return tuple(folder.relative_to(root.resolve()).as_posix() for folder in made)


def replace(place: Path, content: bytes) -> None:
    """Put a file in its place at one stroke; raises OSError."""
    place.parent.mkdir(parents=True, exist_ok=True)
    _write_temporary(place, content)
    _temporary(place).replace(place)
    _flush_folders({place.parent})


def sweep(folders: Iterable[Path]) -> None:
    """Take away temporary files that a killed run left; only who holds the lock may, or they may be in use."""
    for folder in folders:
        for left in folder.glob(f".*{TEMPORARY}"):
            with contextlib.suppress(OSError):
                left.unlink()


def remove_empty(root: Path, folders: Iterable[str]) -> tuple[str, ...]:
    """Take away those of the folders that are empty, the deepest first; the ones that are gone now."""
    gone = []
    for path in sorted(folders, key=lambda path: path.count("/"), reverse=True):
        folder = place_of(root, path)
        with contextlib.suppress(OSError):
            folder.rmdir()
        if not folder.exists():
            gone.append(path)
    return tuple(gone)


def _temporary(place: Path) -> Path:
    return place.with_name(f".{place.name}{TEMPORARY}")


def _write_temporary(place: Path, content: bytes) -> None:
    temporary = _temporary(place)
    temporary.unlink(missing_ok=True)  # left by a run that was killed
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
    with os.fdopen(descriptor, "wb") as file:
        with contextlib.suppress(FileNotFoundError):
            os.fchmod(descriptor, stat.S_IMODE(place.stat().st_mode))
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _put(change: Replacement) -> None:
    if change.content is None:
        change.place.unlink(missing_ok=True)
    else:
        _temporary(change.place).replace(change.place)


def _put_back(done: list[Replacement]) -> list[str]:
    """What was there before, the latest first; the files for which that failed too."""
    lost = []
    for before in reversed(done):
        try:
            if before.content is not None:
                _write_temporary(before.place, before.content)
            _put(before)
        except OSError:
            lost.append(str(before.place))
    return lost


def _clear(changes: Iterable[Replacement], made: list[Path]) -> None:
    for change in changes:
        with contextlib.suppress(OSError):
            _temporary(change.place).unlink(missing_ok=True)
    for folder in reversed(made):
        with contextlib.suppress(OSError):
            folder.rmdir()


def _make_folders(root: Path, folder: Path, made: list[Path]) -> None:
    missing = []
    while folder != root and not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        path.mkdir()
        made.append(path)


def _flush_folders(folders: Iterable[Path]) -> None:
    for folder in folders:
        if folder.is_dir():
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
