"""`apm archive`: closed work moves to a second file; both still verify, nothing is lost, no figure changes."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from core.governance.cohorts import cohort_of
from core.governance.scope.records import Record, read_record
from core.orchestration import outcomes, work_items
from core.store import archiving, reads, reads_events
from core.store.archives import archives
from core.store.archiving import ArchiveStale, archivable, archive_some, shrink
from core.store.schema import Intent, Project, WorkItem
from core.store.store import Store
from core.store.transaction import Transaction
from core.store.writer import milliseconds_now
from tests.fresh import copied
from tests.unit.archiving_place import DATE, DAY_MS, LATER, check_whole, rows_of, worked, yesterday
from tests.unit.command_line import CommandLine
from tests.unit.scope_place import KIND


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copied(worked, tmp_path / "ws")


@pytest.fixture
def line(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(folder, capsys, monkeypatch)


def test_what_is_over_moves_with_its_rows_and_events_and_both_files_verify(line: CommandLine) -> None:
    database = line.folder / "state" / "apm.db"
    before = rows_of(database)
    shown = line("work-item", "show", "2", "--json").json
    events = line("audit", "verify", "--json").json["events"]

    made = line("archive", "--before", yesterday(), "--json").json

    [archive] = made["archives"]
    assert archive["work_items"] == [1, 2, 3]
    assert archive["rows"]["delegations"] > 50
    assert [i["id"] for i in line("work-item", "list", "--json").json] == [5, 4]
    live = line("audit", "verify", "--json")
    assert (live.code, live.json["archived"]) == (0, archive["events"])
    assert live.json["events"] + live.json["archived"] == events + 1
    alone = line("audit", "verify", "--archive", archive["archive"], "--json")
    assert (alone.code, alone.json["events"] >= archive["events"]) == (0, True)
    assert line("replay", "--verify").code == 0
    apart = rows_of(line.folder / "state" / archive["archive"])
    after = rows_of(database)
    assert {name: after[name] | apart[name] for name in before} == before
    assert not any(after[name] & apart[name] for name in before)
    back = line("archive", "show", "2", "--json").json
    assert back == shown | {"archive": archive["archive"]}
    [listed] = line("archive", "list", "--json").json
    assert (listed["archive"], listed["work_items"], listed["there"]) == (archive["archive"], [1, 2, 3], True)


def test_a_run_that_was_stopped_before_it_gave_the_space_back_is_completed_by_the_next(line: CommandLine) -> None:
    database = line.folder / "state" / "apm.db"
    with Store.open(line.folder / "state") as store:
        store.write_now(lambda tx: tx.event("work_item.noted", work_item=1, text="x" * 3_000_000))
        archive_some(store, LATER, DATE)
    before = database.stat().st_size

    made = line("archive", "--before", yesterday(), "--json").json

    assert made["archives"] == []
    assert made["bytes_given_back"] > 2_500_000
    assert database.stat().st_size < before - 2_500_000


def test_only_to_say_what_it_would_be_changes_nothing(line: CommandLine) -> None:
    before = line("audit", "verify", "--json").json

    ended = line("archive", "--before", yesterday(), "--dry-run", "--json")

    assert ended.json == {"work_items": [1, 2, 3]}
    assert line("audit", "verify", "--json").json == before
    assert list((line.folder / "state").glob("archive-*")) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [((), "--before DATE"), (("--before", "soon"), "is no date"), (("--before", "2999-01-01"), "still to come")],
)
def test_a_day_that_serves_not_is_refused(line: CommandLine, words: tuple[str, ...], said: str) -> None:
    ended = line("archive", *words)

    assert (ended.code, said in ended.err) == (2, True)


@pytest.mark.parametrize("words", [("list",), ("show", "1")])
def test_options_before_the_subcommand_are_heeded_or_refused(line: CommandLine, words: tuple[str, ...]) -> None:
    line("archive", "--before", yesterday())

    assert line("archive", "--json", *words).json == line("archive", *words, "--json").json
    assert not line("archive", *words).out.startswith(("[", "{"))
    for given in (("--before", yesterday()), ("--dry-run",)):
        ended = line("archive", *given, *words)
        assert (ended.code, ended.out) == (2, "")
        assert f"do not go with `{words[0]}`" in ended.err


def test_the_record_of_the_agents_and_why_it_was_allowed_are_what_they_were(line: CommandLine) -> None:
    def told() -> tuple[Record, Any, Any]:
        with Store.open(line.folder / "state") as store:
            record = store.read_now(lambda r: read_record(r, "technical", KIND, cohort_of(r, "technical")))
        why = line("audit", "why", "1", "--json").json
        return record, why | {"journal": None}, line("decisions", "list", "--json").json

    before = told()
    line("archive", "--before", yesterday())

    assert told() == before
    assert before[0].n == 1


def test_an_answer_about_archived_work_stands(line: CommandLine) -> None:
    line("archive", "--before", yesterday())

    ended = line("escalation", "undo", "6", "--by", "ada", "--reason", "no")

    assert ended.code == 2
    assert "is in an archive, so its answers stand" in ended.err


def test_a_number_is_never_given_twice(folder: Path) -> None:
    """The newest of each kind stays, however long it is over."""
    with Store.open(folder / "state") as store:
        for number in (4, 5):
            store.write_now(lambda tx, number=number: work_items.cancel(tx, number, "ada"))  # type: ignore[misc]
        assert archive_some(store, LATER, DATE) is not None
        left = {i.id for i in store.read_now(reads.work_items)}
        made = store.write_now(lambda tx: work_items.create(tx, title="new", project=None))

        assert 5 in left
        assert made == 6
        check_whole(store)


def test_what_has_failed_is_over(folder: Path) -> None:
    def fail(tx: Transaction) -> None:
        tx.update(WorkItem, 1, closed_at=None, cancelled_at=None, failed_at=tx.now)
        tx.event("work_item.noted", work_item=1)

    with Store.open(folder / "state") as store:
        store.write_now(fail)

        assert 1 in store.read_now(lambda r: archivable(r, LATER))


def test_what_something_open_refers_to_stays(folder: Path) -> None:
    def child(tx: Transaction) -> None:
        tx.update(WorkItem, 4, parent=2)
        tx.event("work_item.noted", work_item=4)

    with Store.open(folder / "state") as store:
        store.write_now(child)

        assert store.read_now(lambda r: archivable(r, LATER)) == (1, 3)
        assert store.read_now(lambda r: archivable(r, milliseconds_now() - 41 * DAY_MS)) == ()


def stretches_of(store: Store) -> list[tuple[int, int]]:
    """The last event of each, and the first."""
    text = "SELECT seq, json_extract(payload, '$.first') FROM events WHERE kind = 'archive.stretch' ORDER BY seq"
    return [(last, first) for last, first in store.read_now(lambda r: r.sql(text))]


def test_the_telemetry_that_a_project_s_next_is_compared_with_stays(folder: Path) -> None:
    window = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}
    content = outcomes.snapshot_of({"window": window, "signals": []}, "0" * 64)

    def in_a_project(tx: Transaction) -> None:
        facts = {"target": "main", "tech": "{}", "settings": "{}", "created_at": tx.now}
        project = tx.insert(Project, name="shop", path="/shop", **facts)
        for number in (1, 2, 3):
            tx.update(WorkItem, number, project=project)
        tx.event("project.added", project=project)

    with Store.open(folder / "state") as store:
        store.write_now(in_a_project)
        for number in (1, 3, 4):
            store.write_now(lambda tx, number=number: outcomes.keep_telemetry(tx, number, content))  # type: ignore[misc]

        assert store.read_now(lambda r: archivable(r, LATER)) == (1, 2)


def test_archives_one_after_the_other_join_their_stretches(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(copied(worked, tmp_path / "at once") / "state") as store:
        archive_some(store, LATER, DATE)
        at_once = stretches_of(store)
    monkeypatch.setattr(archiving, "BATCH", 1)
    with Store.open(folder / "state") as store:
        names = []
        while (made := archive_some(store, LATER, DATE)) is not None:
            names.append(made.path.name)

        assert names == [f"archive-{DATE}.db", f"archive-{DATE}-2.db", f"archive-{DATE}-3.db"]
        check_whole(store)
        stretches = stretches_of(store)
        assert stretches == at_once
        assert len(stretches) > len(names)
        assert all(before[0] + 1 < after[1] for before, after in pairwise(stretches))


def test_the_history_shows_what_is_in_an_archive_and_not_as_missing(folder: Path) -> None:
    with Store.open(folder / "state") as store:
        made = archive_some(store, LATER, DATE)
        assert made is not None

        found = store.read_now(lambda r: reads_events.history_rows(r, made.moved))

    assert {row.event.kind for row in found.values()} == {"archive.stretch"}


def kill_at(state: Path, step: str) -> None:
    """Archive in a process of its own that is killed as soon as it comes to this step."""
    child = os.fork()
    if child == 0:
        try:
            setattr(archiving, step, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
            with Store.open(state) as store:
                archive_some(store, LATER, DATE)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)


@pytest.mark.parametrize("step", ["_copy", "about_mac", "_flush", "_take_out", "_stretched", "digest_of_stretches"])
def test_killed_at_any_step_nothing_is_lost_and_a_second_run_completes(folder: Path, step: str) -> None:
    state = folder / "state"
    before = rows_of(state / "apm.db")

    kill_at(state, step)

    assert rows_of(state / "apm.db") == before
    with Store.open(state) as store:
        made = archive_some(store, LATER, DATE)
        assert made is not None
        check_whole(store)
        assert [archive.name for archive in store.read_now(archives)] == [made.path.name]
    assert [path.name for path in state.glob("archive-*")] == [f"archive-{DATE}.db"]


@pytest.mark.parametrize("words", [("archive", "--before", yesterday()), ("replay", "--verify")], ids=lambda w: w[0])
def test_where_no_more_can_be_written_nothing_is_changed_and_a_sentence_says_so(
    line: CommandLine, words: tuple[str, ...]
) -> None:
    before = rows_of(line.folder / "state" / "apm.db")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
    try:
        ended = line(*words)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert ended.code == 1
    assert "Nothing of this change was written" in ended.err
    assert [path.name for path in (line.folder / "state").glob("*.part*")] == []
    assert rows_of(line.folder / "state" / "apm.db") == before
    assert line(*words).code == 0


def test_an_event_that_carries_others_rows_as_well_is_in_both(folder: Path) -> None:
    def both(tx: Transaction) -> int:
        for number in (2, 4):
            tx.update(WorkItem, number, impact=7)
            tx.insert(Intent, work_item=number, phase="O1", round=1, agent="deploy-orchestrator", subject="", at=tx.now)
        return tx.event("work_item.noted", work_item=2)

    with Store.open(folder / "state") as store:
        number = store.write_now(both)
        made = archive_some(store, LATER, DATE)

        assert made is not None
        assert number not in made.moved
        check_whole(store)
        with closing(sqlite3.connect(made.path)) as file:
            assert file.execute("SELECT is_moved FROM archive_links WHERE seq = ?", (number,)).fetchall() == [(0,)]


def _touch(tx: Transaction) -> None:
    tx.event("work_item.noted", work_item=2)


def _follow(tx: Transaction) -> None:
    work_items.create(tx, title="what is left to do", parent=2)


@pytest.mark.parametrize(("meanwhile", "there"), [(_touch, 5), (_follow, 6)])
def test_work_that_was_touched_or_followed_while_it_was_copied_is_not_taken_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[Transaction], None], there: int
) -> None:
    with Store.open(folder / "state") as store:
        flush = archiving._flush

        def flush_late(path: Path) -> None:
            flush(path)
            if path.is_dir():
                store.write_now(meanwhile)

        monkeypatch.setattr(archiving, "_flush", flush_late)
        with pytest.raises(ArchiveStale, match="Run it again"):
            archive_some(store, LATER, DATE)

        assert len(store.read_now(reads.work_items)) == there
        check_whole(store)


def test_a_question_about_no_work_item_can_be_shown_and_answered_when_other_work_is_archived(
    line: CommandLine,
) -> None:
    number = line("decide", "--agent", "technical", "--kind", "unheard_of", "--json").json["escalation"]
    line("archive", "--before", yesterday())

    assert line("escalation", "ack", str(number), "--by", "ada").code == 0
    assert line("escalation", "show", str(number)).code == 0


def test_a_file_with_little_free_is_left_as_it_is(folder: Path) -> None:
    assert shrink(folder / "state" / "apm.db") is None
