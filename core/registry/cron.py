"""Cron expressions as a team writes them: five fields, read here strictly and without any scheduler.

What the fields mean is the crontab's own meaning: Sunday is 0 and 7, and a day that is restricted both by its number
and by its weekday is met by either.
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass

MOST_CHARACTERS = 200

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LONGEST = {1: 31, 2: 29, 3: 31, 4: 30, 5: 31, 6: 30, 7: 31, 8: 31, 9: 30, 10: 31, 11: 30, 12: 31}
"""Days of each month in the year that has most of them."""


LOCAL = "local"
"""Stands for the zone that the machine is set to."""


class CronError(ValueError):
    """An expression that says no times; the message goes on after its place: "is …"."""


@dataclass(frozen=True, slots=True)
class _Field:
    """One of the five: what it is called, its least and its greatest value, and names that stand for numbers."""

    name: str
    least: int
    most: int
    names: Mapping[str, int]


_FIELDS = (
    _Field("minute", 0, 59, {}),
    _Field("hour", 0, 23, {}),
    _Field("day of the month", 1, 31, {}),
    _Field("month", 1, 12, {name: n for n, name in enumerate(_MONTHS, 1)}),
    _Field("day of the week", 0, 7, {name: n for n, name in enumerate(_WEEKDAYS)}),
)

_PART = re.compile(r"(?:(?P<all>\*)|(?P<first>[0-9a-z]{1,3})(?:-(?P<last>[0-9a-z]{1,3}))?)(?:/(?P<step>[0-9]{1,3}))?")


@dataclass(frozen=True, slots=True)
class Cron:
    """The times that an expression names. `weekdays` count from 0, Sunday, to 6.

    `is_either_day` holds where days and weekdays are both restricted: then either of them is enough.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    is_either_day: bool


def parse(text: str) -> Cron:
    """The times of a five-field expression. Raises CronError saying which field is at fault, and why."""
    words = text[:MOST_CHARACTERS].lower().split()
    if len(words) != len(_FIELDS):
        raise CronError(
            f"is {text[:40]!r}; a schedule has five fields (minute, hour, day, month, weekday), as in '0 8 * * *'"
        )
    minutes, hours, days, months, weekdays = (_values(word, field) for word, field in zip(words, _FIELDS, strict=True))
    day_word, weekday_word = words[2], words[4]
    is_either = not day_word.startswith("*") and not weekday_word.startswith("*")
    if not is_either and min(days) > max(_LONGEST[month] for month in months):
        raise CronError(f"is {text!r}, which never comes: no such month has a day {min(days)}")
    return Cron(minutes, hours, days, months, frozenset(day % 7 for day in weekdays), is_either)


def _values(word: str, field: _Field) -> frozenset[int]:
    found: set[int] = set()
    for part in word.split(","):
        found |= _part(part, field)
    return frozenset(found)


def _part(part: str, field: _Field) -> set[int]:
    match = _PART.fullmatch(part)
    if match is None:
        raise CronError(f"has {part!r} for the {field.name}; write *, 5, 1-5, */2 or a list of these with commas")
    step = int(match["step"] or 1)
    if step == 0:
        raise CronError(f"has {part!r} for the {field.name}; a step is 1 or more")
    if match["all"]:
        # The eighth weekday is the first one again, and would be counted as one more step.
        return set(range(field.least, min(field.most, 6) + 1 if field.most == 7 else field.most + 1, step))
    first = _number(match["first"], field)
    last = _number(match["last"], field) if match["last"] else field.most if match["step"] else first
    if last == 0 and match["last"] in field.names:
        last = 7
    if last < first:
        raise CronError(f"has {part!r} for the {field.name}, which ends before it begins")
    return set(range(first, last + 1, step))


def _number(word: str, field: _Field) -> int:
    value = int(word) if word.isdigit() else field.names.get(word)
    if value is None or not field.least <= value <= field.most:
        named = f" or {next(iter(field.names))}" if field.names else ""
        raise CronError(f"has {word!r} for the {field.name}; it goes from {field.least}{named} to {field.most}")
    return value


def zone_fault(name: str) -> str:
    """What is wrong with a time zone's name, going on after its place; "" for a zone that this machine knows."""
    from core.registry.documents import did_you_mean

    try:
        zoneinfo.ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        near = did_you_mean(name, {LOCAL, *zoneinfo.available_timezones()})
        return f"is {name[:60]!r}, no time zone known here{near or '; write local, or a name like Europe/Berlin'}"
    return ""
