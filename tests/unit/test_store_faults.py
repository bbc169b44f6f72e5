"""A database that cannot serve says so in a sentence, keeps nothing by halves, and serves again afterwards."""

from __future__ import annotations

import asyncio
import errno
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from peewee import OperationalError

from core.contract import AgentRequest, succeeded
from core.orchestration import journal, outcomes, work_items
from core.orchestration.journal import Key
from core.store import audit, reads
from core.store.chain import StoredEvent
from core.store.database import StoreError, explain
from core.store.schema import PhaseRun, WorkItem
from core.store.store import Store
from core.store.tickets import Ticket
from core.store.transaction import Transaction
from core.store.writer import Writer
from core.workspace import Workspace
from tests.e2e.apm_process import environment
from tests.fresh import fresh_store

START, HOUR_MS = 1_800_000_000_000, 3_600_000
LIMITED = (
    "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20)); from tui.cli.main import main; main([])"
)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def store(state: Path) -> Iterator[Store]:
    with fresh_store(state) as opened:
        yield opened


def add(store: Store, body: str = "") -> int:
    return store.write_now(lambda tx: work_items.create(tx, title="x", body=body))


def harm(state: Path, sql: str) -> None:
    with closing(sqlite3.connect(state / "apm.db")) as connection:
        # Whoever means harm is not held up by it.
        connection.execute("DROP TRIGGER IF EXISTS chain_head_is_signed")
        connection.execute(sql)
        connection.commit()


def test_the_first_write_beyond_the_disk_says_so_and_the_next_is_kept(store: Store) -> None:
    """SQLite ends the transaction by itself then, and every attempt to roll it back fails as well."""
    first = add(store)

    def pages(tx: Transaction) -> int:
        return int(tx.sql("PRAGMA page_count")[0][0])

    def limit(count: int) -> None:
        store.write_now(lambda tx: tx.sql(f"PRAGMA max_page_count = {count}"))

    limit(store.write_now(pages) + 4)
    with pytest.raises(StoreError, match=r"^No space is left for .*free some space"):
        add(store, "y" * 80_000)
    limit(1_000_000)

    assert add(store) == first + 1
    assert store.read_now(lambda r: audit.verify(r, store.key)).is_whole


@pytest.mark.parametrize(
    ("value", "error"), [(2**63, OverflowError), ("\ud800", UnicodeEncodeError)], ids=["number", "text"]
)
def test_a_value_that_the_driver_does_not_take_is_its_writers_fault_alone(
    store: Store, value: Any, error: type[Exception]
) -> None:
    """It shows only when the rows are written, beyond the closure."""

    def refused(tx: Transaction) -> None:
        tx.update(WorkItem, first, impact=value)
        tx.event("work_item.noted", work_item=first)

    async def at_once() -> list[Any]:
        asked = [store.write(lambda tx: work_items.create(tx, title="x")), store.write(refused)]
        return list(await asyncio.gather(*asked, return_exceptions=True))

    first = add(store)

    second, fault = asyncio.run(at_once())

    assert (second, type(fault)) == (first + 1, error)
    with pytest.raises(error):
        store.write_now(refused)
    assert add(store) == first + 2
    assert store.read_now(lambda r: audit.verify(r, store.key)).is_whole


def test_a_database_that_is_locked_is_waited_for_once_by_all_who_wait(
    store: Store, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []
    committed = Writer._committed

    def counted(writer: Writer, tickets: Sequence[Ticket]) -> list[StoredEvent]:
        tries.append(len(tickets))
        return committed(writer, tickets)

    async def at_once() -> list[Any]:
        asked = [store.write(lambda tx: work_items.create(tx, title="x")) for _ in range(20)]
        return list(await asyncio.gather(*asked, return_exceptions=True))

    store.write_now(lambda tx: tx.sql("PRAGMA busy_timeout = 20"))
    with monkeypatch.context() as patched, closing(sqlite3.connect(state / "apm.db", isolation_level=None)) as other:
        patched.setattr(Writer, "_committed", counted)
        other.execute("BEGIN IMMEDIATE")
        refused = asyncio.run(at_once())

    assert [type(fault) for fault in refused] == [StoreError] * 20
    assert tries == [20]
    assert add(store) == 1


@pytest.mark.parametrize("raised", [asyncio.CancelledError, StopIteration, SystemExit, KeyboardInterrupt])
def test_whatever_a_closure_raises_is_told_to_whoever_asked(store: Store, raised: type[BaseException]) -> None:
    def ends(_: object) -> None:
        raise raised("no")

    async def each() -> None:
        for asked in (store.write(ends), store.read(ends)):
            with pytest.raises(RuntimeError, match=raised.__name__):
                await asked

    asyncio.run(each())
    with pytest.raises(RuntimeError, match=raised.__name__):
        store.write_now(ends)

    assert add(store) == 1


def test_a_writer_that_cannot_open_the_database_says_so_and_can_the_next_time(
    store: Store, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(**_: object) -> bool:
        raise OperationalError("unable to open database file")

    with Store.open(state) as another:
        with monkeypatch.context() as patched:
            patched.setattr(another._db, "connect", cannot)
            with pytest.raises(StoreError, match="cannot be opened"):
                add(another)

        assert add(another) == 1


def test_a_full_disk_is_told_although_rolling_back_fails_too() -> None:
    with pytest.raises(OperationalError) as raised:  # noqa: PT012 — one error out of the other
        try:
            raise sqlite3.OperationalError("database or disk is full")
        except sqlite3.OperationalError:
            raise OperationalError("cannot rollback - no transaction is active")  # noqa: B904
    assert str(explain(raised.value, "apm.db")).startswith("No space is left for apm.db")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.EROFS, "Read-only file system", "apm.lock"), "give yourself write permission"),
        (OSError(errno.EMFILE, "Too many open files", "apm.db"), "ulimit -n"),
        (OSError(errno.ENOSPC, "No space left on device", "apm.db"), "free some space"),
        (sqlite3.OperationalError("disk I/O error"), "the disk answers with an error"),
        (sqlite3.OperationalError("unable to open database file"), "ulimit -n"),
        (sqlite3.OperationalError("Could not decode to UTF-8 column 'value'"), "restore a backup"),
    ],
)
def test_what_the_machine_answers_is_told_with_what_to_do(error: Exception, words: str, tmp_path: Path) -> None:
    assert words in str(explain(error, tmp_path / "apm.db"))


def test_text_that_was_damaged_is_told_by_whoever_reads_it(store: Store, state: Path) -> None:
    add(store)
    harm(state, "UPDATE work_items SET title = CAST(x'ff' AS TEXT)")
    with pytest.raises(StoreError, match=r"is damaged.*restore a backup"):
        store.read_now(lambda r: reads.work_item_facts(r, 1))
    with pytest.raises(StoreError, match="is damaged"):
        store.write_now(lambda tx: reads.work_item_facts(tx, 1))


@pytest.mark.parametrize(
    "sql",
    ["DELETE FROM events WHERE seq = 2", "DELETE FROM chain_head", "UPDATE chain_head SET seq = 9"],
)
def test_nothing_is_written_to_a_journal_that_does_not_end_where_it_did(state: Path, sql: str) -> None:
    with fresh_store(state) as store:
        add(store)
        last = store.read_now(lambda r: reads.events(r, last=1))[0].seq
    harm(state, sql.replace("= 2", f"= {last}"))
    with Store.open(state) as store:
        for _ in range(2):
            with pytest.raises(StoreError, match=r"has lost events.*restore a backup"):
                add(store)
        assert not store.read_now(lambda r: audit.verify(r, store.key)).is_whole
        assert store.read_now(lambda r: reads.work_items(r))


def test_nothing_is_written_behind_an_end_that_was_moved_back(state: Path) -> None:
    """The next event would sign the head anew, and nothing would show the cut any more."""
    with fresh_store(state) as store:
        add(store)
        last = add(store) and store.read_now(lambda r: reads.events(r, last=1))[0].seq
    harm(state, f"DELETE FROM events WHERE seq = {last}")
    harm(state, f"UPDATE chain_head SET seq = {last - 1}, mac = (SELECT mac FROM events WHERE seq = {last - 1})")

    with Store.open(state) as store:
        for _ in range(2):
            with pytest.raises(StoreError, match=r"not signed.*restore a backup"):
                add(store)


def test_an_answer_whose_event_is_gone_is_not_asked_for_again(workspace: Workspace) -> None:
    store, request = workspace.store, AgentRequest("definition-orch", {}, {}, "triage")

    def record(tx: Transaction) -> int:
        key = Key("D1", 1, "intent-triage")
        return journal.record(tx, 1, key, request, succeeded("intent-triage", {}), "tool", milliseconds=1).number

    add(store)
    number = store.write_now(record)
    harm(workspace.state, f"DELETE FROM events WHERE seq = {number}")
    with pytest.raises(StoreError, match=f"Event {number} is gone .* work item 1 .*restore a backup"):
        store.read_now(lambda r: journal.read_journal(r, 1))


def test_where_too_few_files_may_be_open_nothing_is_begun() -> None:
    ended = subprocess.run([sys.executable, "-c", LIMITED], env=environment(), capture_output=True, text=True)
    assert ended.stderr.startswith("apm: 20 files may be open")
    assert ended.stderr.count("\n") == 1


def test_work_is_in_the_phase_that_it_entered_last_although_the_clock_was_put_back(state: Path) -> None:
    now = [START]
    with fresh_store(state, clock=lambda: now[0]) as store:
        number = add(store)
        for phase in ("D1", "P1"):

            def pass_phase(tx: Transaction, phase: str = phase) -> None:
                run = outcomes.open_run(tx, number, phase, 1, "0" * 64, [])
                tx.update(PhaseRun, run.id, outcome="passed", ended_at=tx.now)
                tx.event("phase.passed", work_item=number)

            store.write_now(pass_phase)
            now[0] -= HOUR_MS

        item = store.read_now(lambda r: reads.work_item(r, number))

    assert item is not None
    assert item.phase == "P1"
