"""The decisions that an agent's answer raises: put to their owners, decided or escalated, each on the record once.

An owner whose authority covers the decision is asked as an agent: a delegation of its own, with its own documents and
nothing else. What it may not decide goes to a person without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.contract import AgentRequest, AgentResponse, Json, Status
from core.governance.asking import thread
from core.governance.authority import in_force
from core.governance.context import context_files
from core.governance.decisions import DOMAIN_AGENTS, UNLISTED, Choice, DecisionRules, OwnersWord, is_asked, is_decided
from core.orchestration.journal import Entry, Key
from core.orchestration.master import MASTER
from core.sanitise import one_line, sanitise
from core.store import reads, rows
from core.store.reads import Connection, build, select
from core.store.schema import Decision

SUBJECT_CHARS = 16
"""Of a choice's digest: what tells an owner's delegations of one round apart."""
MOST_OPTIONS = 20
EARLIER = 5
"""Decisions of the same kind that the owner is told of."""


def choices_of(work_item: int, key: Key, request: AgentRequest, response: AgentResponse) -> list[Choice]:
    """What the answer of the delegation `key` leaves to decide, in its order."""
    return [_choice(work_item, key, request, entry) for entry in response.metadata.get("decisions", ())]


def _choice(work_item: int, key: Key, request: AgentRequest, raised: Mapping[str, Any]) -> Choice:
    """A decision as its owner gets it. A domain that does not exist is the master's, and so a person's."""
    domain = str(raised.get("domain", ""))
    impact, recommended = raised.get("impact"), raised.get("recommended")
    options = _options(raised.get("options"))
    return Choice(
        agent=domain if domain in DOMAIN_AGENTS else MASTER,
        kind=one_line(str(raised.get("kind", "")), 64),
        question=sanitise(str(raised.get("question", "")), limit=500, keep_newlines=False),
        impact=impact if isinstance(impact, int) and 1 <= impact <= 10 else 10,
        options=options,
        recommended=recommended if recommended in ([o["key"] for o in options] or UNLISTED) else None,
        tags=tuple(request.context.get("work_item", {}).get("tags", ())),
        work_item=work_item,
        phase=key.phase,
        blocks=one_line(str(raised.get("blocks") or ""), 64),
        chain=(MASTER, request.requesting_agent, key.agent),
        context={"subject": key.subject} if key.subject else None,
        topic=one_line(str(raised.get("topic") or ""), 200),
    )


def _options(value: Any) -> tuple[Json, ...]:
    """The answers that the agent offers, each by a key of its own; what has none, or one that was there, is none."""
    found: dict[str, Json] = {}
    for option in value[:MOST_OPTIONS] if isinstance(value, list) else ():
        key = one_line(str(option.get("key", "")), 64) if isinstance(option, Mapping) else ""
        if key and key not in found:
            told = {k: one_line(str(option[k]), 500) for k in ("label", "consequence") if option.get(k)}
            found[key] = {"key": key, **told}
    return tuple(found.values())


@dataclass(frozen=True, slots=True)
class Consultation:
    """What the owner of a choice is asked: the request, and under which subject it is journalled."""

    owner: str
    subject: str
    request: AgentRequest


def consultation(
    reader: Connection, choice: Choice, rules: DecisionRules, folders: Mapping[str, Path], work_item: Json
) -> Consultation | None:
    """The question to the owner; None when there is nothing for it to decide: it was, or it is a person's.

    `folders` are the places whose documents the owner may see, by a name that tells them apart.
    """
    if is_decided(reader, choice) or is_asked(reader, choice) or rules.met_by(choice) is not None:
        return None
    grant = in_force(reader, choice.agent, choice.kind)
    if grant is None or grant.mode != "autonomous":
        return None
    agent = reads.agent(reader, choice.agent)
    patterns = agent.parameters.get("context", ()) if agent is not None else ()
    documents = context_files(folders, patterns)
    asked: Json = {
        "kind": choice.kind,
        "question": choice.question,
        "impact": choice.impact,
        "options": list(choice.options),
        "recommended": choice.recommended,
        "tags": list(choice.tags),
    }
    context: Json = {
        "work_item": work_item,
        "authority": {"mode": grant.mode, "by": grant.by},
        "documents": documents.to_json(),
        "earlier": _earlier(reader, choice),
    }
    request = AgentRequest(choice.chain[-1] if choice.chain else MASTER, asked, context, "decision")
    return Consultation(choice.agent, choice.key[:SUBJECT_CHARS], request)


def _earlier(reader: Connection, choice: Choice) -> list[Json]:
    """The newest decisions of the kind, whoever made them, without those that were taken back."""
    query = (
        select(rows.DecisionRow, Decision)
        .where(
            (Decision.agent == choice.agent)
            & (Decision.kind == choice.kind)
            & Decision.choice.is_null(False)
            & Decision.reverted_at.is_null()
        )
        .order_by(Decision.id.desc())
        .limit(EARLIER)
    )
    found = build(rows.DecisionRow, Decision, reader.rows(query))
    return [
        {"question": d.question, "choice": d.choice, "by": d.decided_by, "reason": d.reason, **_thread(reader, d)}
        for d in found
    ]


def _thread(reader: Connection, decision: rows.DecisionRow) -> Json:
    """What a person wanted to know before they answered it, where somebody did."""
    asked = None if decision.escalation is None else reads.escalation(reader, decision.escalation)
    said = () if asked is None else thread(reader, asked)
    return {"thread": [one.to_json() for one in said]} if said else {}


def word_of(choice: Choice, entry: Entry) -> OwnersWord:
    """What the owner answered; without a choice where it wants a person, or could not tell."""
    response = entry.response
    answer = response.output_artifact
    reason = sanitise(str(answer.get("reason", "")), limit=2_000)
    if response.status is not Status.SUCCESS:
        why = response.metadata.get("suggestion") or response.metadata.get("error") or "it gave no reason"
        return OwnersWord(None, f"it could not decide: {one_line(str(why), 300)}")
    if "escalate" in answer:
        asked = answer["escalate"]
        why = asked.get("question") if isinstance(asked, Mapping) else asked
        return OwnersWord(None, one_line(str(why or "it wants a person to choose"), 300))
    chosen = answer.get("choice")
    legal = [str(o["key"]) for o in choice.options] or list(UNLISTED)
    if chosen not in legal:
        return OwnersWord(None, f"it answered {one_line(str(chosen), 60)!r}, which is none of {', '.join(legal)}")
    return OwnersWord(str(chosen), reason)
