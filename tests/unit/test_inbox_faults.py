"""What goes wrong with a file in the inbox: told once, on record once, applied never or once."""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from core.governance import authority, human_decisions
from core.governance.decision_documents import MOST_BYTES
from core.orchestration import inbox
from core.orchestration.inbox import Inbox
from core.orchestration.lease import HeldStore
from core.store.schema import Lease
from core.store.transaction import Transaction
from tests.unit.inbox_tray import Tray, grants


async def test_a_crash_between_applying_and_moving_applies_nothing_twice_and_the_file_is_moved_then(
    tray: Tray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: Any) -> Any:
        raise KeyboardInterrupt

    tray.drop("monday.json", grants("db_schema"))
    monkeypatch.setattr(inbox, "_move", crash)
    with pytest.raises(KeyboardInterrupt):
        await tray.inbox.look()
    monkeypatch.undo()
    tray.store.write_now(
        lambda tx: authority.grant(tx, "technical", "db_schema", "autonomous", by="bob", reason="back")
    )
    assert (tray.names(), tray.names("applied")) == (["monday.json"], [])

    await Inbox(tray.held, tray.state, tray.told.append).look()

    assert tray.mode("db_schema") == "autonomous"
    assert (tray.names(), tray.names("applied")) == ([], ["monday.json"])
    assert len(tray.events("inbox.applied")) == 1


async def test_a_copy_of_an_applied_file_is_refused_as_such(tray: Tray) -> None:
    for name in ("monday.json", "copy.json"):
        tray.drop(name, grants("db_schema"))
        await tray.inbox.look()
    assert tray.names("applied") == ["monday.json"]
    assert "copy.json was applied on 20" in tray.reasons("copy.json")
    assert "(as monday.json); nothing of it was done again" in tray.reasons("copy.json")
    assert len(tray.events("inbox.applied")) == 1


async def test_a_file_that_was_applied_by_command_is_moved_and_not_applied(tray: Tray) -> None:
    document = human_decisions.parse(grants("db_schema"))
    tray.store.write_now(lambda tx: human_decisions.apply(tx, document, source="monday.json"))
    tray.drop("monday.json", grants("db_schema"))
    await tray.inbox.look()
    assert tray.names("applied") == ["monday.json"]
    assert len(tray.events("inbox.applied")) == 1
    assert tray.told[0].startswith("monday.json was applied on 20")
    assert tray.told[0].endswith("nothing of it was done again.")


async def test_a_refused_file_that_cannot_be_moved_is_told_once_and_on_record_once(tray: Tray) -> None:
    (tray.folder / "rejected").write_text("a file where a folder should be", encoding="utf-8")
    tray.drop("monday.json", "[]")
    for _ in range(3):
        await tray.inbox.look()
    stays = [line for line in tray.told if line.startswith("monday.json stays in the inbox")]
    assert len(stays) == 1
    assert len(tray.events("inbox.rejected")) == 1
    (tray.folder / "rejected").unlink()
    await tray.inbox.look()
    assert tray.names("rejected") == ["monday.json", "monday.json.reasons.txt"]


async def test_a_file_that_cannot_be_read_is_told_once_and_is_not_fatal(
    tray: Tray, monkeypatch: pytest.MonkeyPatch
) -> None:
    tray.drop("locked.json", grants("db_schema"))
    tray.drop("open.json", grants("caching"))
    real = os.open

    def locked(path: Any, *arguments: Any, **more: Any) -> int:
        # Whoever runs the tests may be root, to whom no file is closed.
        if str(path).endswith("inbox/locked.json"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, *arguments, **more)

    monkeypatch.setattr(os, "open", locked)
    for _ in range(2):
        await tray.inbox.look()
    monkeypatch.undo()
    assert tray.told == [
        "locked.json stays in the inbox: it cannot be read or moved: permission denied.",
    ]
    await tray.inbox.look()
    assert tray.names("applied") == ["locked.json", "open.json"]


async def test_a_file_that_is_too_large_is_refused_without_being_read(tray: Tray) -> None:
    with (tray.state / "huge").open("wb") as stream:
        stream.truncate(MOST_BYTES + 1)
    (tray.state / "huge").rename(tray.folder / "huge.json")
    await tray.inbox.look()
    assert "64 MB are the most" in tray.reasons("huge.json")
    assert tray.events("inbox.rejected")[0]["digest"] is None


async def test_one_that_is_too_large_and_cannot_be_moved_is_on_record_once(tray: Tray) -> None:
    (tray.folder / "rejected").write_text("in the way")
    with (tray.state / "huge").open("wb") as stream:
        stream.truncate(MOST_BYTES + 1)
    (tray.state / "huge").rename(tray.folder / "huge.json")

    for _ in range(3):
        await tray.inbox.look()

    assert len(tray.events("inbox.rejected")) == 1


async def test_who_has_lost_the_lease_applies_nothing(tray: Tray) -> None:
    def take_over(tx: Transaction) -> None:
        tx.execute(Lease.update(holder="elsewhere:1:0.00", pid=1, fence=99, heartbeat_at=tx.now))

    tray.store.write_now(take_over)
    tray.drop("monday.json", grants("db_schema"))
    tray.follow()
    assert tray.following is not None
    async with asyncio.timeout(20):
        await tray.following
    assert tray.names() == ["monday.json"]
    assert tray.mode("db_schema") == "autonomous"


async def test_a_name_that_a_terminal_would_obey_is_told_safely(tray: Tray) -> None:
    tray.drop("\x1b]52;c;eA==\x07\u202ex.json", "[]")
    await tray.inbox.look()
    assert tray.reasons(tray.names("rejected")[0]).startswith("x.json was refused as a whole on")
    assert tray.events("inbox.rejected")[0]["name"] == "x.json"


async def test_a_database_that_is_in_the_way_for_a_moment_loses_no_file(
    tray: Tray, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.store.database import StoreError

    tray.drop("monday.json", grants("db_schema"))
    write: Callable[..., Awaitable[Any]] = HeldStore.write

    async def full(*_: Any) -> Any:
        raise StoreError("The disk is full.") from sqlite3.OperationalError()

    monkeypatch.setattr(HeldStore, "write", full)
    await tray.inbox.look()
    assert tray.names() == ["monday.json"]
    monkeypatch.setattr(HeldStore, "write", write)
    await tray.inbox.look()
    assert tray.names("applied") == ["monday.json"]
