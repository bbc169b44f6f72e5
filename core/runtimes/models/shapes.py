"""The shape of an answer: the JSON Schema that a model is held to for one request, and what is made of what it gives.

The schema is closed and has every key required, as providers ask that hold a model to one, and the ids it may refer
to are those of the request. Bounds and the sense of an answer are checked here, after it has come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import Field, StringConstraints, ValidationError

from core.agents.given import result_of
from core.contract import AgentRequest, ApmError, Json, Status
from core.phases import PHASE_OF_ROLE
from core.runtimes.models.checks import completed, problems
from core.runtimes.models.outputs import (
    MEASURED,
    OUTPUTS,
    UNKNOWN,
    Closed,
    Contribution,
    Decided,
    OfferedOption,
    Word,
    Words,
)
from core.sanitise import one_line

MOST_DECISIONS = 20
MOST_PROBLEMS = 12
"""Told to the model at once; mending these mends most of the rest."""
ANSWER_TOOL = "answer"
"""The tool that a model is made to call where its provider does not hold it to a shape."""

_Output = TypeVar("_Output", bound=Closed)
_NEXT = {"D1": "P1", "P1": "I1"}
_BARE: Json = {"status": "SUCCESS", "output": {}, "missing": [], "suggestion": ""}
_FORM = frozenset({"missing", "extra_forbidden", "literal_error"})
"""pydantic's words for what the schema itself rules out, beside wrong types."""
_KEPT = ("type", "enum", "const", "description")
"""Of a schema: the rest are bounds that providers refuse in a shape, and that are checked here."""
_BOUNDS = ("minimum", "maximum")


class Raised(Closed):
    """A decision that is not the agent's own to make."""

    kind: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    domain: Literal["technical", "strategy", "ux", "gtm"]
    question: Words
    impact: Annotated[int, Field(ge=1, le=10)]
    options: list[OfferedOption] = Field(max_length=20)
    recommended: Word | None = None
    topic: Word | None = None
    """What it is about, where another owner's decision is about the same: those are held against each other."""


class Answered(Closed, Generic[_Output]):
    """The envelope. What is not in it, such as evidence, tokens or a runtime's name, no model can say."""

    status: Literal["SUCCESS", "BLOCKED"]
    output: _Output
    missing: list[Words] = Field(max_length=50)
    suggestion: Words


class Raising(Answered[_Output], Generic[_Output]):
    decisions: list[Raised] = Field([], max_length=MOST_DECISIONS)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model's answer says once it has passed every check, with what is ours filled in."""

    status: Status
    output: Json
    missing: tuple[str, ...] = ()
    suggestion: str = ""
    decisions: tuple[Json, ...] = ()


class Unfit(Exception):
    """An answer that does not meet its shape; each problem is a sentence that its author can mend it by."""

    def __init__(self, problems: Sequence[str], *, is_of_form: bool = False) -> None:
        """`is_of_form`: a provider that holds a model to shapes would not have let this through."""
        super().__init__("; ".join(problems))
        self.problems, self.is_of_form = tuple(problems), is_of_form


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of one role's answer to one request."""

    role: str
    request: AgentRequest
    schema: Json
    bounded: Json
    """The same with the bounds of its figures, for a tool: a model may be shown more than it can be held to."""
    ids: dict[str, tuple[str, ...]]

    @property
    def tool(self) -> Json:
        return {
            "name": ANSWER_TOOL,
            "description": "Give the answer to the request. Call it once, with all of it.",
            "input_schema": self.bounded,
        }

    def judged(self, given: object) -> Answer:
        """The answer in the form that the engine reads. Raises Unfit with what is wrong about it.

        An output without its envelope is taken for a whole one: it is what the agent's procedure describes, and
        smaller models keep to that. Its checks are the same.
        """
        bare = isinstance(given, dict) and given.keys().isdisjoint(_BARE)
        try:
            found = _envelope(self.role).model_validate(_BARE | {"output": given} if bare else given, context=self.ids)
        except ValidationError as error:
            found_wrong = error.errors()
            of_form = any(each["type"] in _FORM or each["type"].endswith("_type") for each in found_wrong)
            raise Unfit([_told(each) for each in found_wrong[:MOST_PROBLEMS]], is_of_form=of_form) from None
        envelope = found.model_dump(exclude_none=True, exclude_unset=True)
        wrong = problems(self.role, envelope, self.ids, self.request)
        if wrong:
            raise Unfit(wrong[:MOST_PROBLEMS])
        status = Status(envelope["status"])
        held = blocks_of(self.role, self.request)
        return Answer(
            status,
            completed(self.role, envelope["output"], self.request),
            tuple(envelope["missing"]) if status is Status.BLOCKED else (),
            envelope["suggestion"] if status is Status.BLOCKED else "",
            tuple({**raised, **({"blocks": held} if held else {})} for raised in envelope.get("decisions", ())),
        )


def shape_of(role: str, request: AgentRequest) -> Shape:
    """Raises ApmError for a role whose answer is a measurement, which no model can give."""
    if role in MEASURED:
        raise ApmError(
            f"What {role} answers is measured or done, so a model cannot stand in for it; "
            "give it the runtime `tool` in agents.yaml."
        )
    ids = known_ids(request)
    raw = _envelope(role).model_json_schema()
    strict, bounded = (_closed(raw, raw.get("$defs", {}), ids, kept) for kept in (_KEPT, (*_KEPT, *_BOUNDS)))
    return Shape(role, request, strict, bounded, ids)


def blocks_of(role: str, request: AgentRequest) -> str:
    """What waits for a decision that this agent raises: its task, else the phase after its own; "" for nothing."""
    task = request.context.get("task")
    if isinstance(task, dict) and task.get("id"):
        return str(task["id"])
    return _NEXT.get(PHASE_OF_ROLE.get(role, ""), "")


def known_ids(request: AgentRequest) -> dict[str, tuple[str, ...]]:
    """What an answer to this request can refer to, by sort; a sort that the request says nothing of is left out."""
    item, context = request.input_artifact, request.context
    found: dict[str, tuple[str, ...]] = {}
    sources: tuple[tuple[str, Any, str], ...] = (
        ("criteria", item.get("acceptance_criteria", context.get("criteria")), "id"),
        ("risks", item.get("risks", context.get("risks")), "id"),
        ("tasks", result_of(request, "decomposer").get("tasks"), "id"),
        ("signals", result_of(request, "signal-harvester").get("signals", item.get("signals")), "name"),
    )
    for sort, entries, key in sources:
        if isinstance(entries, list):
            found[sort] = tuple(dict.fromkeys(str(e[key]) for e in entries if isinstance(e, dict) and e.get(key)))
    if isinstance(item.get("options"), list):
        keys = tuple(str(option["key"]) for option in item["options"] if isinstance(option, dict) and "key" in option)
        found["options"] = keys or ("approve", "reject")
    return found


@cache
def _envelope(role: str) -> type[Answered[Any]]:
    output = OUTPUTS.get(role, Contribution)
    return Answered[Decided] if output is Decided else Raising[output]  # type: ignore[valid-type]


def _closed(node: Json, definitions: Json, ids: Mapping[str, Sequence[str]], words: Sequence[str]) -> Json:
    """A schema of these words, without references or optional keys, its ids those of the request."""

    def closed(part: Json) -> Json:
        return _closed(part, definitions, ids, words)

    if "$ref" in node:
        return closed(definitions[str(node["$ref"]).rpartition("/")[2]])
    if "anyOf" in node:
        return {"anyOf": [closed(each) for each in node["anyOf"]]}
    kept: Json = {key: node[key] for key in words if key in node}
    known = ids.get(node.get("x-of", ""), ())
    if kept.get("type") == "array":
        return {**kept, "items": closed(node["items"])}
    if kept.get("type") != "object":
        return {**kept, "enum": list(known)} if known else kept
    kept.pop("description", None)
    if "properties" in node:
        parts = {key: closed(part) for key, part in node["properties"].items()}
    else:
        parts = {key: closed(node["additionalProperties"]) for key in known}
    return {**kept, "properties": parts, "required": list(parts), "additionalProperties": False}


def _told(found: Mapping[str, Any]) -> str:
    """One of pydantic's findings as a sentence; keys and ids in it are the model's own words."""
    where = one_line(".".join(str(part) for part in found["loc"]) or "the answer")
    if found["type"] == UNKNOWN:
        return f"{where}: {one_line(found['msg'], 700)}."
    if found["type"] == "extra_forbidden":
        return f"{where}: this key does not exist; leave it out."
    if found["type"] == "missing":
        return f"{where}: it is missing."
    return f"{where}: {found['msg'][:1].lower()}{found['msg'][1:]}."
