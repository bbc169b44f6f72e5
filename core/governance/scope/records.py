"""An agent's record in a kind of decision: what humans answered, how often exactly as it recommended.

What counts is an escalated decision that a human answered, in force and in time. It is accepted when the answer is the
recommended option, with no values of the person's own, and has not been taken back since. Rules, time-outs, winners of
conflicts and what the agent decided itself are never counted, and a question counts once however often it was raised.
Nor is a question counted of which the agent recommended nothing: what is then shown as recommended is the first option,
and an answer says nothing of a judgement that nobody made.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from statistics import median
from typing import Any

from core.governance.scope.wilson import lower_bound
from core.store.reads import Connection

MOST = 2_000
"""Decisions of one kind that are looked at, the newest: what bounds the time that a review takes."""
LEAST_MEASURED = 5
"""Answers whose attention was measured, before a median of it says anything."""


@dataclass(frozen=True, slots=True)
class Record:
    """What one agent, as one cohort, has shown in one kind. Spans are medians in seconds, None where not measured.

    `accepted` and `declined` are numbers of escalations, the oldest first; `decided` counts what it decided by its
    authority, `reversed_` how many of those a human took back.
    """

    agent: str
    kind: str
    cohort: str
    accepted: tuple[int, ...] = ()
    declined: tuple[int, ...] = ()
    decided: int = 0
    reversed_: int = 0
    wait_seconds: float | None = None
    attention_seconds: float | None = None
    attention_measured: int = 0

    @property
    def n(self) -> int:
        return len(self.accepted) + len(self.declined)

    @property
    def bound(self) -> float | None:
        """Wilson's lower bound of the share accepted."""
        return lower_bound(len(self.accepted), self.n)


@dataclass(frozen=True, slots=True)
class _Answered:
    """An escalated decision with the answer in force. A question may have several such rows: it has one key, and each
    impact and tag that it was raised with is a decision of its own."""

    escalation: int
    recommended: str | None
    reverted_at: int | None
    shown: str | None
    answer: int
    option: str
    values: str
    wait: float | None
    attention: float | None

    @property
    def is_as_recommended(self) -> bool:
        """By what was shown as much as by what the agent said: a question may have changed while it waited."""
        said = self.recommended is not None and self.option == self.recommended == self.shown
        return said and self.values in ("{}", "null", "") and self.reverted_at is None


_ANSWERED = """
SELECT d.escalation, d.recommended, d.reverted_at, e.recommended, a.id, a.option, a.answer,
       a.seconds_to_answer, a.attention_seconds
FROM decisions d JOIN escalations e ON e.id = d.escalation JOIN answers a ON a.escalation_id = e.id
WHERE d.agent = ? AND d.kind = ? AND d.cohort = ? AND d.outcome = 'escalated' AND d.conflict IS NULL
  AND e.kind = 'decision' AND e.resolved_at IS NOT NULL AND e.merged_into IS NULL
  AND a.provenance = 'human' AND a.undone_at IS NULL AND NOT a.late
  AND NOT EXISTS (SELECT 1 FROM decisions o WHERE o.escalation = d.escalation AND o.cohort <> d.cohort)
ORDER BY d.escalation DESC, d.id LIMIT ?
"""
# The last condition: what two cohorts asked as one question is the record of neither.

_UNDONE = """
SELECT DISTINCT a.escalation_id, a.id, a.option
FROM decisions d JOIN answers a ON a.escalation_id = d.escalation
WHERE d.agent = ? AND d.kind = ? AND d.cohort = ? AND d.outcome = 'escalated'
  AND a.provenance = 'human' AND a.undone_at IS NOT NULL AND NOT a.late
ORDER BY a.id DESC LIMIT ?
"""

_BY_AUTHORITY = """
FROM decisions d
WHERE d.agent = ? AND d.kind = ? AND d.outcome = 'decided' AND d.provenance = 'rule' AND d.rule LIKE 'authority:%'
  AND d.conflict IS NULL AND d.reverses IS NULL
"""
"""What the agent decided itself: by its authority, and not as the winner of a conflict."""


def read_record(reader: Connection, agent: str, kind: str, cohort: str) -> Record:
    """The agent's record in a kind as that cohort (`core.governance.cohorts`)."""
    found = [_Answered(*row) for row in reader.sql(_ANSWERED, (agent, kind, cohort, MOST))]
    undone: dict[int, list[tuple[int, str]]] = {}
    for escalation, number, option in reader.sql(_UNDONE, (agent, kind, cohort, MOST)):
        undone.setdefault(escalation, []).append((number, option))
    accepted: list[int] = []
    declined: list[int] = []
    first = []
    for escalation, group in groupby(found, key=lambda a: a.escalation):
        rows = list(group)
        if all(row.recommended is None for row in rows):
            continue
        first.append(rows[0])
        is_accepted = all(row.is_as_recommended for row in rows) and not _was_overturned(
            rows[0], undone.get(escalation, ())
        )
        (accepted if is_accepted else declined).append(escalation)
    decided, taken_back = decided_and_reversed(reader, agent, kind, cohort)
    attention = [a.attention for a in first if a.attention is not None]
    return Record(
        agent,
        kind,
        cohort,
        accepted=tuple(reversed(accepted)),
        declined=tuple(reversed(declined)),
        decided=decided,
        reversed_=taken_back,
        wait_seconds=_median([a.wait for a in first if a.wait is not None]),
        attention_seconds=_median(attention) if len(attention) >= LEAST_MEASURED else None,
        attention_measured=len(attention),
    )


def decided_and_reversed(reader: Connection, agent: str, kind: str, cohort: str | None = None) -> tuple[int, int]:
    """How many of a kind the agent decided itself, as that cohort or ever, and how many of them a human took back."""
    text, values = f"SELECT COUNT(*), COUNT(d.reverted_at) {_BY_AUTHORITY}", [agent, kind]
    if cohort is not None:
        text, values = f"{text} AND d.cohort = ?", [*values, cohort]
    [(decided, taken_back)] = reader.sql(text, values)
    return int(decided), int(taken_back)


def decided_since(reader: Connection, agent: str, kind: str, since: int) -> int:
    """How many of a kind the agent decided itself from that moment (milliseconds) on."""
    [(decided,)] = reader.sql(f"SELECT COUNT(*) {_BY_AUTHORITY} AND d.at >= ?", (agent, kind, since))
    return int(decided)


def reversals(reader: Connection, agent: str, kind: str, grant: int) -> tuple[int, ...]:
    """What the agent decided itself by that grant and a human took back, the oldest first, up to 200."""
    text = f"SELECT d.id {_BY_AUTHORITY} AND d.authority = ? AND d.reverted_at IS NOT NULL ORDER BY d.id DESC LIMIT 200"
    return tuple(sorted(int(number) for (number,) in reader.sql(text, (agent, kind, grant))))


def is_by_authority(reader: Connection, decision: int) -> bool:
    """Whether the decision counts as one that the agent made itself."""
    text = "SELECT agent, kind FROM decisions WHERE id = ?"
    found: list[Any] = reader.sql(text, (decision,))
    return bool(found) and bool(reader.sql(f"SELECT 1 {_BY_AUTHORITY} AND d.id = ?", (*found[0], decision)))


def _was_overturned(current: _Answered, undone: Any) -> bool:
    """Whether a person had accepted it before, undid that, and gave another answer, whatever they settled on last."""
    given = sorted([*undone, (current.answer, current.option)])
    options = [option for _, option in given]
    if current.recommended not in options:
        return False
    return any(option != current.recommended for option in options[options.index(current.recommended) + 1 :])


def _median(values: list[float]) -> float | None:
    return None if not values else float(median(values))
