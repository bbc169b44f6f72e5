"""Taking an answer back: the question waits again, with all that its answer had settled, or it is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.contract import UsageError
from core.governance import authority, escalations, life, reversal
from core.governance.conflicts import ConflictRules, Dispute, raise_conflict
from core.governance.decisions import Choice, make_decision
from core.governance.escalations import Option
from core.governance.settling import DETAIL, FOLLOW, KEEP
from core.governance.team import import_catalog
from core.orchestration import work_items
from core.registry.catalog import default_path, load
from core.store import reads, reads_governance
from core.store.schema import DecisionKind, Delegation, Escalation, GateResult, PhaseRun
from core.store.transaction import Transaction
from tests.unit.escalation_place import DAY, HOUR, START, Place

KIND = "external_service"
"""Of `technical`: for a person as the team comes with apm, and reversible."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path)
    yield found
    found.store.close()


def item(place: Place) -> int:
    return place.write(lambda tx: work_items.create(tx, title="x"))


def undo(place: Place, number: int, reason: str = "too early") -> None:
    place.write(lambda tx: life.undo(tx, number, by="grace", reason=reason))


def decided(place: Place, number: int) -> tuple[str | None, str | None, int | None]:
    found = place.read(lambda r: reads_governance.decision(r, number))
    assert found is not None
    return found.choice, found.decided_by, found.decided_at


def ask_decision(place: Place, question: str = "A?") -> tuple[int, int]:
    made = place.write(lambda tx: make_decision(tx, Choice("technical", "naming", question, 3)))
    assert made.escalation is not None
    return made.decision, made.escalation


def test_the_question_waits_again_with_a_fresh_due_time(place: Place) -> None:
    number = place.ask()
    place.later(DAY + HOUR)
    place.sweep()
    place.later(HOUR)
    place.sweep()
    place.answer(number)
    place.later(DAY)

    undo(place, number)

    row = place.row(number)
    assert (place.state(number), row.due_at, row.next_at) == ("open", place.clock.now + HOUR, place.clock.now + HOUR)
    assert (row.reminders, row.reminded_at) == (0, None)


def test_the_answer_stays_on_the_record_with_who_took_it_back_and_why(place: Place) -> None:
    number = place.ask()
    place.answer(number)
    place.later(HOUR)

    undo(place, number, "too\nearly\x1b[2J")

    given = place.answers(number)[0]
    assert (given.undone_by, given.undo_reason, given.undone_at) == ("grace", "too early", START + HOUR)
    assert place.events(number)[-1][0] == "undone"


def test_it_takes_another_answer_and_that_one_can_be_taken_back_too(place: Place) -> None:
    number = place.ask()
    for option in ("go", "wait"):
        place.answer(number, option)
        undo(place, number)

    assert [(a.option, a.undone_at is None) for a in place.answers(number)] == [("go", False), ("wait", False)]
    assert place.state(number) == "open"


def test_what_has_no_answer_has_none_to_take_back(place: Place) -> None:
    number = place.ask()
    with pytest.raises(UsageError, match="no answer to take back"):
        undo(place, number)

    place.answer(number)
    undo(place, number)
    with pytest.raises(UsageError, match="no answer to take back"):
        undo(place, number)


def test_a_time_outs_answer_that_is_taken_back_is_not_given_again_at_once(place: Place) -> None:
    number = place.ask(expires_within_ms=2 * HOUR, on_expiry="wait")
    place.later(3 * HOUR)
    place.sweep()
    undo(place, number)
    place.sweep()

    assert place.state(number) == "open"
    assert place.row(number).expires_at == place.clock.now + 2 * HOUR


def test_the_decision_waits_again(place: Place) -> None:
    decision, number = ask_decision(place)
    place.answer(number, "approve")
    undo(place, number)

    assert decided(place, decision) == (None, None, None)


def test_an_answer_whose_decision_was_reversed_since_stays(place: Place) -> None:
    decision, number = ask_decision(place)

    def time_out(tx: Transaction) -> None:
        tx.update(Escalation, number, details='{"on_expiry": "approve"}', expires_at=tx.now, next_at=tx.now)
        tx.event("escalation.rescheduled", escalation=number)

    place.write(time_out)
    place.sweep()
    place.write(lambda tx: reversal.reverse(tx, decision, by="ada", reason="no"))

    with pytest.raises(UsageError, match=f"decision {decision}, which it settled, was reversed by ada"):
        undo(place, number)

    assert place.state(number) == "resolved"


def test_all_that_was_answered_together_is_taken_back_together(place: Place) -> None:
    (first, asked), (second, other) = ask_decision(place, "A?"), ask_decision(place, "B?")
    place.write(lambda tx: life.merge(tx, [other], into=asked, by="ada"))
    place.answer(asked, "approve")

    with pytest.raises(UsageError, match=f"answered with {asked}; undo that one"):
        undo(place, other)
    undo(place, asked)

    assert [place.state(n) for n in (asked, other)] == ["open", "merged"]
    assert [decided(place, d)[0] for d in (first, second)] == [None, None]
    place.answer(asked, "reject")
    assert [decided(place, d)[0] for d in (first, second)] == ["reject", "reject"]


def test_the_conflict_waits_again(place: Place) -> None:
    rules = ConflictRules.of(load(default_path()))
    made = place.write(lambda tx: raise_conflict(tx, Dispute(("technical", "gtm"), "the colour", 3), rules))
    assert made.escalation is not None
    place.answer(made.escalation, "gtm")
    undo(place, made.escalation)

    found = place.read(lambda r: reads_governance.conflict(r, made.conflict))
    assert found is not None
    assert (found.winner, found.resolved_at, found.decided_by) == (None, None, None)


def asked_about_files(place: Place, says: str) -> int:
    """A person made the kind autonomous, and the files say otherwise."""
    place.write(lambda tx: import_catalog(tx, load(default_path())))
    grant = place.write(lambda tx: authority.grant(tx, "technical", KIND, "autonomous", by="ada", reason="earned"))
    about = {"agent": "technical", "kind": KIND, "grant": grant, "granted": "autonomous", "says": says}
    options = (Option(KEEP, "Keep", "It stays."), Option(FOLLOW, "Follow", "It escalates."))
    return place.ask(kind="scope", options=options, recommended=KEEP, details={DETAIL: {**about, "mode": "escalate"}})


def mode(place: Place) -> tuple[str | None, bool]:
    """The mode in force, and whether the agent's lists name the kind."""
    found = place.read(lambda r: authority.in_force(r, "technical", KIND))
    where = (DecisionKind.agent == "technical") & (DecisionKind.key == KIND)
    listed = place.read(lambda r: r.one(DecisionKind.select(DecisionKind.is_active).where(where)))
    assert listed is not None
    return found.mode if found else None, bool(listed[0])


@pytest.mark.parametrize("says", ["escalate", "absent"])
def test_the_authority_that_the_files_took_is_given_again(place: Place, says: str) -> None:
    number = asked_about_files(place, says)
    place.answer(number, FOLLOW)
    followed = mode(place)

    undo(place, number)

    assert followed == ("escalate", says != "absent")
    assert mode(place) == ("autonomous", True)
    assert place.state(number) == "open"


@pytest.mark.parametrize("mode", ["autonomous", "escalate"])
def test_an_authority_that_was_granted_anew_since_is_left_alone(place: Place, mode: authority.Mode) -> None:
    number = asked_about_files(place, "escalate")
    place.answer(number, FOLLOW)
    place.later(HOUR)
    place.write(lambda tx: authority.grant(tx, "technical", KIND, mode, by="bob", reason="again"))

    with pytest.raises(UsageError, match="granted anew"):
        undo(place, number)

    assert place.state(number) == "resolved"


def test_the_work_item_that_it_ended_goes_on_and_its_questions_are_open_again(place: Place) -> None:
    work = item(place)
    number, other, before = (place.ask(n, work_item=work) for n in (1, 2, 3))
    place.answer(before)
    place.later(HOUR)
    place.answer(number, "stop")

    undo(place, number)

    facts = place.read(lambda r: reads.work_item_facts(r, work))
    assert facts is not None
    assert facts.cancelled_at is None
    assert [place.state(n) for n in (number, other, before)] == ["open", "open", "resolved"]
    assert place.row(other).next_at == START + DAY


def test_a_work_item_that_somebody_else_cancelled_stays_cancelled(place: Place) -> None:
    work = item(place)
    number = place.ask(work_item=work)
    place.answer(number)
    place.later(HOUR)
    place.write(lambda tx: work_items.cancel(tx, work, "ada"))

    undo(place, number)

    facts = place.read(lambda r: reads.work_item_facts(r, work))
    assert facts is not None
    assert facts.cancelled_at == START + HOUR


def test_an_answer_to_what_is_asked_again_stays(place: Place) -> None:
    first = place.ask()
    place.answer(first)
    second = place.ask()

    with pytest.raises(UsageError, match=f"asked again as escalation {second}"):
        undo(place, first)


def run(place: Place, work: int, phase: str) -> None:
    def begin(tx: Transaction) -> None:
        tx.insert(PhaseRun, work_item=work, phase=phase, round=1, input_digest="d", started_at=tx.now)
        tx.event("phase.started", work_item=work)

    place.write(begin)


def delegate(place: Place, work: int, phase: str, subject: str) -> None:
    facts: dict[str, Any] = {"agent": "coder", "status": "success", "runtime": "offline", "request_digest": "d"}
    facts |= {"milliseconds": 1, "event": 1, "round": 1}

    def record(tx: Transaction) -> None:
        tx.insert(Delegation, work_item=work, phase=phase, subject=subject, at=tx.now, **facts)
        tx.event("delegation.recorded", work_item=work)

    place.write(record)


def answered(place: Place, work: int, phase: str, blocks: str) -> int:
    number = place.ask(work_item=work, phase=phase, blocks=blocks)
    place.answer(number)
    place.later(HOUR)
    return number


@pytest.mark.parametrize("phase", ["I1", "O1"])
def test_an_answer_that_a_phase_has_gone_on_from_stays(place: Place, phase: str) -> None:
    work = item(place)
    number = answered(place, work, "D1", "I1")
    run(place, work, phase)

    with pytest.raises(UsageError, match=f"work has gone on.*{phase} began its round 1"):
        undo(place, number)

    assert place.state(number) == "resolved"


def test_an_answer_that_an_agent_has_worked_on_from_stays(place: Place) -> None:
    work = item(place)
    number = answered(place, work, "I1", "T1")
    delegate(place, work, "I1", "T1")

    with pytest.raises(UsageError, match="coder has worked in I1"):
        undo(place, number)


def test_work_on_what_did_not_wait_for_it_is_no_hindrance(place: Place) -> None:
    work = item(place)
    number = answered(place, work, "I1", "T1")
    delegate(place, work, "I1", "T2")
    run(place, work, "D1")

    undo(place, number)

    assert place.state(number) == "open"


def test_a_question_about_work_that_was_ended_since_asks_nobody(place: Place) -> None:
    work = item(place)
    number = place.ask(work_item=work)
    place.answer(number)
    place.write(lambda tx: work_items.cancel(tx, work, "ada"))

    undo(place, number)

    assert place.state(number) == "withdrawn"


def test_it_is_seen_again_although_it_was_put_away_when_it_was_answered(place: Place) -> None:
    number = place.ask()
    place.write(lambda tx: life.snooze(tx, number, until=tx.now + 100 * HOUR, by="ada"))
    place.write(lambda tx: life.acknowledge(tx, number, by="ada", minutes=6000))
    place.answer(number)

    undo(place, number)

    assert place.state(number) == "open"


def test_work_after_the_answer_counts_by_a_clock_that_was_put_back_too(place: Place) -> None:
    work = item(place)
    number = answered(place, work, "I1", "I1")
    place.later(-48 * HOUR)
    delegate(place, work, "I1", "T1")

    with pytest.raises(UsageError, match="work has gone on"):
        undo(place, number)


def test_work_before_the_answer_is_no_hindrance_in_the_same_millisecond(place: Place) -> None:
    work = item(place)
    delegate(place, work, "I1", "T1")
    run(place, work, "I1")
    number = place.ask(work_item=work, phase="I1", blocks="I1")
    place.answer(number)

    undo(place, number)

    assert place.state(number) == "open"


def test_a_gate_that_has_judged_since_holds_the_answer(place: Place) -> None:
    work = item(place)
    number = answered(place, work, "I1", "I1")
    verdict: dict[str, Any] = {
        "passed": False,
        "criteria": "[]",
        "missing": "[]",
        "suggested_action": "",
        "judged": "{}",
    }

    def judge(tx: Transaction) -> None:
        tx.insert(GateResult, work_item=work, phase="I1", round=1, at=tx.now, **verdict)
        tx.event("gate.judged", work_item=work)

    place.write(judge)

    with pytest.raises(UsageError, match="the gate of I1 has judged"):
        undo(place, number)


def test_only_the_questions_that_the_answer_closed_are_open_again(place: Place) -> None:
    work = item(place)
    moot = place.ask(work_item=work, subject={"n": 2})
    place.write(lambda tx: escalations.withdraw(tx, moot, why="it was answered by the code"))
    number, closed = place.ask(work_item=work), place.ask(work_item=work, subject={"n": 3})
    place.answer(number, "stop", reason="not now")

    undo(place, number)

    assert (place.state(moot), place.state(closed)) == ("withdrawn", "open")
