"""A person asks for a change of authority: a proposal like any other, that grants nothing and breaks no ceiling."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.contract import UsageError
from core.governance import reversal
from core.governance.authority import Mode
from core.governance.scope import deciding
from core.governance.scope.asking import propose
from core.governance.scope.proposing import digest_of_row, status
from core.governance.scope.review import package
from core.store.rows_governance import ScopeProposalRow
from core.store.schema import DecisionKind
from core.store.transaction import Transaction
from tests.unit.scope_place import DAY, KIND, OWN, Place, opened


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = opened(tmp_path)
    yield made
    made.store.close()


def ask_for(place: Place, to: Mode, kind: str = KIND, agent: str = "technical", **more: str) -> ScopeProposalRow:
    given = {"by": "ada", "reason": "we trust it", **more}
    return place.proposal(place.write(lambda tx: propose(tx, agent, kind, to, **given)))


def approve(place: Place, number: int, **more: str) -> None:
    place.write(lambda tx: deciding.approve(tx, number, by="ada", **more))


def change_kind(place: Place, key: str, **values: object) -> None:
    def write(tx: Transaction) -> None:
        [(number,)] = tx.sql("SELECT id FROM decision_kinds WHERE key = ?", (key,))
        tx.update(DecisionKind, number, **values)
        tx.event("test.changed")

    place.write(write)


class TestMoreAuthority:
    def test_it_waits_as_a_proposal_with_the_record_and_changes_nothing(self, place: Place) -> None:
        place.answered(25)

        row = ask_for(place, "autonomous")

        assert (row.change, row.n, row.accepted, status(row), row.review) == ("expansion", 25, 25, "proposed", None)
        assert row.analysis["asked_for"] == {"by": "ada", "reason": "we trust it"}
        assert row.payload_digest == digest_of_row(row)
        assert place.mode() == "escalate"
        assert place.events("scope.") == ["scope.asked"]

    def test_what_the_record_carries_is_approved_as_any_other(self, place: Place) -> None:
        place.answered(25)
        row = ask_for(place, "autonomous")

        approve(place, row.id)

        assert row.recommendation == "approve"
        assert place.mode() == "autonomous"

    def test_what_it_does_not_carry_says_so_and_is_not_recommended(self, place: Place) -> None:
        place.answered(3, 1)

        row = ask_for(place, "autonomous")

        assert (row.n, row.accepted, row.recommendation) == (4, 3, "reject")
        assert row.analysis["reason"] == (
            "nobody can approve it before the record carries it: 4 of 20 answers by people; "
            "3 of 4 accepted: lower bound 0.30, it needs 0.80"
        )

    def test_without_any_answer_there_is_no_bound(self, place: Place) -> None:
        row = ask_for(place, "autonomous")

        assert (row.n, row.lower_bound) == (0, None)
        assert "0 of 0 accepted as recommended, Wilson 95 % lower bound none" in row.analysis["because"]

    def test_nobody_can_approve_what_was_not_earned_even_once_it_is(self, place: Place) -> None:
        place.answered(19)
        row = ask_for(place, "autonomous")
        place.answered(5)

        with pytest.raises(UsageError, match=r"does not carry it \(19 of 20 answers by people\), so nobody"):
            approve(place, row.id, reason="all the same")

        assert place.mode() == "escalate"

    def test_a_review_counts_it_anew_and_keeps_who_asked(self, place: Place) -> None:
        place.answered(19)
        row = ask_for(place, "autonomous")
        place.answered(5)

        [again] = place.review()

        assert (again.n, again.recommendation) == (24, "approve")
        assert again.analysis["asked_for"] == row.analysis["asked_for"]
        assert status(place.proposal(row.id)) == "superseded"
        approve(place, again.id)
        assert place.mode() == "autonomous"

    def test_a_review_carries_it_as_it_is_while_its_figures_stand(self, place: Place) -> None:
        row = ask_for(place, "autonomous")

        assert place.review() == [row]

    def test_a_review_puts_it_aside_once_it_cannot_be_had(self, place: Place) -> None:
        row = ask_for(place, "autonomous")
        change_kind(place, KIND, ceiling="escalate")

        assert place.review() == []

        found = place.read(package)
        assert found is not None
        assert [gone["proposal"] for gone in found.dropped] == [row.id]

    def test_a_person_s_no_is_told_and_does_not_forbid_to_ask(self, place: Place) -> None:
        place.answered(25)
        [first] = place.review()
        place.write(lambda tx: deciding.reject(tx, first.id, by="eve", reason="not yet"))

        row = ask_for(place, "autonomous")

        assert row.recommendation == "clarify"
        assert row.analysis["reason"].startswith(f"eve's word on proposal {first.id} stands against it until 20")
        assert row in place.review()

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"ceiling": "escalate"}, "has a ceiling, which no record lifts; it stays with a person"),
            ({"reversible": False}, "cannot be undone, so it always waits for a person"),
        ],
    )
    def test_what_always_waits_for_a_person_is_refused(
        self, place: Place, change: dict[str, object], said: str
    ) -> None:
        place.answered(25)
        change_kind(place, KIND, **change)

        with pytest.raises(UsageError, match=said):
            ask_for(place, "autonomous")

        assert place.undecided() == []

    def test_what_it_has_already_is_refused(self, place: Place) -> None:
        with pytest.raises(UsageError, match="technical decides that itself already"):
            ask_for(place, "autonomous", OWN)


class TestLessAuthority:
    def test_it_may_always_be_asked_for_and_waits_for_a_yes(self, place: Place) -> None:
        row = ask_for(place, "escalate", OWN, reason="I want to see them for a while")

        assert (row.change, row.recommendation, status(row)) == ("contraction", "approve", "proposed")
        assert place.mode(OWN) == "autonomous"
        approve(place, row.id)
        assert place.mode(OWN) == "escalate"

    def test_it_stands_on_what_the_agent_decided_itself(self, place: Place) -> None:
        for _ in range(3):
            place.decide(OWN)

        row = ask_for(place, "escalate", OWN)

        assert (row.n, row.accepted) == (3, 3)
        assert row.analysis["because"] == "It decided 3 questions of the kind itself; people took none back."

    def test_a_review_does_not_put_it_aside(self, place: Place) -> None:
        row = ask_for(place, "escalate", OWN)

        assert place.review() == [row]

    def test_undone_the_agent_decides_again(self, place: Place) -> None:
        row = ask_for(place, "escalate", OWN)
        approve(place, row.id)

        place.write(lambda tx: deciding.undo(tx, row.id, by="ada", reason="enough seen"))

        assert place.mode(OWN) == "autonomous"

    def test_reversals_that_wait_are_settled_with_it(self, place: Place) -> None:
        decision = place.decide(OWN).decision
        place.write(lambda tx: reversal.reverse(tx, decision, by="ada", reason="no"))
        [suggested] = place.undecided()
        place.write(lambda tx: deciding.clarify(tx, suggested.id, by="ada", reason="how often?"))

        with pytest.raises(UsageError, match=f"Scope proposal {suggested.id} asks for that already"):
            ask_for(place, "escalate", OWN)

    def test_what_is_asked_about_already_is_refused(self, place: Place) -> None:
        with pytest.raises(UsageError, match="technical asks a person about that already"):
            ask_for(place, "escalate")


def test_the_same_is_asked_for_once(place: Place) -> None:
    row = ask_for(place, "autonomous")

    with pytest.raises(UsageError, match=f"Scope proposal {row.id} asks for that already"):
        ask_for(place, "autonomous")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"by": "technical"}, "is an agent"),
        ({"by": " "}, "a name is missing"),
        ({"reason": "\n \x1b[2J"}, "Say why technical's authority"),
        ({"kind": "naming_of_cats"}, "No list of technical names the kind"),
        ({"agent": "decomposer"}, "There is no domain agent 'decomposer'"),
    ],
)
def test_what_cannot_be_asked_for(place: Place, given: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        ask_for(place, "autonomous", **given)


def test_it_cools_down_after_a_no(place: Place) -> None:
    row = ask_for(place, "autonomous")
    place.write(lambda tx: deciding.reject(tx, row.id, by="eve", reason="no"))
    place.wait(27 * DAY)
    place.answered(25)

    assert "expansion" not in {found.change for found in place.review()}
