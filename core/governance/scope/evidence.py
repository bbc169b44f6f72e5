"""What a scope proposal rests on, row by row: the questions that were counted, what was taken back, the conflicts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from core.sanitise import one_line
from core.store.reads import Connection
from core.store.rows_governance import ScopeProposalRow

ACCEPTED, CORRECTED, WAITS, ENDED = "accepted", "corrected", "waits", "ended"
REVERSED, SETTLED, OPEN = "reversed", "settled", "open"

MOST_AT_ONCE = 500
"""Numbers in one statement; SQLite takes 999 in its older builds."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that was counted. `said` is what became of it, by whom and when (milliseconds) where somebody said so.

    `escalation` is the question that tells more of it, where there is one.
    """

    what: str
    number: int
    text: str
    outcome: str
    said: str = ""
    by: str = ""
    at: int | None = None
    escalation: int | None = None

    @property
    def key(self) -> tuple[str, int]:
        return self.what, self.number


def evidence_of(reader: Connection, row: ScopeProposalRow) -> tuple[Evidence, ...]:
    """What speaks against the agent first, then what speaks for it, then what was asked besides; each newest first."""
    told = row.analysis
    record, load = told.get("record", {}), told.get("load", {})
    found = [
        *_decisions(reader, told.get("reversals", ())),
        *_questions(reader, record.get("declined", ()), CORRECTED),
        *_questions(reader, record.get("accepted", ()), ACCEPTED),
        *_questions(reader, load.get("escalations", ()), ""),
        *_conflicts(reader, told.get("conflicts", ())),
    ]
    named: dict[tuple[str, int], Evidence] = {}
    for one in found:
        named.setdefault(one.key, one)
    return tuple(named.values())


_QUESTIONS = """
SELECT e.id, e.question, e.options, e.raised_at, e.resolved_at, a.option, a."by", a.at
FROM escalations e LEFT JOIN answers a ON a.escalation_id = e.id AND a.undone_at IS NULL AND NOT a.late
WHERE e.id IN ({marks}) ORDER BY e.id DESC
"""


def _questions(reader: Connection, numbers: Sequence[int], outcome: str) -> Iterator[Evidence]:
    for number, question, options, raised_at, resolved_at, option, by, at in _rows(reader, _QUESTIONS, numbers):
        ended = outcome or (WAITS if resolved_at is None else ENDED)
        said = "" if option is None else _label(options, option)
        yield Evidence("question", number, one_line(question, 300), ended, said, by or "", at or raised_at, number)


_DECISIONS = """
SELECT d.id, d.question, d.choice, d.options, d.revert_reason, d.reverted_by, d.reverted_at, d.escalation
FROM decisions d WHERE d.id IN ({marks}) ORDER BY d.id DESC
"""


def _decisions(reader: Connection, numbers: Sequence[int]) -> Iterator[Evidence]:
    for number, question, choice, options, why, by, at, escalation in _rows(reader, _DECISIONS, numbers):
        chose = _label(options, choice or "")
        said = f"{chose}: {one_line(why, 300)}" if why else chose
        yield Evidence("decision", number, one_line(question, 300), REVERSED, said, by or "", at, escalation)


_CONFLICTS = """
SELECT c.id, c.topic, c.winner, c.decided_by, c.at, c.resolved_at, c.escalation
FROM conflicts c WHERE c.id IN ({marks}) ORDER BY c.id DESC
"""


def _conflicts(reader: Connection, numbers: Sequence[int]) -> Iterator[Evidence]:
    for number, topic, winner, by, at, resolved_at, escalation in _rows(reader, _CONFLICTS, numbers):
        outcome = OPEN if resolved_at is None else SETTLED
        said = "" if resolved_at is None else f"{winner} prevailed" if winner else "neither"
        yield Evidence("conflict", number, one_line(topic, 300), outcome, said, by or "", at, escalation)


def _rows(reader: Connection, text: str, numbers: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    """The rows of these numbers, the newest first."""
    wanted = sorted(set(numbers), reverse=True)
    for start in range(0, len(wanted), MOST_AT_ONCE):
        some = wanted[start : start + MOST_AT_ONCE]
        yield from reader.sql(text.format(marks=", ".join("?" * len(some))), some)


def _label(options: str, key: str) -> str:
    """What an option is called where people choose it; its key where it has no name."""
    named = {str(option.get("key")): str(option.get("label") or "") for option in json.loads(options or "[]")}
    return one_line(named.get(key) or key, 120)
