"""All that the store knows of one delegation: its record, its commands, and what came of it.

It may run at this moment and have no record yet. What is not written down is not in here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.contract import Json
from core.sanitise import one_line, sanitise
from core.store import reads, reads_escalations, rows
from core.store.reads import Connection
from core.store.schema import Intent

MOST_COMMANDS = 500
MOST_QUESTIONS = 500


@dataclass(frozen=True, slots=True)
class Called:
    """What makes a delegation the same one; see `core.orchestration.journal.Key`."""

    work_item: int
    phase: str
    round: int
    agent: str
    subject: str


@dataclass(frozen=True, slots=True)
class Raised:
    """A decision that the answer raised, as it says itself, with its row once it is on the record."""

    told: Json
    row: rows.DecisionRow | None


@dataclass(frozen=True, slots=True)
class DelegationFacts:
    """`recorded` is None until the answer stands in the journal, `since` None when it does not run now."""

    called: Called
    agent: rows.AgentRow | None
    run: rows.PhaseRunRow | None
    recorded: rows.DelegationRow | None
    since: int | None
    live: Json
    """What it tells of itself while it runs: {"doing", "tokens", "dollars"}; empty when it does not."""
    request: Json
    response: Json
    commands: tuple[rows.EvidenceRow, ...]
    """In the order in which they were run."""
    rounds: tuple[rows.DelegationRow, ...]
    """Every record of this agent, phase and subject, the oldest first."""
    intended_at: int | None
    raised: tuple[Raised, ...]
    questions: tuple[rows.EscalationRow, ...]
    """Those that came up from this agent in this round of the phase, answered ones too; the oldest first."""
    given: rows.ArtifactRow | None
    """The artifact that the phase works on."""
    task: Json | None
    """The task of the plan that its subject names."""

    @property
    def metadata(self) -> Json:
        found = self.response.get("metadata")
        return found if isinstance(found, dict) else {}


def called_of(reader: Connection, row: rows.DelegationRow) -> Called:
    """Of a row from the journal, or of one of what runs, which does not say the round."""
    round_ = row.round
    if not round_:
        known = [r.round for r in reads.phase_runs(reader, row.work_item) if r.phase == row.phase]
        round_ = max(known, default=1)
    return Called(row.work_item, row.phase, round_, row.agent, row.subject)


def delegation_facts(reader: Connection, called: Called, live: rows.LiveRow) -> DelegationFacts:
    """Raises LookupError when a record names an event that is not there."""
    same = tuple(
        d
        for d in reads.delegations(reader, called.work_item)
        if (d.phase, d.agent, d.subject) == (called.phase, called.agent, called.subject)
    )
    recorded = next((d for d in same if d.round == called.round), None)
    record: Json = reads.delegation_record(reader, recorded.event) if recorded is not None else {}
    response: Json = _mapping(record.get("response"))
    runs = [r for r in reads.phase_runs(reader, called.work_item) if r.phase == called.phase]
    run = next((r for r in runs if r.round == called.round), None)
    artifacts = reads.artifacts(reader, called.work_item)
    told = running(called, live)
    commands = reads.evidence(reader, delegation=recorded.id, limit=MOST_COMMANDS) if recorded is not None else ()
    return DelegationFacts(
        called=called,
        agent=reads.agent(reader, called.agent),
        run=run,
        recorded=recorded,
        since=None if recorded is not None else since_of(told),
        live={} if recorded is not None else told,
        request=_mapping(record.get("request")),
        response=response,
        commands=tuple(sorted(commands, key=lambda c: (c.at, c.id))),
        rounds=same,
        intended_at=_intended_at(reader, called),
        raised=_raised(reader, called, response),
        questions=_questions(reader, called),
        given=next((a for a in artifacts if run is not None and a.digest == run.input_digest), None),
        task=_task(reader, called, artifacts),
    )


def _mapping(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def running(called: Called, live: rows.LiveRow) -> Json:
    """What is told of it at this moment; empty when it does not run."""
    wanted = (called.work_item, called.phase, called.agent, called.subject)
    for told in live.delegations:
        if (told.get("work_item"), told.get("phase"), told.get("agent"), told.get("subject", "")) == wanted:
            return dict(told)
    return {}


def since_of(told: Json) -> int | None:
    return int(told.get("since", 0)) if told else None


def _intended_at(reader: Connection, called: Called) -> int | None:
    row = reader.one(
        Intent.select(Intent.at).where(
            (Intent.work_item == called.work_item)
            & (Intent.phase == called.phase)
            & (Intent.round == called.round)
            & (Intent.agent == called.agent)
            & (Intent.subject == called.subject)
        )
    )
    return None if row is None else int(row[0])


def _raised(reader: Connection, called: Called, response: Json) -> tuple[Raised, ...]:
    """The record keeps a decision without who raised it: it is found by its kind and its question."""
    told = _mapping(response.get("metadata")).get("decisions")
    entries = [entry for entry in told if isinstance(entry, Mapping)] if isinstance(told, list) else []
    if not entries:
        return ()
    known = [d for d in reads.decisions(reader, work_item=called.work_item) if d.phase == called.phase]
    return tuple(Raised(dict(entry), _row_of(entry, known)) for entry in entries)


def _row_of(told: Mapping[str, Any], known: Sequence[rows.DecisionRow]) -> rows.DecisionRow | None:
    kind = one_line(str(told.get("kind", "")), 64)
    question = sanitise(str(told.get("question", "")), limit=500, keep_newlines=False)
    return next((d for d in known if (d.kind, d.question) == (kind, question)), None)


def _questions(reader: Connection, called: Called) -> tuple[rows.EscalationRow, ...]:
    asked = reads_escalations.escalations(reader, open_only=False, work_item=called.work_item, limit=MOST_QUESTIONS)
    mine = [q for q in asked if (q.phase, q.round) == (called.phase, called.round) and called.agent in q.chain[-1:]]
    return tuple(reversed(mine))


def _task(reader: Connection, called: Called, artifacts: Sequence[rows.ArtifactRow]) -> Json | None:
    plans = [a for a in artifacts if a.type == "plan.snapshot"]
    if not called.subject or not plans:
        return None
    tasks = reads.artifact_content(reader, plans[-1].id).get("tasks")
    found = (
        (t for t in tasks if isinstance(t, dict) and t.get("id") == called.subject) if isinstance(tasks, list) else ()
    )
    return next(iter(found), None)
