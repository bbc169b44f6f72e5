"""The master's four analyses and what it recommends, by figures that can be counted again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.governance import authority, reversal
from core.governance.conflicts import ConflictRules, Dispute, raise_conflict
from core.governance.decisions import DOMAIN_AGENTS
from core.governance.scope.overlaps import overlaps
from core.registry.catalog import default_path, load
from core.store.rows_governance import ScopeProposalRow
from tests.unit.scope_place import KIND, OWN, Place, opened

RULES = ConflictRules.of(load(default_path()))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = opened(tmp_path)
    yield made
    made.store.close()


def expansion(place: Place, kind: str = KIND, agent: str = "technical", **answers: int) -> ScopeProposalRow:
    place.answered(answers.get("accepted", 25), answers.get("declined", 0), kind, agent)
    [row] = [p for p in place.review() if p.change == "expansion"]
    return row


def reached(place: Place, agent: str, key: str) -> list[str]:
    kinds = place.read(lambda r: {a: authority.kinds(r, a) for a in DOMAIN_AGENTS})
    return [overlap.name for overlap in overlaps(agent, key, kinds)]


class TestOverlap:
    def test_a_word_in_common_reaches_into_another_agent_s_kind(self, place: Place) -> None:
        assert reached(place, "strategy", "pricing") == ["ux.pricing_page", "gtm.pricing_strategy"]
        assert reached(place, "ux", "pricing_page") == ["strategy.pricing", "gtm.pricing_strategy"]

    def test_words_that_say_only_what_is_done_join_nothing(self, place: Place) -> None:
        assert reached(place, "technical", "test_strategy") == []
        assert reached(place, "technical", "new_dependency") == []

    def test_the_same_key_is_an_overlap_whatever_its_words(self, place: Place) -> None:
        kinds = place.read(lambda r: {a: authority.kinds(r, a) for a in DOMAIN_AGENTS})
        [own] = [kind for kind in kinds["technical"] if kind.key == "test_strategy"]

        [found] = overlaps("ux", "test_strategy", {"technical": (own,)})

        assert found.words == ("test_strategy",)

    def test_conflicts_with_those_agents_are_counted(self, place: Place) -> None:
        for topic in ("one", "two"):
            place.write(lambda tx, t=topic: raise_conflict(tx, Dispute(("ux", "gtm"), t, 5), RULES))  # type: ignore[misc]
        row = expansion(place, "brand_identity", "ux")

        shared = row.analysis["conflict"]

        assert [(o["agent"], o["kind"]) for o in shared["overlaps"]] == [("gtm", "brand_positioning")]
        assert shared["conflicts"] == [2, 1]
        assert (row.recommendation, row.analysis["reason"]) == (
            "clarify",
            "2 conflicts with agents whose kinds it reaches into: ask who owns what",
        )


class TestEfficiency:
    def test_hours_are_questions_a_week_times_the_median_attention(self, place: Place) -> None:
        for escalation in place.answered(25):
            place.measure_attention(escalation, 144)
        place.answer(place.ask(impact=9))
        [row] = place.review()

        # 25 a week that the authority alone asks for, 144 s each: one hour.
        assert row.hours_saved_per_week == 1.0
        assert "1 of 26 in the window come from rules that it does not touch" in row.analysis["efficiency"]["text"]

    def test_without_five_measured_answers_it_is_not_measured(self, place: Place) -> None:
        row = expansion(place)

        assert row.hours_saved_per_week is None
        assert "not measured" in row.analysis["efficiency"]["text"]

    def test_the_hours_that_work_waits_are_told_beside(self, place: Place) -> None:
        place.answered(25, wait=36_000)
        [row] = place.review()

        assert row.analysis["efficiency"]["waiting_hours_per_week"] == 0.25

    def test_taking_authority_back_costs_hours(self, place: Place) -> None:
        for escalation in [place.ask(OWN, impact=9) for _ in range(5)]:
            place.answer(escalation)
            place.measure_attention(escalation, 360)
        decision, *_ = [place.decide(OWN).decision for _ in range(10)]
        place.write(lambda tx: reversal.reverse(tx, decision, by="ada", reason="no"))

        [row] = place.undecided()

        assert row.hours_saved_per_week == -1.0
        assert row.analysis["efficiency"]["text"] == (
            "10.0 questions a week more; 1.00 h of people's time at 360 s an answer (median of 5)."
        )


class TestRisk:
    @pytest.mark.parametrize(
        ("kind", "agent", "risk", "because"),
        [
            ("architecture", "technical", "high", "its usual impact is 9 of 10"),
            (KIND, "technical", "medium", "its usual impact is 8 of 10"),
        ],
    )
    def test_it_follows_from_the_impact(self, place: Place, kind: str, agent: str, risk: str, because: str) -> None:
        row = expansion(place, kind, agent)

        assert (row.risk, row.analysis["risk_because"]) == (risk, [because])

    def test_a_light_kind_with_a_clean_record_is_of_low_risk(self, place: Place) -> None:
        place.grant("escalate", "icons", "ux")
        assert expansion(place, "icons", "ux").risk == "low"

    def test_a_mixed_record_of_a_light_kind_is_of_medium_risk(self, place: Place) -> None:
        place.grant("escalate", "icons", "ux")
        row = expansion(place, "icons", "ux", accepted=48, declined=3)

        assert (row.risk, row.analysis["risk_because"]) == ("medium", ["94% went as recommended"])

    def test_what_people_took_back_is_high(self, place: Place) -> None:
        place.grant("escalate", "icons", "ux")
        place.answered(25, kind="icons", agent="ux")
        place.grant("autonomous", "icons", "ux")
        decision = place.decide("icons", "ux").decision
        place.grant("escalate", "icons", "ux")
        place.write(lambda tx: reversal.reverse(tx, decision, by="ada", reason="no"))

        [row] = place.review()

        assert (row.change, row.risk) == ("expansion", "high")
        assert row.analysis["risk_because"] == ["people took 1 of its own decisions back"]


class TestAlignment:
    def test_the_share_that_a_first_rule_sends_to_a_person_is_told(self, place: Place) -> None:
        place.answered(22)
        for _ in range(3):
            place.answer(place.ask(tags=("milestone",)))
        [row] = place.review()

        assert row.analysis["alignment"]["share_of_first_rules"] == 0.12
        assert row.analysis["alignment"]["milestone"] == "Milestone"

    def test_a_neighbour_that_stays_with_a_person_is_named(self, place: Place) -> None:
        row = expansion(place, "pricing_page", "ux")

        assert row.analysis["alignment"]["barred"] == [
            {"agent": "strategy", "kind": "pricing"},
            {"agent": "gtm", "kind": "pricing_strategy"},
        ]
        assert row.recommendation == "clarify"
        assert "what a person always decides (strategy.pricing, gtm.pricing_strategy)" in row.analysis["reason"]


class TestRecommendation:
    def test_a_record_that_carries_it_is_recommended(self, place: Place) -> None:
        row = expansion(place)

        assert (row.recommendation, row.analysis["reason"]) == (
            "approve",
            "the record carries it and the risk is medium",
        )

    def test_a_high_risk_is_asked_about(self, place: Place) -> None:
        assert expansion(place, "architecture").recommendation == "clarify"

    def test_what_would_spare_nobody_a_question_is_not_recommended(self, place: Place) -> None:
        for _ in range(25):
            place.answer(place.ask(impact=9))
        [row] = [p for p in place.review() if p.change == "expansion"]

        assert row.recommendation == "reject"
        assert "none of the 25 questions in the window came from the authority" in row.analysis["reason"]

    def test_what_mostly_goes_to_a_person_first_is_asked_about(self, place: Place) -> None:
        place.answered(10)
        for _ in range(15):
            place.answer(place.ask(impact=9))
        [row] = [p for p in place.review() if p.change == "expansion"]

        assert row.recommendation == "clarify"
        assert "60% of these decisions go to a person first by a rule" in row.analysis["reason"]

    @pytest.mark.parametrize(("decided", "word"), [(3, "approve"), (40, "clarify")])
    def test_a_contraction_by_what_stands_of_its_decisions(self, place: Place, decided: int, word: str) -> None:
        decision, *_ = [place.decide(OWN).decision for _ in range(decided)]
        place.write(lambda tx: reversal.reverse(tx, decision, by="ada", reason="no"))

        [row] = place.undecided()

        assert row.recommendation == word

    def test_a_kind_that_no_list_names_has_to_be_named_first(self, place: Place) -> None:
        place.answered(6, kind="naming_of_cats")
        [row] = place.review()

        assert (row.change, row.recommendation) == ("bottleneck", "clarify")

    def test_conflicts_that_rules_settled_all_are_asked_about(self, place: Place) -> None:
        for topic in ("performance of a", "performance of b", "performance of c"):
            place.write(lambda tx, t=topic: raise_conflict(tx, Dispute(("technical", "ux"), t, 5), RULES))  # type: ignore[misc]
        [row] = place.review()

        assert (row.change, row.kind, row.recommendation) == ("collaboration", "ux", "clarify")


def test_the_same_rows_give_the_same_proposal(place: Place) -> None:
    row = expansion(place)
    place.write(lambda tx: None)

    assert [p.payload_digest for p in place.review()] == [row.payload_digest]


def test_what_was_counted_stands_in_the_proposal(place: Place) -> None:
    numbers = place.answered(24, 1)
    [row] = place.review()

    assert row.analysis["record"]["accepted"] == numbers[:24]
    assert row.analysis["record"]["declined"] == numbers[24:]
    assert row.analysis["load"]["escalations"] == numbers


def test_of_many_questions_the_newest_two_hundred_are_named(place: Place) -> None:
    numbers = place.answered(230)
    [row] = place.review()

    assert row.n == 230
    assert row.analysis["record"]["accepted"] == numbers[-200:]
