"""The store: whole writes or none, one event per change, a chain that shows what was done to it."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.contract import ApmError
from core.store import reads
from core.store.chain import Head, StoredEvent, event_from_row, faults, head_from_row
from core.store.database import MIGRATIONS, StoreError, connect, prepare, sqlite_url
from core.store.schema import NEWEST, TABLES, ChainHead, Event, Setting, WorkItem
from core.store.store import Reader, Store
from core.store.transaction import Transaction, Unrecorded


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "state") as opened:
        yield opened


def add_work_item(tx: Transaction, title: str = "x") -> int:
    number = tx.insert(WorkItem, title=title, type="feature", origin="human", created_at=tx.now)
    tx.event("work_item.created", work_item=number)
    return number


def chain(store: Store) -> tuple[list[StoredEvent], Head]:
    def read(reader: Reader) -> tuple[list[StoredEvent], Head]:
        found = reader.rows(
            Event.select(Event.seq, Event.at, Event.kind, Event.work_item, Event.payload, Event.mac).order_by(Event.seq)
        )
        head = reader.one(ChainHead.select(ChainHead.seq, ChainHead.mac, ChainHead.signature))
        assert head is not None
        return [event_from_row(row) for row in found], head_from_row(head)

    return store.read_now(read)


def test_the_schema_after_all_migrations_is_the_models(store: Store) -> None:
    from playhouse.schema_diff import diff_models

    database = connect(sqlite_url(store.path))
    with database.connection_context():
        assert not diff_models(database, TABLES)
    assert max(int(p.name[:4]) for p in MIGRATIONS.glob("[0-9]*.py")) == NEWEST


def test_all_that_a_read_sees_is_of_one_moment(store: Store) -> None:
    store.write_now(lambda tx: add_work_item(tx, "Before"))

    def read(reader: Reader) -> list[list[tuple[object, ...]]]:
        first = reader.rows(WorkItem.select(WorkItem.title))
        store.write_now(lambda tx: add_work_item(tx, "Between"))
        return [first, reader.rows(WorkItem.select(WorkItem.title))]

    before, after = store.read_now(read)

    assert before == after
    assert len(store.read_now(lambda r: r.rows(WorkItem.select(WorkItem.title)))) == 2


def test_what_was_written_is_read_back_as_a_row(store: Store) -> None:
    number = store.write_now(lambda tx: add_work_item(tx, "A “quoted” title"))

    row = store.read_now(lambda r: reads.work_item(r, number))

    assert row is not None
    assert (row.title, row.state, row.facts.tags) == ("A “quoted” title", "proposed", [])


def test_a_closure_that_raises_leaves_nothing_and_the_others_of_its_group_stay(store: Store) -> None:
    async def together() -> list[object]:
        def broken(tx: Transaction) -> None:
            add_work_item(tx, "gone")
            raise ValueError("on purpose")

        writes = [store.write(add_work_item), store.write(broken), store.write(add_work_item)]
        return list(await asyncio.gather(*writes, return_exceptions=True))

    outcomes = asyncio.run(together())

    assert [type(o) for o in outcomes] == [int, ValueError, int]
    assert {w.title for w in store.read_now(reads.work_items)} == {"x"}
    events, head = chain(store)
    assert [e.seq for e in events] == [1, 2]
    assert list(faults(store.key, events, head)) == []


def test_a_change_without_an_event_is_refused(store: Store) -> None:
    with pytest.raises(Unrecorded, match="work_items"):
        store.write_now(lambda tx: tx.insert(WorkItem, title="x", type="bug", origin="human", created_at=tx.now))

    assert store.read_now(reads.work_items) == ()


def test_listeners_hear_of_commits_alone(store: Store) -> None:
    heard: list[str] = []
    end = store.subscribe(lambda events: heard.extend(e.kind for e in events))

    def broken(tx: Transaction) -> None:
        add_work_item(tx)
        raise ValueError("on purpose")

    store.write_now(add_work_item)
    with pytest.raises(ValueError, match="on purpose"):
        store.write_now(broken)
    end()
    store.write_now(add_work_item)

    assert heard == ["work_item.created"]


def test_a_listener_that_fails_stops_neither_the_write_nor_the_others(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[int] = []

    def broken(_: object) -> None:
        raise RuntimeError("the loop is closed")

    store.subscribe(broken)
    store.subscribe(lambda events: heard.append(len(events)))

    assert store.write_now(add_work_item) == 1
    assert heard == [1]
    assert "could not take in" in caplog.text


def test_many_writers_at_once_leave_a_chain_without_gaps(store: Store) -> None:
    async def flood() -> None:
        await asyncio.gather(*(store.write(add_work_item) for _ in range(500)))

    asyncio.run(flood())

    events, head = chain(store)
    assert [e.seq for e in events] == list(range(1, 501))
    assert list(faults(store.key, events, head)) == []


@pytest.mark.parametrize("harm", ["changed", "removed", "cut", "reordered", "added"])
def test_the_chain_shows_what_was_done_to_it(store: Store, harm: str) -> None:
    for _ in range(5):
        store.write_now(add_work_item)
    events, head = chain(store)

    third = events[2]
    harmed = {
        "changed": [*events[:2], StoredEvent(3, third.at, third.kind, 1, "{}", third.mac), *events[3:]],
        "removed": [*events[:2], *events[3:]],
        "cut": events[:3],
        "reordered": [events[1], events[0], *events[2:]],
        "added": [*events, StoredEvent(6, third.at, third.kind, 1, "{}", third.mac)],
    }[harm]

    assert list(faults(store.key, harmed, head))


def test_the_key_is_for_its_owner_alone(store: Store) -> None:
    assert stat.S_IMODE((store.path.parent / "journal.key").stat().st_mode) == 0o600


def test_a_database_of_a_newer_apm_is_refused_untouched(tmp_path: Path) -> None:
    with Store.open(tmp_path) as opened:
        path = opened.path
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO schema_migration (name, applied) VALUES ('9999_later', '2030-01-01')")
    connection.commit()
    connection.close()
    before = path.read_bytes()

    with pytest.raises(StoreError, match="newer apm"):
        Store.open(tmp_path)

    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_untouched(tmp_path: Path) -> None:
    (tmp_path / "apm.db").write_text("this is a letter, not a database; " * 100)

    with pytest.raises(StoreError, match="not a database"):
        Store.open(tmp_path)

    assert (tmp_path / "apm.db").read_text().startswith("this is a letter")


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "apm.db")
    connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.commit()
    connection.close()

    with pytest.raises(StoreError, match="some other program"):
        Store.open(tmp_path)


def test_another_scheme_is_refused_by_name() -> None:
    with pytest.raises(StoreError, match="postgres"):
        connect("postgres://localhost/apm")


def test_preparing_twice_changes_nothing(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "apm.db")

    prepare(url)
    prepare(url)

    assert [p.name for p in tmp_path.glob("*before*")] == []


def test_what_another_process_committed_is_read_at_once(store: Store) -> None:
    other = sqlite3.connect(store.path)
    other.execute("INSERT INTO settings (key, value) VALUES ('theme', '\"dark\"')")
    other.commit()
    other.close()

    assert store.read_now(lambda r: r.one(Setting.select(Setting.value))) == ('"dark"',)


def test_a_log_that_cannot_be_looked_at_has_a_mark_that_stays(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store._files.log = tmp_path / "file" / "no folder"
    assert store.write_mark() == (0, 0)


@pytest.mark.parametrize("name", ["apm.db", "apm.db-wal"])
@pytest.mark.parametrize("is_replaced", [False, True])
async def test_what_is_said_to_a_file_that_lost_its_name_is_refused_until_it_is_back(
    store: Store, name: str, is_replaced: bool
) -> None:
    store.write_now(add_work_item)
    own = store.path.with_name(name)
    away = own.rename(own.with_name("away"))
    if is_replaced:
        shutil.copyfile(away, own)

    with pytest.raises(StoreError, match="is not the file that this apm opened"):
        await store.write(add_work_item)
    if name == "apm.db":
        with pytest.raises(StoreError, match="is not the file that this apm opened"):
            await store.read(reads.work_items)

    away.replace(own)
    store.write_now(add_work_item)
    assert len(await store.read(reads.work_items)) == 2


def test_the_write_mark_moves_with_anybodys_write_and_stays_between(store: Store, tmp_path: Path) -> None:
    marks = [store.write_mark()]
    store.write_now(add_work_item)
    marks.append(store.write_mark())
    with Store.open(tmp_path / "state") as other:
        other.write_now(add_work_item)
        marks.append(store.write_mark())
        store.read_now(reads.work_items)
        assert store.write_mark() == marks[-1]
    assert len(set(marks)) == len(marks)


def test_a_kill_while_the_key_is_made_leaves_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            Store.open(tmp_path)

    Store.open(tmp_path).close()
    assert (tmp_path / "journal.key").stat().st_mode & 0o777 == 0o600


def test_a_key_that_is_gone_is_not_silently_replaced(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.write_now(lambda tx: tx.event("something"))
    (tmp_path / "journal.key").unlink()

    with pytest.raises(ApmError, match="Put the original file back"):
        Store.open(tmp_path)
    assert not (tmp_path / "journal.key").exists()


def test_processes_that_open_a_new_workspace_at_once_all_can(tmp_path: Path) -> None:
    code = "import sys, pathlib, core.store.store as s; s.Store.open(pathlib.Path(sys.argv[1])).close()"
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "state")], stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]

    assert [process.communicate()[1] for process in started] == [""] * 4


def test_answering_a_decision_reads_no_other(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        plan = store.read_now(lambda r: r.sql("EXPLAIN QUERY PLAN SELECT id FROM decisions WHERE escalation = ?", (3,)))

    assert "SEARCH" in str(plan)
