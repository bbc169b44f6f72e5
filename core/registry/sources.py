"""The files that describe a team, as bytes: `agents.yaml`, and beside it the overlays `agents.d/*.yaml`.

Every start asks whether they are the ones that were imported last, so nothing here needs a parser.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from core.paths import real

FILE_NAME = "agents.yaml"
OVERLAYS = "agents.d"
MAX_BYTES = 4 * 2**20
"""Of `agents.yaml`, and of all overlays together."""
MAX_OVERLAYS = 64

_NOT_OURS = (".", "#", "~")
"""First letters of hidden files and of what editors leave beside a file; a name may end in a tilde as well."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The files' contents, read at one moment. Overlays are (name, content), sorted; a name is `agents.d/x.yaml`.

    `excess` says what was too much of `agents.d` to be read; such sources describe no team.
    """

    path: Path
    base: bytes
    overlays: tuple[tuple[str, bytes], ...] = ()
    excess: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 of the file's bytes; with overlays, of all names and contents."""
        whole = hashlib.sha256(self.base + self.excess.encode())
        for name, content in self.overlays:
            whole.update(f"\n{name}\n{hashlib.sha256(content).hexdigest()}\n".encode())
        return whole.hexdigest()


def read_sources(path: Path) -> Sources:
    """What describes the team of the `agents.yaml` at `path`. Raises OSError when that cannot be read."""
    return Sources(path, _read(path, MAX_BYTES), *_read_overlays(path.parent / OVERLAYS))


def is_overlay(name: str) -> bool:
    """Whether a file of `agents.d` with that name is one, going by the name alone."""
    return name.endswith(".yaml") and not name.startswith(_NOT_OURS) and not name.endswith("~.yaml")


def replace_file(path: Path, content: bytes, *, backup: bool = False) -> None:
    """Put new content in a file's place, whole or not at all; with `backup` the old one stays beside it as `.bak`.

    A file that is a link stays one: what it leads to is replaced. Raises OSError with everything as it was.
    """
    path = real(path)
    known = path.exists()
    if backup and known:
        _put(path.with_name(f"{path.name}.bak"), path.read_bytes(), path.stat().st_mode)
    _put(path, content, path.stat().st_mode if known else None)


def _put(path: Path, content: bytes, mode: int | None) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with draft.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if mode is not None:
            draft.chmod(stat.S_IMODE(mode))
        draft.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        # The draft's name says nothing to whoever named the file.
        raise OSError(error.errno, error.strerror, str(path)) from error


def _read_overlays(folder: Path) -> tuple[tuple[tuple[str, bytes], ...], str]:
    """Overlays by name, and what was too much. Links, folders and backups are none, nor is what a linked folder has."""
    if folder.is_symlink() or not folder.is_dir():
        return (), ""
    with os.scandir(folder) as entries:
        names = sorted(e.name for e in entries if is_overlay(e.name) and e.is_file(follow_symlinks=False))
    if len(names) > MAX_OVERLAYS:
        return (), f"holds {len(names)} overlays; {MAX_OVERLAYS} are read at most, so put some together"
    found, left = [], MAX_BYTES
    for name in names:
        content = _read(folder / name, left)
        left -= len(content)
        if left < 0:
            return (), f"holds more than {MAX_BYTES // 2**20} MB; nobody edits that"
        found.append((f"{OVERLAYS}/{name}", content))
    return tuple(found), ""


def _read(path: Path, most: int) -> bytes:
    """The file's content; one byte more than `most` of a larger one."""
    with path.open("rb") as stream:
        return stream.read(most + 1)
