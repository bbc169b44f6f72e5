"""The month's calendar: June 2026, which begins on a Monday. Moments are milliseconds since the epoch, UTC."""

from __future__ import annotations

from datetime import UTC, datetime

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY

DAYS = 30
WEEKS = 5
"""The last one has two days."""
START = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp() * 1000)
END = START + DAYS * DAY


def at(day: int, clock: str) -> int:
    """The moment on a day of the month, 1 to 30, at "HH:MM"."""
    hours, minutes = clock.split(":")
    return START + (day - 1) * DAY + int(hours) * HOUR + int(minutes) * MINUTE


def day_of(moment: int) -> int:
    return (moment - START) // DAY + 1


def week_of(moment: int) -> int:
    """1 to 5."""
    return (moment - START) // WEEK + 1


def is_weekday(day: int) -> bool:
    return (day - 1) % 7 < 5


def told(moment: int) -> str:
    """As the report shows it: "Mon 15 June 09:00"."""
    found = datetime.fromtimestamp(moment / 1000, UTC)
    return f"{found:%a} {found.day:2} June {found:%H:%M}"
