"""One answer for several questions: what may be merged, what it holds back, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.contract import UsageError
from core.governance import deadlines, escalations, life
from core.governance.escalations import Option
from core.orchestration import work_items
from core.store import reads
from tests.unit.escalation_place import DAY, HOUR, OPTIONS, START, Place, chosen, escalated_decision, merge

OTHER = (Option("yes", "Yes", "It is."), Option("no", "No", "It is not."))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path)
    yield found
    found.store.close()


def item(place: Place) -> int:
    return place.write(lambda tx: work_items.create(tx, title="x"))


def held(place: Place, work_item: int) -> list[int]:
    found = place.read(lambda r: reads.holding(r, [work_item]))
    return [h.id for h in found.get(work_item, [])]


def test_merged_questions_have_one_answer_and_their_own_by_rule(place: Place) -> None:
    first, second, third = place.ask(1, work_item=item(place)), place.ask(2, work_item=item(place)), place.ask(3)
    merge(place, second, third, into=first)

    place.answer(first, "wait")

    given = [place.answers(n)[0] for n in (first, second, third)]
    assert [(a.option, a.by, a.provenance) for a in given] == [
        ("wait", "ada", "human"),
        *[("wait", f"escalation {first}", "rule")] * 2,
    ]
    assert {place.state(n) for n in (first, second, third)} == {"resolved"}


def test_a_merged_question_takes_no_answer_of_its_own(place: Place) -> None:
    first, second = place.ask(1), place.ask(2)
    merge(place, second, into=first)

    with pytest.raises(UsageError, match=f"merged into {first}; answer that one"):
        place.answer(second)


def test_the_merged_hold_their_work_back_until_the_one_answer(place: Place) -> None:
    work = item(place)
    first, second = place.ask(1), place.ask(2, work_item=work, phase="D1", blocks="D1")
    merge(place, second, into=first)
    before = held(place, work)

    place.answer(first)

    assert (before, held(place, work)) == ([second], [])


def test_one_answer_ends_the_work_of_every_merged_question(place: Place) -> None:
    works = [item(place) for _ in range(3)]
    first, *others = [place.ask(n, work_item=work) for n, work in enumerate(works)]
    also = place.ask(9, work_item=works[1])
    merge(place, *others, into=first)

    place.answer(first, "stop")

    facts = [place.read(lambda r, w=w: reads.work_item_facts(r, w)) for w in works]  # type: ignore[misc]
    assert all(f is not None and f.cancelled_at == START for f in facts)
    assert [place.state(n) for n in (first, *others, also)] == ["resolved"] * 3 + ["withdrawn"]


def test_each_work_item_ends_as_its_own_question_says(place: Place) -> None:
    failing = tuple(replace(option, fails=option.ends) for option in OPTIONS)
    works = [item(place) for _ in range(2)]
    first = place.ask(1, work_item=works[0])
    merge(place, place.ask(2, work_item=works[1], options=failing), into=first)

    def ends() -> list[tuple[int | None, int | None]]:
        facts = [place.read(lambda r, w=w: reads.work_item_facts(r, w)) for w in works]  # type: ignore[misc]
        return [(f.cancelled_at, f.failed_at) for f in facts if f is not None]

    place.answer(first, "stop")
    assert ends() == [(START, None), (None, START)]
    place.write(lambda tx: life.undo(tx, first, by="ada"))
    assert ends() == [(None, None), (None, None)]


def test_an_answer_that_ends_one_work_item_of_several_merged_questions_is_taken_back_whole(place: Place) -> None:
    first_item, second_item = item(place), item(place)
    first = place.ask(1, work_item=first_item)
    others = [place.ask(n, work_item=second_item) for n in (2, 3)]
    also = place.ask(9, work_item=second_item)
    merge(place, *others, into=first)

    place.answer(first, "stop")
    assert [place.state(n) for n in (first, *others, also)] == ["resolved"] * 3 + ["withdrawn"]
    assert all("withdrawn" not in place.told(n) for n in others)

    place.write(lambda tx: life.undo(tx, first, by="ada"))
    assert [place.state(n) for n in (first, *others, also)] == ["open", "merged", "merged", "open"]
    facts = [place.read(lambda r, w=w: reads.work_item_facts(r, w)) for w in (first_item, second_item)]  # type: ignore[misc]
    assert all(f is not None and f.cancelled_at is None for f in facts)


def test_merging_adds_the_counters_and_takes_the_earliest_due_time(place: Place) -> None:
    place.ask(1)
    first = place.ask(1)
    place.later(HOUR)
    second = place.ask(2, urgency="IMMEDIATE")

    merge(place, second, into=first)

    row = place.row(first)
    assert (row.count, row.urgency, row.due_at, row.next_at) == (3, "IMMEDIATE", START + 2 * HOUR, START + 2 * HOUR)


def test_what_is_more_urgent_is_not_silenced_by_what_it_is_merged_into(place: Place) -> None:
    first, second = place.ask(1), place.ask(2, urgency="IMMEDIATE")
    place.write(lambda tx: life.snooze(tx, first, until=START + 3 * DAY, by="ada"))
    merge(place, second, into=first)
    assert (place.state(first), place.row(first).next_at) == ("open", START + HOUR)


def test_what_is_as_urgent_stays_put_away(place: Place) -> None:
    first, second = place.ask(1), place.ask(2)
    place.write(lambda tx: life.snooze(tx, first, until=START + 3 * DAY, by="ada"))
    merge(place, second, into=first)
    assert place.state(first) == "snoozed"


def test_of_merged_questions_that_time_out_each_says_so(place: Place) -> None:
    asked = [place.ask(n, expires_within_ms=HOUR, on_expiry="go") for n in (1, 2)]
    merge(place, asked[1], into=asked[0])
    place.later(HOUR)
    place.sweep()
    given = [place.answers(n)[0] for n in asked]
    assert [(a.option, a.by, a.provenance) for a in given] == [("go", "time-out", "timeout")] * 2


def test_merging_what_others_were_merged_into_stays_flat(place: Place) -> None:
    first, second, third = place.ask(1), place.ask(2), place.ask(3)
    merge(place, third, into=second)
    merge(place, second, into=first)

    assert {place.row(n).merged_into for n in (second, third)} == {first}
    assert place.row(first).count == 3


def test_decisions_of_merged_questions_are_settled_with_the_same_choice(place: Place) -> None:
    (first, asked), (second, other) = (place.write(lambda tx, q=q: escalated_decision(tx, q)) for q in ("A?", "B?"))  # type: ignore[misc]
    merge(place, other, into=asked)

    place.answer(asked, "reject")

    assert chosen(place, first) == ("reject", "human", "ada")
    assert chosen(place, second) == ("reject", "rule", f"escalation {asked}")


@pytest.mark.parametrize("end", ["withdrawn", "expired"])
def test_the_merged_stand_by_themselves_when_the_target_closes_unanswered(place: Place, end: str) -> None:
    work = item(place)
    first, second = place.ask(1, expires_within_ms=HOUR), place.ask(2, work_item=work, phase="D1", blocks="D1")
    merge(place, second, into=first)
    place.later(HOUR)
    if end == "withdrawn":
        place.write(lambda tx: escalations.withdraw(tx, first, why="so"))
    place.sweep()

    row = place.row(second)
    assert (place.state(first), place.state(second)) == (end, "open")
    assert (row.merged_into, row.next_at, held(place, work)) == (None, START + DAY, [second])


def test_a_merged_question_that_is_asked_again_is_still_one_row(place: Place) -> None:
    first, second = place.ask(1), place.ask(2)
    merge(place, second, into=first)

    again = place.ask(2)

    assert (again, place.row(second).merged_into, place.row(second).count) == (second, first, 2)
    assert place.row(first).count == 3


@pytest.mark.parametrize("change", [{"question": "Go on after all?"}, {"urgency": "IMMEDIATE"}])
def test_a_merged_question_that_has_changed_stands_by_itself(place: Place, change: dict[str, Any]) -> None:
    first, second = place.ask(1), place.ask(2)
    merge(place, second, into=first)

    again = place.ask(2, **change)

    row = place.row(second)
    assert (again, row.merged_into, place.state(second)) == (second, None, "open")
    assert row.next_at == deadlines.next_at(row)


def test_a_question_that_stands_by_itself_again_is_counted_once(place: Place) -> None:
    first, second, third = place.ask(1), place.ask(2), place.ask(3)
    merge(place, third, into=second)
    merge(place, second, into=first)
    place.ask(2)
    assert place.row(first).count == 4

    place.ask(2, question="Go on after all?")

    assert [place.row(number).count for number in (first, second, third)] == [2, 3, 1]
    place.ask(3, question="Go on after all?")
    assert [place.row(number).count for number in (first, second, third)] == [1, 3, 2]


def test_a_merge_that_is_taken_back_leaves_each_question_its_own_count(place: Place) -> None:
    first, second, third = place.ask(1), place.ask(2), place.ask(3)
    merge(place, third, into=second)
    merged, target = [place.row(second), place.row(third)], place.row(first)
    merge(place, second, into=first)
    place.ask(3)

    place.write(lambda tx: life.unmerge(tx, merged, target=target, by="ada"))

    assert [place.row(number).count for number in (first, second, third)] == [1, 3, 2]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"options": OTHER, "recommended": "yes"}, "takes other answers"),
        ({"kind": "error"}, "about a error, 1 about a gate"),
    ],
)
def test_what_cannot_have_one_answer_is_not_merged(place: Place, change: dict[str, Any], says: str) -> None:
    first, second = place.ask(1), place.ask(2, **change)

    with pytest.raises(UsageError, match=says):
        merge(place, second, into=first)

    assert place.state(second) == "open"


@pytest.mark.parametrize("kind", ["conflict", "scope"])
def test_conflicts_and_authorities_are_settled_one_by_one(place: Place, kind: str) -> None:
    first, second = place.ask(1, kind=kind), place.ask(2, kind=kind)

    with pytest.raises(UsageError, match="settled by itself"):
        merge(place, second, into=first)


def test_nothing_is_merged_into_itself_and_nothing_into_nothing(place: Place) -> None:
    first = place.ask(1)

    for others in ([first], []):
        with pytest.raises(UsageError, match="name the others"):
            place.write(lambda tx, o=others: life.merge(tx, o, into=first, by="ada"))  # type: ignore[misc]
