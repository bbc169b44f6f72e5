"""Moving closed work items with their rows and events to an archive, so that a kill at any moment loses nothing.

First all of it is copied to a second file, which is complete, flushed and named before the workspace changes. Then one
transaction takes the rows and events out and writes the event that names the archive: it is done, or nothing of it is.
A file that no event names is what a kill left, and is made anew.

What governance counts stays: decisions, answers, escalations, conflicts, and their events. What calls of models cost
moves, and stays as totals by day (`core.store.spend_totals`), which budgets go on to count. An event moves when it is
about the work alone and every row that it carries moves; one that carries others' rows too is in both.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from peewee import Field, Model

from core.contract import ApmError, Json, canonical_json, digest_of
from core.store import archived_work, spend_totals
from core.store.archives import ABOUT_SQL, LINKS_SQL, PREFIX, SUFFIX, about_mac, archives, content_of
from core.store.chain import (
    ARCHIVED,
    GENESIS,
    STRETCH,
    StoredEvent,
    digest_of_stretches,
    event_from_row,
    first_of,
    is_written,
)
from core.store.database import UNPROVEN, StoreError, alone, explain, prepare, sqlite_url
from core.store.reads import Connection
from core.store.schema import (
    Answer,
    Artifact,
    Conflict,
    Decision,
    Delegation,
    Escalation,
    Evidence,
    GateResult,
    Intent,
    PhaseRun,
    Project,
    Spend,
    Turn,
    WorkItem,
)
from core.store.store import Store
from core.store.transaction import Transaction

MOVED: tuple[type[Model], ...] = (
    *(Evidence, GateResult, Intent, Turn, Spend, Delegation, PhaseRun, Artifact),
    WorkItem,
)
"""The tables whose rows go along with their work item, those first that refer to others."""
COPIED: tuple[tuple[type[Model], str], ...] = (
    (Project, "id IN (SELECT project_id FROM work_items WHERE id IN ({items}))"),
    (Escalation, "work_item IN ({items})"),
    (Answer, "escalation_id IN (SELECT id FROM escalations WHERE work_item IN ({items}))"),
    (Decision, "work_item IN ({items})"),
    (Conflict, "work_item IN ({items})"),
)
"""What stays and is in the archive as well, so that it can be read by itself."""
FAMILIES = frozenset({"work_item", "phase", "delegation", "spend", "telemetry"})
"""Events about the work alone; whatever else a work item's events are, governance reads them."""
BATCH = 1_000
"""Work items in one archive: what one transaction takes out, in about a second."""
WINDOW = 1_000
"""Events held in memory at a time."""
LOCK = "archive.lock"
"""Beside the database; not that of opening one, which making an archive does."""
FREE_SHARE = 0.1
"""Of the database's pages: beyond it the file is made smaller."""


class ArchiveStale(ApmError):
    """The work items were touched between copying and taking out; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Copied:
    """A complete file: `moved` are the events that it takes over, `rows` how many of each table, `last` the last event
    about its work items when it was made."""

    path: Path
    work_items: tuple[int, ...]
    moved: tuple[int, ...]
    rows: dict[str, int]
    last: int
    digest: str


def owner(model: type[Model]) -> str:
    """The column that says whose row it is."""
    field: Field = model._meta.fields["id" if model is WorkItem else "work_item"]
    return str(field.column_name)


def table(model: type[Model]) -> str:
    return str(model._meta.table_name)


_OPEN = "COALESCE(e.resolved_at, e.withdrawn_at, e.expired_at) IS NULL"
_UNFINISHED = "closed_at IS NULL AND cancelled_at IS NULL AND failed_at IS NULL"
_ARCHIVABLE = f"""
SELECT w.id FROM work_items w
WHERE COALESCE(w.closed_at, w.cancelled_at, w.failed_at) < ?
  AND NOT EXISTS (SELECT 1 FROM escalations e WHERE e.work_item = w.id AND {_OPEN})
  AND NOT EXISTS (
    SELECT 1 FROM escalations m JOIN escalations e ON e.id = m.merged_into WHERE m.work_item = w.id AND {_OPEN})
  AND NOT EXISTS (SELECT 1 FROM work_items c WHERE c.parent = w.id AND {_UNFINISHED})
  AND NOT EXISTS (SELECT 1 FROM spend s WHERE s.work_item = w.id AND s.settled_at IS NULL)
  AND w.id NOT IN (SELECT MAX(o.id) FROM work_items o JOIN artifacts a ON a.work_item_id = o.id
                   WHERE a.type = 'telemetry.snapshot' GROUP BY o.project_id)
ORDER BY w.id
"""
# The last condition: what a project's next telemetry is compared with.


def archivable(reader: Connection, before: int) -> tuple[int, ...]:
    """The work items that came to their end before this moment (milliseconds) and that nothing open refers to.

    The owner of a table's newest row stays: SQLite gives the highest number that is free, and no number may come twice.
    """
    newest = set()
    for model in MOVED:
        found = reader.sql(f'SELECT "{owner(model)}" FROM "{table(model)}" ORDER BY id DESC LIMIT 1')
        newest |= {number for (number,) in found}
    return tuple(number for (number,) in reader.sql(_ARCHIVABLE, (before,)) if number not in newest)


def archive_some(store: Store, before: int, date: str) -> Copied | None:
    """Move up to `BATCH` work items that were over before the moment to an archive of their own; None where there are
    none. `date` names the file. Another process that archives is waited for: two would choose the same name, and one
    would write over what the other has moved. Nothing is changed when it raises: ArchiveStale when they were touched
    meanwhile, StoreError when the file could not be written, or an event that would move is not what was written.
    """
    with alone(store.path, LOCK):
        numbers = store.read_now(lambda r: archivable(r, before))[:BATCH]
        return _archive(store, numbers, before, date) if numbers else None


def _archive(store: Store, numbers: tuple[int, ...], before: int, date: str) -> Copied:
    state = store.path.parent
    name = store.read_now(lambda r: _free_name(r, date))
    draft = state / f"{name}.part"
    _discard(draft)
    try:
        prepare(sqlite_url(draft))
        copied = store.read_now(lambda r: _copy(r, store.key, draft, numbers, date))
    except (sqlite3.DatabaseError, StoreError) as error:
        _discard(draft)
        raise error if isinstance(error, StoreError) else explain(error, draft) from error
    _flush(draft)
    draft.replace(state / name)
    _flush(state)
    store.write_now(lambda tx: _take_out(tx, copied, name, before, date))
    return replace(copied, path=state / name)


def _free_name(reader: Connection, date: str) -> str:
    """A name that no event of the journal names; a file of that name is what a kill left."""
    taken = {archive.name for archive in archives(reader)}
    names = (f"{PREFIX}{date}{'' if n == 1 else f'-{n}'}{SUFFIX}" for n in range(1, 10**6))
    return next(name for name in names if name not in taken)


def _discard(draft: Path) -> None:
    """A draft, and what SQLite keeps beside it."""
    for left in draft.parent.glob(f"{draft.name}*"):
        left.unlink()


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# Copying


def _copy(reader: Connection, key: bytes, draft: Path, work_items: tuple[int, ...], date: str) -> Copied:
    items = ", ".join(map(str, work_items))
    with closing(sqlite3.connect(draft)) as file:
        file.execute(ABOUT_SQL)
        file.execute(LINKS_SQL)
        file.execute("PRAGMA foreign_keys = 0")
        for model, where in COPIED:
            _copy_rows(reader, file, table(model), where.format(items=items))
        for model in MOVED:
            _copy_rows(reader, file, table(model), f'"{owner(model)}" IN ({items})')
        owned = {table(m): {key for (key,) in file.execute(f'SELECT id FROM "{table(m)}"')} for m in MOVED}
        moved = tuple(_copy_events(reader, key, file, frozenset(work_items), owned))
        tables = [table(model) for model in (*MOVED, *(m for m, _ in COPIED))]
        about: Json = {
            "version": 1,
            "before": date,
            "work_items": list(work_items),
            "events": len(moved),
            "tables": {name: content_of(file, name) for name in (*tables, "events", "archive_links")},
        }
        text = canonical_json(about)
        file.execute("INSERT INTO archive_about (id, content, mac) VALUES (1, ?, ?)", (text, about_mac(key, text)))
        file.commit()
        file.execute("PRAGMA journal_mode = DELETE")
    rows = {name: len(keys) for name, keys in owned.items()}
    return Copied(draft, work_items, moved, rows, _last_of(reader, work_items), digest_of(about))


def _copy_rows(reader: Connection, file: sqlite3.Connection, name: str, where: str) -> None:
    columns = [str(row[1]) for row in file.execute(f'PRAGMA table_info("{name}")')]
    names, last = ", ".join(f'"{column}"' for column in columns), -1
    put = f'INSERT INTO "{name}" ({names}) VALUES ({", ".join("?" * len(columns))})'
    place = columns.index("id")
    while rows := reader.sql(
        f'SELECT {names} FROM "{name}" WHERE id > ? AND {where} ORDER BY id LIMIT {WINDOW}', (last,)
    ):
        file.executemany(put, rows)
        last = rows[-1][place]


def _copy_events(
    reader: Connection, key: bytes, file: sqlite3.Connection, work_items: frozenset[int], owned: dict[str, set[int]]
) -> Iterator[int]:
    """Copy every event that is about them or carries a row of theirs; the numbers of those that move.

    Raises StoreError for one that is not what was written: in the archive nobody would ask the chain about it.
    """
    before = GENESIS
    for event in _all_events(reader):
        is_theirs = event.work_item in work_items
        if event.kind != STRETCH and (is_theirs or _may_carry(event)):
            carried = [(name, number) for name, number, _ in json.loads(event.payload).get("rows", ())]
            ours = [number in owned.get(name, ()) for name, number in carried]
            is_moved = all(ours) and (is_theirs or bool(ours)) and event.kind.partition(".")[0] in FAMILIES
            if is_theirs or any(ours):
                if not is_written(key, before, event):
                    raise StoreError(UNPROVEN.format(what=f"Event {event.seq} ({event.kind}) is not what was written"))
                values = (event.seq, event.at, event.kind, event.work_item, event.payload, event.mac)
                file.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", values)
                file.execute("INSERT INTO archive_links VALUES (?, ?, ?)", (event.seq, before, is_moved))
            if is_moved:
                yield event.seq
        before = event.mac


def _may_carry(event: StoredEvent) -> bool:
    """Whether an event of something else may carry rows of theirs, as when a work item leaves others behind."""
    return event.work_item is None or event.kind.partition(".")[0] not in ("delegation", "phase", "spend")


def _all_events(reader: Connection) -> Iterator[StoredEvent]:
    last = 0
    query = f"SELECT seq, at, kind, work_item, payload, mac FROM events WHERE seq > ? ORDER BY seq LIMIT {WINDOW}"
    while rows := reader.sql(query, (last,)):
        yield from map(event_from_row, rows)
        last = rows[-1][0]


# Taking out


def _take_out(tx: Transaction, copied: Copied, name: str, before: int, date: str) -> None:
    is_same = _last_of(tx, copied.work_items) == copied.last and _counted(tx, copied) == copied.rows
    if not is_same or not set(copied.work_items) <= set(archivable(tx, before)):
        raise ArchiveStale("Work items were touched while they were copied; nothing was changed. Run it again.")
    items = ", ".join(map(str, copied.work_items))
    counts = archived_work.counted(tx, copied.work_items)
    spend_totals.add(tx, copied.work_items)
    for model in MOVED:
        tx.then(f'DELETE FROM "{table(model)}" WHERE "{owner(model)}" IN ({items})', ())
    stretches = tuple(_stretched(tx, copied.moved))
    for stretch in stretches:
        tx.then("DELETE FROM events WHERE seq BETWEEN ? AND ?", (first_of(stretch), stretch.seq))
        tx.then(
            "INSERT INTO events (seq, at, kind, work_item, payload, mac) VALUES (?, ?, ?, NULL, ?, ?)",
            (stretch.seq, stretch.at, STRETCH, stretch.payload, stretch.mac),
        )
    tx.event(
        ARCHIVED,
        archive=name,
        before=date,
        work_items=list(copied.work_items),
        events=len(copied.moved),
        digest=copied.digest,
        tables=list(copied.rows),
        stretches=digest_of_stretches(stretches),
        counts=counts,
    )


def _last_of(reader: Connection, work_items: Sequence[int]) -> int:
    [(last,)] = reader.sql(f"SELECT MAX(seq) FROM events WHERE work_item IN ({', '.join(map(str, work_items))})")
    return int(last or 0)


def _counted(tx: Transaction, copied: Copied) -> dict[str, int]:
    items = ", ".join(map(str, copied.work_items))
    found = {}
    for model in MOVED:
        [(count,)] = tx.sql(f'SELECT COUNT(*) FROM "{table(model)}" WHERE "{owner(model)}" IN ({items})')
        found[table(model)] = int(count)
    return found


def _stretched(tx: Connection, moved: Sequence[int]) -> Iterator[StoredEvent]:
    """The stretches of the journal once these events are out, with those that were there before, next ones joined."""
    there = tx.sql("SELECT seq, at, kind, work_item, payload, mac FROM events WHERE kind = ?", (STRETCH,))
    rows = sorted([*map(event_from_row, there), *_rows_of(tx, moved)], key=lambda event: event.seq)
    first, last = 0, None
    for event in rows:
        if last is not None and first_of(event) != last.seq + 1:
            yield _stretch(first, last)
            last = None
        first, last = (first_of(event) if last is None else first), event
    if last is not None:
        yield _stretch(first, last)


def _rows_of(tx: Connection, numbers: Iterable[int]) -> Iterator[StoredEvent]:
    for number in numbers:
        [(at, mac)] = tx.sql("SELECT at, mac FROM events WHERE seq = ?", (number,))
        yield StoredEvent(number, at, "", None, "", bytes(mac))


def _stretch(first: int, last: StoredEvent) -> StoredEvent:
    return StoredEvent(last.seq, last.at, STRETCH, None, canonical_json({"first": first}), last.mac)


# Giving space back


def shrink(path: Path) -> tuple[int, int] | None:
    """Make the file smaller where enough of it is free: its bytes before and after; None where there is no need.

    A VACUUM writes the whole file anew, in a transaction of its own, and needs its size once more meanwhile. Raises
    StoreError when it cannot; the next run tries again.
    """
    try:
        return _shrunk(path)
    except sqlite3.DatabaseError as error:
        raise explain(error, path) from error


def _shrunk(path: Path) -> tuple[int, int] | None:
    with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as database:
        [(free,)], [(pages,)] = (
            database.execute(f"PRAGMA {name}").fetchall() for name in ("freelist_count", "page_count")
        )
        if free <= pages * FREE_SHARE:
            return None
        before = path.stat().st_size
        database.execute("VACUUM")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return before, path.stat().st_size
