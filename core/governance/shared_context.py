"""The shared context, out and in: what people say of the product and the milestone, and what apm has counted.

Out go both, always the same for the same state. In comes what people maintain, and nothing else: decisions, records
and authority of another workspace would stand here as if they had been earned here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from peewee import fn

from core.contract import Json, canonical_json
from core.governance import authority
from core.governance.decisions import DOMAIN_AGENTS
from core.governance.milestone import read_milestone
from core.governance.performance import performance
from core.governance.persons import named_person
from core.governance.shared_context_document import (
    COUNTED,
    FILE_NAME,
    MAINTAINED,
    MOST_KEPT,
    MOST_KEYS,
    REQUIREMENTS,
    ContextRejected,
    checked,
    cleaned,
    maintained,
    parse,
)
from core.phases import PHASES
from core.redaction import redact
from core.sanitise import one_line, sanitise
from core.store import archived_work, reads, reads_governance, rows, rows_governance
from core.store.reads import Connection
from core.store.schema import ScopeReview, Setting
from core.store.settings import keep_setting
from core.store.transaction import Transaction

__all__ = ["FILE_NAME", "BroughtIn", "ContextRejected", "bring_in", "checked", "export", "keep_facts", "parse"]

FORMAT = 1
"""Of the document; another number is another meaning of its keys."""
PREFIX = "shared_context."
"""What the settings begin with that hold what people maintain, one for each key of the document."""
MOST_LOGGED = 200
"""Newest decisions, conflicts and proposals that are listed; how many there are in all stands beside them."""
MOST_REVIEWS = 20
TEXT = 300
"""Characters of a text from the record."""
MOST_READ = 10_000
"""Of it that is looked at."""
TAG = 64
MOST_TAGS = 10


def export(reader: Connection, *, milestone: Json, profile: str = "") -> Json:
    """The document. `milestone` is {"tag", "title"}; equal states give equal documents, whenever that is."""
    facts = _facts(reader)
    known: Json = {key: facts.pop(key, {}) for key in MAINTAINED}
    requirements = f"{milestone['tag']}{REQUIREMENTS}"
    made: Json = {
        "strategic_state": known["strategic_state"],
        "technical_progress": known["technical_progress"],
        requirements: facts.pop(requirements, {}),
        "agentic_ai_teams": known["agentic_ai_teams"],
        "decisions_log": _decisions(reader),
        "conflicts_log": _conflicts(reader),
        "agent_performance_metrics": _metrics(reader),
        "scope_optimization_data": _scope(reader),
        **{key: facts[key] for key in sorted(facts)},
    }
    made["workspace"] = _workspace(reader, milestone, profile, made)
    return made


@dataclass(frozen=True, slots=True)
class BroughtIn:
    """What an import did: keys that were set, keys that said the same already, and what was left out, with counts."""

    kept: tuple[str, ...]
    unchanged: tuple[str, ...]
    left_out: Mapping[str, int]

    def to_json(self) -> Json:
        return {"kept": list(self.kept), "unchanged": list(self.unchanged), "left_out": dict(self.left_out)}


def bring_in(tx: Transaction, context: Json, *, by: str) -> BroughtIn:
    """Keep what people maintain as this workspace's own facts; keys that the document has not stay as they are.

    Raises ContextRejected, or UsageError when `by` is no person; then nothing was kept.
    """
    return keep_facts(tx, checked(context), by=named_person(tx, by))


def keep_facts(tx: Transaction, context: Json, *, by: str) -> BroughtIn:
    """The same for a document that has been checked, on the word of whoever may give it: a person, or a profile."""
    before, given = _facts(tx), maintained(context)
    always = (*MAINTAINED, f"{read_milestone(tx)['tag']}{REQUIREMENTS}")
    # An empty object that every document has says nothing where nothing is kept.
    silent = {key for key in always if key not in before and given.get(key) == {}}
    changed = {k: v for k, v in given.items() if k not in silent and not _is_same(before, k, v)}
    whole = {**before, **changed}
    if sum(value != {} for value in whole.values()) > MOST_KEYS or len(canonical_json(whole)) > MOST_KEPT:
        most = f"{MOST_KEYS} keys and {MOST_KEPT:,} characters"
        raise ContextRejected([f"With what is kept already, this would be more than {most}; empty some of it first."])
    left_out = {key: len(context[key]) for key in COUNTED if key in context and key != "workspace"}
    if changed:
        for key, value in changed.items():
            keep_setting(tx, PREFIX + key, value)
        tx.event("context.imported", by=by, keys=sorted(changed), left_out=left_out)
    return BroughtIn(tuple(changed), tuple(key for key in given if key not in changed), left_out)


def _is_same(before: Json, key: str, value: Any) -> bool:
    """Compared as JSON: 1, 1.0 and true are equal values, and different words."""
    return key in before and canonical_json(before[key]) == canonical_json(value)


def _facts(reader: Connection) -> Json:
    """What people maintain, by key."""
    query = Setting.select(Setting.key, Setting.value).where(fn.SUBSTR(Setting.key, 1, len(PREFIX)) == PREFIX)
    found = reader.rows(query.order_by(Setting.key))
    return {key.removeprefix(PREFIX): json.loads(value) for key, value in found}


def _decisions(reader: Connection) -> list[Json]:
    """The newest, oldest of them first. Without their contexts, which may hold anything."""
    return [_decision(row) for row in reversed(reads.decisions(reader, limit=MOST_LOGGED))]


_DECISION = (
    *("id", "agent", "kind", "question", "topic", "choice", "recommended", "impact", "tags", "outcome", "rule"),
    *("provenance", "decided_by", "reason", "at", "decided_at", "work_item", "phase", "escalation", "conflict"),
    *("reverses", "reverted_at", "reverted_by", "revert_reason"),
)
_CONFLICT = (
    *("id", "topic", "positions", "impact", "tags", "outcome", "winner", "rule", "urgency", "provenance"),
    *("decided_by", "at", "resolved_at", "work_item", "phase", "escalation"),
)
_PROPOSAL = (
    *("id", "review", "agent", "kind", "change", "n", "accepted", "lower_bound", "hours_saved_per_week", "risk"),
    *("recommendation", "clarification", "at", "decided_at", "decision", "decided_by", "reason", "undone_at"),
)


def _decision(row: rows.DecisionRow) -> Json:
    return _entry(row, _DECISION)


def _conflicts(reader: Connection) -> list[Json]:
    found = reversed(reads_governance.conflicts(reader, limit=MOST_LOGGED))
    return [{"between": [row.first, row.second], **_entry(row, _CONFLICT)} for row in found]


def _entry(row: Any, keys: Sequence[str]) -> Json:
    """Values of a row as the document has them: moments in ISO 8601, texts on one line and bounded."""
    return {key: _moment(getattr(row, key)) if _is_moment(key) else _plain(getattr(row, key)) for key in keys}


def _is_moment(key: str) -> bool:
    return key == "at" or key.endswith("_at")


def _moment(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return _told(value)
    if isinstance(value, list):
        return [one_line(_told(str(item)), TAG) for item in value[:MOST_TAGS]]
    return {_told(str(key)): _plain(item) for key, item in value.items()} if isinstance(value, dict) else value


def _told(text: str) -> str:
    return one_line(redact(sanitise(text, limit=MOST_READ)), TEXT)


def _metrics(reader: Connection) -> Json:
    """Of every agent that has worked what it did, of the domain agents what became of their decisions."""
    counters = reads.counters(reader)
    return {
        role: {
            **(_work(counters[role]) if role in counters else {}),
            **(performance(reader, role).to_json() if role in DOMAIN_AGENTS else {}),
        }
        for role in sorted({*counters, *DOMAIN_AGENTS})
    }


def _work(row: rows.CounterRow) -> Json:
    return {
        "delegations": row.runs,
        "failures": row.failures,
        "seconds": row.milliseconds / 1000,
        "tokens": row.tokens,
        "cost": round(row.cost, 6),
        "last_used_at": _moment(row.last_at or None),
    }


def _scope(reader: Connection) -> Json:
    """The authority in force, the newest proposals with what became of them, and the newest reviews."""
    modes = {agent: {kind.key: kind.mode for kind in authority.kinds(reader, agent)} for agent in DOMAIN_AGENTS}
    proposals = reversed(reads_governance.scope_proposals(reader, limit=MOST_LOGGED))
    reviews = reader.rows(
        ScopeReview.select(ScopeReview.id, ScopeReview.at, ScopeReview.requested_by)
        .order_by(ScopeReview.id.desc())
        .limit(MOST_REVIEWS)
    )
    return {
        "authority": modes,
        "proposals": [_proposal(row) for row in proposals],
        "reviews": [{"id": n, "at": _moment(at), "requested_by": _told(who)} for n, at, who in reversed(reviews)],
    }


def _proposal(row: rows_governance.ScopeProposalRow) -> Json:
    return _entry(row, _PROPOSAL)


def _workspace(reader: Connection, milestone: Json, profile: str, made: Json) -> Json:
    """Where the document comes from, and how much of each log it lists."""
    scope = made["scope_optimization_data"]
    listed = {
        "decisions_log": ("decisions", len(made["decisions_log"])),
        "conflicts_log": ("conflicts", len(made["conflicts_log"])),
        "scope_optimization_data.proposals": ("scope_proposals", len(scope["proposals"])),
        "scope_optimization_data.reviews": ("scope_reviews", len(scope["reviews"])),
    }
    return {
        "format": FORMAT,
        "profile": profile,
        "milestone": cleaned(milestone),
        "phases": [f"{phase.code} {phase.title}" for phase in PHASES],
        "projects": [one_line(project.name) for project in reads.projects(reader)],
        "work_items": _work_items(reader),
        "lists": {
            name: {"listed": number, "of": int(reader.sql(f"SELECT COUNT(*) FROM {table}")[0][0])}
            for name, (table, number) in listed.items()
        },
    }


def _work_items(reader: Connection) -> Json:
    """How many there are, in archives too, and how far they came. What runs or waits now is no part of a document."""
    text = """SELECT COUNT(*), COUNT(accepted_at), COUNT(released_at), COUNT(closed_at), COUNT(failed_at),
        COUNT(cancelled_at) FROM work_items"""
    names = ("all", "accepted", "released", "closed", "failed", "cancelled")
    away = archived_work.archived(reader, lambda tags: True)
    return {name: int(here) + away[name] for name, here in zip(names, reader.sql(text)[0], strict=True)}
