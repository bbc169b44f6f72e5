"""`apm escalation`: what waits for a human is shown, put off, handed over and answered."""

from __future__ import annotations

import json
import os
import shlex
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from core.governance.escalations import Option, Question, raise_question
from core.orchestration import lease
from tests.unit.command_line import CommandLine

SHOWN = {
    *("id", "kind", "question", "urgency", "status", "raised_at", "due_at", "count", "chain", "work_item", "phase"),
    *("missing", "options", "recommended", "resolution"),
}
SUPPLY = Option(
    "supply", "Supply what is missing", "The phase goes on.", asks={"business_context": "text", "risks": "lines"}
)
STOP = Option("stop", "Stop it", "It is cancelled.", ends=True)


def question(number: int = 1, urgency: str = "DAILY") -> Question:
    return Question(
        kind="gate",
        subject={"n": number},
        question=f"What is missing? ({number})",
        urgency=urgency,
        options=(SUPPLY, STOP),
        recommended="supply",
        chain=("master-orchestrator", "definition-orch"),
        missing=("risks: 0 of 1",),
    )


@pytest.fixture
def line(line: CommandLine) -> CommandLine:
    line.write(lambda tx: raise_question(tx, question()))
    return line


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_show_has_the_documented_keys_with_times_in_utc(line: CommandLine) -> None:
    shown = line("escalation", "show", "1", "--json").json
    assert set(shown) >= SHOWN
    assert (shown["status"], shown["count"], shown["resolution"]) == ("open", 1, None)
    assert {o["key"] for o in shown["options"]} == {"supply", "stop"}
    assert all({"key", "label", "consequence"} <= set(o) for o in shown["options"])
    assert moment(shown["due_at"]) - moment(shown["raised_at"]) == timedelta(hours=24)
    assert shown["raised_at"].endswith("Z")


def test_a_question_asked_again_is_one_row_with_a_higher_count(line: CommandLine) -> None:
    line.write(lambda tx: raise_question(tx, question()))
    assert [e["count"] for e in line("escalation", "list", "--json").json] == [2]


def test_the_list_has_the_most_urgent_first(line: CommandLine) -> None:
    line.write(lambda tx: raise_question(tx, question(2, "WEEKLY")))
    line.write(lambda tx: raise_question(tx, question(3, "IMMEDIATE")))
    found = line("escalation", "list", "--json").json
    assert [(e["id"], e["urgency"]) for e in found] == [(3, "IMMEDIATE"), (1, "DAILY"), (2, "WEEKLY")]
    assert found[2]["due_at"] is None


def test_an_answer_with_its_values_is_on_the_record_with_who_gave_it(line: CommandLine) -> None:
    answer = {"business_context": "People lose an hour a day.", "risks": ["it may break"]}
    words = ("--option", "supply", "--answer", json.dumps(answer), "--by", "ada", "--json")
    ended = line("escalation", "resolve", "1", *words)
    assert ended.code == 0
    resolution = ended.json["resolution"]
    assert set(resolution) == {"option", "answer", "reason", "by", "at", "provenance"}
    assert (resolution["option"], resolution["by"], resolution["provenance"]) == ("supply", "ada", "human")
    assert resolution["answer"] == answer
    assert ended.json["status"] == "resolved"
    assert line("escalation", "list", "--json").json == []
    assert [e["status"] for e in line("escalation", "list", "--all", "--json").json] == ["resolved"]


def test_values_can_come_from_a_file_or_from_standard_input(line: CommandLine, tmp_path: Path) -> None:
    line.write(lambda tx: raise_question(tx, question(2)))
    text = json.dumps({"risks": ["it may break"]})
    (tmp_path / "answer.json").write_text(text)
    by_file = line("escalation", "resolve", "1", "--recommended", "--answer", f"@{tmp_path / 'answer.json'}", "--json")
    by_stdin = line("escalation", "resolve", "2", "--recommended", "--answer", "-", "--json", stdin=text)
    assert by_file.json["resolution"]["answer"] == by_stdin.json["resolution"]["answer"] == json.loads(text)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "--option (supply, stop)"),
        (("--option", "approve"), "its answers are supply, stop"),
        (("--option", "stop"), "needs a reason"),
        (("--option", "stop", "--recommended"), "exclude each other"),
        (("--recommended",), "needs values: business_context: a text"),
        (("--recommended", "--answer", "{"), "--answer is not JSON: line 1, column 2"),
        (("--recommended", "--answer", "[1]"), "must be a JSON object"),
        (("--recommended", "--answer", '{"risks": 5}'), "risks must be a list of texts"),
        (("--recommended", "--answer", '{"bogus": "x"}'), "'bogus' was not asked for"),
        (
            ("--recommended", "--answer", '{"risks": ["2.", "TBD"]}'),
            "Escalation 1: risks: '2.' only holds a place; write",
        ),
        (("--recommended", "--answer", "@nowhere.json"), "nowhere.json cannot be read"),
        (("--option", "stop", "--reason", "x", "--answer", '{"risks": ["y"]}'), "takes no values"),
    ],
)
def test_a_malformed_answer_is_refused_and_the_question_stays(
    line: CommandLine, words: tuple[str, ...], told: str
) -> None:
    ended = line("escalation", "resolve", "1", *words)
    assert ended.code == 2
    assert told in ended.err
    assert line("escalation", "show", "1", "--json").json["status"] == "open"


def test_an_answered_question_cannot_be_answered_again(line: CommandLine) -> None:
    line("escalation", "resolve", "1", "--option", "stop", "--reason", "not wanted", "--by", "ada")
    ended = line("escalation", "resolve", "1", "--option", "stop", "--reason", "again")
    assert ended.code == 2
    assert "already answered ('Stop it' by ada)" in ended.err


def test_acknowledged_snoozed_and_handed_over(line: CommandLine) -> None:
    assert line("escalation", "ack", "1", "--by", "ada", "--json").json["status"] == "acknowledged"
    shown = line("escalation", "snooze", "1", "--for", "2d", "--json").json
    assert shown["status"] == "snoozed"
    assert moment(shown["snoozed_until"]) - moment(shown["raised_at"]) > timedelta(days=2) - timedelta(minutes=1)
    assert line("escalation", "assign", "1", "--to", "grace", "--json").json["assigned_to"] == "grace"


def test_what_is_put_away_says_until_when(line: CommandLine) -> None:
    told = line("escalation", "snooze", "1", "--for", "2h").out
    until = line("escalation", "show", "1", "--json").json["snoozed_until"]
    assert told == f"Escalation 1 is put away until {until}.\n"
    assert f"snoozed until {until}" in line("escalation", "show", "1").out
    assert f"snoozed until {until}" in line("escalation", "list", "--only", "snoozed").out


def test_what_falls_due_while_it_is_put_away_is_said(line: CommandLine) -> None:
    told = line("escalation", "snooze", "1", "--for", "2d").out
    shown = line("escalation", "show", "1", "--json").json
    assert told == (
        f"Escalation 1 is put away until {shown['snoozed_until']}; it is due at {shown['due_at']} and will be overdue"
        " then.\n"
    )


def test_an_answer_says_who_goes_on_with_it(line: CommandLine) -> None:
    for number in (1, 2):
        line("work-item", "create", "one", "--accept")
        asked = replace(question(10 + number), work_item=number, phase="D1", blocks="D1")
        line.write(partial(raise_question, question=asked))
    answer = ("--recommended", "--answer", '{"risks": ["It is slow"]}', "--by", "ada")
    assert line("escalation", "resolve", "2", *answer).out.endswith("; `apm run` goes on from here.\n")

    line.write(lease.take)

    told = line("escalation", "resolve", "3", *answer).out
    assert told.endswith(f"; work item 2 goes on (process {os.getpid()} drives).\n")


@pytest.mark.parametrize("span", ["", "0m", "5", "-1h", "1y", "99999w"])
def test_a_span_of_time_that_is_none_is_refused(line: CommandLine, span: str) -> None:
    ended = line("escalation", "snooze", "1", "--for", span)
    assert ended.code == 2
    assert "30m, 4h, 2d or 1w" in ended.err


def test_a_number_that_is_none_is_refused(line: CommandLine) -> None:
    for words in (("show", "9"), ("ack", "9"), ("snooze", "9"), ("assign", "9", "--to", "x"), ("resolve", "9")):
        ended = line("escalation", *words)
        assert ended.code == 2, words
        assert "There is no escalation 9" in ended.err


def test_the_page_says_how_to_give_the_answer(line: CommandLine) -> None:
    out = line("escalation", "show", "1").out
    assert "--option supply (recommended)" in out
    assert "risks: a list of texts" in out
    assert """apm escalation resolve 1 --option supply --answer '{"business_context": "...", "risks": "..."}'""" in out


def test_the_command_on_the_page_answers_nothing_as_it_stands(line: CommandLine) -> None:
    mitigations = Option(
        "plan", "Plan", "It goes on.", asks={"mitigations": "map"}, names={"mitigations": {"R1": "slow"}}
    )
    line.write(lambda tx: raise_question(tx, replace(question(2), options=(mitigations, STOP), recommended="plan")))
    for number, value in (("1", "business_context"), ("2", "mitigations")):
        shown = line("escalation", "show", number).out
        command = next(text for text in shown.splitlines() if "--answer" in text)

        ended = line(*shlex.split(command)[1:])

        assert (ended.code, f"Escalation {number}: {value}: '...' only holds a place" in ended.err) == (2, True)
        assert line("escalation", "show", number, "--json").json["status"] == "open"


def test_show_has_a_command_for_each_answer(line: CommandLine) -> None:
    retry = Option("retry", "Try again", "It runs again.")
    word = Option("word", "Say why", "It goes on.", asks={"docs": "text"}, explains=True)
    details = {"task": {"id": "T1"}, "criteria": [{"id": "AC1", "text": "It greets"}], "proof": "name it in a test"}
    asked = replace(question(2), options=(retry, SUPPLY, word, STOP), recommended="retry", details=details)
    line.write(lambda tx: raise_question(tx, asked))
    shown = line("escalation", "show", "2").out
    assert [text.strip() for text in shown.splitlines() if "resolve" in text] == [
        "apm escalation resolve 2 --option retry",
        "apm escalation resolve 2 --option supply "
        """--answer '{"business_context": "...", "risks": "..."}' --reason '...'""",
        """apm escalation resolve 2 --option word --answer '{"docs": "..."}'""",
        "apm escalation resolve 2 --option stop --reason '...'",
    ]
    assert ("It greets" in shown, "name it in a test" in shown) == (True, True)
