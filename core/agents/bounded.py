"""Reading what a branch, or what ran on it, has left: through no link, waiting for no pipe, and never without end."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from core.contract import ApmError
from core.sanitise import one_line

MOST_BYTES = 8 * 2**20
"""Of a settings file; reports of tools have limits of their own."""

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class Unreadable(ApmError):
    """A file that is there and is not read. The message says which, why, and what to do."""


def read_bytes(path: Path, most: int = MOST_BYTES) -> bytes | None:
    """A regular file's content; None where nothing has its name.

    Raises Unreadable for a link, for anything else that is no regular file, and for more than `most` bytes.
    """
    try:
        handle = os.open(path, _FLAGS)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        why = "is a link" if error.errno == errno.ELOOP else f"cannot be opened ({error.strerror})"
        raise _unreadable(path, why) from error
    try:
        known = os.fstat(handle)
        if not stat.S_ISREG(known.st_mode):
            raise _unreadable(path, "is no regular file")
        # Asked first: a sparse file costs nothing to make and all of the memory to read.
        if known.st_size > most:
            raise _unreadable(path, f"has more than {most:,} bytes")
        with os.fdopen(handle, "rb", closefd=False) as file:
            content = file.read(most + 1)
    finally:
        os.close(handle)
    if len(content) > most:
        raise _unreadable(path, f"has more than {most:,} bytes")
    return content


def read_text(path: Path, most: int = MOST_BYTES) -> str | None:
    """The same as text; what is no UTF-8 is replaced."""
    content = read_bytes(path, most)
    return None if content is None else content.decode("utf-8", errors="replace")


def _unreadable(path: Path, why: str) -> Unreadable:
    return Unreadable(f"{one_line(path.name)} {why} and is not read; remove it, or put a plain file in its place.")
