"""Work that is long over in a workspace of its own, and what tests of archives ask of the two files."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from core.governance.decisions import Choice, make_decision
from core.governance.escalations import resolve
from core.orchestration import work_items
from core.store import archiving
from core.store.audit import verify
from core.store.replay import replay
from core.store.store import Store
from core.store.transaction import Transaction
from core.store.writer import milliseconds_now
from core.workspace import Workspace
from tests.fresh import fresh_workspace
from tests.unit.engine_run import Run
from tests.unit.scope_place import KIND, OPTIONS
from tests.unit.scripted import Scripted

DAY_MS = 86_400_000
LATER = milliseconds_now() + DAY_MS
DATE = "2026-01-31"


def worked(folder: Path) -> None:
    """Work of forty days ago: 1 to 3 are over, 4 and 5 wait, and people have answered a question about 1."""

    async def work() -> None:
        store = Store.open(folder / "state", clock=lambda: milliseconds_now() - 40 * DAY_MS)
        with Workspace(folder, store) as workspace:
            run = Run(workspace)
            for titles in ("abc", "de"):
                await run.start(Scripted())
                for title in titles:
                    await run.add(until=None, title=title)
                await run.settle()
                await run.stop()
            number = await store.write(_decided)
            await store.write(lambda tx: resolve(tx, number, option="approve", by="ada", reason="so"))
            for number in (1, 2, 3):
                await run.do(work_items.cancel, number, "ada")

    fresh_workspace(folder)
    asyncio.run(work())


def _decided(tx: Transaction) -> int:
    made = make_decision(tx, Choice("technical", KIND, "Which?", 5, OPTIONS, "approve", work_item=1))
    assert made.escalation is not None
    return made.escalation


def yesterday() -> str:
    return (datetime.now(UTC).date() - timedelta(days=1)).isoformat()


def check_whole(store: Store) -> None:
    assert store.read_now(lambda r: verify(r, store.key)).faults == ()
    found = store.read_now(lambda r: replay(r, store.key, store.path.parent))
    assert [t for t in found.tables if not t.is_equal] == []


def rows_of(database: Path) -> dict[str, set[tuple[Any, ...]]]:
    names = [archiving.table(model) for model in archiving.MOVED]
    with closing(sqlite3.connect(database)) as file:
        return {name: set(file.execute(f'SELECT * FROM "{name}"')) for name in names}
