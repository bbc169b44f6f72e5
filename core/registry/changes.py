"""What an import would change: the team as the database has it against the team as its files say.

`changes` is pure. An import applies exactly what it finds, so what was shown is what happens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.contract import Json
from core.registry.columns import FILE_KEYS, agent_columns, file_values, kind_columns
from core.store.rows import AgentRow

if TYPE_CHECKING:
    from core.registry.catalog import Agent, Catalog
    from core.registry.schema import DecisionKind

BY_FILE = "agents.yaml"
"""Who stands behind an authority that nobody but the file has given."""

AUTONOMOUS, ESCALATE, CEILING, ABSENT = "autonomous", "escalate", "ceiling", "absent"
"""What the files say of a kind: on which list it stands, that it can never be autonomous, or nothing."""

Pair = tuple[str, str]
"""A domain agent and the key of a kind."""


@dataclass(frozen=True, slots=True)
class KnownKind:
    """A kind of decision as the database has it."""

    id: int
    columns: Json


@dataclass(frozen=True, slots=True)
class KnownGrant:
    """The newest grant over a kind, as it was given."""

    id: int
    mode: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Known:
    """The team as the database has it. `said` is what the files said of each kind when they were imported last."""

    agents: Mapping[str, AgentRow] = field(default_factory=dict)
    kinds: Mapping[Pair, KnownKind] = field(default_factory=dict)
    grants: Mapping[Pair, KnownGrant] = field(default_factory=dict)
    said: Mapping[Pair, str] = field(default_factory=dict)
    sections: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AgentChange:
    """An agent that is "added", "changed", "inactive" or "back"; `keys` are the file's, each with old and new value.

    `columns` are what the row `id` has to become; None for a row that is new.
    """

    what: str
    role: str
    keys: Mapping[str, tuple[Any, Any]]
    columns: Json
    id: int | None


@dataclass(frozen=True, slots=True)
class KindChange:
    """A kind of decision that is "added", "changed" or "gone"."""

    what: str
    agent: str
    kind: str
    keys: Mapping[str, tuple[Any, Any]]
    columns: Json
    id: int | None


@dataclass(frozen=True, slots=True)
class AuthorityChange:
    """An authority that the files give, or give anew; `old` is None where there was none."""

    agent: str
    kind: str
    old: str | None
    new: str
    reason: str


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A grant that somebody gave, and what the files say now instead."""

    agent: str
    kind: str
    title: str
    grant: KnownGrant
    says: str


@dataclass(frozen=True, slots=True)
class SectionChange:
    """A value outside of the agents, by its dotted place."""

    place: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Changes:
    """What an import changes. `standing` are all kinds whose grant the files contradict, asked about or not."""

    agents: tuple[AgentChange, ...] = ()
    kinds: tuple[KindChange, ...] = ()
    authority: tuple[AuthorityChange, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    sections: tuple[SectionChange, ...] = ()
    standing: frozenset[Pair] = frozenset()

    @property
    def is_empty(self) -> bool:
        return not (self.agents or self.kinds or self.authority or self.contradictions or self.sections)

    def of(self, what: str) -> tuple[AgentChange, ...]:
        return tuple(a for a in self.agents if a.what == what)


def changes(known: Known, catalog: Catalog) -> Changes:
    """What importing the catalog changes."""
    said = statements(catalog)
    return Changes(
        agents=tuple(_agents(known, catalog)),
        kinds=tuple(_kinds(known, catalog)),
        authority=tuple(_authority(known, said)),
        contradictions=tuple(_contradictions(known, said, _titles(known, catalog))),
        sections=tuple(_sections((), known.sections, catalog.sections())) if known.sections else (),
        standing=frozenset(pair for pair, grant in known.grants.items() if _is_contradicted(grant, pair, said)),
    )


def statements(catalog: Catalog) -> dict[Pair, str]:
    """What the files say of every kind that they name."""
    return {
        (agent.role, kind.key): CEILING if kind.ceiling else mode
        for agent in catalog.agents.values()
        for mode, kind in _listed(agent)
    }


def mode_of(statement: str) -> str:
    """The mode that a statement comes to: a kind that no list names escalates."""
    return AUTONOMOUS if statement == AUTONOMOUS else ESCALATE


def _listed(agent: Agent) -> Iterator[tuple[str, DecisionKind]]:
    if agent.authority is not None:
        yield from ((AUTONOMOUS, kind) for kind in agent.authority.autonomous)
        yield from ((ESCALATE, kind) for kind in agent.authority.escalate)


def _agents(known: Known, catalog: Catalog) -> Iterator[AgentChange]:
    for role, agent in catalog.agents.items():
        columns = agent_columns(agent, str(catalog.origins[role]))
        row = known.agents.get(role)
        if row is None:
            yield AgentChange("added", role, {}, columns, None)
            continue
        old, new = file_values(row), file_values(agent)
        keys = {key: (old[key], new[key]) for key in FILE_KEYS if old[key] != new[key]}
        if row.origin != columns["origin"]:
            keys["origin"] = (row.origin, columns["origin"])
        if keys or not row.is_active:
            yield AgentChange("changed" if row.is_active else "back", role, keys, columns, row.id)
    for role, row in known.agents.items():
        if row.is_active and role not in catalog.agents:
            yield AgentChange("inactive", role, {}, {"is_active": False}, row.id)


def _kinds(known: Known, catalog: Catalog) -> Iterator[KindChange]:
    named: set[Pair] = set()
    for agent in catalog.agents.values():
        for _, kind in _listed(agent):
            pair = (agent.role, kind.key)
            named.add(pair)
            columns, row = kind_columns(kind), known.kinds.get(pair)
            if row is None or not row.columns["is_active"]:
                yield KindChange("added", *pair, {}, columns, row.id if row else None)
            elif row.columns != columns:
                keys = {k: (row.columns[k], columns[k]) for k in columns if row.columns[k] != columns[k]}
                yield KindChange("changed", *pair, keys, columns, row.id)
    for pair, row in known.kinds.items():
        if row.columns["is_active"] and pair not in named and not _is_held(known.grants.get(pair)):
            yield KindChange("gone", *pair, {}, {"is_active": False}, row.id)


def _is_held(grant: KnownGrant | None) -> bool:
    """Whether somebody has made the kind autonomous: then it stays in force until somebody takes that back."""
    return grant is not None and grant.by != BY_FILE and grant.mode == AUTONOMOUS


def _authority(known: Known, said: Mapping[Pair, str]) -> Iterator[AuthorityChange]:
    for pair, statement in said.items():
        grant, mode = known.grants.get(pair), mode_of(statement)
        if grant is None:
            yield AuthorityChange(*pair, None, mode, "as first imported")
        elif grant.by == BY_FILE and grant.mode != mode:
            yield AuthorityChange(*pair, grant.mode, mode, "as the file says now")
    for pair, grant in known.grants.items():
        if pair not in said and (grant.by, grant.mode) == (BY_FILE, AUTONOMOUS):
            yield AuthorityChange(*pair, AUTONOMOUS, ESCALATE, "the file no longer names this kind")


def _contradictions(known: Known, said: Mapping[Pair, str], titles: Mapping[Pair, str]) -> Iterator[Contradiction]:
    """Grants that the files have begun to contradict: what they said already is no news, and was asked then."""
    for pair, grant in known.grants.items():
        statement = said.get(pair, ABSENT)
        if _is_contradicted(grant, pair, said) and statement != known.said.get(pair, ABSENT):
            yield Contradiction(*pair, titles.get(pair, pair[1]), grant, statement)


def _is_contradicted(grant: KnownGrant, pair: Pair, said: Mapping[Pair, str]) -> bool:
    return grant.by != BY_FILE and mode_of(said.get(pair, ABSENT)) != grant.mode


def _titles(known: Known, catalog: Catalog) -> dict[Pair, str]:
    now = {(a.role, kind.key): kind.title for a in catalog.agents.values() for _, kind in _listed(a)}
    return {pair: str(kind.columns["title"]) for pair, kind in known.kinds.items()} | now


def _sections(place: tuple[str, ...], old: Any, new: Any) -> Iterator[SectionChange]:
    """Values that differ, as deep as both sides are mappings; lists of rules go by the rules' ids."""
    old, new = _by_id(old), _by_id(new)
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in (*new, *(k for k in old if k not in new)):
            yield from _sections((*place, key), old.get(key), new.get(key))
    elif old != new:
        yield SectionChange(".".join(place), old, new)


def _by_id(value: Any) -> Any:
    if isinstance(value, list) and value and all(isinstance(v, Mapping) and "id" in v for v in value):
        return {v["id"]: v for v in value}
    return value
