"""The team's files are watched while the engine drives: what changes is brought in, what is broken changes nothing.

Only the holder of the lease watches, and what it brings in is fenced like every other write. Delegations read their
agent's row when they begin and phases take the catalog when they begin; what runs keeps what it began with.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.orchestration.lease import HeldStore, LeaseLost
from core.registry.documents import DocumentError
from core.registry.sources import FILE_NAME, OVERLAYS, is_overlay
from core.store.database import StoreError

if TYPE_CHECKING:
    from core.governance.team import Imported
    from core.workspace import Workspace

logger = logging.getLogger(__name__)

SETTLE_MS = 50
"""Changes that follow each other faster are one."""
LOOK_MS = 5_000
"""How often the files are looked at although nothing was heard: links lead elsewhere, and some disks tell nothing."""
PATIENCE_SECONDS = 1.0
"""How long a file may be broken before it is called so: some editors empty a file before they write it."""
REST_SECONDS = 2.0
"""How often the files are looked at where the system cannot watch them."""


@dataclass(frozen=True, slots=True)
class Reload:
    """What became of a change: `imported`, or a `fault` that says why nothing was."""

    imported: Imported | None = None
    fault: str = ""
    is_mended: bool = False
    """The files were broken when they were seen before."""

    def __str__(self) -> str:
        if self.imported is None:
            return f"The team stays as it was: {self.fault}"
        if not self.imported.changes.is_empty:
            return f"The team has changed: {_summary(self.imported)}."
        return (
            "The team's files are in order again." if self.is_mended else "Another apm has brought in the team's files."
        )


def _summary(imported: Imported) -> str:
    found = imported.changes
    counts = (
        (len(found.of("added")) + len(found.of("back")), "joined"),
        (len(found.of("changed")), "changed"),
        (len(found.of("inactive")), "left"),
        (len(found.sections), "setting" if len(found.sections) == 1 else "settings"),
        (len(found.kinds) + len(found.authority), "of authority"),
        (len(imported.questions), "to be asked about"),
    )
    return ", ".join(f"{count} {what}" for count, what in counts if count)


class Team:
    """The catalog that the engine goes by now, kept at what the files say while `follow` runs."""

    def __init__(self, workspace: Workspace, store: HeldStore) -> None:
        self.catalog = workspace.catalog
        self._ws, self._store = workspace, store
        digest = self.catalog.digest
        # An app that was opened on a broken file has a catalog once it is mended, and nobody has brought that in yet.
        self._seen = digest if workspace.good_digest() == digest else None
        self._is_broken = False
        self._listeners: list[Callable[[Reload], None]] = []

    def on_reload(self, listener: Callable[[Reload], None]) -> Callable[[], None]:
        """Call the listener, on the event loop, with every outcome; what it returns ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    async def follow(self) -> None:
        """Bring in every change of the files, until cancelled or until the lease is lost."""
        while True:
            try:
                async with aclosing(changes_of(self._ws.folder)) as changes:
                    async for _ in changes:
                        await self.look()
            except LeaseLost:
                # Whoever drives now watches now; the heartbeat tells the engine.
                return
            except Exception:
                # An engine that no longer follows its files would go by an old team without a word.
                logger.exception("the team's files cannot be followed for a moment")
                await asyncio.sleep(REST_SECONDS)

    async def look(self) -> None:
        """Bring in what has changed since the files were last looked at."""
        try:
            while (digest := await asyncio.to_thread(self._ws.digest)) != self._seen:
                if await self._take(digest):
                    return
        except StoreError as error:
            # The files are looked at again in a moment; the disk may have space by then.
            logger.warning("the team's files cannot be brought in for a moment: %s", error)

    async def _take(self, digest: str | None) -> bool:
        """Bring in the files as they are, or refuse them; False when they have changed meanwhile."""
        try:
            catalog = await asyncio.to_thread(self._ws.load_team)
        except DocumentError as error:
            await asyncio.sleep(PATIENCE_SECONDS)
            if await asyncio.to_thread(self._ws.digest) != digest:
                return False
            why = str(error)
            await self._store.write(lambda tx: self._ws.refuse(tx, digest, why))
            self._is_broken = True
            self._tell(Reload(fault=why))
        else:
            imported = await self._store.write(lambda tx: self._ws.bring_in(tx, catalog))
            if imported is None:
                return False
            is_mended, others = self._is_broken, catalog.digest != self.catalog.digest
            self.catalog, self._is_broken = catalog, False
            if is_mended or not imported.changes.is_empty or (others and not imported.is_new):
                self._tell(Reload(imported, is_mended=is_mended))
        self._seen = digest
        return True

    def _tell(self, reload: Reload) -> None:
        logger.warning("%s", reload)
        for listener in tuple(self._listeners):
            try:
                listener(reload)
            except Exception:
                # What was brought in stays so, whoever cannot hear of it.
                logger.exception("a listener could not take in what became of the team's files")


async def until_changed(workspace: Workspace, before: str | None) -> None:
    """Return once the team's files are others than those with the digest `before`."""
    async with aclosing(changes_of(workspace.folder)) as changes:
        async for _ in changes:
            if await asyncio.to_thread(workspace.digest) != before:
                return


async def changes_of(folder: Path) -> AsyncGenerator[None, None]:
    """Something may have changed in the team's files: at once, after every change, and every few seconds."""
    # It takes a moment to import, in which the loop has other things to do.
    watchfiles: Any = await asyncio.to_thread(importlib.import_module, "watchfiles")
    while True:
        paths = _watched(folder)
        try:
            watching = watchfiles.awatch(
                *paths,
                recursive=False,
                watch_filter=_is_ours,
                step=SETTLE_MS,
                rust_timeout=LOOK_MS,
                yield_on_timeout=True,
            )
            async with aclosing(_heard(watching)) as heard:
                async for _ in heard:
                    yield
                    if _watched(folder) != paths:
                        break
        except (OSError, RuntimeError) as error:
            logger.info("the team's files cannot be watched, so they are looked at now and then: %s", error)
            yield
            await asyncio.sleep(REST_SECONDS)


async def _heard(watching: AsyncGenerator[Any, None]) -> AsyncGenerator[None, None]:
    """Once when the watch stands, so that what happened before is looked for; then whenever it hears something."""
    while True:
        hearing = asyncio.ensure_future(anext(watching))
        try:
            # The watch is set up in the first step of waiting.
            await asyncio.sleep(0)
            yield
            await hearing
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)


def _watched(folder: Path) -> tuple[Path, ...]:
    overlays = folder / OVERLAYS
    return (folder, overlays) if overlays.is_dir() and not overlays.is_symlink() else (folder,)


def _is_ours(_: object, path: str) -> bool:
    name = Path(path).name
    return name in (FILE_NAME, OVERLAYS) or (Path(path).parent.name == OVERLAYS and is_overlay(name))
