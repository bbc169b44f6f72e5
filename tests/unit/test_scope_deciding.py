"""A person's word on a proposal: applied at once, only to what was shown, and never by anybody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.contract import UsageError
from core.governance import authority, reversal
from core.governance.scope import deciding
from core.governance.scope.proposing import status
from core.store import reads
from core.store.rows_governance import ScopeProposalRow
from core.store.schema import Decision, DecisionKind, ScopeProposal
from core.store.transaction import Transaction
from tests.unit.scope_place import KIND, OWN, Place, approve, earned, opened, reject, undo


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = opened(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def row(place: Place) -> ScopeProposalRow:
    """An expansion that the record carries."""
    return earned(place)


def change_kind(place: Place, key: str = KIND, **values: Any) -> None:
    def write(tx: Transaction) -> None:
        [(number,)] = tx.sql("SELECT id FROM decision_kinds WHERE key = ?", (key,))
        tx.update(DecisionKind, number, **values)
        tx.event("test.changed")

    place.write(write)


class TestApprove:
    def test_it_applies_at_once_and_names_who_and_why(self, place: Place, row: ScopeProposalRow) -> None:
        approve(place, row.id)

        newest = place.read(lambda r: authority.in_force(r, "technical", KIND))
        assert newest is not None
        assert (newest.mode, newest.by, newest.proposal) == ("autonomous", "ada", row.id)
        assert newest.reason.startswith(f"scope proposal {row.id}: 25 of 25 accepted as recommended")
        assert place.decide().outcome == "decided"
        assert status(place.proposal(row.id)) == "approved"

    def test_the_grant_and_the_approval_are_one_transaction_with_an_event_each(
        self, place: Place, row: ScopeProposalRow
    ) -> None:
        before = len(place.read(lambda r: reads.events(r, limit=100_000)))
        approve(place, row.id)

        found = place.read(lambda r: reads.events(r, limit=100_000))[before:]
        assert [event.kind for event in found] == ["authority.granted", "scope.approved"]
        assert found[1].payload["proposal"] == row.id

    def test_no_agent_signs(self, place: Place, row: ScopeProposalRow) -> None:
        for by in ("technical", "agents.yaml", " "):
            with pytest.raises(UsageError):
                approve(place, row.id, by=by)

        assert place.mode() == "escalate"

    def test_what_was_shown_is_what_is_approved(self, place: Place, row: ScopeProposalRow) -> None:
        with pytest.raises(UsageError, match="is not what was shown"):
            approve(place, row.id, shown_digest="0" * 64)

        approve(place, row.id, shown_digest=row.payload_digest)
        assert place.mode() == "autonomous"

    def test_a_row_that_was_changed_after_it_was_put_is_refused(self, place: Place, row: ScopeProposalRow) -> None:
        def write(tx: Transaction) -> None:
            tx.update(ScopeProposal, row.id, kind="security")
            tx.event("test.changed")

        place.write(write)

        with pytest.raises(UsageError, match="is not what was shown"):
            approve(place, row.id)

    def test_a_decided_one_is_decided(self, place: Place, row: ScopeProposalRow) -> None:
        approve(place, row.id)

        for deed in (approve, reject):
            with pytest.raises(UsageError, match=f"Scope proposal {row.id} is approved already by ada"):
                deed(place, row.id)

    def test_a_replaced_one_names_its_successor(self, place: Place, row: ScopeProposalRow) -> None:
        place.answered(1)
        [successor] = place.review()

        with pytest.raises(UsageError, match=f"was replaced by {successor.id}"):
            approve(place, row.id)

    def test_an_unknown_one_is_told(self, place: Place) -> None:
        with pytest.raises(UsageError, match="There is no scope proposal 99"):
            approve(place, 99)

    def test_authority_that_was_granted_anew_meanwhile_is_not_overwritten(
        self, place: Place, row: ScopeProposalRow
    ) -> None:
        place.grant("escalate")

        with pytest.raises(UsageError, match="is not what it was when this was proposed; it is escalate now"):
            approve(place, row.id)

    @pytest.mark.parametrize(
        ("values", "told"),
        [
            ({"ceiling": "escalate"}, "has a ceiling, which no record lifts"),
            ({"reversible": False}, "cannot be undone"),
            ({"is_active": False}, f"no list of technical names {KIND} any more"),
        ],
    )
    def test_a_kind_that_may_not_be_autonomous_any_more_is_not(
        self, place: Place, row: ScopeProposalRow, values: dict[str, Any], told: str
    ) -> None:
        change_kind(place, **values)

        with pytest.raises(UsageError, match=told):
            approve(place, row.id)
        assert place.mode() == "escalate"

    def test_another_model_has_to_earn_it_itself(self, place: Place, row: ScopeProposalRow) -> None:
        place.change_model("another")

        with pytest.raises(UsageError, match="another runtime, model or SOP since"):
            approve(place, row.id)

    def test_a_record_that_has_fallen_since_does_not_carry_it(self, place: Place, row: ScopeProposalRow) -> None:
        place.answered(0, 1)
        approved = place.read(lambda r: r.sql("SELECT id FROM decisions LIMIT 6"))

        def revert(tx: Transaction) -> None:
            for (number,) in approved:
                tx.update(Decision, number, reverted_at=tx.now, reverted_by="ada", revert_reason="no")
                tx.event("test.reverted")

        place.write(revert)

        with pytest.raises(UsageError, match="19 of 26 are accepted now, which is too few"):
            approve(place, row.id)

    def test_against_the_recommendation_it_takes_a_reason(self, place: Place) -> None:
        place.answered(25, kind="architecture")
        [row] = place.review()
        assert row.recommendation == "clarify"

        with pytest.raises(UsageError, match="an approval that is not recommended needs a reason"):
            approve(place, row.id)

        approve(place, row.id, reason="we watch it closely")
        assert place.mode("architecture") == "autonomous"

    def test_a_bottleneck_is_seen_and_changes_no_authority(self, place: Place) -> None:
        place.answered(6)
        [row] = place.review()

        approve(place, row.id)

        assert place.mode() == "escalate"
        assert place.events("authority.") == []
        assert place.review() == []


class TestReject:
    def test_it_keeps_its_reason_and_cools_down_for_four_weeks(self, place: Place, row: ScopeProposalRow) -> None:
        reject(place, row.id, "ask me in spring")

        found = place.proposal(row.id)
        assert (status(found), found.reason, found.decided_by) == ("rejected", "ask me in spring", "ada")
        assert found.cool_down_until == place.now + 28 * 86_400_000
        assert place.mode() == "escalate"

    @pytest.mark.parametrize("deed", [deciding.reject, deciding.clarify, deciding.undo])
    def test_no_reason_is_no_word(self, place: Place, row: ScopeProposalRow, deed: Callable[..., Any]) -> None:
        with pytest.raises(UsageError, match="needs a reason"):
            place.write(lambda tx: deed(tx, row.id, by="ada", reason="  "))


class TestClarify:
    def test_it_stays_undecided_with_the_question(self, place: Place, row: ScopeProposalRow) -> None:
        for question in ("Which ones were declined?", "And why?"):
            place.write(lambda tx, q=question: deciding.clarify(tx, row.id, by="ada", reason=q))  # type: ignore[misc]

        found = place.proposal(row.id)
        assert status(found) == "clarify"
        assert found.clarification == "Which ones were declined?\nAnd why?"
        assert place.events("scope.c") == ["scope.clarified"] * 2

    def test_it_can_still_be_approved(self, place: Place, row: ScopeProposalRow) -> None:
        place.write(lambda tx: deciding.clarify(tx, row.id, by="ada", reason="Sure?"))

        approve(place, row.id)

        assert place.mode() == "autonomous"


class TestUndo:
    def test_an_approval_goes_back_by_a_grant_of_its_own(self, place: Place, row: ScopeProposalRow) -> None:
        approve(place, row.id)

        undo(place, row.id)

        newest = place.read(lambda r: authority.granted(r, "technical", KIND))
        assert newest is not None
        assert (newest.mode, newest.by, newest.reason) == ("escalate", "eve", f"proposal {row.id} undone: too early")
        found = place.proposal(row.id)
        assert (status(found), found.undone_by, found.decided_by) == ("undone", "eve", "ada")

    def test_the_same_is_not_proposed_at_once_again(self, place: Place, row: ScopeProposalRow) -> None:
        approve(place, row.id)
        undo(place, row.id)

        assert [p.change for p in place.review()] == ["bottleneck"]
        place.wait(deciding.COOL_DOWN_MS)
        assert [p.change for p in place.review()] == ["expansion"]

    def test_a_newer_grant_stands(self, place: Place, row: ScopeProposalRow) -> None:
        approve(place, row.id)
        place.grant("autonomous")

        with pytest.raises(UsageError, match=f"was granted anew by ada since proposal {row.id}"):
            undo(place, row.id)

    def test_it_is_undone_once(self, place: Place, row: ScopeProposalRow) -> None:
        approve(place, row.id)
        undo(place, row.id)

        with pytest.raises(UsageError, match="is undone; there is no word of a person to take back"):
            undo(place, row.id)

    def test_an_undecided_one_has_nothing_to_undo(self, place: Place, row: ScopeProposalRow) -> None:
        with pytest.raises(UsageError, match="is proposed; there is no word"):
            undo(place, row.id)

    def test_a_rejection_taken_back_ends_its_cool_down(self, place: Place, row: ScopeProposalRow) -> None:
        reject(place, row.id)
        assert "expansion" not in [p.change for p in place.review()]

        undo(place, row.id)

        assert "expansion" in [p.change for p in place.review()]

    def test_a_contraction_undone_gives_the_authority_back_as_it_was_earned(
        self, place: Place, row: ScopeProposalRow
    ) -> None:
        approve(place, row.id)
        decision = place.decide().decision
        place.write(lambda tx: reversal.reverse(tx, decision, by="ada", reason="no"))
        [contraction] = [p for p in place.undecided() if p.change == "contraction"]
        approve(place, contraction.id)
        assert place.mode() == "escalate"

        undo(place, contraction.id)

        newest = place.read(lambda r: authority.in_force(r, "technical", KIND))
        assert newest is not None
        assert (newest.mode, newest.proposal) == ("autonomous", row.id)

    def test_after_a_contraction_the_old_record_does_not_bring_the_expansion_back_at_once(
        self, place: Place, row: ScopeProposalRow
    ) -> None:
        approve(place, row.id)
        decision = place.decide().decision
        place.write(lambda tx: reversal.reverse(tx, decision, by="ada", reason="no"))
        [contraction] = [p for p in place.undecided() if p.change == "contraction"]
        approve(place, contraction.id)

        assert "expansion" not in [p.change for p in place.review()]

    def test_what_came_under_a_ceiling_is_not_given_back(self, place: Place) -> None:
        decision = place.decide(OWN).decision
        place.write(lambda tx: reversal.reverse(tx, decision, by="ada", reason="no"))
        [row] = place.undecided()
        approve(place, row.id)
        change_kind(place, OWN, ceiling="escalate")

        with pytest.raises(UsageError, match="has a ceiling, which no record lifts"):
            undo(place, row.id)
        assert status(place.proposal(row.id)) == "approved"
