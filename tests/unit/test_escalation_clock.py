"""What time does to a question: each deadline strikes once, whatever the clock, the machine or a second process do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playhouse.migrations import Runner

from core.governance import clock, deadlines, life
from core.store.chain import read_or_make_key
from core.store.database import MIGRATIONS, connect, sqlite_url
from tests.unit.escalation_place import DAY, HOUR, MINUTE, START, YEAR, Place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path)
    yield found
    found.store.close()


def snooze(place: Place, number: int, span: int) -> None:
    place.write(lambda tx: life.snooze(tx, number, until=tx.now + span, by="ada"))


def acknowledge(place: Place, number: int, minutes: int) -> None:
    place.write(lambda tx: life.acknowledge(tx, number, by="ada", minutes=minutes))


def reminders(place: Place, number: int) -> list[int]:
    """The moments at which it was reminded of, in milliseconds since the start, sweeping every quarter of an hour."""
    found, before = [], place.row(number).reminders
    for _ in range(4 * 24 * 5):
        place.sweep()
        now = place.row(number).reminders
        found += [place.clock.now - START] if now > before else []
        before = now
        place.later(15 * MINUTE)
    return found


def test_a_daily_question_that_nobody_answers_becomes_immediate_once(place: Place) -> None:
    number = place.ask()
    place.later(DAY)

    assert [place.sweep(), place.sweep()] == [1, 0]

    row = place.row(number)
    assert (row.urgency, row.breaches, row.due_at) == ("IMMEDIATE", 1, place.clock.now + HOUR)
    facts = place.events(number)[-1][1]
    assert {k: facts[k] for k in ("by", "from", "to")} == {"by": "clock", "from": "DAILY", "to": "IMMEDIATE"}


def test_nothing_happens_a_millisecond_before_its_time(place: Place) -> None:
    place.ask()
    place.later(DAY - 1)

    assert place.sweep() == 0


def test_reminders_come_at_growing_spans_and_end(place: Place) -> None:
    number = place.ask(urgency="IMMEDIATE")

    assert reminders(place, number) == [HOUR, 2 * HOUR, 6 * HOUR, 30 * HOUR]
    assert place.row(number).next_at is None


def test_a_question_that_became_immediate_is_reminded_of_like_any_other(place: Place) -> None:
    number = place.ask()
    place.later(DAY)
    place.sweep()

    assert [at - DAY for at in reminders(place, number)] == [HOUR, 2 * HOUR, 6 * HOUR, 30 * HOUR]


def test_a_weekly_question_never_pages(place: Place) -> None:
    number = place.ask(urgency="WEEKLY")
    place.later(YEAR)

    assert place.sweep() == 0
    assert place.told(number) == ["raised"]


def test_an_acknowledgement_ends_once_and_it_needs_somebody_again(place: Place) -> None:
    number = place.ask()
    acknowledge(place, number, 30)
    place.later(30 * MINUTE)

    assert [place.sweep(), place.sweep()] == [1, 0]
    assert place.told(number) == ["raised", "acknowledged", "acknowledgement_ended"]
    assert place.state(number) == "open"


def test_a_snooze_ends_once_and_it_shows_again(place: Place) -> None:
    number = place.ask()
    snooze(place, number, 2 * HOUR)
    place.later(2 * HOUR)

    assert [place.sweep(), place.sweep()] == [1, 0]
    assert place.told(number) == ["raised", "snoozed", "snooze_ended"]


def test_what_fell_due_in_a_silence_happens_once_at_its_end(place: Place) -> None:
    number = place.ask()
    snooze(place, number, 3 * DAY)
    place.later(2 * DAY)
    during = place.sweep()
    place.later(DAY)

    assert (during, place.sweep(), place.sweep()) == (0, 1, 0)
    assert place.told(number) == ["raised", "snoozed", "snooze_ended", "escalated"]


def test_of_two_silences_the_later_end_counts(place: Place) -> None:
    number = place.ask(urgency="IMMEDIATE")
    snooze(place, number, 2 * HOUR)
    acknowledge(place, number, 5 * 60)
    place.later(3 * HOUR)
    place.sweep()

    assert place.told(number)[-1] == "snooze_ended"
    place.later(2 * HOUR)
    place.sweep()
    assert place.told(number)[-2:] == ["acknowledgement_ended", "reminded"]


def test_an_acknowledged_question_is_not_reminded_of(place: Place) -> None:
    number = place.ask(urgency="IMMEDIATE")
    acknowledge(place, number, 24 * 60)
    place.later(23 * HOUR)

    assert place.sweep() == 0
    assert place.row(number).reminders == 0


def test_what_is_raised_again_as_more_urgent_ends_the_silences(place: Place) -> None:
    number = place.ask()
    acknowledge(place, number, 600)
    snooze(place, number, 10 * HOUR)
    place.ask(urgency="IMMEDIATE")

    row = place.row(number)
    assert (row.next_at, row.due_at) == (START + HOUR, START + HOUR)


def test_after_a_month_asleep_each_question_has_one_step(place: Place) -> None:
    numbers = [place.ask(1), place.ask(2, urgency="IMMEDIATE"), place.ask(3, urgency="WEEKLY")]
    place.later(30 * DAY)

    assert place.sweep() == 2
    assert [place.told(n)[1:] for n in numbers] == [["escalated"], ["reminded"], []]
    assert place.sweep() == 0


def test_a_question_raised_by_a_clock_a_year_ahead_is_due_in_time_after_all(place: Place) -> None:
    place.clock.now += YEAR
    number = place.ask(expires_within_ms=7 * DAY)
    place.clock.now -= YEAR

    assert [place.sweep(), place.sweep()] == [1, 0]

    row = place.row(number)
    assert (row.raised_at, row.due_at, row.next_at, row.expires_at) == (
        START,
        START + DAY,
        START + DAY,
        START + 7 * DAY,
    )


def test_however_much_has_happened_since_the_clock_was_put_back(place: Place) -> None:
    place.clock.now += YEAR
    number = place.ask()
    place.clock.now -= YEAR
    place.write(lambda tx: [tx.event("something") for _ in range(clock.NEWEST_EVENTS)])
    place.sweep()

    assert place.row(number).due_at == START + DAY


def test_a_weekly_question_raised_by_a_clock_ahead_expires_in_time_after_all(place: Place) -> None:
    place.clock.now += YEAR
    number = place.ask(urgency="WEEKLY", expires_within_ms=7 * DAY)
    place.clock.now -= YEAR
    place.sweep()
    place.later(7 * DAY)
    place.sweep()

    assert place.state(number) == "expired"


def test_a_clock_that_jumps_ahead_and_back_loses_no_reminder(place: Place) -> None:
    number = place.ask(urgency="IMMEDIATE")
    place.clock.now += YEAR
    place.sweep()
    place.clock.now -= YEAR

    assert place.row(number).reminders == 1
    assert len(reminders(place, number)) == len(deadlines.REMIND_AFTER_MS) - 1


def test_an_acknowledgement_by_a_clock_ahead_silences_for_its_own_span_only(place: Place) -> None:
    number = place.ask()
    place.clock.now += YEAR
    acknowledge(place, number, 30)
    place.clock.now -= YEAR
    place.sweep()
    place.later(30 * MINUTE)
    place.sweep()

    assert place.told(number)[-1] == "acknowledgement_ended"


def test_a_clock_that_is_put_right_by_seconds_changes_nothing(place: Place) -> None:
    number = place.ask()
    place.clock.now -= 30_000

    assert place.sweep() == 0
    assert place.told(number) == ["raised"]


def test_a_clock_that_jumps_back_repeats_nothing(place: Place) -> None:
    number = place.ask()
    place.later(DAY)
    place.sweep()
    place.clock.now -= DAY
    place.sweep()
    place.later(DAY)
    place.sweep()

    assert place.told(number).count("escalated") == 1


def test_a_sweep_takes_the_most_overdue_first_and_no_more_than_its_limit(place: Place) -> None:
    late, soon = place.ask(1), place.ask(2, urgency="IMMEDIATE")
    place.later(2 * DAY)

    assert place.sweep(limit=1) == 1
    assert (place.told(soon)[-1], place.told(late)[-1]) == ("reminded", "raised")
    assert [place.sweep(limit=1), place.sweep(limit=1)] == [1, 0]


def test_the_next_moment_is_the_earliest_of_the_open_ones(place: Place) -> None:
    assert place.read(clock.next_moment) is None
    first = place.ask(1, urgency="IMMEDIATE")
    place.ask(2)

    assert place.read(clock.next_moment) == START + HOUR
    place.answer(first)
    assert place.read(clock.next_moment) == START + DAY


def test_an_expiry_that_closes_others_lets_none_of_them_strike(place: Place) -> None:
    from core.orchestration import work_items

    item = place.write(lambda tx: work_items.create(tx, title="x"))
    place.ask(1, work_item=item, expires_within_ms=DAY - 1, on_expiry="stop")
    other = place.ask(2, work_item=item)
    place.later(DAY)
    place.sweep()

    assert place.told(other) == ["raised", "withdrawn"]
    assert (place.row(other).next_at, place.row(other).urgency) == (None, "DAILY")


def test_a_restart_repeats_nothing(place: Place) -> None:
    number = place.ask()
    place.later(DAY)
    place.sweep()
    place.reopen()

    assert place.sweep() == 0
    assert place.told(number).count("escalated") == 1


SWEEPER = """
import pathlib, sys
from core.governance import clock
from core.store.store import Store
with Store.open(pathlib.Path(sys.argv[1]), clock=lambda: int(sys.argv[2])) as store:
    print("ready", flush=True)
    sys.stdin.readline()
    while store.write_now(lambda tx: clock.sweep(tx, 5)):
        pass
"""


def test_two_processes_that_sweep_at_once_strike_each_deadline_once(place: Place) -> None:
    numbers = [place.ask(n) for n in range(60)]
    place.later(DAY)
    words = [sys.executable, "-c", SWEEPER, str(place.folder), str(place.clock.now)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    both: list[subprocess.Popen[str]] = [subprocess.Popen(words, **pipes) for _ in range(2)]  # type: ignore[call-overload]

    assert [p.stdout.readline() for p in both if p.stdout] == ["ready\n"] * 2
    for process in both:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    ended = [process.communicate() and process.returncode for process in both]

    assert ended == [0, 0]
    assert {tuple(place.told(n)) for n in numbers} == {("raised", "escalated")}
    assert {place.row(n).breaches for n in numbers} == {1}


OLD_COLUMNS = (
    "kind, key, question, details, urgency, blocks, chain, missing, options, payload_digest, count, raised_at,"
    " last_raised_at, due_at, reminders, resolved_at, snoozed_until"
)


def old_question(
    n: int, urgency: str, due: int | None, resolved: int | None, snoozed: int | None
) -> tuple[object, ...]:
    options = '[{"key": "go", "label": "Go", "consequence": "c"}]'
    words = ("gate", f"{n:064d}", "Go on?", "{}", urgency, "", "[]", "[]", options, "d")
    return (*words, 1, START, START, due, 0, resolved, snoozed)


def test_open_questions_from_before_there_was_a_clock_are_swept(tmp_path: Path) -> None:
    database = connect(sqlite_url(tmp_path / "apm.db"))
    asked = [
        old_question(1, "DAILY", START + DAY, None, None),
        old_question(2, "DAILY", START + DAY, START, None),
        old_question(3, "WEEKLY", None, None, None),
        old_question(4, "IMMEDIATE", START + HOUR, None, START + 3 * DAY),
    ]
    with database.connection_context():
        Runner(database, str(MIGRATIONS)).up("0002_registry")
        marks = ", ".join("?" * len(asked[0]))
        for row in asked:
            database.execute_sql(f"INSERT INTO escalations ({OLD_COLUMNS}) VALUES ({marks})", row)

    read_or_make_key(tmp_path / "journal.key", has_journal=lambda: False)
    place = Place(tmp_path)
    place.later(DAY)
    touched = [place.sweep(), place.sweep()]
    place.later(2 * DAY)
    place.sweep()

    assert touched == [2, 0]
    assert [place.told(n) for n in (1, 2, 3)] == [["escalated", "reminded"], [], []]
    assert place.told(4) == ["rescheduled", "snooze_ended", "reminded"]
    place.store.close()
