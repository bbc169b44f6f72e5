"""`apm audit why`: why something was allowed, with the authority as it stood then."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from core.contract import Json
from core.governance import authority, disputes, escalations, reversal
from core.governance.conflicts import ConflictRules, Dispute, raise_conflict
from core.governance.decisions import Choice, DecisionOutcome
from core.governance.escalations import Option, Question, raise_question
from core.governance.scope.review import review
from core.registry.catalog import default_path, load
from core.store.schema import Decision
from core.store.store import Store
from core.store.transaction import Transaction
from core.store.writer import milliseconds_now
from tests.fresh import copied, fresh_workspace
from tests.unit.command_line import CommandLine
from tests.unit.scope_place import KIND, Place, approve


def decide(line: CommandLine) -> int:
    words = ("--agent", "technical", "--kind", KIND, "--context", '{"size": "small"}')
    return int(line("decide", *words, "--json").json["decision"])


def _with_an_authority(folder: Path) -> None:
    """A workspace in which an authority was earned, reviewed for bob and approved by ada."""
    now = milliseconds_now()
    with Store.open(fresh_workspace(folder) / "state", clock=lambda: now, synchronous="off") as store:
        place = Place(store, [now])
        place.answered(25)
        place.write(lambda tx: review(tx, by="bob"))
        approve(place, 1, reason="a clean record")


@pytest.fixture
def line(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(copied(_with_an_authority, tmp_path / "ws"), capsys, monkeypatch)


def test_a_decision_tells_the_rule_the_grant_its_review_and_who_approved_it(line: CommandLine) -> None:
    number = decide(line)

    ended = line("audit", "why", str(number), "--json")

    told = ended.json
    assert ended.code == 0
    assert told["verdict"] == (
        f"technical decided {KIND} on its own authority, which ada granted on scope proposal 1 "
        f"(grant {told['authority']['grant']['id']})."
    )
    assert told["rule"] == f"authority: technical decides {KIND}"
    assert (told["authority"]["mode"], told["authority"]["grant"]["by"]) == ("autonomous", "ada")
    proposal, review = told["authority"]["proposal"], told["authority"]["review"]
    assert (proposal["n"], proposal["accepted"], proposal["decided_by"]) == (25, 25, "ada")
    assert (review["id"], review["requested_by"]) == (1, "bob")
    assert told["context"]["size"] == "small"
    assert told["agent"]["role"] == "technical"
    assert told["journal"]["whole"] is True
    assert [(e["kind"], e["about"][0]) for e in told["events"]][-1] == ("decision.decided", f"decision {number}")
    assert {"scope.reviewed", "scope.approved", "authority.granted"} <= {e["kind"] for e in told["events"]}
    assert told["since"] == []


def test_it_is_told_as_it_stood_that_day_whatever_was_changed_since(line: CommandLine) -> None:
    number = decide(line)
    before: Json = line("audit", "why", str(number), "--json").json
    line("scope", "undo", "1", "--by", "eve", "--reason", "too early")
    line.write(lambda tx: reversal.reverse(tx, number, by="eve", reason="it was wrong"))

    after = line("audit", "why", str(number), "--json").json

    changed = after.pop("since")
    assert after | {"journal": None} == {k: v for k, v in before.items() if k != "since"} | {"journal": None}
    told = " | ".join(change["what"] for change in changed)
    assert "eve granted escalate" in told
    assert "eve took the word on scope proposal 1 back" in told
    assert "eve took the decision back: it was wrong" in told


def test_todays_tables_have_no_say(line: CommandLine) -> None:
    number = decide(line)
    before = line("audit", "why", str(number), "--json").json
    with closing(sqlite3.connect(line.folder / "state" / "apm.db")) as other, other:
        other.execute("UPDATE authority SET by = 'mallory', mode = 'escalate'")
        other.execute("UPDATE decisions SET rule = 'none', choice = 'x'")

    assert line("audit", "why", str(number), "--json").json == before


def permission() -> Question:
    return Question(
        kind="permission",
        subject={"command": "make deploy"},
        question="May code-implementer run `make deploy`?",
        urgency="IMMEDIATE",
        options=(Option("allow", "Allow", "It runs once."), Option("deny", "Deny", "It does not run.")),
        recommended="deny",
        chain=("code-implementer",),
        details={"command": "make deploy"},
    )


def test_a_permission_tells_who_said_yes_to_what(line: CommandLine) -> None:
    number = line.write(lambda tx: raise_question(tx, permission()))
    waiting = line("audit", "why", f"escalation:{number}", "--json").json
    line.write(lambda tx: escalations.resolve(tx, number, option="allow", by="ada", reason="it is the staging server"))

    told = line("audit", "why", f"escalation:{number}", "--json").json
    by_answer = line("audit", "why", f"answer:{told['answer']['id']}", "--json").json

    assert (waiting["allowed"], waiting["verdict"]) == (
        None,
        f"Nothing is allowed yet: it waits for escalation {number}.",
    )
    assert told["verdict"] == f"ada answered 'allow' to escalation {number}."
    assert (told["answer"]["reason"], told["answer"]["of_what_was_shown"]) == ("it is the staging server", True)
    assert told["context"] == {"command": "make deploy"}
    assert [e["kind"] for e in told["events"]] == ["escalation.raised", "escalation.resolved"]
    assert by_answer | {"subject": "", "id": 0} == told | {"subject": "", "id": 0}


def test_what_it_rested_on_is_told_to_a_person_as_an_outline(line: CommandLine) -> None:
    details = {
        "agents": {"ac-writer": {"missing": ["risks: none"], "suggestion": "Name one."}},
        "criteria": [{"name": "risks", "passed": False}, {"name": "tests", "passed": True}],
        "findings": [],
        "rule": "gate",
    }
    number = line.write(lambda tx: raise_question(tx, replace(permission(), details=details)))

    told = line("audit", "why", f"escalation:{number}").out

    assert [text[12:] for text in told[told.index("context") :].splitlines()[:10]] == [
        "agents:",
        "  ac-writer:",
        "    missing:",
        "      - risks: none",
        "    suggestion: Name one.",
        "criteria:",
        "  - name: risks",
        "    passed: no",
        "  - name: tests",
        "    passed: yes",
    ]
    assert "findings" not in told
    assert "{" not in told


def test_an_answer_that_was_taken_back_says_so(line: CommandLine) -> None:
    number = line.write(lambda tx: raise_question(tx, permission()))
    line.write(lambda tx: escalations.resolve(tx, number, option="allow", by="ada", reason="yes"))
    line("escalation", "undo", str(number), "--by", "eve", "--reason", "no")

    told = line("audit", "why", f"escalation:{number}", "--json").json

    assert "eve took the answer back: no" in [change["what"] for change in told["since"]]


def test_a_decision_that_a_conflict_settled_tells_which_and_by_what_rule(line: CommandLine) -> None:
    number = decide(line)

    def differ(tx: Transaction) -> None:
        dispute = Dispute(("technical", "ux"), "performance of the list", 5)
        made = raise_conflict(tx, dispute, ConflictRules.of(load(default_path())))
        tx.update(Decision, number, conflict=made.conflict)
        tx.event("decision.disputed", conflict=made.conflict, decisions=[number])

    line.write(differ)
    told = line("audit", "why", str(number), "--json").json

    assert told["verdict"] == "technical won conflict 1, by technical-wins-performance."
    assert (told["conflict"]["first"], told["conflict"]["rule"]) == ("technical", "technical-wins-performance")
    assert "conflict 1" in [name for event in told["events"] for name in event["about"]]


def test_in_words(line: CommandLine) -> None:
    number = decide(line)
    line("scope", "undo", "1", "--by", "eve", "--reason", "too early")

    ended = line("audit", "why", str(number))

    assert ended.code == 0
    assert "on its own authority, which ada granted on scope proposal 1" in ended.out
    assert "25 of 25 accepted, lower bound 0.87; approved by ada: a clean record" in ended.out
    assert "eve granted escalate" in ended.out
    assert "✓ whole" in ended.out


def test_a_journal_that_is_not_whole_proves_nothing(line: CommandLine) -> None:
    number = decide(line)
    with closing(sqlite3.connect(line.folder / "state" / "apm.db")) as other, other:
        other.execute("UPDATE events SET payload = replace(payload, 'ada', 'eve')")

    ended = line("audit", "why", str(number))

    assert ended.code == 1
    assert "proves nothing" in ended.out


@pytest.mark.parametrize(
    ("what", "said"), [("999", "no decision 999"), ("answer:999", "no answer 999"), ("x", "is no ID")]
)
def test_what_is_not_there_is_said(line: CommandLine, what: str, said: str) -> None:
    ended = line("audit", "why", what)

    assert ended.code == 2
    assert said in ended.err


def test_an_answer_that_a_conflict_came_after_is_told_as_what_it_no_longer_settles(line: CommandLine) -> None:
    rules = ConflictRules.of(load(default_path()))
    options = ({"key": "A", "label": "A"}, {"key": "B", "label": "B"})

    def decided(agent: str, kind: str, recommended: str) -> DecisionOutcome:
        choice = Choice(agent, kind, f"{agent}?", 5, options=options, recommended=recommended, topic="cache")
        made: DecisionOutcome = line.write(lambda tx: disputes.decide(tx, choice, rules))
        return made

    def verdict_on(subject: object) -> str:
        return str(line("audit", "why", str(subject), "--json").json["verdict"])

    first = decided("technical", "naming", "A")
    line.write(lambda tx: escalations.resolve(tx, first.escalation or 0, option="A", by="ada", reason="it is quick"))
    by_ada = f"ada answered 'A' to escalation {first.escalation}."
    assert verdict_on(first.decision) == by_ada
    kinds = line.write(lambda tx: authority.kinds(tx, "ux"))
    decided("ux", next(k.key for k in kinds if k.mode == "autonomous"), "B")
    assert verdict_on(first.decision) == "Nothing is allowed yet: it waits for a conflict."

    [(asked,)] = line.write(lambda tx: tx.sql("SELECT escalation FROM conflicts"))
    line.write(lambda tx: escalations.resolve(tx, asked, option="ux", by="bob", reason="it is calm"))
    told = line("audit", "why", str(first.decision), "--json").json
    assert (told["verdict"], told["events"][-1]["kind"]) == ("ux won conflict 1, by bob.", "conflict.settled")
    since = line("audit", "why", f"escalation:{first.escalation}", "--json").json["since"]
    assert verdict_on(f"escalation:{first.escalation}") == by_ada
    assert "became a side of conflict 1" in since[0]["what"]
    refused = line("escalation", "undo", str(first.escalation), "--by", "ada", "--reason", "no")
    assert (refused.code, "has been a side of conflict 1 since" in refused.err) == (2, True)
