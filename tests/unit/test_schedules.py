"""Recurring duties: cron's times in a zone with summer time, claimed once, late rather than never."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.governance import schedules
from core.governance.schedules import DAILY_BRIEFING, WEEKLY_SCOPE_REVIEW, Duty
from core.registry import cron
from core.registry.catalog import CatalogError, default_path, load
from core.registry.schema import Schedules
from core.store import reads
from core.store.rows_governance import ScheduleRow
from core.store.store import Store
from tests.fresh import fresh_store

BERLIN = ZoneInfo("Europe/Berlin")
BRIEFING = Duty(DAILY_BRIEFING, "0 8 * * *", "Europe/Berlin")
HOUR_MS, DAY_MS = 3_600_000, 86_400_000


def moment(text: str, *, fold: int = 0) -> int:
    """Milliseconds of a wall clock's reading in Berlin."""
    return round(datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold).timestamp() * 1000)


def slots(expression: str, after: str, count: int, zone: str = "Europe/Berlin") -> list[str]:
    """The next so many slots, as a clock in the zone shows them."""
    duty, at, found = Duty("duty", expression, zone), moment(after), []
    for _ in range(count):
        slot = schedules.next_slot(duty, at)
        assert slot is not None
        assert slot > at
        at = slot
        found.append(datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).isoformat(" ", "minutes"))
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 8 * * *", ["2026-11-21 08:00+01:00", "2026-11-22 08:00+01:00"]),
        ("0 9 * * mon", ["2026-11-23 09:00+01:00", "2026-11-30 09:00+01:00"]),
        ("0 9 * * 1", ["2026-11-23 09:00+01:00", "2026-11-30 09:00+01:00"]),
        ("0 9 * * 0", ["2026-11-22 09:00+01:00", "2026-11-29 09:00+01:00"]),
        ("0 9 * * 7", ["2026-11-22 09:00+01:00", "2026-11-29 09:00+01:00"]),
        ("0 9 * * fri-sun", ["2026-11-21 09:00+01:00", "2026-11-22 09:00+01:00", "2026-11-27 09:00+01:00"]),
        ("0 9 * * */2", ["2026-11-21 09:00+01:00", "2026-11-22 09:00+01:00", "2026-11-24 09:00+01:00"]),
        ("30 7-9/2 1 jan,jul *", ["2027-01-01 07:30+01:00", "2027-01-01 09:30+01:00", "2027-07-01 07:30+02:00"]),
        ("0 0 29 feb *", ["2028-02-29 00:00+01:00"]),
        ("0 9 25 * mon", ["2026-11-23 09:00+01:00", "2026-11-25 09:00+01:00", "2026-11-30 09:00+01:00"]),
    ],
)
def test_an_expression_means_what_a_crontab_means(expression: str, expected: list[str]) -> None:
    assert slots(expression, "2026-11-21 00:00", len(expected)) == expected


def test_the_clock_s_reading_stays_when_summer_time_begins_and_ends() -> None:
    assert slots("0 8 * * *", "2026-03-28 07:00", 2) == ["2026-03-28 08:00+01:00", "2026-03-29 08:00+02:00"]
    assert slots("0 8 * * *", "2026-10-24 07:00", 2) == ["2026-10-24 08:00+02:00", "2026-10-25 08:00+01:00"]


def test_a_slot_in_the_hour_that_summer_time_takes_away_comes_an_hour_later() -> None:
    found = slots("30 2 * * *", "2026-03-28 12:00", 2)
    assert found == ["2026-03-29 03:30+02:00", "2026-03-30 02:30+02:00"]


def test_a_slot_that_was_moved_by_summer_time_is_still_ahead_when_the_wall_has_passed_it() -> None:
    assert slots("30 2 * * *", "2026-03-29 03:10", 1) == ["2026-03-29 03:30+02:00"]


def test_a_slot_in_the_hour_that_comes_twice_comes_once() -> None:
    found = slots("30 2 * * *", "2026-10-24 12:00", 2)
    assert found == ["2026-10-25 02:30+02:00", "2026-10-26 02:30+01:00"]
    second = schedules.next_slot(Duty("d", "30 2 * * *", "Europe/Berlin"), moment("2026-10-25 02:10", fold=1))
    assert second == moment("2026-10-26 02:30")


@given(
    after=st.integers(moment("2026-03-01 00:00"), moment("2026-12-01 00:00")),
    expression=st.sampled_from(("0 8 * * *", "30 2 * * *", "0 9 * * mon", "15,45 */3 * * *", "0 0 1 * *")),
    zone=st.sampled_from(("Europe/Berlin", "UTC", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia")),
)
def test_a_slot_lies_ahead_and_no_earlier_one_was_passed_over(after: int, expression: str, zone: str) -> None:
    duty = Duty("duty", expression, zone)
    slot = schedules.next_slot(duty, after)
    assert slot is not None
    assert slot > after
    assert schedules.next_slot(duty, slot - 1) == slot
    assert schedules.next_slot(duty, after + (slot - after) // 2) == slot


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("0 8 * *", "five fields"),
        ("@daily", "five fields"),
        ("60 8 * * *", "'60' for the minute; it goes from 0 to 59"),
        ("0 24 * * *", "'24' for the hour"),
        ("0 8 0 * *", "'0' for the day of the month"),
        ("0 8 * 13 *", "'13' for the month; it goes from 1 or jan to 12"),
        ("0 8 * * someday", "'someday' for the day of the week"),
        ("0 8 * * 8", "'8' for the day of the week"),
        ("0 8-6 * * *", "ends before it begins"),
        ("*/0 * * * *", "a step is 1 or more"),
        ("0 0 31 2,4 *", "never comes: no such month has a day 31"),
    ],
)
def test_an_expression_that_says_no_times_is_refused_with_its_field(expression: str, told: str) -> None:
    with pytest.raises(cron.CronError, match=r"^(is|has) ") as refused:
        cron.parse(expression)
    assert told in str(refused.value)


@given(st.text(alphabet="0123456789*/,- \tadefjmnorstuwvyl", max_size=30))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    try:
        times = cron.parse(text)
    except cron.CronError:
        return
    assert all((times.minutes, times.hours, times.days, times.months, times.weekdays))


def write_team(folder: Path, old: str, new: str) -> tuple[Path, int]:
    """A team's file with one line changed, and that line's number."""
    text = default_path().read_text(encoding="utf-8")
    assert text.count(old) == 1
    path = folder / "agents.yaml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path, text[: text.index(old)].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('daily_briefing: "0 8 * * *"', 'daily_briefing: "0 25 * * *"', "daily_briefing: has '25' for the hour"),
        ('weekly_review: "0 9 * * mon"', "weekly_review: weekly", "weekly_review: is 'weekly'; a schedule has five"),
        ("timezone: local ", "timezone: Europe/Berlim ", "timezone: is 'Europe/Berlim', no time zone known here; did"),
        ("timezone: local ", "timezone: ../../etc/passwd ", "timezone: is '../../etc/passwd', no time zone known"),
        ("weekly_review:", "weekly_reviews:", "weekly_reviews: is not a key known here; did you mean 'weekly_review'?"),
    ],
)
def test_a_bad_schedule_in_the_team_s_file_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    path, line = write_team(tmp_path, old, new)
    with pytest.raises(CatalogError) as refused:
        load(path)
    assert f"agents.yaml:{line}: defaults.schedules.{told}" in str(refused.value)


@pytest.mark.parametrize("nothing", ["null", '""'])
def test_a_duty_is_switched_off_with_null_or_an_empty_text(tmp_path: Path, nothing: str) -> None:
    path, _ = write_team(tmp_path, 'daily_briefing: "0 8 * * *"', f"daily_briefing: {nothing}")
    found = {duty.name: duty for duty in schedules.duties_of(load(path).defaults.schedules)}
    assert found[DAILY_BRIEFING].trigger == ""
    assert schedules.next_slot(found[DAILY_BRIEFING], moment("2026-11-21 00:00")) is None
    assert found[WEEKLY_SCOPE_REVIEW].expression == "0 9 * * mon"


def test_the_team_that_comes_with_apm_has_a_daily_briefing_and_a_weekly_review() -> None:
    assert load(default_path()).defaults.schedules == Schedules()
    assert [d.name for d in schedules.duties_of(Schedules())] == [DAILY_BRIEFING, WEEKLY_SCOPE_REVIEW]


def test_local_is_a_zone_that_is_named_on_the_row() -> None:
    expression, _, zone = Duty("d", "0 8 * * *").trigger.rpartition(" ")
    assert expression == "0 8 * * *"
    assert ZoneInfo(zone).key == zone


@dataclass
class Board:
    """A store under a clock that stands still, and a count of how often a duty was claimed."""

    store: Store
    folder: Path
    now: int

    def at(self, text: str) -> Board:
        self.now = moment(text)
        return self

    def tick(self, duty: Duty = BRIEFING) -> bool:
        """What the engine does at each look: plan, then claim. Whether the duty was claimed."""
        self.store.write_now(lambda tx: schedules.plan(tx, [duty]))
        return self.store.write_now(lambda tx: schedules.claim(tx, duty))

    def row(self, name: str = DAILY_BRIEFING) -> ScheduleRow:
        row = self.store.read_now(lambda r: schedules.schedule(r, name))
        assert row is not None
        return row

    def next(self) -> str:
        at = self.row().next_at
        return "" if at is None else datetime.fromtimestamp(at / 1000, BERLIN).isoformat(" ", "minutes")[:16]


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    made = Board.__new__(Board)
    with fresh_store(tmp_path, clock=lambda: made.now) as store:
        made.store, made.folder, made.now = store, tmp_path, moment("2026-11-20 12:00")
        yield made


def test_a_new_duty_waits_for_its_first_slot(board: Board) -> None:
    assert not board.tick()
    assert board.next() == "2026-11-21 08:00"
    assert not board.at("2026-11-21 07:59").tick()
    assert board.at("2026-11-21 08:00").tick()


def test_a_slot_is_done_once(board: Board) -> None:
    board.tick()
    board.at("2026-11-21 08:00")
    assert [board.tick() for _ in range(3)] == [True, False, False]
    assert board.next() == "2026-11-22 08:00"


def test_a_slot_is_done_once_across_restarts_and_processes(board: Board) -> None:
    board.tick()
    board.at("2026-11-21 08:01")
    with Store.open(board.folder, clock=lambda: board.now) as other:
        theirs = replace(board, store=other)
        assert [board.tick(), theirs.tick(), board.tick()] == [True, False, False]


def test_what_was_missed_for_a_month_is_done_once_and_late(board: Board) -> None:
    board.tick()
    board.at("2026-12-21 10:00")
    assert [board.tick(), board.tick()] == [True, False]
    assert board.next() == "2026-12-22 08:00"


def test_a_claim_that_is_rolled_back_is_made_again(board: Board) -> None:
    board.tick()
    board.at("2026-11-21 08:00")

    def broken(tx: object) -> None:
        assert schedules.claim(tx, BRIEFING)  # type: ignore[arg-type]
        raise RuntimeError("the duty failed")

    with pytest.raises(RuntimeError):
        board.store.write_now(broken)
    assert board.tick()


def test_a_failure_is_kept_and_tried_again_after_a_while(board: Board) -> None:
    board.tick()
    board.at("2026-11-21 08:00")
    board.store.write_now(lambda tx: schedules.fail(tx, BRIEFING, "no\x1b[31m disk\n"))
    assert board.row().error == "no disk"
    assert not board.tick()
    board.now += schedules.RETRY_MS
    assert board.tick()
    assert board.row().error == ""
    assert board.next() == "2026-11-22 08:00"


def test_a_failure_is_tried_again_at_the_next_slot_where_that_comes_sooner(board: Board) -> None:
    often = replace(BRIEFING, expression="* * * * *")
    board.tick(often)
    board.now += 60_000
    board.store.write_now(lambda tx: schedules.fail(tx, often, "no"))
    assert board.row().next_at == board.now + 60_000


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (replace(BRIEFING, expression="0 18 * * *"), "2026-11-20 18:00"),
        (replace(BRIEFING, zone="UTC"), "2026-11-21 09:00"),
        (replace(BRIEFING, expression=""), ""),
    ],
)
def test_another_expression_takes_effect_at_once(board: Board, changed: Duty, expected: str) -> None:
    board.tick()
    assert not board.tick(changed)
    assert board.next() == expected


def test_what_fell_due_under_another_expression_is_not_done_under_the_new_one(board: Board) -> None:
    board.tick()
    board.at("2026-11-21 10:00")
    changed = replace(BRIEFING, expression="0 18 * * *")
    assert not board.store.write_now(lambda tx: schedules.claim(tx, changed))
    assert not board.tick(changed)
    assert board.next() == "2026-11-21 18:00"


def test_what_fell_due_before_the_zone_changed_is_done_late_and_once(board: Board) -> None:
    board.tick()
    moved = replace(BRIEFING, zone="UTC")
    assert board.at("2026-11-21 10:00").tick(moved)
    assert not board.tick(moved)
    assert board.next() == "2026-11-22 09:00"


def test_a_duty_that_was_switched_off_begins_anew(board: Board) -> None:
    board.tick()
    board.tick(replace(BRIEFING, expression=""))
    assert not board.at("2026-12-05 10:00").tick()
    assert board.next() == "2026-12-06 08:00"


def test_a_clock_that_was_years_ahead_leaves_no_duty_waiting_for_years(board: Board) -> None:
    board.tick()
    assert board.at("2036-05-05 10:00").tick()
    assert not board.at("2026-11-20 12:30").tick()
    assert board.next() == "2026-11-21 08:00"
    assert board.at("2026-11-21 08:00").tick()


def test_a_clock_that_is_put_back_by_an_hour_does_no_slot_twice(board: Board) -> None:
    board.tick()
    assert board.at("2026-11-21 08:30").tick()
    assert not board.at("2026-11-21 07:30").tick()
    assert not board.at("2026-11-21 08:00").tick()
    assert board.next() == "2026-11-22 08:00"


@given(steps=st.lists(st.integers(-20 * HOUR_MS, 60 * HOUR_MS), max_size=30))
def test_however_the_clock_moves_by_less_than_a_period_back_no_slot_is_done_twice(steps: list[int]) -> None:
    """The row's rules alone, without a database: what `plan` and `claim` write."""
    now = moment("2026-11-20 12:00")
    row = ScheduleRow(DAILY_BRIEFING, BRIEFING.trigger, schedules.next_slot(BRIEFING, now), None, "")
    newest, done = now, []
    for step in steps:
        # The clock never goes back by more than a period from where it has been.
        now = max(now + step, newest - 20 * HOUR_MS)
        newest = max(newest, now)
        nearer = schedules._nearer(BRIEFING, row, now)
        row = row if nearer is None else replace(row, next_at=nearer)
        assert row.next_at is not None
        assert row.next_at - now <= 2 * DAY_MS + HOUR_MS
        if row.next_at <= now:
            done.append(row.next_at)
            row = replace(row, next_at=schedules.next_slot(BRIEFING, now), last_at=now)
    assert len(set(done)) == len(done)


def test_a_claim_leaves_an_event_with_the_slot(board: Board) -> None:
    board.tick()
    board.at("2026-11-21 09:15").tick()
    event = board.store.read_now(lambda r: reads.events(r, last=1))[0]
    assert event.kind == "schedule.done"
    assert event.payload["schedule"] == DAILY_BRIEFING
    assert event.payload["due_at"] == moment("2026-11-21 08:00")


def test_a_plan_that_stands_is_not_written_again(board: Board) -> None:
    board.tick()
    before = board.store.read_now(reads.events)
    board.tick()
    assert board.store.read_now(reads.events) == before
    assert board.store.read_now(lambda r: schedules.unplanned(r, [BRIEFING], board.now)) == []


def test_the_next_moment_is_the_earliest_of_the_duties(board: Board) -> None:
    assert board.store.read_now(schedules.next_moment) is None
    board.tick(Duty(WEEKLY_SCOPE_REVIEW, "0 9 * * mon", "Europe/Berlin"))
    board.tick()
    assert board.store.read_now(schedules.next_moment) == moment("2026-11-21 08:00")


def test_a_day_is_not_lost_between_two_looks(board: Board) -> None:
    board.tick()
    days = 0
    start = datetime.fromisoformat("2026-11-20 12:00")
    for quarter in range(4 * 24 * 10):
        board.at((start + timedelta(minutes=15 * quarter)).isoformat(" "))
        days += board.tick()
    assert days == 10
