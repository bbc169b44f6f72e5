"""Moments of the past in the words of a screen, in the time of where it is read. Spans are in `tui.text.words`."""

from __future__ import annotations

from datetime import datetime

UNKNOWN_MOMENT = "no such time"


def moment(at: int, now: int) -> str:
    """At most ten cells: of today the time of day, else the date. `at` and `now` are milliseconds since the epoch."""
    when = _local(at)
    today = _local(now)
    if when is None:
        return "?"
    return f"{when:%H:%M:%S}" if today is not None and when.date() == today.date() else f"{when:%Y-%m-%d}"


def exact_moment(at: int) -> str:
    """For a place with room: `2026-03-02 09:30:05 CET`."""
    when = _local(at)
    return UNKNOWN_MOMENT if when is None else f"{when:%Y-%m-%d %H:%M:%S %Z}".rstrip()


def _local(at: int) -> datetime | None:
    """None for a number that is no moment of any calendar, as a damaged record may hold."""
    try:
        return datetime.fromtimestamp(at / 1000).astimezone()
    except (ValueError, OverflowError, OSError):
        return None
