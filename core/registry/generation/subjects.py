"""What a template may say of an agent, derived from the agents' rows and nothing else.

The order of subjects, and of every list in them, follows from their content: row numbers differ between machines,
generated files must not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, cast

from core.phases import PHASE_BY_CODE, PHASES
from core.registry.schema import CRITERIA
from core.sanitise import sanitise
from core.store.rows import AgentRow

HANDS = ("edit", "write", "run")
"""Tools that can change something."""

EVERYWHERE = "context-delivery"
"""The sub-agent that serves every phase."""

Kind = Literal["master", "orchestrator", "sub-agent", "specialist", "utility", "domain"]
_KINDS: tuple[Kind, ...] = ("master", "orchestrator", "sub-agent", "specialist", "utility", "domain")
_PHASE_ORDER = {phase.code: n for n, phase in enumerate(PHASES)}
_STEP_ORDER = {role: n for phase in PHASES for n, role in enumerate(phase.roles)}
_NONCHARACTERS = re.compile("[\ufffe\uffff]")


class KindInForce(Protocol):
    """A kind of decision with the mode that holds for it now; `core.governance.authority.Kind` is one."""

    @property
    def key(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def impact(self) -> int: ...
    @property
    def reversible(self) -> bool: ...
    @property
    def mode(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Decision:
    """A kind of decision as a generated file lists it."""

    key: str
    title: str
    impact: int
    reversible: bool


@dataclass(frozen=True, slots=True)
class Powers:
    """What a domain agent settles itself and what it must pass on, both by impact, the heaviest first."""

    autonomous: tuple[Decision, ...]
    escalate: tuple[Decision, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """An agent as templates see it. Its texts hold nothing invisible; `description` and `display_name` are one line.

    `kind` is the agent's type, except that the orchestrator of tier 1 is `master`. `tools` are apm's own words; an
    agent that has nobody to delegate to has no `delegate` among them. `gate` holds the criteria of an orchestrator's
    own gate, `stand_ins` (role served, specialists) for those it may put in a sub-agent's place.
    """

    role: str
    display_name: str
    description: str
    kind: Kind
    type: str
    tier: int
    phase: str | None
    phase_title: str
    capabilities: tuple[str, ...]
    technologies: tuple[str, ...]
    serves: tuple[str, ...]
    tools: tuple[str, ...]
    model: str | None
    sop: str
    skill: bool
    runtime: str
    delegates_to: tuple[str, ...]
    stand_ins: tuple[tuple[str, tuple[str, ...]], ...]
    authority: Powers | None
    gate: tuple[str, ...]

    @property
    def changes_things(self) -> bool:
        return any(tool in HANDS for tool in self.tools)


def subjects(
    rows: Iterable[AgentRow], authorities: Mapping[str, Sequence[KindInForce]] | None = None
) -> tuple[Subject, ...]:
    """The agents as templates see them, tier by tier and phase by phase.

    `rows` are all agents that are generated together: who may delegate to whom is derived among them alone.
    `authorities` holds the kinds of decision of each domain agent with the modes in force.
    """
    team = sorted(rows, key=_place)
    given = authorities or {}
    return tuple(_subject(row, team, given.get(row.role, ())) for row in team)


def _place(row: AgentRow) -> tuple[int, int, int, int, str]:
    phase = _PHASE_ORDER.get(row.phase or "", len(PHASES))
    return row.tier, _KINDS.index(_kind(row)), phase, _STEP_ORDER.get(row.role, len(_STEP_ORDER)), row.role


def _kind(row: AgentRow) -> Kind:
    return "master" if row.agent_type == "orchestrator" and row.tier == 1 else cast("Kind", row.agent_type)


def _subject(row: AgentRow, team: Sequence[AgentRow], kinds: Sequence[KindInForce]) -> Subject:
    delegates, kind = _delegates(row, team), _kind(row)
    phase = PHASE_BY_CODE.get(row.phase or "")
    return Subject(
        role=row.role,
        display_name=_line(row.display_name),
        description=_line(row.description),
        kind=kind,
        type=row.agent_type,
        tier=row.tier,
        phase=row.phase,
        phase_title=phase.title if phase else "",
        capabilities=tuple(row.capabilities),
        technologies=tuple(row.technologies),
        serves=tuple(row.serves),
        tools=tuple(tool for tool in row.tools if tool != "delegate" or delegates),
        model=_line(row.model) if row.model else None,
        sop=_text(row.sop_content),
        skill=bool(row.skill),
        runtime=row.runtime,
        delegates_to=delegates,
        stand_ins=_stand_ins(row, team),
        authority=_powers(kinds) if row.agent_type == "domain" else None,
        gate=CRITERIA.get(row.phase or "", ()) if kind == "orchestrator" else (),
    )


def _delegates(row: AgentRow, team: Sequence[AgentRow]) -> tuple[str, ...]:
    """Roles that an agent may ask: the master its orchestrators and the domain agents, an orchestrator its phase."""
    if row.agent_type != "orchestrator":
        return ()
    if row.tier == 1:
        return tuple(a.role for a in team if a.tier == 2 or a.agent_type == "domain")
    own = _phase_roles(row)
    near = {*own, EVERYWHERE}
    return tuple(
        a.role
        for a in team
        if a.role in near
        or a.agent_type == "utility"
        or (a.agent_type == "specialist" and not own.isdisjoint(a.serves))
    )


def _phase_roles(row: AgentRow) -> frozenset[str]:
    phase = PHASE_BY_CODE.get(row.phase or "")
    return frozenset(phase.roles) if phase else frozenset()


def _stand_ins(row: AgentRow, team: Sequence[AgentRow]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if _kind(row) != "orchestrator":
        return ()
    specialists = [a for a in team if a.agent_type == "specialist"]
    served = ((role, tuple(a.role for a in specialists if role in a.serves)) for role in _phase_order(row))
    return tuple((role, stand_ins) for role, stand_ins in served if stand_ins)


def _phase_order(row: AgentRow) -> tuple[str, ...]:
    phase = PHASE_BY_CODE.get(row.phase or "")
    return phase.roles if phase else ()


def _powers(kinds: Sequence[KindInForce]) -> Powers:
    def of(mode: str) -> tuple[Decision, ...]:
        chosen = (Decision(k.key, _line(k.title), k.impact, k.reversible) for k in kinds if k.mode == mode)
        return tuple(sorted(chosen, key=lambda d: (-d.impact, d.key)))

    return Powers(of("autonomous"), of("escalate"))


def _text(text: str) -> str:
    """What a reader can see of a text, without the two characters that XML has no way to write."""
    return _NONCHARACTERS.sub("", sanitise(text, limit=len(text)))


def _line(text: str) -> str:
    return " ".join(_text(text).split())
