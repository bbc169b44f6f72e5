"""A workspace: the folder with `agents.yaml` and `state/`, opened."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.contract import UsageError, canonical_json
from core.store.schema import Setting
from core.store.store import Store

if TYPE_CHECKING:
    from core.registry.catalog import Catalog

FILE = "agents.yaml"


@dataclass
class Workspace:
    """One open workspace. Close it, or use it as a context manager."""

    folder: Path
    store: Store
    _closed: bool = field(default=False, repr=False)

    @classmethod
    def open(cls, folder: Path) -> Workspace:
        """Open an existing workspace and bring its registry up to date with `agents.yaml`.

        Raises UsageError when the folder is none, CatalogError when its file is broken, StoreError when its
        database cannot serve.
        """
        folder = folder.resolve()
        if not (folder / FILE).is_file():
            raise UsageError(f"{folder} is no workspace (it has no {FILE}); `apm init {folder}` makes it one.")
        workspace = cls(folder, Store.open(folder / "state"))
        try:
            workspace.update_registry()
        except BaseException:
            workspace.close()
            raise
        return workspace

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def id(self) -> str:
        """What marks this workspace's processes: stable as long as its journal key is."""
        return hashlib.sha256(self.store.key + b"workspace").hexdigest()[:16]

    @cached_property
    def catalog(self) -> Catalog:
        from core.registry.catalog import load

        return load(self.folder / FILE)

    @property
    def cassette(self) -> Path | None:
        """The recorded responses that the replay runtime plays here, if any."""
        value = self.setting("cassette")
        return None if value is None else Path(value)

    def setting(self, key: str) -> Any:
        """A setting's value; None where it was never set."""
        row = self.store.read_now(lambda r: r.one(Setting.select(Setting.value).where(Setting.key == key)))
        return None if row is None else json.loads(row[0])

    def set(self, key: str, value: Any) -> None:
        text = canonical_json(value)

        def put(tx: Any) -> None:
            known = tx.one(Setting.select(Setting.key).where(Setting.key == key))
            if known is None:
                tx.insert(Setting, key=key, value=text)
            else:
                tx.update(Setting, key, value=text)
            tx.event("setting.changed", key=key)

        self.store.write_now(put)

    def update_registry(self) -> None:
        """Import `agents.yaml` when it is not the one that was imported last."""
        digest = hashlib.sha256((self.folder / FILE).read_bytes()).hexdigest()
        if self.setting("agents.digest") == digest:
            return
        # The catalog's schema takes 0.1 s to import, which no start pays for while the file is the same.
        from core.registry.importing import import_catalog

        self.__dict__.pop("catalog", None)
        catalog = self.catalog
        self.store.write_now(lambda tx: import_catalog(tx, catalog))
        self.set("agents.digest", digest)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self.store.close()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def find(start: Path) -> Path:
    """The nearest workspace from a folder upward. Raises UsageError when there is none."""
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / FILE).is_file() and (folder / "state").is_dir():
            return folder
    raise UsageError(f"No workspace in {start} or above it; `apm init` makes one here, or name one with --workspace.")


def create(folder: Path) -> Path:
    """A new workspace with the agents that come with apm; the folder. An existing one is left as it is."""
    from core.registry.catalog import default_path

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "state" / "inbox").mkdir(parents=True, exist_ok=True)
    (folder / "state" / ".gitignore").write_text("*\n", encoding="utf-8")
    target = folder / FILE
    if not target.exists():
        draft = target.with_suffix(".yaml.new")
        draft.write_bytes(default_path().read_bytes())
        draft.rename(target)
    return folder
