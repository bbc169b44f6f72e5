"""Why something was allowed: from the journal, with the authority as it stood at that event, and what changed since.

Nothing here is read from today's tables, so that a grant that was taken back, a model that was exchanged or a rule that
was loosened since does not colour what held then.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from core.contract import Json, UsageError
from core.governance.authority import AUTONOMOUS, ESCALATE
from core.governance.picture import GovernanceEvent, Key, Picture, governance_events, picture_of
from core.registry.importing import MEMORY
from core.store.reads import Connection

Subject = Literal["decision", "escalation", "answer"]
TABLES: Mapping[Subject, str] = {"decision": "decisions", "escalation": "escalations", "answer": "answers"}

_KIND_FACTS = ("title", "impact", "reversible", "ceiling", "is_active")
_AGENT_FACTS = ("runtime", "model", "sop_digest")
_CONFLICT_FACTS = (
    "id",
    "first",
    "second",
    "topic",
    "rule",
    "outcome",
    "winner",
    "provenance",
    "decided_by",
    "resolved_at",
)
_REVIEW_FACTS = ("id", "at", "window_from", "requested_by")


@dataclass(frozen=True, slots=True)
class Step:
    """An event that has a part in it. `about` names the records of it: ("decision 7", …)."""

    seq: int
    at: int
    kind: str
    about: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What an event changed since, in a sentence."""

    seq: int
    at: int
    what: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What held for a decision when it was put: rows as the journal had them after that event.

    `newest` is the last grant of its kind, `grant` the one in force: that one, or the elder one that it restored.
    `mode` is what it amounted to, since a grant only counts where its kind may be autonomous at all.
    """

    decision: Json | None = None
    newest: Json | None = None
    grant: Json | None = None
    kind: Json | None = None
    proposal: Json | None = None
    review: Json | None = None
    agent: Json | None = None

    @property
    def mode(self) -> str | None:
        """As `core.governance.authority` has it."""
        if self.decision is None:
            return None
        kind, grant = self.kind or {}, self.grant or {}
        may = bool(kind.get("is_active") and kind.get("reversible")) and kind.get("ceiling") is None
        return AUTONOMOUS if may and grant.get("mode") == AUTONOMOUS else ESCALATE


@dataclass(frozen=True, slots=True)
class Why:
    """`asked` is the event that put it, `allowed` the one from which on it was allowed; None while it waits.

    `rules` are those that come before every authority, as they were when it was put. `conflict` is the one that settled
    it, or that it waits for.
    """

    subject: Subject
    number: int
    asked: int
    allowed: int | None
    standing: Standing
    rules: Json
    question: Json | None
    answer: Json | None
    conflict: Json | None
    overtaken: bool
    """Whether the conflict came up after the answer, so that its end holds in the answer's place."""
    steps: tuple[Step, ...]
    since: tuple[Change, ...]

    @property
    def rule(self) -> str:
        asked = (self.question or {}).get("details") or {}
        return str((self.standing.decision or {}).get("rule") or asked.get("rule") or "")

    @property
    def context(self) -> Json:
        """What it rested on, as its raiser said."""
        return dict((self.standing.decision or {}).get("context") or (self.question or {}).get("details") or {})


def why(reader: Connection, subject: Subject, number: int) -> Why:
    """Why the decision, the answer to the escalation, or that one answer was allowed.

    Raises UsageError for one that the journal knows nothing of.
    """
    events = governance_events(reader)
    asked = _first(events, TABLES[subject], number)
    if asked is None:
        raise UsageError(f"The journal knows no {subject} {number}; `apm decisions list` shows the newest decisions.")
    last = picture_of(events)
    decision, escalation, answer = _records(last, subject, number)
    asked = _first(events, "decisions", decision) or _first(events, "escalations", escalation) or asked
    then = picture_of(events, asked.seq)
    standing = _standing(then, decision)
    number_of_answer = None if answer is None else int(answer["id"])
    given = _first(events, "answers", number_of_answer)
    allowed = given or (None if escalation else _decided(events, decision))
    shown = picture_of(events, given.seq) if given else last
    conflict = last.row("conflicts", (last.row("decisions", decision) or {}).get("conflict"))
    overtaken = False
    if conflict is not None:
        put = _first(events, "conflicts", conflict["id"])
        overtaken = subject == "decision" and given is not None and put is not None and put.seq > given.seq
        allowed = given if given and not overtaken else _settled(events, int(conflict["id"]))
    marks = _marks(standing, escalation, answer, conflict)
    end = max(asked.seq, allowed.seq if allowed else 0)
    return Why(
        subject=subject,
        number=number,
        asked=asked.seq,
        allowed=None if allowed is None else allowed.seq,
        standing=standing,
        rules=_rules(then.row("settings", MEMORY)),
        question=shown.row("escalations", escalation),
        answer=shown.row("answers", number_of_answer),
        conflict=_part(conflict, _CONFLICT_FACTS),
        overtaken=overtaken,
        steps=tuple(_steps(events, marks, end)),
        since=tuple(_since(events, asked.seq, _Watched(standing, answer, _rules(then.row("settings", MEMORY))))),
    )


def _first(events: Sequence[GovernanceEvent], table: str, key: Key | None) -> GovernanceEvent | None:
    return next((e for e in events if e.values(table, key) is not None), None) if key is not None else None


def _decided(events: Sequence[GovernanceEvent], decision: int | None) -> GovernanceEvent | None:
    return next((e for e in events if (e.values("decisions", decision) or {}).get("decided_at")), None)


def _settled(events: Sequence[GovernanceEvent], conflict: int) -> GovernanceEvent | None:
    """The last event that settled it: what was taken back waits again."""
    found = [e for e in events if "resolved_at" in (e.values("conflicts", conflict) or {})]
    return found[-1] if found and (found[-1].values("conflicts", conflict) or {})["resolved_at"] else None


def _records(last: Picture, subject: Subject, number: int) -> tuple[int | None, int | None, Json | None]:
    """The decision, the escalation and the answer that belong together: the last answer that stands, else the last."""
    row = last.row(TABLES[subject], number) or {}
    if subject == "answer":
        escalation = row.get("escalation")
        return _decision_of(last, escalation), escalation, row
    escalation = row.get("escalation") if subject == "decision" else number
    given = [a for a in last.where("answers", escalation=escalation) if not a.get("late")] if escalation else []
    standing = [a for a in given if a.get("undone_at") is None] or given
    decision = number if subject == "decision" else _decision_of(last, escalation)
    return decision, escalation, standing[-1] if standing else None


def _decision_of(last: Picture, escalation: int | None) -> int | None:
    found = last.where("decisions", escalation=escalation) if escalation is not None else []
    return int(found[0]["id"]) if found else None


def _standing(then: Picture, number: int | None) -> Standing:
    decision = then.row("decisions", number)
    if decision is None:
        return Standing()
    agent, kind = decision["agent"], decision["kind"]
    newest = max(then.where("authority", agent=agent, kind=kind), key=lambda row: int(row["id"]), default=None)
    restored = (newest or {}).get("restores")
    grant = newest if restored is None else then.row("authority", restored)
    proposal = then.row("scope_proposals", (grant or {}).get("proposal"))
    review = then.row("scope_reviews", (proposal or {}).get("review"))
    listed = next(iter(then.where("decision_kinds", agent=agent, key=kind)), None)
    row = next(iter(then.where("agents", role=agent)), None)
    return Standing(
        decision=decision,
        newest=newest,
        grant=grant,
        kind=_part(listed, ("id", *_KIND_FACTS)),
        proposal=proposal,
        review=_part(review, _REVIEW_FACTS),
        agent=_part(row, ("id", "role", *_AGENT_FACTS)),
    )


def _part(row: Json | None, names: Sequence[str]) -> Json | None:
    return None if row is None else {name: row.get(name) for name in names}


def _rules(memory: Json | None) -> Json:
    """The rules in what an import remembered; {} before the first, which leaves the ones that come with apm."""
    value = (memory or {}).get("value")
    sections = (json.loads(value) if isinstance(value, str) else {}).get("sections", {})
    if not sections:
        return {}
    return {
        "escalate_first": sections.get("escalate_first", []),
        "milestone": sections.get("defaults", {}).get("milestone", {}),
    }


# The chain of events


def _marks(
    standing: Standing, escalation: int | None, answer: Json | None, conflict: Json | None
) -> frozenset[tuple[str, Key]]:
    """The rows that it rests on."""
    rows = {
        "decisions": standing.decision,
        "decision_kinds": standing.kind,
        "scope_proposals": standing.proposal,
        "scope_reviews": standing.review,
        "answers": answer,
        "conflicts": conflict,
    }
    found = {(table, row["id"]) for table, row in rows.items() if row is not None}
    found |= {("authority", row["id"]) for row in (standing.newest, standing.grant) if row is not None}
    return frozenset(found | ({("escalations", escalation)} if escalation is not None else set()))


_NAMES: Mapping[str, str] = {
    "decisions": "decision",
    "decision_kinds": "kind",
    "scope_proposals": "scope proposal",
    "scope_reviews": "scope review",
    "answers": "answer",
    "authority": "grant",
    "escalations": "escalation",
    "conflicts": "conflict",
}


def _steps(events: Sequence[GovernanceEvent], marks: frozenset[tuple[str, Key]], end: int) -> Iterator[Step]:
    for event in events:
        mine = {f"{_NAMES[table]} {key}" for table, key, _ in event.entries if (table, key) in marks}
        if mine and event.seq <= end:
            yield Step(event.seq, event.at, event.kind, tuple(sorted(mine)))


# What changed since


@dataclass(frozen=True, slots=True)
class _Watched:
    standing: Standing
    answer: Json | None
    rules: Json

    def change(self, table: str, key: Key, values: Json) -> str:
        """What a later event did to any of it, in a sentence; "" where it did nothing."""
        told = _TOLD.get(table)
        return told(self, key, values) if told is not None else ""

    def of_authority(self, key: Key, values: Json) -> str:
        decision = self.standing.decision or {}
        if (values.get("agent"), values.get("kind")) != (decision.get("agent"), decision.get("kind")):
            return ""
        return f"{values['by']} granted {values['mode']} (grant {key}): {values['reason']}"

    def of_kind(self, key: Key, values: Json) -> str:
        return _changed("the kind's", self.standing.kind, key, values, _KIND_FACTS)

    def of_agent(self, key: Key, values: Json) -> str:
        return _changed("the agent's", self.standing.agent, key, values, _AGENT_FACTS)

    def of_decision(self, key: Key, values: Json) -> str:
        is_it = key == (self.standing.decision or {}).get("id")
        if is_it and values.get("conflict"):
            return f"the decision became a side of conflict {values['conflict']}, which settles it"
        if not is_it or "reverted_at" not in values:
            return ""
        if values["reverted_at"] is None:
            return "the decision holds again: its reversal was taken back"
        return f"{values.get('reverted_by')} took the decision back: {values.get('revert_reason')}"

    def of_answer(self, key: Key, values: Json) -> str:
        if key != (self.answer or {}).get("id") or not values.get("undone_at"):
            return ""
        return f"{values.get('undone_by')} took the answer back: {values.get('undo_reason')}"

    def of_proposal(self, key: Key, values: Json) -> str:
        if key != (self.standing.proposal or {}).get("id") or not values.get("undone_at"):
            return ""
        return f"{values.get('undone_by')} took the word on scope proposal {key} back"

    def of_rules(self, key: Key, values: Json) -> str:
        if key != MEMORY or not self.rules or _rules(values) == self.rules:
            return ""
        return "agents.yaml was imported with other rules to come before every authority"


_TOLD = {
    "authority": _Watched.of_authority,
    "decision_kinds": _Watched.of_kind,
    "agents": _Watched.of_agent,
    "decisions": _Watched.of_decision,
    "answers": _Watched.of_answer,
    "scope_proposals": _Watched.of_proposal,
    "settings": _Watched.of_rules,
}


def _changed(whose: str, row: Json | None, key: Key, values: Json, names: Sequence[str]) -> str:
    if row is None or row["id"] != key:
        return ""
    found = [f"{n} is {values[n]!r} instead of {row[n]!r}" for n in names if n in values and values[n] != row[n]]
    return f"{whose} {', '.join(found)}" if found else ""


def _since(events: Sequence[GovernanceEvent], asked: int, watched: _Watched) -> Iterator[Change]:
    for event in events:
        if event.seq > asked:
            for entry in event.entries:
                what = watched.change(*entry)
                if what:
                    yield Change(event.seq, event.at, what)
