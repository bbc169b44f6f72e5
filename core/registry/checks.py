"""Rules of `agents.yaml` that span several entries: what the schema cannot see in one place.

Each check yields the place at fault and a sentence about it; `core.registry.catalog` adds the line.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import get_args

from pydantic import ValidationError

from core.phases import PHASE_OF_ROLE, PHASES
from core.projects.stack.vocabulary import KEYS, WORDS
from core.registry import cron
from core.registry.documents import Place, did_you_mean
from core.registry.schema import CRITERIA, MODEL_RUNTIMES, AgentType, Authority, CatalogFile, Domain

_TIER_OF_TYPE: Mapping[AgentType, int] = {"sub-agent": 3, "specialist": 3, "utility": 3, "domain": 3}
_MASTER = "master-orchestrator"
_DOMAINS: tuple[str, ...] = get_args(Domain)
_UTILITIES = ("evidence-writer", "workflow-updater", "decision-recorder")
_SUB_AGENTS = tuple(role for phase in PHASES for role in phase.roles)
CODERS = ("code-implementer", "test-implementer")

Expected = tuple[AgentType, int, str | None, str]
"""Type, tier and phase that an agent must have, and who needs it."""

_REQUIRED: Mapping[str, Expected] = {
    _MASTER: ("orchestrator", 1, None, "the top of the tiers"),
    **{phase.orchestrator: ("orchestrator", 2, phase.code, f"phase {phase.code}") for phase in PHASES},
    **{role: ("sub-agent", 3, phase.code, f"phase {phase.code}") for phase in PHASES for role in phase.roles},
    "context-delivery": ("sub-agent", 3, None, "every session"),
    **dict.fromkeys(_UTILITIES, ("utility", 3, None, "every phase")),
    **dict.fromkeys(_DOMAINS, ("domain", 3, None, "decision making")),
}

_MEASURES = "what it reports is measured by code"
TOOL_ONLY: Mapping[str, str] = {
    _MASTER: "the master only routes, which code does",
    **{phase.orchestrator: "phases are conducted by code" for phase in PHASES},
    **dict.fromkeys(
        (
            *("context-assembler", "dependency-mapper", "static-analyzer", "test-runner", "threat-screener"),
            *("ac-verifier", "versioner", "changelog-curator", "deploy-orchestrator", "health-verifier"),
            *("signal-harvester", "debt-registrar"),
        ),
        _MEASURES,
    ),
    **dict.fromkeys(_UTILITIES, "the record is written by code"),
    **{phase.gate_agent: "gates are judged by code" for phase in PHASES},
}
"""Roles that only a tool executes, and why nothing else may."""


Found = Iterator[tuple[Place, str]]


def _roles(file: CatalogFile) -> Found:
    """Every role once, and every role that the product's own tables call for, as they call for it."""
    first: dict[str, int] = {}
    for n, entry in enumerate(file.agents):
        if entry.role in first:
            yield ("agents", n, "role"), f"{entry.role!r} stands twice; a role names one agent"
        first.setdefault(entry.role, n)
    strangers = set(first) - set(_REQUIRED)
    for role, (agent_type, tier, phase, needed_by) in _REQUIRED.items():
        if role not in first:
            near = re.findall(r"'(.+)'", did_you_mean(role, strangers))
            place: Place = ("agents", first[near[0]], "role") if near else ("agents",)
            hint = f"; did you mean {role!r} where {near[0]!r} stands?" if near else ""
            yield place, f"no agent has the role {role!r}, which {needed_by} needs{hint}"
            continue
        entry = file.agents[first[role]]
        for key, wanted in (("type", agent_type), ("tier", tier), ("phase", phase)):
            if (found := getattr(entry, key)) != wanted:
                yield ("agents", first[role], key), f"is {_word(found)}; for {role} it must be {_word(wanted)}"


def _word(value: object) -> str:
    return "absent" if value is None else str(value)


def _tiers(file: CatalogFile) -> Found:
    for n, entry in enumerate(file.agents):
        tier = _TIER_OF_TYPE.get(entry.type)
        if entry.role not in _REQUIRED and entry.type == "orchestrator":
            yield ("agents", n, "type"), "is orchestrator; there is one master and one orchestrator per phase, no more"
        elif entry.role not in _REQUIRED and tier != entry.tier:
            yield ("agents", n, "tier"), f"is {entry.tier}; an agent of type {entry.type} is in tier {tier}"


def _executors(file: CatalogFile) -> Found:
    for n, entry in enumerate(file.agents):
        for key, runtime in (("runtime", entry.runtime), ("fallback", entry.fallback)):
            if runtime not in (None, "tool") and entry.role in TOOL_ONLY:
                yield ("agents", n, key), f"is {runtime}; {entry.role} can only be tool: {TOOL_ONLY[entry.role]}"
            elif runtime in ("tool", "offline") and entry.role in CODERS:
                yield ("agents", n, key), f"is {runtime}, which writes no code; use human, replay or a model's runtime"
        if entry.fallback in MODEL_RUNTIMES:
            yield ("agents", n, "fallback"), f"is {entry.fallback}; a fallback serves where no model is, so needs none"


def _authorities(file: CatalogFile) -> Found:
    ceiling = min((rule.value or 10 for rule in file.escalate_first if rule.when == "impact_above"), default=10)
    for n, entry in enumerate(file.agents):
        at: Place = ("agents", n, "authority")
        if entry.type == "domain" and entry.authority is None:
            yield at, "is missing; a domain agent decides what its authority allows"
        if entry.type != "domain" and (entry.authority or entry.context):
            key = "authority" if entry.authority else "context"
            yield ("agents", n, key), "belongs to domain agents only"
        if entry.authority is not None:
            yield from ((at + place, text) for place, text in _authority(entry.authority, ceiling))


def _authority(authority: Authority, most: int) -> Found:
    seen: dict[str, str] = {}
    for mode in ("autonomous", "escalate"):
        for n, kind in enumerate(getattr(authority, mode)):
            at: Place = (mode, n)
            if seen.setdefault(kind.key, mode) != mode:
                yield (*at, "key"), f"{kind.key!r} is both autonomous and escalate; a kind is one of them"
            elif [k.key for k in getattr(authority, mode)].index(kind.key) != n:
                yield (*at, "key"), f"{kind.key!r} stands twice"
            if mode == "autonomous" and kind.ceiling:
                yield (*at, "ceiling"), "is escalate, so the kind cannot stand under autonomous"
            if mode == "autonomous" and kind.impact > most:
                yield (*at, "impact"), f"is {kind.impact}; what is above {most} always escalates"
            if not kind.reversible and kind.ceiling is None:
                yield (*at, "reversible"), "is false; what cannot be undone needs `ceiling: escalate`"


def _specialists(file: CatalogFile) -> Found:
    """A specialist stands in for sub-agents of phases, and is in the phase of the first."""
    for n, entry in enumerate(file.agents):
        if entry.serves and entry.type != "specialist":
            yield ("agents", n, "serves"), "belongs to specialists only"
            continue
        for m, role in enumerate(entry.serves):
            place: Place = ("agents", n, "serves", m)
            if role not in _SUB_AGENTS:
                yield place, f"{role!r} is no sub-agent of a phase{did_you_mean(role, _SUB_AGENTS)}"
            elif m == 0 and PHASE_OF_ROLE[role] != entry.phase:
                found = _word(entry.phase)
                yield ("agents", n, "phase"), f"is {found}; {role}, which it serves, is in phase {PHASE_OF_ROLE[role]}"


def _schedules(file: CatalogFile) -> Found:
    """Times that a clock can show: an expression of cron for each duty, in a zone that this machine knows."""
    schedules = file.defaults.schedules
    for key in ("daily_briefing", "weekly_review"):
        expression = getattr(schedules, key)
        try:
            if expression:
                cron.parse(expression)
        except cron.CronError as error:
            yield ("defaults", "schedules", key), str(error)
    if schedules.timezone != cron.LOCAL and (fault := cron.zone_fault(schedules.timezone)):
        yield ("defaults", "schedules", "timezone"), fault


def _gates(file: CatalogFile) -> Found:
    known = [f"{phase}.{name}" for phase, names in CRITERIA.items() for name in names]
    for n, rule in enumerate(file.gates.not_applicable):
        for m, name in enumerate(rule.criteria):
            if name not in known:
                at: Place = ("gates", "not_applicable", n, "criteria", m)
                yield at, f"{name!r} is no criterion of a gate{did_you_mean(name, known)}"
    for kind, phases in file.gates.by_type.items():
        for phase, figures in phases.items():
            names = list(file.gates.thresholds.of(phase).model_dump())
            for name in figures:
                if name not in names:
                    yield (
                        ("gates", "by_type", kind, phase, name),
                        f"is no threshold of {phase}{did_you_mean(name, names)}",
                    )


def range_errors(file: CatalogFile) -> Iterator[tuple[Place, ValidationError]]:
    """Figures of a type that are out of their threshold's range."""
    for kind, phases in file.gates.by_type.items():
        for phase, figures in phases.items():
            standard = file.gates.thresholds.of(phase)
            known = standard.model_dump()
            try:
                type(standard).model_validate(
                    {**known, **{k: v for k, v in figures.items() if k in known}}, strict=False
                )
            except ValidationError as error:
                yield ("gates", "by_type", kind, phase), error


_FIRST = ("milestone_tag", "impact_above")
MOST_IMPACT = 8
"""What is above it always comes to a person, at once; a team may only be stricter."""


def _escalate_first(file: CatalogFile) -> Found:
    for when in _FIRST:
        if all(rule.when != when for rule in file.escalate_first):
            yield ("escalate_first",), f"has no rule with `when: {when}`; a team may be stricter, never laxer"
    for n, rule in enumerate(file.escalate_first):
        if rule.urgency != "IMMEDIATE":
            yield ("escalate_first", n, "urgency"), f"is {rule.urgency}; what comes first is IMMEDIATE"
        if rule.value is not None and rule.value > MOST_IMPACT:
            yield ("escalate_first", n, "value"), f"is {rule.value}; it must be {MOST_IMPACT} or less"


def _rules(file: CatalogFile) -> Found:
    for n, first in enumerate(file.escalate_first):
        if (first.when == "impact_above") != (first.value is not None):
            yield ("escalate_first", n), "needs `value` with impact_above, and only there"
    for n, rule in enumerate(file.conflicts.rules):
        at: Place = ("conflicts", "rules", n)
        if rule.between[0] == rule.between[1]:
            yield (*at, "between"), f"names {rule.between[0]} twice; a conflict has two sides"
        elif rule.winner not in rule.between:
            yield (*at, "winner"), f"is {rule.winner}, which is neither {rule.between[0]} nor {rule.between[1]}"
    yield from _ids(file)


def _ids(file: CatalogFile) -> Found:
    """Every outcome names its rule, so no two rules share a name."""
    named: list[tuple[Place, str]] = [
        *((("gates", "not_applicable", n, "id"), rule.id) for n, rule in enumerate(file.gates.not_applicable)),
        *((("escalate_first", n, "id"), rule.id) for n, rule in enumerate(file.escalate_first)),
        *((("conflicts", "rules", n, "id"), rule.id) for n, rule in enumerate(file.conflicts.rules)),
        (("conflicts", "otherwise", "id"), file.conflicts.otherwise.id),
    ]
    times = Counter(name for _, name in named)
    yield from ((place, f"{name!r} names {times[name]} rules") for place, name in named if times[name] > 1)


def _globs(file: CatalogFile) -> Found:
    globs: list[tuple[Place, str]] = [
        (("agents", n, "context", m), glob)
        for n, entry in enumerate(file.agents)
        for m, glob in enumerate(entry.context)
    ]
    for n, rule in enumerate(file.gates.not_applicable):
        globs += [(("gates", "not_applicable", n, "only_files", m), glob) for m, glob in enumerate(rule.only_files)]
    for place, glob in globs:
        if glob.startswith(("/", "~")) or ".." in glob.split("/") or "\\" in glob or ":" in glob:
            yield place, f"{glob!r} leads outside; write a path relative to the project, with /"


def _selections(file: CatalogFile) -> Found:
    """An agent is selected by words that a project's stack can hold; another word would select it never."""
    for n, entry in enumerate(file.agents):
        if entry.select is None:
            continue
        named = {category: getattr(entry.select, key) for category, key in KEYS.items()}
        if not entry.select.always and not any(named.values()):
            yield ("agents", n, "select"), "names nothing, so no project gets the agent; write `always: true` or a word"
        for category, words in named.items():
            for m, word in enumerate(words):
                if word not in WORDS[category]:
                    other = next((KEYS[name] for name, known in WORDS.items() if word in known), None)
                    hint = f"; it belongs under {other}" if other else did_you_mean(word, WORDS[category])
                    place: Place = ("agents", n, "select", KEYS[category], m)
                    yield place, f"{word!r} is no {category.replace('_', ' ')} that apm recognises{hint}"


CHECKS: tuple[Callable[[CatalogFile], Found], ...] = (
    *(_roles, _tiers, _executors, _authorities, _specialists, _selections, _schedules, _gates, _escalate_first),
    *(_rules, _globs),
)
