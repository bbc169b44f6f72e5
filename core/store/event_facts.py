"""What an event says of itself: who or what decided, and which records it is about. Pure, and by tables.

An event's payload carries whole rows, which may be large; what a list shows of it are the few facts beside them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.contract import Json

PERSON, RULE, TIME_OUT, AGENT, ENGINE = "person", "rule", "time-out", "agent", "engine"
PROVENANCES = {"human": PERSON, "rule": RULE, "timeout": TIME_OUT, "agent": AGENT}
"""What the records call it, and the word for it."""
DELEGATED = "delegation.recorded"

_CARRIED = ("rows", "request", "response")
"""Facts that are documents of their own."""
_HOUSE = frozenset({"clock", "time-out", "timeout", "rule", "schedule", "apm demo", "agents.yaml"})
_HOUSE_PREFIXES = ("escalation ", "decision ", "scope review ", "conflict ")
"""How apm signs what nobody decided."""


@dataclass(frozen=True, slots=True)
class Who:
    """Who or what decided. `name` is "" where only its kind is on record."""

    provenance: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class EventFacts:
    """An event for a list: its own facts without the rows that it carries, and what is derived from them.

    `refs` are the numbers of the records that it is about: {"work_item", "escalation", "proposal", …}. `kind` is None
    of an event that is missing from the journal, which numbers its events without gaps.
    """

    seq: int
    at: int
    kind: str | None
    work_item: int | None
    facts: Json = field(default_factory=dict)
    who: Who = Who(ENGINE)
    refs: Mapping[str, int] = field(default_factory=dict)


def event_facts(seq: int, at: int, kind: str, work_item: int | None, payload: str) -> EventFacts:
    """Of a payload, or of its beginning: keys are sorted, so most facts stand before the rows."""
    whole = leading_facts(payload)
    facts = {key: value for key, value in whole.items() if key not in _CARRIED}
    carried = _carried(whole)
    facts |= {key: carried[key] for key in ("agent", "kind", "chain") if key in carried and key not in facts}
    if kind == DELEGATED and isinstance(whole.get("response"), dict):
        facts |= {"agent": whole["response"].get("responding_agent"), "status": whole["response"].get("status")}
    return EventFacts(seq, at, kind, work_item, facts, who(kind, facts | _said(carried)), refs(work_item, facts))


def leading_facts(text: str) -> Json:
    """The members of a JSON object, as many as stand whole in a text that may be cut anywhere."""
    try:
        whole = json.loads(text)
        return whole if isinstance(whole, dict) else {}
    except ValueError:
        pass
    decoder, at = json.JSONDecoder(), 1
    found: Json = {}
    while text[:1] == "{" and at < len(text):
        try:
            key, at = decoder.raw_decode(text, at)
            value, at = decoder.raw_decode(text, at + 1)
        except ValueError:
            break
        if text[at : at + 1] not in (",", "}"):
            break  # a number may go on behind the cut
        found[str(key)] = value
        at += 1
    return found


def _carried(payload: Json) -> Json:
    """The columns of the first row that says who it was: a decision, a conflict or a question."""
    for entry in payload.get("rows") or ():
        table, _, values = entry
        if table in ("decisions", "conflicts", "escalations") and isinstance(values, dict):
            chain = values.get("chain")
            return {**values, "chain": json.loads(chain)} if isinstance(chain, str) else values
    return {}


def _said(row: Json) -> Json:
    return {f"row_{key}": row[key] for key in ("provenance", "decided_by") if key in row}


def refs(work_item: int | None, facts: Json) -> dict[str, int]:
    """Numbers of the records, by what they are."""
    named = ("escalation", "proposal", "decision", "conflict", "review", "briefing", "project")
    found = {name: facts[name] for name in named if type(facts.get(name)) is int}
    return found if work_item is None else {"work_item": work_item, **found}


# Who decided


def who(kind: str, facts: Json) -> Who:
    """By the kind of event, else by whoever signed it, else the engine."""
    decide = _BY_KIND.get(kind) or _BY_FAMILY.get(kind.partition(".")[0]) or _signed
    return decide(facts)


def _signed(facts: Json) -> Who:
    """By its signature. A provenance on record says more than the name does."""
    name = _text(facts.get("by"))
    provenance = PROVENANCES.get(_text(facts.get("provenance")))
    if provenance is not None:
        return Who(provenance, name if provenance != TIME_OUT else "")
    if not name:
        return Who(ENGINE)
    if name == "time-out":
        return Who(TIME_OUT)
    is_house = name in _HOUSE or name.startswith(_HOUSE_PREFIXES)
    return Who(ENGINE, name) if is_house else Who(PERSON, name)


def _agent(facts: Json) -> Who:
    return Who(AGENT, _text(facts.get("agent")))


def _last_of_chain(facts: Json) -> Who:
    chain = facts.get("chain")
    return Who(AGENT, _text(chain[-1])) if isinstance(chain, list) and chain else Who(ENGINE)


def _by_rule(facts: Json) -> Who:
    return Who(RULE, _text(facts.get("rule")))


def _settled(facts: Json) -> Who:
    """A conflict's row says whose word its question's answer was."""
    return _signed({"by": facts.get("by"), "provenance": facts.get("row_provenance")})


def _created(facts: Json) -> Who:
    return Who({"human": PERSON, "evolution": AGENT}.get(_text(facts.get("origin")), ENGINE))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


_BY_KIND: Mapping[str, Callable[[Json], Who]] = {
    "work_item.created": _created,
    "escalation.raised": _last_of_chain,
    "decision.decided": _by_rule,
    "decision.escalated": _by_rule,
    "conflict.resolved": _by_rule,
    "conflict.escalated": _by_rule,
    "conflict.settled": _settled,
}
_BY_FAMILY: Mapping[str, Callable[[Json], Who]] = {"delegation": _agent}
