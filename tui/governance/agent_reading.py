"""What the agents' screen reads: who is in the team and what each has done, and everything about one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.governance.authority import Kind, kinds
from core.governance.context import ContextFiles, context_files
from core.governance.performance import Performance, performance
from core.store import reads, reads_team
from core.store.reads import Connection, build, select
from core.store.rows import AgentRow, CounterRow, DelegationRow, LiveRow
from core.store.schema import Delegation
from tui.governance.tiers import Task, team
from tui.text.words import DAY

MOST_RUNS = 30
LOOKED_AT = 20_000
"""Of all delegations the newest, among which those of one agent are looked for: there is no index by agent."""


@dataclass(frozen=True, slots=True)
class TeamRow:
    """An agent with what it does now, and how often it ran and failed today and ever."""

    agent: AgentRow
    state: str
    tasks: tuple[Task, ...]
    runs_today: int
    ever: CounterRow | None

    @property
    def role(self) -> str:
        return self.agent.role


@dataclass(frozen=True, slots=True)
class SeenAgent:
    """An agent with its authority and what it did with it, where it is a domain agent, and its newest delegations."""

    row: TeamRow
    kinds: tuple[Kind, ...]
    performance: Performance | None
    runs: tuple[DelegationRow, ...]


def read_team(reader: Connection, live: LiveRow, now: int) -> tuple[TeamRow, ...]:
    """Everybody, tier by tier; those that the team's files no longer name at the end."""
    agents = reads.agents(reader, active_only=False)
    today, ever = reads.counters(reader, day=now // DAY), reads.counters(reader)
    active = [agent for agent in agents if agent.is_active]
    found = team(active, today, live, reads_team.askers(reader, now))
    members = [found.master, *(m for g in found.groups for m in (*g.members, *((g.head,) if g.head else ())))]
    doing = {member.role: member for member in members}

    def row(agent: AgentRow) -> TeamRow:
        member = doing.get(agent.role)
        state, tasks, runs = (member.state, member.tasks, member.runs) if member is not None else ("idle", (), 0)
        return TeamRow(agent, state, tasks, runs, ever.get(agent.role))

    return tuple(row(agent) for agent in sorted(agents, key=lambda agent: not agent.is_active))


def read_agent(reader: Connection, row: TeamRow) -> SeenAgent:
    is_domain = row.agent.agent_type == "domain"
    return SeenAgent(
        row,
        kinds(reader, row.role) if is_domain else (),
        performance(reader, row.role) if is_domain else None,
        _runs(reader, row.role),
    )


def _runs(reader: Connection, role: str) -> tuple[DelegationRow, ...]:
    [(newest,)] = reader.sql("SELECT COALESCE(MAX(id), 0) FROM delegations")
    query = select(DelegationRow, Delegation).where((Delegation.agent == role) & (Delegation.id > newest - LOOKED_AT))
    return build(DelegationRow, Delegation, reader.rows(query.order_by(Delegation.id.desc()).limit(MOST_RUNS)))


def read_folders(reader: Connection, folder: Path) -> Mapping[str, Path]:
    """Where a domain agent's documents are looked for, by name: the workspace and its projects."""
    return {"": folder, **{p.name: Path(p.path) for p in reads.projects(reader)}}


def documents_of(agent: AgentRow, folders: Mapping[str, Path]) -> ContextFiles:
    """Looks at the disk; not to be done on the event loop."""
    return context_files(folders, agent.parameters.get("context", ()))
