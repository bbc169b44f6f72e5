"""What each agent that thinks may answer: the outputs that the phases' assembly, later agents and gates read.

Closed: a key that is not here is refused. A reference to something of the request (`Of`) has to exist there. What an
agent's own function measures beside these, and what only a person's word may set, is named in `OURS`: no model may
give it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, StringConstraints
from pydantic_core import PydanticCustomError, core_schema

from core.contract import Json

UNKNOWN = "unknown"
"""pydantic's type of an error about a reference that leads nowhere."""
MOST_ENTRIES = 200
"""Of any list; what has more is not one piece of work."""


@dataclass(frozen=True, slots=True)
class Of:
    """A text, or the keys of an object, that must be among the request's ids of one sort ("tasks", "criteria", …).

    They are looked up in the validation's context; a sort that is not there is not checked.
    """

    sort: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.with_info_after_validator_function(self._among, handler(source))

    def __get_pydantic_json_schema__(self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler) -> Json:
        return {**handler(schema), "x-of": self.sort}

    def _among(self, value: Any, info: core_schema.ValidationInfo) -> Any:
        legal: Sequence[str] | None = (info.context or {}).get(self.sort)
        given = value if isinstance(value, Mapping) else (value,)
        unknown = [name for name in given if legal is not None and name not in legal]
        if legal is not None and unknown:
            known = ", ".join(legal) or "none"
            raise PydanticCustomError(
                UNKNOWN, "{given} is none of the {sort} (known: {known})",
                {"given": str(unknown[0])[:60], "sort": self.sort, "known": known[:500]},
            )  # fmt: skip
        return value


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)


Text = Annotated[str, StringConstraints(max_length=20_000)]
Words = Annotated[str, StringConstraints(max_length=2_000)]
Word = Annotated[str, StringConstraints(max_length=100)]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,3}[1-9]\d{0,3}$")]
"""Capitals and a number: AC1, R2, T3."""
Score = Annotated[float, Field(ge=0, le=1)]
Hours = Annotated[float, Field(ge=0, le=10_000)]
"""0 where nobody can say; it is left out of the output."""
TaskId = Annotated[str, Of("tasks")]
CriterionId = Annotated[str, Of("criteria")]


def _several(most: int = MOST_ENTRIES) -> Any:
    return Field(max_length=most)


class Classified(Closed):
    type: Literal["feature", "bug", "chore", "spike", "docs", ""]
    domain: Word
    complexity: Literal["low", "medium", "high"]


class IntentTriage(Closed):
    classification: Classified
    reasons: list[Words] = _several(20)


class SixScores(Closed):
    who: Score
    what: Score
    when: Score
    where: Score
    why: Score
    how: Score


class SixWords(Closed):
    who: Words
    what: Words
    when: Words
    where: Words
    why: Words
    how: Words


class StatedTask(Closed):
    id: Word
    text: Text
    hours: Annotated[float, Field(ge=0)] | None = None
    number: Annotated[int, Field(ge=0)]


class Stated(Closed):
    tasks: list[StatedTask] = _several()
    tasks_found: Annotated[int, Field(ge=0)]
    approach: Text


class ProblemFramer(Closed):
    problem: Text
    six_w: SixScores
    six_w_evidence: SixWords
    confidence: Score
    stated: Stated


class ValueArticulator(Closed):
    value: Text
    business_context: Text


class NotedRisk(Closed):
    id: Id
    text: Text
    severity: Literal["low", "medium", "high", ""]
    mitigation: Text


class RiskNotary(Closed):
    risks: list[NotedRisk] = _several(100)


class WrittenCriterion(Closed):
    id: Id
    text: Text


class AcWriter(Closed):
    acceptance_criteria: list[WrittenCriterion] = _several()


class CutTask(Closed):
    id: Id
    title: Words
    criteria: list[CriterionId] = _several()


class Decomposer(Closed):
    tasks: list[CutTask] = _several()


class Estimator(Closed):
    estimates: Annotated[dict[str, Hours], Of("tasks")]
    basis: Annotated[dict[str, Words], Of("tasks")]


class DependencyMapper(Closed):
    depends_on: Annotated[dict[str, list[TaskId]], Of("tasks")]
    order: list[TaskId] = _several()
    reasons: Annotated[dict[str, Words], Of("tasks")]


class Mitigated(Closed):
    risk: Annotated[str, Of("risks")]
    plan: Text


class MitigationPlanner(Closed):
    mitigations: list[Mitigated] = _several()


class PlannedTask(Closed):
    id: TaskId
    title: Words
    criteria: list[CriterionId] = _several()
    estimate_hours: Hours | None = None
    depends_on: list[TaskId] = _several()


class BacklogCurator(Closed):
    tasks: list[PlannedTask] = _several()
    order: list[TaskId] = _several()
    mitigations: list[Mitigated] = _several()


class Pattern(Closed):
    name: Words
    where: Words
    example: Words


class PatternApplier(Closed):
    patterns: list[Pattern] = _several(50)
    files: list[Words] = _several(50)
    test_files: list[Words] = _several(50)


class MigrationAuthor(Closed):
    schema_changed: bool
    created: list[Words] = _several()
    evidence: list[Words] = _several()


class DocToucher(Closed):
    updated: bool
    files: list[Words] = _several()


class Analysed(Closed):
    analyzed: bool


class Insight(Closed):
    rule: Word
    text: Words
    aim: Words
    signals: list[Annotated[str, Of("signals")]] = _several()


class InsightSynthesizer(Closed):
    telemetry: Analysed
    insights: list[Insight] = _several(20)


class Improvement(Closed):
    id: Word
    text: Words
    evidence: list[Words] = _several()
    cost: Annotated[float, Field(ge=0)]


class Proposal(Closed):
    title: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    type: Literal["feature", "bug", "chore", "spike", "docs"]
    body: Text


class Delta(Closed):
    added: list[Proposal] = _several(5)
    updated: list[Improvement] = _several(20)


class RefactorProposer(Closed):
    improvements: list[Improvement] = _several(5)
    backlog: Delta


class Retired(Closed):
    id: Word
    text: Words
    location: Words
    since: Word = ""
    kind: Word = ""


class SunsetPlanner(Closed):
    sunset: list[Retired] = _several(50)


class OfferedOption(Closed):
    key: Annotated[str, StringConstraints(pattern=r"^[\w][\w .:/-]{0,63}$")]
    label: Words
    consequence: Words


class Escalated(Closed):
    question: Words
    options: list[OfferedOption] = _several(20)
    recommended: Word | None = None


class Decided(Closed):
    """A domain agent's word: a choice, or the wish that a person chooses."""

    choice: Annotated[str, Of("options")] | None = None
    reason: Words = ""
    escalate: Escalated | None = None


class Contribution(Closed):
    """What any other agent did about its task: a specialist, or one that has no output of its own."""

    task: Word
    files: list[Words] = _several()
    summary: Words
    verifies: Annotated[dict[str, list[Words]], Of("criteria")]


class ContextDelivery(Closed):
    context: Text
    sources: list[Words] = _several()


OUTPUTS: Mapping[str, type[Closed]] = {
    "intent-triage": IntentTriage,
    "problem-framer": ProblemFramer,
    "value-articulator": ValueArticulator,
    "risk-notary": RiskNotary,
    "ac-writer": AcWriter,
    "decomposer": Decomposer,
    "estimator": Estimator,
    "dependency-mapper": DependencyMapper,
    "mitigation-planner": MitigationPlanner,
    "backlog-curator": BacklogCurator,
    "pattern-applier": PatternApplier,
    "migration-author": MigrationAuthor,
    "doc-toucher": DocToucher,
    "insight-synthesizer": InsightSynthesizer,
    "refactor-proposer": RefactorProposer,
    "sunset-planner": SunsetPlanner,
    "context-delivery": ContextDelivery,
    **dict.fromkeys(("technical", "strategy", "ux", "gtm"), Decided),
}
"""By role; every other role that a model may serve answers with a Contribution."""

MEASURED: frozenset[str] = frozenset(
    {
        "context-assembler", "definition-gate-check", "planning-gate-check", "implementation-gate-check",
        "static-analyzer", "test-runner", "threat-screener", "ac-verifier", "quality-gatekeeper",
        "versioner", "changelog-curator", "deploy-orchestrator", "health-verifier", "operability-gatecheck",
        "incident-scribe", "signal-harvester", "debt-registrar", "evolution-gate-check",
    }
)  # fmt: skip
"""Roles whose answer is a measurement or a deed: a model's word cannot stand in for it."""
