"""Human decisions as JSON: a document is checked as a whole and applied all or nothing, once.

What one entry may say is what the function behind it accepts: entries are applied in their order inside one closure,
each refusal becomes that entry's problem, and with a problem the closure raises, so that nothing of it is kept. What
is checked here is what no single function sees: entries that are about the same thing, or against each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn, TypeAlias, cast

from core.contract import UsageError, canonical_json
from core.governance import authority, escalations
from core.governance.decision_documents import (
    AnswerEntry,
    DecisionsRejected,
    Document,
    Entry,
    EntryProblem,
    GrantEntry,
    NotWhole,
    ReversalEntry,
    ScopeEntry,
    parse,
)
from core.governance.persons import named_person
from core.governance.settling import DETAIL
from core.sanitise import one_line
from core.store import reads, reads_governance, states
from core.store.reads import Connection
from core.store.rows_governance import ScopeProposalRow
from core.store.schema import InboxFile
from core.store.store import Store
from core.store.transaction import Transaction

__all__ = [
    "AlreadyApplied",
    "Applied",
    "DecisionsRejected",
    "Document",
    "EntryProblem",
    "NotWhole",
    "agents_of",
    "apply",
    "parse",
    "record_rejection",
    "rehearse",
]

KEPT_REASONS = 100
"""Of a rejected document's problems: so many are kept on the record; the file beside it has them all."""

Thing: TypeAlias = tuple[str | int, ...]
"""What an entry settles: two entries that settle the same thing contradict each other, or one says nothing."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What a document did: a line for each of its entries, and the domain agents whose authority it touched.

    Their generated files are to be made anew once the closure is committed.
    """

    source: str
    decided_by: str
    lines: tuple[str, ...]
    agents: tuple[str, ...]


class AlreadyApplied(DecisionsRejected):
    """A document that was applied once: it is never applied again, whoever hands it in."""

    def __init__(self, source: str, name: str, at: int) -> None:
        when = datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
        as_name = "" if name == source else f" (as {name})"
        text = f"{source} was applied on {when}{as_name}; nothing of it was done again"
        super().__init__([EntryProblem(None, text)])


@dataclass(frozen=True, slots=True)
class _Reading:
    """What an entry is about, as the database stands before any of them is applied."""

    problem: str = ""
    settles: frozenset[Thing] = frozenset()
    agents: frozenset[str] = frozenset()
    work_items: frozenset[int] = frozenset()
    """Whose open questions it answers, with those that were merged into the one it names."""
    ends: bool = False
    """The answer cancels these work items."""


def apply(tx: Transaction, document: Document, *, source: str) -> Applied:
    """Do everything that the document says. `source` is the file's name, for the record.

    Raises DecisionsRejected with the problems of every entry, or AlreadyApplied. Whoever catches it inside the closure
    keeps what was half done: let it pass.
    """
    name = one_line(source)
    known = _known(tx, document.digest)
    if known is not None and known[1] == "applied":
        raise AlreadyApplied(name, str(known[2]), int(known[3]))
    readings = _readings(tx, document)
    problems = _contradictions(document.entries, readings)
    problems |= {index: reading.problem for index, reading in enumerate(readings) if reading.problem}
    try:
        person = named_person(tx, document.decided_by)
    except UsageError as error:
        raise DecisionsRejected([EntryProblem(None, f"decided_by: {error}"), *_indexed(problems)]) from None
    lines = []
    for index, entry in enumerate(document.entries):
        if index not in problems:
            try:
                lines.append(_APPLY[type(entry)](tx, entry, person))
            except UsageError as error:
                problems[index] = str(error)
    if problems:
        raise DecisionsRejected(_indexed(problems))
    _remember(tx, known, name=name, digest=document.digest, outcome="applied", reasons=[])
    counts = Counter(_NAMES[type(entry)] for entry in document.entries)
    tx.event("inbox.applied", name=name, digest=document.digest, by=person, counts=dict(counts))
    agents = sorted(frozenset[str]().union(*(reading.agents for reading in readings)))
    return Applied(name, person, tuple(lines), tuple(agents))


def _indexed(problems: Mapping[int, str]) -> list[EntryProblem]:
    return [EntryProblem(index, text) for index, text in problems.items()]


class _Rehearsed(Exception):
    """Carries out of a closure what it did, and undoes it."""

    def __init__(self, applied: Applied) -> None:
        super().__init__()
        self.applied = applied


def rehearse(store: Store, document: Document, *, source: str) -> Applied:
    """What `apply` would do now, with nothing kept of it. Raises what `apply` raises."""

    def work(tx: Transaction) -> NoReturn:
        raise _Rehearsed(apply(tx, document, source=source))

    try:
        store.write_now(work)
    except _Rehearsed as done:
        return done.applied
    raise AssertionError("a rehearsal always raises")


def record_rejection(tx: Transaction, *, name: str, digest: str | None, problems: Sequence[EntryProblem]) -> None:
    """Put on record that a file was refused; once for the same file and the same reasons.

    Without a digest (a file too large to be read) there is only the event.
    """
    reasons = [one_line(str(problem), 600) for problem in problems[:KEPT_REASONS]]
    known = None if digest is None else _known(tx, digest)
    if known is not None and known[1] == "rejected" and known[4] == canonical_json(reasons):
        return
    if digest is not None and (known is None or known[1] == "rejected"):
        _remember(tx, known, name=name, digest=digest, outcome="rejected", reasons=reasons)
    tx.event("inbox.rejected", name=name, digest=digest, count=len(problems), reasons=reasons)


def agents_of(reader: Connection, document: Document) -> tuple[str, ...]:
    """The domain agents whose authority a document touches: for whoever finds it applied, its work not finished."""
    return tuple(sorted(frozenset[str]().union(*(reading.agents for reading in _readings(reader, document)))))


def _known(reader: Connection, digest: str) -> tuple[Any, ...] | None:
    """Number, outcome, name, time and reasons of a document that was read before."""
    columns = (InboxFile.id, InboxFile.outcome, InboxFile.name, InboxFile.at, InboxFile.reasons)
    return reader.one(InboxFile.select(*columns).where(InboxFile.digest == digest))


def _remember(
    tx: Transaction, known: tuple[Any, ...] | None, *, name: str, digest: str, outcome: str, reasons: Sequence[str]
) -> None:
    values = {"name": name, "outcome": outcome, "reasons": canonical_json(list(reasons)), "at": tx.now}
    if known is None:
        tx.insert(InboxFile, digest=digest, **values)
    else:
        tx.update(InboxFile, int(known[0]), **values)


Merged: TypeAlias = Mapping[int, frozenset[int]]
"""By question, the work items of those that were merged into it and are answered with it."""


def _readings(reader: Connection, document: Document) -> list[_Reading]:
    merged: dict[int, frozenset[int]] = {}
    # Asked once: no index leads to them, and a document may answer thousands.
    text = "SELECT merged_into, work_item FROM escalations WHERE merged_into IS NOT NULL AND resolved_at IS NULL"
    for leading, work_item in reader.sql(text):
        if work_item is not None:
            merged[int(leading)] = merged.get(int(leading), frozenset()) | {int(work_item)}
    return [_READ[type(entry)](reader, entry, merged) for entry in document.entries]


def _contradictions(entries: Sequence[Entry], readings: Sequence[_Reading]) -> dict[int, str]:
    """By index, what is said against an entry before it."""
    found: dict[int, str] = {}
    first: dict[Thing, int] = {}
    ending: dict[int, int] = {}
    for index, reading in enumerate(readings):
        for work_item in reading.work_items if reading.ends else ():
            ending.setdefault(work_item, index)
    for index, reading in enumerate(readings):
        for thing in sorted(reading.settles, key=str):
            before = first.setdefault(thing, index)
            if before != index:
                found[index] = f"{entries[index].about}: decisions[{before}] decides this too; keep one of them"
        ended = sorted(reading.work_items & ending.keys())
        if ended and not reading.ends:
            found.setdefault(
                index,
                f"{entries[index].about} is about work item {ended[0]}, which the answer of "
                f"decisions[{ending[ended[0]]}] ends; keep one of them",
            )
    return found


def _read_answer(reader: Connection, entry: AnswerEntry, merged: Merged) -> _Reading:
    row = reads.escalation(reader, entry.escalation)
    if row is None:
        return _Reading()  # `resolve` says so.
    decided = reader.sql("SELECT id FROM decisions WHERE escalation = ?", (row.id,))
    settles: set[Thing] = {("escalation", row.id), *(("decision", int(number)) for (number,) in decided)}
    asked = row.details.get(DETAIL)
    agents = frozenset[str]()
    if row.kind == "scope" and isinstance(asked, dict):
        settles.add(("authority", str(asked.get("agent")), str(asked.get("kind"))))
        agents = frozenset({str(asked.get("agent"))})
    chosen = next((o for o in row.options if o["key"] == entry.option), {})
    is_open = all(end is None for end in (row.resolved_at, row.withdrawn_at, row.expired_at, row.merged_into))
    own = frozenset() if row.work_item is None else frozenset({row.work_item})
    work_items = own | merged.get(row.id, frozenset()) if is_open else frozenset[int]()
    return _Reading("", frozenset(settles), agents, work_items, bool(work_items and chosen.get("ends")))


def _read_scope(reader: Connection, entry: ScopeEntry, _: Merged) -> _Reading:
    row = reads_governance.scope_proposal(reader, entry.scope_proposal)
    if row is None or row.decided_at is not None:
        return _Reading()  # `deciding` says so.
    settles: set[Thing] = {("scope proposal", row.id)}
    if entry.option != "approve":
        return _Reading(settles=frozenset(settles))
    if not entry.reason and row.recommendation != "approve":
        why = f"{row.recommendation!r} is what is recommended, so an approval needs a reason"
        return _Reading(f"scope proposal {row.id}: {why}", frozenset(settles))
    if row.change not in _CHANGES_AUTHORITY:
        return _Reading(settles=frozenset(settles))
    problem = _forbidden(reader, row.agent, row.kind, authority.AUTONOMOUS) if row.change == "expansion" else ""
    return _Reading(problem, frozenset({*settles, ("authority", row.agent, row.kind)}), frozenset({row.agent}))


_CHANGES_AUTHORITY = ("expansion", "contraction")


def _read_grant(reader: Connection, entry: GrantEntry, _: Merged) -> _Reading:
    problem = _forbidden(reader, entry.agent, entry.kind, entry.mode)
    return _Reading(problem, frozenset({("authority", entry.agent, entry.kind)}), frozenset({entry.agent}))


def _forbidden(reader: Connection, agent: str, kind: str, mode: str) -> str:
    """Why nobody may give this grant; "" where a person may."""
    try:
        authority.check_grant(reader, agent, kind, mode)
    except UsageError as error:
        return str(error)
    return ""


def _read_reversal(_: Connection, entry: ReversalEntry, __: Merged) -> _Reading:
    return _Reading(settles=frozenset({("decision", entry.reversal)}))


def _answer(tx: Transaction, entry: AnswerEntry, by: str) -> str:
    row = reads.escalation(tx, entry.escalation)
    state = "" if row is None else states.escalation_state(row, tx.now)
    escalations.resolve(
        tx,
        entry.escalation,
        option=entry.option,
        answer=entry.answer,
        reason=entry.reason,
        by=by,
        shown_digest=entry.digest,
    )
    late = f", kept as a late answer: the question was {state} before" if state in ("expired", "withdrawn") else ""
    return f"{entry.about}: answered {entry.option!r}{late}"


def _decide_scope(tx: Transaction, entry: ScopeEntry, by: str) -> str:
    from core.governance.scope import deciding

    deed: Callable[..., ScopeProposalRow] = getattr(deciding, entry.option)
    row = deed(tx, entry.scope_proposal, by=by, reason=entry.reason, shown_digest=entry.digest)
    return f"{entry.about} ({row.change} of {row.kind} for {row.agent}): {_PAST[entry.option]}"


_PAST = {"approve": "approved", "reject": "rejected", "clarify": "sent back with a question"}


def _grant(tx: Transaction, entry: GrantEntry, by: str) -> str:
    authority.grant(tx, entry.agent, entry.kind, cast("authority.Mode", entry.mode), by=by, reason=entry.reason)
    return f"{entry.about}: {entry.mode}"


def _reverse(tx: Transaction, entry: ReversalEntry, by: str) -> str:
    from core.governance import reversal

    made = reversal.reverse(tx, entry.reversal, by=by, reason=entry.reason, choice=entry.choice)
    if made.decision < entry.reversal:
        return f"{entry.about}: taken back; decision {made.decision} holds again"
    return f"{entry.about}: taken back by decision {made.decision}"


_READ: Mapping[type, Callable[[Connection, Any, Merged], _Reading]] = {
    AnswerEntry: _read_answer,
    ScopeEntry: _read_scope,
    GrantEntry: _read_grant,
    ReversalEntry: _read_reversal,
}
_APPLY: Mapping[type, Callable[[Transaction, Any, str], str]] = {
    AnswerEntry: _answer,
    ScopeEntry: _decide_scope,
    GrantEntry: _grant,
    ReversalEntry: _reverse,
}
_NAMES: Mapping[type, str] = {
    AnswerEntry: "escalation",
    ScopeEntry: "scope_proposal",
    GrantEntry: "authority",
    ReversalEntry: "reversal",
}
