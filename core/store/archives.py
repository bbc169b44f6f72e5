"""An archive: a second database with closed work items, their rows and events, which proves itself and can be read.

It has the workspace's schema. Beside that, `archive_links` keeps for each event the mac of the one before it in the
journal, so that its own mac can be checked without that one; `archive_about` says what is in the file and carries a mac
by the workspace's key. The event that was written when it was made names its digest.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.contract import Json, UsageError, canonical_json, digest_of
from core.paths import real
from core.sanitise import one_line
from core.store.chain import ARCHIVED, ChainFault, event_from_row, mac_of
from core.store.database import StoreError, connect, explain, prepare, sqlite_url
from core.store.reads import Connection
from core.store.store import Reader

PREFIX, SUFFIX = "archive-", ".db"
ABOUT_SQL = "CREATE TABLE archive_about (id INTEGER PRIMARY KEY, content TEXT NOT NULL, mac BLOB NOT NULL)"
LINKS_SQL = "CREATE TABLE archive_links (seq INTEGER PRIMARY KEY, before BLOB NOT NULL, is_moved INTEGER NOT NULL)"


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive that the journal names. `events` are those that were moved; `digest` is that of its `about`."""

    name: str
    at: int
    before: str
    work_items: tuple[int, ...]
    events: int
    digest: str


@dataclass(frozen=True, slots=True)
class ArchiveAudit:
    """What a file says of itself, and what is wrong with it."""

    about: Json
    events: int
    faults: tuple[ChainFault, ...]

    @property
    def is_whole(self) -> bool:
        return not self.faults


def archives(reader: Connection) -> tuple[Archive, ...]:
    """The archives that the journal names, oldest first."""
    found = reader.sql("SELECT at, payload FROM events WHERE kind = ? ORDER BY seq", (ARCHIVED,))
    return tuple(_archive(at, json.loads(payload)) for at, payload in found)


def _archive(at: int, facts: Json) -> Archive:
    return Archive(
        facts["archive"], at, facts["before"], tuple(facts["work_items"]), int(facts["events"]), facts["digest"]
    )


def holder_of(found: Sequence[Archive], work_item: int) -> Archive:
    """The archive that a work item is in. Raises UsageError where none holds it."""
    for archive in found:
        if work_item in archive.work_items:
            return archive
    raise UsageError(f"No archive holds work item {work_item}; `apm archive list` shows what there is.")


@contextlib.contextmanager
def reading(path: Path, key: bytes, named: Sequence[Archive]) -> Iterator[Reader]:
    """Read a copy of the archive, brought to today's schema; the file itself is never written to.

    Raises StoreError where it is not, or no more, what the journal names.
    """
    found = verify_archive(path, key, named)
    if not found.is_whole:
        first = one_line(found.faults[0].what)
        raise StoreError(f"{path} cannot be trusted: {first}. Restore it from a backup; nothing was shown or changed.")
    with tempfile.TemporaryDirectory(prefix="apm-archive-") as folder:
        copy = Path(folder) / "apm.db"
        shutil.copyfile(path, copy)
        prepare(sqlite_url(copy))
        database = connect(sqlite_url(copy))
        with database.connection_context():
            yield Reader(database)


def verify_archive(path: Path, key: bytes, named: Sequence[Archive]) -> ArchiveAudit:
    """Check what the file says of itself, each of its events, each table, and that the journal names it.

    Raises StoreError when it cannot be read as a database.
    """
    _check_there(path)
    try:
        uri = f"{real(path).as_uri()}?mode=ro&immutable=1"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as file:
            about = _about(file, key)
            if about is None:
                return ArchiveAudit(
                    {}, 0, (ChainFault(0, f"{path.name} is not what apm wrote, or not this workspace's"),)
                )
            events, faults = _events(file, key)
            faults += [ChainFault(0, f"{path.name}: {what}") for what in _tables(file, about)]
    except sqlite3.DatabaseError as error:
        raise explain(error, path) from error
    if digest_of(about) not in {archive.digest for archive in named}:
        faults.append(ChainFault(0, f"no event of this journal names {path.name} as it is"))
    return ArchiveAudit(about, events, tuple(faults))


def _check_there(path: Path) -> None:
    if not path.is_file():
        raise UsageError(f"{path} is not there; `apm archive list` names the archives, which stand in state/.")


def _about(file: sqlite3.Connection, key: bytes) -> Json | None:
    tables = {name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    row = file.execute("SELECT content, mac FROM archive_about").fetchone() if "archive_about" in tables else None
    if row is None or not isinstance(row[1], bytes) or not hmac.compare_digest(about_mac(key, str(row[0])), row[1]):
        return None
    content: Json = json.loads(row[0])
    return content


def about_mac(key: bytes, content: str) -> bytes:
    return hmac.digest(key, b"archive\n" + content.encode("utf-8", "surrogatepass"), "sha256")


def _events(file: sqlite3.Connection, key: bytes) -> tuple[int, list[ChainFault]]:
    query = (
        "SELECT e.seq, e.at, e.kind, e.work_item, e.payload, e.mac, l.before"
        " FROM events e LEFT JOIN archive_links l ON l.seq = e.seq ORDER BY e.seq"
    )
    count, found = 0, []
    for *row, before in file.execute(query):
        event, count = event_from_row(tuple(row)), count + 1
        link = before if isinstance(before, bytes) else b""
        mac = mac_of(key, link, event.seq, event.at, event.kind, event.work_item, event.payload)
        if not hmac.compare_digest(mac, event.mac):
            found.append(ChainFault(event.seq, f"event {event.seq} ({event.kind}) is not what was written"))
    return count, found


def _tables(file: sqlite3.Connection, about: Json) -> Iterator[str]:
    for table, said in about["tables"].items():
        if content_of(file, table) != said:
            yield f"the table {table} is not what was written"


def content_of(file: sqlite3.Connection, table: str) -> Json:
    """How many rows a table has, and the digest of all that stands in them."""
    columns = sorted(str(row[1]) for row in file.execute(f'PRAGMA table_info("{table}")'))
    names = ", ".join(f'"{name}"' for name in columns)
    count, found = 0, hashlib.sha256(canonical_json(columns).encode())
    for row in file.execute(f'SELECT {names} FROM "{table}" ORDER BY rowid'):
        count += 1
        found.update(repr(row).encode("utf-8", "surrogatepass"))
    return {"rows": count, "digest": found.hexdigest()}
