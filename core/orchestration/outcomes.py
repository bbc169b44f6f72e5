"""How rounds begin and end: closures for `Store.write`, each one commit with its events.

Every ended round is also answered to the master as the phase orchestrator's own delegation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from core.contract import (
    AgentRequest,
    AgentResponse,
    Artifact,
    Json,
    blocked,
    canonical_json,
    failed,
    succeeded,
)
from core.governance.escalations import raise_question
from core.orchestration import journal, master, work_items
from core.orchestration.artifacts import validated
from core.orchestration.outward import telling
from core.orchestration.position import Position
from core.orchestration.questions import ASKED_FOR, SUPPLY, Missed, error_question, gate_question
from core.orchestration.requests import PhaseContext
from core.orchestration.runtimes import without_model
from core.phases import PHASE_BY_CODE, PhaseSpec
from core.projects import git
from core.registry.schema import MODEL_RUNTIMES
from core.sanitise import one_line, sanitise
from core.store import reads, rows
from core.store.schema import GateResult, PhaseRun, WorkItem
from core.store.transaction import Transaction

SENDS_BACK: Mapping[str, str] = {"R1": "I1"}
"""Whose gate finds what an earlier phase must mend, and which."""

_MILESTONES: Mapping[str, str] = {"O1": "released_at", "E1": "closed_at"}
"""What is on record of a work item once a phase has passed."""

ORCHESTRATES = "tool"
"""What executes the phase orchestrators: they are code of this program."""

RELEASE_AGENTS = ("versioner", "changelog-curator")
"""The agents whose commits may follow the reviewed one without a new review."""


def open_run(
    tx: Transaction,
    work_item: int,
    phase: str,
    round_: int,
    input_digest: str,
    missing: Sequence[str],
    *,
    is_first: bool = False,
) -> rows.PhaseRunRow:
    """Begin a round; `is_first` where the work item has not been begun before."""
    number = tx.insert(
        PhaseRun,
        work_item=work_item,
        phase=phase,
        round=round_,
        input_digest=input_digest,
        started_at=tx.now,
        missing=canonical_json(list(missing)),
    )
    if is_first:
        tx.update(WorkItem, work_item, started_at=tx.now)
    tx.event("phase.entered", work_item=work_item, phase=phase, round=round_)
    return rows.PhaseRunRow(number, work_item, phase, round_, input_digest, tx.now, None, None, list(missing))


@dataclass(frozen=True, slots=True)
class Passed:
    """A gate that was passed: where the work item stands, and the artifact that was handed on, as text."""

    position: Position
    answered: journal.Entry
    """The orchestrator's answer, which is in that position's journal only once it is added."""
    artifact: str
    content: str


def handed_on(spec: PhaseSpec, run: rows.PhaseRunRow, content: Json) -> Artifact:
    """What a phase hands on. Raises UsageError where it lacks what the next phase needs."""
    return Artifact(spec.leaves, validated(spec.leaves, content), spec.orchestrator, run.input_digest)


def pass_gate(tx: Transaction, context: PhaseContext, verdict: Json, artifact: Artifact, judged: Json) -> Passed:
    """The phase hands on its artifact; after E1 the work item is closed and its proposals are on the table."""
    spec, run, position = context.spec, context.run, context.position
    gate = _keep_verdict(tx, run, verdict, judged)
    kept = work_items.store_artifact(tx, run.work_item, artifact)
    facts = position.facts
    if spec.code in _MILESTONES:
        reached: Json = {_MILESTONES[spec.code]: tx.now}
        tx.update(WorkItem, run.work_item, **reached)
        facts = replace(facts, **reached)
    ended = _end(tx, run, "passed")
    produced: Json = {"type": artifact.type, "digest": artifact.digest, "id": kept.row.id}
    answered = _answer_master(tx, spec, run, succeeded(spec.orchestrator, produced))
    if spec.code == "E1":
        _propose(tx, context, artifact.content)
    after = replace(
        position,
        facts=facts,
        run=ended,
        runs=(*position.runs[:-1], ended),
        artifacts=(*position.artifacts, kept.row),
        gates=(*position.gates, gate),
    )
    return Passed(after, answered, artifact.digest, kept.text)


def miss_gate(tx: Transaction, spec: PhaseSpec, context: PhaseContext, missed: Missed, revision_rounds: int) -> bool:
    """Send the work back to the phase that can mend it, or ask. True when it went back and can go on."""
    run, position, verdict = context.run, context.position, missed.verdict
    back = SENDS_BACK.get(spec.code)
    _keep_verdict(tx, run, verdict, missed.judged)
    response = blocked(spec.orchestrator, {}, verdict["missing"], verdict["suggested_action"])
    sent_back = sum(r.phase == spec.code and r.outcome == "sent_back" for r in position.runs)
    if back and sent_back + 1 < revision_rounds and _is_mendable(verdict) and _is_closer(tx, run, verdict):
        entered = next(r for r in reversed(position.runs) if r.phase == back)
        _end(tx, run, "sent_back")
        _answer_master(tx, spec, run, response)
        missing = [one_line(str(m), 500) for m in (*verdict["missing"], *missed.findings)]
        open_run(tx, run.work_item, back, position.rounds(back) + 1, entered.input_digest, missing)
        return True
    _end(tx, run, "blocked")
    _answer_master(tx, spec, run, response)
    raise_question(tx, telling(tx, gate_question(spec, run.work_item, run.round, missed)))
    return False


def _is_mendable(verdict: Json) -> bool:
    """Whether the phase before can mend any of it: not where all that is missing are measurements."""
    return any("short" in criterion for criterion in verdict["criteria"])


def _is_closer(tx: Transaction, run: rows.PhaseRunRow, verdict: Json) -> bool:
    """Whether this round brought a criterion closer: it passes now, or is short of less than it was."""
    before = [g for g in reads.gate_results(tx, run.work_item) if g.phase == run.phase and g.round < run.round]
    if not before:
        return True
    was = {c["name"]: _short(c) for c in before[-1].criteria}
    return any(_short(c) < was.get(c["name"], 0.0) for c in verdict["criteria"])


def _short(criterion: Json) -> float:
    """How far a criterion is from passing; what was not measured is as far as can be."""
    return 0.0 if criterion["passed"] else float(criterion.get("short", math.inf))


def agents_failed(
    tx: Transaction,
    spec: PhaseSpec,
    run: rows.PhaseRunRow,
    failures: Sequence[tuple[str, str, AgentResponse]],
) -> None:
    """End the round and ask what to do about the agents that failed."""
    _end(tx, run, "failed")
    first = failures[0][2].metadata
    error = str(first.get("error", "no reason given"))
    _answer_master(tx, spec, run, failed(spec.orchestrator, error, suggestion=str(first.get("suggestion", ""))))
    asked = error_question(spec, run.work_item, run.round, failures, _instead(tx, failures))
    raise_question(tx, telling(tx, asked))


def _instead(tx: Transaction, failures: Sequence[tuple[str, str, AgentResponse]]) -> dict[str, str]:
    """Of the agents that failed on a model, the runtime that would do their work without one."""
    on_models = sorted({role for role, _, response in failures if response.metadata.get("runtime") in MODEL_RUNTIMES})
    agents = [found for role in on_models if (found := reads.agent(tx, role)) is not None]
    return {agent.role: without_model(agent) for agent in agents}


def fail_run(tx: Transaction, spec: PhaseSpec, run: rows.PhaseRunRow, error: str) -> None:
    """End a round that the orchestrator itself could not carry through."""
    response = failed(spec.orchestrator, sanitise(error, limit=2_000))
    agents_failed(tx, spec, run, [(spec.orchestrator, "", response)])


def telemetry_failed(tx: Transaction, work_item: int, error: str) -> None:
    """Ask what to do about a release whose figures cannot be collected; E1 waits for the answer."""
    response = failed("signal-harvester", sanitise(error, limit=2_000))
    asked = error_question(PHASE_BY_CODE["E1"], work_item, 0, [("signal-harvester", "", response)])
    raise_question(tx, telling(tx, asked))


def review_again(tx: Transaction, work_item: int, run: rows.PhaseRunRow, round_: int, bundle: str) -> None:
    """What R1 judged is not what stands on the branch any more: its pass is void, and it judges anew."""
    _end(tx, run, "void")
    open_run(tx, work_item, "R1", round_, bundle, ["the branch has changed since it was reviewed"])


def judge_anew(tx: Transaction, run: rows.PhaseRunRow, round_: int) -> None:
    """The branch has moved between the first measurement of a round and its verdict: the round counts for nothing."""
    _end(tx, run, "void")
    open_run(tx, run.work_item, run.phase, round_, run.input_digest, run.missing)


def snapshot_of(content: Json, released: str) -> Artifact:
    """What was collected of the release with this digest. Raises UsageError where it lacks what E1 needs."""
    return Artifact("telemetry.snapshot", validated("telemetry.snapshot", content), "signal-harvester", released)


def keep_telemetry(tx: Transaction, work_item: int, snapshot: Artifact) -> work_items.Kept:
    kept = work_items.store_artifact(tx, work_item, snapshot)
    tx.event("telemetry.collected", work_item=work_item)
    return kept


def note_branch(tx: Transaction, work_item: int, branch: str, base_commit: str) -> None:
    tx.update(WorkItem, work_item, branch=branch, base_commit=base_commit)
    tx.event("work_item.branched", work_item=work_item)


def note_commands(tx: Transaction, work_item: int, commands: Sequence[Json]) -> None:
    """Keep the commands that prepared a worktree with the others that were run."""
    for command in commands:
        journal.record_evidence(tx, work_item, None, "implementation-orch", command)
    tx.event("project.prepared", work_item=work_item)


def what_to_mend(position: Position, run: rows.PhaseRunRow) -> list[str]:
    """What the next round of a phase is told: what its last question listed, and what the person said to it.

    A round that only goes on has to mend what the one before had to.
    """
    found = _answered(position, run)
    if found is None or _only_goes_on(position, run):
        return run.missing
    question, answer = found
    said = [f"{answer.by}: {answer.reason}"] if answer.reason else []
    return [*question.missing, *question.details.get("findings", ()), *said]


def attempt(position: Position, run: rows.PhaseRunRow) -> tuple[int, rows.PhaseRunRow]:
    """Which attempt at its phase's work a round belongs to, from 1, and the round that began that attempt.

    Whoever has done their part in an attempt is not asked for it again in its later rounds.
    """
    rounds = [r for r in position.runs if r.phase == run.phase and r.round <= run.round]
    number, began = 1, rounds[0]
    for before, after in pairwise(rounds):
        if not _only_goes_on(position, before):
            number, began = number + 1, after
    return number, began


def _only_goes_on(position: Position, run: rows.PhaseRunRow) -> bool:
    """Whether what follows a round leaves the work as it is: after an agent's failure, after a round that counts for
    nothing, and once people supplied everything that its gate missed."""
    if run.outcome != "blocked":
        return run.outcome in ("failed", "void")
    found = _answered(position, run)
    if found is None or found[1].option != SUPPLY:
        return False
    failing = [c["name"] for c in found[0].details.get("criteria", ()) if not c["passed"]]
    return all(set(ASKED_FOR.get(name, ())) & set(found[1].answer or ()) for name in failing)


def _answered(position: Position, run: rows.PhaseRunRow) -> tuple[rows.EscalationRow, rows.AnswerRow] | None:
    """The question in which a round ended, with its answer."""
    found = [
        (question, answer)
        for question, answer in position.answers
        if question.phase == run.phase
        and question.round == run.round
        and question.kind in ("gate", "error")
        and "agent" not in question.details
    ]
    return found[-1] if found else None


def judged_commit(gates: Sequence[rows.GateResultRow], *phases: str, passed_only: bool = False) -> str | None:
    """The commit that the newest gate of these phases judged."""
    commits = [g.judged.get("commit") for g in gates if g.phase in phases and (g.passed or not passed_only)]
    return str(commits[-1]) if commits and commits[-1] else None


def release_commits(recorded: journal.Journal) -> frozenset[str]:
    """The commits that the release's own agents are on record to have made. A trailer alone proves nothing."""
    outputs = (e.response.output_artifact for e in recorded.of_phase("O1") if e.key.agent in RELEASE_AGENTS)
    return frozenset(str(output["commit"]) for output in outputs if output.get("commit"))


async def is_released_from(tree: Path, project: Path, target: str, reviewed: str, own: frozenset[str]) -> bool:
    """Whether what stands on the branch is what was reviewed, on top of the target, or already merged into it.

    `own` commits of the release may follow the reviewed one; after any other the review is of something else.
    """
    head, tip = await git.head(tree), await git.head(project, target)
    if await git.is_ancestor(tree, head, tip):
        # A branch that was reset or made anew lies in the target as well, without anything that was reviewed.
        return await git.is_ancestor(tree, reviewed, tip)
    if not await git.is_ancestor(tree, reviewed, head) or not await git.is_ancestor(tree, tip, head):
        return False
    return all(c.sha in own for c in await git.commits(tree, reviewed, head))


def _keep_verdict(tx: Transaction, run: rows.PhaseRunRow, verdict: Json, judged: Json) -> rows.GateResultRow:
    criteria, missing, passed = verdict["criteria"], verdict["missing"], bool(verdict["passed"])
    number = tx.insert(
        GateResult,
        work_item=run.work_item,
        phase=run.phase,
        round=run.round,
        passed=passed,
        criteria=canonical_json(criteria),
        missing=canonical_json(missing),
        suggested_action=verdict["suggested_action"],
        judged=canonical_json(judged),
        at=tx.now,
    )
    action = verdict["suggested_action"]
    return rows.GateResultRow(
        number, run.work_item, run.phase, run.round, passed, criteria, missing, action, judged, tx.now
    )


def _end(tx: Transaction, run: rows.PhaseRunRow, outcome: str) -> rows.PhaseRunRow:
    tx.update(PhaseRun, run.id, ended_at=tx.now, outcome=outcome)
    tx.event(f"phase.{outcome}", work_item=run.work_item, phase=run.phase, round=run.round)
    return replace(run, ended_at=tx.now, outcome=outcome)


def _answer_master(tx: Transaction, spec: PhaseSpec, run: rows.PhaseRunRow, response: AgentResponse) -> journal.Entry:
    request = AgentRequest(master.MASTER, {"type": spec.takes, "digest": run.input_digest}, {}, spec.leaves)
    key = journal.Key(run.phase, run.round, spec.orchestrator)
    spent = max(0, tx.now - run.started_at)
    return journal.record(tx, run.work_item, key, request, response, ORCHESTRATES, milliseconds=spent)


def _propose(tx: Transaction, context: PhaseContext, delta: Json) -> None:
    """Each addition to the backlog becomes a proposed work item, for a human to accept."""
    facts = context.position.facts
    for entry in delta["backlog"]["added"]:
        if not isinstance(entry, Mapping) or not one_line(str(entry.get("title", ""))):
            continue
        kind = str(entry.get("type", "chore"))
        work_items.create(
            tx,
            title=one_line(str(entry["title"]), 300),
            type=kind if kind in work_items.TYPES else "chore",
            body=sanitise(str(entry.get("body", ""))),
            project=facts.project,
            origin="evolution",
            parent=facts.id,
            about=str(entry.get("about", "")),
        )
