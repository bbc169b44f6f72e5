"""The JSON files that a release leaves behind: each is there whole, or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from glob import escape
from pathlib import Path

from core.contract import Json

CHUNK = 2**20


def write_json(path: Path, value: Json) -> None:
    """Write a file so that a kill at any moment leaves the old one or the new one, on disk and not in a cache.

    What a killed write of the same file had begun goes with this one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for begun in path.parent.glob(f".{escape(path.name)}.*"):
        begun.unlink(missing_ok=True)
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def read_json(path: Path) -> Json | None:
    """The object in a file; None when there is no file, or none that reads as one."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _sync_folder(folder: Path) -> None:
    """Without this the new name itself may not survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
