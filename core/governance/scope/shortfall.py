"""What is in the way of an agent's deciding a kind itself: its authority, its record, a person's no."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from core.governance import authority
from core.governance.authority import AUTONOMOUS
from core.governance.cohorts import cohort_of
from core.governance.scope.records import Record, read_record
from core.governance.scope.suggestions import CONTRACTION, EXPANSION, lacks
from core.sanitise import one_line
from core.store.reads import Connection


@dataclass(frozen=True, slots=True)
class Shortfall:
    """The record as it is now, and a sentence for each thing that is in the way; none where it is earned."""

    record: Record
    sentences: tuple[str, ...]


def shortfall(reader: Connection, agent: str, kind: str, now: int) -> Shortfall:
    """`now` in milliseconds."""
    record = read_record(reader, agent, kind, cohort_of(reader, agent))
    refused = refusal(reader, agent, kind, now)
    figures = lacks(record.n, len(record.accepted))
    return Shortfall(record, (*_by_authority(reader, agent, kind), *figures, *((refused,) if refused else ())))


def _by_authority(reader: Connection, agent: str, kind: str) -> tuple[str, ...]:
    known = next((k for k in authority.kinds(reader, agent) if k.key == kind), None)
    if known is None:
        return (f"no list of {agent} names the kind",)
    if known.limit is not None:
        return (f"the kind {known.limit}",)
    return (f"{agent} decides it already",) if known.mode == AUTONOMOUS else ()


_COOLING = """
SELECT id, cool_down_until, decided_by, undone_by FROM scope_proposals
WHERE agent = ? AND kind = ? AND change IN (?, ?) AND cool_down_until > ? ORDER BY cool_down_until DESC LIMIT 1
"""


def refusal(reader: Connection, agent: str, kind: str, now: int) -> str:
    """A person's word that stands against more authority for a while, in a sentence; empty where there is none."""
    for number, until, decided_by, undone_by in reader.sql(_COOLING, (agent, kind, EXPANSION, CONTRACTION, now)):
        by = one_line(undone_by or decided_by or "somebody", 60)
        return f"{by}'s word on proposal {number} stands against it until {_day(until)}"
    return ""


def _day(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1_000, UTC):%Y-%m-%d}"
