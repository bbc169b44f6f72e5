"""What a proposal rests on can be looked at, row by row, what speaks against the agent first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.governance import reversal
from core.governance.conflicts import ConflictRules, Dispute, raise_conflict
from core.governance.scope.evidence import Evidence, evidence_of
from core.registry.importing import read_memory
from core.store.rows_governance import ScopeProposalRow
from tests.unit.scope_place import HOUR, KIND, OWN, Place, opened


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = opened(tmp_path)
    yield made
    made.store.close()


def rests_on(place: Place, row: ScopeProposalRow) -> tuple[Evidence, ...]:
    return place.read(lambda r: evidence_of(r, row))


def test_corrected_answers_come_before_accepted_ones_each_newest_first(place: Place) -> None:
    numbers = place.answered(23, 2, wait=HOUR)
    [row] = place.review()

    found = rests_on(place, row)

    assert [one.number for one in found] == [*reversed(numbers[23:]), *reversed(numbers[:23])]
    assert [one.outcome for one in found] == ["corrected"] * 2 + ["accepted"] * 23
    assert (found[0].said, found[0].by, found[0].at) == ("reject", "ada", place.now)
    assert found[0].escalation == found[0].number


def test_what_waits_still_stands_at_the_end(place: Place) -> None:
    place.answered(25)
    waiting = place.ask()
    [row] = place.review()

    assert rests_on(place, row)[-1] == Evidence(
        "question", waiting, "question 26?", "waits", at=place.now, escalation=waiting
    )


def test_a_contraction_rests_on_what_was_taken_back(place: Place) -> None:
    decision = place.decide(OWN).decision
    place.write(lambda tx: reversal.reverse(tx, decision, by="ada", reason="breaks the clients"))
    [row] = place.undecided()

    [found] = rests_on(place, row)

    assert (found.what, found.number, found.outcome) == ("decision", decision, "reversed")
    assert (found.said, found.by, found.escalation) == ("approve: breaks the clients", "ada", None)


def test_a_collaboration_rests_on_its_conflicts(place: Place) -> None:
    rules = ConflictRules.of_sections(place.read(read_memory)["sections"])
    topics = ("performance of the list", "the date", "the name of it")
    for topic in topics:
        place.write(lambda tx, t=topic: raise_conflict(tx, Dispute(("technical", "ux"), t, 5), rules))  # type: ignore[misc]
    [row] = place.review()

    found = rests_on(place, row)

    assert [(one.text, one.outcome, one.said) for one in found] == [
        ("the name of it", "open", ""),
        ("the date", "open", ""),
        ("performance of the list", "settled", "technical prevailed"),
    ]


def test_hostile_words_are_one_plain_line(place: Place) -> None:
    place.answered(24)
    number = place.ask(question="wipe\x1b[2J it\n\u202eall?")
    place.answer(number)
    [row] = place.review()

    [found] = [one for one in rests_on(place, row) if one.number == number]

    assert found.text == "wipe it all?"


def test_a_kind_without_a_record_rests_on_nothing(place: Place) -> None:
    place.answered(25)
    [row] = place.review()
    bare = ScopeProposalRow(**{**{f: getattr(row, f) for f in row.__dataclass_fields__}, "analysis": {}})

    assert rests_on(place, bare) == ()


def test_accepted_questions_are_named_once(place: Place) -> None:
    place.answered(25, kind=KIND)
    [row] = place.review()

    found = rests_on(place, row)

    assert len({one.key for one in found}) == len(found) == 25
