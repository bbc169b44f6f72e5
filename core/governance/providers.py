"""A provider of models that takes no calls: one question for all who wait for it, closed by itself when it answers."""

from __future__ import annotations

import json
import re

from core.governance.escalations import Option, Question, open_with, raise_question, withdraw
from core.runtimes.base import Unavailable
from core.sanitise import one_line
from core.store import reads
from core.store.schema import Escalation
from core.store.transaction import Transaction

WAIT = "wait"


def provider_question(down: Unavailable) -> Question:
    """It holds nothing back by itself: whoever needs the provider rests, and tries again without being told to."""
    return Question(
        kind="error",
        subject={"provider": down.provider},
        question=f"{down.provider} takes no calls: {one_line(down.why, 300).rstrip('.')}. Work that needs it waits.",
        urgency="IMMEDIATE",
        options=(
            Option(
                WAIT,
                "I have seen it",
                "Nothing is sent meanwhile; apm tries again by itself, and goes on once the provider answers.",
            ),
        ),
        recommended=WAIT,
        chain=(down.provider,),
        details={"provider": down.provider, "why": one_line(down.why, 500)},
    )


def raise_once(tx: Transaction, question: Question) -> int:
    """The open question about the provider, raised now if there is none or it tells another reason: each try must not
    count as a question."""
    found = open_with(tx, question.key)
    if found is not None and reason(found.details["why"]) == reason(question.details["why"]):
        return found.id
    return raise_question(tx, question)


def reason(why: str) -> str:
    """What tells one reason from another: a request's number or the seconds to wait are new each time."""
    return re.sub(r"\S*\d\S*", "", why)


def outages(reader: reads.Connection) -> list[str]:
    """What is asked about providers that take no calls."""
    query = Escalation.select(Escalation.question, Escalation.details).where(
        (Escalation.kind == "error") & reads.is_open() & Escalation.work_item.is_null()
    )
    return [str(question) for question, details in reader.rows(query) if "provider" in json.loads(details)]


def is_back(tx: Transaction, provider: str) -> None:
    """Close what is asked about a provider that has just answered."""
    query = Escalation.select(Escalation.id).where((Escalation.kind == "error") & reads.is_open())
    for (number,) in tx.rows(query.where(Escalation.work_item.is_null())):
        found = reads.escalation(tx, int(number))
        if found is not None and found.details.get("provider") == provider:
            withdraw(tx, found.id, why=f"{provider} takes calls again")
