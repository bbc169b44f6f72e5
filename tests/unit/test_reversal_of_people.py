"""A person takes back their own word: an answer that work has gone on from, and a reversal that was a mistake."""

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
from core.orchestration import work_items
from core.store.schema import PhaseRun
from core.store.transaction import Transaction
from tests.unit.scope_place import OPTIONS, OWN, Place, opened


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = opened(tmp_path)
    yield made
    made.store.close()


def reversed_(place: Place, decision: int, **more: Any) -> reversal.Reversed:
    return place.write(lambda tx: reversal.reverse(tx, decision, **{"by": "ada", "reason": "it broke", **more}))


def reverse(place: Place, decision: int, **more: Any) -> int:
    """The number of the decision that holds then."""
    return reversed_(place, decision, **more).decision


def asked(place: Place) -> tuple[int, int, int]:
    """A work item's decision that waits, its escalation, and the work item."""
    work = place.write(lambda tx: work_items.create(tx, title="x"))
    made = place.decide(work_item=work, phase="D1", blocks="I1")
    assert made.escalation is not None
    return made.decision, made.escalation, work


def go_on(place: Place, work: int) -> None:
    def begin(tx: Transaction) -> None:
        tx.insert(PhaseRun, work_item=work, phase="I1", round=1, input_digest="d", started_at=tx.now)
        tx.event("phase.started", work_item=work)

    place.write(begin)


def worked_on(place: Place) -> tuple[int, int]:
    """A decision and its escalation: answered as recommended, and then gone on from."""
    decision, escalation, work = asked(place)
    place.answer(escalation)
    go_on(place, work)
    return decision, escalation


def test_a_person_s_answer_that_work_has_gone_on_from_is_reversed_and_not_accepted_any_more(place: Place) -> None:
    decision, escalation = worked_on(place)
    before = place.record()
    with pytest.raises(UsageError, match=r"work has gone on.*reverse its decision"):
        place.undo(escalation)

    new = reverse(place, decision, choice="later")

    first, second = place.decision(decision), place.decision(new)
    assert (first.choice, first.provenance, first.reverted_by) == ("approve", "human", "ada")
    assert (second.choice, second.reverses, second.decided_by) == ("later", decision, "ada")
    assert (len(before.accepted), place.record().n, len(place.record().accepted)) == (1, 1, 0)
    assert place.undecided() == []


def test_an_answer_that_several_questions_share_is_reversed_once_work_has_gone_on_from_one(place: Place) -> None:
    _, escalation, work = asked(place)
    other = place.decide()
    place.write(lambda tx: life.merge(tx, [other.escalation or 0], into=escalation, by="ada"))
    place.answer(escalation)
    with pytest.raises(UsageError, match=f"answered with escalation {escalation}; `apm escalation undo {escalation}`"):
        reverse(place, other.decision)

    go_on(place, work)
    reverse(place, other.decision)

    assert place.decision(other.decision).reverted_by == "ada"


def test_what_was_reversed_cannot_be_undone_as_well(place: Place) -> None:
    decision, escalation = worked_on(place)
    reverse(place, decision)

    with pytest.raises(UsageError, match="was reversed by ada since; `apm decisions list`"):
        place.undo(escalation)


class TestTakenBackInItsTurn:
    def test_what_a_mistaken_reversal_took_back_holds_again_and_the_proposal_is_withdrawn(self, place: Place) -> None:
        old = place.decide(OWN).decision
        mistaken = reverse(place, old, choice="later")
        [proposal] = place.undecided()

        made = reversed_(place, mistaken, by="bob", reason="the wrong number")

        assert made == reversal.Reversed(old, (proposal.id,))
        assert place.decision(old).reverted_at is None
        assert (place.decision(mistaken).reverted_by, place.decision(mistaken).revert_reason) == (
            "bob",
            "the wrong number",
        )
        assert (status(place.proposal(proposal.id)), place.proposal(proposal.id).reason) == (
            "superseded",
            f"decision {old} holds again",
        )
        assert place.record(OWN).reversed_ == 0
        assert place.review() == []

    def test_the_work_item_s_agents_find_what_holds_again(self, place: Place) -> None:
        choice = Choice("technical", OWN, "Add --fill?", 4, OPTIONS, "approve", work_item=7)
        old = place.write(lambda tx: make_decision(tx, choice)).decision
        reverse(place, reverse(place, old, choice="reject"))

        again = place.write(lambda tx: make_decision(tx, choice))

        assert (again.decision, again.choice) == (old, "approve")

    def test_an_acceptance_is_one_again(self, place: Place) -> None:
        decision, _ = worked_on(place)

        reverse(place, reverse(place, decision))

        assert len(place.record().accepted) == 1

    def test_in_favour_of_a_third_option_it_stays_reversed(self, place: Place) -> None:
        old = place.decide(OWN).decision
        second = reverse(place, old, choice="reject")

        third = reversed_(place, second, choice="later")

        assert (place.decision(third.decision).reverses, place.decision(third.decision).choice) == (second, "later")
        assert third.withdrawn == ()
        assert place.decision(old).reverted_by == "ada"
        assert [row.analysis["reversals"] for row in place.undecided()] == [[old]]

    def test_naming_the_first_choice_is_the_same_as_naming_none(self, place: Place) -> None:
        old = place.decide(OWN).decision

        assert reverse(place, reverse(place, old, choice="later"), choice="approve") == old

    def test_the_one_that_holds_again_can_be_reversed_again(self, place: Place) -> None:
        old = place.decide(OWN).decision
        reverse(place, reverse(place, old))

        reverse(place, old)

        assert [row.analysis["reversals"] for row in place.undecided()] == [[old]]

    def test_other_reversals_are_proposed_without_it(self, place: Place) -> None:
        first, second = (place.decide(OWN).decision for _ in range(2))
        reverse(place, first)
        made = reversed_(place, reverse(place, second))

        [row] = place.undecided()
        assert row.analysis["reversals"] == [first]
        assert status(place.proposal(made.withdrawn[0])) == "superseded"

    def test_a_person_s_wish_that_it_was_joined_to_stays(self, place: Place) -> None:
        decision = place.decide(OWN).decision
        place.write(lambda tx: propose(tx, "technical", OWN, "escalate", by="bob", reason="two stale pages"))

        reverse(place, reverse(place, decision))

        [row] = place.undecided()
        assert row.analysis["asked_for"] == {"by": "bob", "reason": "two stale pages"}
        assert "reversals" not in row.analysis

    def test_a_proposal_that_a_person_has_decided_stays_decided(self, place: Place) -> None:
        mistaken = reverse(place, place.decide(OWN).decision)
        [row] = place.undecided()
        place.write(lambda tx: deciding.approve(tx, row.id, by="ada"))

        assert reversed_(place, mistaken).withdrawn == ()
        assert (status(place.proposal(row.id)), place.mode(OWN)) == ("approved", "escalate")
