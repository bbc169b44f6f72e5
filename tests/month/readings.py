"""What the product's own tables and functions say of the month, in the shape in which the plan was counted."""

from __future__ import annotations

import json
from collections.abc import Iterator

from core.governance.authority import kinds
from core.governance.cohorts import cohort_of
from core.governance.scope.grounds import read_standing
from core.governance.scope.records import read_record
from core.governance.scope.suggestions import EXPANSION, LEAST_ANSWERED, is_earned
from core.registry.changes import BY_FILE
from core.store import reads_escalations, reads_governance, rows_governance
from core.store.reads import Connection
from tests.month.figures import (
    DIGITS,
    AtOnce,
    Figures,
    Grant,
    Happened,
    Line,
    Reviewed,
    Standing,
    Word,
    moments_of,
    weeks_of,
)
from tests.month.story import watched

_OWNER = "json_extract(e.chain, '$[#-1]')"
"""Of a question: the agent that put it, whom its chain names last."""
_OWN = "e.kind IN ('decision', 'permission')"
_ANSWERS = f"SELECT {_OWNER}, a.at FROM answers a JOIN escalations e ON e.id = a.escalation_id"
_IN_FORCE = f"{_ANSWERS} WHERE e.kind = 'decision' AND a.provenance = 'human' AND a.undone_at IS NULL AND NOT a.late"
_AGAIN = (
    f"SELECT {_OWNER}, v.at FROM events v JOIN escalations e ON e.id = json_extract(v.payload, '$.escalation') "
    "WHERE v.kind = 'escalation.raised_again'"
)
_FIRST_BREACH = (
    "SELECT json_extract(payload, '$.escalation') AS escalation, MIN(at) AS at FROM events "
    "WHERE kind = 'escalation.reminded' OR (kind = 'escalation.escalated' AND json_extract(payload, '$.by') = 'clock') "
    "GROUP BY 1"
)
"""A question that was due and not answered: a daily one is escalated then, an immediate one is reminded of."""
_OF_AGENTS: dict[str, str] = {
    "raised": f"SELECT agent, at FROM decisions WHERE reverses IS NULL UNION ALL {_AGAIN}",
    "again": _AGAIN,
    "decided": "SELECT agent, at FROM decisions WHERE outcome = 'decided' AND reverses IS NULL",
    "escalated": "SELECT agent, at FROM decisions WHERE outcome = 'escalated'",
    "answered": _IN_FORCE,
    "accepted": f"{_IN_FORCE} AND a.option = e.recommended",
    "undone": f"SELECT {_OWNER}, a.undone_at FROM answers a JOIN escalations e ON e.id = a.escalation_id "
    "WHERE a.undone_at IS NOT NULL",
    "reversed": "SELECT agent, reverted_at FROM decisions WHERE reverted_at IS NOT NULL",
    "breached": f"SELECT {_OWNER}, b.at FROM ({_FIRST_BREACH}) b JOIN escalations e ON e.id = b.escalation "
    f"WHERE {_OWN}",
    "expired": f"SELECT {_OWNER}, e.expired_at FROM escalations e WHERE e.expired_at IS NOT NULL",
    "timed_out": f"{_ANSWERS} WHERE a.provenance = 'timeout'",
    "late": f"{_ANSWERS} WHERE a.late",
}
"""For each column whose it is, and when what it counts happened."""
_OF_CONFLICTS: dict[str, str] = {
    "raised": "SELECT '', at FROM conflicts",
    "by_rule": "SELECT '', resolved_at FROM conflicts WHERE provenance = 'rule'",
    "by_person": "SELECT '', resolved_at FROM conflicts WHERE provenance = 'human'",
    "breached": f"SELECT '', b.at FROM ({_FIRST_BREACH}) b JOIN conflicts c ON c.escalation = b.escalation",
}


def happened(reader: Connection) -> Iterator[Happened]:
    for table in (_OF_AGENTS, _OF_CONFLICTS):
        for name, statement in table.items():
            yield from ((agent, name, int(moment)) for agent, moment in reader.sql(statement))


def reviewed(reader: Connection, now: int, by: str) -> Reviewed:
    """What a review has left undecided, read in its own transaction."""
    undecided = reads_governance.scope_proposals(reader, undecided_only=True)
    standings = tuple(_standing(reader, thread.agent, thread.kind, now, undecided) for thread in watched())
    return Reviewed(now, by, tuple(sorted(map(_line, undecided))), standings)


def _line(row: rows_governance.ScopeProposalRow) -> Line:
    saves = _saves(row) if row.change == EXPANSION else None
    return Line(row.agent, row.kind, row.change, row.n, row.accepted, _rounded(row.lower_bound), saves)


def _rounded(bound: float | None) -> float | None:
    return None if bound is None else round(bound, DIGITS)


def _saves(row: rows_governance.ScopeProposalRow) -> tuple[float, float, float] | None:
    shown = row.analysis["efficiency"]
    if row.hours_saved_per_week is None:
        return None
    return shown["questions_per_week"], shown["median_attention_seconds"], row.hours_saved_per_week


def _standing(
    reader: Connection, agent: str, kind: str, now: int, undecided: tuple[rows_governance.ScopeProposalRow, ...]
) -> Standing:
    present = cohort_of(reader, agent)
    found = read_record(reader, agent, kind, present)
    cohorts = reader.sql("SELECT DISTINCT cohort FROM decisions WHERE agent = ? AND cohort <> ?", (agent, present))
    former = sum(read_record(reader, agent, kind, cohort).n for (cohort,) in cohorts)
    known = next(k for k in kinds(reader, agent) if k.key == kind)
    n, accepted = found.n, len(found.accepted)
    reasons = (
        ("decides it already", known.mode == "autonomous"),
        ("ceiling", known.limit is not None),
        ("too few answers", n < LEAST_ANSWERED),
        ("bound too low", not is_earned(n, accepted)),
        ("cool-down", (EXPANSION, kind) in read_standing(reader, agent, now).cooling),
        ("", any((row.agent, row.kind, row.change) == (agent, kind, EXPANSION) for row in undecided)),
    )
    why = next((text for text, holds in reasons if holds), "nothing speaks against it, and yet it is not proposed")
    return Standing(agent, kind, n, accepted, _rounded(found.bound), former, known.mode, why)


def _at_once(reader: Connection) -> tuple[AtOnce, ...]:
    found = []
    for moment, payload in reader.sql("SELECT at, payload FROM events WHERE kind = 'scope.proposed' ORDER BY seq"):
        row = reads_governance.scope_proposal(reader, json.loads(payload)["proposal"])
        assert row is not None
        found.append(AtOnce(int(moment), _line(row)))
    return tuple(found)


_WORDS = {"scope.approved": "approve", "scope.rejected": "reject", "scope.clarified": "clarify"}


def _words(reader: Connection) -> tuple[Word, ...]:
    found = []
    query = "SELECT at, kind, payload FROM events WHERE kind IN (?, ?, ?) ORDER BY seq"
    for moment, kind, payload in reader.sql(query, tuple(_WORDS)):
        facts = json.loads(payload)
        row = reads_governance.scope_proposal(reader, facts["proposal"])
        assert row is not None
        said = row.clarification if kind == "scope.clarified" else row.reason
        found.append(Word(int(moment), _WORDS[kind], row.agent, row.kind, row.change, said or ""))
    return tuple(found)


def _grants(reader: Connection) -> tuple[Grant, ...]:
    query = "SELECT at, agent, kind, mode FROM authority WHERE by <> ? ORDER BY id"
    since = (
        "SELECT COUNT(*) FROM decisions WHERE agent = ? AND kind = ? AND at > ? AND outcome = ? AND reverses IS NULL"
    )
    return tuple(
        Grant(
            *(int(moment), agent, kind, mode),
            *(int(reader.sql(since, (agent, kind, moment, outcome))[0][0]) for outcome in ("decided", "escalated")),
        )
        for moment, agent, kind, mode in reader.sql(query, (BY_FILE,))
    )


def read(reader: Connection, reviews: tuple[Reviewed, ...]) -> Figures:
    counted = list(happened(reader))
    [(briefings,)] = reader.sql("SELECT COUNT(*) FROM briefings")
    return Figures(
        weeks_of(counted),
        moments_of(counted),
        reviews,
        _at_once(reader),
        _words(reader),
        _grants(reader),
        int(briefings),
        len(reads_escalations.escalations(reader)),
    )
