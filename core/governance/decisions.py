"""make_decision: what a domain agent may decide it decides, on the record; the rest waits for a human."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.contract import PHASE_CODES, Json, canonical_json, digest_of
from core.governance.authority import in_force
from core.governance.cohorts import cohort_of
from core.governance.escalations import Option, Question, hold_back, raise_question
from core.sanitise import one_line
from core.store import reads, reads_escalations, states
from core.store.reads import Connection
from core.store.rows import EscalationRow
from core.store.schema import Decision
from core.store.transaction import Transaction

if TYPE_CHECKING:
    from core.registry.catalog import Catalog

DOMAIN_AGENTS = ("technical", "strategy", "ux", "gtm")


@dataclass(frozen=True, slots=True)
class FirstRule:
    """A rule that comes before every authority. `above` is the impact beyond which it holds; None: the milestone's."""

    id: str
    urgency: str
    above: int | None = None


@dataclass(frozen=True, slots=True)
class DecisionRules:
    """What is escalated whatever an agent's authority says. As it stands here where no catalog says otherwise."""

    first: tuple[FirstRule, ...] = (FirstRule("milestone", "IMMEDIATE"), FirstRule("high-impact", "IMMEDIATE", 8))
    milestone_tag: str = "milestone"

    @classmethod
    def of(cls, catalog: Catalog) -> DecisionRules:
        return cls.of_sections(catalog.sections())

    @classmethod
    def of_sections(cls, sections: Json) -> DecisionRules:
        """The rules that stand in the sections of a catalog, as an import keeps them."""
        first = (FirstRule(rule["id"], rule["urgency"], rule.get("value")) for rule in sections["escalate_first"])
        return cls(tuple(first), sections["defaults"]["milestone"]["tag"])

    def met_by(self, choice: Choice) -> tuple[str, str] | None:
        """The first rule that the choice meets, in words, and the urgency it asks with."""
        return self.first_met(choice.impact, choice.tags)

    def first_met(self, impact: int, tags: Sequence[str]) -> tuple[str, str] | None:
        """The same for anything that has an impact and tags, as a conflict has."""
        for rule in self.first:
            if rule.above is None and self.milestone_tag.casefold() in (tag.casefold() for tag in tags):
                return f"{rule.id}: tagged {self.milestone_tag}", rule.urgency
            if rule.above is not None and impact > rule.above:
                return f"{rule.id}: impact {impact} is above {rule.above}", rule.urgency
        return None


STANDARD_RULES = DecisionRules()


@dataclass(frozen=True, slots=True)
class OwnersWord:
    """What the owner's agent answered when it was asked: its choice, or why it wants a person to choose."""

    choice: str | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice to be made: whose it is, of which kind, between what. `blocks` names what waits for it."""

    agent: str
    kind: str
    question: str
    impact: int
    options: tuple[Json, ...] = ()
    recommended: str | None = None
    tags: tuple[str, ...] = ()
    work_item: int | None = None
    phase: str | None = None
    blocks: str = ""
    chain: tuple[str, ...] = ()
    context: Json | None = None
    topic: str = ""
    word: OwnersWord | None = None
    """The owner's answer, where its agent was asked; without one the recommendation stands."""

    @property
    def key(self) -> str:
        """Equal for the same choice: whatever the rules look at is part of it."""
        return digest_of(
            {
                "work_item": self.work_item,
                "agent": self.agent,
                "kind": self.kind,
                "question": self.question,
                "impact": self.impact,
                "tags": sorted(self.tags),
                "options": list(self.options),
            }
        )


@dataclass(frozen=True, slots=True)
class DecisionOutcome:
    """`outcome` is "decided" or "escalated"; `rule` says what made it so."""

    outcome: str
    decision: int
    escalation: int | None
    rule: str
    choice: str | None


def make_decision(tx: Transaction, choice: Choice, rules: DecisionRules = STANDARD_RULES) -> DecisionOutcome:
    """Decide or escalate, and write it down.

    A choice that a work item's agents raise again has the outcome it had; one that is asked from outside is decided
    afresh, by the authority in force now. While a person is being asked the same, it joins that question, whatever
    impact and tags it comes with.

    First come the `rules`, as a rule for the milestone's tag and one for a high impact; then a kind in force as
    autonomous is decided, by the owner's word where it was asked and else as recommended, unless the owner itself asks
    for a person; a kind in force as escalate, and one that no list names, wait for a human.
    """
    known = _known(tx, choice) if choice.work_item is not None else None
    if known is not None:
        if known.escalation is not None and choice.blocks:
            hold_back(tx, known.escalation, choice.blocks)
        return known
    current = in_force(tx, choice.agent, choice.kind)
    rule, urgency = rules.met_by(choice) or _by_authority(choice, current.mode if current else None)
    if urgency is None and choice.word is not None and choice.word.choice is None:
        rule, urgency = f"{choice.agent} asks: {one_line(choice.word.reason, 200)}", "DAILY"
    asked = _asked(tx, choice)
    if urgency is None and asked is not None:
        rule, urgency = str(asked.details["rule"]), asked.urgency
    escalation = None if urgency is None else raise_question(tx, _gravest(_question(choice, rule, urgency), asked))
    waiting = _known(tx, choice, escalation) if escalation is not None else None
    if waiting is not None:
        return waiting
    picked = _picked(choice) if escalation is None else None
    number = tx.insert(
        Decision,
        agent=choice.agent,
        kind=choice.kind,
        question=choice.question,
        choice=picked,
        options=canonical_json(list(choice.options)),
        recommended=choice.recommended,
        impact=choice.impact,
        tags=canonical_json(list(choice.tags)),
        outcome="decided" if escalation is None else "escalated",
        rule=rule,
        provenance="rule" if escalation is None else None,
        authority=current.id if current else None,
        cohort=cohort_of(tx, choice.agent),
        topic=choice.topic,
        reason=choice.word.reason if picked and choice.word else "",
        decided_by=choice.agent if picked else None,
        escalation=escalation,
        work_item=choice.work_item,
        phase=choice.phase,
        context=canonical_json(choice.context or {}),
        key=choice.key,
        at=tx.now,
        decided_at=tx.now if escalation is None else None,
    )
    outcome = "decided" if escalation is None else "escalated"
    tx.event(f"decision.{outcome}", work_item=choice.work_item, decision=number, rule=rule)
    return DecisionOutcome(outcome, number, escalation, rule, picked)


def is_decided(reader: Connection, choice: Choice) -> bool:
    """Whether the work item's agents have raised this choice before; then it has its outcome."""
    return choice.work_item is not None and _known(reader, choice) is not None


def is_asked(reader: Connection, choice: Choice) -> bool:
    """Whether a person is being asked about it, be it with another impact or other tags."""
    return _asked(reader, choice) is not None


def _asked(reader: Connection, choice: Choice) -> EscalationRow | None:
    """The question about it that waits, by itself or merged into another."""
    # Rule and urgency are no part of what tells questions apart.
    number = reads_escalations.waiting_with(reader, _question(choice, "", states.URGENCIES[-1]).key)
    return None if number is None else reads.escalation(reader, number)


def _known(tx: Connection, choice: Choice, escalation: int | None = None) -> DecisionOutcome | None:
    """The outcome this choice has and nobody took back; with an escalation, only the one that waits for its answer."""
    query = Decision.select(Decision.outcome, Decision.id, Decision.escalation, Decision.rule, Decision.choice).where(
        (Decision.key == choice.key) & Decision.reverted_at.is_null()
    )
    if escalation is not None:
        query = query.where(Decision.escalation == escalation)
    row = tx.one(query.order_by(Decision.id.desc()).limit(1))
    return None if row is None else DecisionOutcome(*row)


def _by_authority(choice: Choice, mode: str | None) -> tuple[str, str | None]:
    """What the authority in force says, and the urgency it escalates with; None where the agent decides."""
    if mode == "autonomous":
        return f"authority: {choice.agent} decides {choice.kind}", None
    if mode == "escalate":
        return f"authority: {choice.kind} is for a human", "DAILY"
    return f"authority: no list of {choice.agent} names {choice.kind}", "DAILY"


APPROVE, REJECT = "approve", "reject"
UNLISTED = (APPROVE, REJECT)
"""What a decision that came without options is between."""


def _yes_no(choice: Choice) -> tuple[Json, ...]:
    """The answers to a decision that came without any; a no to what a phase waits for is the end of the work."""
    ends = " The work item ends here." if choice.blocks in PHASE_CODES else ""
    return (
        {"key": APPROVE, "label": "Approve", "consequence": "The agent goes on as it proposes."},
        {"key": REJECT, "label": "Reject", "consequence": f"It is not done.{ends}"},
    )


SAID_ELSEWHERE = frozenset({"question", "options", "recommended", "subject"})
"""Keys of a choice's context that the question shows in places of their own."""


def _question(choice: Choice, rule: str, urgency: str) -> Question:
    context = {k: v for k, v in (choice.context or {}).items() if k not in SAID_ELSEWHERE}
    options = tuple(
        Option(
            str(o["key"]),
            one_line(str(o.get("label", o["key"]))),
            one_line(str(o.get("consequence", ""))),
            ends=not choice.options and o["key"] == REJECT and choice.blocks in PHASE_CODES,
        )
        for o in choice.options or _yes_no(choice)
    )
    recommended = choice.recommended if choice.recommended in {o.key for o in options} else options[0].key
    return Question(
        kind="decision",
        subject={
            "agent": choice.agent,
            "kind": choice.kind,
            "question": choice.question,
            "options": list(choice.options),
            "context": context,
        },
        question=one_line(choice.question, 500),
        urgency=urgency,
        options=options,
        recommended=recommended,
        chain=(*choice.chain, choice.agent),
        work_item=choice.work_item,
        phase=choice.phase,
        blocks=choice.blocks,
        details={"domain": choice.agent, "kind": choice.kind, "impact": choice.impact, "rule": rule}
        | ({"context": context} if context else {}),
    )


def _gravest(question: Question, asked: EscalationRow | None) -> Question:
    """The question as it is to be shown: what waits already stays as grave as it was, and says why it is asked."""
    if asked is None:
        return question
    before, impact = asked.details["impact"], question.details["impact"]
    rank = states.URGENCIES.index
    if (rank(asked.urgency), -before) < (rank(question.urgency), -impact):
        question = replace(question, details=asked.details)
    return replace(question, details={**question.details, "impact": max(before, impact)})


def _picked(choice: Choice) -> str:
    """What the owner is for: its own word where it gave one, else the recommendation, else the first option."""
    return (choice.word.choice if choice.word else None) or choice.recommended or _first_key(choice)


def _first_key(choice: Choice) -> str:
    return str(choice.options[0]["key"]) if choice.options else APPROVE
