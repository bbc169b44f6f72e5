"""The contents of every artifact type: what is checked, and the JSON Schemas that are published.

Unknown keys are kept, wrong types are refused. A key that a phase may not have found yet is optional here: whether
it is good enough is the gate's business, not the schema's.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.types import StringConstraints

from core.contract import Json, UsageError

MOST_TITLE = 300
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MOST_TITLE)]
Score = Annotated[float, Field(ge=0, le=1)]
MOST_BODY = 4_000_000


class Content(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)


class RequestRaw(Content):
    title: Title
    type: Literal["feature", "bug", "chore", "spike", "docs"] = "feature"
    body: Annotated[str, StringConstraints(max_length=MOST_BODY)] = ""
    tags: list[str] = []
    impact: Annotated[int, Field(ge=1, le=10)] | None = None


class Classification(Content):
    type: str
    domain: str
    complexity: str


class CriterionText(Content):
    id: str
    text: str


class Risk(Content):
    id: str
    text: str
    severity: str = ""
    mitigation: str = ""


class SixW(Content):
    who: Score
    what: Score
    when: Score
    where: Score
    why: Score
    how: Score


class WorkItemReady(Content):
    title: Title
    type: str
    classification: Classification
    business_context: str
    problem: str
    value: str
    acceptance_criteria: list[CriterionText]
    risks: list[Risk]
    six_w: SixW
    confidence: Score


class Task(Content):
    id: str
    title: str
    criteria: list[str]
    estimate_hours: float
    depends_on: list[str] = []


class Mitigation(Content):
    risk: str
    plan: str


class PlanSnapshot(Content):
    tasks: list[Task]
    mitigations: list[Mitigation]
    order: list[str]


class BuiltTask(Content):
    id: str
    agent: str
    commits: list[str]
    files: list[str]


class BuildTests(Content):
    updated: bool
    passed: int
    failed: int


class FeatureFlags(Content):
    needed: bool
    added: list[str]


class Docs(Content):
    updated: bool
    files: list[str]


class Migrations(Content):
    schema_changed: bool
    created: list[str]


class BuildBundle(Content):
    branch: str
    base_commit: str
    head_commit: str
    tasks: list[BuiltTask]
    tests: BuildTests
    feature_flags: FeatureFlags
    docs: Docs
    migrations: Migrations


class ReviewTests(Content):
    total: int
    passed: int
    failed: int
    coverage: float | None


class StaticReport(Content):
    tools: list[Any]
    issues: int | None


class SecurityReport(Content):
    tools: list[Any]
    findings: int | None


class VerifiedCriterion(Content):
    id: str
    verified: bool
    evidence: Any


class ReviewApproved(Content):
    tests: ReviewTests
    static: StaticReport
    security: SecurityReport
    criteria: list[VerifiedCriterion]
    score: float


class Version(Content):
    model_config = ConfigDict(extra="allow", strict=True, populate_by_name=True)
    from_: str | None = Field(alias="from")
    to: str


class Changelog(Content):
    updated: bool
    entry: str


class Deployment(Content):
    status: str
    target: str


class Health(Content):
    status: str
    response_ms: float | None


class Monitoring(Content):
    active: bool


class ReleaseDeployed(Content):
    version: Version
    changelog: Changelog
    deployment: Deployment
    health: Health
    monitoring: Monitoring


class Window(Content):
    model_config = ConfigDict(extra="allow", strict=True, populate_by_name=True)
    from_: int | str = Field(alias="from")
    to: int | str


class Signal(Content):
    name: str
    value: Any
    unit: str
    source: str


class TelemetrySnapshot(Content):
    window: Window
    signals: list[Signal]


class TelemetryState(Content):
    analyzed: bool


class Debt(Content):
    id: str
    text: str
    location: str
    cost: Any


class Backlog(Content):
    added: list[Any]
    updated: list[Any]
    sunset: list[Any]


class BacklogDelta(Content):
    telemetry: TelemetryState
    improvements: list[Any]
    debt: list[Debt]
    backlog: Backlog


MODELS: dict[str, type[Content]] = {
    "request.raw": RequestRaw,
    "workitem.ready": WorkItemReady,
    "plan.snapshot": PlanSnapshot,
    "build.bundle": BuildBundle,
    "review.approved": ReviewApproved,
    "release.deployed": ReleaseDeployed,
    "telemetry.snapshot": TelemetrySnapshot,
    "evolution.backlog_delta": BacklogDelta,
}


@cache
def json_schema(artifact_type: str) -> Json:
    """The published JSON Schema (draft 2020-12) of a type. Raises UsageError naming the known types."""
    schema = _model(artifact_type).model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:apm:artifact:{artifact_type}",
        **schema,
        "title": artifact_type,
    }


def validated(artifact_type: str, content: Json) -> Json:
    """The content with defaults filled in, every unknown key kept.

    Raises UsageError naming the first key at fault, for a wrong type or a missing key.
    """
    try:
        model = _model(artifact_type).model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"]) or "content"
        raise UsageError(f"{artifact_type}: {where}: {first['msg'].lower()}.") from None
    return model.model_dump(mode="json", by_alias=True)


def _model(artifact_type: str) -> type[Content]:
    if artifact_type not in MODELS:
        raise UsageError(f"Unknown artifact type {artifact_type!r}. Known types: {', '.join(MODELS)}.")
    return MODELS[artifact_type]
