"""A new store for a test: the migrations are run once in a process, and what they made is copied from then on."""

from __future__ import annotations

import functools
import shutil
import tempfile
from pathlib import Path
from typing import Any

from core.store.store import Store

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
