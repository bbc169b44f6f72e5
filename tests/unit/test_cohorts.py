"""Whose record it is: the agent as it is set up, and who answered for it where that leaves it open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.contract import AgentResponse, Status, succeeded
from core.governance.cohorts import PREFIX, cohort_of, keep_decider
from core.store import reads
from core.store.schema import Agent
from core.store.settings import read_setting
from core.store.transaction import Transaction
from tests.unit.engine_run import Run
from tests.unit.scope_place import KIND, OWN, Place, opened
from tests.unit.scripted import Scripted
from tests.unit.test_engine_decisions import decision, decisions_of, saying


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = opened(tmp_path)
    yield made
    made.store.close()


def set_up(place: Place, runtime: str, model: str | None = None) -> None:
    row = place.read(lambda r: reads.agent(r, "technical"))
    assert row is not None

    def change(tx: Transaction) -> None:
        tx.update(Agent, row.id, runtime=runtime, model=model)
        tx.event("agents.imported")

    place.write(change)


def answer_by(place: Place, runtime: str, model: str | None = None) -> None:
    def keep(tx: Transaction) -> None:
        keep_decider(tx, "technical", runtime, model)
        tx.event("test.answered")

    place.write(keep)


def cohort(place: Place) -> str:
    return place.read(lambda r: cohort_of(r, "technical"))


@pytest.mark.parametrize(
    ("runtime", "first", "second"),
    [
        ("anthropic", ("anthropic", "small"), ("anthropic", "large")),
        ("auto", ("anthropic", "small"), ("openai-compatible", "small")),
        ("auto", ("anthropic", "small"), ("offline", None)),
        ("anthropic", ("anthropic", "small"), ("offline", None)),
    ],
)
def test_another_model_begins_another_record_although_the_team_s_files_stay(
    place: Place, runtime: str, first: tuple[str, str | None], second: tuple[str, str | None]
) -> None:
    set_up(place, runtime)
    answer_by(place, *first)
    place.answered(2)
    decided = place.decide(OWN).decision

    answer_by(place, *second)

    assert place.record().n == 0
    assert place.record(OWN).decided == 0
    answer_by(place, *first)
    assert (place.record(KIND).n, place.record(OWN).decided) == (2, 1)
    assert place.decision(decided).cohort == cohort(place)


def test_who_is_named_and_who_answered_under_that_name_are_one(place: Place) -> None:
    set_up(place, "auto")
    answer_by(place, "anthropic", "small")
    found = cohort(place)

    set_up(place, "anthropic", "small")

    assert cohort(place) == found


def test_a_model_counts_by_the_name_that_the_team_gives_it(place: Place) -> None:
    set_up(place, "anthropic", "small")
    before = cohort(place)

    answer_by(place, "anthropic", "small-2026-01-01")

    assert cohort(place) == before


def test_with_another_set_up_who_answered_before_says_nothing(place: Place) -> None:
    set_up(place, "anthropic")
    fresh = cohort(place)
    answer_by(place, "anthropic", "small")
    set_up(place, "openai-compatible")
    set_up(place, "anthropic", "large")
    named = cohort(place)

    assert len({fresh, named}) == 2
    set_up(place, "auto")
    assert cohort(place) not in (fresh, named)


def test_who_is_as_the_team_says_leaves_nothing_behind(place: Place) -> None:
    set_up(place, "anthropic", "small")
    answer_by(place, "offline")
    answer_by(place, "anthropic", "small")

    assert place.read(lambda r: read_setting(r, f"{PREFIX}technical")) is None


async def test_an_owner_s_answer_is_recorded_as_that_of_the_model_which_gave_it(run: Run) -> None:
    answers = iter(
        [
            succeeded("technical", {"choice": "new"}).with_metadata(model="small"),
            succeeded("technical", {"choice": "new"}).with_metadata(model="large"),
            _failed("broken"),
        ]
    )
    questions = iter(["First?", "Second?", "Third?"])
    script = Scripted(
        decomposer=lambda request: saying("decomposer", decision(question=next(questions)))(request),
        technical=lambda _: next(answers),
    )
    await run.start(script)
    found = []
    for _ in range(3):
        number = await run.add(until="P1")
        await run.settle()
        found += [d.cohort for d in await decisions_of(run, number)]

    assert found[0] != found[1]
    # One that could not answer has decided nothing.
    assert found[1:] == [found[1]] * 2
    assert await run.ws.store.read(lambda r: cohort_of(r, "technical")) == found[1]


def _failed(model: str) -> AgentResponse:
    told = succeeded("technical", {}).with_metadata(model=model).to_json()
    return AgentResponse.from_json({**told, "status": Status.FAILURE.value})
