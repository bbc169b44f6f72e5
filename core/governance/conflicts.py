"""Conflicts: two domain agents that want different things. The rules are data; every outcome names the one it rests on.

Escalate first, as for decisions: the milestone's tag, an impact that is too high. Then a rule of the pair holds when
the topic has one of its words and no word of a rule by which the other side would win. Everything else is a person's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from core.contract import Json, UsageError, canonical_json, digest_of
from core.governance.decisions import DOMAIN_AGENTS, UNLISTED, DecisionRules
from core.governance.escalations import Option, Question, raise_question
from core.sanitise import one_line
from core.store import reads, reads_governance, rows, states
from core.store.rows import EscalationRow
from core.store.rows_governance import ConflictRow
from core.store.schema import Conflict, Decision
from core.store.transaction import Transaction

if TYPE_CHECKING:
    from core.registry.catalog import Catalog

NEITHER = "neither"
"""The answer that follows no side."""
MOST_TOPIC = 500


@dataclass(frozen=True, slots=True)
class WordRule:
    """`winner` prevails between the two when the topic has one of `words` and none of a rule against it."""

    id: str
    between: frozenset[str]
    words: tuple[str, ...]
    winner: str

    def holds(self, topic: str) -> bool:
        return any(_is_in(word, topic) for word in self.words)


def _is_in(word: str, topic: str) -> bool:
    """Whether the topic has the word or words as such, in any case, joined by spaces or hyphens."""
    parts = r"[\s-]+".join(re.escape(part) for part in re.split(r"[\s-]+", word.strip()))
    return re.search(rf"(?<!\w){parts}(?!\w)", topic, re.I) is not None


@dataclass(frozen=True, slots=True)
class ConflictRules:
    first: DecisionRules
    pairs: tuple[WordRule, ...]
    otherwise: str
    """Name of what holds where no rule does, and the urgency it asks with."""
    urgency: str = "DAILY"

    @classmethod
    def of(cls, catalog: Catalog) -> ConflictRules:
        return cls.of_sections(catalog.sections())

    @classmethod
    def of_sections(cls, sections: Json) -> ConflictRules:
        """The rules that stand in the sections of a catalog, as an import keeps them."""
        found = sections["conflicts"]
        pairs = (WordRule(r["id"], frozenset(r["between"]), tuple(r["words"]), r["winner"]) for r in found["rules"])
        otherwise = found["otherwise"]
        return cls(DecisionRules.of_sections(sections), tuple(pairs), otherwise["id"], otherwise["urgency"])

    def settled_by(self, between: Sequence[str], topic: str) -> WordRule | None:
        """The rule that settles it; None with both sides' words, neither's, or for a pair without rules."""
        holding = [r for r in self.pairs if r.between == frozenset(between) and r.holds(topic)]
        return holding[0] if len({r.winner for r in holding}) == 1 else None


@dataclass(frozen=True, slots=True)
class Dispute:
    """What two domain agents differ on. `positions` says in words, or as an option's key, what each is for.

    Further agents with a position are asked about as well, and their answer can be chosen like the two's.
    """

    between: tuple[str, str]
    topic: str
    impact: int
    tags: tuple[str, ...] = ()
    positions: Mapping[str, str] = field(default_factory=dict)
    work_item: int | None = None
    phase: str | None = None
    blocks: str = ""
    chain: tuple[str, ...] = ()
    proposed: str | None = None
    """The side whose wish is cheaper to take back; the first one where nothing tells."""
    waits: str = ""
    """Why no rule may settle it although one would: a side's decision is a person's."""

    @property
    def key(self) -> str:
        return digest_of({"work_item": self.work_item, "between": sorted(self.between), "topic": _plain(self.topic)})


@dataclass(frozen=True, slots=True)
class ConflictOutcome:
    """`outcome` is "resolved" or "escalated"; `rule` names what made it so."""

    outcome: str
    conflict: int
    winner: str | None
    rule: str
    escalation: int | None
    urgency: str | None


def raise_conflict(tx: Transaction, dispute: Dispute, rules: ConflictRules) -> ConflictOutcome:
    """Settle it by the rules, or ask, and write it down.

    The same dispute joins the one that still waits, whatever a rule would say: a person is being asked. What was
    settled before is looked at afresh. Raises UsageError for two that are not two different domain agents, or no topic.
    """
    _check(dispute)
    rule, urgency, winner = _judge(dispute, rules)
    waiting = _waiting(tx, dispute)
    if waiting is not None:
        return _join(tx, waiting, dispute, rule, urgency)
    escalation = None if urgency is None else raise_question(tx, _question(dispute, rule, urgency))
    outcome = "resolved" if escalation is None else "escalated"
    number = tx.insert(
        Conflict,
        first=dispute.between[0],
        second=dispute.between[1],
        topic=one_line(dispute.topic, MOST_TOPIC),
        positions=canonical_json({a: one_line(p, MOST_TOPIC) for a, p in dispute.positions.items()}),
        impact=dispute.impact,
        tags=canonical_json(list(dispute.tags)),
        outcome=outcome,
        winner=winner,
        rule=rule,
        urgency=urgency,
        escalation=escalation,
        work_item=dispute.work_item,
        phase=dispute.phase,
        key=dispute.key,
        at=tx.now,
        resolved_at=None if winner is None else tx.now,
        provenance=None if winner is None else "rule",
        decided_by=None if winner is None else rule,
    )
    tx.event(f"conflict.{outcome}", work_item=dispute.work_item, conflict=number, rule=rule, winner=winner)
    return ConflictOutcome(outcome, number, winner, rule, escalation, urgency)


def _check(dispute: Dispute) -> None:
    first, second = dispute.between
    unknown = next((a for a in dispute.between if a not in DOMAIN_AGENTS), None)
    if unknown is not None:
        raise UsageError(f"There is no domain agent {unknown!r}; known are {', '.join(DOMAIN_AGENTS)}.")
    if first == second:
        raise UsageError(f"A conflict is between two different agents, not between {first} and {first}.")
    if not _plain(dispute.topic):
        raise UsageError("A conflict needs a topic: say in a few words what the two differ on.")


def _judge(dispute: Dispute, rules: ConflictRules) -> tuple[str, str | None, str | None]:
    """The rule that holds, the urgency it asks with (None where nobody is asked), and the winner."""
    first = rules.first.first_met(dispute.impact, dispute.tags)
    if first is not None:
        return (*first, None)
    if dispute.waits:
        return dispute.waits, "DAILY", None
    found = rules.settled_by(dispute.between, dispute.topic)
    return (rules.otherwise, rules.urgency, None) if found is None else (found.id, None, found.winner)


def _waiting(tx: Transaction, dispute: Dispute) -> ConflictRow | None:
    """The same dispute, while a person is still asked about it."""
    query = Conflict.select(Conflict.id).where((Conflict.key == dispute.key) & Conflict.resolved_at.is_null())
    row = tx.one(query.order_by(Conflict.id.desc()).limit(1))
    found = None if row is None else reads_governance.conflict(tx, int(row[0]))
    return found if found is not None and is_asked(tx, found) else None


def is_asked(tx: Transaction, row: ConflictRow) -> bool:
    """Whether a person's answer to the conflict is still waited for."""
    asked = None if row.escalation is None else reads.escalation(tx, row.escalation)
    over = asked is None or states.escalation_state(asked, tx.now) in ("resolved", "withdrawn", "expired")
    return row.resolved_at is None and not over


def _join(tx: Transaction, waiting: ConflictRow, dispute: Dispute, rule: str, urgency: str | None) -> ConflictOutcome:
    """It came up again: what is known of it by now is asked, as grave as it ever was."""
    before = waiting.urgency or states.URGENCIES[-1]
    if urgency is None or states.URGENCIES.index(urgency) >= states.URGENCIES.index(before):
        rule, urgency = waiting.rule, before
    asked = None if waiting.escalation is None else reads.escalation(tx, waiting.escalation)
    whole = replace(
        dispute,
        between=(waiting.first, waiting.second),
        topic=waiting.topic,
        positions={**waiting.positions, **dispute.positions},
        impact=max(waiting.impact, dispute.impact),
        tags=tuple(sorted({*waiting.tags, *dispute.tags})),
        proposed=asked.recommended if asked is not None else dispute.proposed,
    )
    escalation = raise_question(tx, _question(whole, rule, urgency))
    known = {"positions": canonical_json(dict(whole.positions)), "tags": canonical_json(list(whole.tags))}
    tx.update(Conflict, waiting.id, impact=whole.impact, rule=rule, urgency=urgency, **known)
    tx.event("conflict.raised_again", work_item=waiting.work_item, conflict=waiting.id)
    return ConflictOutcome(waiting.outcome, waiting.id, None, rule, escalation, urgency)


def _question(dispute: Dispute, rule: str, urgency: str) -> Question:
    first, second = dispute.between
    differ = ", ".join(f"{a} is for {one_line(p, 100)}" for a, p in dispute.positions.items() if p)
    agents = tuple(dict.fromkeys((*dispute.between, *dispute.positions)))
    sides = tuple(_side(agent, dispute.positions.get(agent, "")) for agent in agents)
    all_of_them = "Both" if len(agents) == 2 else "All"
    neither = Option(NEITHER, "Neither", f"{all_of_them} are told that neither holds; say what should be instead.")
    topic = one_line(dispute.topic, MOST_TOPIC)
    return Question(
        kind="conflict",
        subject={"between": sorted(dispute.between), "topic": _plain(dispute.topic)},
        question=f"{', '.join(agents[:-1])} and {agents[-1]} differ on {topic}{f': {differ}' if differ else ''}",
        urgency=urgency,
        options=(*sides, neither),
        recommended=dispute.proposed or first,
        chain=(*dispute.chain, first, second),
        work_item=dispute.work_item,
        phase=dispute.phase,
        blocks=dispute.blocks,
        details={"rule": rule, "impact": dispute.impact, "positions": dict(dispute.positions)},
    )


def _side(agent: str, position: str) -> Option:
    what = one_line(position, 200)
    return Option(agent, f"{agent}: {what}" if what else f"Follow {agent}", f"What {agent} wants is done.")


def _plain(topic: str) -> str:
    """A topic as it is compared: case and spacing tell no two topics apart."""
    return " ".join(one_line(topic, MOST_TOPIC).casefold().split())


def same_topic(one: str, other: str) -> bool:
    return bool(_plain(one)) and _plain(one) == _plain(other)


def settle_conflict(tx: Transaction, row: EscalationRow, option: str, *, by: str, provenance: str, reason: str) -> None:
    """What the answer to a conflict's question settles: the conflict, and the decisions that waited for it."""
    found = reads_governance.conflict_of_escalation(tx, row.id)
    if found is None:
        return
    winner = None if option == NEITHER else option
    tx.update(Conflict, found.id, winner=winner, provenance=provenance, decided_by=by, resolved_at=tx.now)
    follow(tx, found, winner, by=by, provenance=provenance, reason=reason)
    tx.event("conflict.settled", work_item=row.work_item, conflict=found.id, winner=winner, by=by)


def unsettle_conflict(tx: Transaction, row: EscalationRow) -> None:
    """Take back what the answer settled; the conflict and its decisions wait again.

    Raises UsageError where its decisions have gone over into a later conflict.
    """
    found = reads_governance.conflict_of_escalation(tx, row.id)
    if found is None or found.resolved_at is None:
        return
    decisions = reads_governance.decisions_of_conflict(tx, found.id)
    if found.work_item is not None and not decisions:
        raise UsageError(
            f"Escalation {row.id}: what it settled is part of a later conflict about {one_line(found.topic, 80)} in "
            f"work item {found.work_item}; answer that, or take its answer back."
        )
    tx.update(Conflict, found.id, winner=None, provenance=None, decided_by=None, resolved_at=None)
    for decision in decisions:
        tx.update(Decision, decision.id, **_before(decision))
    tx.event("conflict.reopened", work_item=row.work_item, conflict=found.id)


BEFORE = "before_conflict"
"""Under this key of a decision's context stands what it said before a conflict about it was settled."""
_SAID = ("choice", "provenance", "decided_by", "decided_at", "reason")


def _before(decision: rows.DecisionRow) -> Json:
    """What a side's decision said before the conflict was settled; nothing is on record where it never was."""
    said: Json = decision.context.get(BEFORE, {name: getattr(decision, name) for name in _SAID})
    kept = {name: value for name, value in decision.context.items() if name != BEFORE}
    return {**said, "context": canonical_json(kept)}


def follow(tx: Transaction, found: ConflictRow, winner: str | None, *, by: str, provenance: str, reason: str) -> None:
    """The sides' decisions take what the winner is for; neither's where nobody won, or they never offered it.

    The caller writes the event that carries it.
    """
    won = NEITHER if winner is None else found.positions.get(winner)
    for decision in reads_governance.decisions_of_conflict(tx, found.id):
        choice = won if won in offered(decision) else NEITHER
        before = {name: getattr(decision, name) for name in _SAID}
        context = canonical_json({**decision.context, BEFORE: before})
        said: Json = {"choice": choice, "provenance": provenance, "decided_by": by, "decided_at": tx.now}
        tx.update(Decision, decision.id, **said, reason=reason, context=context)


def wanted(decision: rows.DecisionRow) -> str | None:
    """What the decision's owner is for: what it chose, or what it would choose if it were asked."""
    return decision.choice or decision.recommended


def wish(decision: rows.DecisionRow) -> str | None:
    """What its owner was for before an answer or a rule settled a conflict about it."""
    before: Json | None = decision.context.get(BEFORE)
    return wanted(decision) if before is None else before["choice"] or decision.recommended


def offered(decision: rows.DecisionRow) -> tuple[str, ...]:
    """What the decision is between."""
    return tuple(str(option["key"]) for option in decision.options) or UNLISTED


def to_json(outcome: ConflictOutcome) -> Json:
    """`conflict raise`."""
    return {
        "outcome": outcome.outcome,
        "winner": outcome.winner,
        "rule": outcome.rule,
        "escalation": outcome.escalation,
        "urgency": outcome.urgency,
        "conflict": outcome.conflict,
    }
