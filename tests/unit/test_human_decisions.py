"""Decisions as one document: checked against the workspace as a whole, applied all or nothing, and only once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.governance import authority, human_decisions, life
from core.governance.escalations import Question, raise_question
from core.governance.human_decisions import AlreadyApplied, DecisionsRejected
from core.orchestration import work_items
from core.store import reads, reads_escalations
from core.store.schema import InboxFile
from core.store.store import Store
from core.store.transaction import Transaction
from tests.fresh import fresh_workspace
from tests.unit.decisions_desk import NEVER, NO, YES, Clock, Desk, answer, grant


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    clock = Clock()
    with Store.open(fresh_workspace(tmp_path / "ws") / "state", clock=clock) as store:
        yield Desk(store, clock)


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
    assert "is already answered ('Yes' by ada)" in desk.refused(answer(asked, "no", reason="x"))[0]


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
