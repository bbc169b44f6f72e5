"""The state, made again from the events alone in a fresh database, and compared with the one that is kept.

The fresh database grows up as the old one did: it begins with the schema that the first event was written under, and
each migration runs at its place among the events, so that what a migration did to rows is done again.
"""

from __future__ import annotations

import hashlib
import json
import math
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from peewee import DatabaseError, Model

from core.contract import Json
from core.store.archiving import MOVED, owner, table
from core.store.audit import Audit, events_of, verify
from core.store.carried import carried
from core.store.chain import ARCHIVED, StoredEvent
from core.store.database import MIGRATED, MIGRATIONS, UNPROVEN, StoreError, connect, explain, sqlite_url
from core.store.schema import TABLES, Spend
from core.store.store import Reader
from core.store.transaction import UNCHAINED

STATE: tuple[type[Model], ...] = tuple(model for model in TABLES if model not in UNCHAINED)
"""The tables that events carry whole: all but the chain, the lease and the running totals."""
SHOWN_DIFFERENCES = 5
"""Rows that are named of a table that differs."""
FOLDER_PREFIX = "replay-"
"""Of the folder in `state/` in which the fresh database is made; one that a kill left behind is nobody's."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that is not as the events say. `columns` are {name: [as kept, as rebuilt]}, of those that differ."""

    key: int | str
    what: str
    """"changed", "added" (kept, in no event) or "missing" (in the events, not kept)."""
    columns: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TableVerdict:
    """One table as it is kept and as it was rebuilt; `differences` are the first of `differing`."""

    table: str
    rows: int
    rebuilt_rows: int
    digest: str
    rebuilt_digest: str
    differing: int
    differences: tuple[Difference, ...]

    @property
    def is_equal(self) -> bool:
        return self.digest == self.rebuilt_digest


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a rebuild found. Of a journal that is not whole nothing was rebuilt, and no tables are compared."""

    audit: Audit
    tables: tuple[TableVerdict, ...]

    @property
    def is_equal(self) -> bool:
        return self.audit.is_whole and all(table.is_equal for table in self.tables)


def replay(reader: Reader, key: bytes, state: Path) -> Replayed:
    """Rebuild the state from the events and compare it, table by table. A read closure: all of it is of one moment.

    The fresh database stands in a folder of its own in `state`, which goes when this ends. Raises StoreError when it
    cannot be written.
    """
    audit = verify(reader, key)
    if not audit.is_whole:
        return Replayed(audit, ())
    with tempfile.TemporaryDirectory(dir=state, prefix=FOLDER_PREFIX) as folder:
        path = Path(folder) / "rebuilt.db"
        try:
            rebuild(path, events_of(reader), applied_migrations(reader))
        except (sqlite3.DatabaseError, DatabaseError) as error:
            raise explain(error, path) from error
        with closing(sqlite3.connect(path)) as rebuilt:
            return Replayed(audit, tuple(_compared(reader, rebuilt, model) for model in STATE))


def check_proven(reader: Reader, key: bytes, state: Path) -> None:
    """Raises StoreError where the state is not what whole events say: once archived, it would be apm's own word."""
    found = replay(reader, key, state)
    faults = [fault.what for fault in found.audit.faults]
    faults += [f"what {table.table} holds is not what the events say" for table in found.tables if not table.is_equal]
    if faults:
        raise StoreError(UNPROVEN.format(what=faults[0][:1].upper() + faults[0][1:]))


def applied_migrations(reader: Reader) -> dict[str, int]:
    """When each migration ran here, in milliseconds since the epoch."""
    found = reader.sql("SELECT name, applied FROM schema_migration ORDER BY name")
    return {str(name): _milliseconds(applied) for name, applied in found}


def _milliseconds(applied: Any) -> int:
    """Peewee's migrations keep local time without a zone. What cannot be read says nothing: then rows tell."""
    try:
        return int(datetime.fromisoformat(str(applied)).timestamp() * 1000)
    except ValueError:
        return 2**62


def rebuild(path: Path, events: Iterable[StoredEvent], applied: dict[str, int]) -> None:
    """A new database at `path` with the rows that the events carry, under the newest of the `applied` migrations."""
    database = connect(sqlite_url(path), synchronous="off")
    with database.connection_context():
        database.execute_sql("PRAGMA foreign_keys = 0")
        growing = _Growing(database, applied)
        for event in events:
            growing.take(event)
        growing.finish()


class _Growing:
    """A database that takes in events in their order, and migrations between them."""

    def __init__(self, database: Any, applied: dict[str, int]) -> None:
        from playhouse.migrations import Runner

        self._raw: sqlite3.Connection = database.connection()
        self._runner = Runner(database, str(MIGRATIONS))
        self._pending = [(name, applied[name]) for name in sorted(applied)]
        self._statements: dict[tuple[str, tuple[str, ...], bool], str] = {}
        self._columns: dict[str, tuple[str, ...]] = {}
        self._keys: dict[str, str] = {}
        self._up(1)

    def take(self, event: StoredEvent) -> None:
        if event.kind == MIGRATED:
            self._up_to(json.loads(event.payload)["migrations"])
        elif self._pending and self._pending[0][1] <= event.at:
            self._up(sum(1 for _, at in self._pending if at <= event.at))
        if event.kind == ARCHIVED:
            self._take_out(json.loads(event.payload))
        if '"rows":' in event.payload:
            found = json.loads(event.payload)
            for name, key, values in carried(found, seq=event.seq, at=event.at, work_item=event.work_item):
                self._put(name, key, values)

    def finish(self) -> None:
        self._up(len(self._pending))
        self._commit()

    def _take_out(self, archive: Json) -> None:
        """What went into an archive: of events that stay because they carry others' rows as well, theirs go. An event
        that names no tables is of an apm that left spending where it was."""
        items = ", ".join(map(str, archive["work_items"]))
        for model in MOVED:
            if table(model) in archive.get("tables", (table(m) for m in MOVED if m is not Spend)):
                self._raw.execute(f'DELETE FROM "{table(model)}" WHERE "{owner(model)}" IN ({items})')

    def _put(self, table: str, key: int | str, values: Json) -> None:
        while self._pending and not self._knows(table, values):
            # Whoever wrote this row had a newer schema, whatever the clock said.
            self._up(1)
        if not self._knows(table):
            return  # A table that a later migration took away.
        named = {self._column(table, name): value for name, value in values.items()}
        named.pop("", None)
        by = self._keys[table]
        if by not in named and self._run(table, tuple(named), False, (*named.values(), key)):
            return
        full = {by: key} | named
        self._run(table, tuple(full), True, tuple(full.values()))

    def _knows(self, table: str, values: Json | None = None) -> bool:
        if table not in self._columns:
            found = self._raw.execute(f'PRAGMA table_info("{table}")').fetchall()
            self._columns[table] = tuple(str(row[1]) for row in found)
            self._keys[table] = next((str(row[1]) for row in found if row[5]), "")
        return bool(self._columns[table]) and all(self._column(table, name) for name in values or ())

    def _column(self, table: str, name: str) -> str:
        """A field's column: of its own name, or, of one that refers to a row, with `_id`; "" where there is none."""
        known = self._columns[table]
        return name if name in known else f"{name}_id" if f"{name}_id" in known else ""

    def _run(self, table: str, names: tuple[str, ...], is_new: bool, values: tuple[Any, ...]) -> int:
        text = self._statements.get((table, names, is_new))
        if text is None:
            columns = ", ".join(f'"{name}"' for name in names) if is_new else ", ".join(f'"{n}" = ?' for n in names)
            marks = ", ".join("?" * len(names))
            text = (
                f'INSERT OR IGNORE INTO "{table}" ({columns}) VALUES ({marks})'
                if is_new
                else f'UPDATE "{table}" SET {columns} WHERE "{self._keys[table]}" = ?'
            )
            self._statements[table, names, is_new] = text
        if not self._raw.in_transaction:
            self._raw.execute("BEGIN")
        return self._raw.execute(text, values).rowcount

    def _up_to(self, names: Sequence[str]) -> None:
        self._up(sum(1 for name, _ in self._pending if name <= max(names)))

    def _up(self, count: int) -> None:
        if count:
            self._commit()
            self._runner.up(self._pending[count - 1][0])
            del self._pending[:count]
            self._columns.clear()
            self._statements.clear()

    def _commit(self) -> None:
        if self._raw.in_transaction:
            self._raw.execute("COMMIT")


# Comparing

Run = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]
WINDOW = 2_000
"""Rows held in memory at a time."""


def _compared(reader: Reader, rebuilt: sqlite3.Connection, model: type[Model]) -> TableVerdict:
    def run(text: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        return rebuilt.execute(text, tuple(parameters)).fetchall()

    kept, made = _Side(reader.sql, model), _Side(run, model)
    differences: list[Difference] = []
    differing = 0
    for ours, theirs in _beside(kept, made):
        if ours == theirs:
            continue
        differing += 1
        if len(differences) < SHOWN_DIFFERENCES:
            differences.append(_difference(kept.columns, ours, theirs))
    table = model._meta.table_name
    return TableVerdict(table, kept.rows, made.rows, kept.digest, made.digest, differing, tuple(differences))


class _Side:
    """A table's rows in the order of their keys, a window at a time; their number and digest once they were read."""

    def __init__(self, run: Run, model: type[Model]) -> None:
        self._run, self._table = run, model._meta.table_name
        key = model._meta.primary_key.column_name  # type: ignore[union-attr]
        self.columns = (key, *sorted(f.column_name for f in model._meta.sorted_fields if f.column_name != key))
        self.rows = 0
        self._sum = hashlib.sha256()

    @property
    def digest(self) -> str:
        return self._sum.hexdigest()

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        columns, key = ", ".join(f'"{name}"' for name in self.columns), self.columns[0]
        where = ""
        parameters: tuple[Any, ...] = ()
        while True:
            text = f'SELECT {columns} FROM "{self._table}" {where} ORDER BY "{key}" LIMIT {WINDOW}'
            window = self._run(text, parameters)
            for row in window:
                self.rows += 1
                self._sum.update(repr(row).encode("utf-8", "surrogatepass"))
                yield row
            if len(window) < WINDOW:
                return
            where, parameters = f'WHERE "{key}" > ?', (window[-1][0],)


def _beside(
    first: Iterable[tuple[Any, ...]], second: Iterable[tuple[Any, ...]]
) -> Iterator[tuple[tuple[Any, ...] | None, tuple[Any, ...] | None]]:
    """The rows of both by key: one beside the other, or beside None."""
    left, right = iter(first), iter(second)
    ours, theirs = next(left, None), next(right, None)
    while ours is not None or theirs is not None:
        if theirs is None or (ours is not None and _order(ours[0]) < _order(theirs[0])):
            yield ours, None
            ours = next(left, None)
        elif ours is None or _order(theirs[0]) < _order(ours[0]):
            yield None, theirs
            theirs = next(right, None)
        else:
            yield ours, theirs
            ours, theirs = next(left, None), next(right, None)


def _order(key: Any) -> tuple[int, Any]:
    """As SQLite orders values: numbers before text before bytes."""
    return (0, key) if isinstance(key, int | float) else (1, key) if isinstance(key, str) else (2, bytes(key or b""))


def _difference(columns: Sequence[str], ours: tuple[Any, ...] | None, theirs: tuple[Any, ...] | None) -> Difference:
    key = _plain(next(row[0] for row in (ours, theirs) if row is not None))
    if ours is None or theirs is None:
        return Difference(key, "missing" if ours is None else "added")
    changed = {n: [_plain(a), _plain(b)] for n, a, b in zip(columns, ours, theirs, strict=True) if a != b}
    return Difference(key, "changed", changed)


def _plain(value: Any) -> Any:
    """What JSON can hold: a database that was tampered with may have anything anywhere."""
    is_plain = value is None or isinstance(value, int | str) or (isinstance(value, float) and math.isfinite(value))
    return value if is_plain else repr(value)
