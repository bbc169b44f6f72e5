"""A wish for a rule: taken up by the next review, proposed where it is earned, and never granted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.contract import UsageError
from core.governance import authority, life
from core.governance.conflicts import ConflictRules, Dispute, raise_conflict
from core.governance.escalations import Option, Question, raise_question
from core.governance.scope import deciding
from core.governance.scope.review import package
from core.governance.scope.wishes import TakenUp, Wish, pending, wish
from core.registry.importing import read_memory
from tests.unit.scope_place import KIND, OWN, Place, opened


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = opened(tmp_path)
    yield made
    made.store.close()


def wished(place: Place, escalation: int, by: str = "ada") -> Wish:
    return place.write(lambda tx: wish(tx, escalation, by=by))


def answered_and_wished(place: Place, kind: str = KIND) -> int:
    number = place.ask(kind)
    place.answer(number)
    wished(place, number)
    return number


def taken_up(place: Place) -> TakenUp:
    place.review()
    found = place.read(package)
    assert found is not None
    [one] = found.wishes
    return one


def test_it_names_the_agent_and_kind_that_the_question_asked_about(place: Place) -> None:
    number = place.ask()

    made = wished(place, number)

    assert (made.agent, made.kind, made.by, made.escalations) == ("technical", KIND, "ada", (number,))
    assert place.read(pending) == (made,)
    assert place.events("scope.") == ["scope.wished"]


def test_a_second_wish_for_the_same_joins_the_first(place: Place) -> None:
    first, second = answered_and_wished(place), answered_and_wished(place)

    [found] = place.read(pending)
    assert found.escalations == (first, second)


def test_no_agent_wishes(place: Place) -> None:
    number = place.ask()

    with pytest.raises(UsageError, match="is an agent"):
        wished(place, number, by="technical")


def test_there_is_nothing_to_wish_for_where_no_kind_was_decided(place: Place) -> None:
    budget = Question("budget", {}, "Raise it?", "DAILY", (Option("yes", "Yes", "Done."),), "yes", ("strategy",))
    rules = ConflictRules.of_sections(place.read(read_memory)["sections"])
    asked = place.write(lambda tx: raise_question(tx, budget))
    disputed = place.write(lambda tx: raise_conflict(tx, Dispute(("technical", "gtm"), "the date", 5), rules))

    for number in (asked, disputed.escalation or 0):
        with pytest.raises(UsageError, match=f"Question {number} is no domain agent's decision of a kind"):
            wished(place, number)
    with pytest.raises(UsageError, match="no question 4711"):
        wished(place, 4711)


def test_what_the_record_has_earned_is_proposed_as_without_a_wish(place: Place) -> None:
    place.answered(24)
    number = answered_and_wished(place)

    found = taken_up(place)

    [row] = place.undecided()
    assert (row.agent, row.kind, row.change, row.n) == ("technical", KIND, "expansion", 25)
    assert (found.proposal, found.missing, found.escalations) == (row.id, (), (number,))


def test_what_is_not_earned_says_what_is_missing_and_is_not_granted(place: Place) -> None:
    place.answered(2, 1)
    answered_and_wished(place)

    found = taken_up(place)

    assert found.missing == (
        "4 of 20 answers by people",
        "3 of 4 accepted: lower bound 0.30, it needs 0.80",
    )
    assert (found.n, found.accepted, found.proposal) == (4, 3, None)
    assert place.undecided() == []
    assert place.mode() == "escalate"
    assert place.events("authority.") == []


def test_a_ceiling_is_what_is_missing(place: Place) -> None:
    place.answered(24, kind="security")
    answered_and_wished(place, "security")

    assert taken_up(place).missing == ("the kind has a ceiling, which no record lifts",)


def test_a_kind_that_no_list_names_cannot_be_had(place: Place) -> None:
    place.answered(24, kind="naming_of_cats")
    answered_and_wished(place, "naming_of_cats")

    assert taken_up(place).missing == ("no list of technical names the kind",)


def test_a_no_of_a_person_holds_against_it_for_a_while(place: Place) -> None:
    place.answered(24)
    [row] = place.review()
    place.write(lambda tx: deciding.reject(tx, row.id, by="eve", reason="not yet"))
    answered_and_wished(place)

    [sentence] = taken_up(place).missing

    assert sentence.startswith(f"eve's word on proposal {row.id} stands against it until 20")


def test_what_has_been_granted_meanwhile_is_told(place: Place) -> None:
    place.answered(24)
    answered_and_wished(place)
    place.grant("autonomous")

    assert "technical decides it already" in taken_up(place).missing


def test_a_wish_whose_answer_was_taken_back_says_so(place: Place) -> None:
    number = answered_and_wished(place)
    place.undo(number)

    assert taken_up(place).missing[0] == "the answer that it came with does not stand any more"


def test_of_a_question_that_was_merged_the_answer_of_the_other_counts(place: Place) -> None:
    first, second = place.ask(), place.ask()
    wished(place, second)
    place.write(lambda tx: life.merge(tx, [second], into=first, by="ada"))
    place.answer(first)

    assert "stand" not in taken_up(place).missing[0]


def test_a_review_ends_the_wish(place: Place) -> None:
    answered_and_wished(place)
    place.review()

    place.review()

    found = place.read(package)
    assert found is not None
    assert found.wishes == ()
    assert place.read(pending) == ()


def test_a_wish_for_what_is_autonomous_asks_for_nothing(place: Place) -> None:
    number = place.ask(OWN, impact=9)
    place.answer(number)
    wished(place, number)

    assert taken_up(place).missing[0] == "technical decides it already"
    assert [k.mode for k in place.read(lambda r: authority.kinds(r, "technical")) if k.key == OWN] == ["autonomous"]
