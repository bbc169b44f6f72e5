"""The tier tree as rows: who is in the team, what each does at this moment, and how often today."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from core.phases import PHASES

if TYPE_CHECKING:
    from core.store.rows import AgentRow, CounterRow, LiveRow

STATES = ("failed", "asking", "running", "idle")
"""What an agent may be doing; a group shows the first of these that one of its members is in."""


class Asking(Protocol):
    """Questions that need a human now, and the chain that they came up through."""

    @property
    def chain(self) -> Sequence[str]: ...
    @property
    def kind(self) -> str: ...


class Task(NamedTuple):
    """A delegation that runs; `since` in milliseconds."""

    work_item: int
    phase: str
    subject: str
    since: int


class Member(NamedTuple):
    """An agent in the tree: what it does now, and how often it ran and failed today."""

    role: str
    runtime: str
    state: str
    tasks: tuple[Task, ...] = ()
    runs: int = 0
    failures: int = 0


class Group(NamedTuple):
    """Agents under one heading; a phase's heading is its orchestrator."""

    key: str
    title: str
    members: tuple[Member, ...]
    head: Member | None = None

    @property
    def state(self) -> str:
        found = {m.state for m in (*self.members, *((self.head,) if self.head else ()))}
        return next((s for s in STATES if s in found), "idle")

    @property
    def runs(self) -> int:
        return sum(m.runs for m in self.members)

    @property
    def failures(self) -> int:
        return sum(m.failures for m in self.members)

    @property
    def tasks(self) -> tuple[Task, ...]:
        return tuple(task for m in self.members for task in m.tasks)

    @property
    def is_active(self) -> bool:
        return self.state != "idle"


class TierRow(NamedTuple):
    """A row of the tree. `group` is the key of the group that it heads or belongs to."""

    key: str
    group: str
    title: str
    state: str
    runs: int = 0
    failures: int = 0
    tasks: tuple[Task, ...] = ()
    runtime: str = ""
    is_heading: bool = False
    is_open: bool = False
    is_last: bool = False


class Team(NamedTuple):
    master: Member
    groups: tuple[Group, ...]


NO_TEAM = Team(Member("master-orchestrator", "tool", "idle"), ())


def asker(question: Asking, tiers: Mapping[str, int]) -> str:
    """Who asks: the last of the chain that is no orchestrator, which only passes questions on."""
    below = [role for role in question.chain if tiers.get(role, 3) == 3]
    return (below or question.chain or [""])[-1]


def team(
    agents: Sequence[AgentRow],
    counters: Mapping[str, CounterRow],
    live: LiveRow,
    asked: Iterable[Asking],
) -> Team:
    """Everybody, in the order in which work passes them. `asked` is what needs a human now."""
    tiers = {a.role: a.tier for a in agents}
    running = running_tasks(live)
    asking, failed = set[str](), set[str]()
    for question in asked:
        (failed if question.kind == "error" else asking).add(asker(question, tiers))

    def member(agent: AgentRow) -> Member:
        role = agent.role
        state = "idle"
        for name, having in (("running", running), ("asking", asking), ("failed", failed)):
            state = name if role in having else state
        done = counters.get(role)
        today = (done.runs, done.failures) if done else (0, 0)
        return Member(role, agent.runtime, state, running.get(role, ()), *today)

    by_role = {a.role: member(a) for a in agents}
    groups = [_phase_group(phase.code, phase.title, phase.orchestrator, phase.roles, by_role) for phase in PHASES]
    placed = {m.role for g in groups for m in g.members} | {p.orchestrator for p in PHASES}
    for key, title, types in _OTHERS:
        rest = [by_role[a.role] for a in agents if a.agent_type in types and a.tier != 1 and a.role not in placed]
        groups.append(Group(key, title, tuple(rest)))
    master = next((by_role[a.role] for a in agents if a.tier == 1), NO_TEAM.master)
    busy = any(g.state == "running" for g in groups)
    master = master._replace(state="running" if busy or live.work_items else master.state)
    return Team(master, tuple(g for g in groups if g.members or g.head))


def running_tasks(live: LiveRow) -> dict[str, tuple[Task, ...]]:
    """What runs at this moment, by agent; of each agent the longest first."""
    found: dict[str, list[Task]] = {}
    for told in sorted(live.delegations, key=lambda d: int(d.get("since", 0))):
        task = Task(
            int(told.get("work_item", 0)), str(told.get("phase", "")), str(told.get("subject", "")), int(told["since"])
        )
        found.setdefault(str(told.get("agent", "")), []).append(task)
    return {agent: tuple(tasks) for agent, tasks in found.items()}


_OTHERS = (
    ("domain", "Domain agents", ("domain",)),
    ("utility", "Utilities", ("utility", "sub-agent")),
    ("specialist", "Specialists", ("specialist",)),
)


def _phase_group(code: str, title: str, head: str, roles: Sequence[str], by_role: Mapping[str, Member]) -> Group:
    members = tuple(by_role[role] for role in roles if role in by_role)
    return Group(code, f"{code} {title}", members, by_role.get(head))


def only(found: Team, roles: Collection[str]) -> Team:
    """The part of the team with these roles: groups keep those of their members, and go when none is left."""
    groups = (g._replace(members=tuple(m for m in g.members if m.role in roles)) for g in found.groups)
    return Team(found.master, tuple(g for g in groups if g.members or (g.head and g.head.role in roles)))


def open_groups(
    groups: Sequence[Group], height: int, chosen: Mapping[str, bool], cursor_in: str | None = None
) -> frozenset[str]:
    """Which groups stand open in `height` rows.

    What a person folded or unfolded stays so. Of the others those at work come first, then the one that holds the
    cursor, then the rest in order, as long as every row of the tree stays in sight.
    """
    opened = {key for key, is_open in chosen.items() if is_open}
    used = 1 + len(groups) + sum(len(g.members) for g in groups if g.key in opened)
    free = [g for g in groups if g.key not in chosen]
    for group in sorted(free, key=lambda g: (not g.is_active, g.key != cursor_in)):
        if group.key == "specialist" and not group.is_active:
            continue
        if used + len(group.members) <= height or group.key == cursor_in:
            opened.add(group.key)
            used += len(group.members)
    return frozenset(opened)


def tier_rows(found: Team, opened: Collection[str]) -> tuple[TierRow, ...]:
    """The rows of the tree with these groups open."""
    master = found.master
    made = [_row(master, "")._replace(is_heading=True)]
    for group in found.groups:
        is_open = group.key in opened
        heading = TierRow(
            f"group:{group.key}", group.key, group.title, group.state, group.runs, group.failures, group.tasks
        )
        made.append(heading._replace(is_heading=True, is_open=is_open))
        members = group.members if is_open else ()
        made += [_row(m, group.key)._replace(is_last=n == len(members)) for n, m in enumerate(members, 1)]
    return tuple(made)


def _row(member: Member, group: str) -> TierRow:
    today = (member.runs, member.failures)
    return TierRow(member.role, group, member.role, member.state, *today, member.tasks, member.runtime)
