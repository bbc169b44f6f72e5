"""When a question's clock has something to do next: pure functions of the facts on its row.

A question that is put away or acknowledged is silent: what falls due meanwhile happens when the silence ends. Where it
is both, the later end counts. Its due time stays all the while, and so it shows as overdue.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS

ANSWER_WITHIN_MS: Mapping[str, int | None] = {"IMMEDIATE": HOUR_MS, "DAILY": 24 * HOUR_MS, "WEEKLY": None}
"""How long a question of each urgency may wait. WEEKLY waits for the next scope review and never pages."""

REMIND_AFTER_MS = (0, HOUR_MS, 4 * HOUR_MS, 24 * HOUR_MS)
"""Of an IMMEDIATE question that is overdue: the first reminder when it falls due, each other so long after the one
before. Then it is silent: whoever has not looked by then is not helped by a fifth."""


class Clocked(Protocol):
    @property
    def urgency(self) -> str: ...
    @property
    def due_at(self) -> int | None: ...
    @property
    def reminders(self) -> int: ...
    @property
    def reminded_at(self) -> int | None: ...
    @property
    def acknowledged_until(self) -> int | None: ...
    @property
    def snoozed_until(self) -> int | None: ...
    @property
    def expires_at(self) -> int | None: ...


def due_at(urgency: str, now: int) -> int | None:
    """When a question that is put at the moment `now` has to be answered."""
    within = ANSWER_WITHIN_MS[urgency]
    return None if within is None else now + within


def next_at(facts: Clocked) -> int | None:
    """The moment at which the clock has something to do; None for never."""
    ends = [at for at in (facts.acknowledged_until, facts.snoozed_until) if at is not None]
    moments = [*ends, facts.expires_at, None if ends else overdue_at(facts)]
    return min((at for at in moments if at is not None), default=None)


def overdue_at(facts: Clocked) -> int | None:
    """When it breaches its time, or is reminded of; None once nothing more is due."""
    if facts.due_at is None or facts.urgency == "WEEKLY":
        return None
    if facts.urgency != "IMMEDIATE":
        return facts.due_at
    if facts.reminders >= len(REMIND_AFTER_MS):
        return None
    if facts.reminders == 0 or facts.reminded_at is None:
        return facts.due_at
    return facts.reminded_at + REMIND_AFTER_MS[facts.reminders]
