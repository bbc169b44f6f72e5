"""What a person does with a scope proposal: approve, reject, ask, or take their word back. Nobody else does.

An approval applies at once and in one transaction, and only to what was shown: the proposal as it was put, the
authority as it was then, a record that still carries it.

A word is taken back in one of two ways. `undo` is a later judgement: it closes the proposal. `put_back` is for a slip
that nothing has followed from: the proposal waits again as before, and the journal has the word and its taking back.
"""

from __future__ import annotations

from core.contract import UsageError
from core.governance import authority
from core.governance.authority import AUTONOMOUS, ESCALATE, Mode
from core.governance.clock import SLACK_MS
from core.governance.cohorts import cohort_of
from core.governance.persons import named_person, stated_in_a_line
from core.governance.scope.analysis import APPROVE
from core.governance.scope.asking import undecided
from core.governance.scope.loads import WEEK_MS
from core.governance.scope.proposing import APPROVED, REJECTED, SUPERSEDED, digest_of_row, status
from core.governance.scope.records import read_record
from core.governance.scope.suggestions import CONTRACTION, EXPANSION, is_earned, lacks
from core.phrases import counted
from core.registry.importing import read_memory
from core.sanitise import one_line
from core.store import reads_governance
from core.store.reads import Connection
from core.store.rows_governance import ScopeProposalRow
from core.store.schema import ScopeProposal
from core.store.transaction import Transaction

COOL_DOWN_MS = 4 * WEEK_MS
"""How long the same is not proposed again after it was rejected, taken back, or seen and left as it is."""

_AGAINST = "an approval that is not recommended"

_MODES: dict[str, Mode] = {EXPANSION: "autonomous", CONTRACTION: "escalate"}


def approve(
    tx: Transaction, proposal: int, *, by: str, reason: str = "", shown_digest: str | None = None
) -> ScopeProposalRow:
    """Put the proposed authority in force; the proposal as it was. A collaboration or a bottleneck is only seen.

    What is not recommended takes a reason. Raises UsageError when `by` is no person, when the proposal is decided,
    replaced or not what was shown, and when the authority, the kind, the agent or its record are not any more what they
    were when it was put.
    """
    person = named_person(tx, by)
    row = _undecided(tx, proposal, shown_digest)
    mode = _MODES.get(row.change)
    why = stated_in_a_line(reason) if row.recommendation == APPROVE else _reason(proposal, reason, _AGAINST)
    if mode is not None:
        _check_still_holds(tx, row)
        told = why or f"scope proposal {proposal}: {row.analysis.get('because', row.change)}"
        authority.grant(tx, row.agent, row.kind, mode, by=person, reason=told, proposal=proposal)
    cool_down = None if row.change == EXPANSION else tx.now + COOL_DOWN_MS
    _decide(tx, row, APPROVED, person, why, cool_down)
    return row


def reject(
    tx: Transaction, proposal: int, *, by: str, reason: str, shown_digest: str | None = None
) -> ScopeProposalRow:
    """Leave things as they are, for a reason; the same is not proposed again for a while. The proposal as it was."""
    person, why = named_person(tx, by), _reason(proposal, reason, "a rejection")
    row = _undecided(tx, proposal, shown_digest)
    _decide(tx, row, REJECTED, person, why, tx.now + COOL_DOWN_MS)
    return row


def clarify(
    tx: Transaction, proposal: int, *, by: str, reason: str, shown_digest: str | None = None
) -> ScopeProposalRow:
    """Ask before deciding; `reason` is the question. It stays undecided; the next review answers with figures."""
    person, question = named_person(tx, by), _reason(proposal, reason, "a clarification")
    row = _undecided(tx, proposal, shown_digest)
    asked = f"{row.clarification}\n{question}" if row.clarification else question
    tx.update(ScopeProposal, proposal, clarification=asked)
    tx.event("scope.clarified", proposal=proposal, agent=row.agent, kind=row.kind, by=person, question=question)
    return row


def undo(tx: Transaction, proposal: int, *, by: str, reason: str) -> ScopeProposalRow:
    """Take an approval or a rejection back; the proposal as it was.

    An approval's authority goes back to what it was before, by a grant of its own, and the same is not proposed again
    for a while; a rejection's cool-down ends, so that the next review may propose it again. Either stays decided and is
    marked as undone. Raises UsageError when the authority has been granted anew since.
    """
    person, why = named_person(tx, by), _reason(proposal, reason, "taking it back")
    row = _row(tx, proposal)
    if status(row) not in (APPROVED, REJECTED):
        raise UsageError(f"Scope proposal {proposal} is {status(row)}; there is no word of a person to take back.")
    has_granted = row.decision == APPROVED and row.change in _MODES
    if has_granted:
        _grant_back(tx, row, person, why)
    until = tx.now + COOL_DOWN_MS if has_granted else None
    tx.update(ScopeProposal, proposal, undone_at=tx.now, undone_by=person, cool_down_until=until)
    tx.event("scope.undone", proposal=proposal, agent=row.agent, kind=row.kind, by=person, reason=why)
    return row


def put_back(tx: Transaction, before: ScopeProposalRow, after: ScopeProposalRow, *, by: str) -> ScopeProposalRow:
    """Undo a slip: the proposal waits again as in `before`, where `after` is what an approval or a rejection left.

    The authority is what it was, by the very grant that was in force. Raises UsageError when anybody has changed the
    proposal, its authority or the team's files since, when the agent has decided by what was granted, and when the same
    is asked anew.
    """
    person, row = named_person(tx, by), _row(tx, after.id)
    if row != after:
        who = one_line(row.undone_by or row.decided_by or "", 60)
        raise UsageError(
            f"Scope proposal {row.id} is {status(row)}{f' by {who}' if who else ''} since; nothing was changed."
        )
    twin = undecided(tx, row.agent, row.kind, row.change)
    if twin is not None:
        raise UsageError(f"Scope proposal {row.id} does not wait again: the same is asked as {twin}; decide that one.")
    if row.decision == APPROVED and row.change in _MODES:
        _put_authority_back(tx, row, person)
    tx.update(ScopeProposal, row.id, **{name: getattr(before, name) for name in _WORD})
    tx.event("scope.put_back", proposal=row.id, agent=row.agent, kind=row.kind, by=person, was=row.decision)
    return row


_WORD = ("decided_at", "decision", "decided_by", "reason", "cool_down_until")
"""What a word leaves on a proposal."""


def _put_authority_back(tx: Transaction, row: ScopeProposalRow, person: str) -> None:
    newest = _granted_by(tx, row)
    [(decided,)] = tx.sql(_DECIDED_BY, (row.agent, row.kind, newest.id))
    if decided:
        raise UsageError(
            f"Scope proposal {row.id}: {row.agent} has decided {counted(decided, 'question')} by it since, so it does "
            f"not wait again; `apm scope undo {row.id} --reason TEXT` takes the authority back."
        )
    if newest.id <= read_memory(tx).get("grants", 0):
        raise UsageError(
            f"Scope proposal {row.id}: the team's files were changed since, and may say something else of {row.kind}; "
            f"`apm scope undo {row.id} --reason TEXT` takes the authority back."
        )
    former = (row.analysis.get("grant") or {}).get("id")
    told = f"proposal {row.id}: the word was taken back at once"
    authority.restore(tx, row.agent, row.kind, former, by=person, reason=told, proposal=row.id)


_DECIDED_BY = "SELECT COUNT(*) FROM decisions WHERE agent = ? AND kind = ? AND authority = ? AND outcome = 'decided'"


def _granted_by(reader: Connection, row: ScopeProposalRow) -> authority.Grant:
    """The authority in force. Raises UsageError when it is not what the approval of this proposal granted."""
    newest = authority.granted(reader, row.agent, row.kind)
    if newest is None or newest.proposal != row.id or newest.mode != _MODES[row.change]:
        by = f" by {one_line(newest.by, 60)}" if newest is not None else ""
        raise UsageError(
            f"{row.agent}'s authority over {row.kind} was granted anew{by} since proposal {row.id} was approved; "
            "grant what you want instead."
        )
    return newest


def _grant_back(tx: Transaction, row: ScopeProposalRow, person: str, why: str) -> None:
    _granted_by(tx, row)
    former: Mode = "escalate" if row.change == EXPANSION else "autonomous"
    # What was earned by a proposal is so again: its cohort is still what the authority rests on.
    earned = _proposal_of(tx, (row.analysis.get("grant") or {}).get("id")) if former == AUTONOMOUS else None
    told = f"proposal {row.id} undone: {why}"
    authority.grant(tx, row.agent, row.kind, former, by=person, reason=told, proposal=earned)


def _proposal_of(reader: Connection, grant: int | None) -> int | None:
    found = reader.sql("SELECT proposal FROM authority WHERE id = ?", (grant,))
    return found[0][0] if found else None


def _decide(
    tx: Transaction, row: ScopeProposalRow, decision: str, person: str, why: str, cool_down: int | None
) -> None:
    tx.update(
        ScopeProposal,
        row.id,
        decided_at=tx.now,
        decision=decision,
        decided_by=person,
        reason=why,
        cool_down_until=cool_down,
    )
    tx.event(
        f"scope.{decision}", proposal=row.id, agent=row.agent, kind=row.kind, change=row.change, by=person, reason=why
    )


def cooling_too_long(reader: Connection, now: int) -> list[int]:
    """The proposals that cool down for longer than any may: a clock that was ahead has written when they end."""
    too_long = ScopeProposal.cool_down_until > now + COOL_DOWN_MS + SLACK_MS
    return [int(number) for (number,) in reader.rows(ScopeProposal.select(ScopeProposal.id).where(too_long))]


def bring_forward(tx: Transaction) -> None:
    """The clock has been put back: what cools down for longer than it may begins to do so now."""
    for number in cooling_too_long(tx, tx.now):
        until = tx.now + COOL_DOWN_MS
        tx.update(ScopeProposal, number, cool_down_until=until)
        tx.event("scope.rescheduled", proposal=number, until=until)


def _row(reader: Connection, proposal: int) -> ScopeProposalRow:
    row = reads_governance.scope_proposal(reader, proposal)
    if row is None:
        raise UsageError(f"There is no scope proposal {proposal}; `apm scope list` shows the undecided ones.")
    return row


def _undecided(reader: Connection, proposal: int, shown_digest: str | None) -> ScopeProposalRow:
    """The proposal, while it waits and is what was shown."""
    row = _row(reader, proposal)
    if status(row) == SUPERSEDED:
        raise UsageError(f"Scope proposal {proposal} was replaced{_successor(reader, row)}; nothing was changed.")
    if row.decided_at is not None:
        by = f" by {one_line(row.decided_by, 60)}" if row.decided_by else ""
        raise UsageError(f"Scope proposal {proposal} is {status(row)} already{by}; nothing was changed.")
    if row.payload_digest != digest_of_row(row) or shown_digest not in (None, row.payload_digest):
        raise UsageError(
            f"Scope proposal {proposal} is not what was shown; `apm scope show {proposal}` shows what it is now."
        )
    return row


def _successor(reader: Connection, row: ScopeProposalRow) -> str:
    text = "SELECT MAX(id) FROM scope_proposals WHERE agent = ? AND kind = ? AND change = ? AND decided_at IS NULL"
    [(number,)] = reader.sql(text, (row.agent, row.kind, row.change))
    return f" by {number}, which `apm scope show {number}` shows" if number else f", as {row.reason}"


def _check_still_holds(reader: Connection, row: ScopeProposalRow) -> None:
    """Raises UsageError when what the proposal changes, or stands on, is not what it was when it was put."""
    name = f"Scope proposal {row.id}"
    known = next((kind for kind in authority.kinds(reader, row.agent) if kind.key == row.kind), None)
    if known is None:
        raise UsageError(f"{name}: no list of {row.agent} names {row.kind} any more; nothing was changed.")
    newest, asked = known.grant.id if known.grant else None, (row.analysis.get("grant") or {}).get("id")
    if newest != asked or known.mode != (ESCALATE if row.change == EXPANSION else AUTONOMOUS):
        raise UsageError(
            f"{name}: {row.agent}'s authority over {row.kind} is not what it was when this was proposed; it is "
            f"{known.mode} now. `apm scope review` proposes what fits."
        )
    if row.change == EXPANSION:
        authority.check_grant(reader, row.agent, row.kind, AUTONOMOUS)
        _check_record(reader, row, name)


def _check_record(reader: Connection, row: ScopeProposalRow, name: str) -> None:
    if not is_earned(row.n, row.accepted):
        raise UsageError(
            f"{name}: the record does not carry it ({'; '.join(lacks(row.n, row.accepted))}), so nobody can approve it "
            "yet; `apm scope review` counts anew."
        )
    if cohort_of(reader, row.agent) != row.cohort:
        raise UsageError(
            f"{name}: {row.agent} has another runtime, model or SOP since, and so a new record; "
            "`apm scope review` counts it."
        )
    now = read_record(reader, row.agent, row.kind, row.cohort)
    if not is_earned(now.n, len(now.accepted)):
        raise UsageError(
            f"{name}: the record has changed since; {len(now.accepted)} of {now.n} are accepted now, which is too few. "
            "`apm scope review` counts anew."
        )


def _reason(proposal: int, reason: str, what: str) -> str:
    found = stated_in_a_line(reason)
    if not found:
        raise UsageError(f"Scope proposal {proposal}: {what} needs a reason; say it in a sentence.")
    return found
