"""A question's life: one row however often it is raised, answered once, by whom and on what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.contract import UsageError
from core.governance import escalations, life
from core.governance.escalations import Option, Question
from core.orchestration import work_items
from core.store import reads, reads_escalations, reads_team, rows, states
from core.store.schema import WorkItem
from core.store.store import Store
from core.store.transaction import Transaction
from tests.fresh import fresh_store

HOUR_MS = 3_600_000


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with fresh_store(tmp_path, clock=clock) as opened:
        yield opened


def question(**changes: Any) -> Question:
    facts: dict[str, Any] = {
        "kind": "gate",
        "subject": {"phase": "D1"},
        "question": "What is missing?",
        "urgency": "DAILY",
        "options": (
            Option("supply", "Supply it", "It goes on.", asks={"acceptance_criteria": "lines", "value": "text"}),
            Option("retry", "Try again", "It runs again."),
            Option("stop", "Stop", "It ends.", ends=True),
        ),
        "recommended": "retry",
        "chain": ("master-orchestrator", "definition-orch"),
        "blocks": "D1",
    }
    return Question(**{**facts, **changes})


def ask(store: Store, **changes: Any) -> int:
    return store.write_now(lambda tx: escalations.raise_question(tx, question(**changes)))


def row(store: Store, number: int) -> rows.EscalationRow:
    found = store.read_now(lambda r: reads.escalation(r, number))
    assert found is not None
    return found


def answer(store: Store, number: int, option: str = "retry", **given: Any) -> int:
    return store.write_now(lambda tx: escalations.resolve(tx, number, option=option, by="ada", **given))


def test_the_same_question_is_one_row_with_a_counter(store: Store) -> None:
    numbers = {ask(store) for _ in range(100)}

    assert len(numbers) == 1
    assert row(store, numbers.pop()).count == 100


def test_an_answered_question_that_comes_up_again_is_a_new_row(store: Store) -> None:
    first = ask(store)
    answer(store, first)

    assert ask(store) != first


@pytest.mark.parametrize(("urgency", "hours"), [("IMMEDIATE", 1), ("DAILY", 24), ("WEEKLY", None)])
def test_each_urgency_has_its_due_time(store: Store, clock: Clock, urgency: str, hours: int | None) -> None:
    due = row(store, ask(store, urgency=urgency)).due_at

    assert due == (None if hours is None else clock.now + hours * HOUR_MS)


def test_it_is_overdue_once_its_time_has_passed(store: Store, clock: Clock) -> None:
    asked = row(store, ask(store, urgency="IMMEDIATE"))

    assert not states.is_overdue(asked, clock.now)
    assert states.is_overdue(asked, clock.now + HOUR_MS)


def test_an_answer_says_who_when_and_from_where(store: Store, clock: Clock) -> None:
    number = ask(store)

    answer(store, number)

    given = store.read_now(lambda r: reads_escalations.answers(r, number))[0]
    assert (given.by, given.provenance, given.at, given.option) == ("ada", "human", clock.now, "retry")
    assert states.escalation_state(row(store, number), clock.now) == "resolved"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"option": "dance"}, "supply, retry, stop"),
        ({"option": "stop"}, "needs a reason"),
        ({"option": "stop", "reason": " \n"}, "needs a reason"),
        ({"option": "supply", "reason": "r"}, "needs values"),
        ({"option": "supply", "reason": "r", "answer": ["x"]}, "JSON object"),
        ({"option": "supply", "reason": "r", "answer": {"colour": "red"}}, "'colour' was not asked for"),
        ({"option": "supply", "reason": "r", "answer": {"value": 7}}, "value must be a text"),
        ({"option": "supply", "reason": "r", "answer": {"acceptance_criteria": [1]}}, "a list of texts"),
        ({"option": "retry", "answer": {"value": "x"}}, "takes no values"),
        ({"option": "retry", "shown_digest": "0" * 64}, "was never shown as that digest says"),
    ],
)
def test_a_malformed_answer_is_refused_in_one_sentence_and_nothing_is_kept(
    store: Store, given: dict[str, Any], says: str
) -> None:
    number = ask(store)

    with pytest.raises(UsageError, match=says):
        answer(store, number, **given)

    assert store.read_now(lambda r: reads_escalations.answers(r, number)) == ()
    assert row(store, number).resolved_at is None


def test_a_second_answer_is_refused_and_names_the_first(store: Store) -> None:
    number = ask(store)
    answer(store, number)

    with pytest.raises(UsageError, match="already answered \\('Try again' by ada\\)"):
        answer(store, number)


def test_an_unknown_number_says_where_to_look(store: Store) -> None:
    with pytest.raises(UsageError, match="apm escalation list"):
        answer(store, 99)


def test_values_are_cleaned_of_what_could_act_on_a_terminal(store: Store) -> None:
    number = ask(store)

    answer(store, number, "supply", reason="r", answer={"value": "a\x1b]52;c;ZXZpbA==\x07b\u202ec"})

    assert store.read_now(lambda r: reads_escalations.answers(r, number))[0].answer == {"value": "abc"}


def test_lines_may_come_as_one_text(store: Store) -> None:
    number = ask(store)

    answer(store, number, "supply", reason="r", answer={"acceptance_criteria": "one\n\n  two \n"})

    assert store.read_now(lambda r: reads_escalations.answers(r, number))[0].answer == {
        "acceptance_criteria": ["one", "two"]
    }


def test_an_option_that_ends_the_work_cancels_it(store: Store) -> None:
    def add(tx: Transaction) -> int:
        number = tx.insert(WorkItem, title="x", type="bug", origin="human", created_at=tx.now)
        tx.event("work_item.created", work_item=number)
        return number

    item = store.write_now(add)
    answer(store, ask(store, work_item=item), "stop", reason="not worth it")

    found = store.read_now(lambda r: reads.work_item(r, item))
    assert found is not None
    assert found.state == "cancelled"


def test_a_late_answer_is_kept_as_late_and_changes_nothing(store: Store) -> None:
    number = ask(store)
    store.write_now(lambda tx: escalations.withdraw(tx, number, why="the work was cancelled"))

    answer(store, number)

    assert [a.late for a in store.read_now(lambda r: reads_escalations.answers(r, number))] == [True]
    assert row(store, number).resolved_at is None


def test_seen_is_not_answered_and_comes_back(store: Store, clock: Clock) -> None:
    number = ask(store)

    store.write_now(lambda tx: life.acknowledge(tx, number, by="ada", minutes=30))

    asked = row(store, number)
    assert states.escalation_state(asked, clock.now) == "acknowledged"
    assert states.needs_me(asked, clock.now + 30 * 60_000)


def test_snoozed_until_then_back_with_its_due_time(store: Store, clock: Clock) -> None:
    number = ask(store)
    due = row(store, number).due_at

    store.write_now(lambda tx: life.snooze(tx, number, until=clock.now + HOUR_MS, by="ada"))

    asked = row(store, number)
    assert (states.escalation_state(asked, clock.now), asked.due_at) == ("snoozed", due)
    assert states.needs_me(asked, clock.now + HOUR_MS)


def test_the_queue_leads_with_the_most_urgent(store: Store, clock: Clock) -> None:
    for n, urgency in enumerate(("WEEKLY", "DAILY", "IMMEDIATE", "DAILY")):
        ask(store, urgency=urgency, subject={"n": n})
        clock.now += 1

    listed = store.read_now(reads_escalations.escalations)

    assert [(e.urgency, e.id) for e in listed] == [("IMMEDIATE", 3), ("DAILY", 2), ("DAILY", 4), ("WEEKLY", 1)]


def test_the_header_counts_by_the_same_rule_as_the_list(store: Store, clock: Clock) -> None:
    numbers = [ask(store, subject={"n": n}) for n in range(4)]
    store.write_now(lambda tx: life.snooze(tx, numbers[0], until=clock.now + HOUR_MS, by="ada"))
    store.write_now(lambda tx: life.acknowledge(tx, numbers[1], by="ada"))
    answer(store, numbers[2])

    counts = store.read_now(lambda r: reads_team.waiting(r, clock.now))
    listed = store.read_now(reads_escalations.escalations)

    assert counts.needs_me == sum(states.needs_me(e, clock.now) for e in listed) == 1


def test_a_question_that_changed_shows_what_an_answer_is_bound_to(store: Store) -> None:
    number = ask(store)
    ask(store, question="What is missing now?")

    assert row(store, number).question == "What is missing now?"
    assert row(store, number).payload_digest == question(question="What is missing now?").payload_digest


def test_an_answer_is_bound_to_what_was_recommended(store: Store) -> None:
    number = ask(store)
    shown = row(store, number).payload_digest
    ask(store, recommended="stop")

    with pytest.raises(UsageError, match="has changed since it was shown: recommended was retry, is stop"):
        answer(store, number, shown_digest=shown)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400])
def test_a_number_that_cannot_be_kept_is_refused_in_a_sentence(store: Store, value: float) -> None:
    option = Option("supply", "Supply it", "It goes on.", asks={"estimates": "numbers"})
    number = ask(store, options=(option,), recommended="supply")

    with pytest.raises(UsageError, match="estimates must be an object with a number"):
        answer(store, number, "supply", answer={"estimates": {"T1": value}})


def test_the_texts_of_an_answer_are_cleaned_wherever_they_stand(store: Store) -> None:
    option = Option("supply", "Supply it", "It goes on.", asks={"tasks": "tasks", "mitigations": "map"})
    number = ask(store, options=(option,), recommended="supply")

    given = {"tasks": [{"title": "\x1b]52;c;x\x07do it"}], "mitigations": {"R\x1b[2J1": "measure"}}
    answer(store, number, "supply", answer=given)

    kept = store.read_now(lambda r: reads_escalations.answers(r, number))[0].answer
    assert "\x1b" not in str([kept["tasks"][0]["title"], *kept["mitigations"]])


def test_the_answer_that_ends_a_work_item_leaves_no_question_about_it(store: Store) -> None:
    number = store.write_now(lambda tx: work_items.create(tx, title="x"))
    first, second = ask(store, work_item=number), ask(store, work_item=number, subject={"phase": "O1"})

    answer(store, first, "stop", reason="not now")

    assert states.escalation_state(row(store, second), 0) == "withdrawn"


def test_nobody_is_asked_about_a_work_item_that_has_ended(store: Store) -> None:
    number = store.write_now(lambda tx: work_items.create(tx, title="x"))
    store.write_now(lambda tx: work_items.cancel(tx, number, "ada"))

    assert states.escalation_state(row(store, ask(store, work_item=number)), 0) == "withdrawn"
