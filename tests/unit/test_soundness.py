"""A damaged page that nobody reads is found by whoever looks, and named; a person is told while a backup is young."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest

from core.orchestration import duties, lease
from core.orchestration.duties import Duties
from core.orchestration.lease import HeldStore
from core.registry.catalog import default_path, load
from core.store import reads_escalations, rows
from core.store.database import PAGE_BYTES, StoreError
from core.store.soundness import damage, verify_store
from core.store.store import Store
from tests.fresh import fresh_workspace
from tests.unit.command_line import CommandLine

SETTLED_SECONDS = 20


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return fresh_workspace(tmp_path / "workspace") / "state"


@pytest.fixture
def line(state: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(state.parent, capsys, monkeypatch)


@pytest.fixture
async def store(state: Path) -> AsyncIterator[Store]:
    with Store.open(state) as opened:
        yield opened


class Following:
    """The duties of whoever drives, begun, and their look at the file not put off."""

    def __init__(self, store: Store, held: lease.Held, told: list[str]) -> None:
        team = load(default_path())
        self._duties = Duties(HeldStore(store, lambda: held), store.path.parent, lambda: team, told.append)
        self._task = asyncio.create_task(self._duties.follow())

    async def until(self, condition: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(SETTLED_SECONDS):
                while not condition():  # noqa: ASYNC110 — what is waited for has no event of ours
                    await asyncio.sleep(0.01)
        finally:
            self._duties.stop()
            await self._task


def harm(path: Path, table: str, content: bytes = b"\xff" * 512) -> None:
    """Write over the beginning of a table's first page, in the file itself and not in its log."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [(page,)] = database.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchall()
        [(size,)] = database.execute("PRAGMA page_size").fetchall()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(content)


def questions(store: Store) -> list[rows.EscalationRow]:
    return list(store.read_now(lambda r: reads_escalations.escalations(r, limit=100)))


def test_a_sound_file_has_nothing_to_say(state: Path) -> None:
    assert damage(state / "apm.db") == ""


@pytest.mark.parametrize("table", ["scope_reviews", "events"])
def test_a_damaged_page_is_named_by_its_table_with_what_to_do(state: Path, table: str) -> None:
    harm(state / "apm.db", table)

    told = damage(state / "apm.db")

    assert told.startswith(f"{state / 'apm.db'} is damaged ({table}): ")
    assert "restore a backup" in told


def test_an_index_that_knows_less_than_its_table_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "apm.db"

    def run(*statements: str) -> None:
        with closing(sqlite3.connect(path)) as database, database:
            for statement in statements:
                database.execute(statement)

    run("CREATE TABLE t (x)", "CREATE INDEX tx ON t (x)", "CREATE TABLE kept AS SELECT * FROM sqlite_master")
    run("PRAGMA writable_schema = 1", "DELETE FROM sqlite_master WHERE name = 'tx'")
    run("INSERT INTO t VALUES (1)")
    run("PRAGMA writable_schema = 1", "INSERT INTO sqlite_master SELECT * FROM kept WHERE name = 'tx'")

    assert "is damaged (t): " in damage(path)


def test_a_file_that_cannot_be_opened_is_not_called_damaged(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        damage(tmp_path / "apm.db")


def test_whoever_ends_does_not_wait_for_the_check(tmp_path: Path) -> None:
    path = tmp_path / "apm.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE t (x)")
        database.executemany("INSERT INTO t VALUES (?)", ((number,) for number in range(100_000)))
        database.execute("CREATE INDEX tx ON t (x)")

    def looks(*, stops: bool) -> int:
        looked: list[int] = []

        def should_stop() -> bool:
            looked.append(1)
            return stops

        assert damage(path, should_stop) == ""
        return len(looked)

    assert looks(stops=True) < 5 < looks(stops=False)


def test_audit_verify_tells_of_damage_that_no_read_meets(line: CommandLine) -> None:
    harm(line.folder / "state" / "apm.db", "scope_reviews")

    ended = line("audit", "verify")
    found = line("audit", "verify", "--json").json

    assert ended.code == 1
    assert "is damaged (scope_reviews)" in ended.out
    assert (found["ok"], len(found["faults"]), found["events"] > 0) == (False, 1, True)


def test_a_journal_that_cannot_be_read_for_the_damage_is_told_once(line: CommandLine) -> None:
    with Store.open(line.folder / "state") as store:
        for _ in range(100):
            store.write_now(lambda tx: tx.event("made", text="x" * 500))
    harm(line.folder / "state" / "apm.db", "events")
    with Store.open(line.folder / "state") as store:
        found = verify_store(store)

    assert [fault.seq for fault in found.faults] == [0]
    assert "is damaged (events)" in found.faults[0].what


def test_the_doctor_tells_of_it(line: CommandLine) -> None:
    harm(line.folder / "state" / "apm.db", "scope_reviews")

    found = {f["name"]: f for f in line("doctor", "--json").json}

    assert found["database"]["status"] == "problem"
    assert "is damaged (scope_reviews)" in found["database"]["found"]


async def test_whoever_drives_asks_a_person_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duties, "CHECK_AFTER_SECONDS", 0.0)
    monkeypatch.setattr(duties, "CHECK_SECONDS", 0.0)
    looks: list[Path] = []

    def counted(path: Path, should_stop: Callable[[], bool]) -> str:
        looks.append(path)
        return damage(path, should_stop)

    monkeypatch.setattr("core.store.soundness.damage", counted)
    held = await store.write(lease.take)
    assert held is not None
    harm(store.path, "scope_reviews")

    await Following(store, held, []).until(lambda: len(looks) > 3)

    [asked] = questions(store)
    assert (asked.urgency, asked.kind, asked.work_item) == ("IMMEDIATE", "error", None)
    assert "is damaged (scope_reviews)" in asked.question
    assert asked.count == 1


async def test_the_question_is_closed_when_the_file_is_sound_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duties, "CHECK_AFTER_SECONDS", 0.0)
    held = await store.write(lease.take)
    assert held is not None
    good = page_of(store.path, "scope_reviews")
    harm(store.path, "scope_reviews")
    await Following(store, held, []).until(lambda: bool(questions(store)))

    harm(store.path, "scope_reviews", good)
    await Following(store, held, []).until(lambda: not questions(store))


async def test_damage_that_no_question_can_be_kept_of_is_told_on_the_console(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duties, "CHECK_AFTER_SECONDS", 0.0)
    told: list[str] = []
    held = await store.write(lease.take)
    assert held is not None
    harm(store.path, "escalations")

    await Following(store, held, told).until(lambda: bool(told))

    assert "is damaged (escalations)" in told[0]


def page_of(path: Path, table: str) -> bytes:
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [(page,)] = database.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchall()
    return path.read_bytes()[(page - 1) * PAGE_BYTES : page * PAGE_BYTES]
