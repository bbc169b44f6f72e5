"""`apm audit verify` over a real database: whatever another program does to the events shows."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.store.audit import Audit, verify
from core.store.chain import KEY_BYTES, BadKey, head_signature
from core.store.database import connect, prepare, sqlite_url
from core.store.schema import Setting, WorkItem
from core.store.store import Reader, Store
from core.store.transaction import Transaction

EVENTS = 12


@dataclass(frozen=True)
class Journal:
    """A written journal, and a place where it is copied to be harmed."""

    original: Path
    key: bytes

    def harmed(self, harm: Callable[[sqlite3.Connection], object]) -> Audit:
        copy = self.original.with_name("harmed.db")
        shutil.copy(self.original, copy)
        with contextlib.closing(sqlite3.connect(copy)) as connection, connection:
            connection.execute("DROP TRIGGER chain_head_is_signed")
            harm(connection)
        database = connect(sqlite_url(copy))
        with database.connection_context():
            return verify(Reader(database), self.key)


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    def write(tx: Transaction, number: int) -> None:
        if number % 3:
            tx.insert(WorkItem, title=f"é {number}", type="bug", origin="human", created_at=tx.now)
        else:
            tx.insert(Setting, key=f"key {number}", value=f"{number}")
        tx.event("made", work_item=number if number % 2 else None, number=number)

    state = tmp_path_factory.mktemp("journal")
    with Store.open(state) as store:
        for number in range(EVENTS):
            store.write_now(lambda tx, number=number: write(tx, number))  # type: ignore[misc]
        key, path = store.key, store.path
    return Journal(path, key)


def test_a_journal_that_nobody_touched_is_whole(journal: Journal) -> None:
    found = journal.harmed(lambda _: None)

    assert (found.is_whole, found.events) == (True, EVENTS)


numbers = st.integers(1, EVENTS)
values = st.one_of(st.none(), st.integers(-5, 5), st.text(max_size=5), st.binary(max_size=5), st.floats(0, 3))
Harm = Callable[[sqlite3.Connection], object]


def _row(connection: sqlite3.Connection, seq: int) -> tuple[Any, ...]:
    found: tuple[Any, ...] = connection.execute("SELECT * FROM events WHERE seq = ?", (seq,)).fetchone()
    return found


@st.composite
def changed(draw: st.DrawFn) -> Harm:
    seq, value = draw(numbers), draw(values)
    column = draw(st.sampled_from(("at", "kind", "work_item", "payload", "mac")))
    return lambda c: c.execute(f"UPDATE OR IGNORE events SET {column} = ? WHERE seq = ?", (value, seq))


@st.composite
def edited(draw: st.DrawFn) -> Harm:
    """One character of a payload, in its place."""
    seq, at, other = draw(numbers), draw(st.integers(0, 20)), draw(st.characters(codec="utf-8"))

    def harm(connection: sqlite3.Connection) -> None:
        payload = str(_row(connection, seq)[4])
        at_ = at % len(payload)
        connection.execute(
            "UPDATE events SET payload = ? WHERE seq = ?", (payload[:at_] + other + payload[at_ + 1 :], seq)
        )

    return harm


@st.composite
def removed(draw: st.DrawFn) -> Harm:
    first, count = draw(numbers), draw(st.integers(1, 4))
    return lambda c: c.execute("DELETE FROM events WHERE seq BETWEEN ? AND ?", (first, first + count - 1))


@st.composite
def closed_up(draw: st.DrawFn) -> Harm:
    """An event is taken out and those behind it move up, the head with them: the numbers show nothing."""
    seq = draw(numbers)

    def harm(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM events WHERE seq = ?", (seq,))
        for number in range(seq + 1, EVENTS + 1):
            connection.execute("UPDATE events SET seq = ? WHERE seq = ?", (number - 1, number))
        last = connection.execute("SELECT mac FROM events ORDER BY seq DESC LIMIT 1").fetchone()
        if seq != EVENTS:
            connection.execute("UPDATE chain_head SET seq = ?, mac = ?", (EVENTS - 1, last[0]))

    return harm


@st.composite
def added(draw: st.DrawFn) -> Harm:
    """A copy of an event under a number of its own, behind the end or before the beginning."""
    seq, place = draw(numbers), draw(st.sampled_from((-3, 0, EVENTS + 1, EVENTS + 4)))
    return lambda c: c.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", (place, *_row(c, seq)[1:]))


@st.composite
def reordered(draw: st.DrawFn) -> Harm:
    first, second = draw(st.lists(numbers, min_size=2, max_size=2, unique=True))
    is_whole_row = draw(st.booleans())

    def harm(connection: sqlite3.Connection) -> None:
        rows = {first: _row(connection, second), second: _row(connection, first)}
        for seq, row in rows.items():
            connection.execute(
                "UPDATE events SET at = ?, kind = ?, work_item = ?, payload = ? WHERE seq = ?", (*row[1:5], seq)
            )
            if is_whole_row:
                connection.execute("UPDATE events SET mac = ? WHERE seq = ?", (row[5], seq))

    return harm


@st.composite
def cut(draw: st.DrawFn) -> Harm:
    """The end is taken off; the head is left, removed, or damaged."""
    first, head = (
        draw(numbers),
        draw(st.sampled_from(("SELECT 1", "DELETE FROM chain_head", "UPDATE chain_head SET mac='x'"))),
    )

    def harm(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM events WHERE seq >= ?", (first,))
        connection.execute(head)

    return harm


@st.composite
def cut_and_moved(draw: st.DrawFn) -> Harm:
    """The end is taken off and the head moved back to the event that is the last now, by its own mac."""
    last = draw(st.integers(1, EVENTS - 1))
    signature = draw(st.sampled_from(("signature", "NULL", "''", "mac", "x'00'", "randomblob(32)", "zeroblob(32)")))
    return lambda c: move_the_end_to(c, last, signature)


def move_the_end_to(connection: sqlite3.Connection, last: int, signature: str = "signature") -> None:
    connection.execute("DELETE FROM events WHERE seq > ?", (last,))
    mac = _row(connection, last)[5]
    connection.execute(f"UPDATE chain_head SET seq = ?, mac = ?, signature = {signature}", (last, mac))


@settings(max_examples=70, deadline=None)
@given(harm=st.one_of(changed(), edited(), removed(), closed_up(), added(), reordered(), cut(), cut_and_moved()))
def test_whatever_is_done_to_the_events_shows(journal: Journal, harm: Harm) -> None:
    def content(connection: sqlite3.Connection) -> list[Any]:
        return [connection.execute(f"SELECT * FROM {t} ORDER BY 1").fetchall() for t in ("events", "chain_head")]

    pictures: list[list[Any]] = []

    def watched(connection: sqlite3.Connection) -> None:
        pictures.append(content(connection))
        harm(connection)
        pictures.append(content(connection))

    found = journal.harmed(watched)

    before, after = pictures
    assert found.is_whole == (before == after), found.faults


def test_an_empty_text_in_place_of_no_work_item_shows(journal: Journal) -> None:
    """In the text that a mac covers the two read alike."""
    [fault] = journal.harmed(lambda c: c.execute("UPDATE events SET work_item = '' WHERE seq = 1")).faults

    assert fault.seq == 1
    assert "is not what was written" in fault.what


def test_rows_that_point_beyond_the_end_show_a_cut_whose_head_was_moved_too(journal: Journal) -> None:
    def harm(connection: sqlite3.Connection) -> None:
        connection.execute(
            "INSERT INTO delegations (work_item, phase, round, agent, subject, status, runtime, request_digest, at,"
            " milliseconds, event) VALUES (1, 'D1', 1, 'a', '', 'SUCCESS', 'tool', '', 0, 0, ?)",
            (EVENTS,),
        )
        connection.execute("DELETE FROM events WHERE seq >= ?", (EVENTS - 2,))
        mac = _row(connection, EVENTS - 3)[5]
        connection.execute("UPDATE chain_head SET seq = ?, mac = ?", (EVENTS - 3, mac))

    [_, fault] = journal.harmed(harm).faults

    assert fault.seq == EVENTS
    assert "delegations" in fault.what


@pytest.mark.parametrize("signature", ["signature", "NULL"], ids=["the one that was there", "none"])
def test_a_cut_whose_head_was_moved_too_shows_by_the_signature_alone(journal: Journal, signature: str) -> None:
    [fault] = journal.harmed(lambda c: move_the_end_to(c, EVENTS - 3, signature)).faults

    assert fault.seq == EVENTS - 3
    assert "not signed with this workspace's key" in fault.what


def test_a_head_of_another_workspace_is_no_head_of_this_one(journal: Journal) -> None:
    signature = head_signature(b"k" * KEY_BYTES, EVENTS, b"")

    [fault] = journal.harmed(lambda c: c.execute("UPDATE chain_head SET signature = ?", (signature,))).faults

    assert "not signed" in fault.what


def before_heads_were_signed(state: Path) -> None:
    """A workspace with one event, as the version before left it."""
    with Store.open(state) as store:
        store.write_now(lambda tx: tx.event("made"))
    with contextlib.closing(sqlite3.connect(state / "apm.db")) as connection, connection:
        connection.execute("DROP TRIGGER chain_head_is_signed")
        connection.execute("ALTER TABLE chain_head DROP COLUMN signature")
        connection.execute("DELETE FROM schema_migration WHERE name = '0007_signed_head'")


def test_the_head_of_an_elder_workspace_is_signed_when_it_is_brought_up_to_date(tmp_path: Path) -> None:
    before_heads_were_signed(tmp_path)

    prepare(sqlite_url(tmp_path / "apm.db"))

    with Store.open(tmp_path) as store:
        assert store.read_now(lambda r: verify(r, store.key)) == Audit(1, ())
        store.write_now(lambda tx: tx.event("made"))
        assert store.read_now(lambda r: verify(r, store.key)) == Audit(2, ())


def test_an_elder_apm_that_still_runs_cannot_leave_a_head_that_looks_forged(tmp_path: Path) -> None:
    """Its statement, as it was before heads were signed."""
    with Store.open(tmp_path) as store:
        store.write_now(lambda tx: tx.event("made"))
        with (
            contextlib.closing(sqlite3.connect(store.path)) as elder,
            pytest.raises(sqlite3.IntegrityError, match="a newer apm has brought it up to date"),
        ):
            elder.execute("UPDATE chain_head SET seq = 2, mac = x'00' WHERE id = 1")

        store.write_now(lambda tx: tx.event("made"))
        assert store.read_now(lambda r: verify(r, store.key)) == Audit(2, ())


def test_an_elder_workspace_without_its_key_is_not_brought_up_to_date(tmp_path: Path) -> None:
    before_heads_were_signed(tmp_path)
    key = (tmp_path / "journal.key").read_bytes()
    (tmp_path / "journal.key").unlink()

    with pytest.raises(BadKey, match="Put the original file back"):
        Store.open(tmp_path)

    (tmp_path / "journal.key").write_bytes(key)
    (tmp_path / "journal.key").chmod(0o600)
    with Store.open(tmp_path) as store:
        assert store.read_now(lambda r: verify(r, store.key)).is_whole
