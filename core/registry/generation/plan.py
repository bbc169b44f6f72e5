"""What generation would do to a folder, file by file, and doing it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from core.registry.generation import disk, section
from core.registry.generation.manifest import PATH, Entry, Manifest
from core.registry.generation.providers import Provider
from core.registry.generation.rendering import (
    GenerationError,
    RenderedFile,
    digest_of_text,
    paths_of,
    places_of,
    render,
)
from core.registry.generation.subjects import Subject

Status = Literal["new", "missing", "unchanged", "changed", "edited", "foreign", "orphan", "edited-orphan"]
"""How a file stands:

new: not there yet. missing: made before, and gone. unchanged: as it should be. changed: as apm made it, and its agent
has changed since. edited: changed by hand since apm made it. foreign: there, and not made by apm. orphan: made by apm
and no longer wanted. edited-orphan: an orphan that somebody has changed.
"""

WRITTEN: frozenset[Status] = frozenset({"new", "missing", "changed"})
HELD_BACK: frozenset[Status] = frozenset({"edited", "foreign"})

DIFF_LINES = 400
DIFF_SIZE = 400_000
"""Characters of either side up to which lines are compared; beyond it takes minutes."""


@dataclass(frozen=True, slots=True)
class Item:
    """One file. `found` and `wanted` are texts of the unit that apm owns: the file, or its section of one."""

    path: str
    role: str
    status: Status
    place: Path
    found: str | None
    wanted: str | None
    content: bytes | None
    """The whole file as it is to be."""

    @property
    def entry_digest(self) -> str:
        return digest_of_text(self.wanted or "")

    def diff(self) -> str:
        """From what is there to what is wanted, as a unified diff of bounded length."""
        found, wanted = self.found or "", self.wanted or ""
        if max(len(found), len(wanted)) > DIFF_SIZE:
            return f"{self.path}: {len(found):,} characters there, {len(wanted):,} generated; too long to compare\n"
        lines = list(
            difflib.unified_diff(
                found.splitlines(keepends=True),
                wanted.splitlines(keepends=True),
                f"{self.path} (there)",
                f"{self.path} (generated)",
            )
        )
        more = [f"… {len(lines) - DIFF_LINES} more lines\n"] if len(lines) > DIFF_LINES else []
        return "".join(line if line.endswith("\n") else line + "\n" for line in [*lines[:DIFF_LINES], *more])


@dataclass(frozen=True, slots=True)
class Plan:
    """A provider's files in a folder, by path; `gone` are those in the manifest that nobody wants or has any more."""

    provider: str
    root: Path
    items: tuple[Item, ...]
    gone: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Paths that were written, taken away, and left alone because somebody else's words are in them."""

    written: tuple[str, ...]
    pruned: tuple[str, ...]
    refused: tuple[str, ...]


def make(
    provider: Provider,
    subjects: Sequence[Subject],
    root: Path,
    manifest: Manifest,
    roles: frozenset[str] | None = None,
) -> Plan:
    """Compare what a provider should have with the manifest and the disk; reads only.

    With `roles` only their files are looked at. Raises GenerationError.
    """
    wanted = [_wanted(provider, file, root, manifest) for file in render(provider, subjects, roles)]
    keep = {provider.file.path} if provider.is_section else set(paths_of(provider, subjects))
    # A manifest comes along with a clone: what it names is apm's only where this provider writes such a file.
    unwanted = {
        path: _orphan(path, entry, root)
        for path, entry in manifest.files.items()
        if entry.provider == provider.name and path not in keep and path in places_of(provider, entry.role)
        if roles is None or entry.role in roles
    }
    items = [*wanted, *(item for item in unwanted.values() if item is not None)]
    gone = tuple(path for path, item in unwanted.items() if item is None)
    return Plan(provider.name, root, tuple(sorted(items, key=lambda item: item.path)), gone)


def _wanted(provider: Provider, file: RenderedFile, root: Path, manifest: Manifest) -> Item:
    place = disk.place_of(root, file.path, may_be_link=provider.is_section)
    bytes_there = disk.read(place)
    there = None if bytes_there is None else bytes_there.decode("utf-8", "surrogateescape")
    if provider.is_section:
        found, whole = _in_section(provider, file, there, root)
    else:
        found, whole = there, file.text
    entry = manifest.files.get(file.path)
    status = _status(file, found, entry if entry and entry.provider == provider.name else None)
    return Item(file.path, file.role, status, place, found, file.text, whole.encode("utf-8", "surrogateescape"))


def _in_section(provider: Provider, file: RenderedFile, there: str | None, root: Path) -> tuple[str | None, str]:
    try:
        parts = section.split(there or "")
    except section.BrokenMarks as error:
        raise GenerationError(f"{root / file.path} {error}; mend the marks or remove them all.") from None
    whole = section.joined(parts, file.text)
    size, limit = len(whole.encode("utf-8", "surrogateescape")), provider.file.limits.file_bytes
    if limit is not None and size > limit:
        raise GenerationError(
            f"{root / file.path} would be {size:,} bytes long, {len(file.text.encode()):,} of them apm's section, and"
            f" {limit:,} are read; generate fewer agents, or shorten the rest of the file."
        )
    return parts.section, whole


def _status(file: RenderedFile, found: str | None, entry: Entry | None) -> Status:
    if found is None:
        return "missing" if entry else "new"
    digest = digest_of_text(found)
    if digest == file.digest:
        return "unchanged"
    if entry is None:
        return "foreign"
    return "changed" if entry.is_of(digest) else "edited"


def _orphan(path: str, entry: Entry, root: Path) -> Item | None:
    """None for a file that is gone already, or has become a link to another."""
    if (root / path).is_symlink():
        return None
    place = disk.place_of(root, path)
    content = disk.read(place)
    if content is None:
        return None
    found = content.decode("utf-8", "surrogateescape")
    status: Status = "orphan" if entry.is_of(digest_of_text(found)) else "edited-orphan"
    return Item(path, entry.role, status, place, found, None, None)


def write(plan: Plan, manifest: Manifest, *, force: bool = False, prune: bool = False) -> tuple[Outcome, Manifest]:
    """Bring the folder to the plan, whole or not at all; what was done, and the manifest that is on the disk now.

    What somebody wrote by hand is left alone without `force`; orphans are taken away with `prune` only.
    """
    items = [i for i in plan.items if i.status in WRITTEN or (force and i.status in HELD_BACK)]
    taken = [i for i in plan.items if prune and (i.status == "orphan" or (force and i.status == "edited-orphan"))]
    left = {"edited-orphan"} if prune and not force else set()
    refused = [i.path for i in plan.items if (not force and i.status in HELD_BACK) or i.status in left]
    after = manifest.with_files(
        {i.path: Entry(plan.provider, i.role, i.entry_digest, _before(i)) for i in items}
        | {i.path: Entry(plan.provider, i.role, i.entry_digest) for i in plan.items if i.status == "unchanged"},
        without=plan.gone,
    )
    disk.sweep({item.place.parent for item in plan.items})
    replacements = [disk.Replacement(i.place, i.content) for i in (*items, *taken)]
    folders = _folders_written(plan, replacements, after) if replacements else ()
    after = after.settled.with_files({}, without=[i.path for i in taken]).with_folders(folders)
    if taken:
        emptied = {parent.as_posix() for i in taken for parent in PurePosixPath(i.path).parents}
        after = after.with_folders((), without=disk.remove_empty(plan.root, after.folders & emptied))
    _save(plan.root, manifest, after, was_intended=bool(replacements))
    return Outcome(tuple(i.path for i in items), tuple(i.path for i in taken), tuple(refused)), after


def _folders_written(plan: Plan, replacements: Sequence[disk.Replacement], intended: Manifest) -> tuple[str, ...]:
    return disk.replace_all(plan.root, replacements, intended.to_bytes(), disk.place_of(plan.root, PATH))


def _before(item: Item) -> str | None:
    return None if item.found is None else digest_of_text(item.found)


def _save(root: Path, before: Manifest, after: Manifest, *, was_intended: bool) -> None:
    if not was_intended and after.to_bytes() == before.to_bytes():
        return
    try:
        disk.replace(disk.place_of(root, PATH), after.to_bytes())
    except OSError as error:
        raise GenerationError(f"{root / PATH} cannot be written: {error.strerror}.") from None
