"""Who may decide what: per domain agent and kind the newest grant, or the elder one that it put in force again.

A kind is autonomous only while a list of its agent names it, what it settles can be undone, and it has no ceiling.
That is looked up whenever authority is read and whenever it is granted, so no sequence of grants and imports gets past.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from peewee import fn

from core.contract import UsageError
from core.governance.persons import named_person
from core.sanitise import one_line
from core.store import reads, reads_governance
from core.store.reads import Connection
from core.store.schema import Authority, DecisionKind
from core.store.transaction import Transaction

Mode = Literal["autonomous", "escalate"]
AUTONOMOUS, ESCALATE = "autonomous", "escalate"


@dataclass(frozen=True, slots=True)
class Grant:
    """An authority in force: its number, its mode, who gave it why and when, and the scope proposal it came of."""

    id: int
    mode: str
    by: str
    reason: str
    at: int
    proposal: int | None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of decision and the authority in force over it; `grant` is the newest one as it was given."""

    agent: str
    key: str
    title: str
    impact: int
    reversible: bool
    ceiling: str | None
    mode: str
    grant: Grant | None

    @property
    def limit(self) -> str | None:
        """Why no record makes it autonomous, in words that follow its name; None where one may."""
        if self.ceiling is not None:
            return "has a ceiling, which no record lifts"
        return None if self.reversible else "cannot be undone, so it always waits for a person"


def in_force(reader: Connection, agent: str, kind: str) -> Grant | None:
    """The newest grant as it holds: autonomous only where `Kind.limit` allows it. None where nobody ever gave one."""
    found = granted(reader, agent, kind)
    if found is None or found.mode != AUTONOMOUS:
        return found
    known = next(iter(_known(reader, agent, kind)), None)
    return found if _mode(known, found) == AUTONOMOUS else replace(found, mode=ESCALATE)


def granted(reader: Connection, agent: str, kind: str) -> Grant | None:
    """The newest grant as it was given."""
    where = (Authority.agent == agent) & (Authority.kind == kind)
    row = reader.one(Authority.select(Authority.restores, *_GRANT).where(where).order_by(Authority.id.desc()).limit(1))
    if row is None:
        return None
    return Grant(*row[1:]) if row[0] is None else _numbered(reader, row[0])


def _numbered(reader: Connection, number: int) -> Grant | None:
    row = reader.one(Authority.select(*_GRANT).where(Authority.id == number))
    return None if row is None else Grant(*row)


def kinds(reader: Connection, agent: str) -> tuple[Kind, ...]:
    """The kinds that the agent's lists name, with the mode in force for each."""
    newest = _newest(reader, agent)
    return tuple(_with(kind, newest.get(kind.key)) for kind in _known(reader, agent))


def grant(
    tx: Transaction, agent: str, kind: str, mode: Mode, *, by: str, reason: str, proposal: int | None = None
) -> int:
    """Put a new grant in force. The ones before stay on the record.

    Raises UsageError when `by` is no person or says no reason, when there is no such domain agent, kind or mode, and
    when a kind that always waits for a person would become autonomous.
    """
    person = named_person(tx, by)
    if not reason.strip():
        raise UsageError(f"Say why {agent}'s authority over {one_line(kind, 64)} becomes {one_line(mode, 40)}.")
    check_grant(tx, agent, kind, mode)
    number = record(tx, agent, kind, mode, by=person, reason=reason, proposal=proposal)
    tx.event("authority.granted", agent=agent, kind=kind, mode=mode, by=person)
    return number


def restore(
    tx: Transaction, agent: str, kind: str, former: int | None, *, by: str, reason: str, proposal: int | None = None
) -> None:
    """Put the grant with the number `former` in force again as it was, or none. What came after it stays on the record.

    Raises UsageError as `grant` does.
    """
    person, elder = named_person(tx, by), _numbered(tx, former or 0)
    mode = elder.mode if elder is not None else ESCALATE
    check_grant(tx, agent, kind, mode)
    record(tx, agent, kind, mode, by=person, reason=reason, proposal=proposal, restores=former or 0)
    tx.event("authority.put_back", agent=agent, kind=kind, mode=mode, by=person)


def check_grant(reader: Connection, agent: str, kind: str, mode: str) -> None:
    """Raises UsageError for a grant that must not be given, whoever gives it."""
    if mode not in (AUTONOMOUS, ESCALATE):
        raise UsageError(f"An authority is {AUTONOMOUS!r} or {ESCALATE!r}, not {one_line(mode, 40)!r}.")
    _check_agent(reader, agent)
    found = next(iter(_known(reader, agent, kind)), None)
    if found is None:
        from core.registry.documents import did_you_mean  # brings a YAML parser along

        hint = did_you_mean(kind, [k.key for k in _known(reader, agent)]) or f"; `apm agents show {agent}` lists them."
        raise UsageError(f"No list of {agent} names the kind {one_line(kind, 64)!r}, so it escalates{hint}")
    if mode == AUTONOMOUS and found.limit is not None:
        raise UsageError(f"{agent}'s {kind} {found.limit}; it stays with a person.")


def _check_agent(reader: Connection, agent: str) -> None:
    row = reads.agent(reader, agent)
    if row is None or row.agent_type != "domain" or not row.is_active:
        domain = [a.role for a in reads.agents(reader) if a.agent_type == "domain"]
        known = f"known are {', '.join(domain)}" if domain else "`apm agents import` brings the team in"
        raise UsageError(f"There is no domain agent {one_line(agent, 64)!r}; {known}.")


def record(tx: Transaction, agent: str, kind: str, mode: str, *, by: str, reason: str, **more: int | None) -> int:
    """The grant's row alone, unchecked, as an import of the team's files writes it; the caller writes the event."""
    return tx.insert(Authority, agent=agent, kind=kind, mode=mode, at=tx.now, by=by, reason=reason, **more)


_GRANT: tuple[Any, ...] = (
    Authority.id,
    Authority.mode,
    Authority.by,
    Authority.reason,
    Authority.at,
    Authority.proposal,
)


def _newest(reader: Connection, agent: str) -> Mapping[str, Grant]:
    """The newest grant of each of the agent's kinds."""
    numbers = Authority.select(fn.MAX(Authority.id)).where(Authority.agent == agent).group_by(Authority.kind)
    query = Authority.select(Authority.kind, *_GRANT).where(Authority.id.in_(reads_governance.in_force(numbers)))
    return {kind: Grant(*rest) for kind, *rest in reader.rows(query)}


def _known(reader: Connection, agent: str, key: str | None = None) -> tuple[Kind, ...]:
    """The kinds that the agent's lists name, or that one of them, as if nobody had granted anything."""
    query = DecisionKind.select(
        DecisionKind.key, DecisionKind.title, DecisionKind.impact, DecisionKind.reversible, DecisionKind.ceiling
    ).where((DecisionKind.agent == agent) & DecisionKind.is_active)
    if key is not None:
        query = query.where(DecisionKind.key == key)
    return tuple(
        Kind(agent, key, title, impact, bool(reversible), ceiling, ESCALATE, None)
        for key, title, impact, reversible, ceiling in reader.rows(query.order_by(DecisionKind.id))
    )


def _with(kind: Kind, newest: Grant | None) -> Kind:
    return replace(kind, mode=_mode(kind, newest), grant=newest)


def _mode(kind: Kind | None, newest: Grant | None) -> str:
    """The one rule: what was granted last, where the kind may be autonomous at all."""
    if kind is None or newest is None or kind.limit is not None:
        return ESCALATE
    return AUTONOMOUS if newest.mode == AUTONOMOUS else ESCALATE
