"""Questions that were put away by a clock that was ahead: once it is put right, each stays so for its own span only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.governance import clock, life
from core.orchestration import work_items
from core.store.replay import replay
from tests.unit.escalation_place import DAY, HOUR, START, YEAR, Place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path)
    yield found
    found.store.close()


def snooze(place: Place, number: int, span: int) -> None:
    place.write(lambda tx: life.snooze(tx, number, until=tx.now + span, by="ada"))


def test_a_snooze_by_a_clock_ahead_silences_for_its_own_span_only(place: Place) -> None:
    number = place.ask(urgency="IMMEDIATE")
    place.clock.now += YEAR
    snooze(place, number, HOUR)
    place.clock.now -= YEAR

    assert [place.sweep(), place.sweep()] == [1, 0]
    assert place.row(number).snoozed_until == START + HOUR
    assert place.events(number)[-1][1]["until"] == START + HOUR
    place.later(HOUR)
    place.sweep()
    assert place.told(number) == ["raised", "snoozed", "rescheduled", "snooze_ended", "reminded"]


def test_a_snooze_comes_forward_with_each_step_in_which_the_clock_is_put_right(place: Place) -> None:
    item = place.write(lambda tx: work_items.create(tx, title="x"))
    number = place.ask(work_item=item)
    place.clock.now += YEAR
    snooze(place, number, HOUR)
    for _ in range(2):
        place.clock.now -= YEAR // 2
        place.sweep()

    assert place.row(number).snoozed_until == place.clock.now + HOUR


def test_what_was_asked_by_a_clock_ahead_and_put_away_by_a_right_one_stays_so_for_its_span(place: Place) -> None:
    place.clock.now += YEAR
    number = place.ask()
    place.clock.now -= YEAR
    snooze(place, number, 3 * DAY)
    place.sweep()

    assert (place.row(number).raised_at, place.row(number).snoozed_until) == (START, START + 3 * DAY)


def test_a_snooze_by_a_right_clock_stays_as_it_is_beside_one_by_a_clock_ahead(place: Place) -> None:
    long, ahead = place.ask(1), place.ask(2)
    snooze(place, long, 300 * DAY)
    place.clock.now += DAY
    snooze(place, ahead, HOUR)
    place.clock.now -= DAY

    assert [place.sweep(), place.sweep()] == [1, 0]
    assert [place.row(n).snoozed_until for n in (long, ahead)] == [START + 300 * DAY, START + HOUR]
    assert place.told(long) == ["raised", "snoozed"]


def test_of_two_snoozes_the_one_that_was_put_back_counts(place: Place) -> None:
    number = place.ask()
    snooze(place, number, 3 * DAY)
    before = place.row(number)
    place.clock.now += HOUR
    snooze(place, number, HOUR)
    after = place.row(number)
    place.write(lambda tx: life.put_back(tx, before, after, by="ada"))
    place.clock.now -= HOUR
    place.sweep()

    assert place.row(number).snoozed_until == START + 3 * DAY


def test_more_snoozes_by_a_clock_ahead_than_a_sweep_takes_come_forward_in_turn(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "NEWEST_EVENTS", 2)
    numbers = [place.ask(n) for n in range(5)]
    place.clock.now += YEAR
    for number in numbers:
        snooze(place, number, HOUR)
    place.clock.now -= YEAR

    assert [place.sweep(limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert {place.row(n).snoozed_until for n in numbers} == {START + HOUR}


def test_a_replay_brings_a_snooze_forward_as_the_sweep_did(place: Place) -> None:
    number = place.ask()
    place.clock.now += YEAR
    snooze(place, number, HOUR)
    place.clock.now -= YEAR
    place.sweep()

    found = place.read(lambda r: replay(r, place.store.key, place.store.path.parent))
    assert [t for t in found.tables if not t.is_equal] == []
