"""P1's agents: tasks from criteria or from the request's own list, hours, order, mitigations, one plan."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from core.agents.bench import Bench
from core.agents.planning import (
    backlog_curator,
    decomposer,
    dependency_mapper,
    estimator,
    mitigation_planner,
)
from core.contract import AgentRequest, AgentResponse, Json, Status, canonical_json

Agent = Callable[[AgentRequest, Bench], Awaitable[AgentResponse]]
AGENTS: dict[str, Agent] = {
    "decomposer": decomposer,
    "estimator": estimator,
    "dependency-mapper": dependency_mapper,
    "mitigation-planner": mitigation_planner,
    "backlog-curator": backlog_curator,
}
HERE = Bench(None, Path("releases"), Path("scratch"))


def ready(*criteria: str, **more: Any) -> Json:
    return {
        "title": "Reminders",
        "type": "feature",
        "classification": {"type": "feature", "domain": "data", "complexity": "low"},
        "business_context": "",
        "problem": "",
        "value": "",
        "acceptance_criteria": [{"id": f"AC{n}", "text": text} for n, text in enumerate(criteria, 1)],
        "risks": [],
        **more,
    }


def stated(*tasks: Json | str) -> Json:
    entries = [task if isinstance(task, dict) else {"text": task} for task in tasks]
    rows = [{"id": "", "hours": None, "number": n, "line": n, **entry} for n, entry in enumerate(entries, 1)]
    return {"stated": {"tasks": rows, "tasks_found": len(rows), "approach": ""}}


async def plan(item: Json, **answers: Any) -> dict[str, AgentResponse]:
    """All of P1's agents in their order."""
    responses: dict[str, AgentResponse] = {}
    for role, agent in AGENTS.items():
        results = {known: response.output_artifact for known, response in responses.items()}
        request = AgentRequest("planning-orch", item, {"results": results, "answers": answers}, "plan.snapshot")
        responses[role] = await agent(request, HERE)
        assert responses[role].responding_agent == role
        canonical_json(responses[role].to_json())
    return responses


async def tasks_of(item: Json, **answers: Any) -> list[Json]:
    tasks: list[Json] = (await plan(item, **answers))["backlog-curator"].output_artifact["tasks"]
    return tasks


async def test_every_criterion_becomes_a_task_with_a_title_of_its_words() -> None:
    tasks = await tasks_of(ready("The shop must send a reminder.", "Users can stop it"))
    same = {"estimate_hours": 1.0, "depends_on": []}
    assert tasks == [
        {"id": "T1", "title": "Make the shop send a reminder", "criteria": ["AC1"], **same},
        {"id": "T2", "title": "Let users stop it", "criteria": ["AC2"], **same},
    ]


async def test_listed_tasks_take_the_criteria_they_name_or_share_words_with() -> None:
    item = ready(
        "A header row is written", "Big files are streamed", "The page has a button",
        **stated("Write the header row of the file", "Add the button (AC3)", "Celebrate"),
    )  # fmt: skip
    tasks = await tasks_of(item)
    assert [(t["id"], t["criteria"]) for t in tasks] == [("T1", ["AC1"]), ("T2", ["AC3"]), ("T3", []), ("T4", ["AC2"])]
    assert tasks[1]["title"] == "Add the button"


async def test_without_criteria_there_is_nothing_to_plan() -> None:
    response = (await plan(ready()))["decomposer"]
    assert (response.status, response.missing) == (Status.BLOCKED, ["acceptance_criteria: found 0"])


async def test_a_list_that_was_cut_is_asked_about() -> None:
    item = ready("It works")
    item["stated"] = {"tasks": [], "tasks_found": 900}
    assert (await plan(item))["decomposer"].missing == ["tasks: the request lists 900, at most 0 make one plan"]
    assert [t["title"] for t in await tasks_of(item, tasks=["Do it"])] == ["It works", "Do it"]


async def test_answers_change_tasks_by_id_and_add_others() -> None:
    answers = [
        {"id": "T1", "estimate_hours": "3h", "title": "Half of it"},
        {"id": "t2", "depends_on": ["T1"]},
        "The rest (AC1)",
    ]
    tasks = await tasks_of(ready("It works", "It lasts"), tasks=answers)
    assert [(t["id"], t["title"], t["criteria"], t["estimate_hours"], t["depends_on"]) for t in tasks] == [
        ("T1", "Half of it", ["AC1"], 3.0, []),
        ("T2", "It lasts", ["AC2"], 1.0, ["T1"]),
        ("T3", "The rest", ["AC1"], 1.0, []),
    ]


async def test_words_that_need_a_decision_raise_it() -> None:
    item = ready("Add an endpoint for the password reset", "It works", stated={"approach": "Use the `orjson` library."})
    decisions = (await plan(item))["decomposer"].metadata["decisions"]
    assert [(d["kind"], d["domain"], d["impact"]) for d in decisions] == [
        ("security", "technical", 7),
        ("new_dependency", "technical", 5),
        ("api_endpoints", "technical", 4),
    ]
    assert "password reset" in decisions[0]["question"]


async def test_plain_work_raises_none() -> None:
    assert (await plan(ready("The list is sorted by name")))["decomposer"].metadata["decisions"] == []


@pytest.mark.parametrize(
    ("kind", "complexity", "criterion", "hours"),
    [
        ("feature", "low", "It works", 1.0),
        ("feature", "high", "It works", 2.5),
        ("docs", "low", "It reads well", 0.5),
        ("feature", "high", "word " * 200, 8.5),
        ("unheard-of", "", "It works", 1.5),
    ],
)
async def test_hours_come_from_the_table_in_halves_and_are_not_cut_to_what_the_gate_allows(
    kind: str, complexity: str, criterion: str, hours: float
) -> None:
    item = ready(criterion, classification={"type": kind, "complexity": complexity})
    found = (await plan(item))["estimator"].output_artifact
    assert found["estimates"] == {"T1": hours}
    assert found["basis"]["T1"].endswith("words: 200)" if hours == 8.5 else ")")


async def test_stated_hours_stay_even_over_four_and_answers_win() -> None:
    item = ready("It works", **stated({"text": "Make it work", "hours": 9.0}, {"text": "Test it", "hours": 2.0}))
    found = (await plan(item, estimates={"T2": "90 min"}))["estimator"].output_artifact
    assert found["estimates"] == {"T1": 9.0, "T2": 1.5, "T3": 1.0}
    assert (found["basis"]["T1"], found["basis"]["T2"]) == ("stated in the request", "answered")


@pytest.mark.parametrize("value", [{"T1": 2}, {"t1": "2h"}, [{"task": "T1", "hours": 2}], "T1: 2 hours", ["T1 = 2"]])
async def test_answered_hours_are_taken_in_every_shape(value: object) -> None:
    assert (await plan(ready("It works"), estimates=value))["estimator"].output_artifact["estimates"] == {"T1": 2.0}


async def test_hours_that_are_none_are_asked_again() -> None:
    response = (await plan(ready("It works"), estimates={"T1": "soon"}))["estimator"]
    assert (response.status, response.missing) == (Status.BLOCKED, ["estimates: T1 'soon' is no number of hours"])


async def test_order_follows_the_words_and_documents_come_last() -> None:
    item = ready("x y z", **stated("Update the docs", "Add the export, after task 3", "Add the parser", "Then ship it"))
    found = (await plan(item))["dependency-mapper"].output_artifact
    assert found["depends_on"]["T2"] == ["T3"]
    assert found["depends_on"]["T4"] == ["T3"]
    assert found["depends_on"]["T1"] == ["T2", "T3", "T4", "T5"]
    assert found["order"] == ["T3", "T2", "T4", "T5", "T1"]
    assert found["reasons"]["T2"] == "T3: after task 3"


async def test_unknown_tasks_and_cycles_are_kept_for_the_gate_to_name() -> None:
    item = ready("x y z", **stated("Do this after T2", "Do that after T1", "Do more after T77"))
    found = (await plan(item))["dependency-mapper"].output_artifact
    assert found["depends_on"] == {"T1": ["T2"], "T2": ["T1"], "T3": ["T77"]}
    assert sorted(found["order"]) == ["T1", "T2", "T3", "T4"]


@pytest.mark.parametrize("value", [{"T2": ["T1"]}, {"T2": "1"}, [{"id": "T2", "depends_on": "T1"}], "T2: T1"])
async def test_answered_dependencies_replace_what_was_found(value: object) -> None:
    item = ready("x y z", **stated("Do this", "Do that after T3"))
    found = (await plan(item, depends_on=value))["dependency-mapper"].output_artifact
    assert found["depends_on"] == {"T2": ["T1"]}
    assert found["reasons"] == {"T2": "T1: answered"}


async def test_a_task_freed_by_an_answer_waits_for_nothing() -> None:
    item = ready("x y z", **stated("Do this", "Do that after T1"))
    assert (await plan(item, depends_on={"T2": []}))["dependency-mapper"].output_artifact["depends_on"] == {}


RISKS = [
    {"id": "R1", "text": "It may burn", "severity": "high", "mitigation": "water"},
    {"id": "R2", "text": "It may rust", "severity": "low", "mitigation": ""},
]


async def test_a_risk_without_a_mitigation_is_asked_about_by_name() -> None:
    response = (await plan(ready("It works", risks=RISKS)))["mitigation-planner"]
    assert response.status is Status.BLOCKED
    assert response.missing == ["mitigations: R2 has no plan (It may rust)"]
    assert "How" in response.metadata["suggestion"].title()
    assert response.output_artifact["mitigations"] == [{"risk": "R1", "plan": "water"}]


@pytest.mark.parametrize(
    "value", [{"R2": "paint"}, [{"risk": "R2", "plan": "paint"}], "R2: paint", "paint", {"R2": "paint", "R9": "x"}]
)
async def test_answered_mitigations_are_taken_in_every_shape(value: object) -> None:
    found = await plan(ready("It works", risks=RISKS), mitigations=value)
    assert found["backlog-curator"].output_artifact["mitigations"] == [
        {"risk": "R1", "plan": "water"},
        {"risk": "R2", "plan": "paint"},
    ]


@pytest.mark.parametrize("plan_of_r2", ["...", "TBD", "2."])
async def test_a_plan_that_only_holds_its_place_is_none(plan_of_r2: str) -> None:
    answered = await plan(ready("It works", risks=RISKS), mitigations={"R2": plan_of_r2})
    stated_so = await plan(ready("It works", risks=[RISKS[0], {**RISKS[1], "mitigation": plan_of_r2}]))

    for found in (answered, stated_so):
        assert found["mitigation-planner"].missing == ["mitigations: R2 has no plan (It may rust)"]


async def test_the_curator_leaves_out_what_nobody_said() -> None:
    results = {"decomposer": {"tasks": [{"id": "T1", "title": "Do it", "criteria": ["AC1"]}]}}
    request = AgentRequest("planning-orch", ready("It works"), {"results": results}, "plan.snapshot")
    curated = (await backlog_curator(request, HERE)).output_artifact
    assert curated == {
        "tasks": [{"id": "T1", "title": "Do it", "criteria": ["AC1"], "depends_on": []}],
        "order": ["T1"],
        "mitigations": [],
    }


@pytest.mark.parametrize("answers", [{"tasks": 5, "estimates": None, "depends_on": 7, "mitigations": [None]}, {}])
@pytest.mark.parametrize("item", [{}, {"acceptance_criteria": None, "risks": 3, "stated": [], "classification": None}])
async def test_odd_values_never_break_an_agent(item: Json, answers: Json) -> None:
    await plan(item, **answers)
    await plan(ready("It works", risks=RISKS), **answers)
