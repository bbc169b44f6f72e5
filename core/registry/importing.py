"""From a checked catalog to the tables of agents and kinds: what the database has, and what it is to become."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peewee import fn

from core.contract import Json
from core.registry.changes import BY_FILE, CEILING, Changes, Known, KnownGrant, KnownKind, statements
from core.registry.columns import KIND_KEYS
from core.store import reads, reads_governance
from core.store.reads import Connection
from core.store.schema import Agent, Authority, DecisionKind
from core.store.settings import keep_setting, read_setting
from core.store.transaction import Transaction

if TYPE_CHECKING:
    from core.registry.catalog import Catalog

MEMORY = "agents.imported"
"""The setting that holds what was imported last: the files' digest, what they said of each kind, and their sections."""

REFUSED = "agents.refused"
"""The setting that holds the files that could not be brought in: their digest, and why. Empty once they are mended."""


def read_memory(reader: Connection) -> Json:
    """What is remembered of the last import; empty before the first.

    `digest`, `said`, `sections` of the files, and `grants`: the number of the newest grant at that time.
    """
    return dict(read_setting(reader, MEMORY) or {})


def read_refused(reader: Connection) -> str:
    """Why the team's files, as they were seen last, could not be brought in; empty when they were."""
    return str((read_setting(reader, REFUSED) or {}).get("why", ""))


def refuse(tx: Transaction, digest: str | None, why: str) -> None:
    """Keep that files could not be brought in, with one event for each that is broken in another way."""
    broken = {"digest": digest, "why": why}
    if read_setting(tx, REFUSED) != broken:
        keep_setting(tx, REFUSED, broken)
        tx.event("agents.refused", digest=digest, why=why)


def accept(tx: Transaction) -> None:
    """Keep that the files are in order again."""
    if read_setting(tx, REFUSED):
        keep_setting(tx, REFUSED, {})
        tx.event("agents.mended")


def read_known(reader: Connection) -> Known:
    """The team as the database has it."""
    kinds = _kinds(reader)
    grants = _grants(reader, Authority.select(fn.MAX(Authority.id)))
    memory = read_memory(reader)
    said = {
        (agent, kind): text for agent, kinds_of in memory.get("said", {}).items() for kind, text in kinds_of.items()
    }
    if not memory:
        # Before imports were remembered, the file's own grants were all that it left.
        own = _grants(reader, Authority.select(fn.MAX(Authority.id)).where(Authority.by == BY_FILE))
        said = {p: CEILING if p in kinds and kinds[p].columns["ceiling"] else grant.mode for p, grant in own.items()}
    return Known(
        agents={agent.role: agent for agent in reads.agents(reader, active_only=False)},
        kinds=kinds,
        grants=grants,
        said=said,
        sections=memory.get("sections", {}),
    )


def apply(tx: Transaction, found: Changes) -> None:
    """Bring the rows of agents and kinds to what was found. The caller writes the event that carries them.

    Nobody is deleted: agents and kinds that are gone become inactive and keep their history.
    """
    for agent in found.agents:
        if agent.id is None:
            tx.insert(Agent, **agent.columns)
        else:
            tx.update(Agent, agent.id, **agent.columns)
    for kind in found.kinds:
        if kind.id is None:
            tx.insert(DecisionKind, agent=kind.agent, key=kind.kind, **kind.columns)
        else:
            tx.update(DecisionKind, kind.id, **kind.columns)


def remember(tx: Transaction, catalog: Catalog) -> None:
    """Keep what was imported, for the next time. The caller writes the event that carries it."""
    said: dict[str, dict[str, str]] = {}
    for (agent, kind), statement in statements(catalog).items():
        said.setdefault(agent, {})[kind] = statement
    [(grants,)] = tx.sql("SELECT COALESCE(MAX(id), 0) FROM authority")
    memory = {"digest": catalog.digest, "said": said, "sections": catalog.sections(), "grants": grants}
    keep_setting(tx, MEMORY, memory)


def _kinds(reader: Connection) -> dict[tuple[str, str], KnownKind]:
    names = (*KIND_KEYS, "is_active")
    columns = [DecisionKind._meta.fields[n] for n in ("id", "agent", "key", *names)]
    found = {}
    for number, agent, key, *values in reader.rows(DecisionKind.select(*columns).order_by(DecisionKind.id)):
        row: Json = dict(zip(names, values, strict=True))
        row |= {name: bool(row[name]) for name in ("reversible", "is_active")}
        found[agent, key] = KnownKind(number, row)
    return found


def _grants(reader: Connection, newest: Any) -> dict[tuple[str, str], KnownGrant]:
    """The grants in force by the newest among those that the query is about."""
    numbers = newest.group_by(Authority.agent, Authority.kind)
    query = Authority.select(
        Authority.agent, Authority.kind, Authority.id, Authority.mode, Authority.by, Authority.reason
    ).where(Authority.id.in_(reads_governance.in_force(numbers)))
    return {(agent, kind): KnownGrant(*rest) for agent, kind, *rest in reader.rows(query.order_by(Authority.id))}
