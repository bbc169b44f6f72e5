"""What the store and the disk hold of notices."""

from __future__ import annotations

from pathlib import Path

from core.store.rows_governance import NotificationRow
from core.store.schema import Event
from core.store.store import Store
from tests.unit.notice_place import (
    rows,
)

SECRET = "s3cr3t-p4ssw0rd"


def row_of(store: Store, channel: str) -> NotificationRow:
    (found,) = rows(store, channel)
    return found


def kinds(store: Store) -> list[str]:
    return [row[0] for row in store.read_now(lambda r: r.rows(Event.select(Event.kind).order_by(Event.seq)))]


def everything_kept(state: Path) -> bytes:
    """The database and the log, as they lie on the disk."""
    return b"".join(path.read_bytes() for path in [*state.glob("apm.db*"), *state.glob("logs/*")])
