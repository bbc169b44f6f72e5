"""New stores and workspaces for tests: each is made once in a process, and what was made is copied from then on."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core import workspace as workspaces
from core.store.store import Store
from core.workspace import Workspace

DATABASE = "apm.db"


def fresh_store(state: Path, **options: Any) -> Store:
    """The store of the folder, made where there is none; the options are those of `Store.open`."""
    state.mkdir(parents=True, exist_ok=True)
    if not (state / DATABASE).exists():
        (state / DATABASE).write_bytes(_migrated())
    return Store.open(state, **options)


@functools.cache
def _migrated() -> bytes:
    folder = Path(tempfile.mkdtemp(prefix="apm-fresh-"))
    try:
        Store.open(folder).close()
        return (folder / DATABASE).read_bytes()
    finally:
        shutil.rmtree(folder)


def copied(make: Callable[[Path], object], folder: Path) -> Path:
    """The folder with what `make` puts into an empty one. Copies of a workspace share their journal's key."""
    shutil.copytree(_made(make), folder, dirs_exist_ok=True)
    return folder


@functools.cache
def _made(make: Callable[[Path], object]) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="apm-fresh-"))
    atexit.register(shutil.rmtree, folder)
    make(folder)
    return folder


def fresh_workspace(folder: Path) -> Path:
    """The folder as a workspace that the team which comes with apm was brought into."""
    return copied(_open_new, folder)


def _open_new(folder: Path) -> None:
    Workspace.open(workspaces.create(folder)).close()
