"""The story's deeds, each done with the function of the product that the app and the commands use as well."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from core.governance import escalations, life, reversal
from core.governance.conflicts import ConflictRules, Dispute, raise_conflict
from core.governance.decisions import Choice, DecisionRules, make_decision
from core.governance.scope import deciding
from core.places import FILE
from core.store import reads_governance
from core.store.transaction import Transaction
from tests.month import deeds
from tests.month.deeds import HUMAN, OTHER, PROPOSED, Deed
from tests.month.stage import CONFLICT, Astray, Stage

OPTIONS = (
    {"key": PROPOSED, "label": "As proposed", "consequence": "It is done as the agent says, today."},
    {"key": OTHER, "label": "Another way", "consequence": "The agent looks for another way, which costs a day."},
)


def do(stage: Stage, deed: Deed) -> None:
    if isinstance(deed, deeds.ChangeSop):
        _change_sop(stage, deed)
    else:
        stage.store.write_now(lambda tx: _PLAYS[type(deed)](stage, tx, deed))


def _ask(stage: Stage, tx: Transaction, deed: deeds.Ask) -> None:
    choice = Choice(
        deed.agent,
        deed.kind,
        deed.question,
        deed.impact,
        options=OPTIONS,
        recommended=PROPOSED,
        tags=deed.tags,
    )
    made = make_decision(tx, choice, DecisionRules.of(stage.catalog))
    stage.decisions[deed.name] = made.decision
    if made.escalation is not None:
        stage.questions[deed.name] = made.escalation


def _request(stage: Stage, tx: Transaction, deed: deeds.Request) -> None:
    stage.questions[deed.name] = escalations.raise_question(
        tx,
        escalations.Question(
            kind="permission",
            subject={"permission": deed.question},
            question=deed.question,
            urgency="DAILY",
            options=tuple(escalations.Option(o["key"], o["label"], o["consequence"]) for o in OPTIONS),
            recommended=PROPOSED,
            chain=(deed.agent,),
            expires_within_ms=deed.within,
            on_expiry=deed.otherwise or None,
        ),
    )


def _answer(stage: Stage, tx: Transaction, deed: deeds.Answer) -> None:
    escalations.resolve(tx, stage.question(deed.ask), option=deed.option, reason=deed.reason, by=deed.by)


def _undo(stage: Stage, tx: Transaction, deed: deeds.Undo) -> None:
    life.undo(tx, stage.question(deed.ask), by=HUMAN, reason=deed.reason)


def _acknowledge(stage: Stage, tx: Transaction, deed: deeds.Acknowledge) -> None:
    life.acknowledge(tx, stage.question(deed.ask), by=HUMAN, minutes=deed.minutes)


def _snooze(stage: Stage, tx: Transaction, deed: deeds.Snooze) -> None:
    life.snooze(tx, stage.question(deed.ask), until=deed.until, by=HUMAN)


def _hand_over(stage: Stage, tx: Transaction, deed: deeds.HandOver) -> None:
    life.assign(tx, stage.question(deed.ask), to=deed.to, by=HUMAN)


def _merge(stage: Stage, tx: Transaction, deed: deeds.Merge) -> None:
    life.merge(tx, [stage.question(deed.ask)], into=stage.question(deed.into), by=HUMAN)


def _reverse(stage: Stage, tx: Transaction, deed: deeds.Reverse) -> None:
    reversal.reverse(tx, stage.decisions[deed.ask], by=HUMAN, reason=deed.reason, choice=OTHER)


def _differ(stage: Stage, tx: Transaction, deed: deeds.Differ) -> None:
    dispute = Dispute(deed.between, deed.topic, 5, tags=deed.tags)
    made = raise_conflict(tx, dispute, ConflictRules.of(stage.catalog))
    if made.escalation is not None:
        stage.questions[CONFLICT + deed.name] = made.escalation


def _settle(stage: Stage, tx: Transaction, deed: deeds.Settle) -> None:
    escalations.resolve(tx, stage.question(CONFLICT + deed.conflict), option=deed.winner, reason=deed.reason, by=HUMAN)


def _judge(stage: Stage, tx: Transaction, deed: deeds.Judge) -> None:
    wanted = (deed.agent, deed.subject, deed.change)
    undecided = reads_governance.scope_proposals(tx, undecided_only=True)
    found = [row.id for row in undecided if (row.agent, row.kind, row.change) == wanted]
    if not found:
        raise Astray(
            f"the plan has a person judge the {deed.change} of {deed.agent}.{deed.subject}: it is not proposed"
        )
    say: Callable[..., object] = getattr(deciding, deed.word)
    say(tx, found[0], by=HUMAN, reason=deed.reason)


def _review(stage: Stage, tx: Transaction, deed: deeds.Review) -> None:
    stage.hold_review(tx, HUMAN)


def _change_sop(stage: Stage, deed: deeds.ChangeSop) -> None:
    """As a person does it: a line more in the file, which apm then brings in."""
    file = stage.workspace.folder / FILE
    head, role, rest = file.read_text(encoding="utf-8").partition(f"  - role: {deed.agent}\n")
    before, sop, after = rest.partition("    sop: |\n")
    assert sop, f"{FILE} has no SOP of {deed.agent} where it is looked for"
    file.write_text(f"{head}{role}{before}{sop}      {deed.line}\n\n{after}", encoding="utf-8")
    stage.workspace.update_registry()


_PLAYS: Mapping[type, Callable[[Stage, Transaction, Any], None]] = {
    deeds.Ask: _ask,
    deeds.Request: _request,
    deeds.Answer: _answer,
    deeds.Undo: _undo,
    deeds.Acknowledge: _acknowledge,
    deeds.Snooze: _snooze,
    deeds.HandOver: _hand_over,
    deeds.Merge: _merge,
    deeds.Reverse: _reverse,
    deeds.Differ: _differ,
    deeds.Settle: _settle,
    deeds.Judge: _judge,
    deeds.Review: _review,
}
