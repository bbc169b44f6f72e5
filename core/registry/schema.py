"""What `agents.yaml` may say, as frozen models, and what is said to the person whose file says something else.

Unknown keys are refused, so a misspelt one is found instead of ignored. Rules that span several entries are in
`core.registry.catalog`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import ErrorDetails

from core.contract import canonical_json
from core.registry.documents import Document, Place, Problem, did_you_mean

AgentType = Literal["orchestrator", "sub-agent", "specialist", "utility", "domain"]
Runtime = Literal["tool", "offline", "replay", "human", "anthropic", "claude-code", "openai-compatible"]
PhaseCode = Literal["D1", "P1", "I1", "R1", "O1", "E1"]
WorkItemType = Literal["feature", "bug", "chore", "spike", "docs"]
Domain = Literal["technical", "strategy", "ux", "gtm"]
Urgency = Literal["IMMEDIATE", "DAILY", "WEEKLY"]

MODEL_RUNTIMES: frozenset[Runtime] = frozenset({"anthropic", "claude-code", "openai-compatible"})
"""Runtimes that ask a language model, so need one configured."""

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,64}$")]
KindKey = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=1024, strip_whitespace=True)]
Impact = Annotated[int, Field(ge=1, le=10)]
Percent = Annotated[float, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]


class Part(BaseModel):
    """A section of the file: only the keys it knows, only the types it names, never changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Runtimes(Part):
    """What executes an agent of each type that names no runtime of its own."""

    orchestrator: Runtime = "tool"
    sub_agent: Runtime = Field("offline", alias="sub-agent")
    specialist: Runtime = "offline"
    utility: Runtime = "tool"
    domain: Runtime = "offline"

    def of(self, agent_type: AgentType) -> Runtime:
        runtime: Runtime = getattr(self, agent_type.replace("-", "_"))
        return runtime


class Limits(Part):
    parallel_work_items: Annotated[int, Field(ge=1, le=256)] = 4
    revision_rounds: Annotated[int, Field(ge=1, le=20)] = 3
    delegation_seconds: Annotated[int, Field(ge=1, le=86_400)] = 600


class Milestone(Part):
    """The tag that makes a work item, decision or conflict the milestone's, and the milestone's name on screen."""

    tag: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,64}$")] = "milestone"
    title: Words = "Milestone"


class Defaults(Part):
    runtimes: Runtimes = Runtimes()
    model: Words | None = None
    limits: Limits = Limits()
    milestone: Milestone = Milestone()


class DefinitionThresholds(Part):
    business_context_chars: Annotated[int, Field(ge=1, le=10_000)]
    acceptance_criteria: Annotated[int, Field(ge=1, le=100)]
    risks: Annotated[int, Field(ge=0, le=100)]
    six_w_confidence: Annotated[float, Field(ge=0, le=1)]


class PlanningThresholds(Part):
    tasks_per_criterion: Annotated[int, Field(ge=1, le=20)]
    max_hours: Annotated[float, Field(gt=0, le=1000)]


class ImplementationThresholds(Part):
    """I1 measures yes or no."""


class ReviewThresholds(Part):
    pass_rate: Percent
    coverage: Percent
    static_issues: Count
    security_findings: Count


class ReleaseThresholds(Part):
    """O1 measures yes or no."""


class EvolutionThresholds(Part):
    improvements: Count
    debt_entries: Count
    backlog_changes: Count


class Thresholds(Part):
    D1: DefinitionThresholds
    P1: PlanningThresholds
    I1: ImplementationThresholds = ImplementationThresholds()
    R1: ReviewThresholds
    O1: ReleaseThresholds = ReleaseThresholds()
    E1: EvolutionThresholds

    def of(self, phase: str) -> Part:
        part: Part = getattr(self, phase)
        return part


LOWER_IS_STRICTER = frozenset({"max_hours", "static_issues", "security_findings"})
"""Thresholds that are at-most; all others are at-least."""

CRITERION_OF: Mapping[str, str] = {
    "business_context_chars": "business_context",
    "acceptance_criteria": "acceptance_criteria",
    "risks": "risks",
    "six_w_confidence": "six_w_confidence",
    "tasks_per_criterion": "tasks_cover_criteria",
    "max_hours": "estimates",
    "pass_rate": "tests_pass",
    "coverage": "coverage",
    "static_issues": "static_analysis",
    "security_findings": "security",
    "improvements": "improvements",
    "debt_entries": "technical_debt",
    "backlog_changes": "backlog",
}
"""The criterion that each threshold is measured at. No name stands in two phases."""

CRITERIA: Mapping[str, tuple[str, ...]] = {
    "D1": ("business_context", "acceptance_criteria", "risks", "six_w_confidence"),
    "P1": ("tasks_cover_criteria", "estimates", "dependencies", "mitigations"),
    "I1": ("tests", "feature_flags", "docs", "migrations"),
    "R1": ("criteria_verified", "tests_pass", "coverage", "static_analysis", "security"),
    "O1": ("version_bumped", "changelog_updated", "deployment", "health", "monitoring"),
    "E1": ("telemetry_analyzed", "improvements", "technical_debt", "backlog"),
}
"""The criteria of each gate, in the order they are shown."""


class NotApplicable(Part):
    """A rule that takes criteria away for types of work item that make them pointless.

    `criteria` are written `PHASE.criterion`. With `only_files` the rule holds only while every file that the work
    item changed matches one of the globs: a label alone gets no code past a gate.
    """

    id: Slug
    work_items: Annotated[tuple[WorkItemType, ...], Field(min_length=1)]
    criteria: Annotated[tuple[str, ...], Field(min_length=1)]
    only_files: tuple[Words, ...] = ()
    why: Words


class Gates(Part):
    thresholds: Thresholds
    by_type: dict[WorkItemType, dict[PhaseCode, dict[str, float]]] = {}
    not_applicable: tuple[NotApplicable, ...] = ()


class EscalateFirst(Part):
    """What no authority and no rule may settle. `value` is the impact above which `impact_above` holds."""

    id: Slug
    when: Literal["milestone_tag", "impact_above"]
    value: Impact | None = None
    urgency: Urgency
    why: Words


class ConflictRule(Part):
    """`winner` prevails between the two when the topic holds one of `words` and no word of their other rules."""

    id: Slug
    between: tuple[Domain, Domain]
    words: Annotated[tuple[Words, ...], Field(min_length=1)]
    winner: Domain
    why: Words


class Otherwise(Part):
    """What happens to a conflict that no rule settles."""

    id: Slug
    urgency: Urgency
    why: Words


class Conflicts(Part):
    rules: tuple[ConflictRule, ...] = ()
    otherwise: Otherwise


class DecisionKind(Part):
    """A kind of decision. `impact` is the usual one, 1-10; `ceiling: escalate` is never lifted, by any record."""

    key: KindKey
    title: Words
    impact: Impact
    reversible: bool = True
    ceiling: Literal["escalate"] | None = None


class Authority(Part):
    autonomous: tuple[DecisionKind, ...]
    escalate: tuple[DecisionKind, ...]


class AgentLimits(Part):
    seconds: Annotated[int, Field(ge=1, le=86_400)]


class AgentEntry(Part):
    """One agent as the file has it; `core.registry.catalog.Agent` is the same with its defaults filled in."""

    role: Slug
    display_name: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    tier: Annotated[int, Field(ge=1, le=3)]
    type: AgentType
    phase: PhaseCode | None = None
    description: Words
    capabilities: Annotated[tuple[Slug, ...], Field(min_length=1)]
    runtime: Runtime | None = None
    fallback: Runtime | None = None
    model: Words | None = None
    outward: bool = False
    limits: AgentLimits | None = None
    authority: Authority | None = None
    context: tuple[Words, ...] = ()
    sop: Annotated[str, StringConstraints(min_length=1, max_length=30_000)]


class CatalogFile(Part):
    version: Literal[1]
    defaults: Defaults = Defaults()
    gates: Gates
    escalate_first: tuple[EscalateFirst, ...]
    conflicts: Conflicts
    agents: Annotated[tuple[AgentEntry, ...], Field(min_length=1)]


def checked(document: Document) -> tuple[CatalogFile | None, list[Problem]]:
    """The file's model, or None and what is wrong with it, each problem with its line."""
    try:
        # JSON mode takes a list where a tuple is meant and is strict about everything else.
        return CatalogFile.model_validate_json(canonical_json(document.data)), []
    except ValidationError as error:
        return None, problems_of(error, document)


def problems_of(error: ValidationError, document: Document, at: Place = ()) -> list[Problem]:
    """What pydantic found, in words for the person who edits the file. `at` is where the model stands in it."""
    details = [(at + _place(item), item) for item in error.errors(include_url=False)]
    misspelt = {
        (*place[:-1], near)
        for place, item in details
        if item["type"] == "extra_forbidden"
        for near in re.findall(r"did you mean '(.+)'", _suggested_key(place))
    }
    return [
        document.problem(place, _sentence(place, item))
        for place, item in details
        if not (item["type"] == "missing" and place in misspelt)
    ]


def _place(item: ErrorDetails) -> Place:
    # A wrong key of a mapping is reported at `key.[key]`; the place is the key.
    return tuple(step for step in item["loc"] if step != "[key]")


def _suggested_key(place: Place) -> str:
    return did_you_mean(str(place[-1]), _keys_at(place[:-1]))


def _keys_at(place: Place) -> list[str]:
    """Keys that the model at `place` knows; none where the path leads to something else."""
    node: Any = CatalogFile
    for step in place:
        node = _step_into(_bare(node), step)
    node = _bare(node)
    if isinstance(node, type) and issubclass(node, BaseModel):
        return [field.alias or name for name, field in node.model_fields.items()]
    return []


def _step_into(node: Any, step: str | int) -> Any:
    if isinstance(node, type) and issubclass(node, BaseModel):
        fields = {field.alias or name: field for name, field in node.model_fields.items()}
        return fields[str(step)].annotation if step in fields else None
    arguments = get_args(node)
    if get_origin(node) is tuple and arguments:
        return arguments[0]
    return arguments[1] if get_origin(node) is dict else None


def _bare(node: Any) -> Any:
    """The type without `Annotated` and `| None`."""
    while (arguments := get_args(node)) and get_origin(node) not in (tuple, dict, Literal):
        node = arguments[0]
    return node


def _choice(item: ErrorDetails) -> str:
    known = re.findall(r"'([^']*)'", item["ctx"]["expected"]) or [item["ctx"]["expected"]]
    return f"is {_shown(item['input'])}; it must be one of {', '.join(known)}" + did_you_mean(str(item["input"]), known)


def _wants(what: str) -> Callable[[ErrorDetails], str]:
    return lambda item: f"is {_shown(item['input'])}; it must be {what}"


def _text_for(value: Any) -> str:
    return "text; put quotes around it" if isinstance(value, int | float) else "text"


_PATTERNS: Mapping[str, str] = {
    "^[a-z0-9-]{1,64}$": "1 to 64 of a-z, 0-9 and -",
    "^[a-z0-9_-]{1,64}$": "1 to 64 of a-z, 0-9, _ and -",
    "^[a-z][a-z0-9_]{0,63}$": "a word of a-z, 0-9 and _ that begins with a letter",
}

_SENTENCES: Mapping[str, Callable[[ErrorDetails], str]] = {
    "missing": lambda item: "is missing",
    "literal_error": _choice,
    "string_type": lambda item: _wants(_text_for(item["input"]))(item),
    "int_type": _wants("a whole number"),
    "int_from_float": _wants("a whole number"),
    "float_type": _wants("a number"),
    "bool_type": _wants("true or false"),
    "tuple_type": _wants("a list"),
    "dict_type": _wants("a mapping of keys to values"),
    "model_type": _wants("a mapping of keys to values"),
    "model_attributes_type": _wants("a mapping of keys to values"),
    "string_pattern_mismatch": lambda item: _wants(_PATTERNS[item["ctx"]["pattern"]])(item),
    "string_too_short": lambda item: "is empty",
    "string_too_long": lambda item: f"is longer than {item['ctx']['max_length']} characters",
    "too_short": lambda item: (
        f"has {item['ctx']['actual_length']} entries; it needs at least {item['ctx']['min_length']}"
    ),
    "too_long": lambda item: f"has more than {item['ctx']['max_length']} entries",
    "greater_than": lambda item: f"is {_shown(item['input'])}; it must be above {item['ctx']['gt']:g}",
    "greater_than_equal": lambda item: f"is {_shown(item['input'])}; it must be {item['ctx']['ge']:g} or more",
    "less_than_equal": lambda item: f"is {_shown(item['input'])}; it must be {item['ctx']['le']:g} or less",
}


def _sentence(place: Place, item: ErrorDetails) -> str:
    if item["type"] == "extra_forbidden":
        return "is not a key known here" + _suggested_key(place)
    words = _SENTENCES.get(item["type"])
    return words(item) if words else item["msg"]


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if value is None:
        return "empty"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else text[:57] + "…" + text[-1:]
