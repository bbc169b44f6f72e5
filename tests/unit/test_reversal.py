"""A person takes a decision back: both stay on the record, and what it means for the authority is asked at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.contract import UsageError
from core.governance import life, reversal
from core.governance.decisions import Choice, make_decision
from core.governance.scope import deciding
from core.governance.scope.asking import propose
from core.governance.scope.proposing import status
from core.store import reads
from core.store.schema import Decision
from core.store.transaction import Transaction
from tests.unit.scope_place import DAY, KIND, OPTIONS, OWN, Place, opened


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = opened(tmp_path)
    yield made
    made.store.close()


def reverse(place: Place, decision: int, **more: Any) -> int:
    """The number of the decision that holds then."""
    made = place.write(lambda tx: reversal.reverse(tx, decision, **{"by": "ada", "reason": "it broke", **more}))
    return made.decision


def test_both_decisions_stay_and_the_later_names_the_first(place: Place) -> None:
    old = place.decide(OWN).decision

    new = reverse(place, old, choice="later")

    first, second = place.decision(old), place.decision(new)
    assert (first.choice, first.reverted_by, first.revert_reason) == ("approve", "ada", "it broke")
    assert first.reverted_at == place.now
    assert (second.reverses, second.choice, second.provenance, second.decided_by) == (old, "later", "human", "ada")
    assert (second.agent, second.kind, second.question, second.reason) == (
        "technical",
        OWN,
        first.question,
        "it broke",
    )


def test_it_may_be_taken_back_in_favour_of_nothing(place: Place) -> None:
    assert place.decision(reverse(place, place.decide(OWN).decision)).choice is None


def test_what_a_work_item_s_agents_raise_again_has_the_person_s_outcome(place: Place) -> None:
    choice = Choice("technical", OWN, "Add --fill?", 4, OPTIONS, "approve", work_item=7)
    old = place.write(lambda tx: make_decision(tx, choice))

    new = reverse(place, old.decision, choice="reject")

    again = place.write(lambda tx: make_decision(tx, choice))
    assert (again.decision, again.choice) == (new, "reject")


def test_the_event_carries_the_reversal_and_the_next_one_the_proposal(place: Place) -> None:
    old = place.decide(OWN).decision
    before = len(place.read(lambda r: reads.events(r, limit=100_000)))

    new = reverse(place, old)

    found = place.read(lambda r: reads.events(r, limit=100_000))[before:]
    assert [event.kind for event in found] == ["decision.reversed", "scope.proposed"]
    assert (found[0].payload["decision"], found[0].payload["instead"]) == (old, new)
    assert found[1].payload["proposal"] == place.undecided()[0].id


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"by": "technical"}, "is an agent"),
        ({"by": ""}, "a name is missing"),
        ({"reason": " "}, "say why it is taken back"),
        ({"choice": "dance"}, "is between approve, reject, later"),
        ({"choice": "approve"}, "is 'approve' already"),
    ],
)
def test_what_is_no_reversal_is_refused_and_changes_nothing(place: Place, changes: dict[str, Any], told: str) -> None:
    old = place.decide(OWN).decision

    with pytest.raises(UsageError, match=told):
        reverse(place, old, **changes)
    assert place.decision(old).reverted_at is None
    assert place.undecided() == []


def test_without_options_it_is_between_yes_and_no(place: Place) -> None:
    old = place.decide(OWN, options=(), recommended=None).decision

    assert place.decision(reverse(place, old, choice="reject")).choice == "reject"


def test_an_unknown_decision_is_told(place: Place) -> None:
    with pytest.raises(UsageError, match="There is no decision 99"):
        reverse(place, 99)


def test_one_that_waits_is_answered_instead(place: Place) -> None:
    made = place.decide()

    with pytest.raises(UsageError, match=f"still waits for escalation {made.escalation}"):
        reverse(place, made.decision)


def test_a_person_s_answer_is_undone_by_its_escalation(place: Place) -> None:
    made = place.decide()
    assert made.escalation is not None
    place.answer(made.escalation)

    with pytest.raises(UsageError, match=f"`apm escalation undo {made.escalation}`"):
        reverse(place, made.decision)


def test_what_was_answered_with_another_question_is_undone_there(place: Place) -> None:
    first, merged = place.decide(), place.decide()
    assert first.escalation is not None
    into, other = first.escalation, merged.escalation
    assert other is not None
    place.write(lambda tx: life.merge(tx, [other], into=into, by="ada"))
    place.answer(into)

    with pytest.raises(UsageError, match=f"was answered with escalation {into}; `apm escalation undo {into}`"):
        reverse(place, merged.decision)


def test_it_is_taken_back_once(place: Place) -> None:
    old = place.decide(OWN).decision
    reverse(place, old)

    with pytest.raises(UsageError, match="was taken back already by ada"):
        reverse(place, old)


def test_what_a_rule_answered_is_reversible_and_says_nothing_of_the_authority(place: Place) -> None:
    made = place.decide()
    assert made.escalation is not None
    place.answer(made.escalation, provenance="rule")

    reverse(place, made.decision)

    assert place.undecided() == []


def test_what_a_conflict_settled_says_nothing_of_the_authority(place: Place) -> None:
    old = place.decide(OWN).decision

    def settle(tx: Transaction) -> None:
        tx.update(Decision, old, conflict=1, decided_by="tech-wins-on-performance")
        tx.event("test.settled")

    place.write(settle)

    reverse(place, old)

    assert place.undecided() == []


class TestContraction:
    def test_it_is_proposed_with_what_was_decided_and_what_was_taken_back(self, place: Place) -> None:
        decisions = [place.decide(OWN).decision for _ in range(4)]

        reverse(place, decisions[1])

        [row] = place.undecided()
        assert (row.agent, row.kind, row.change, row.review) == ("technical", OWN, "contraction", None)
        assert (row.n, row.accepted) == (4, 3)
        assert row.analysis["reversals"] == [decisions[1]]
        assert "Of 4 that it decided itself people took 1 back" in row.analysis["because"]

    def test_a_second_reversal_replaces_it(self, place: Place) -> None:
        decisions = [place.decide(OWN).decision for _ in range(4)]
        reverse(place, decisions[0])
        [first] = place.undecided()

        reverse(place, decisions[1])

        [second] = place.undecided()
        assert (second.n, second.accepted, second.analysis["reversals"]) == (4, 2, decisions[:2])
        assert status(place.proposal(first.id)) == "superseded"

    def test_it_takes_the_place_of_a_wish_and_names_who_wished_it(self, place: Place) -> None:
        decision = place.decide(OWN).decision
        wish = place.write(lambda tx: propose(tx, "technical", OWN, "escalate", by="bob", reason="two stale pages"))

        reverse(place, decision)

        [row] = place.undecided()
        assert status(place.proposal(wish)) == "superseded"
        assert row.analysis["asked_for"] == {"by": "bob", "reason": "two stale pages"}
        assert (row.analysis["reversals"], row.recommendation) == ([decision], "approve")
        assert place.review() == [row]

    def test_what_a_person_asked_about_the_one_before_goes_along(self, place: Place) -> None:
        decisions = [place.decide(OWN).decision for _ in range(2)]
        reverse(place, decisions[0])
        [first] = place.undecided()
        place.write(lambda tx: deciding.clarify(tx, first.id, by="ada", reason="Which of them?"))

        reverse(place, decisions[1])

        [row] = place.undecided()
        assert row.analysis["asked"] == {"question": "Which of them?", "proposal": first.id, "n": 2, "accepted": 1}

    def test_approved_it_ends_the_authority_at_once(self, place: Place) -> None:
        reverse(place, place.decide(OWN).decision)
        [row] = place.undecided()

        place.write(lambda tx: deciding.approve(tx, row.id, by="ada"))

        assert place.mode(OWN) == "escalate"
        assert place.decide(OWN).outcome == "escalated"

    def test_a_new_reversal_proposes_it_again_although_it_was_rejected_just_now(self, place: Place) -> None:
        first, second = (place.decide(OWN).decision for _ in range(2))
        reverse(place, first)
        [row] = place.undecided()
        place.write(lambda tx: deciding.reject(tx, row.id, by="ada", reason="an exception"))

        reverse(place, second)

        [again] = place.undecided()
        assert again.analysis["reversals"] == [second]

    def test_what_was_decided_by_an_earlier_grant_is_taken_back_and_stays_proposed(self, place: Place) -> None:
        old = place.decide(OWN).decision
        place.grant("autonomous", OWN)

        reverse(place, old)

        [row] = place.undecided()
        assert row.analysis["reversals"] == [old]
        assert [p.id for p in place.review()] == [row.id]

    def test_who_grants_it_anew_after_a_reversal_has_settled_that(self, place: Place) -> None:
        reverse(place, place.decide(OWN).decision)
        place.grant("autonomous", OWN)

        assert place.review() == []

    @pytest.mark.parametrize("jump", [-30 * DAY, 30 * DAY])
    def test_a_clock_that_jumps_loses_no_reversal(self, place: Place, jump: int) -> None:
        decision = place.decide(OWN).decision
        place.wait(jump)
        reverse(place, decision)

        [row] = place.review()

        assert (row.change, row.analysis["reversals"]) == ("contraction", [decision])

    def test_where_a_person_is_asked_already_nothing_is_proposed(self, place: Place) -> None:
        old = place.decide(OWN).decision
        place.grant("escalate", OWN)

        reverse(place, old)

        assert place.undecided() == []

    def test_the_record_of_what_humans_answered_is_not_touched(self, place: Place) -> None:
        place.answered(2)
        place.grant("autonomous")

        reverse(place, place.decide().decision)

        record = place.record(KIND)
        assert (record.n, len(record.accepted), record.decided, record.reversed_) == (2, 2, 1, 1)
