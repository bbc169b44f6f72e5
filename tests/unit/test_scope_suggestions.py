"""Which figures speak for which change, and which never do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.governance import reversal
from core.governance.conflicts import ConflictRules, Dispute, raise_conflict
from core.governance.scope import deciding
from core.governance.scope.suggestions import Suggestion, Suggestions, is_earned, lacks, suggest_scope_improvements
from core.registry.catalog import default_path, load
from core.store.schema import DecisionKind, Escalation
from core.store.transaction import Transaction
from tests.unit.scope_place import DAY, HOUR, KIND, OWN, Place, approve, opened, reject, undo

RULES = ConflictRules.of(load(default_path()))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = opened(tmp_path)
    yield made
    made.store.close()


def suggested(place: Place, agent: str = "technical", *, days: int = 7) -> Suggestions:
    return place.read(lambda r: suggest_scope_improvements(r, agent, place.now, place.now - days * DAY))


def subjects(found: tuple[Suggestion, ...]) -> list[str]:
    return [suggestion.subject for suggestion in found]


class TestEarned:
    @pytest.mark.parametrize(
        ("n", "accepted", "earned"),
        [(19, 19, False), (20, 20, True), (20, 19, False), (24, 23, False), (25, 24, True), (0, 0, False)],
    )
    def test_it_takes_twenty_and_a_bound_of_four_fifths(self, n: int, accepted: int, earned: bool) -> None:
        assert is_earned(n, accepted) is earned


class TestExpansion:
    def test_a_record_that_carries_it_is_proposed_with_its_figures(self, place: Place) -> None:
        place.answered(24, 1)

        [found] = suggested(place).expansions

        assert (found.subject, found.n, found.accepted, round(found.bound or 0, 4)) == (KIND, 25, 24, 0.8046)
        assert "24 of 25 accepted as recommended, Wilson 95 % lower bound 0.80" in found.because

    @pytest.mark.parametrize(("accepted", "declined"), [(19, 0), (19, 1), (23, 1)])
    def test_a_record_that_is_too_short_or_too_mixed_is_not(self, place: Place, accepted: int, declined: int) -> None:
        place.answered(accepted, declined)

        assert suggested(place).expansions == ()

    @pytest.mark.parametrize("kind", ["security", "data_removal", "naming_of_cats"])
    def test_no_record_lifts_a_ceiling_or_makes_up_a_kind(self, place: Place, kind: str) -> None:
        place.answered(25, kind=kind)

        assert place.record(kind).n == 25
        assert suggested(place).expansions == ()

    def test_a_kind_that_cannot_be_undone_is_barred_without_a_ceiling_as_well(self, place: Place) -> None:
        place.answered(25)

        def bar(tx: Transaction) -> None:
            [(number,)] = tx.sql("SELECT id FROM decision_kinds WHERE key = ?", (KIND,))
            tx.update(DecisionKind, number, reversible=False)
            tx.event("test.changed")

        place.write(bar)

        assert suggested(place).expansions == ()

    def test_what_is_autonomous_already_is_not_proposed(self, place: Place) -> None:
        place.answered(25)
        place.grant("autonomous")

        assert suggested(place).expansions == ()

    def test_another_model_has_earned_nothing_yet(self, place: Place) -> None:
        place.answered(25)
        place.change_model("another")

        assert suggested(place).expansions == ()

    def test_an_undecided_proposal_and_a_cool_down_stand_in_its_way(self, place: Place) -> None:
        place.answered(25)
        [row] = place.review()
        assert suggested(place).expansions == ()

        place.write(lambda tx: deciding.reject(tx, row.id, by="ada", reason="not yet"))
        place.wait(deciding.COOL_DOWN_MS - 1)
        assert suggested(place).expansions == ()

        place.wait(1)
        assert subjects(suggested(place).expansions) == [KIND]

    def test_an_authority_that_was_just_taken_away_is_not_proposed_again_at_once(self, place: Place) -> None:
        place.answered(25)
        place.grant("autonomous")
        decision = place.decide().decision
        place.write(lambda tx: reversal.reverse(tx, decision, by="ada", reason="wrong"))
        [row] = place.undecided()
        assert row.change == "contraction"

        approve(place, row.id)

        assert place.mode() == "escalate"
        assert suggested(place).expansions == ()


class TestContraction:
    def test_a_kind_that_nobody_took_back_is_left_alone(self, place: Place) -> None:
        place.decide(OWN)

        assert suggested(place).contractions == ()

    def test_it_stays_proposed_until_a_person_decides_what_the_reversal_means(self, place: Place) -> None:
        decision = place.decide(OWN).decision
        place.write(lambda tx: reversal.reverse(tx, decision, by="ada", reason="no"))
        [row] = place.undecided()
        place.write(lambda tx: deciding.reject(tx, row.id, by="ada", reason="an exception"))

        place.wait(10 * deciding.COOL_DOWN_MS)

        assert suggested(place).contractions == ()

    def test_an_authority_that_another_model_earned_is_asked_about(self, place: Place) -> None:
        place.answered(25)
        [row] = place.review()
        place.write(lambda tx: deciding.approve(tx, row.id, by="ada"))
        assert suggested(place).contractions == ()

        place.change_model("another")

        [found] = suggested(place).contractions
        assert found.subject == KIND
        assert found.facts == {"earned_by": row.id}

    def test_who_confirmed_it_for_the_new_model_is_not_asked_again(self, place: Place) -> None:
        place.answered(25)
        [row] = place.review()
        place.write(lambda tx: deciding.approve(tx, row.id, by="ada"))
        place.change_model("another")
        [asked] = place.review()
        assert asked.recommendation == "clarify"
        place.write(lambda tx: deciding.reject(tx, asked.id, by="ada", reason="I trust it"))
        place.wait(10 * deciding.COOL_DOWN_MS)
        assert suggested(place).contractions == ()

        place.change_model("yet another")

        assert subjects(suggested(place).contractions) == [KIND]

    def test_a_confirmation_that_was_taken_back_confirms_nothing(self, place: Place) -> None:
        place.answered(25)
        [row] = place.review()
        approve(place, row.id)
        place.change_model("another")
        [asked] = place.review()
        reject(place, asked.id, "I trust it")

        undo(place, asked.id)

        assert subjects(suggested(place).contractions) == [KIND]

    def test_an_authority_that_a_person_gave_without_a_record_is_theirs(self, place: Place) -> None:
        place.grant("autonomous")
        place.decide(KIND)
        place.change_model("another")

        assert suggested(place).contractions == ()


def differ(place: Place, topic: str, between: tuple[str, str] = ("technical", "ux")) -> None:
    place.write(lambda tx: raise_conflict(tx, Dispute(between, topic, 5), RULES))


class TestCollaboration:
    def test_three_conflicts_of_a_pair_are_one_suggestion_of_the_first_of_the_two(self, place: Place) -> None:
        for topic in ("performance of lists", "performance of maps"):
            differ(place, topic)
        assert suggested(place).collaborations == ()
        differ(place, "colours", ("ux", "technical"))

        [found] = suggested(place).collaborations

        assert (found.subject, found.n, found.accepted) == ("ux", 3, 2)
        assert found.facts["ended"] == {"rule": 2, "human": 0, "other": 1}
        assert set(found.facts["topics"]) == {"performance of lists", "performance of maps", "colours"}
        assert suggested(place, "ux").collaborations == ()

    def test_conflicts_before_the_window_do_not_count(self, place: Place) -> None:
        for topic in ("performance of lists", "performance of maps", "performance"):
            differ(place, topic)
        place.wait(8 * DAY)

        assert suggested(place).collaborations == ()


class TestBottleneck:
    def test_a_kind_that_is_asked_five_times_a_week_is_one(self, place: Place) -> None:
        place.answered(4)
        assert suggested(place).bottlenecks == ()
        place.answered(1)

        [found] = suggested(place).bottlenecks

        assert found.facts == {"is_slow": False, "is_often": True}
        assert "5 questions in the window (5.0 a week)" in found.because

    def test_a_kind_of_which_most_waited_too_long_is_one(self, place: Place) -> None:
        place.answered(1, wait=2 * HOUR)
        place.answered(2, wait=30 * HOUR)

        [found] = suggested(place).bottlenecks

        assert found.facts == {"is_slow": True, "is_often": False}
        assert "2 of 3 waited longer than they may, 0 wait still; the median wait was 30.0 h" in found.because

    def test_a_breach_makes_it_one_although_most_were_answered_in_time(self, place: Place) -> None:
        numbers = place.answered(3)

        def breach(tx: Transaction) -> None:
            tx.update(Escalation, numbers[0], breaches=1)
            tx.event("test.breached")

        place.write(breach)

        assert subjects(suggested(place).bottlenecks) == [KIND]

    @pytest.mark.parametrize(
        ("kind", "told"),
        [("naming_of_cats", "name the kind in agents.yaml"), ("security", "has a ceiling, which no record lifts")],
    )
    def test_unknown_kinds_and_ceilings_are_told_what_helps(self, place: Place, kind: str, told: str) -> None:
        place.answered(6, kind=kind)

        [found] = suggested(place).bottlenecks

        assert found.subject == kind
        assert told in found.would
        assert found.would.startswith(f"No authority over technical's {kind} (")

    def test_where_the_record_carries_an_expansion_that_is_what_is_proposed(self, place: Place) -> None:
        place.answered(25)

        found = suggested(place)

        assert subjects(found.expansions) == [KIND]
        assert found.bottlenecks == ()

    def test_what_an_authority_asked_before_it_grew_holds_nobody_up(self, place: Place) -> None:
        place.answered(6)
        place.grant("autonomous")
        assert suggested(place).bottlenecks == ()

        for _ in range(5):
            place.answer(place.ask(impact=9))

        [found] = suggested(place).bottlenecks
        assert "although the agent may decide them" in found.would

    def test_of_many_the_worst_are_told(self, place: Place) -> None:
        for n in range(12):
            place.answered(5 + (n == 7), kind=f"made_up_{n}")

        found = suggested(place).bottlenecks

        assert len(found) == 10
        assert found[0].subject == "made_up_7"


def test_a_bound_that_does_not_reach_what_it_needs_is_not_shown_as_if_it_did() -> None:
    assert lacks(24, 23) == ("23 of 24 accepted: lower bound 0.798, it needs 0.80",)
