"""`apm replay --verify`: the state made again from the events alone, table by table."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playhouse.migrations import Runner

from core.store.chain import read_or_make_key
from core.store.database import MIGRATED, MIGRATIONS, connect, sqlite_url
from core.store.replay import FOLDER_PREFIX, Replayed, replay
from core.store.schema import Decision, Escalation, Setting
from core.store.store import Store
from core.store.transaction import Transaction
from core.store.writer import Writer, milliseconds_now
from core.workspace import Workspace
from tests.app.busy import busy
from tests.unit.command_line import CommandLine
from tests.unit.engine_run import Run
from tests.unit.scripted import Scripted


def replayed(store: Store) -> Replayed:
    return store.read_now(lambda r: replay(r, store.key, store.path.parent))


def unequal(store: Store) -> list[object]:
    found = replayed(store)
    return [*found.audit.faults, *(t for t in found.tables if not t.is_equal)]


async def test_what_the_engine_left_is_what_its_events_say(run: Run) -> None:
    script = Scripted()
    await run.start(script)
    for title in ("first", "second"):
        await run.add(until=None, title=title)
    await run.settle()
    await run.stop()

    found = replayed(run.ws.store)

    assert found.is_equal, [t for t in found.tables if not t.is_equal]
    rows = {t.table: t.rows for t in found.tables}
    assert rows["delegations"] > 10
    assert rows["artifacts"] > 2


def test_a_busy_morning_is_what_its_events_say(tmp_path: Path) -> None:
    made = busy(tmp_path)
    try:
        assert unequal(made.store) == []
    finally:
        made.close()


def test_the_fresh_database_is_gone_afterwards(workspace: Workspace) -> None:
    assert replayed(workspace.store).is_equal

    assert list(workspace.state.glob(f"{FOLDER_PREFIX}*")) == []


def test_a_row_that_was_changed_added_or_removed_behind_the_journals_back_is_named(line: CommandLine) -> None:
    line("work-item", "create", "A title", "--type", "bug")
    line("work-item", "create", "Another", "--type", "bug")
    with closing(sqlite3.connect(line.folder / "state" / "apm.db")) as other, other:
        other.execute("UPDATE work_items SET title = 'A tale' WHERE id = 1")
        other.execute("DELETE FROM work_items WHERE id = 2")
        other.execute("INSERT INTO settings (key, value) VALUES ('theme', '1')")

    ended = line("replay", "--verify", "--json")

    tables = {t["table"]: t for t in ended.json["tables"]}
    assert ended.code == 1
    assert [t for t in tables if not tables[t]["equal"]] == ["settings", "work_items"]
    assert tables["work_items"]["differences"] == [
        {"key": 1, "what": "changed", "columns": {"title": ["A tale", "A title"]}},
        {"key": 2, "what": "missing", "columns": {}},
    ]
    assert [(d["key"], d["what"]) for d in tables["settings"]["differences"]] == [("theme", "added")]
    text = line("replay", "--verify")
    assert text.code == 1
    assert "work_items 1: title is 'A tale', the events say 'A title'" in text.out


def test_values_that_no_json_holds_are_shown_too(line: CommandLine) -> None:
    line("work-item", "create", "A title", "--type", "bug")
    with closing(sqlite3.connect(line.folder / "state" / "apm.db")) as other, other:
        other.execute("UPDATE work_items SET title = x'00ff', impact = 9e999")

    [table] = [t for t in line("replay", "--verify", "--json").json["tables"] if not t["equal"]]

    assert table["differences"][0]["columns"] == {"title": [r"b'\x00\xff'", "A title"], "impact": ["inf", None]}


def test_equal_tables_are_said_to_be(line: CommandLine) -> None:
    line("work-item", "create", "A title", "--type", "bug")

    ended = line("replay", "--verify")

    assert ended.code == 0
    [row] = [text.split() for text in ended.out.splitlines() if text.startswith("work_items")]
    assert row[:3] == ["work_items", "1", "equal"]


def test_a_row_that_is_missing_between_others_is_named_alone(line: CommandLine) -> None:
    for title in ("One", "Two", "Three"):
        line("work-item", "create", title, "--type", "bug")
    with closing(sqlite3.connect(line.folder / "state" / "apm.db")) as other, other:
        other.execute("DELETE FROM work_items WHERE id = 2")

    tables = {t["table"]: t for t in line("replay", "--verify", "--json").json["tables"]}

    assert [(d["key"], d["what"]) for d in tables["work_items"]["differences"]] == [(2, "missing")]


def test_a_journal_that_is_not_whole_is_not_replayed(line: CommandLine) -> None:
    line("work-item", "create", "A title", "--type", "bug")
    with closing(sqlite3.connect(line.folder / "state" / "apm.db")) as other, other:
        other.execute("UPDATE events SET at = at + 1 WHERE seq = 2")

    ended = line("replay", "--verify", "--json")

    assert ended.code == 1
    assert (ended.json["ok"], ended.json["tables"]) == (False, [])
    assert ended.json["faults"][0]["seq"] == 2


def test_replay_asks_for_what_it_is_to_do(line: CommandLine) -> None:
    ended = line("replay")

    assert ended.code == 2
    assert "--verify" in ended.err


def write_under(schema: str, state: Path, work: Callable[[Transaction, Any], None]) -> None:
    """Write as an apm did whose newest migration was this one; the work is given that apm's first tables."""
    database = connect(sqlite_url(state / "apm.db"))
    with database.connection_context():
        runner = Runner(database, str(MIGRATIONS))
        runner.up(schema)
        tables = runner.migrations()[0].load()
        # Today's writer signs the head, which none of these schemas has a place for.
        database.execute_sql("ALTER TABLE chain_head ADD COLUMN signature BLOB")
    key = read_or_make_key(state / "journal.key", has_journal=lambda: False)
    writer = Writer(database, key, "", lambda _: {}, milliseconds_now, lambda **_: None)
    writer.write_now(lambda tx: work(tx, tables))
    writer.close()
    with database.connection_context():
        database.execute_sql("ALTER TABLE chain_head DROP COLUMN signature")


def two_questions(tx: Transaction, tables: Any) -> None:
    for number, at in ((1, None), (2, 9)):
        words = {"kind": "gate", "key": str(number), "question": "?", "urgency": "DAILY", "chain": "[]"}
        times = {"raised_at": 5, "last_raised_at": 5, "due_at": 777}
        tx.insert(tables.Escalation, **words, **times, options="[]", payload_digest="")
        tx.event("escalation.raised", escalation=number)
        if at is not None:
            tx.update(tables.Escalation, number, resolved_at=at)
            tx.event("escalation.resolved", escalation=number)


@pytest.mark.parametrize("is_marked", [True, False], ids=["with its event", "by an apm that wrote no event of it"])
def test_a_workspace_of_an_earlier_schema_is_rebuilt_with_its_migrations_in_their_places(
    tmp_path: Path, is_marked: bool
) -> None:
    write_under("0002_registry", tmp_path, two_questions)
    if not is_marked:
        database = connect(sqlite_url(tmp_path / "apm.db"))
        with database.connection_context():
            Runner(database, str(MIGRATIONS)).up()

    with Store.open(tmp_path) as store:
        store.write_now(resolve_the_first)

        assert store.read_now(lambda r: r.sql("SELECT next_at FROM escalations ORDER BY id")) == [(777,), (None,)]
        assert unequal(store) == []
        kinds = [kind for (kind,) in store.read_now(lambda r: r.sql("SELECT kind FROM events"))]
        assert (MIGRATED in kinds) == is_marked


def resolve_the_first(tx: Transaction) -> None:
    tx.update(Escalation, 1, resolved_at=tx.now)
    tx.event("escalation.resolved", escalation=1)


def test_rows_tell_the_schema_where_the_clock_was_set_back(tmp_path: Path) -> None:
    """Migrations seem to have run a year after the events that they made possible."""
    with Store.open(tmp_path, clock=lambda: 1_000) as store:
        for title in ("one", "two"):
            store.write_now(lambda tx, title=title: add(tx, title))  # type: ignore[misc]
        store.write_now(lambda tx: (tx.insert(Setting, key="a", value="1"), tx.event("setting.changed")))

        assert unequal(store) == []


def add(tx: Transaction, title: str) -> None:
    tx.insert(Decision, agent="ux", kind="k", question=title, impact=1, outcome="decided", rule="r", at=tx.now)
    tx.event("decision.decided")
