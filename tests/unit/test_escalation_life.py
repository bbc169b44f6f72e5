"""What may be done to an open question: seen, put away, handed over, pressed, left to expire, answered late."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.contract import UsageError
from core.governance import escalations, life
from core.governance.escalations import Option
from core.orchestration import work_items
from core.registry.catalog import default_path, load
from core.store import reads, reads_governance
from core.store.schema import Escalation
from core.store.transaction import Transaction
from tests.unit.escalation_place import DAY, HOUR, MINUTE, START, Place, chosen, escalated_decision, merge


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path)
    yield found
    found.store.close()


DEEDS: dict[str, Callable[[Transaction, int, str], object]] = {
    "acknowledge": lambda tx, n, by: life.acknowledge(tx, n, by=by),
    "snooze": lambda tx, n, by: life.snooze(tx, n, until=tx.now + HOUR, by=by),
    "assign": lambda tx, n, by: life.assign(tx, n, to="grace", by=by),
    "hand to": lambda tx, n, by: life.assign(tx, n, to=by, by="ada"),
    "escalate": lambda tx, n, by: life.escalate(tx, n, by=by),
    "merge": lambda tx, n, by: life.merge(tx, [n + 1], into=n, by=by),
    "resolve": lambda tx, n, by: escalations.resolve(tx, n, option="go", by=by),
    "undo": lambda tx, n, by: life.undo(tx, n, by=by),
}


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize(("by", "says"), [("technical", "is an agent"), ("  ", "name"), ("agents.yaml", "the file")])
def test_only_a_person_may_sign(place: Place, deed: str, by: str, says: str) -> None:
    from core.governance.team import import_catalog

    place.write(lambda tx: import_catalog(tx, load(default_path())))
    number = place.ask(1)
    place.ask(2)

    with pytest.raises(UsageError, match=says):
        place.write(lambda tx: DEEDS[deed](tx, number, by))

    assert place.told(number) == ["raised"]


@pytest.mark.parametrize("deed", [d for d in DEEDS if d not in ("undo", "resolve")])
@pytest.mark.parametrize("end", ["resolved", "withdrawn", "expired", "merged"])
def test_what_is_closed_stays_as_it_is(place: Place, deed: str, end: str) -> None:
    number, other = place.ask(1, expires_within_ms=HOUR), place.ask(2)
    if end == "resolved":
        place.answer(number)
    elif end == "withdrawn":
        place.write(lambda tx: escalations.withdraw(tx, number, why="so"))
    elif end == "merged":
        merge(place, number, into=other)
    else:
        place.later(HOUR)
        place.sweep()

    with pytest.raises(UsageError, match=f"{end}.*nothing was changed"):
        place.write(lambda tx: DEEDS[deed](tx, number, "ada"))

    assert place.row(number).next_at is None


@pytest.mark.parametrize("minutes", [0, -5, life.MOST_MINUTES + 1])
def test_an_acknowledgement_has_a_bound(place: Place, minutes: int) -> None:
    number = place.ask()

    with pytest.raises(UsageError, match="acknowledge for 1 to"):
        place.write(lambda tx: life.acknowledge(tx, number, by="ada", minutes=minutes))


@pytest.mark.parametrize("ahead", [0, -HOUR, 367 * DAY])
def test_a_snooze_ends_in_the_future_and_within_a_year(place: Place, ahead: int) -> None:
    number = place.ask()

    with pytest.raises(UsageError, match="a moment in the future"):
        place.write(lambda tx: life.snooze(tx, number, until=tx.now + ahead, by="ada"))


def test_handing_over_carries_a_word_and_ends_both_silences(place: Place) -> None:
    number = place.ask()
    place.write(lambda tx: life.acknowledge(tx, number, by="ada"))
    place.write(lambda tx: life.snooze(tx, number, until=tx.now + 2 * DAY, by="ada"))

    place.write(lambda tx: life.assign(tx, number, to="grace", by="ada", note="yours,\nI think\x1b[2J"))

    row = place.row(number)
    assert (row.assigned_to, row.note, place.state(number)) == ("grace", "yours, I think", "open")
    assert row.next_at == START + DAY
    assert place.events(number)[-1][1]["note"] == row.note


def test_pressing_goes_one_urgency_up_and_ends_the_silence(place: Place) -> None:
    number = place.ask(urgency="WEEKLY")
    place.write(lambda tx: life.snooze(tx, number, until=tx.now + DAY, by="ada"))
    steps = []
    for _ in range(2):
        place.write(lambda tx: life.escalate(tx, number, by="ada", reason="now"))
        steps.append((place.row(number).urgency, place.row(number).due_at, place.state(number)))

    assert steps == [("DAILY", START + DAY, "open"), ("IMMEDIATE", START + HOUR, "open")]
    facts = place.events(number)[-1][1]
    assert [facts[k] for k in ("by", "from", "to", "reason")] == ["ada", "DAILY", "IMMEDIATE", "now"]
    with pytest.raises(UsageError, match="IMMEDIATE already"):
        place.write(lambda tx: life.escalate(tx, number, by="ada"))


def test_pressing_what_is_overdue_gives_it_no_new_time(place: Place) -> None:
    number = place.ask()
    place.later(DAY + HOUR)

    place.write(lambda tx: life.escalate(tx, number, by="ada"))

    assert place.row(number).due_at == START + DAY


def test_attention_runs_from_when_the_person_could_begin(place: Place) -> None:
    first, second, third = place.ask(1), place.ask(2), place.ask(3)
    place.later(10 * MINUTE)
    place.answer(first)
    place.later(2 * MINUTE)
    place.answer(second)
    place.later(HOUR)
    place.write(lambda tx: life.acknowledge(tx, third, by="ada"))
    place.later(MINUTE)
    place.answer(third)

    given = [place.answers(n)[0] for n in (first, second, third)]
    assert [a.attention_seconds for a in given] == [600, 120, 60]
    assert [a.seconds_to_answer for a in given] == [600, 720, 4380]


def test_who_was_away_has_no_attention_measured(place: Place) -> None:
    number = place.ask()
    place.later(escalations.AWAY_MS + 1)

    place.answer(number)

    assert place.answers(number)[0].attention_seconds is None


def test_a_time_to_answer_below_nothing_is_not_measured(place: Place) -> None:
    number = place.ask()
    place.later(-HOUR)

    place.answer(number)

    given = place.answers(number)[0]
    assert (given.seconds_to_answer, given.attention_seconds) == (None, None)


def test_what_expires_without_a_word_is_nobodys_answer(place: Place) -> None:
    number = place.ask(expires_within_ms=2 * HOUR)
    place.later(2 * HOUR)
    place.sweep()

    assert (place.state(number), place.answers(number)) == ("expired", ())
    assert place.events(number)[-1] == ("expired", {**place.events(number)[-1][1], "provenance": "timeout"})


def test_what_is_taken_on_expiry_is_the_time_outs_answer(place: Place) -> None:
    number = place.ask(expires_within_ms=2 * HOUR, on_expiry="wait", details={"long": ["x" * 20_000] * 30})
    place.later(2 * HOUR)
    place.sweep()

    given = place.answers(number)[0]
    assert (given.option, given.by, given.provenance, given.late) == ("wait", "time-out", "timeout", False)
    assert place.state(number) == "resolved"


def test_an_expiry_comes_even_while_it_is_put_away(place: Place) -> None:
    number = place.ask(expires_within_ms=2 * HOUR)
    place.write(lambda tx: life.snooze(tx, number, until=tx.now + DAY, by="ada"))
    place.later(2 * HOUR)
    place.sweep()

    assert place.state(number) == "expired"


@pytest.mark.parametrize(
    "wrong",
    [
        {"blocks": "D1", "expires_within_ms": HOUR},
        {"expires_within_ms": HOUR, "on_expiry": "dance"},
        {"expires_within_ms": HOUR, "on_expiry": "say", "options": (Option("say", "S", "c", asks={"value": "text"}),)},
    ],
)
def test_an_expiry_that_could_not_be_carried_out_is_not_asked(place: Place, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="taken"):
        place.ask(**wrong)


def test_a_blocking_question_that_no_longer_says_what_is_taken_does_not_expire(place: Place) -> None:
    number = place.ask(blocks="D1", expires_within_ms=HOUR, on_expiry="go")
    place.ask(blocks="D1")
    place.later(HOUR)
    place.sweep()

    assert (place.state(number), place.row(number).next_at) == ("open", START + DAY)


def test_a_late_answer_settles_the_decision_that_expired(place: Place) -> None:
    def ask(tx: Transaction) -> tuple[int, int]:
        decision, number = escalated_decision(tx, "A?")
        tx.update(Escalation, number, expires_at=tx.now + HOUR, next_at=tx.now + HOUR)
        tx.event("escalation.rescheduled", escalation=number)
        return decision, number

    decision, number = place.write(ask)
    place.later(HOUR)
    place.sweep()
    place.answer(number, "reject")
    place.answer(number, "approve")

    assert [(a.option, a.late) for a in place.answers(number)] == [("reject", True), ("approve", True)]
    assert chosen(place, decision) == ("reject", "human", "ada")
    assert place.state(number) == "expired"


def test_a_late_answer_to_a_conflict_that_expired_settles_it_once(place: Place) -> None:
    from core.governance.conflicts import ConflictRules, Dispute, raise_conflict

    def ask(tx: Transaction) -> tuple[int, int]:
        rules = ConflictRules.of(load(default_path()))
        made = raise_conflict(tx, Dispute(("technical", "gtm"), "the colour", 3), rules)
        assert made.escalation is not None
        tx.update(Escalation, made.escalation, expires_at=tx.now + HOUR, next_at=tx.now + HOUR)
        tx.event("escalation.rescheduled", escalation=made.escalation)
        return made.conflict, made.escalation

    conflict, number = place.write(ask)
    place.later(HOUR)
    place.sweep()
    place.answer(number, "gtm")
    place.answer(number, "technical")

    found = place.read(lambda r: reads_governance.conflict(r, conflict))
    assert found is not None
    assert (found.winner, found.provenance, found.decided_by) == ("gtm", "human", "ada")
    assert [a.late for a in place.answers(number)] == [True, True]


@pytest.mark.parametrize("given", [{"provenance": "guess"}, {"provenance": "rule", "by": " "}])
def test_every_resolution_says_who_or_what_decided(place: Place, given: dict[str, str]) -> None:
    number = place.ask()

    with pytest.raises(ValueError, match="by somebody"):
        place.answer(number, **given)

    assert place.state(number) == "open"


def test_a_late_answer_to_what_was_withdrawn_settles_nothing(place: Place) -> None:
    decision, number = place.write(lambda tx: escalated_decision(tx, "A?"))
    place.write(lambda tx: escalations.withdraw(tx, number, why="the work was cancelled"))

    place.answer(number, "approve")

    assert [answer.late for answer in place.answers(number)] == [True]
    assert chosen(place, decision) == (None, None, None)


def test_who_answers_after_the_time_has_is_kept_as_late_and_may_still_end_the_work(place: Place) -> None:
    work = place.write(lambda tx: work_items.create(tx, title="x"))
    number = place.ask(1, work_item=work, expires_within_ms=HOUR, on_expiry="go")
    other = place.ask(2, work_item=work)
    place.later(HOUR)
    place.sweep()
    assert place.answers(number)[0].provenance == "timeout"

    place.answer(number, "stop")

    late = place.answers(number)[1]
    assert (late.option, late.by, late.late) == ("stop", "ada", True)
    facts = place.read(lambda r: reads.work_item_facts(r, work))
    assert facts is not None
    assert (facts.cancelled_at, place.state(other)) == (START + HOUR, "withdrawn")
    with pytest.raises(UsageError, match="already answered"):
        place.answer(number, "go")
