"""From a suggestion to a proposal on the record: what a person is shown, and the digest that their word is bound to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from core.contract import Json, canonical_json, digest_of
from core.governance.authority import kinds
from core.governance.cohorts import cohort_of
from core.governance.decisions import DOMAIN_AGENTS
from core.governance.scope.analysis import Analysis, Surroundings, analyse
from core.governance.scope.grounds import MOST_CONFLICTS
from core.governance.scope.suggestions import LEAST_ANSWERED, LEAST_BOUND, Suggestion
from core.registry.importing import read_memory
from core.sanitise import one_line
from core.store import reads_governance
from core.store.reads import Connection
from core.store.rows_governance import ScopeProposalRow
from core.store.schema import ScopeProposal
from core.store.transaction import Transaction

MOST_IDS = 200
"""Numbers of questions that a proposal carries of each sort, the newest."""

Status = Literal["proposed", "clarify", "approved", "rejected", "superseded", "undone"]
APPROVED, REJECTED, SUPERSEDED = "approved", "rejected", "superseded"


@dataclass(frozen=True, slots=True)
class Draft:
    """A proposal as it would be put: the columns that a person is shown, and their digest."""

    suggestion: Suggestion
    columns: Json

    @property
    def payload_digest(self) -> str:
        return digest_of(self.columns)

    def answering(self, question: str, before: ScopeProposalRow) -> Draft:
        """The same with a person's question, and the figures that it was asked about."""
        asked = {"question": question, "proposal": before.id, "n": before.n, "accepted": before.accepted}
        return replace(self, columns={**self.columns, "analysis": {**self.columns["analysis"], "asked": asked}})


def status(row: ScopeProposalRow) -> Status:
    if row.undone_at is not None:
        return "undone"
    if row.decided_at is None:
        return "clarify" if row.clarification else "proposed"
    found: Status = row.decision  # type: ignore[assignment]
    return found


def digest_of_row(row: ScopeProposalRow) -> str:
    """The digest of what the row shows now; `payload_digest` is that of what was put."""
    return digest_of({name: getattr(row, name) for name in _SHOWN})


_SHOWN = (
    *("agent", "kind", "change", "n", "accepted", "lower_bound", "hours_saved_per_week", "risk", "recommendation"),
    *("analysis", "cohort"),
)


def surroundings(reader: Connection, since: int) -> Surroundings:
    """What suggestions are held against; conflicts are those from that moment (milliseconds) on."""
    return Surroundings(
        {agent: kinds(reader, agent) for agent in DOMAIN_AGENTS},
        reads_governance.conflicts(reader, since=since, limit=MOST_CONFLICTS),
        milestone(reader),
    )


def milestone(reader: Connection) -> str:
    """The milestone's title, as the team's files were imported last."""
    sections = read_memory(reader).get("sections") or {}
    return one_line(str(sections.get("defaults", {}).get("milestone", {}).get("title", "Milestone")), 80)


def draft(reader: Connection, suggestion: Suggestion, around: Surroundings) -> Draft:
    found = analyse(suggestion, around)
    columns: Json = {
        "agent": suggestion.agent,
        "kind": suggestion.subject,
        "change": suggestion.change,
        "n": suggestion.n,
        "accepted": suggestion.accepted,
        "lower_bound": suggestion.bound,
        "hours_saved_per_week": found.hours,
        "risk": found.risk,
        "recommendation": found.recommendation,
        "analysis": _shown(suggestion, found),
        "cohort": cohort_of(reader, suggestion.agent),
    }
    return Draft(suggestion, columns)


def put(tx: Transaction, made: Draft, *, review: int | None = None) -> int:
    """The proposal's row; its number. The caller writes the event that carries it."""
    shown = {**made.columns, "analysis": canonical_json(made.columns["analysis"])}
    return tx.insert(ScopeProposal, **shown, review=review, payload_digest=made.payload_digest, at=tx.now)


def supersede(tx: Transaction, number: int, *, by: str, why: str) -> None:
    """Nobody decides this one any more. The caller writes the event that carries it."""
    tx.update(ScopeProposal, number, decided_at=tx.now, decision=SUPERSEDED, decided_by=by, reason=why)


def _shown(suggestion: Suggestion, found: Analysis) -> Json:
    """The proposal's evidence as plain values. `grant` is the authority that it would change."""
    shown: Json = {
        "title": one_line(suggestion.title, 200),
        "impact": suggestion.impact,
        "would": one_line(suggestion.would, 500),
        "because": one_line(suggestion.because, 500),
        "needs": {"answered": LEAST_ANSWERED, "lower_bound": LEAST_BOUND},
        "conflict": found.conflict,
        "efficiency": found.efficiency,
        "risk_because": list(found.risk_because),
        "alignment": found.alignment,
        "reason": one_line(found.reason, 500),
        **suggestion.facts,
    }
    return shown | (_evidence(suggestion) if suggestion.kind is not None else {})


def _evidence(suggestion: Suggestion) -> Json:
    """Which rows were counted, so that a reader can count them again."""
    assert suggestion.kind is not None
    kind, record, load = suggestion.kind, suggestion.kind.record, suggestion.kind.load
    newest = kind.known.grant if kind.known else None
    return {
        "grant": None if newest is None else {"id": newest.id, "mode": newest.mode, "by": one_line(newest.by, 80)},
        "mode": kind.known.mode if kind.known else None,
        "record": {
            "accepted": list(record.accepted[-MOST_IDS:]),
            "declined": list(record.declined[-MOST_IDS:]),
            "decided": record.decided,
            "reversed": record.reversed_,
            "median_wait_seconds": record.wait_seconds,
            "median_attention_seconds": record.attention_seconds,
            "attention_measured": record.attention_measured,
        },
        "load": {
            "weeks": round(load.weeks, 1),
            "escalations": list(load.escalations[-MOST_IDS:]),
            "per_week": round(load.per_week(len(load.escalations)), 2),
            "by_authority": load.by_authority,
            "by_first_rules": load.by_first_rules,
            "waiting": load.waiting,
            "overdue": load.overdue,
            "decided": load.decided,
        },
    }
