"""The shapes of answers: what our own functions give fits them, and what makes no sense is refused with a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from core.agents.bench import Bench
from core.contract import AgentRequest, AgentResponse, ApmError, Json, Status
from core.phases import PHASES
from core.runtimes.models.outputs import MEASURED, OUTPUTS
from core.runtimes.models.shapes import Unfit, shape_of
from tests.models.asked import DECISION, RAW, READY, SIGNALS, Walk, asked, by_function

DOMAINS = ("technical", "strategy", "ux", "gtm")
OURS: Mapping[str, tuple[str, ...]] = {
    "problem-framer": ("stated.tasks.line",),
    "value-articulator": ("unread",),
    "risk-notary": ("sources",),
    "ac-writer": ("sources",),
    "decomposer": ("tasks.words", "tasks.number", "tasks.estimate_hours", "tasks.depends_on"),
    "pattern-applier": ("because",),
    "migration-author": ("waived",),
    "doc-toucher": ("waived", "by_docstrings"),
    "insight-synthesizer": ("telemetry.signals", "telemetry.rules"),
    "refactor-proposer": (
        "improvements.location",
        "backlog.added.about",
        "backlog.updated.location",
        "backlog.updated.work_item",
    ),
    "sunset-planner": ("files", "commit", "sunset.cost", "sunset.evidence"),
}
"""Keys of the outputs, as paths through objects and lists, that only our own functions give."""
SHAPED = {code: [s.agent for p in PHASES if p.code == code for s in p.steps if s.agent in OUTPUTS]
          for code in ("D1", "P1", "I1", "E1")}  # fmt: skip


def without(value: Any, path: tuple[str, ...]) -> Any:
    if isinstance(value, list):
        return [without(part, path) for part in value]
    if not isinstance(value, dict):
        return value
    head, *rest = path
    kept = {key: part for key, part in value.items() if rest or key != head}
    return {key: without(part, tuple(rest)) if key == head else part for key, part in kept.items()}


def said(value: Any) -> Any:
    """Without nulls, which stand for keys that are not there."""
    if isinstance(value, dict):
        return {key: said(part) for key, part in value.items() if part is not None}
    return [said(part) for part in value] if isinstance(value, list) else value


def as_answer(role: str, response: AgentResponse) -> tuple[Json, Json]:
    """What a model would have said in the function's place, and the output without what only the function gives."""
    output = response.output_artifact
    for path in OURS.get(role, ()):
        output = without(output, tuple(path.split(".")))
    envelope: Json = {
        "status": response.status.value,
        "output": output,
        "missing": response.missing,
        "suggestion": response.metadata.get("suggestion", ""),
    }
    if role not in DOMAINS:
        raised = response.metadata.get("decisions", ())
        envelope["decisions"] = [{k: v for k, v in entry.items() if k != "blocks"} for entry in raised]
    return envelope, output


@pytest.mark.parametrize("code", SHAPED)
async def test_what_the_functions_answer_has_the_shape_that_models_are_held_to(code: str, tmp_path: Path) -> None:
    found = await Walk(tmp_path).phase(code)

    for role in SHAPED[code]:
        request, response = found[role]
        envelope, output = as_answer(role, response)
        answer = shape_of(role, request).judged(envelope)
        assert (role, answer.status, said(answer.output)) == (role, response.status, said(output))
        assert [d["kind"] for d in answer.decisions] == [d["kind"] for d in response.metadata.get("decisions", ())]


@pytest.mark.parametrize("role", DOMAINS)
async def test_so_has_a_domain_agents_word(role: str, tmp_path: Path) -> None:
    request = asked(role, DECISION)
    response = await by_function(request, role, Bench(None, tmp_path, tmp_path))
    envelope, output = as_answer(role, response)

    assert shape_of(role, request).judged(envelope).output == output


def test_every_role_of_the_phases_has_a_shape_or_is_measured_or_writes_code() -> None:
    roles = {role for phase in PHASES for role in phase.roles}

    assert roles - set(OUTPUTS) - MEASURED == {"code-implementer", "test-implementer"}


def test_a_measurement_has_no_shape() -> None:
    with pytest.raises(ApmError, match="test-runner answers is measured"):
        shape_of("test-runner", asked("test-runner", {}))


def objects(schema: Json) -> Iterator[Json]:
    if schema.get("type") == "object":
        yield schema
    parts = [*schema.get("properties", {}).values(), *schema.get("anyOf", ())]
    for part in [*parts, *([schema["items"]] if "items" in schema else ())]:
        yield from objects(part)


def test_a_tool_shows_the_bounds_of_figures_as_well() -> None:
    tool = shape_of("problem-framer", asked("problem-framer", RAW)).tool

    score = tool["input_schema"]["properties"]["output"]["properties"]["six_w"]["properties"]["who"]
    assert score == {"type": "number", "minimum": 0, "maximum": 1}


def words(schema: Json) -> Iterator[str]:
    """JSON Schema's own words in it, without the names of properties."""
    yield from schema
    parts = [*schema.get("properties", {}).values(), *schema.get("anyOf", ())]
    for part in [*parts, *([schema["items"]] if "items" in schema else ())]:
        yield from words(part)


PLANNED: Json = {"results": {"decomposer": {"tasks": [{"id": "T1", "title": "a"}, {"id": "T2", "title": "b"}]}}}


@pytest.mark.parametrize("role", [*OUTPUTS, "python-implementer"])
def test_a_schema_is_closed_and_has_nothing_that_providers_refuse(role: str) -> None:
    schema = shape_of(role, asked(role, READY, **PLANNED)).schema

    for found in objects(schema):
        assert found["additionalProperties"] is False
        assert found["required"] == list(found["properties"])
    assert set(words(schema)) <= {
        "type",
        "enum",
        "const",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "anyOf",
    }


def test_a_schema_names_the_ids_that_the_request_has() -> None:
    output = shape_of("estimator", asked("estimator", READY, **PLANNED)).schema["properties"]["output"]
    tasks = shape_of("decomposer", asked("decomposer", READY)).schema["properties"]["output"]["properties"]["tasks"]

    assert list(output["properties"]["estimates"]["properties"]) == ["T1", "T2"]
    assert tasks["items"]["properties"]["criteria"]["items"]["enum"] == ["AC1", "AC2", "AC3"]


def whole(output: Json, **envelope: Any) -> Json:
    return {"status": "SUCCESS", "output": output, "missing": [], "suggestion": "", "decisions": [], **envelope}


TASK: Json = {"id": "T1", "title": "Sum the columns", "criteria": ["AC1", "AC2", "AC3"]}
CRITERIA: Json = {"acceptance_criteria": [{"id": "AC1", "text": "It sums."}]}
SIX = {"who": 0.5, "what": 0.8, "when": 0.0, "where": 0.0, "why": 0.0, "how": 0.0}
FRAMED: Json = {
    "problem": "Tables are retyped.",
    "six_w": SIX,
    "six_w_evidence": {**dict.fromkeys(SIX, ""), "what": "a totals row"},
    "confidence": 1.0,
    "stated": {"tasks": [], "tasks_found": 0, "approach": ""},
}
OPTION: Json = {"key": "a", "label": "A", "consequence": "It is so."}
RAISED: Json = {
    "kind": "security", "domain": "technical", "question": "Which?", "impact": 5, "options": [OPTION],
    "recommended": "a",
}  # fmt: skip

WRONG = [
    ("ac-writer", whole({**CRITERIA, "sources": {}}), "output.sources: this key does not exist; leave it out."),
    ("ac-writer", whole({}), "output.acceptance_criteria: it is missing."),
    ("ac-writer", whole(CRITERIA, evidence=[{"exit_code": 0}]), "evidence: this key does not exist; leave it out."),
    ("ac-writer", whole({"acceptance_criteria": [CRITERIA["acceptance_criteria"][0]] * 2}),
     "output.acceptance_criteria: the id AC1 is there 2 times."),
    ("ac-writer", whole({"acceptance_criteria": [{"id": "AC1", "text": " "}]}),
     "output.acceptance_criteria.0.text: it is empty."),
    ("ac-writer", whole(CRITERIA, status="BLOCKED"), "status is BLOCKED"),
    ("ac-writer", whole(CRITERIA, status="FAILURE"), "status: input should be 'SUCCESS' or 'BLOCKED'."),
    ("ac-writer", whole(CRITERIA, decisions=[{**RAISED, "impact": 11}]), "impact: input should be less than or equal"),
    ("ac-writer", whole(CRITERIA, decisions=[{**RAISED, "domain": "human"}]), "domain: input should be 'technical'"),
    ("ac-writer", whole(CRITERIA, decisions=[{**RAISED, "recommended": "b"}]), "it is none of the options' keys"),
    ("ac-writer", whole(CRITERIA, decisions=[{**RAISED, "topic": "x" * 101}]), "topic: string should have at most 100"),
    ("decomposer", whole({"tasks": [{**TASK, "criteria": ["AC9"]}]}), "AC9 is none of the criteria"),
    ("decomposer", whole({"tasks": [{**TASK, "criteria": ["AC1"]}]}), "no task serves AC2"),
    ("estimator", whole({"estimates": {"T1": 1.0, "T2": 0}, "basis": {}}), "T2 has no hours above 0"),
    ("estimator", whole({"estimates": {"T1": 1.0, "T7": 1.0}, "basis": {}}), "T7 is none of the tasks"),
    ("estimator", whole({"estimates": {"T1": -1.0}, "basis": {}}), "greater than or equal to 0"),
    ("dependency-mapper", whole({"depends_on": {"T1": ["T2"], "T2": ["T1"]}, "order": ["T1", "T2"], "reasons": {}}),
     "a circle, T1 -> T2 -> T1"),
    ("mitigation-planner", whole({"mitigations": []}), "R1 has no plan"),
    ("problem-framer", whole(FRAMED), "six_w.who is 0.5 and six_w_evidence.who is empty"),
    ("doc-toucher", whole({"updated": True, "files": [], "waived": "human: fine"}), "waived: this key does not exist"),
    ("migration-author", whole({"schema_changed": True, "created": [], "evidence": []}), "the status is BLOCKED"),
]  # fmt: skip


@pytest.mark.parametrize(("role", "given", "sentence"), WRONG)
def test_what_makes_no_sense_is_refused_with_a_sentence(role: str, given: Json, sentence: str) -> None:
    item = RAW if role in ("ac-writer", "problem-framer") else READY

    with pytest.raises(Unfit) as refused:
        shape_of(role, asked(role, item, **PLANNED)).judged(given)

    assert any(sentence in problem for problem in refused.value.problems), refused.value.problems


def test_an_output_without_its_envelope_is_a_whole_one() -> None:
    answer = shape_of("ac-writer", asked("ac-writer", RAW)).judged(CRITERIA)

    assert (answer.status, answer.output, answer.decisions) == (Status.SUCCESS, CRITERIA, ())


@pytest.mark.parametrize("given", [None, "SUCCESS", [], 7, {"status": "SUCCESS"}])
def test_no_envelope_is_no_answer(given: object) -> None:
    with pytest.raises(Unfit):
        shape_of("ac-writer", asked("ac-writer", RAW)).judged(given)


class TestDomainWords:
    def judged(self, output: Json) -> Json:
        given = {"status": "SUCCESS", "output": output, "missing": [], "suggestion": ""}
        return shape_of("technical", asked("decision", DECISION)).judged(given).output

    def test_a_choice_is_one_of_the_options(self) -> None:
        assert self.judged({"choice": "none", "reason": "Less to follow.", "escalate": None}) == {
            "choice": "none",
            "reason": "Less to follow.",
        }
        with pytest.raises(Unfit, match="everything is none of the options"):
            self.judged({"choice": "everything", "reason": "Yes.", "escalate": None})

    def test_it_is_a_choice_or_a_question_and_never_both(self) -> None:
        asks: Json = {"question": "Which bill?", "options": [], "recommended": None}
        assert self.judged({"choice": None, "reason": "", "escalate": asks})["escalate"]["question"] == "Which bill?"
        with pytest.raises(Unfit, match="either"):
            self.judged({"choice": "none", "reason": "x", "escalate": asks})

    def test_it_raises_no_decision_of_its_own(self) -> None:
        assert "decisions" not in shape_of("technical", asked("decision", DECISION)).schema["properties"]


class TestWhatIsOurs:
    """Nobody's reading of a request outranks the requester, a person, or arithmetic."""

    def output(self, role: str, item: Json, given: Json, **context: Any) -> Json:
        return shape_of(role, asked(role, item, **context)).judged(whole(given)).output

    def test_the_type_stays_the_requesters_because_gates_depend_on_it(self) -> None:
        given = {"classification": {"type": "docs", "domain": "cli", "complexity": "low"}, "reasons": ["docs"]}

        assert self.output("intent-triage", RAW, given)["classification"]["type"] == "feature"
        answered = self.output("intent-triage", RAW, given, answers={"type": "bug"})
        assert answered["classification"]["type"] == "bug"

    def test_the_mean_is_reckoned_and_an_answered_w_is_clear(self) -> None:
        given = {**FRAMED, "six_w_evidence": dict.fromkeys(SIX, "words"), "confidence": 1.0}

        framed = self.output("problem-framer", RAW, given, answers={"when": "In March"})

        assert (framed["six_w"]["when"], framed["confidence"]) == (1.0, 0.38)
        assert framed["six_w_evidence"]["when"] == "answered: In March"

    def test_answered_hours_stand_and_a_task_without_any_has_no_figure(self) -> None:
        given = {"estimates": {"T1": 4.0, "T2": 1.0}, "basis": {"T1": "a guess", "T2": "small"}}

        found = self.output("estimator", READY, given, **PLANNED, answers={"estimates": {"T1": "30 min", "T9": 3}})

        assert found == {"estimates": {"T1": 0.5, "T2": 1.0}, "basis": {"T1": "answered", "T2": "small"}}

    @pytest.mark.parametrize(
        ("role", "key", "given"),
        [
            ("doc-toucher", "docs", {"updated": False, "files": []}),
            ("migration-author", "migrations", {"schema_changed": True, "created": [], "evidence": ["a.py:1"]}),
        ],
    )
    def test_a_waiver_is_made_of_a_persons_answer_alone(self, role: str, key: str, given: Json) -> None:
        output = self.output(role, {}, given, answers={key: "Nothing that a user sees."})

        assert output["waived"] == "human: Nothing that a user sees."

    def test_a_decision_holds_back_what_comes_after_it(self) -> None:
        def held(role: str, item: Json, given: Json, **context: Any) -> str:
            answer = shape_of(role, asked(role, item, **context)).judged(whole(given, decisions=[RAISED]))
            return str(answer.decisions[0].get("blocks"))

        assert held("ac-writer", RAW, CRITERIA) == "P1"
        assert held("decomposer", READY, {"tasks": [TASK]}) == "I1"
        assert held("doc-toucher", {}, {"updated": True, "files": []}, task={"id": "T3"}) == "T3"


@pytest.mark.parametrize("topic", ["the list", None])
def test_a_decision_says_what_it_is_about_where_another_owners_is_about_the_same(topic: str | None) -> None:
    shape = shape_of("decomposer", asked("decomposer", READY))

    answer = shape.judged(whole({"tasks": [TASK]}, decisions=[{**RAISED, "topic": topic}]))

    assert "topic" in shape.schema["properties"]["decisions"]["items"]["properties"]
    assert answer.decisions[0].get("topic") == topic


def test_a_curator_adds_no_figure_of_its_own() -> None:
    results = {**PLANNED["results"], "estimator": {"estimates": {"T1": 2.0}}}
    request: AgentRequest = asked("backlog-curator", READY, results=results)
    first: Json = {"id": "T1", "title": "a", "criteria": [], "estimate_hours": 2.0, "depends_on": []}
    second: Json = {**first, "id": "T2", "estimate_hours": None}

    def judged(*tasks: Json) -> Json:
        output = {"tasks": list(tasks), "order": ["T1", "T2"], "mitigations": []}
        return shape_of("backlog-curator", request).judged(whole(output)).output

    assert "estimate_hours" not in judged(first, second)["tasks"][1]
    with pytest.raises(Unfit, match="the estimator found none"):
        judged(first, {**second, "estimate_hours": 1.0})


def test_signals_that_nobody_measured_cannot_be_rested_on() -> None:
    insight = {"rule": "rework", "text": "Three rounds.", "aim": "One.", "signals": ["uptime"]}
    request = asked("insight-synthesizer", {"signals": SIGNALS})

    with pytest.raises(Unfit, match="uptime is none of the signals"):
        shape_of("insight-synthesizer", request).judged(whole({"telemetry": {"analyzed": True}, "insights": [insight]}))
