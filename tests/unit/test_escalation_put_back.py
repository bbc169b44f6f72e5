"""Taking back what was done to a question without answering it: it is handled as before, or nothing is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.contract import UsageError
from core.governance import life
from core.governance.people import known_people
from core.store.rows import EscalationRow
from core.store.transaction import Transaction
from tests.unit.escalation_place import DAY, HOUR, START, Place
from tui.questions import works as question_works
from tui.questions.works import Work


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path)
    yield found
    found.store.close()


HANDLED = ("acknowledged_at", "acknowledged_until", "acknowledged_by", "snoozed_until", "assigned_to", "note")


def handling(row: EscalationRow) -> list[object]:
    return [getattr(row, name) for name in (*HANDLED, "urgency", "due_at", "next_at")]


WORKS: dict[str, Callable[[EscalationRow], Work]] = {
    "acknowledge": lambda row: question_works.acknowledge_work(row, "ada"),
    "snooze": lambda row: question_works.snooze_work(row, START + 9 * HOUR, "ada"),
    "assign": lambda row: question_works.assign_work(row, "grace", "yours", "ada"),
    "escalate": lambda row: question_works.escalate_work(row, "now", "ada"),
    "ask back": lambda row: question_works.ask_work(row, "How long?", "ada"),
}


@pytest.mark.parametrize("deed", WORKS)
@pytest.mark.parametrize("earlier", [None, "snooze", "acknowledge", "assign"])
def test_a_deed_that_is_taken_back_leaves_the_question_as_it_was(place: Place, deed: str, earlier: str | None) -> None:
    number = place.ask(urgency="DAILY")
    if earlier is not None:
        place.write(WORKS[earlier](place.row(number)))
    before = handling(place.row(number))
    work = WORKS[deed](place.row(number))

    place.later(HOUR // 6)
    place.write(work)
    place.later(HOUR // 6)
    place.write(work.back)

    assert handling(place.row(number)) == before
    assert "put_back" in place.told(number)


@pytest.mark.parametrize("deed", [name for name in WORKS if name != "escalate"])
def test_what_somebody_else_has_changed_since_stays(place: Place, deed: str) -> None:
    number = place.ask()
    work = WORKS[deed](place.row(number))
    place.write(work)
    place.later(HOUR)
    place.write(lambda tx: life.assign(tx, number, to="linus", by="grace", note="mine"))
    place.write(lambda tx: life.acknowledge(tx, number, by="linus"))
    now = handling(place.row(number))

    with pytest.raises(UsageError, match="has been changed since"):
        place.write(work.back)
    assert handling(place.row(number)) == now


def test_what_was_pressed_further_stays(place: Place) -> None:
    number = place.ask(urgency="WEEKLY")
    work = WORKS["escalate"](place.row(number))
    place.write(work)
    place.write(lambda tx: life.escalate(tx, number, by="grace"))
    with pytest.raises(UsageError, match="its urgency has been changed since"):
        place.write(work.back)
    assert place.row(number).urgency == "IMMEDIATE"


def test_a_silence_that_would_have_ended_meanwhile_does_not_come_back(place: Place) -> None:
    number = place.ask()
    place.write(lambda tx: life.snooze(tx, number, until=START + HOUR, by="ada"))
    work = question_works.assign_work(place.row(number), "grace", "", "ada")
    place.write(work)
    place.later(2 * HOUR)
    place.write(work.back)
    assert (place.row(number).snoozed_until, place.state(number)) == (None, "open")


def test_an_answered_question_is_not_handled_any_more(place: Place) -> None:
    number = place.ask()
    work = WORKS["snooze"](place.row(number))
    place.write(work)
    place.answer(number)
    with pytest.raises(UsageError, match="is resolved"):
        place.write(work.back)


def test_an_answer_that_is_taken_back_waits_again(place: Place) -> None:
    number = place.ask()
    work = question_works.answer_work(place.row(number), "wait", None, "because", "ada")
    place.write(work)
    assert place.state(number) == "resolved"
    place.write(work.back)
    assert place.state(number) == "open"


def test_an_answer_that_somebody_else_gave_since_is_not_taken_back(place: Place) -> None:
    number = place.ask()
    work = question_works.answer_work(place.row(number), "wait", None, "because", "ada")
    place.write(work)
    place.write(lambda tx: life.undo(tx, number, by="grace"))
    place.write(question_works.answer_work(place.row(number), "wait", None, "still", "grace"))
    with pytest.raises(UsageError, match="answered anew by grace since"):
        place.write(work.back)
    assert place.state(number) == "resolved"


def test_an_answer_is_bound_to_what_was_shown(place: Place) -> None:
    number = place.ask()
    shown = place.row(number)
    place.ask(missing=("something new",))
    with pytest.raises(UsageError, match="has changed since it was shown"):
        place.write(question_works.answer_work(shown, "go", None, "", "ada"))


class TestMerging:
    def test_those_that_were_merged_stand_by_themselves_again(self, place: Place) -> None:
        first, second, third = place.ask(1, urgency="WEEKLY"), place.ask(2), place.ask(3, urgency="IMMEDIATE")
        before = [handling(place.row(n)) for n in (first, second, third)]
        work = question_works.merge_work([second, third], first, "ada")

        place.write(work)
        merged = place.row(first)
        assert (merged.urgency, merged.count) == ("IMMEDIATE", 3)
        place.write(work.back)

        assert [handling(place.row(n)) for n in (first, second, third)] == before
        assert [place.row(n).count for n in (first, second, third)] == [1, 1, 1]
        assert place.state(second) == "open"

    def test_what_came_with_one_goes_with_it_again(self, place: Place) -> None:
        first, second, third = (place.ask(n) for n in (1, 2, 3))
        place.write(lambda tx: life.merge(tx, [third], into=second, by="ada"))
        work = question_works.merge_work([second], first, "ada")

        place.write(work)
        assert [place.row(n).merged_into for n in (second, third)] == [first, first]
        place.write(work.back)

        assert [place.row(n).merged_into for n in (first, second, third)] == [None, None, second]
        assert place.row(third).next_at is None
        place.answer(second)
        assert [place.state(n) for n in (first, second, third)] == ["open", "resolved", "resolved"]

    def test_what_has_become_more_urgent_since_stays_so(self, place: Place) -> None:
        first, second = place.ask(1, urgency="WEEKLY"), place.ask(2)
        work = question_works.merge_work([second], first, "ada")
        place.write(work)
        place.later(2 * DAY)
        place.sweep()
        place.write(work.back)
        assert place.row(first).urgency == "IMMEDIATE"

    def test_one_answer_for_both_cannot_be_divided(self, place: Place) -> None:
        first, second = place.ask(1), place.ask(2)
        work = question_works.merge_work([second], first, "ada")
        place.write(work)
        place.answer(first)
        with pytest.raises(UsageError, match="is resolved"):
            place.write(work.back)

    def test_one_that_has_left_already_is_not_taken_out_again(self, place: Place) -> None:
        first, second = place.ask(1), place.ask(2)
        work = question_works.merge_work([second], first, "ada")
        place.write(work)
        place.ask(2, missing=("something new",))
        with pytest.raises(UsageError, match="is not merged into"):
            place.write(work.back)


def test_the_persons_on_record_are_named_the_most_frequent_first(place: Place) -> None:
    numbers = [place.ask(n) for n in range(1, 5)]

    def handle(tx: Transaction) -> None:
        for number in numbers[:3]:
            life.assign(tx, number, to="grace", by="ada")
        life.acknowledge(tx, numbers[3], by="linus")

    place.write(handle)
    place.answer(numbers[0], by="linus")
    place.answer(numbers[1], by="rule", provenance="rule")
    assert place.read(known_people) == ("grace", "linus")
