"""Decisions that people drop as files into `state/inbox/`: each is applied or refused once, and moved away.

Only the holder of the lease looks there, and what it applies is fenced like every other write. A file is read when it
is whole: one that is no JSON yet gets a moment from when it was last written to, in case whoever writes it has not come
to its end.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import importlib
import logging
import os
import stat
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.governance import human_decisions
from core.governance.decision_documents import (
    MOST_BYTES,
    DecisionsRejected,
    Document,
    EntryProblem,
    NotWhole,
    parse,
    text_digest,
)
from core.governance.human_decisions import AlreadyApplied
from core.orchestration.lease import HeldStore, LeaseLost
from core.sanitise import one_line
from core.store.database import StoreError

logger = logging.getLogger(__name__)

FOLDER = "inbox"
APPLIED, REJECTED = "applied", "rejected"
SUFFIX = ".json"
REASONS = ".reasons.txt"

SETTLE_MS = 50
"""Changes that follow each other faster are one."""
LOOK_MS = 5_000
"""How often the folder is looked at although nothing was heard: some disks tell nothing."""
PATIENCE_SECONDS = 1.0
"""How long a file may be no JSON before it is called broken: it may still be being written."""
REST_SECONDS = 2.0
"""How often the folder is looked at where the system cannot watch it."""
MOST_COPIES = 10_000
"""Files of one name that `applied/` and `rejected/` keep apart."""

MOST_NAME = 200
"""Bytes of a name that are kept, so that what is put beside the file can be named after it."""

Signature = tuple[int, int, int]
"""Inode, size and time of change: another signature is another content, or another permission to read it."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A file in the inbox as it was seen."""

    path: Path
    signature: Signature

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def size(self) -> int:
        return self.signature[1]


@dataclass(frozen=True, slots=True)
class _Content:
    """What a file holds: a document, or why it is none. Without a digest it was too large to be read."""

    digest: str | None
    document: Document | None = None
    fault: DecisionsRejected | None = None


class Inbox:
    """The folder `inbox/` of a workspace's state.

    What was applied or refused is an event, and so a notice. `tell` takes a line about what is neither: files that stay
    where they are, and one that is only moved.
    """

    def __init__(self, store: HeldStore, state: Path, tell: Callable[[str], None]) -> None:
        self._store, self._tell = store, tell
        self._state = state
        self._folder = state / FOLDER
        self._told: dict[str, Signature] = {}
        """Files that stay where they are, as they were when that was told."""
        self._refused: dict[str, Signature] = {}
        """Files whose refusal is on record: one that cannot be moved away is met again at every look."""
        self._fault = ""
        self._turn = asyncio.Lock()
        """Whoever ends looks once more while the folder is followed: no file is dealt with by both."""
        self._strange: dict[str, bool] = {}
        """Names that are no decisions, and whether they were seen more than once."""

    async def follow(self) -> None:
        """Deal with every file that comes, until cancelled or until the lease is lost."""
        # It takes a moment to import, in which the loop has other things to do.
        watchfiles: Any = await asyncio.to_thread(importlib.import_module, "watchfiles")
        while True:
            try:
                await self._watch(watchfiles)
            except LeaseLost:
                return
            except Exception as error:
                self._log(error)
                try:
                    await self.look()
                except LeaseLost:
                    return
                except Exception as also:
                    self._log(also)
                await asyncio.sleep(REST_SECONDS)

    def _log(self, error: Exception) -> None:
        """Say once why the folder cannot be watched: whoever watches goes on trying."""
        why = f"{type(error).__name__}: {error}"
        if why != self._fault:
            self._fault = why
            expected = isinstance(error, OSError | RuntimeError)
            logger.warning("the inbox is only looked at now and then: %s", why, exc_info=None if expected else error)

    async def _watch(self, watchfiles: Any) -> None:
        """Look at once and after every change, until the folder is another one."""
        await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True)
        watched = _identity(self._folder)
        changes = watchfiles.awatch(
            self._folder,
            recursive=False,
            watch_filter=None,
            step=SETTLE_MS,
            rust_timeout=LOOK_MS,
            yield_on_timeout=True,
        )
        async with aclosing(changes) as heard:
            while _identity(self._folder) == watched:
                hearing = asyncio.ensure_future(anext(heard))
                try:
                    # The watch is set up in the first step of waiting: what came before it is found by looking.
                    await asyncio.sleep(0)
                    await self.look()
                    await hearing
                finally:
                    hearing.cancel()
                    await asyncio.gather(hearing, return_exceptions=True)

    async def look(self, *, last: bool = False) -> None:
        """Deal with the files that are there, in the order of their names, and wait for those that are not whole yet.

        The `last` look of whoever ends waits once: a file that still grows is left for the next one.
        """
        waited: dict[str, Signature] = {}
        while True:
            async with self._turn:
                growing = await self._look_once(waited)
            if not growing or (last and waited):
                return
            await asyncio.sleep(max(seconds for _, seconds in growing))
            waited = {file.name: file.signature for file, _ in growing}

    async def _look_once(self, waited: dict[str, Signature]) -> list[tuple[Dropped, float]]:
        """Deal with what is whole, or was waited for; the files that are neither, and how long to wait for each."""
        growing: list[tuple[Dropped, float]] = []
        for file in await asyncio.to_thread(self._files):
            if seconds := await self._deal_with(file, is_patient=waited.get(file.name) != file.signature):
                growing.append((file, seconds))
        return growing

    def _files(self) -> list[Dropped]:
        """The decisions files that are there. Links, folders, hidden and other files are left alone."""
        found: list[Dropped] = []
        strange: set[str] = set()
        if not self._folder.is_dir():
            return []
        for path in sorted(self._folder.iterdir(), key=lambda path: path.name):
            seen = _seen(path)
            if path.name.startswith(".") or seen is None:
                continue
            if path.suffix.lower() == SUFFIX:
                found.append(Dropped(path, seen))
            else:
                strange.add(path.name)
        self._told = {file.name: seen for file in found if (seen := self._told.get(file.name)) is not None}
        self._notice(strange)
        return found

    def _notice(self, strange: set[str]) -> None:
        """Tell once of files that are no decisions; whoever writes one for a moment only is not told of it."""
        for name in sorted(name for name in strange if self._strange.get(name) is False):
            self._tell(f"{one_line(name)} in the inbox is left alone: decisions are files that end in {SUFFIX}.")
        self._strange = {name: name in self._strange for name in strange}

    async def _deal_with(self, file: Dropped, *, is_patient: bool) -> float:
        """Apply or refuse a file and move it away; the seconds it needs to become whole, 0 when it is dealt with."""
        try:
            content = await asyncio.to_thread(_read, file)
            if isinstance(content.fault, NotWhole) and is_patient and (patience := _patience(file.path)):
                return patience
            await self._decide(file, content)
        except _Changed:
            return PATIENCE_SECONDS
        except OSError as error:
            self._stay(file, f"cannot be read or moved: {(error.strerror or str(error)).lower()}")
        except StoreError as error:
            # It is dealt with at a later look; the disk may have space by then.
            logger.warning("%s in the inbox cannot be dealt with for a moment: %s", one_line(file.name), error)
        return 0.0

    async def _decide(self, file: Dropped, content: _Content) -> None:
        document = content.document
        if document is None:
            assert content.fault is not None
            await self._reject(file, content.digest, content.fault)
            return
        try:
            applied = await self._store.write(lambda tx: human_decisions.apply(tx, document, source=file.name))
            agents = applied.agents
        except AlreadyApplied as error:
            if await asyncio.to_thread(_is_kept, self._folder / APPLIED, document.digest, file.size):
                await self._reject(file, document.digest, error)
                return
            # Applied, by this process before it was stopped or by a command, and never moved.
            agents = await self._store.read(lambda r: human_decisions.agents_of(r, document))
            self._tell(f"{one_line(str(error), 300)}.")
        except DecisionsRejected as error:
            await self._reject(file, document.digest, error)
            return
        await self._regenerate(agents)
        await asyncio.to_thread(_move, file, self._folder / APPLIED)
        logger.info("%s in the inbox was applied: %s decisions", one_line(file.name), len(document.entries))

    async def _regenerate(self, agents: tuple[str, ...]) -> None:
        """Make the generated files of these agents anew; the decisions hold whether or not that works."""
        if not agents:
            return
        from core.governance.scope.effects import regenerate

        try:
            await asyncio.to_thread(regenerate, self._store.store, self._state.parent, agents)
        except Exception:
            logger.exception("generated files of %s could not be made anew", ", ".join(agents))

    async def _reject(self, file: Dropped, digest: str | None, fault: DecisionsRejected) -> None:
        problems = fault.problems
        if self._refused.get(file.name) != file.signature:
            name = one_line(file.name)
            await self._store.write(
                lambda tx: human_decisions.record_rejection(tx, name=name, digest=digest, problems=problems)
            )
            self._refused[file.name] = file.signature
        reasons = "".join(f"{problem.told()}\n" for problem in problems)
        head = f"{one_line(file.name)} was refused as a whole on {_now()}; nothing of it was done.\n\n"
        await asyncio.to_thread(_move, file, self._folder / REJECTED, head + reasons)
        self._refused.pop(file.name, None)
        logger.info("%s in the inbox was refused: %s", one_line(file.name), one_line(str(problems[0]), 300))

    def _stay(self, file: Dropped, why: str) -> None:
        """Say once that a file stays where it is, until it is another one. It is tried again at every look."""
        if self._told.get(file.name) != file.signature:
            self._told[file.name] = file.signature
            self._tell(f"{one_line(file.name)} stays in the inbox: it {why}.")


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _patience(path: Path) -> float:
    """How many seconds a file may still be being written; all of them when its time is yet to come: clocks are put."""
    try:
        age = time.time() - path.lstat().st_mtime
    except OSError:
        return PATIENCE_SECONDS
    return PATIENCE_SECONDS if age < 0 else max(PATIENCE_SECONDS - age, 0.0)


def _seen(path: Path) -> Signature | None:
    """A regular file's signature; None for everything else."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return _signature(found) if stat.S_ISREG(found.st_mode) else None


def _signature(found: os.stat_result) -> Signature:
    return found.st_ino, found.st_size, found.st_ctime_ns


class _Changed(Exception):
    """The file is not the one that was seen any more."""


def _read(file: Dropped) -> _Content:
    """What the file holds. Raises _Changed when it is another one meanwhile, OSError when it cannot be read."""
    if file.size > MOST_BYTES:
        why = f"the file has {file.size} bytes; {MOST_BYTES // 2**20} MB are the most"
        return _Content(None, fault=DecisionsRejected([EntryProblem(None, why)]))
    # A name that has become a link or a pipe since it was seen is neither followed nor waited for.
    try:
        opened = os.open(file.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise _Changed from None
    with os.fdopen(opened, "rb") as stream:
        before = _signature(os.fstat(opened))
        content = stream.read(MOST_BYTES + 1)
        if not before == file.signature == _signature(os.fstat(opened)):
            raise _Changed
    return _content(content)


def _content(content: bytes) -> _Content:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        digest = hashlib.sha256(content).hexdigest()
        return _Content(digest, fault=NotWhole(f"the file is not UTF-8 text (byte {error.start})"))
    try:
        return _Content(text_digest(text), parse(text))
    except DecisionsRejected as error:
        return _Content(text_digest(text), fault=error)


def _is_kept(folder: Path, digest: str, size: int) -> bool:
    """Whether a file with this content lies in the folder already."""
    try:
        same_size = [
            path for path in folder.iterdir() if path.suffix.lower() == SUFFIX and path.lstat().st_size == size
        ]
    except FileNotFoundError:
        return False
    return any(_content(path.read_bytes()).digest == digest for path in same_size)


def _move(file: Dropped, folder: Path, reasons: str | None = None) -> Path:
    """Move a file into a folder under a name that is free there, with the reasons beside it; where it is now.

    Raises OSError when it cannot be, and _Changed when the file is not the one that was read: that one stays.
    """
    folder.mkdir(exist_ok=True)
    target = _reserved(folder, file.name)
    try:
        if reasons is not None:
            _write_whole(target.with_name(target.name + REASONS), reasons)
        if _seen(file.path) != file.signature:
            raise _Changed
        file.path.replace(target)
    except BaseException:
        target.unlink(missing_ok=True)
        target.with_name(target.name + REASONS).unlink(missing_ok=True)
        raise
    return target


def _reserved(folder: Path, name: str) -> Path:
    """A free name, held by an empty file that the move replaces: a plain rename would overwrite without a word."""
    stem, suffix = Path(name).stem, Path(name).suffix
    stem = os.fsdecode(os.fsencode(stem)[:MOST_NAME])
    for copy in range(1, MOST_COPIES):
        target = folder / (f"{stem}{suffix}" if copy == 1 else f"{stem}.{copy}{suffix}")
        if os.path.lexists(target.with_name(target.name + REASONS)):
            continue
        try:
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            continue
        return target
    raise FileExistsError(errno.EEXIST, f"{folder.name}/ has {MOST_COPIES} files of this name")


def _write_whole(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.tmp")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
