"""The turns of a delegation that a model executes: kept as they happen, so that a kill costs no call but the running.

A turn belongs to the request that it was taken for: of another request's none is given out again.
"""

from __future__ import annotations

import json

from core.agents.session import Turn
from core.contract import Json
from core.governance.budgets import Spender
from core.redaction import own_redactor
from core.store.reads import Connection
from core.store.schema import Event
from core.store.schema import Turn as TurnTable
from core.store.transaction import Transaction


def keep(tx: Transaction, spender: Spender, request_digest: str, kind: str, content: Json) -> Turn:
    """Put a turn on record, without secrets; its number is the next of its delegation."""
    is_own = _is_of(spender)
    last = tx.one(TurnTable.select(TurnTable.number).where(is_own).order_by(TurnTable.number.desc()).limit(1))
    number = 1 if last is None else int(last[0]) + 1
    clean: Json = own_redactor().content(content)
    tx.insert(
        TurnTable,
        work_item=spender.work_item,
        phase=spender.phase,
        round=spender.round,
        agent=spender.agent,
        subject=spender.subject,
        number=number,
        kind=kind,
        request_digest=request_digest,
        at=tx.now,
        event=tx.next_seq,
    )
    tx.event("delegation.turn", work_item=spender.work_item, agent=spender.agent, turn=kind, content=clean)
    return Turn(number, kind, clean)


def read(reader: Connection, spender: Spender, request_digest: str) -> tuple[Turn, ...]:
    """The turns taken so far for this request, in order."""
    query = (
        TurnTable.select(TurnTable.number, TurnTable.kind, Event.payload)
        .join(Event, on=(Event.seq == TurnTable.event))
        .where(_is_of(spender) & (TurnTable.request_digest == request_digest))
        .order_by(TurnTable.number)
    )
    return tuple(Turn(n, kind, json.loads(payload)["content"]) for n, kind, payload in reader.rows(query))


def _is_of(spender: Spender) -> object:
    return (
        (TurnTable.work_item == spender.work_item)
        & (TurnTable.phase == spender.phase)
        & (TurnTable.round == spender.round)
        & (TurnTable.agent == spender.agent)
        & (TurnTable.subject == spender.subject)
    )
