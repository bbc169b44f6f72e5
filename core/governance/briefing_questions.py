"""What the briefing says of questions: what is urgent, who waits for a review, conflicts, proposals about authority."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from peewee import Case, fn

from core.governance.briefing_document import DAY_MS, Item, Section, more, section, span
from core.governance.decisions import DOMAIN_AGENTS
from core.phrases import counted
from core.sanitise import one_line
from core.store import reads, rows, rows_governance, states
from core.store.reads import Connection, build, select
from core.store.schema import Conflict, Escalation, ScopeProposal, WorkItem

MOST_URGENT = 12
MOST_AGENTS = 12
MOST_CONFLICTS = 8
MOST_PROPOSALS = 8
QUESTION = 160
TITLE = 60
NAME = 60
LIST = "apm escalation list"


def urgent(reader: Connection, now: int) -> Section:
    """The questions that are immediate or overdue, most urgent first. Those that somebody has seen are among them."""
    first = (Escalation.urgency == "IMMEDIATE") | (Escalation.due_at <= now)
    number = _number(reader, Escalation.select(fn.COUNT(Escalation.id)).where(reads.is_open() & first))
    rank = Case(Escalation.urgency, tuple((urgency, n) for n, urgency in enumerate(states.URGENCIES)), 9)
    query = select(rows.EscalationRow, Escalation).where(reads.is_open() & first)
    found = build(
        rows.EscalationRow,
        Escalation,
        reader.rows(query.order_by(rank, Escalation.due_at, Escalation.id).limit(MOST_URGENT)),
    )
    about = [row.work_item for row in found if row.work_item is not None]
    titles = dict(reader.rows(WorkItem.select(WorkItem.id, WorkItem.title).where(WorkItem.id.in_(about))))
    lines = [_asked(row, titles, now) for row in found]
    return section("urgent", "Urgent decisions", (*lines, *more(len(found), number, LIST)))


def _asked(row: rows.EscalationRow, titles: dict[int, str], now: int) -> Item:
    facts = [row.urgency.lower(), _due(row, now), _held_up(row, titles), *_attended(row, now)]
    refs = {"escalation": row.id, **({"work_item": row.work_item} if row.work_item is not None else {})}
    return Item(f"#{row.id} {one_line(row.question, QUESTION)} ({'; '.join(f for f in facts if f)})", refs)


def _due(row: rows.EscalationRow, now: int) -> str:
    if row.due_at is None:
        return ""
    return f"due in {span(row.due_at - now)}" if row.due_at > now else f"overdue by {span(now - row.due_at)}"


def _held_up(row: rows.EscalationRow, titles: dict[int, str]) -> str:
    if row.work_item is None:
        return ""
    item = f"work item {row.work_item} {one_line(titles.get(row.work_item, ''), TITLE)}".strip()
    return f"holds up {one_line(row.blocks, 16)} of {item}" if row.blocks else f"about {item}"


def _attended(row: rows.EscalationRow, now: int) -> Iterator[str]:
    """Who it is with, and whether somebody has seen it or put it off."""
    if row.assigned_to:
        yield f"assigned to {one_line(row.assigned_to, NAME)}"
    state = states.escalation_state(row, now)
    if state == "acknowledged":
        yield f"seen by {one_line(row.acknowledged_by or 'somebody', NAME)}"
    elif state == "snoozed":
        yield f"snoozed for {span((row.snoozed_until or now) - now)}"


@dataclass(slots=True)
class _Waiting:
    """What waits for a person on an agent's account. `oldest` is when its oldest question was raised."""

    questions: int = 0
    put_off: int = 0
    overdue: int = 0
    oldest: int | None = None
    proposals: int = 0


def pending(reader: Connection, now: int) -> Section:
    """Questions by the agent whose they are, the last of the chain that they came up through, and its proposals."""
    found: dict[str, _Waiting] = {}
    for kind, chain, questions, put_off, overdue, oldest in reader.rows(_by_chain(now)):
        waiting = found.setdefault(_raiser(kind, json.loads(chain)), _Waiting())
        waiting.questions += int(questions)
        waiting.put_off += int(put_off)
        waiting.overdue += int(overdue)
        if oldest is not None:
            waiting.oldest = min(oldest, waiting.oldest or oldest)
    undecided = ScopeProposal.select(ScopeProposal.agent, fn.COUNT(ScopeProposal.id)).where(
        ScopeProposal.decided_at.is_null()
    )
    for agent, number in reader.rows(undecided.group_by(ScopeProposal.agent)):
        found.setdefault(agent, _Waiting()).proposals = int(number)
    order = sorted(found, key=lambda agent: (_rank(agent), -found[agent].questions, agent))
    lines = [Item(f"{one_line(a, NAME)}: {_waits(found[a], now)}", _agent_ref(a)) for a in order[:MOST_AGENTS]]
    return section("pending", "Pending reviews", (*lines, *more(len(lines), len(order), LIST)))


def _by_chain(now: int) -> Any:
    """Open questions counted by their kind and chain: of chains there are few, of questions there may be many."""
    put_off = (Escalation.snoozed_until > now) | (Escalation.acknowledged_until > now)
    attended = fn.COALESCE(put_off, False)
    return (
        Escalation.select(
            Escalation.kind,
            Escalation.chain,
            fn.SUM(Case(None, ((put_off, 0),), 1)),
            fn.SUM(Case(None, ((put_off, 1),), 0)),
            fn.SUM(Case(None, ((Escalation.due_at <= now, 1),), 0)),
            fn.MIN(Case(None, ((attended, None),), Escalation.raised_at)),
        )
        .where(reads.is_open())
        .group_by(Escalation.kind, Escalation.chain)
    )


def _raiser(kind: str, chain: list[str]) -> str:
    if kind == "conflict" and len(sides := chain[-2:]) == 2 and all(side in DOMAIN_AGENTS for side in sides):
        # The pair of a conflict has the order in which somebody named it.
        return " and ".join(sorted(sides, key=_rank))
    return str(chain[-1]) if chain else "unknown"


def _rank(agent: str) -> int:
    return DOMAIN_AGENTS.index(agent) if agent in DOMAIN_AGENTS else len(DOMAIN_AGENTS)


def _agent_ref(agent: str) -> dict[str, int | str]:
    return {} if " " in agent else {"agent": one_line(agent, NAME)}


def _waits(found: _Waiting, now: int) -> str:
    parts = []
    if found.questions:
        oldest = f", oldest {span(now - found.oldest)}" if found.oldest is not None else ""
        parts.append(f"{counted(found.questions, 'question')}{oldest}")
    if found.put_off:
        parts.append(f"{found.put_off:,} seen or put off")
    if found.overdue:
        parts.append(f"{found.overdue:,} overdue")
    if found.proposals:
        parts.append(f"{counted(found.proposals, 'proposal')} about its authority")
    return ", ".join(parts)


def conflicts(reader: Connection, now: int) -> Section:
    """Those that were resolved in 24 h, by whichever rule or person, and those that wait for an answer."""
    query = select(rows_governance.ConflictRow, Conflict)
    resolved = (Conflict.resolved_at > now - DAY_MS) & (Conflict.resolved_at <= now)
    waits = Conflict.resolved_at.is_null() & _is_asked()
    ended = _read(reader, query.where(resolved).order_by(Conflict.resolved_at.desc(), Conflict.id.desc()))
    waiting = _read(reader, query.where(waits).order_by(Conflict.id))
    sums = Conflict.select(Conflict.provenance, fn.COUNT(Conflict.id)).where(resolved).group_by(Conflict.provenance)
    by_whom = dict(reader.rows(sums))
    number = _number(reader, Conflict.select(fn.COUNT(Conflict.id)).where(waits))
    lines = [*_sum_of(by_whom), *(_resolved(row) for row in ended)]
    if number:
        lines += [Item(f"{number:,} open now"), *(_open(row, now) for row in waiting)]
    return section("conflicts", "Conflicts resolved", lines)


def _is_asked() -> Any:
    """Whether a conflict's question is open. Looked up for each conflict, of which there are few beside questions."""
    question = Escalation.select(Escalation.id).where((Escalation.id == Conflict.escalation) & reads.is_open())
    return fn.EXISTS(question)


def _read(reader: Connection, query: Any) -> tuple[rows_governance.ConflictRow, ...]:
    return build(rows_governance.ConflictRow, Conflict, reader.rows(query.limit(MOST_CONFLICTS)))


def _number(reader: Connection, query: Any) -> int:
    return int((reader.one(query) or (0,))[0])


_BY = {"rule": "by a rule", "human": "by a person", "timeout": "by a time-out"}


def _sum_of(by_whom: dict[str, int]) -> Iterator[Item]:
    total = sum(by_whom.values())
    if total:
        parts = ", ".join(f"{number:,} {_BY.get(who, 'otherwise')}" for who, number in sorted(by_whom.items()))
        shown = "" if total <= MOST_CONFLICTS else f"; the newest {MOST_CONFLICTS} are"
        yield Item(f"{total:,} resolved in 24 h: {parts}{shown}")


def _resolved(row: rows_governance.ConflictRow) -> Item:
    outcome = f"{row.winner} prevails" if row.winner else "neither prevails"
    rule = f"rule {one_line(row.rule, NAME)}"
    # A question says in the rule why it was asked, and the person is who decided.
    who = rule if row.provenance == "rule" else f"{one_line(row.decided_by or 'somebody', NAME)}, asked by {rule}"
    return Item(f"{row.first} and {row.second} on {one_line(row.topic, QUESTION)}: {outcome} ({who})", _conflict(row))


def _open(row: rows_governance.ConflictRow, now: int) -> Item:
    asked = f"#{row.escalation}, for {span(now - row.at)}, asked by rule {one_line(row.rule, NAME)}"
    return Item(f"{row.first} and {row.second} on {one_line(row.topic, QUESTION)}: open ({asked})", _conflict(row))


def _conflict(row: rows_governance.ConflictRow) -> dict[str, int | str]:
    found = {"conflict": row.id, "escalation": row.escalation, "work_item": row.work_item}
    return {name: number for name, number in found.items() if number is not None}


_UNDECIDED = ScopeProposal.decided_at.is_null()


def scope(reader: Connection) -> Section:
    """Proposals that nobody has decided, each with its figures. What saves most comes first."""
    number = _number(reader, ScopeProposal.select(fn.COUNT(ScopeProposal.id)).where(_UNDECIDED))
    saved = fn.COALESCE(ScopeProposal.hours_saved_per_week, 0)
    query = select(rows_governance.ScopeProposalRow, ScopeProposal).where(_UNDECIDED)
    found = reader.rows(query.order_by(saved.desc(), ScopeProposal.id).limit(MOST_PROPOSALS))
    lines = [_proposal(row) for row in build(rows_governance.ScopeProposalRow, ScopeProposal, found)]
    return section("scope", "Scope opportunities", (*lines, *more(len(lines), number, "apm scope list")))


def _proposal(row: rows_governance.ScopeProposalRow) -> Item:
    facts: Iterable[str] = (
        f"{row.accepted:,} of {row.n:,} accepted" if row.n else "",
        f"lower bound {row.lower_bound:.2f}" if row.lower_bound is not None else "",
        f"{row.hours_saved_per_week:,.1f} h a week" if row.hours_saved_per_week else "",
        f"risk {row.risk}" if row.risk else "",
        f"recommended: {row.recommendation}",
        "waits for a clarification" if row.clarification else "",
    )
    told = ", ".join(one_line(fact, NAME) for fact in facts if fact)
    about = f" of {one_line(row.kind, 64)}" if row.kind else ""
    refs: dict[str, int | str] = {"proposal": row.id, "agent": row.agent}
    return Item(f"{row.agent}: {row.change}{about} ({told}; proposal {row.id})", refs)
