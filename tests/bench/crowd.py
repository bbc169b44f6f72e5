"""Workspaces with very many work items and open questions, for what is measured on a screen full of them."""

from __future__ import annotations

from pathlib import Path

from core.governance.escalations import raise_question
from core.orchestration import work_items
from core.store.schema import WorkItem
from core.store.transaction import Transaction
from core.workspace import Workspace, create
from tests.bench.governing import question

A_WRITE = 1_000
"""Rows that are written in one transaction."""


def title(number: int) -> str:
    return f"Backlog item {number:06d}"


def crowd(folder: Path, count: int) -> Path:
    """A workspace with so many accepted work items and as many open questions, each with its events; its folder."""
    with Workspace.open(create(folder)) as workspace:
        for first in range(1, count + 1, A_WRITE):
            numbers = range(first, min(first + A_WRITE, count + 1))
            workspace.store.write_now(lambda tx, numbers=numbers: _add(tx, numbers))  # type: ignore[misc]
    return folder


def _add(tx: Transaction, numbers: range) -> None:
    for n in numbers:
        work_items.accept(tx, work_items.create(tx, title=title(n)), by="bench")
        raise_question(tx, question(n))


def multiply(folder: Path, count: int) -> None:
    """Fill a workspace that has a crowd up to `count` of each, by copying rows inside the database.

    What is copied has no event of its own: enough for lists, whose rows it is, and twenty times as fast.
    """
    with Workspace.open(folder, team="untouched") as workspace:
        workspace.store.write_now(lambda tx: _multiply(tx, count))


def _multiply(tx: Transaction, count: int) -> None:
    for table, numbered in (
        ("work_items", {"title": "printf('Backlog item %06d', n)"}),
        ("escalations", {"key": "key || n", "question": "printf('Which one for case %06d?', n)"}),
    ):
        ((had,),) = tx.sql(f"SELECT max(id) FROM {table}")
        names = [row[1] for row in tx.sql(f"PRAGMA table_info({table})")]
        values = ", ".join({"id": "n", **numbered}.get(name, f'"{name}"') for name in names)
        quoted = ", ".join(f'"{name}"' for name in names)
        tx.sql(
            f"WITH RECURSIVE more(n) AS (SELECT ? UNION ALL SELECT n + 1 FROM more WHERE n < ?) "
            f"INSERT INTO {table} ({quoted}) SELECT {values} FROM more JOIN {table} ON id = 1 + (n - 1) % ?",
            (had + 1, count, had),
        )
    tx.event("crowd.multiplied", count=count)


def pause_all(tx: Transaction) -> None:
    """Nothing is to be driven any more, however the engine looks at it."""
    tx.sql("UPDATE work_items SET paused_at = ?", (tx.now,))
    tx.event("crowd.paused")


def resume_all(tx: Transaction) -> None:
    tx.sql("UPDATE work_items SET paused_at = NULL")
    tx.event("crowd.resumed")


def rename(tx: Transaction, work_item: int, text: str) -> None:
    """Change the title of a row, under an event of a kind that the engine writes about work items."""
    tx.update(WorkItem, work_item, title=text)
    tx.event("work_item.limited", work_item=work_item)
