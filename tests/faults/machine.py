"""A machine that fails: one sentence, no trace of half a change, and it goes on when the cause is gone."""

from __future__ import annotations

import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from core.store.database import PAGE_BYTES
from tests.e2e.apm_process import Apm, Ended, end, environment, query
from tests.faults.room import Room, why_not
from tests.fresh import fresh_workspace

needs_mounts = pytest.mark.skipif(bool(why_not()), reason=why_not())
HOUR, YEAR = 3_600, 365 * 86_400
FILL = 'cd "$1"; dd if=/dev/zero of=filler bs=1k count=$(($(df --output=avail -k . | tail -1) - $2)) 2>/dev/null'
AT_ANOTHER_TIME = """
import sys, time
ahead, after, jump, calls, real = int(sys.argv.pop(1)), int(sys.argv.pop(1)), int(sys.argv.pop(1)), [0], time.time_ns
def time_ns():
    calls[0] += 1
    return real() + (ahead + (jump if calls[0] > after else 0)) * 10**9
time.time_ns = time_ns
time.time = lambda: time_ns() / 10**9
from tui.cli.main import main
sys.exit(main())
"""
"""apm on a clock that is ahead by so many seconds, and jumps once more after so many looks at it."""
WRITES_ON = """
import sys
from pathlib import Path
from core.orchestration import work_items
from core.store.database import StoreError
from core.store.store import Store
state, filler = map(Path, sys.argv[1:])
with Store.open(state) as store:
    def more():
        return store.write_now(lambda tx: work_items.create(tx, title="x", body="y" * 50_000))
    done = []
    try:
        while len(done) < 1_000:
            done.append(more())
    except StoreError as error:
        print(error)
    filler.unlink()
    print(more() - done[-1])
"""


def assert_told(ended: Ended, *words: str) -> None:
    """Exit code 1, one line that says all of this, and nothing a programmer would have to read."""
    assert ended.code == 1, ended
    last = ended.err.strip().splitlines()[-1]
    assert last.startswith("apm: "), ended.err
    assert all(word in last for word in words), last
    assert "Traceback" not in ended.err
    assert "inside apm" not in ended.err


def assert_goes_on(apm: Apm) -> None:
    """The work item comes to its question, nothing is there twice, and the journal is whole."""
    assert apm("run", "--all").code == 3
    assert apm("audit", "verify").code == 0
    assert apm.workspace is not None
    keys = "work_item || '|' || phase || '|' || round || '|' || agent || '|' || subject"
    ((count, distinct),) = query(apm.workspace, f"SELECT count(*), count(DISTINCT {keys}) FROM delegations")
    assert count == distinct > 0


@pytest.fixture
def apm(tmp_path: Path) -> Apm:
    """A workspace with one work item, which will come to a question in D1."""
    made = Apm(tmp_path, fresh_workspace(tmp_path / "ws"))
    assert made("work-item", "create", "make it better").code == 0
    return made


@pytest.fixture
def database(apm: Apm) -> Path:
    return apm.cwd / "ws" / "state" / "apm.db"


@pytest.fixture
def room() -> Iterator[Room]:
    opened = Room.open()
    yield opened
    opened.close()


@needs_mounts
@pytest.mark.parametrize("kilobytes", [0, 150])
def test_a_disk_that_is_full_or_becomes_so(apm: Apm, room: Room, kilobytes: int) -> None:
    """Without room for the files beside the database, and with room for the first events of a run alone."""
    small = apm.cwd / "small"
    small.mkdir()
    room.sh('mount -t tmpfs -o size=8m tmpfs "$1"; cp -r "$2"/. "$1"', small, apm.cwd / "ws")
    room.sh(FILL, small, str(kilobytes))

    assert_told(room.apm(small, "run", "--all"), "No space is left for", "free some space")

    room.sh('rm "$1"/filler', small)
    assert room.apm(small, "run", "--all").code == 3
    assert "whole" in room.apm(small, "audit", "verify").out


@needs_mounts
def test_a_process_that_met_a_full_disk_writes_on_when_there_is_space(apm: Apm, room: Room) -> None:
    small = apm.cwd / "small"
    small.mkdir()
    room.sh('mount -t tmpfs -o size=8m tmpfs "$1"; cp -r "$2"/. "$1"', small, apm.cwd / "ws")
    room.sh(FILL, small, "600")

    ended = room.python(WRITES_ON, small / "state", small / "filler")

    assert ended.err == ""
    told, after = ended.out.splitlines()
    assert told.startswith("No space is left for")
    assert after == "1"
    assert "whole" in room.apm(small, "audit", "verify").out


@needs_mounts
def test_a_folder_that_may_only_be_read(apm: Apm, room: Room, database: Path) -> None:
    place, before = apm.cwd / "ws", database.read_bytes()
    room.sh('mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"', place)

    assert_told(room.apm(place, "work-item", "create", "x"), "apm.lock", "write permission")
    assert_told(room.apm(place, "init", place / "new"), "new", "write permission")

    assert database.read_bytes() == before
    assert_goes_on(apm)


def test_too_few_files_that_may_be_open(apm: Apm) -> None:
    def run(files: int) -> Ended:
        words = [sys.executable, "-m", "tui.cli.main", "--workspace", str(apm.workspace), "run", "--all"]
        limit = (files, files)
        process = subprocess.Popen(
            words,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, limit),
        )
        return end(process)

    assert_told(run(20), "20 files", "ulimit -n")
    assert run(64).code == 3


def test_a_database_that_another_program_holds(apm: Apm, database: Path) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        patient = apm.start("run", "--all")
        assert apm("work-item", "list").code == 0

        assert_told(end(patient), "is locked by another program", "close that program")

        assert query(apm.cwd / "ws", "SELECT count(*) FROM delegations") == [(0,)]
    assert_goes_on(apm)


def test_a_page_that_was_damaged(apm: Apm, database: Path) -> None:
    good = database.read_bytes()
    with closing(sqlite3.connect(database)) as connection:
        pages = "SELECT rootpage FROM sqlite_master WHERE name IN ('settings', 'work_items')"
        places = [page for (page,) in connection.execute(pages)]
    bad = bytearray(good)
    for page in places:
        bad[(page - 1) * PAGE_BYTES : (page - 1) * PAGE_BYTES + 512] = b"\xff" * 512
    database.write_bytes(bad)

    for words in (("run", "--all"), ("work-item", "list"), ("work-item", "create", "x")):
        assert_told(apm(*words), "is damaged", "restore a backup")

    database.write_bytes(good)
    assert_goes_on(apm)


def test_a_damaged_page_that_no_command_reads(apm: Apm, database: Path) -> None:
    good = database.read_bytes()
    with closing(sqlite3.connect(database)) as connection:
        [(page,)] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'scope_reviews'")
    database.write_bytes(good[: (page - 1) * PAGE_BYTES] + b"\xff" * PAGE_BYTES + good[page * PAGE_BYTES :])

    assert apm("work-item", "list").code == 0
    ended = apm("audit", "verify")
    assert ended.code == 1
    assert "is damaged (scope_reviews)" in ended.out
    assert "restore a backup" in ended.out
    assert "is damaged" in apm("doctor").out

    database.write_bytes(good)
    assert_goes_on(apm)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        ("DELETE FROM events WHERE seq = (SELECT MAX(seq) FROM events)", "has lost events"),
        ("DELETE FROM chain_head", "has lost events"),
        ("DELETE FROM events WHERE seq = (SELECT event FROM delegations LIMIT 1)", "is gone from the journal"),
    ],
)
def test_events_that_were_taken_out_are_not_written_over(apm: Apm, database: Path, harm: str, words: str) -> None:
    assert apm("run", "1").code == 3
    assert apm("escalation", "resolve", "1", "--option", "retry", "--reason", "now it is better").code == 0
    good = database.read_bytes()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(harm)
        connection.commit()

    assert_told(apm("run", "1"), words, "restore a backup")
    assert apm("audit", "verify").code == 1

    database.write_bytes(good)
    assert_goes_on(apm)


def test_a_log_that_was_cut_ends_at_its_last_whole_commit(apm: Apm, database: Path) -> None:
    log, copy = database.with_name("apm.db-wal"), apm.cwd / "copy"
    with closing(sqlite3.connect(database)) as reader:
        reader.execute("SELECT * FROM events LIMIT 1").fetchall()
        assert apm("run", "1").code == 3
        shutil.copytree(apm.cwd / "ws", copy)
    (copy / "state" / "apm.db-shm").unlink()
    cut = (copy / "state" / log.name).read_bytes()
    (copy / "state" / log.name).write_bytes(cut[: len(cut) * 2 // 3 + 1])

    cut_off = Apm(apm.cwd, copy)
    assert cut_off("audit", "verify").code == 0
    assert_goes_on(cut_off)


@pytest.mark.parametrize(("ahead", "jump"), [(0, -HOUR), (YEAR, -YEAR), (0, YEAR)])
def test_a_clock_that_jumps_in_the_middle_of_a_run(apm: Apm, ahead: int, jump: int) -> None:
    words = [sys.executable, "-c", AT_ANOTHER_TIME, str(ahead), "60", str(jump), "--workspace", str(apm.workspace)]
    ended = subprocess.run([*words, "run", "--all"], env=environment(), capture_output=True, text=True)

    assert ended.returncode == 3, ended.stderr
    assert "Traceback" not in ended.stderr
    assert_goes_on(apm)


def test_a_process_that_was_killed_a_year_ahead_holds_nobody_up(apm: Apm) -> None:
    words = [sys.executable, "-c", AT_ANOTHER_TIME, str(YEAR), "0", "0", "--workspace", str(apm.workspace)]
    process = subprocess.Popen(
        [*words, "run", "--all"], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    process.stderr.readline()
    end(process, signal.SIGKILL)

    assert_goes_on(apm)
