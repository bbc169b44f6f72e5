"""A person asks for a change of authority: it becomes a proposal like any other, with its record and its analyses.

Asking changes nothing. More authority than the record carries may be asked for, says what it lacks, and cannot be
approved before the record has it; less authority may always be asked for. What has a ceiling is refused at once.
"""

from __future__ import annotations

from core.contract import UsageError
from core.governance import authority
from core.governance.authority import AUTONOMOUS, Mode
from core.governance.persons import named_person, stated_in_a_line
from core.governance.scope.proposing import draft, put, surroundings
from core.governance.scope.requests import requested
from core.governance.scope.review import window_from
from core.governance.scope.suggestions import CONTRACTION, EXPANSION
from core.sanitise import one_line
from core.store import reads_governance
from core.store.reads import Connection
from core.store.transaction import Transaction


def propose(tx: Transaction, agent: str, kind: str, to: Mode, *, by: str, reason: str) -> int:
    """Ask that the agent decides the kind itself, or that a person is asked; the number of the proposal of it.

    It is put with the record and the analyses of this moment, waits for a person's word, and is counted anew by every
    review until it has one. Raises UsageError when `by` is no person or says no reason, when there is no such domain
    agent, kind or mode, when the kind has a ceiling, when its authority is that already, and when an undecided
    proposal asks for the same.
    """
    person, why = named_person(tx, by), stated_in_a_line(reason)
    if not why:
        raise UsageError(f"Say why {one_line(agent, 64)}'s authority over {one_line(kind, 64)} shall change.")
    authority.check_grant(tx, agent, kind, to)
    change = EXPANSION if to == AUTONOMOUS else CONTRACTION
    waiting = undecided(tx, agent, kind, change)
    if waiting is not None:
        raise UsageError(f"Scope proposal {waiting} asks for that already; `apm scope show {waiting}` shows it.")
    since = window_from(tx, tx.now)
    asked = requested(tx, agent, kind, change, {"by": person, "reason": why}, tx.now, since)
    if asked is None:
        done = "decides that itself already" if to == AUTONOMOUS else "asks a person about that already"
        raise UsageError(f"{agent} {done}: its authority over {kind} is {to}; nothing is proposed.")
    number = put(tx, draft(tx, asked, surroundings(tx, since)))
    tx.event("scope.asked", proposal=number, agent=agent, kind=kind, change=change, by=person)
    return number


def undecided(reader: Connection, agent: str, kind: str, change: str) -> int | None:
    """The number of the proposal of that change which waits for a person, if one does."""
    found = reads_governance.scope_proposals(reader, undecided_only=True, agent=agent)
    return next((row.id for row in found if (row.kind, row.change) == (kind, change)), None)
