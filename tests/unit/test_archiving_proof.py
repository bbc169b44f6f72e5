"""What was done to a workspace or an archive shows, is not archived, and is not shown as what was written."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from core.store import archiving, reads, replay
from core.store.archiving import archive_some
from core.store.database import StoreError
from core.store.store import Store
from tests.fresh import copied, fresh_workspace
from tests.unit.archiving_place import DATE, LATER, rows_of, worked, yesterday
from tests.unit.command_line import CommandLine


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copied(worked, tmp_path / "ws")


@pytest.fixture
def line(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(folder, capsys, monkeypatch)


HARM = {
    "an event of the archive": (
        "archive",
        "UPDATE events SET payload = replace(payload, 'a', 'b') WHERE seq = {moved}",
    ),
    "an event out of the archive": ("archive", "DELETE FROM events WHERE seq = {moved}"),
    "a row of the archive": ("archive", "UPDATE work_items SET title = 'z' WHERE id = 1"),
    "what the archive says": ("archive", "UPDATE archive_about SET content = replace(content, '2026', '2025')"),
    "a stretch that was widened": (
        "apm",
        "UPDATE events SET payload = '{{\"first\":1}}' WHERE kind = 'archive.stretch'",
    ),
    "a stretch that is gone": ("apm", "DELETE FROM events WHERE kind = 'archive.stretch'"),
    "a stretch's mac": ("apm", "UPDATE events SET mac = zeroblob(32) WHERE kind = 'archive.stretch'"),
    "an event made a stretch": (
        "apm",
        "UPDATE events SET kind = 'archive.stretch', payload = '{{\"first\":2}}', work_item = NULL WHERE seq = 2",
    ),
}


@pytest.mark.parametrize("harm", HARM)
def test_whatever_is_done_to_either_file_shows(line: CommandLine, harm: str) -> None:
    with Store.open(line.folder / "state") as store:
        made = archive_some(store, LATER, DATE)
        assert made is not None
    file, statement = HARM[harm]
    path = made.path if file == "archive" else line.folder / "state" / "apm.db"
    with closing(sqlite3.connect(path)) as other, other:
        assert other.execute(statement.format(moved=made.moved[3])).rowcount > 0

    ended = line("audit", "verify", *(("--archive", made.path) if file == "archive" else ()))

    assert ended.code == 1
    assert "✗ broken" in ended.out


def test_an_archive_of_another_workspace_is_not_taken_for_this_ones(line: CommandLine, tmp_path: Path) -> None:
    with Store.open(line.folder / "state") as store:
        made = archive_some(store, LATER, DATE)
        assert made is not None
    elsewhere = fresh_workspace(tmp_path / "other")
    shutil.copy(made.path, elsewhere / "state" / made.path.name)
    other = CommandLine(elsewhere, line.capsys, line.monkeypatch)

    ended = other("audit", "verify", "--archive", made.path.name)

    assert (ended.code, "not this workspace's" in ended.out or "no event of this journal names" in ended.out) == (
        1,
        True,
    )
    assert "No archive holds work item 1" in other("archive", "show", "1").err
    assert "is not there" in other("audit", "verify", "--archive", "nothing.db").err


@pytest.mark.parametrize("step", ["archivable", "_free_name", "_copy", "_take_out"])
def test_of_two_that_archive_at_once_one_waits(folder: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """They would choose the same name, and the later one write over what the other has moved."""
    real, seen = getattr(archiving, step), []

    def alone(*given: Any) -> Any:
        with (folder / "state" / archiving.LOCK).open() as another:
            try:
                fcntl.flock(another, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                seen.append(step)
        return real(*given)

    monkeypatch.setattr(archiving, step, alone)
    with Store.open(folder / "state") as store:
        assert archive_some(store, LATER, DATE) is not None

    assert set(seen) == {step}


TAMPERED = {
    "a row": "UPDATE work_items SET title = 'forged' WHERE id = 1",
    "an event": "UPDATE events SET payload = replace(payload, 'SUCCESS', 'FAILURE') WHERE seq = {seq}",
}


@pytest.mark.parametrize("what", TAMPERED)
def test_what_is_not_proven_is_not_archived(line: CommandLine, what: str) -> None:
    """In the archive it would be apm's own word, and the journal whole again."""
    database = line.folder / "state" / "apm.db"
    with closing(sqlite3.connect(database)) as other, other:
        [(seq,)] = other.execute("SELECT MIN(seq) FROM events WHERE kind = 'delegation.recorded' AND work_item = 1")
        assert other.execute(TAMPERED[what].format(seq=seq)).rowcount == 1
    before = rows_of(database)

    ended = line("archive", "--before", yesterday())

    assert ended.code == 1
    assert "what is not proven cannot be archived" in ended.err
    assert rows_of(database) == before
    assert list((line.folder / "state").glob("archive-*.db*")) == []


def test_where_nothing_is_to_be_archived_nothing_has_to_be_proven(
    line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rebuilding the state of a long journal takes minutes."""
    asked: list[object] = []
    monkeypatch.setattr(replay, "check_proven", lambda *given: asked.append(given))

    ended = line("archive", "--before", "2020-01-01")

    assert (ended.code, asked) == (0, [])
    assert line("archive", "--before", yesterday()).code == 0
    assert len(asked) == 1


def test_an_event_that_is_not_what_was_written_stays_where_the_chain_shows_it(folder: Path) -> None:
    with Store.open(folder / "state") as store:
        [(seq,)] = store.read_now(lambda r: r.sql("SELECT MIN(seq) FROM events WHERE work_item = 1"))
        with closing(sqlite3.connect(store.path)) as other, other:
            other.execute("UPDATE events SET at = at + 1 WHERE seq = ?", (seq,))

        with pytest.raises(StoreError, match=f"Event {seq} .* is not what was written"):
            archive_some(store, LATER, DATE)

        assert len(store.read_now(reads.work_items)) == 5


@pytest.mark.parametrize("harm", ["edited", "emptied", "cut"])
def test_an_archive_that_is_not_what_was_written_shows_nothing(line: CommandLine, harm: str) -> None:
    line("archive", "--before", yesterday())
    path = next((line.folder / "state").glob("archive-*.db"))
    if harm == "edited":
        with closing(sqlite3.connect(path)) as other, other:
            other.execute("UPDATE work_items SET title = 'forged' WHERE id = 1")
    else:
        os.truncate(path, 0 if harm == "emptied" else path.stat().st_size // 2)

    ended = line("archive", "show", "1")

    assert (ended.code, ended.out) == (1, "")
    assert str(path) in ended.err
