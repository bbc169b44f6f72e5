from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.app.seeding import MORNING
from tui.questions.forms import NotReadable
from tui.questions.snoozing import PRESETS, moment_of, told_away, tomorrow_morning
from tui.text.words import DAY, HOUR, MINUTE


@pytest.fixture(autouse=True, params=["UTC", "Europe/Berlin", "America/Los_Angeles"])
def place_on_earth(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


def local(moment: int) -> str:
    return datetime.fromtimestamp(moment / 1000).astimezone().strftime("%Y-%m-%d %H:%M")


def today(clock: str) -> str:
    return f"{local(MORNING)[:10]} {clock}"


@pytest.mark.parametrize(
    ("typed", "clock"),
    [
        ("1am", "01:00"),
        ("12am", "00:00"),
        ("12pm", "12:00"),
        ("5PM", "17:00"),
        ("5:30pm", "17:30"),
        ("11.05am", "11:05"),
    ],
)
def test_a_time_may_be_said_before_and_after_noon(typed: str, clock: str) -> None:
    assert local(moment_of(f"tomorrow {typed}", MORNING)).endswith(clock)


@pytest.mark.parametrize(
    ("typed", "span"), [("45m", 45 * MINUTE), (" 2 H ", 2 * HOUR), ("3d", 3 * DAY), ("1w", 7 * DAY)]
)
def test_a_span_counts_from_now(typed: str, span: int) -> None:
    assert moment_of(typed, MORNING) == MORNING + span


def test_putting_away_says_until_when_and_what_falls_due_meanwhile() -> None:
    now = moment_of("2026-03-05 15:04", MORNING)
    until = moment_of("3pm", now)
    assert told_away(until, now, now + 56 * MINUTE) == (
        "is put away until tomorrow 15:00; it is due in 56 min and will be overdue then."
    )
    assert told_away(until, now, now + 2 * HOUR).endswith("it is due in 2 h 00 min and will be overdue then.")
    assert told_away(until, now, until) == "is put away until tomorrow 15:00."
    assert told_away(until, now, now - HOUR) == "is put away until tomorrow 15:00."
    assert told_away(now + HOUR, now, None) == "is put away until 16:04."
    assert told_away(moment_of("2d", now), now, None) == "is put away until Sat 2026-03-07 15:04."


def test_a_time_of_day_is_the_next_one_here() -> None:
    assert local(moment_of("23:45", MORNING)) == today("23:45")
    before = datetime.fromtimestamp(MORNING / 1000).strftime("%H:%M")
    assert moment_of(before, MORNING) == MORNING + DAY


def test_a_day_is_its_morning_and_may_have_a_time() -> None:
    assert local(moment_of("tomorrow", MORNING)) == local(tomorrow_morning(MORNING))
    assert local(moment_of("tomorrow 14:00", MORNING))[11:] == "14:00"
    assert local(moment_of("2026-04-05 08:30", MORNING)) == "2026-04-05 08:30"


@pytest.mark.parametrize("day", ["mon", "tue", "wed", "thu", "friday", "Sat", "sun"])
def test_a_weekday_is_the_next_one_and_never_today(day: str) -> None:
    found = datetime.fromtimestamp(moment_of(f"{day} 12:00", MORNING) / 1000)
    now = datetime.fromtimestamp(MORNING / 1000)
    assert found.strftime("%a").casefold() == day[:3].casefold()
    assert 1 <= (found.date() - now.date()).days <= 7


def test_until_tomorrow_is_nine_in_the_morning_here() -> None:
    assert local(tomorrow_morning(MORNING))[11:] == "09:00"
    assert 0 < tomorrow_morning(MORNING) - MORNING < 2 * DAY


def test_every_preset_is_in_the_future() -> None:
    assert all(preset.until(MORNING) > MORNING for preset in PRESETS)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "is no time"),
        ("13pm", "no time of day or date that there is"),
        ("0am", "no time of day or date that there is"),
        ("soon", "is no time"),
        ("tomorrow at nine", "is no time"),
        ("25:00", "no time of day"),
        ("2026-02-30", "no time of day or date that there is"),
        ("2020-01-01", "not in the future"),
        ("0m", "not in the future"),
        ("9999w", "a year at most"),
        ("9999-12-31", "a year at most"),
    ],
)
def test_what_is_no_moment_says_so(typed: str, said: str) -> None:
    with pytest.raises(NotReadable, match=said):
        moment_of(typed, MORNING)


@given(st.text(max_size=30) | st.from_regex(r"\d{1,4}[-:. ]?\d{0,2}[mhdw]?[-:. ]?\d{0,2}", fullmatch=True))
def test_nothing_that_can_be_typed_breaks_it(typed: str) -> None:
    with suppress(NotReadable):
        assert moment_of(typed, MORNING) > MORNING
