"""What `agents.yaml` may say, as frozen models. `core.registry.sentences` speaks to whoever wrote something else.

Unknown keys are refused, so a misspelt one is found instead of ignored. Rules that span several entries are in
`core.registry.checks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

AgentType = Literal["orchestrator", "sub-agent", "specialist", "utility", "domain"]
Runtime = Literal["auto", "tool", "offline", "replay", "human", "anthropic", "claude-code", "openai-compatible"]
PhaseCode = Literal["D1", "P1", "I1", "R1", "O1", "E1"]
WorkItemType = Literal["feature", "bug", "chore", "spike", "docs"]
Domain = Literal["technical", "strategy", "ux", "gtm"]
Urgency = Literal["IMMEDIATE", "DAILY", "WEEKLY"]
Tool = Literal["delegate", "read", "search", "edit", "write", "run", "fetch"]
"""What an agent may do with its hands, in apm's own words; each provider's table says what it calls them."""

MODEL_RUNTIMES: frozenset[Runtime] = frozenset({"auto", "anthropic", "claude-code", "openai-compatible"})
"""Runtimes that ask a language model, so need one configured; `auto` is the one that is, or else the fallback."""

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,64}$")]
KindKey = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Technology = Annotated[str, StringConstraints(pattern=r"^[a-z0-9.][a-z0-9+#.-]{0,31}$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=1024, strip_whitespace=True)]
Expression = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)]
Impact = Annotated[int, Field(ge=1, le=10)]
Percent = Annotated[float, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]


class Part(BaseModel):
    """A section of the file: only the keys it knows, only the types it names, never changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Runtimes(Part):
    """What executes an agent of each type that names no runtime of its own."""

    orchestrator: Runtime = "tool"
    sub_agent: Runtime = Field("auto", alias="sub-agent")
    specialist: Runtime = "auto"
    utility: Runtime = "tool"
    domain: Runtime = "offline"

    def of(self, agent_type: AgentType) -> Runtime:
        runtime: Runtime = getattr(self, agent_type.replace("-", "_"))
        return runtime


class Tools(Part):
    """What agents of each type may use that name no tools of their own."""

    orchestrator: tuple[Tool, ...] = ("delegate",)
    sub_agent: tuple[Tool, ...] = Field(("read", "search"), alias="sub-agent")
    specialist: tuple[Tool, ...] = ("read", "search", "edit", "write", "run")
    utility: tuple[Tool, ...] = ("read",)
    domain: tuple[Tool, ...] = ("read", "search")

    def of(self, agent_type: AgentType) -> tuple[Tool, ...]:
        tools: tuple[Tool, ...] = getattr(self, agent_type.replace("-", "_"))
        return tools


class Limits(Part):
    parallel_work_items: Annotated[int, Field(ge=1, le=256)] = 4
    revision_rounds: Annotated[int, Field(ge=1, le=20)] = 3
    delegation_seconds: Annotated[int, Field(ge=1, le=86_400)] = 600


class Cap(Part):
    """What may be used at most; null is no limit."""

    dollars: Annotated[float, Field(gt=0, le=1_000_000)] | None = None
    tokens: Annotated[int, Field(gt=0, le=10**12)] | None = None


class Budgets(Part):
    """What calls of models may cost before a person is asked."""

    delegation: Cap = Cap(dollars=3.0, tokens=5_000_000)
    work_item: Cap = Cap(dollars=20.0)
    day: Cap = Cap(dollars=50.0)
    workspace: Cap = Cap()
    warn_at: Annotated[int, Field(ge=1, le=100)] = 80
    when_reached: Literal["finish", "cancel"] = "finish"


class Milestone(Part):
    """The tag that makes a work item, decision or conflict the milestone's, and the milestone's name on screen."""

    tag: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,64}$")] = "milestone"
    title: Words = "Milestone"


class Schedules(Part):
    """When recurring duties are done: five cron fields each, or null or "" for never; `local` is this machine's zone.

    `core.registry.checks` reads the expressions.
    """

    daily_briefing: Expression | None = "0 8 * * *"
    weekly_review: Expression | None = "0 9 * * mon"
    timezone: Words = "local"


class Defaults(Part):
    runtimes: Runtimes = Runtimes()
    tools: Tools = Tools()
    model: Words | None = None
    limits: Limits = Limits()
    budgets: Budgets = Budgets()
    milestone: Milestone = Milestone()
    schedules: Schedules = Schedules()


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
    """What one delegation to an agent may use: `seconds` of any, the rest of one that writes code on a model.

    What is left out goes by the defaults, or by the runtime's own limits.
    """

    seconds: Annotated[int, Field(ge=1, le=86_400)] | None = None
    turns: Annotated[int, Field(ge=1, le=1_000)] | None = None
    files: Annotated[int, Field(ge=1, le=10_000)] | None = None
    bytes: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    output_tokens: Annotated[int, Field(ge=1, le=1_000_000)] | None = None

    def of_work(self) -> dict[str, int]:
        """Those that are said, but for the time."""
        return self.model_dump(exclude={"seconds"}, exclude_none=True)


class Select(Part):
    """What a project must hold for an agent to be chosen for it: any one of these, or nothing with `always`.

    The words are those of `core.projects.stack.vocabulary`.
    """

    always: bool = False
    languages: tuple[Technology, ...] = ()
    frameworks: tuple[Technology, ...] = ()
    project_types: tuple[Technology, ...] = ()
    infrastructure: tuple[Technology, ...] = ()
    databases: tuple[Technology, ...] = ()


class AgentEntry(Part):
    """One agent as the file has it; `core.registry.catalog.Agent` is the same with its defaults filled in."""

    role: Slug
    display_name: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    tier: Annotated[int, Field(ge=1, le=3)]
    type: AgentType
    phase: PhaseCode | None = None
    description: Words
    capabilities: Annotated[tuple[Slug, ...], Field(min_length=1)]
    technologies: tuple[Technology, ...] = ()
    serves: tuple[Slug, ...] = ()
    select: Select | None = None
    tools: tuple[Tool, ...] | None = None
    skill: bool = False
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
