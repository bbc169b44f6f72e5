"""The day's status, made by code from the database. No model is involved, and nothing is said that was not counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from core.contract import PHASE_CODES, Json
from core.store import reads, rows, states
from core.store.schema import Conflict, ScopeProposal

MINUTE_MS = 60_000
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Briefing:
    """`date` is the day (UTC) it speaks of, ISO 8601."""

    date: str
    sections: tuple[Section, ...]

    def to_json(self) -> Json:
        return {"date": self.date, "sections": [{"title": s.title, "items": list(s.items)} for s in self.sections]}


def briefing(reader: reads.Connection, now: int, *, milestone: str = "Milestone progress") -> Briefing:
    """The six sections. Readings of this moment carry no time; sums say their window ("in 24 h")."""
    live = reads.read_live(reader, now)
    asked = reads.escalations(reader)
    items = reads.work_items(reader, limit=500, unfinished_only=True, live=live)
    return Briefing(
        datetime.fromtimestamp(now / 1000, UTC).date().isoformat(),
        (
            Section("Urgent decisions", _urgent(asked, now)),
            Section(milestone, _progress(items)),
            Section("Pending reviews", _pending(asked, now)),
            Section("Agent teams", _teams(reader, live, now)),
            Section("Conflicts resolved", _conflicts(reader, now)),
            Section("Scope opportunities", _opportunities(reader)),
        ),
    )


def _urgent(asked: tuple[rows.EscalationRow, ...], now: int) -> tuple[str, ...]:
    return tuple(
        f"#{e.id} {e.question} ({_due(e, now)})" for e in asked if e.urgency == "IMMEDIATE" or states.is_overdue(e, now)
    )


def _due(row: rows.EscalationRow, now: int) -> str:
    if row.due_at is None:
        return "next scope review"
    minutes = abs(row.due_at - now) // MINUTE_MS
    span = f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
    return f"due in {span}" if row.due_at > now else f"overdue by {span}"


def _progress(items: tuple[rows.WorkItemRow, ...]) -> tuple[str, ...]:
    return tuple(f"{i.id} {i.title}: {i.state}{f' in {i.phase}' if i.phase else ''}" for i in items[:20])


def _pending(asked: tuple[rows.EscalationRow, ...], now: int) -> tuple[str, ...]:
    """Questions per agent that raised them, the last of the chain."""
    by_agent: dict[str, list[rows.EscalationRow]] = {}
    for row in asked:
        if states.needs_me(row, now):
            by_agent.setdefault(row.chain[-1] if row.chain else "unknown", []).append(row)
    return tuple(
        f"{agent}: {len(found)} waiting, oldest {(now - min(r.raised_at for r in found)) // MINUTE_MS} min"
        for agent, found in sorted(by_agent.items())
    )


def _teams(reader: reads.Connection, live: rows.LiveRow, now: int) -> tuple[str, ...]:
    """Running now per phase, and what each phase's agents did since midnight UTC."""
    today = reads.counters(reader, since_day=now // DAY_MS)
    teams: dict[str, list[int]] = {}
    for agent in reads.agents(reader):
        done = today.get(agent.role)
        if agent.phase and agent.tier == 3 and done:
            sums = teams.setdefault(agent.phase, [0, 0])
            sums[0] += done.runs
            sums[1] += done.failures
    running = [str(d["phase"]) for d in live.delegations]
    codes = sorted(set(teams) | set(running), key=PHASE_CODES.index)
    return tuple(
        f"{code}: {running.count(code)} running, {teams.get(code, [0, 0])[0]} done today"
        + (f", {teams[code][1]} failed" if teams.get(code, [0, 0])[1] else "")
        for code in codes
    )


def _conflicts(reader: reads.Connection, now: int) -> tuple[str, ...]:
    query = (
        Conflict.select(Conflict.first, Conflict.second, Conflict.topic, Conflict.winner, Conflict.rule)
        .where((Conflict.outcome == "resolved") & (Conflict.at > now - DAY_MS))
        .order_by(Conflict.id.desc())
        .limit(20)
    )
    return tuple(
        f"{a} and {b} on {topic}: {winner} ({rule}, in 24 h)" for a, b, topic, winner, rule in reader.rows(query)
    )


def _opportunities(reader: reads.Connection) -> tuple[str, ...]:
    query = (
        ScopeProposal.select(
            ScopeProposal.agent, ScopeProposal.kind, ScopeProposal.change, ScopeProposal.recommendation
        )
        .where(ScopeProposal.decided_at.is_null())
        .order_by(ScopeProposal.id)
        .limit(20)
    )
    return tuple(f"{agent}: {change} of {kind} ({word})" for agent, kind, change, word in reader.rows(query))
