"""A scope review: one package, its order, and what becomes of proposals that nobody decided."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.contract import UsageError
from core.governance import reversal
from core.governance.escalations import Option, Question, raise_question
from core.governance.scope import deciding
from core.governance.scope.proposing import digest_of_row, status
from core.governance.scope.review import Package, package, review
from core.store import reads_governance
from tests.unit.scope_place import DAY, KIND, OWN, Place, opened


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = opened(tmp_path)
    yield made
    made.store.close()


def shown(place: Place) -> Package:
    found = place.read(package)
    assert found is not None
    return found


def ask_weekly(place: Place, question: str) -> int:
    asked = Question(
        "scope", {"q": question}, question, "WEEKLY", (Option("yes", "Yes", "Done."),), "yes", ("technical",)
    )
    return place.write(lambda tx: raise_question(tx, asked))


def test_a_quiet_workspace_has_an_empty_package(place: Place) -> None:
    assert place.review() == []

    assert shown(place).sections == ()
    assert place.events("scope.") == ["scope.reviewed"]


def test_before_the_first_review_there_is_no_package(place: Place) -> None:
    assert place.read(package) is None
    with pytest.raises(UsageError, match="no scope review 7"):
        place.read(lambda r: package(r, 7))


def test_a_review_changes_no_authority(place: Place) -> None:
    place.answered(25)

    place.review()

    assert place.mode() == "escalate"
    assert place.events("authority.") == []


@pytest.mark.parametrize(("days", "looked_back"), [(1, 7), (7, 7), (20, 20)])
def test_the_window_reaches_to_the_review_before_and_a_week_at_least(place: Place, days: int, looked_back: int) -> None:
    place.review()
    place.wait(days * DAY)
    place.review()

    row = shown(place).review
    assert row.at - row.window_from == looked_back * DAY


def test_the_package_is_sorted_by_what_a_person_should_see_first(place: Place) -> None:
    place.answered(25, kind="architecture")
    place.answered(25)
    for kind in ("icons", "layout"):
        place.grant("escalate", kind, "ux")
        for escalation in place.answered(20, kind=kind, agent="ux"):
            place.measure_attention(escalation, 30 if kind == "icons" else 60)
    place.answered(6, kind="naming_of_cats")
    decision = place.decide("caching").decision
    place.grant("autonomous", "information_architecture", "ux")
    heavy = place.decide("information_architecture", "ux").decision
    for number in (decision, heavy):
        place.write(lambda tx, n=number: reversal.reverse(tx, n, by="ada", reason="no"))  # type: ignore[misc]

    place.review()

    found = [(s.title, [f"{p.agent}.{p.kind}" for p in s.proposals]) for s in shown(place).sections]
    assert found == [
        (
            "High-impact changes",
            ["technical.architecture", f"technical.{KIND}", "ux.information_architecture", "technical.caching"],
        ),
        ("Low-risk efficiency", ["ux.layout", "ux.icons"]),
        ("Bottlenecks", ["technical.naming_of_cats"]),
    ]


def test_weekly_questions_wait_for_it(place: Place) -> None:
    waiting, answered = ask_weekly(place, "Rename the release train?"), ask_weekly(place, "Another?")
    place.answer(answered, "yes")

    place.review()

    found = shown(place)
    assert found.weekly_count == 1
    assert [(w.id, w.question) for w in found.weekly] == [(waiting, "Rename the release train?")]


def test_a_proposal_whose_figures_stand_is_carried_with_its_number(place: Place) -> None:
    place.answered(25)
    [first] = place.review()

    [again] = place.review()

    assert again == first
    assert [p.id for p in shown(place).proposals] == [first.id]


def test_one_whose_figures_changed_is_replaced_and_there_is_never_a_second_undecided_one(place: Place) -> None:
    place.answered(25)
    [first] = place.review()
    place.answered(1)

    [second] = place.review()

    assert (second.n, second.review) == (26, 2)
    old = place.proposal(first.id)
    assert (status(old), old.decided_by, old.reason) == (
        "superseded",
        "scope review 2",
        "its figures are counted anew",
    )


def test_one_whose_grounds_are_gone_is_put_aside_and_that_is_told(place: Place) -> None:
    place.answered(25)
    [row] = place.review()
    place.answered(0, 5)

    assert [p.change for p in place.review()] == ["bottleneck"]

    assert status(place.proposal(row.id)) == "superseded"
    assert shown(place).dropped == (
        {"proposal": row.id, "why": "what it stood on does not hold any more", "asked": None},
    )


def test_a_question_about_a_proposal_is_answered_with_fresh_figures(place: Place) -> None:
    place.answered(25)
    [first] = place.review()
    place.write(lambda tx: deciding.clarify(tx, first.id, by="ada", reason="How were the last five?"))
    place.answered(5)

    [second] = place.review()

    assert second.analysis["asked"] == {
        "question": "How were the last five?",
        "proposal": first.id,
        "n": 25,
        "accepted": 25,
    }
    assert (second.n, second.clarification, status(second)) == (30, None, "proposed")


def test_a_question_is_answered_although_no_figure_has_changed(place: Place) -> None:
    place.answered(25)
    [first] = place.review()
    place.write(lambda tx: deciding.clarify(tx, first.id, by="ada", reason="Is that all?"))

    [second] = place.review()

    assert second.id != first.id
    assert second.analysis["asked"]["question"] == "Is that all?"


def test_a_contraction_that_a_reversal_proposed_is_in_the_next_package(place: Place) -> None:
    decision = place.decide(OWN).decision
    place.write(lambda tx: reversal.reverse(tx, decision, by="ada", reason="no"))
    [at_once] = place.undecided()

    [row] = place.review()

    assert (row.id, row.change) == (at_once.id, "contraction")


def test_the_newest_package_shows_what_was_proposed_since(place: Place) -> None:
    place.review()
    decision = place.decide(OWN).decision
    place.write(lambda tx: reversal.reverse(tx, decision, by="ada", reason="no"))

    assert [p.change for p in shown(place).proposals] == ["contraction"]


def test_an_older_package_stays_as_it_was_and_shows_what_was_decided(place: Place) -> None:
    place.answered(25)
    [row] = place.review()
    place.write(lambda tx: deciding.reject(tx, row.id, by="ada", reason="no"))
    place.review()

    old = place.read(lambda r: package(r, 1))

    assert old is not None
    assert [(p.id, status(p)) for p in old.proposals] == [(row.id, "rejected")]


def test_the_digest_is_of_what_is_shown(place: Place) -> None:
    place.answered(25)
    [row] = place.review()

    assert row.payload_digest == digest_of_row(row)


def test_the_review_is_one_event_that_names_its_proposals(place: Place) -> None:
    place.answered(25)
    number = place.write(lambda tx: review(tx, by=None))

    found = place.read(reads_governance.scope_review)
    assert found is not None
    assert (found.id, found.requested_by) == (number, "schedule")
    assert found.package["proposals"] == [p.id for p in place.undecided()]
    assert place.events("scope.") == ["scope.reviewed"]
