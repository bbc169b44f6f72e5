"""A review that fails sends the work back, so many rounds; a round asks again what failed and what is to be mended."""

from __future__ import annotations

from core.contract import AgentRequest, AgentResponse, Json, failed, succeeded
from core.orchestration.gates import check
from core.orchestration.journal import Entry, Journal, Key
from core.store import reads, reads_escalations
from tests.unit.engine_run import Run
from tests.unit.scripted import BUILD, OUTPUTS, TASK, Scripted, failing_tests, fresh_build

TWO_TASKS: Json = {
    **OUTPUTS["backlog-curator"],
    "tasks": [{**TASK, "criteria": ["AC1", "AC2", "AC3"]}, {**TASK, "id": "T2", "criteria": ["AC1"]}],
    "order": ["T1", "T2"],
}


async def test_a_review_that_fails_sends_the_work_back_with_what_is_missing(run: Run) -> None:
    script = Scripted(test_runner=failing_tests(2, 0), implementation_gate_check=fresh_build)
    number = await run.add(until="R1")
    await run.start(script)

    await run.settle()

    assert await run.outcomes(number) == [
        ("D1", 1, "passed"),
        ("P1", 1, "passed"),
        ("I1", 1, "passed"),
        ("R1", 1, "sent_back"),
        ("I1", 2, "passed"),
        ("R1", 2, "passed"),
    ]
    again = script.requests["code-implementer"][1].context
    assert (again["round"], again["missing"][0]) == (2, "tests: 8 of 10 passed (80.0 %)")


async def test_where_only_measurements_are_missing_the_person_is_asked_and_not_the_coders(run: Run) -> None:
    unmeasured = {"tests": {"total": 10, "passed": 10, "failed": 0, "coverage": None}}
    script = Scripted(test_runner=lambda _: succeeded("test-runner", unmeasured))
    number = await run.add(until="R1")
    await run.start(script)

    await run.settle()

    assert [o[2] for o in await run.outcomes(number) if o[0] == "R1"] == ["blocked"]
    assert script.calls["code-implementer"] == 1
    (question,) = await run.questions()
    assert "coverage: not measured" in question.missing


async def test_fewer_failing_tests_are_closer(run: Run) -> None:
    left = [5, 3, 0]

    def tests(_: AgentRequest) -> AgentResponse:
        n = left.pop(0)
        return succeeded("test-runner", {"tests": {"total": 10, "passed": 10 - n, "failed": n, "coverage": 95.0}})

    number = await run.add(until="R1")
    await run.start(Scripted(test_runner=tests, implementation_gate_check=fresh_build))

    await run.settle()

    assert [o[2] for o in await run.outcomes(number) if o[0] == "R1"] == ["sent_back", "sent_back", "passed"]


async def test_revision_rounds_are_bounded(run: Run) -> None:
    script = Scripted(test_runner=failing_tests(5, 4, 1, 1), implementation_gate_check=fresh_build)
    number = await run.add(until="R1")
    await run.start(script)

    await run.settle()

    rounds = [o for o in await run.outcomes(number) if o[0] == "R1"]
    assert [o[2] for o in rounds][-1] == "blocked"
    assert len(rounds) <= 3
    assert (await run.questions())[0].phase == "R1"


async def test_a_round_that_brings_nothing_closer_ends_the_revision_early(run: Run) -> None:
    script = Scripted(test_runner=failing_tests(5), implementation_gate_check=fresh_build)
    number = await run.add(until="R1")
    await run.start(script)

    await run.settle()

    assert [o[2] for o in await run.outcomes(number) if o[0] == "R1"] == ["sent_back", "blocked"]


async def test_trying_again_measures_again_what_failed_and_only_that(run: Run) -> None:
    """The branch is the same; what made the tests fail was mended around it."""
    script = Scripted(test_runner=failing_tests(2, 2, 0))
    number = await run.add(until="R1")
    await run.start(script)
    await run.settle()
    assert (await run.questions())[0].phase == "R1"

    await run.answer("retry")
    await run.settle()

    assert (await run.outcomes(number))[-1] == ("R1", 3, "passed")
    assert script.calls["test-runner"] == 3
    assert script.calls["threat-screener"] == 1


class Coder:
    """A coder whose calls with these numbers (from 1) fail."""

    def __init__(self, *failing: int) -> None:
        self._failing, self._calls = failing, 0

    def __call__(self, _: AgentRequest) -> AgentResponse:
        self._calls += 1
        if self._calls in self._failing:
            return failed("code-implementer", "the model is down", ["a model"])
        return succeeded("code-implementer", OUTPUTS["code-implementer"])


async def test_an_error_in_one_task_does_not_ask_for_the_others_again(run: Run) -> None:
    script = Scripted(backlog_curator=lambda _: succeeded("backlog-curator", TWO_TASKS), code_implementer=Coder(2))
    number = await run.add(until="I1")
    await run.start(script)
    await run.settle()

    await run.answer("retry")
    await run.settle()

    assert [r.context["task"]["id"] for r in script.requests["code-implementer"]] == ["T1", "T2", "T2"]
    assert (await run.outcomes(number))[-1] == ("I1", 2, "passed")


async def test_what_a_review_found_is_not_forgotten_over_an_error(run: Run) -> None:
    script = Scripted(code_implementer=Coder(2), test_runner=failing_tests(2, 0), implementation_gate_check=fresh_build)
    await run.add(until="R1")
    await run.start(script)
    await run.settle()

    await run.answer("retry")
    await run.settle()

    _, failed_one, again = script.requests["code-implementer"]
    assert again == failed_one
    assert again.context["missing"][0] == "tests: 8 of 10 passed (80.0 %)"


def judged_by_docs(request: AgentRequest) -> AgentResponse:
    word = request.context["answers"].get("docs")
    payload = {**BUILD, "docs": {"updated": bool(word), "files": [], **({"waived": f"human: {word}"} if word else {})}}
    return succeeded("implementation-gate-check", {"verdict": check("I1", payload).to_json(), "payload": payload})


async def test_what_a_person_supplies_asks_nobody_for_the_code_again(run: Run) -> None:
    script = Scripted(implementation_gate_check=judged_by_docs)
    number = await run.add(until="I1")
    await run.start(script)
    await run.settle()

    (asked,) = await run.questions()
    assert [(o["key"], o["key"] == asked.recommended) for o in asked.options] == [
        ("retry", True),
        ("supply", False),
        ("stop", False),
    ]
    assert asked.options[1]["label"] == "Say why it is not needed"
    await run.answer("supply", reason="", answer={"docs": "nothing that a user sees"})
    await run.settle()

    (given,) = await run.ws.store.read(lambda r: reads_escalations.answers(r, asked.id))
    assert given.reason == "nothing that a user sees"
    results = await run.ws.store.read(lambda r: reads.gate_results(r, number))
    shown = [c["actual"] for c in results[-1].criteria if c["name"] == "docs"]
    assert shown == ["not updated, waived by human: nothing that a user sees"]
    assert (await run.outcomes(number))[-1] == ("I1", 2, "passed")
    assert {role for role, n in script.calls.items() if n > 1} == {"doc-toucher", "implementation-gate-check"}


async def test_a_gate_that_is_tried_again_asks_the_coders_with_what_was_missing(run: Run) -> None:
    script = Scripted(implementation_gate_check=judged_by_docs)
    await run.add(until="I1")
    await run.start(script)
    await run.settle()

    await run.answer("retry")
    await run.settle()

    again = script.requests["code-implementer"][1].context
    assert (again["round"], again["missing"]) == (2, ["docs: not updated", "ada: because"])


def test_of_several_rounds_that_answered_the_same_question_the_newest_counts() -> None:
    first, second = (Entry(Key("R1", n, "test-runner"), "d", succeeded("test-runner", {"n": n}), n) for n in (1, 2))

    assert Journal([first, second]).same_question(Key("R1", 3, "test-runner"), "d") is second
