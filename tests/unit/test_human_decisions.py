"""Decisions as one document: checked against the workspace as a whole, applied all or nothing, and only once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.contract import Json
from core.governance import authority, human_decisions, life, reversal
from core.governance.decisions import Choice, make_decision
from core.governance.escalations import Option, Question, raise_question
from core.governance.human_decisions import AlreadyApplied, Applied, DecisionsRejected
from core.orchestration import work_items
from core.store import reads, reads_escalations, reads_governance, rows
from core.store.schema import InboxFile, ScopeProposal
from core.store.store import Store
from core.store.writer import Transaction
from tests.fresh import fresh_workspace

YES, NO, SAY = Option("yes", "Yes", "It goes on."), Option("no", "No", "It stays."), Option("say", "Say", "It is told.")
STOP = Option("stop", "Stop", "It ends.", ends=True)
NEVER = "security"
"""A kind of the technical agent's that has a ceiling."""


@dataclass
class Clock:
    now: int = 1_800_000_000_000

    def __call__(self) -> int:
        return self.now


@dataclass
class Desk:
    """A workspace's database, what is asked there, and the documents that are handed in."""

    store: Store
    clock: Clock

    def write(self, work: Callable[[Transaction], Any]) -> Any:
        return self.store.write_now(work)

    def ask(self, subject: Any, *, work_item: int | None = None, asks: Json | None = None) -> int:
        options = (YES, NO, Option("supply", "Supply it", "It goes on.", asks=asks or {"value": "text"}), STOP)
        asked = Question("gate", {"n": subject}, f"Well, {subject}?", "DAILY", options, "yes", ("ux",), work_item)
        return int(self.write(lambda tx: raise_question(tx, asked)))

    def request(self, title: str) -> int:
        return int(self.write(lambda tx: work_items.create(tx, title=title, type="feature")))

    def decide(self, kind: str, question: str = "Which?") -> int:
        """A decision of the technical agent's, by its authority."""
        choice = Choice("technical", kind, question, 5)
        outcome = self.write(lambda tx: make_decision(tx, choice))
        assert outcome.outcome == "decided"
        return int(outcome.decision)

    def contraction(self, kind: str) -> int:
        """A proposal to take an authority back, as a person's reversal makes one."""
        taken_back = self.decide(kind)
        self.write(lambda tx: reversal.reverse(tx, taken_back, by="bob", reason="it broke the build"))
        (found,) = self.store.read_now(lambda r: reads_governance.scope_proposals(r, undecided_only=True))
        assert (found.change, found.kind) == ("contraction", kind)
        return found.id

    def propose(self, kind: str, change: str = "expansion", recommendation: str = "approve", **more: Any) -> int:
        facts: Json = {"agent": "technical", "n": 30, "accepted": 30, "risk": "low", "payload_digest": "ab" * 32}

        def work(tx: Transaction) -> int:
            row = {**facts, "kind": kind, "change": change, "recommendation": recommendation, "at": tx.now, **more}
            number = tx.insert(ScopeProposal, **row)
            tx.event("scope.proposed", proposal=number)
            return number

        return int(self.write(work))

    def apply(self, *entries: Json, by: str = "ada", source: str = "monday.json") -> Applied:
        document = human_decisions.parse(json.dumps({"decided_by": by, "decisions": list(entries)}))
        applied: Applied = self.write(lambda tx: human_decisions.apply(tx, document, source=source))
        return applied

    def refused(self, *entries: Json, by: str = "ada") -> list[str]:
        """The problems of a document that is refused; that it changed nothing is checked here."""
        before = self.everything()
        with pytest.raises(DecisionsRejected) as refused:
            self.apply(*entries, by=by)
        assert self.everything() == before
        return [str(problem) for problem in refused.value.problems]

    def everything(self) -> list[Any]:
        """All that the journal carries: whatever changes the workspace leaves an event."""
        return [self.store.read_now(lambda r: r.sql("SELECT seq, mac FROM chain_head")), len(self.events())]

    def events(self) -> tuple[rows.EventRow, ...]:
        return self.store.read_now(lambda r: reads.events(r, limit=100_000))

    def escalation(self, number: int) -> rows.EscalationRow:
        found = self.store.read_now(lambda r: reads.escalation(r, number))
        assert found is not None
        return found

    def mode(self, kind: str, agent: str = "technical") -> str:
        found = self.store.read_now(lambda r: authority.in_force(r, agent, kind))
        assert found is not None
        return found.mode


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    clock = Clock()
    with Store.open(fresh_workspace(tmp_path / "ws") / "state", clock=clock) as store:
        yield Desk(store, clock)


def answer(number: int, option: str = "yes", **more: Any) -> Json:
    return {"escalation": number, "option": option, **more}


def grant(kind: str, mode: str, *, agent: str = "technical", reason: str = "so it is") -> Json:
    return {"authority": {"agent": agent, "kind": kind, "mode": mode}, "reason": reason}


def test_every_entry_is_applied_and_said(desk: Desk) -> None:
    first, second = desk.ask(1), desk.ask(2)
    applied = desk.apply(
        answer(first),
        answer(second, "supply", reason="it was missing", answer={"value": "42"}),
        grant("db_schema", "escalate"),
    )
    assert applied.lines == (
        f"escalation {first}: answered 'yes'",
        f"escalation {second}: answered 'supply'",
        "technical's authority over db_schema: escalate",
    )
    given = desk.store.read_now(lambda r: reads_escalations.answers(r, second))
    assert [(a.option, a.answer, a.reason, a.by, a.provenance) for a in given] == [
        ("supply", {"value": "42"}, "it was missing", "ada", "human")
    ]
    assert desk.mode("db_schema") == "escalate"
    assert applied.agents == ("technical",)


def test_one_event_says_which_file_was_applied_by_whom_and_what_it_held(desk: Desk) -> None:
    desk.apply(answer(desk.ask(1)), answer(desk.ask(2)), grant("db_schema", "escalate"))
    last = desk.events()[-1]
    assert last.kind == "inbox.applied"
    assert (last.payload["name"], last.payload["by"]) == ("monday.json", "ada")
    assert last.payload["counts"] == {"escalation": 2, "authority": 1}


def test_a_document_with_one_illegal_entry_among_legal_ones_changes_nothing(desk: Desk) -> None:
    first, second, third = desk.ask(1), desk.ask(2), desk.ask(3)
    problems = desk.refused(answer(first), grant("db_schema", "escalate"), answer(second, "maybe"), answer(third))
    assert problems == [
        f"decisions[2]: Escalation {second} does not offer 'maybe'; its answers are yes, no, supply, stop."
    ]
    assert desk.escalation(first).resolved_at is None
    assert desk.mode("db_schema") == "autonomous"


def test_the_problems_of_all_entries_are_told_not_the_first_one(desk: Desk) -> None:
    asked = [desk.ask(n) for n in range(4)]
    problems = desk.refused(
        answer(9_999),
        answer(asked[0], "no"),
        answer(asked[1]),
        answer(asked[2], "supply", reason="x", answer={"valeu": "1"}),
        grant(NEVER, "autonomous"),
        grant("bikeshed", "escalate"),
        answer(asked[3], "supply", reason="x"),
    )
    told = dict(problem.split(": ", 1) for problem in problems)
    assert list(told) == [f"decisions[{index}]" for index in (0, 1, 3, 4, 5, 6)]
    assert "There is no escalation 9999" in told["decisions[0]"]
    assert "is not the recommended answer, so it needs a reason" in told["decisions[1]"]
    assert "'valeu' was not asked for" in told["decisions[3]"]
    assert "security has a ceiling" in told["decisions[4]"]
    assert "'bikeshed'" in told["decisions[5]"]
    assert "this answer needs values: value: a text" in told["decisions[6]"]


def test_a_question_that_is_answered_takes_no_second_answer(desk: Desk) -> None:
    asked = desk.ask(1)
    desk.apply(answer(asked))
    assert "is already answered ('yes' by ada)" in desk.refused(answer(asked, "no", reason="x"))[0]


def test_an_answer_to_a_question_that_was_withdrawn_is_kept_as_late(desk: Desk) -> None:
    item = desk.request("Export")
    asked = desk.ask(1, work_item=item)
    desk.write(lambda tx: work_items.cancel(tx, item, by="bob"))
    applied = desk.apply(answer(asked))
    assert applied.lines[0].endswith("kept as a late answer: the question was withdrawn before")
    assert [a.late for a in desk.store.read_now(lambda r: reads_escalations.answers(r, asked))] == [True]


@pytest.mark.parametrize("kind", [NEVER, "data_removal"])
def test_a_grant_above_a_ceiling_or_over_what_cannot_be_undone_is_refused(desk: Desk, kind: str) -> None:
    assert desk.refused(answer(desk.ask(1)), grant(kind, "autonomous"))[0].startswith("decisions[1]: technical's")
    assert desk.mode(kind) == "escalate"


def test_a_grant_above_a_ceiling_is_refused_before_it_is_tried(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authority, "grant", authority.record)
    assert "security has a ceiling" in desk.refused(grant(NEVER, "autonomous"))[0]


@pytest.mark.parametrize(
    ("agent", "kind", "told"),
    [
        ("technical", "db_shema", "did you mean 'db_schema'?"),
        ("technikal", "db_schema", "There is no domain agent 'technikal'"),
        ("ac-writer", "db_schema", "There is no domain agent 'ac-writer'"),
    ],
)
def test_a_grant_of_an_unknown_kind_or_agent_is_refused(desk: Desk, agent: str, kind: str, told: str) -> None:
    assert told in desk.refused(grant(kind, "escalate", agent=agent))[0]


@pytest.mark.parametrize("by", ["technical", "agents.yaml", "\u200b"])
def test_only_a_person_may_sign(desk: Desk, by: str) -> None:
    with pytest.raises(DecisionsRejected, match="decided_by"):
        desk.apply(answer(desk.ask(1)), by=by)


def test_two_answers_to_one_question_are_told_at_the_second(desk: Desk) -> None:
    asked = desk.ask(1)
    problems = desk.refused(answer(asked), answer(desk.ask(2)), answer(asked, "no", reason="x"))
    assert problems == [f"decisions[2]: escalation {asked}: decisions[0] decides this too; keep one of them"]


def test_the_same_entry_twice_is_refused_although_both_say_the_same(desk: Desk) -> None:
    twice = grant("db_schema", "escalate")
    assert "decisions[0] decides this too" in desk.refused(twice, twice)[0]


def test_an_answer_that_ends_a_work_item_contradicts_one_that_goes_on_with_it(desk: Desk) -> None:
    item, other = desk.request("Export"), desk.request("Import")
    going_on, ending = desk.ask(1, work_item=item), desk.ask(2, work_item=item)
    elsewhere = desk.ask(3, work_item=other)
    problems = desk.refused(answer(going_on), answer(elsewhere), answer(ending, "stop", reason="no need"))
    assert problems == [
        f"decisions[0]: escalation {going_on} is about work item {item}, which the answer of decisions[2] ends; "
        "keep one of them"
    ]


def test_an_answer_speaks_for_the_questions_that_were_merged_into_it_too(desk: Desk) -> None:
    item = desk.request("Export")
    leading, merged, going_on = desk.ask(1), desk.ask(2, work_item=item), desk.ask(3, work_item=item)
    desk.write(lambda tx: life.merge(tx, [merged], into=leading, by="bob"))
    problems = desk.refused(answer(leading, "stop", reason="no need"), answer(going_on))
    assert problems == [
        f"decisions[1]: escalation {going_on} is about work item {item}, which the answer of decisions[0] ends; "
        "keep one of them"
    ]


def test_an_answer_to_what_is_not_asked_any_more_is_refused_with_the_difference(desk: Desk) -> None:
    asked = desk.ask(1)
    shown = desk.escalation(asked).payload_digest
    options = (YES, NO)
    changed = Question("gate", {"n": 1}, "Well, really?", "DAILY", options, "yes", ("ux",))
    assert desk.write(lambda tx: raise_question(tx, changed)) == asked
    (problem,) = desk.refused(answer(asked, digest=shown))
    assert problem.startswith(f"decisions[0]: Escalation {asked} ")
    assert "Well, really?" in problem
    assert "Well, 1?" in problem
    assert desk.apply(answer(asked, digest=desk.escalation(asked).payload_digest)).lines


def test_two_answers_that_both_end_a_work_item_agree(desk: Desk) -> None:
    item = desk.request("Export")
    first, second = desk.ask(1, work_item=item), desk.ask(2, work_item=item)
    applied = desk.apply(answer(first, "stop", reason="no need"), answer(second, "stop", reason="no need"))
    assert "kept as a late answer" in applied.lines[1]
    facts = desk.store.read_now(lambda r: reads.work_item_facts(r, item))
    assert facts is not None
    assert facts.cancelled_at is not None


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


def test_a_document_that_was_applied_is_never_applied_again(desk: Desk) -> None:
    entry = grant("db_schema", "escalate")
    desk.apply(entry)
    desk.write(lambda tx: authority.grant(tx, "technical", "db_schema", "autonomous", by="bob", reason="back"))
    desk.clock.now += 86_400_000
    with pytest.raises(AlreadyApplied) as again:
        desk.apply(entry, source="copy.json")
    assert str(again.value) == (
        "copy.json was applied on 2027-01-15 08:00 UTC (as monday.json); nothing of it was done again"
    )
    assert desk.mode("db_schema") == "autonomous"


def test_a_document_that_was_refused_may_become_legal(desk: Desk) -> None:
    entry = answer(int(desk.ask(1)) + 1)
    document = human_decisions.parse(json.dumps({"decided_by": "ada", "decisions": [entry]}))
    problems = [human_decisions.EntryProblem(0, "unknown")]
    desk.write(
        lambda tx: human_decisions.record_rejection(tx, name="a.json", digest=document.digest, problems=problems)
    )
    desk.ask(2)
    assert desk.apply(entry).lines == (f"escalation {entry['escalation']}: answered 'yes'",)
    found = desk.store.read_now(lambda r: r.rows(InboxFile.select(InboxFile.name, InboxFile.outcome).tuples()))
    assert found == [("monday.json", "applied")]


def test_a_refusal_is_on_record_once_for_the_same_file_and_reasons(desk: Desk) -> None:
    def refuse(reason: str) -> Callable[[Transaction], None]:
        problems = [human_decisions.EntryProblem(3, reason)]
        return lambda tx: human_decisions.record_rejection(tx, name="a.json", digest="ab" * 32, problems=problems)

    for reason in ("unknown", "unknown", "another"):
        desk.write(refuse(reason))
    found = [e.payload for e in desk.events() if e.kind == "inbox.rejected"]
    assert [f["reasons"] for f in found] == [["decisions[3]: unknown"], ["decisions[3]: another"]]
    assert [f["count"] for f in found] == [1, 1]


def test_a_rehearsal_says_what_would_be_done_and_does_nothing(desk: Desk) -> None:
    asked = desk.ask(1)
    text = json.dumps({"decided_by": "ada", "decisions": [answer(asked)]})
    before = desk.everything()
    applied = human_decisions.rehearse(desk.store, human_decisions.parse(text), source="x.json")
    assert applied.lines == (f"escalation {asked}: answered 'yes'",)
    assert desk.everything() == before
    assert desk.apply(answer(asked)).lines == applied.lines


def test_the_reason_of_an_agent_s_lie_shows_safely(desk: Desk) -> None:
    asked = desk.ask(1)
    desk.apply(answer(asked, "no", reason="\x1b]52;c;eA==\x07no\u202e [red]never[/]"))
    given = desk.store.read_now(lambda r: reads_escalations.answers(r, asked))
    assert given[0].reason == "no [red]never[/]"
