"""The tier tree as rows: who is in the team, what each does at this moment, and how often today."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from core.phases import PHASES
from core.sanitise import one_line

if TYPE_CHECKING:
    from core.store.rows import AgentRow, CounterRow, LiveRow

MOST_TELLING = 3
"""Delegations of one agent that have a row of their own."""
STATES = ("failed", "asking", "running", "idle")
"""What an agent may be doing; a group shows the first of these that one of its members is in."""


class Asking(Protocol):
    """Questions that need a human now, and the chain that they came up through."""

    @property
    def chain(self) -> Sequence[str]: ...
    @property
    def kind(self) -> str: ...


class Task(NamedTuple):
    """A delegation that runs; `since` in milliseconds. `doing` is "" and `tokens` 0 where it tells nothing of itself;
    `dollars` is None where no price is known."""

    work_item: int
    phase: str
    subject: str
    since: int
    doing: str = ""
    tokens: int = 0
    dollars: float | None = 0.0

    @property
    def is_telling(self) -> bool:
        return bool(self.doing or self.tokens)


class Member(NamedTuple):
    """An agent in the tree: what it does now, and how often it ran and failed today."""

    role: str
    runtime: str
    state: str
    tasks: tuple[Task, ...] = ()
    runs: int = 0
    failures: int = 0
    tokens: int = 0
    dollars: float = 0.0

    @property
    def telling(self) -> tuple[Task, ...]:
        """Its delegations that have a row of their own, for what they tell."""
        return tuple(task for task in self.tasks if task.is_telling)[:MOST_TELLING]


class Group(NamedTuple):
    """Agents under one heading; a phase's heading is its orchestrator."""

    key: str
    title: str
    members: tuple[Member, ...]
    head: Member | None = None

    @property
    def everyone(self) -> tuple[Member, ...]:
        return self.members if self.head is None else (self.head, *self.members)

    @property
    def state(self) -> str:
        found = {m.state for m in self.everyone}
        return next((s for s in STATES if s in found), "idle")

    @property
    def runs(self) -> int:
        return sum(m.runs for m in self.everyone)

    @property
    def failures(self) -> int:
        return sum(m.failures for m in self.everyone)

    @property
    def tokens(self) -> int:
        return sum(m.tokens for m in self.everyone)

    @property
    def dollars(self) -> float:
        return sum(m.dollars for m in self.everyone)

    @property
    def height(self) -> int:
        """Rows that it takes when it stands open, without its heading."""
        return len(self.members) + sum(len(m.telling) for m in self.members)

    @property
    def tasks(self) -> tuple[Task, ...]:
        return tuple(task for m in self.members for task in m.tasks)

    @property
    def is_telling(self) -> bool:
        return any(m.telling for m in self.members)

    @property
    def is_active(self) -> bool:
        return self.state != "idle"


class TierRow(NamedTuple):
    """A row of the tree. `group` is the key of the group that it heads or belongs to; `teller` is whose delegation it
    tells of, where it is no agent's own row."""

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
    tokens: int = 0
    dollars: float = 0.0
    teller: str = ""


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
        today = (done.runs, done.failures, done.tokens, done.cost) if done else (0, 0, 0, 0.0)
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
        place = int(told.get("work_item", 0)), str(told.get("phase", "")), str(told.get("subject", ""))
        task = Task(*place, int(told["since"]), *told_of(told))
        found.setdefault(str(told.get("agent", "")), []).append(task)
    return {agent: tuple(tasks) for agent, tasks in found.items()}


def told_of(told: Mapping[str, Any]) -> tuple[str, int, float | None]:
    """What a running delegation tells: what it does, tokens, dollars. Another process may have written it."""
    tokens, dollars = told.get("tokens"), told.get("dollars", 0.0)
    return (
        one_line(str(told.get("doing") or "")),
        tokens if isinstance(tokens, int) and tokens > 0 else 0,
        float(dollars) if isinstance(dollars, int | float) else None,
    )


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
    groups: Sequence[Group],
    height: int,
    chosen: Mapping[str, bool],
    cursor_in: str | None = None,
    before: Collection[str] = (),
) -> frozenset[str]:
    """Which groups stand open in `height` rows, where those of `before` did.

    What a person folded or unfolded stays so. Of the others those that tell what they do come first, then those at
    work, then the one that holds the cursor, then those that stand open already, so that a row that comes and goes
    does not fold one group for another, then the rest in order, as long as every row of the tree stays in sight.
    """
    opened = {key for key, is_open in chosen.items() if is_open}
    used = 1 + len(groups) + sum(g.height for g in groups if g.key in opened)
    free = [g for g in groups if g.key not in chosen]
    for group in sorted(
        free, key=lambda g: (not g.is_telling, not g.is_active, g.key != cursor_in, g.key not in before)
    ):
        if group.key == "specialist" and not group.is_active:
            continue
        if used + group.height <= height or group.key == cursor_in:
            opened.add(group.key)
            used += group.height
    return frozenset(opened)


def tier_rows(found: Team, opened: Collection[str]) -> tuple[TierRow, ...]:
    """The rows of the tree with these groups open."""
    master = found.master
    made = [_row(master, "")._replace(is_heading=True)]
    for group in found.groups:
        is_open = group.key in opened
        today = (group.runs, group.failures)
        heading = TierRow(f"group:{group.key}", group.key, group.title, group.state, *today, group.tasks)
        made.append(
            heading._replace(is_heading=True, is_open=is_open, tokens=group.tokens, dollars=group.dollars),
        )
        members = group.members if is_open else ()
        for n, member in enumerate(members, 1):
            made.append(_row(member, group.key)._replace(is_last=n == len(members)))
            made += _telling(made[-1], member)
    return tuple(made)


def _row(member: Member, group: str) -> TierRow:
    row = TierRow(member.role, group, member.role, member.state, member.runs, member.failures, member.tasks)
    return row._replace(runtime=member.runtime, tokens=member.tokens, dollars=member.dollars)


def _telling(own: TierRow, member: Member) -> list[TierRow]:
    """A row for each of its delegations that tells what it does or has used."""
    made = []
    for task in member.telling:
        key = f"{member.role} #{task.work_item} {task.phase} {task.subject}"
        made.append(own._replace(key=key, title=task.doing, tasks=(task,), teller=member.role))
    return made
