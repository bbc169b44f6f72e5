"""`apm decisions`: a document is applied or refused as a whole, decisions are looked at and taken back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.contract import Json
from core.governance.escalations import Option, Question, raise_question
from tests.unit.command_line import CommandLine

YES, NO = Option("yes", "Yes", "It goes on."), Option("no", "No", "It stays.")


@pytest.fixture
def line(line: CommandLine) -> CommandLine:
    asked = Question("gate", {"n": 1}, "Go on?", "DAILY", (YES, NO), "yes", ("definition-orch",))
    line.write(lambda tx: raise_question(tx, asked))
    return line


def document(*entries: Json, by: str = "ada") -> str:
    return json.dumps({"decided_by": by, "decisions": list(entries)})


def grant(kind: str, mode: str = "escalate") -> Json:
    return {"authority": {"agent": "technical", "kind": kind, "mode": mode}, "reason": "too early"}


YES_TO_1: Json = {"escalation": 1, "option": "yes"}


def decide(line: CommandLine, kind: str = "api_endpoints", agent: str = "technical", *words: str) -> Json:
    found: Json = line("decide", "--agent", agent, "--kind", kind, *words, "--json").json
    return found


def mode_of(line: CommandLine, kind: str) -> Any:
    authority = line("agents", "show", "technical", "--json").json["authority"]
    return next(mode for mode, kinds in authority.items() if kind in [k["key"] for k in kinds])


def test_a_file_is_applied_and_each_entry_said(line: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "monday.json").write_text(document(YES_TO_1, grant("db_schema")), encoding="utf-8")
    ended = line("decisions", "apply", tmp_path / "monday.json")
    assert ended.code == 0
    assert ended.out.splitlines() == [
        "escalation 1: answered 'yes'",
        "technical's authority over db_schema: escalate",
        "2 decisions of ada applied.",
    ]
    assert line("escalation", "show", "1", "--json").json["resolution"]["by"] == "ada"
    assert mode_of(line, "db_schema") == "escalate"


def test_standard_input_is_applied_and_told_as_one_document(line: CommandLine) -> None:
    ended = line("decisions", "apply", "-", "--json", stdin=document(YES_TO_1))
    assert ended.code == 0
    assert ended.json == {
        "source": "standard input",
        "decided_by": "ada",
        "checked": False,
        "entries": [{"index": 0, "done": "escalation 1: answered 'yes'"}],
        "generated": {"written": [], "refused": [], "faults": []},
    }


def test_a_document_that_is_half_legal_is_refused_with_every_problem_by_index(line: CommandLine) -> None:
    text = document(YES_TO_1, grant("security", "autonomous"), grant("bikeshed"))
    ended = line("decisions", "apply", "-", stdin=text)
    assert ended.code == 2
    first, *problems = ended.err.splitlines()
    assert first == "apm: nothing was applied."
    assert [problem.partition(":")[0] for problem in problems] == ["decisions[1]", "decisions[2]"]
    assert "security has a ceiling" in problems[0]
    assert line("escalation", "show", "1", "--json").json["status"] == "open"

    as_json = line("decisions", "apply", "-", "--json", stdin=text)
    assert as_json.code == 2
    assert [p["index"] for p in as_json.json["problems"]] == [1, 2]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "the decisions are not JSON: line 1, column 2"),
        ("[]", "the document must be an object"),
        (b"\xff", "is not UTF-8 text"),
        (document(YES_TO_1, by="technical"), "is an agent; only a person decides this"),
    ],
)
def test_what_is_no_decisions_document_is_refused(line: CommandLine, text: Any, told: str) -> None:
    ended = line("decisions", "apply", "-", stdin=text)
    assert ended.code == 2
    assert told in ended.err


def test_a_document_is_applied_once(line: CommandLine) -> None:
    assert line("decisions", "apply", "-", stdin=document(grant("db_schema"))).code == 0
    again = line("decisions", "apply", "-", stdin=document(grant("db_schema")))
    assert again.code == 2
    assert "was applied on 20" in again.err
    assert "nothing of it was done again" in again.err


def test_a_check_says_what_would_be_done_and_changes_nothing(line: CommandLine) -> None:
    checked = line("decisions", "apply", "-", "--check", stdin=document(YES_TO_1))
    assert checked.code == 0
    assert checked.out.splitlines()[-1] == "1 decision of ada: nothing is in the way, and nothing was changed."
    assert line("escalation", "show", "1", "--json").json["status"] == "open"
    assert line("decisions", "apply", "-", "--check", stdin=document(grant("nothing"))).code == 2
    assert line("decisions", "apply", "-", stdin=document(YES_TO_1)).code == 0


def test_a_grant_reaches_the_generated_files(line: CommandLine) -> None:
    assert line("agents", "generate", "--provider", "claude-code", "--all").code == 0
    (path,) = [p for p in (line.folder / ".claude").rglob("*.md") if p.name == "technical.md"]
    before = path.read_text(encoding="utf-8")
    ended = line("decisions", "apply", "-", "--json", stdin=document(grant("db_schema")))
    assert ended.json["generated"]["written"] == [str(path)]
    assert path.read_text(encoding="utf-8") != before


def test_the_list_has_the_newest_first_and_can_be_narrowed(line: CommandLine) -> None:
    decide(line)
    decide(line, "component_styling", "ux")
    decide(line, "caching")
    found = line("decisions", "list", "--json").json
    assert [(d["agent"], d["kind"]) for d in found] == [
        ("technical", "caching"),
        ("ux", "component_styling"),
        ("technical", "api_endpoints"),
    ]
    assert [d["kind"] for d in line("decisions", "list", "--agent", "ux", "--json").json] == ["component_styling"]
    assert [d["kind"] for d in line("decisions", "list", "--limit", "1", "--json").json] == ["caching"]
    assert line("decisions", "list", "--work-item", "7", "--json").json == []
    assert "component_styling" in line("decisions", "list").out


def test_a_list_of_what_decides_nothing_is_refused(line: CommandLine) -> None:
    ended = line("decisions", "list", "--agent", "ac-writer")
    assert ended.code == 2
    assert "technical, strategy, ux, gtm" in ended.err


def test_a_decision_is_shown_with_its_rule_and_what_it_waits_for(line: CommandLine) -> None:
    made = decide(line, "external_service")
    shown = line("decisions", "show", str(made["decision"]), "--json").json
    assert shown["rule"].startswith("authority: ")
    assert (shown["choice"], shown["escalation"], shown["reversed"]) == (None, made["escalation"], None)
    assert f"waits for escalation {made['escalation']}" in line("decisions", "show", str(made["decision"])).out


def test_a_decision_that_is_none_is_told(line: CommandLine) -> None:
    ended = line("decisions", "show", "99")
    assert ended.code == 2
    assert "There is no decision 99" in ended.err


def test_a_decision_is_taken_back_and_both_stay_on_the_record(line: CommandLine) -> None:
    number = str(decide(line)["decision"])
    words = ("--reason", "it broke the build", "--choice", "reject", "--by", "ada")
    ended = line("decisions", "reverse", number, *words, "--json")
    assert ended.code == 0
    assert (ended.json["reverses"], ended.json["choice"], ended.json["by"]) == (int(number), "reject", "ada")
    first = line("decisions", "show", number, "--json").json
    assert (first["reversed"]["by"], first["reversed"]["reason"]) == ("ada", "it broke the build")
    assert "(taken back)" in line("decisions", "list").out


def test_a_decision_that_was_settled_for_none_of_the_options_does_not_wait(line: CommandLine) -> None:
    number = str(decide(line)["decision"])
    made = line("decisions", "reverse", number, "--reason", "it broke the build", "--by", "ada", "--json").json
    for told in (line("decisions", "list").out, line("decisions", "show", str(made["id"])).out):
        assert "none of the options" in told
        assert "waits for" not in told


def test_a_decision_is_taken_back_by_a_person_with_a_reason_and_once(line: CommandLine) -> None:
    number = str(decide(line)["decision"])
    assert line("decisions", "reverse", number).code == 2
    assert line("decisions", "reverse", number, "--reason", "x", "--by", "technical").code == 2
    assert line("decisions", "reverse", number, "--reason", "x", "--choice", "neither").code == 2
    said = line("decisions", "reverse", number, "--reason", "x", "--by", "ada")
    assert said.code == 0
    assert said.out.startswith(f"Decision {number} is taken back by decision ")
    assert "taken back already by ada" in line("decisions", "reverse", number, "--reason", "x").err


def test_a_mistaken_reversal_is_taken_back_and_its_proposal_is_withdrawn(line: CommandLine) -> None:
    number = str(decide(line)["decision"])
    mistaken = line("decisions", "reverse", number, "--reason", "x", "--by", "ada", "--json").json["id"]
    [proposal] = line("scope", "list", "--json").json
    said = line("decisions", "reverse", str(mistaken), "--reason", "the wrong one", "--by", "ada")
    assert said.code == 0
    assert f"Decision {mistaken} is taken back: decision {number} holds again." in said.out
    assert f"Scope proposal {proposal['id']}, which it had led to, is withdrawn." in said.out
    assert line("decisions", "show", number, "--json").json["reversed"] is None
