"""Opening a workspace's database: by URL, migrated, and never newer than this code."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from peewee import Database, DatabaseError, OperationalError, SqliteDatabase

from core.contract import ApmError
from core.paths import real
from core.remedies import told
from core.store.schema import NEWEST

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_TIMEOUT_MS = 10_000
PAGE_BYTES = 8_192
"""Of a new database; an old one keeps its own. An agent's answer is half a kilobyte and more: on pages of 4,096 bytes a
seventh of the file stays empty."""
REPLACED = (
    "{path} is not the file that this apm opened: it was deleted, or another was put in its place. Nothing of this "
    "change was written: end every apm that is open on it, put the right file there with its -wal, and open apm again."
)
MIGRATED = "schema.migrated"
"""The event that says at which place of a journal the schema changed: {"migrations": [names]}."""


FAILURES = (DatabaseError, sqlite3.DatabaseError)
"""What a database fails with: by statement as peewee's errors, by row as those of the driver itself."""


class StoreError(ApmError):
    """The database cannot serve: full, read-only, damaged, locked, or newer than this code."""


class OpenedFiles:
    """The database and its log as this process has opened them.

    Whatever becomes of their names, what is open goes on to be written and read: a deed that was confirmed would stand
    in a file that nobody finds again. And who opens what has the name by then writes over the log of both.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._own = path, _identity(path)
        self.log = path.with_name(f"{path.name}-wal")
        self._own_log: tuple[int, int] | None = None

    def check(self, *, is_writing: bool = False) -> None:
        """Raises StoreError where another file has the name, or none. `is_writing` while a write lock is held: then the
        log is there, and stays the same until this process closes."""
        is_same = _identity(self._path) == self._own
        if is_same and is_writing:
            found = _identity(self.log)
            self._own_log = self._own_log or found
            is_same = found == self._own_log
        if not is_same:
            raise StoreError(REPLACED.format(path=self._path))


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


def connect(url: str, *, synchronous: str = "full") -> Database:
    """An unopened database for the URL, with the pragmas that durability rests on.

    Only `sqlite:///` is served today; another scheme is refused by name.
    """
    scheme = urlsplit(url).scheme
    if scheme != "sqlite":
        raise StoreError(f"The database URL begins with {scheme!r}; this version serves sqlite:///PATH.")
    return SqliteDatabase(
        url.removeprefix("sqlite:///"),
        lock_type="IMMEDIATE",
        pragmas={
            "page_size": PAGE_BYTES,
            "journal_mode": "wal",
            "synchronous": synchronous,
            "foreign_keys": 1,
            "busy_timeout": BUSY_TIMEOUT_MS,
            "cache_size": -32_000,
        },
        # Each thread has its own; whoever ends closes those of the threads that are gone.
        check_same_thread=False,
    )


def prepare(url: str) -> tuple[str, ...]:
    """Bring the database to this code's schema; keep a copy of the one before, if it held anything.

    The names of the migrations that an existing database took; () for a new one, and for one that was up to date.
    Raises StoreError, with the file untouched, when it is newer than this code, damaged or not a database.
    """
    path = Path(url.removeprefix("sqlite:///"))
    with alone(path):
        return _migrate(url, path)


@contextlib.contextmanager
def alone(path: Path, lock: str = "apm.lock") -> Iterator[None]:
    """Hold a lock file beside the database: of two processes that open it at once, one brings it up to date."""
    try:
        descriptor = os.open(path.with_name(lock), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise explain(error, path) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _migrate(url: str, path: Path) -> tuple[str, ...]:
    existed = path.exists() and path.stat().st_size > 0
    applied = _applied_migrations(path) if existed else ()
    beyond = [name for name in applied if int(name.split("_")[0]) > NEWEST]
    if beyond:
        raise StoreError(
            f"{path} was written by a newer apm (its schema has {beyond[-1]}; this one knows up to {NEWEST:04d}). "
            "Nothing was changed: update apm, or open the workspace with the version that made it."
        )
    pending = sorted(p.stem for p in MIGRATIONS.glob("[0-9]*.py") if p.stem not in applied)
    if not pending:
        return ()
    from playhouse.migrations import Runner

    database = connect(url)
    try:
        with database.connection_context():
            if applied:
                backup = path.with_name(f"{path.stem}-before-{pending[0]}-{int(time.time())}{path.suffix}")
                # One of the same second is of a try that failed, and so of the same content.
                if not backup.exists():
                    database.execute_sql("VACUUM INTO ?", (str(backup),))
            Runner(database, str(MIGRATIONS)).up()
        return tuple(pending) if applied else ()
    except DatabaseError as error:
        raise explain(error, path) from error


def has_events(path: Path) -> bool:
    """Whether a prepared database holds a journal."""
    with _reading(path) as connection:
        return connection.execute("SELECT 1 FROM events LIMIT 1").fetchone() is not None


def is_used(path: Path) -> bool:
    """Whether a prepared database holds anything besides its schema, with events or without."""
    with _reading(path) as connection:
        listed = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
        names = {name for (name,) in listed} - {"schema_migration"}
        return any(connection.execute(f'SELECT 1 FROM "{name}" LIMIT 1').fetchone() for name in sorted(names))


def _reading(path: Path) -> contextlib.closing[sqlite3.Connection]:
    return contextlib.closing(sqlite3.connect(f"{real(path).as_uri()}?mode=ro", uri=True))


def explain(error: Exception, path: Path | str) -> StoreError:
    """The database's complaint as a sentence with its remedy."""
    if isinstance(error, OSError):
        return StoreError(f"The database {path} cannot be used: {told(error)} Nothing of this change was written.")
    text = " ".join(_all_told(error)).lower()
    if "disk i/o error" in text and _is_full(Path(path).parent):
        # A file that SQLite needs beside the database could not grow.
        text = "disk is full"
    for words, sentence in _EXPLANATIONS:
        if words in text:
            return StoreError(sentence.format(path=path))
    return StoreError(f"The database {path} answered: {error}. Nothing of this change was written.")


def _all_told(error: BaseException | None) -> Iterator[str]:
    """The error and those it came out of: where a full disk ends a transaction, rolling it back fails as well."""
    while error is not None:
        yield str(error)
        error = error.__cause__ or error.__context__


RESTORE = "restore a backup (state/*-before-*.db), or copy the workspace and recover it with sqlite3's .recover."
DAMAGED = f"{{path}} is damaged. Nothing was changed: {RESTORE}"
CUT = (
    "{path} has lost events: its journal ends at {last}, and {head} were written. Nothing was changed: restore a "
    "backup; `apm audit verify` tells what is missing."
)
FORGED = (
    "{path} ends at event {last}, and that end is not signed with this workspace's key: what followed was cut off. "
    "Nothing was changed: restore a backup; `apm audit verify` checks the rest."
)
UNPROVEN = "{what}, and what is not proven cannot be archived. Nothing was changed: `apm replay --verify` tells more."
LITTLE_BYTES = 128 * 1024
"""Of free space: less than the files take that SQLite makes beside a database."""


def _is_full(folder: Path) -> bool:
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize < LITTLE_BYTES


_EXPLANATIONS = (
    (
        "disk is full",
        "No space is left for {path}. Nothing of this change was written: free some space, then run the command again.",
    ),
    (
        "readonly",
        "{path} cannot be written to. Give yourself write permission on it and on its folder, then try again.",
    ),
    (
        "unable to open",
        "{path} cannot be opened. Check that its folder exists, that you may write there, and that more files may be "
        "open at once (`ulimit -n`).",
    ),
    (
        "disk i/o error",
        "{path} cannot be read or written: the disk answers with an error. Nothing of this change was written: see "
        "that the disk is there and sound, then try again.",
    ),
    (
        "locked",
        "{path} is locked by another program that holds a write open. Nothing of this change was written: "
        "close that program, then try again.",
    ),
    (
        "not a database",
        "{path} is not a database of apm's. Nothing was changed: put the right file back, or move this one away.",
    ),
    ("malformed", DAMAGED),
    ("could not decode", DAMAGED),
)


def _applied_migrations(path: Path) -> tuple[str, ...]:
    """Names of the migrations a file already has, read without creating or changing anything."""
    try:
        connection = sqlite3.connect(f"{real(path).as_uri()}?mode=ro", uri=True)
        try:
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if "schema_migration" not in tables:
                if tables:
                    raise StoreError(
                        f"{path} is a database of some other program (it has a table {sorted(tables)[0]!r}). "
                        "Nothing was changed: move it away, or give another workspace folder."
                    )
                return ()
            return tuple(row[0] for row in connection.execute("SELECT name FROM schema_migration ORDER BY name"))
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        raise explain(error, path) from error


__all__ = [
    "FAILURES",
    "MIGRATED",
    "MIGRATIONS",
    "OperationalError",
    "StoreError",
    "alone",
    "connect",
    "explain",
    "has_events",
    "is_used",
    "prepare",
    "sqlite_url",
]
