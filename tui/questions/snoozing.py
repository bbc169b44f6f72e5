"""Until when a question is put away: the usual moments, and any that a person types. Times of day are local."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from tui.questions.forms import NotReadable
from tui.text.words import DAY, HOUR, MINUTE, exact_time

MORNING = time(9)
LONGEST_DAYS = 366
HINT = "45m  2h  3d  1w  17:30  tomorrow  mon 14:00  2026-03-05 08:00"

_UNITS = {"m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"(\d{1,4})\s*([mhdw])")
_CLOCK = re.compile(r"(\d{1,2})[:.](\d{2})|(\d{1,2})(?:[:.](\d{2}))?([ap])m")
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")


@dataclass(frozen=True, slots=True)
class Preset:
    """A usual moment; `until` makes it of now. Both are milliseconds since the epoch."""

    name: str
    until: Callable[[int], int]


def tomorrow_morning(now: int) -> int:
    return _moment(_day(now) + timedelta(days=1), MORNING)


PRESETS = (
    Preset("1 hour", lambda now: now + HOUR),
    Preset("4 hours", lambda now: now + 4 * HOUR),
    Preset("until tomorrow 9:00", tomorrow_morning),
    Preset("3 days", lambda now: now + 3 * DAY),
    Preset("1 week", lambda now: now + 7 * DAY),
)


def moment_of(typed: str, now: int) -> int:
    """The moment that is meant, in the future. Raises NotReadable for what is none."""
    text = " ".join(typed.casefold().split())
    span = _SPAN.fullmatch(text)
    try:
        until = now + int(span[1]) * _UNITS[span[2]] if span else _dated(text, now)
    except NotReadable:
        raise
    except (ValueError, OverflowError):
        raise NotReadable(f"{typed.strip()!r} is no time of day or date that there is.") from None
    if until <= now:
        raise NotReadable(f"{typed.strip()!r} is not in the future.")
    if until > now + LONGEST_DAYS * DAY:
        raise NotReadable("Put it away for a year at most.")
    return until


def told_away(until: int, now: int, due_at: int | None) -> str:
    """The end of a sentence about a question that is put away now, with what falls due meanwhile."""
    at, days = datetime.fromtimestamp(until / 1000).astimezone(), (_day(until) - _day(now)).days
    day = ("", "tomorrow ")[days] if days < 2 else f"{at:%a %Y-%m-%d} "
    told = f"is put away until {day}{at:%H:%M}"
    if due_at is None or not now < due_at < until:
        return f"{told}."
    left = due_at - now
    span = f"{left // MINUTE} min" if left < HOUR else exact_time(left)
    return f"{told}; it is due in {span} and will be overdue then."


def _dated(text: str, now: int) -> int:
    """A day, a time of day, or both; a time alone is the next one, a day alone is its morning."""
    *days, last = text.split(" ") if text else [""]
    clock = _CLOCK.fullmatch(last)
    words = days if clock else [*days, last]
    at = _time_of(clock) if clock else MORNING
    if not words:
        today = _moment(_day(now), at)
        return today if today > now else _moment(_day(now) + timedelta(days=1), at)
    if len(words) > 1:
        raise NotReadable(f"{text!r} is no time; write one like: {HINT}.")
    return _moment(_day_of(words[0], _day(now)), at)


def _time_of(clock: re.Match[str]) -> time:
    """17:30, 5pm or 5:30pm. Raises ValueError for a time that no day has."""
    if clock[5] is None:
        return time(int(clock[1]), int(clock[2]))
    hour = int(clock[3])
    if not 1 <= hour <= 12:
        raise ValueError(f"{hour} is no hour before or after noon")
    return time(hour % 12 + 12 * (clock[5] == "p"), int(clock[4] or 0))


def _day_of(word: str, today: date) -> date:
    if word in ("today", "tomorrow"):
        return today + timedelta(days=word == "tomorrow")
    if word[:3] in _DAYS and len(word) >= 3:
        return today + timedelta(days=(_DAYS.index(word[:3]) - today.weekday() - 1) % 7 + 1)
    written = _DATE.fullmatch(word)
    if written is None:
        raise NotReadable(f"{word!r} is no time; write one like: {HINT}.")
    return date(*(int(part) for part in written.groups()))


def _day(now: int) -> date:
    return datetime.fromtimestamp(now / 1000).astimezone().date()


def _moment(day: date, at: time) -> int:
    return int(datetime.combine(day, at).astimezone().timestamp() * 1000)
