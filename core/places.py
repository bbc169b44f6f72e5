"""Where a workspace is. Found before anything is drawn, so nothing here loads the database."""

from __future__ import annotations

import os
from pathlib import Path

from core.contract import UsageError
from core.paths import real
from core.registry.sources import FILE_NAME as FILE

__all__ = ["FILE", "find", "why_none"]

DEMO = Path("state", "demo")
"""Where `apm demo` works, seen from the folder it was started in."""


def why_none(folder: Path) -> str:
    """What keeps a folder from being a workspace, and what to do about it; "" for nothing."""
    file = folder / FILE
    if file.is_file():
        return ""
    if file.exists():
        return f"{file} is no file; move it away, then `apm init {folder}` writes one."
    return f"{folder} is no workspace (it has no {FILE}); `apm init {folder}` makes it one."


def find(start: Path) -> Path:
    """The nearest workspace from a folder upward. Raises UsageError when there is none, and where it is another
    account's: what a workspace says is run, and who comes by has not asked for it."""
    for folder in (real(start), *real(start).parents):
        if (folder / FILE).is_file() and (folder / "state").is_dir():
            if os.geteuid() not in (0, folder.stat().st_uid):
                raise UsageError(
                    f"{folder} is another account's workspace; to use it all the same, name it by --workspace."
                )
            return folder
    demo = " The demo's is here: `apm --workspace state/demo`." if not why_none(start / DEMO) else ""
    raise UsageError(
        f"No workspace in {start} or above it; `apm init` makes one here, or name one with --workspace.{demo}"
    )
