"""What a person can do about an error of the operating system, by its number."""

from __future__ import annotations

import errno

NO_SPACE = "free some space, then try again"
READ_ONLY = "give yourself write permission there (it may be mounted read-only), then try again"
TOO_MANY_FILES = "allow more open files (`ulimit -n 1024`), then try again"
BAD_DISK = "see that the disk is there and has space, then try again"

_REMEDIES = {
    errno.ENOSPC: NO_SPACE,
    errno.EDQUOT: NO_SPACE,
    errno.EFBIG: "allow larger files (`ulimit -f unlimited`), then try again",
    errno.EROFS: READ_ONLY,
    errno.EACCES: READ_ONLY,
    errno.EPERM: READ_ONLY,
    errno.EMFILE: TOO_MANY_FILES,
    errno.ENFILE: TOO_MANY_FILES,
    errno.EIO: BAD_DISK,
}


def remedy(error: OSError) -> str:
    """What to do, in words that follow a colon; "" where the error itself says all that is known."""
    return _REMEDIES.get(error.errno or 0, "")


def told(error: OSError) -> str:
    """The error as a sentence: what, where, and what to do."""
    where = f": {error.filename}" if error.filename else ""
    what = remedy(error)
    return f"{error.strerror or error}{where}{f'; {what}' if what else ''}."
