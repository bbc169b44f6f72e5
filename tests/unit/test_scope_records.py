"""What counts for an agent's record, one rule at a time, and what a kind's questions cost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.contract import canonical_json
from core.governance import escalations, life
from core.governance.scope.loads import Load, read_load
from core.governance.scope.records import Record
from core.store import reads_escalations
from core.store.schema import Answer, Decision, Escalation
from tests.unit.scope_place import DAY, HOUR, KIND, OWN, Place, opened


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = opened(tmp_path)
    yield made
    made.store.close()


def change(place: Place, model: Any, key: int, **values: Any) -> None:
    def write(tx: Any) -> None:
        tx.update(model, key, **values)
        tx.event("test.changed")

    place.write(write)


def answers_of(place: Place, escalation: int) -> list[int]:
    return [a.id for a in place.read(lambda r: reads_escalations.answers(r, escalation))]


def counted(record: Record) -> tuple[int, int]:
    return record.n, len(record.accepted)


class TestWhatCounts:
    def test_nothing_asked_is_no_record(self, place: Place) -> None:
        record = place.record()

        assert counted(record) == (0, 0)
        assert record.bound is None

    def test_the_recommended_answer_is_accepted_and_another_one_is_not(self, place: Place) -> None:
        numbers = place.answered(3, 1)

        record = place.record()

        assert counted(record) == (4, 3)
        assert (record.accepted, record.declined) == (tuple(numbers[:3]), tuple(numbers[3:]))

    def test_a_question_that_waits_counts_for_nothing(self, place: Place) -> None:
        place.ask()

        assert counted(place.record()) == (0, 0)

    def test_one_question_counts_once_however_often_it_was_raised(self, place: Place) -> None:
        for impact in (3, 4, 5, 5):
            escalation = place.ask(question="the same?", impact=impact)
        place.answer(escalation)

        assert counted(place.record()) == (1, 1)

    def test_a_question_that_was_raised_with_two_recommendations_accepts_neither_alone(self, place: Place) -> None:
        escalation = place.ask(question="the same?", recommended="approve")
        assert place.ask(question="the same?", impact=6, recommended="reject") == escalation
        place.answer(escalation, "reject")

        assert counted(place.record()) == (1, 0)

    @pytest.mark.parametrize("provenance", ["rule", "timeout"])
    def test_rules_and_time_outs_never_count(self, place: Place, provenance: str) -> None:
        place.answer(place.ask(), provenance=provenance)

        assert counted(place.record()) == (0, 0)

    def test_a_late_answer_does_not_count(self, place: Place) -> None:
        escalation = place.ask()
        place.write(lambda tx: escalations.withdraw(tx, escalation, why="gone"))
        place.answer(escalation)

        assert counted(place.record()) == (0, 0)

    def test_a_question_that_was_merged_into_another_does_not_count(self, place: Place) -> None:
        first, second = place.ask(), place.ask()
        place.write(lambda tx: life.merge(tx, [first], into=second, by="ada"))
        place.answer(second)

        assert place.record().accepted == (second,)

    @pytest.mark.parametrize("option", ["approve", "reject"])
    def test_a_question_of_which_the_agent_recommended_nothing_does_not_count(self, place: Place, option: str) -> None:
        place.answer(place.ask(recommended=None), option)

        assert counted(place.record()) == (0, 0)

    def test_one_that_was_raised_without_a_recommendation_too_is_no_acceptance(self, place: Place) -> None:
        for impact, recommended in ((3, "approve"), (4, None)):
            escalation = place.ask(question="the same?", impact=impact, recommended=recommended)
        place.answer(escalation, "approve")

        assert counted(place.record()) == (1, 0)

    def test_what_was_shown_must_be_what_the_agent_recommended(self, place: Place) -> None:
        escalation = place.ask()
        change(place, Escalation, escalation, recommended="later")
        place.answer(escalation, "approve")

        assert counted(place.record()) == (1, 0)

    def test_an_answer_with_values_of_the_person_s_own_is_not_accepted(self, place: Place) -> None:
        escalation = place.ask()
        place.answer(escalation)
        change(place, Answer, answers_of(place, escalation)[0], answer=canonical_json({"amount": 3}))

        assert counted(place.record()) == (1, 0)

    def test_a_decision_that_was_reverted_later_is_not_accepted(self, place: Place) -> None:
        [escalation] = place.answered(1)
        [(decision,)] = place.read(lambda r: r.sql("SELECT id FROM decisions WHERE escalation = ?", (escalation,)))
        change(place, Decision, decision, reverted_at=place.now, reverted_by="ada", revert_reason="no")

        assert counted(place.record()) == (1, 0)

    def test_an_answer_that_was_undone_counts_only_once_it_is_given_anew(self, place: Place) -> None:
        [escalation] = place.answered(1)
        place.undo(escalation)
        assert counted(place.record()) == (0, 0)

        place.answer(escalation, "reject")
        assert counted(place.record()) == (1, 0)

    def test_an_acceptance_undone_in_favour_of_another_answer_stays_lost(self, place: Place) -> None:
        [escalation] = place.answered(1)
        for option in ("reject", "approve"):
            place.undo(escalation)
            place.answer(escalation, option)

        assert counted(place.record()) == (1, 0)

    def test_who_comes_round_to_the_recommendation_accepts_it(self, place: Place) -> None:
        [escalation] = place.answered(0, 1)
        place.undo(escalation)
        place.answer(escalation, "approve")

        assert counted(place.record()) == (1, 1)

    def test_what_waited_for_a_conflict_never_counts(self, place: Place) -> None:
        [escalation] = place.answered(1)
        [(decision,)] = place.read(lambda r: r.sql("SELECT id FROM decisions WHERE escalation = ?", (escalation,)))
        change(place, Decision, decision, conflict=1)

        assert counted(place.record()) == (0, 0)

    def test_each_kind_and_each_agent_has_its_own(self, place: Place) -> None:
        place.answered(2)
        place.answered(1, kind="architecture")
        place.answered(1, kind="navigation", agent="ux")

        assert counted(place.record()) == (2, 2)
        assert counted(place.record("architecture")) == (1, 1)
        assert counted(place.record("navigation", "ux")) == (1, 1)

    def test_another_model_starts_a_new_record(self, place: Place) -> None:
        place.answered(3)
        place.change_model("another-model")
        place.answered(1)

        assert counted(place.record()) == (1, 1)

    def test_what_two_cohorts_asked_as_one_question_is_the_record_of_neither(self, place: Place) -> None:
        place.ask(question="the same?", impact=3)
        place.change_model("another-model")
        place.answer(place.ask(question="the same?", impact=4))

        assert counted(place.record()) == (0, 0)

    def test_it_counts_what_was_sent_to_a_person_by_a_first_rule_as_well(self, place: Place) -> None:
        place.answer(place.ask(impact=9))

        assert counted(place.record()) == (1, 1)


class TestWhatTheAgentDecidedItself:
    def test_it_is_counted_apart_and_never_as_accepted(self, place: Place) -> None:
        for _ in range(3):
            place.decide(OWN)

        record = place.record(OWN)

        assert (record.decided, record.reversed_, record.n) == (3, 0, 0)

    def test_the_winner_of_a_conflict_did_not_decide(self, place: Place) -> None:
        change(place, Decision, place.decide(OWN).decision, conflict=1)

        assert place.record(OWN).decided == 0


class TestSpans:
    def test_the_wait_is_the_median(self, place: Place) -> None:
        for wait in (1, 2, 9):
            place.answered(1, wait=wait * HOUR)

        assert place.record().wait_seconds == 2 * 3_600

    def test_attention_is_told_from_five_measured_answers_on(self, place: Place) -> None:
        numbers = place.answered(6)
        for n, escalation in enumerate(numbers[:4], 1):
            place.measure_attention(escalation, n * 10)
        assert (place.record().attention_seconds, place.record().attention_measured) == (None, 4)

        place.measure_attention(numbers[4], 1_000)

        assert (place.record().attention_seconds, place.record().attention_measured) == (30.0, 5)


def load(place: Place, kind: str = KIND, *, days: int = 7) -> Load:
    return place.read(lambda r: read_load(r, "technical", kind, place.now - days * DAY, place.now))


class TestLoads:
    def test_what_a_first_rule_asks_is_told_from_what_the_authority_asks(self, place: Place) -> None:
        for impact in (5, 5, 9):
            place.ask(impact=impact)
        place.ask(tags=("milestone",))

        found = load(place)

        assert (len(found.escalations), found.by_authority, found.by_first_rules) == (4, 2, 2)

    def test_a_question_raised_for_both_reasons_is_not_the_authority_s(self, place: Place) -> None:
        place.ask(question="the same?", impact=5)
        place.ask(question="the same?", impact=9)

        found = load(place)

        assert (len(found.escalations), found.by_authority, found.by_first_rules) == (1, 0, 1)

    def test_a_week_s_rate_is_of_the_whole_window(self, place: Place) -> None:
        for _ in range(6):
            place.ask()

        assert load(place, days=21).per_week(6) == 2.0

    def test_what_was_asked_before_the_window_counts_while_it_waits(self, place: Place) -> None:
        place.ask()
        place.answered(1)
        place.wait(20 * DAY)

        found = load(place)

        assert (found.escalations, found.considered, found.waiting, found.overdue) == ((), 1, 1, 1)

    @pytest.mark.parametrize(("impact", "wait", "overdue"), [(5, 25 * HOUR, 1), (5, 23 * HOUR, 0), (9, 2 * HOUR, 1)])
    def test_how_long_one_may_wait_is_its_urgency_s_limit(
        self, place: Place, impact: int, wait: int, overdue: int
    ) -> None:
        escalation = place.ask(impact=impact)
        place.wait(wait)
        place.answer(escalation)

        assert load(place).overdue == overdue

    def test_a_withdrawn_question_took_nobody_s_time(self, place: Place) -> None:
        escalation = place.ask()
        place.write(lambda tx: escalations.withdraw(tx, escalation, why="gone"))

        assert load(place).escalations == ()


def test_ten_thousand_decisions_are_counted_by_their_index(place: Place) -> None:
    """What is fast is known by the plan, not by a clock: no table is read from end to end."""
    from core.governance.scope import records

    plan = place.read(
        lambda r: r.sql(f"EXPLAIN QUERY PLAN {records._ANSWERED}", ("technical", KIND, "cohort", records.MOST))
    )

    steps = [str(row[3]) for row in plan]
    assert steps[0] == "SEARCH d USING INDEX decision_agent_kind_id (agent=? AND kind=?)", steps
    assert not [step for step in steps if step.startswith("SCAN")]


@pytest.mark.parametrize(("minutes", "overdue"), [(10, 0), (70, 1)])
def test_a_question_that_became_more_urgent_is_late_by_its_own_time_and_not_from_when_it_was_raised(
    place: Place, minutes: int, overdue: int
) -> None:
    number = place.ask()
    place.wait(5 * HOUR)
    place.write(lambda tx: life.escalate(tx, number, by="ada"))
    place.wait(minutes * HOUR // 60)
    place.answer(number)

    assert load(place).overdue == overdue
