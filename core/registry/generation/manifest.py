"""`.apm/generated.json`: which files of a folder apm made, and what was in them when it did.

Written in one stroke, sorted, the same bytes for the same files: it belongs beside the files in version control.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from core.registry.generation import disk
from core.registry.generation.rendering import GenerationError

PATH = f"{disk.OWN_FOLDER}/generated.json"
VERSION = 1

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
RelativePath = Annotated[str, StringConstraints(pattern=r"^[^/\\\x00][^\\\x00]*$", max_length=1024)]


@dataclass(frozen=True, slots=True)
class Entry:
    """A file that apm made. `before` is the digest of what it replaces, and stands only while that is under way."""

    provider: str
    role: str
    digest: str
    before: str | None = None

    def is_of(self, digest: str) -> bool:
        return digest in (self.digest, self.before)


@dataclass(frozen=True, slots=True)
class Manifest:
    """`files` by path relative to the output folder; `folders` are those that apm made for them."""

    files: Mapping[str, Entry]
    folders: frozenset[str]

    def with_files(self, files: Mapping[str, Entry], without: Iterable[str] = ()) -> Manifest:
        gone = frozenset(without)
        kept = {path: entry for path, entry in {**self.files, **files}.items() if path not in gone}
        return replace(self, files=MappingProxyType(kept))

    def with_folders(self, folders: Iterable[str], without: Iterable[str] = ()) -> Manifest:
        return replace(self, folders=(self.folders | frozenset(folders)) - frozenset(without))

    @property
    def settled(self) -> Manifest:
        """Nothing under way any more."""
        files = {path: replace(entry, before=None) for path, entry in self.files.items()}
        return replace(self, files=MappingProxyType(files))

    def to_bytes(self) -> bytes:
        files = {
            path: {"provider": e.provider, "role": e.role, "digest": e.digest}
            | ({"before": e.before} if e.before else {})
            for path, e in self.files.items()
        }
        value = {"version": VERSION, "files": files, "folders": sorted(self.folders)}
        return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


EMPTY = Manifest(MappingProxyType({}), frozenset())


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _EntryFile(_Strict):
    provider: Annotated[str, Field(max_length=64)]
    role: Annotated[str, Field(max_length=64)]
    digest: Digest
    before: Digest | None = None


class _ManifestFile(_Strict):
    version: Literal[1]
    files: dict[RelativePath, _EntryFile]
    folders: tuple[RelativePath, ...] = ()


def read(root: Path) -> Manifest:
    """The folder's manifest, an empty one where there is none; raises GenerationError for one that cannot be used."""
    content = disk.read(disk.place_of(root, PATH))
    if content is None:
        return EMPTY
    mend = "restore it from version control, or delete it: files as apm made them are then known again"
    if any(line.startswith((b"<<<<<<< ", b">>>>>>> ")) for line in content.splitlines()):
        raise GenerationError(f"{root / PATH} holds the marks of a merge; take either side, or delete the file.")
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise GenerationError(f"{root / PATH} is not JSON ({error}); {mend}.") from None
    version = value.get("version") if isinstance(value, dict) else None
    if isinstance(version, int) and version > VERSION:
        raise GenerationError(f"{root / PATH} is of version {version}; this apm knows {VERSION}. Update apm.")
    try:
        file = _ManifestFile.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise GenerationError(f"{root / PATH}: {where}: {first['msg']}; {mend}.") from None
    files = {path: Entry(e.provider, e.role, e.digest, e.before) for path, e in file.files.items()}
    return Manifest(MappingProxyType(files), frozenset(file.folders))
