"""Settings of a workspace: JSON values by key, read and kept one way."""

from __future__ import annotations

import json
from typing import Any

from core.contract import canonical_json
from core.store.reads import Connection
from core.store.schema import Setting
from core.store.transaction import Transaction


def read_setting(reader: Connection, key: str) -> Any:
    """The value; None where it was never set."""
    row = reader.one(Setting.select(Setting.value).where(Setting.key == key))
    return None if row is None else json.loads(row[0])


def keep_setting(tx: Transaction, key: str, value: Any) -> None:
    """Set the value; the caller writes the event that carries it."""
    text = canonical_json(value)
    if tx.one(Setting.select(Setting.key).where(Setting.key == key)) is None:
        tx.insert(Setting, key=key, value=text)
    else:
        tx.update(Setting, key, value=text)
