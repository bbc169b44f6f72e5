"""What a kind's escalations cost the people who answer them, over a window: how many, for what cause, how long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from core.governance.scope.records import MOST, decided_since
from core.store.reads import Connection

DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS
BY_AUTHORITY = "authority:"
"""How the rule of a decision begins that waits, or not, because of the authority in force."""


@dataclass(frozen=True, slots=True)
class Load:
    """Escalations of one kind, raised from `since` up to `until` (milliseconds), by number.

    `by_authority` of them waited for no other reason than the authority in force; `by_first_rules` a rule sends to a
    person whatever the authority. `waiting` wait still, `overdue` were or are not answered by the time that they
    were due, both with older ones that are open. `considered` is what `overdue` is out of. `wait_seconds` is the median
    wait of those answered; `decided` is what the agent decided itself in that time.
    """

    since: int
    until: int
    escalations: tuple[int, ...] = ()
    by_authority: int = 0
    by_first_rules: int = 0
    waiting: int = 0
    overdue: int = 0
    breached: int = 0
    considered: int = 0
    wait_seconds: float | None = None
    decided: int = 0

    @property
    def weeks(self) -> float:
        return max((self.until - self.since) / WEEK_MS, 1.0)

    def per_week(self, count: int) -> float:
        return count / self.weeks


@dataclass(frozen=True, slots=True)
class _Asked:
    escalation: int
    rules: tuple[str, ...]
    due_at: int | None
    raised_at: int
    ended_at: int | None
    breaches: int
    answered: bool

    def is_overdue(self, now: int) -> bool:
        return self.breaches > 0 or (self.due_at is not None and (self.ended_at or now) > self.due_at)


_ASKED = """
SELECT e.id, d.rule, e.due_at, e.raised_at, e.resolved_at, e.expired_at, e.breaches
FROM decisions d JOIN escalations e ON e.id = d.escalation
WHERE d.agent = ? AND d.kind = ? AND d.outcome = 'escalated' AND e.kind = 'decision'
  AND e.merged_into IS NULL AND e.withdrawn_at IS NULL
  AND (e.raised_at >= ? OR COALESCE(e.resolved_at, e.expired_at) >= ?
       OR (e.resolved_at IS NULL AND e.expired_at IS NULL))
ORDER BY e.id DESC LIMIT ?
"""

_KINDS = """
SELECT d.kind, COUNT(DISTINCT d.escalation) FROM decisions d
WHERE d.agent = ? AND d.outcome = 'escalated' AND (d.at >= ? OR d.decided_at IS NULL OR d.decided_at >= ?)
GROUP BY d.kind ORDER BY 2 DESC, 1 LIMIT ?
"""


def kinds_asked(reader: Connection, agent: str, since: int, limit: int) -> tuple[str, ...]:
    """The kinds, named by a list or not, of which most was asked from that moment on or waits still."""
    return tuple(kind for kind, _ in reader.sql(_KINDS, (agent, since, since, limit)))


def read_load(reader: Connection, agent: str, kind: str, since: int, until: int) -> Load:
    """What was asked of a kind in that window, whichever cohort asked. Withdrawn and merged questions are nobody's."""
    asked = _asked(reader, agent, kind, since)
    inside = [a for a in asked if a.raised_at >= since]
    waits = [(a.ended_at - a.raised_at) / 1000 for a in asked if a.answered and a.ended_at is not None]
    return Load(
        since,
        until,
        escalations=tuple(a.escalation for a in inside),
        by_authority=_count(inside, lambda a: all(rule.startswith(BY_AUTHORITY) for rule in a.rules)),
        by_first_rules=_count(inside, lambda a: any(_is_first_rule(rule, agent) for rule in a.rules)),
        waiting=_count(asked, lambda a: a.ended_at is None),
        overdue=_count(asked, lambda a: a.is_overdue(until)),
        breached=_count(asked, lambda a: a.breaches > 0),
        considered=len(asked),
        wait_seconds=float(median(waits)) if waits else None,
        decided=decided_since(reader, agent, kind, since),
    )


def _asked(reader: Connection, agent: str, kind: str, since: int) -> list[_Asked]:
    """One for each question, the oldest first, with the rules of all decisions that wait for it."""
    rules: dict[int, list[str]] = {}
    facts = {}
    for number, rule, *rest in reader.sql(_ASKED, (agent, kind, since, since, MOST)):
        rules.setdefault(number, []).append(rule)
        facts[number] = rest
    made = []
    for number, (due_at, raised_at, resolved_at, expired_at, breaches) in sorted(facts.items()):
        ended = resolved_at or expired_at
        made.append(
            _Asked(number, tuple(rules[number]), due_at, raised_at, ended, breaches, answered=resolved_at is not None)
        )
    return made


def _is_first_rule(rule: str, agent: str) -> bool:
    """A rule of the workspace that comes before every authority; an owner that asks for a person is none."""
    return not rule.startswith((BY_AUTHORITY, f"{agent} asks:"))


def _count(asked: Sequence[_Asked], holds: Callable[[_Asked], bool]) -> int:
    return sum(holds(a) for a in asked)
