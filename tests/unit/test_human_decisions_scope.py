"""Scope proposals and decisions in a document of a person: approved, rejected, asked about, taken back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.store import reads_governance
from core.store.store import Store
from tests.fresh import fresh_workspace
from tests.unit.decisions_desk import NEVER, Clock, Desk, grant


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    clock = Clock()
    with Store.open(fresh_workspace(tmp_path / "ws") / "state", clock=clock) as store:
        yield Desk(store, clock)


def test_a_scope_proposal_is_approved_and_in_force_at_once(desk: Desk) -> None:
    number = desk.contraction("db_schema")
    applied = desk.apply({"scope_proposal": number, "option": "approve", "reason": "twice now"})
    assert applied.lines == (f"scope proposal {number} (contraction of db_schema for technical): approved",)
    assert applied.agents == ("technical",)
    assert desk.mode("db_schema") == "escalate"


@pytest.mark.parametrize(("option", "past"), [("reject", "rejected"), ("clarify", "sent back with a question")])
def test_a_scope_proposal_is_rejected_or_asked_about(desk: Desk, option: str, past: str) -> None:
    number = desk.contraction("db_schema")
    applied = desk.apply({"scope_proposal": number, "option": option, "reason": "one slip in a year?"})
    assert applied.lines[0].endswith(past)
    assert applied.agents == ()
    assert desk.mode("db_schema") == "autonomous"


def test_a_decision_is_taken_back(desk: Desk) -> None:
    number = desk.decide("db_schema")
    applied = desk.apply({"reversal": number, "reason": "it broke the build", "choice": "reject"})
    row = desk.store.read_now(lambda r: reads_governance.decision(r, number))
    assert row is not None
    assert (row.reverted_by, row.revert_reason) == ("ada", "it broke the build")
    assert applied.lines == (f"decision {number}: taken back by decision {number + 1}",)


def test_a_decision_is_taken_back_once_in_a_document(desk: Desk) -> None:
    entry = {"reversal": desk.decide("db_schema"), "reason": "it broke the build"}
    assert "decisions[0] decides this too" in desk.refused(entry, entry)[0]


def test_a_grant_and_an_approval_over_the_same_kind_contradict_each_other(desk: Desk) -> None:
    number = desk.contraction("db_schema")
    problems = desk.refused(
        {"scope_proposal": number, "option": "approve", "reason": "twice now"}, grant("db_schema", "autonomous")
    )
    assert problems == [
        "decisions[1]: technical's authority over db_schema: decisions[0] decides this too; keep one of them"
    ]


def test_a_proposal_that_is_unknown_or_decided_or_not_what_was_shown_is_refused(desk: Desk) -> None:
    decided = desk.propose("architecture", decided_at=1, decided_by="bob", decision="rejected")
    changed = desk.contraction("db_schema")
    problems = desk.refused(
        {"scope_proposal": 9_999, "option": "approve"},
        {"scope_proposal": decided, "option": "approve"},
        {"scope_proposal": changed, "option": "approve", "reason": "x", "digest": "cd" * 32},
    )
    assert [problem.partition(":")[0] for problem in problems] == ["decisions[0]", "decisions[1]", "decisions[2]"]
    assert "There is no scope proposal 9999" in problems[0]
    assert "is rejected already by bob" in problems[1]
    assert "is not what was shown" in problems[2]


@pytest.mark.parametrize("recommendation", ["reject", "clarify"])
def test_an_approval_against_the_recommendation_needs_a_reason(desk: Desk, recommendation: str) -> None:
    number = desk.propose("architecture", recommendation=recommendation)
    assert desk.refused({"scope_proposal": number, "option": "approve"}) == [
        f"decisions[0]: scope proposal {number}: {recommendation!r} is what is recommended, so an approval"
        " needs a reason"
    ]


@pytest.mark.parametrize("option", ["reject", "clarify"])
def test_a_rejection_and_a_question_need_words_in_any_case(desk: Desk, option: str) -> None:
    number = desk.propose("architecture", recommendation=option)
    assert "needs a reason" in desk.refused({"scope_proposal": number, "option": option})[0]


def test_an_expansion_beyond_a_ceiling_is_refused_whatever_was_proposed(desk: Desk) -> None:
    number = desk.propose(NEVER)
    assert "security has a ceiling" in desk.refused({"scope_proposal": number, "option": "approve"})[0]
