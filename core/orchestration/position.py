"""Where a work item stands, read from the journal's facts; and what has been said to it so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from core.contract import PHASE_CODES, Json
from core.governance.asking import Said, threads_of
from core.orchestration.journal import Journal, Key, read_journal
from core.orchestration.questions import ATTESTED, SUPPLY, WITHOUT
from core.store import reads, reads_escalations, rows
from core.store.reads import Connection

MOST_DECISIONS = 10_000
"""Of one work item, the newest."""
MOST_PROPOSALS = 200
"""Of one project, the newest that wait."""


@dataclass(frozen=True, slots=True)
class Position:
    """A work item's facts, its last phase run, and the artifacts it has produced, oldest first."""

    facts: rows.WorkItemFactsRow
    project: rows.ProjectRow | None
    run: rows.PhaseRunRow | None
    runs: tuple[rows.PhaseRunRow, ...]
    artifacts: tuple[rows.ArtifactRow, ...]
    questions: tuple[rows.EscalationRow, ...]
    answers: tuple[tuple[rows.EscalationRow, rows.AnswerRow], ...]
    decisions: tuple[rows.DecisionRow, ...]
    """Oldest first."""
    journal: Journal
    gates: tuple[rows.GateResultRow, ...] = ()
    threads: Mapping[int, tuple[Said, ...]] = field(default_factory=dict)
    """What people asked back about its questions, and what was replied, by the question's number."""

    @property
    def newest(self) -> rows.ArtifactRow:
        return self.artifacts[-1]

    @property
    def is_over(self) -> bool:
        return self.facts.is_over

    def entered(self, run: rows.PhaseRunRow) -> Position:
        """The position once that run is the last one, without reading it anew."""
        if self.run is not None and self.run.id == run.id:
            return self
        facts = self.facts if self.facts.started_at is not None else replace(self.facts, started_at=run.started_at)
        return replace(self, facts=facts, run=run, runs=(*self.runs, run))

    def holds_back(self, *what: str) -> bool:
        """Whether an open question blocks one of these (phase codes, task ids)."""
        return any(q.blocks in what for q in self.questions)

    def artifact(self, digest: str) -> rows.ArtifactRow:
        return next(a for a in reversed(self.artifacts) if a.digest == digest)

    def newest_of(self, artifact_type: str) -> rows.ArtifactRow | None:
        return next((a for a in reversed(self.artifacts) if a.type == artifact_type), None)

    def rounds(self, phase: str) -> int:
        return sum(r.phase == phase for r in self.runs)

    def human_answer(self, phase: str, rounds: range, agent: str, subject: str) -> Json | None:
        """What a person has answered to this very delegation, or to all of its round, in one of these rounds.

        In an earlier one only while the delegation has no response there: otherwise that response came of it. `about`
        is what the question said it was about: one delegation may ask more than once.
        """
        if not self.answers:
            return None
        unused = [r for r in rounds if self.journal.get(Key(phase, r, agent, subject)) is None]
        found: Json | None = None
        for question, answer in self.answers:
            if question.phase != phase or question.round not in unused or "agent" not in question.details:
                continue
            is_own = (question.details["agent"], question.details["subject"]) == (agent, subject)
            if is_own or answer.option == "all":
                found = {
                    "since": question.details.get("commit") if is_own else None,
                    "option": answer.option,
                    "answer": answer.answer,
                    "reason": answer.reason,
                    "by": answer.by,
                }
                if is_own and "about" in question.details:
                    found["about"] = question.details["about"]
                if question.id in self.threads:
                    found["thread"] = [said.to_json() for said in self.threads[question.id] if said.is_by_person]
        return found

    def talked_over(self, phase: str, subject: str) -> tuple[list[Json], list[Json]]:
        """What was asked back and replied about the questions of a phase, as far as they concern the subject: what
        people said, and what agents did, who wrote the questions too. The question's number tells what belongs
        together: words of an agent never stand among a person's."""
        asked = {q.id: q for q in (*(question for question, _ in self.answers), *self.questions)}
        people, agents = [], []
        for number, said in self.threads.items():
            about = asked.get(number)
            if about is None or about.phase != phase or about.details.get("subject", subject) not in ("", subject):
                continue
            people.append({"about": number, "thread": [one.to_json() for one in said if one.is_by_person]})
            replied = [one.to_json() for one in said if not one.is_by_person]
            agents.append({"number": number, "question": about.question, **({"replied": replied} if replied else {})})
        return people, agents

    def supplied(self, phase: str, commit: str | None) -> Json:
        """Everything that people have supplied to a phase's gate: lists and maps add up, a later text wins.

        What they vouched for is left out when the branch's commit is another than the one they were shown.
        """
        values: Json = {}
        for question, answer in self.answers:
            if question.phase == phase and answer.option == SUPPLY and isinstance(answer.answer, Mapping):
                void = ATTESTED if question.details.get("commit") != commit else frozenset()
                for key, value in answer.answer.items():
                    if key not in void:
                        values[key] = _added(values.get(key), value)
        return values

    def asked(self, phase: str, round_: int, agent: str, subject: str) -> bool:
        """Whether a question to a person about this very delegation is open."""
        return any(
            (q.phase, q.round) == (phase, round_)
            and (q.details.get("agent"), q.details.get("subject")) == (agent, subject)
            for q in self.questions
        )

    def without_model(self, phase: str, agent: str) -> str | None:
        """The runtime that a person has chosen for an agent that failed on a model; it holds from then on."""
        if not self.answers:
            return None
        chosen = [q.details.get("instead", {}) for q, a in self.answers if q.phase == phase and a.option == WITHOUT]
        return next((runtimes[agent] for runtimes in reversed(chosen) if agent in runtimes), None)

    @property
    def waits_for(self) -> frozenset[int]:
        """The open questions that hold something back."""
        return frozenset(q.id for q in self.questions if q.blocks)

    def settled_decisions(self, phase: str, subject: str) -> list[Json]:
        """What has been decided for this work item and stands, whoever decided it, for those who build by it.

        Of the decisions that came up in `phase` itself only those about the `subject`: what concerns another task
        must not make this one's request another.
        """
        return [
            {
                "domain": d.agent,
                "kind": d.kind,
                "question": d.question,
                "choice": d.choice,
                "reason": d.reason,
                "by": d.decided_by,
            }
            for d in self.decisions
            if (d.choice is not None or d.reverses is not None)
            and d.reverted_at is None
            and (d.phase != phase or d.context.get("subject") == subject)
        ]


def _added(before: Any, value: Any) -> Any:
    if isinstance(before, list) and isinstance(value, list):
        return [*before, *value]
    if isinstance(before, Mapping) and isinstance(value, Mapping):
        return {**before, **value}
    return value


def read_position(reader: Connection, work_item: int, known: Journal | None = None) -> Position:
    """`known` spares reading answers again that are in it. Raises LookupError for a number that is no work item."""
    facts = reads.work_item_facts(reader, work_item)
    if facts is None:
        raise LookupError(f"there is no work item {work_item}")
    runs = reads.phase_runs(reader, work_item)
    questions = reads_escalations.waiting(reader, work_item)
    answers = reads_escalations.answers_of(reader, work_item)
    return Position(
        facts=facts,
        project=None if facts.project is None else reads.project(reader, facts.project),
        run=runs[-1] if runs else None,
        runs=runs,
        artifacts=reads.artifacts(reader, work_item),
        questions=questions,
        answers=answers,
        decisions=tuple(reversed(reads.decisions(reader, work_item=work_item, limit=MOST_DECISIONS))),
        journal=read_journal(reader, work_item, known),
        gates=reads.gate_results(reader, work_item),
        # Most work items were never asked about; for those the journal is not looked through.
        threads=threads_of(reader, work_item) if questions or answers else {},
    )


_DELEGATED_SQL = """SELECT COUNT(*), COALESCE(SUM("status" = 'FAILURE'), 0), COALESCE(SUM("milliseconds"), 0)
    FROM "delegations" WHERE "work_item" = ?"""
_ASKED_SQL = 'SELECT "raised_at", "resolved_at" FROM "escalations" WHERE "work_item" = ?'


def journal_facts(reader: Connection, position: Position) -> Json:
    """What the journal knows of a work item's way, for telemetry. Times in seconds."""
    work_item = position.facts.id
    count, failures, milliseconds = reader.sql(_DELEGATED_SQL, (work_item,))[0]
    asked = reader.sql(_ASKED_SQL, (work_item,))
    waits = sorted((resolved - raised) / 1000 for raised, resolved in asked if resolved is not None)
    return {
        "phases": [
            {
                "phase": code,
                "seconds": sum(r.ended_at - r.started_at for r in found if r.ended_at is not None) / 1000,
                "rounds": len(found),
            }
            for code in PHASE_CODES
            if (found := [r for r in position.runs if r.phase == code])
        ],
        "delegations": {
            "count": count,
            "failures": failures,
            "seconds": milliseconds / 1000,
        },
        "escalations": {
            "raised": len(asked),
            "answered": len(waits),
            "median_seconds": waits[len(waits) // 2] if waits else None,
        },
        "gates": [{"phase": g.phase, "criteria": g.criteria} for g in position.gates],
        "previous": _earlier_signals(reader, position.facts),
        "proposed": _open_proposals(reader, position.facts),
    }


def _earlier_signals(reader: Connection, facts: rows.WorkItemFactsRow) -> list[Json]:
    """The telemetry of the project's last ten releases before this one, newest first."""
    from core.store.schema import Artifact, WorkItem

    if facts.project is None:
        return []
    query = (
        Artifact.select(Artifact.id, Artifact.at)
        .join(WorkItem)
        .where(
            (WorkItem.project == facts.project) & (Artifact.type == "telemetry.snapshot") & (WorkItem.id != facts.id)
        )
        .order_by(Artifact.id.desc())
        .limit(10)
    )
    return [{"at": at, "signals": reads.artifact_content(reader, n)["signals"]} for n, at in reader.rows(query)]


def _open_proposals(reader: Connection, facts: rows.WorkItemFactsRow) -> list[Json]:
    """What evolution has proposed for the project and nobody has accepted or cancelled, newest first."""
    from core.store.schema import Artifact, WorkItem

    if facts.project is None:
        return []
    query = (
        Artifact.select(Artifact.id, WorkItem.id, WorkItem.title)
        .join(WorkItem)
        .where(
            (WorkItem.project == facts.project)
            & (WorkItem.origin == "evolution")
            & WorkItem.accepted_at.is_null()
            & WorkItem.cancelled_at.is_null()
            & (Artifact.type == "request.raw")
        )
        .order_by(Artifact.id.desc())
        .limit(MOST_PROPOSALS)
    )
    return [
        {"work_item": number, "title": title, "about": reads.artifact_content(reader, n).get("about", "")}
        for n, number, title in reader.rows(query)
    ]
