"""`apm escalation`: filters, one answer for several, pressing, taking back, answers bound to what was shown."""

from __future__ import annotations

from typing import Any

import pytest

from core.governance.escalations import Option, Question, raise_question, withdraw
from tests.unit.command_line import CommandLine

HARM = "\x1b[2J\x1b]52;c;ZXZpbA==\x07\u202eevil\u2066\u200b\x9b31m"
FORBIDDEN = ("\x1b", "\x9b", "\x07", "\u202e", "\u2066", "\u200b")


def question(number: int = 1, urgency: str = "DAILY", **changes: Any) -> Question:
    facts: dict[str, Any] = {
        "kind": "gate",
        "subject": {"n": number},
        "question": f"Go on? ({number})",
        "urgency": urgency,
        "options": (Option("go", "Go on", "It goes on."), Option("stop", "Stop", "It ends.", ends=True)),
        "recommended": "go",
        "chain": ("master-orchestrator",),
    }
    return Question(**{**facts, **changes})


@pytest.fixture
def line(line: CommandLine) -> CommandLine:
    urgencies = ("DAILY", "IMMEDIATE", "WEEKLY")
    line.write(lambda tx: [raise_question(tx, question(n, urgency)) for n, urgency in enumerate(urgencies, 1)])
    return line


def listed(line: CommandLine, *words: str) -> list[int]:
    return [e["id"] for e in line("escalation", "list", *words, "--json").json]


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ((), [2, 1, 4, 3]),
        (("--urgency", "daily"), [1, 4]),
        (("--kind", "error"), [4]),
        (("--assigned-to", "grace"), [1]),
        (("--only", "snoozed"), [2]),
        (("--only", "acknowledged"), [3]),
        (("--only", "needs-me"), [4]),
        (("--only", "needs-me", "--assigned-to", "grace"), [1]),
        (("--only", "overdue"), []),
        (("--match", "(3)"), [3]),
        (("--match", "%"), []),
        (("--limit", "2"), [2, 1]),
        (("--kind", "gate", "--urgency", "WEEKLY", "--only", "needs-me"), []),
    ],
)
def test_the_list_has_only_what_is_asked_for(line: CommandLine, words: tuple[str, ...], numbers: list[int]) -> None:
    line.write(lambda tx: raise_question(tx, question(4, kind="error")))
    line("escalation", "assign", "1", "--to", "grace")
    line("escalation", "snooze", "2")
    line("escalation", "ack", "3")

    assert listed(line, *words) == numbers


@pytest.mark.parametrize("words", [(), ("--all",), ("--json",), ("--all", "--json")])
def test_a_list_that_ends_before_its_end_says_so(line: CommandLine, words: tuple[str, ...]) -> None:
    assert "There are more than 2; --limit" in line("escalation", "list", "--limit", "2", *words).err
    assert line("escalation", "list", "--limit", "3", *words).err == ""


@pytest.mark.parametrize("words", [("--urgency", "DAILY"), ("--match", "x"), ("--only", "overdue"), ("--kind", "gate")])
def test_all_of_them_and_only_some_exclude_each_other(line: CommandLine, words: tuple[str, ...]) -> None:
    ended = line("escalation", "list", "--all", *words)

    assert (ended.code, "--all lists every question" in ended.err) == (2, True)


def test_merged_questions_have_one_answer(line: CommandLine) -> None:
    merged = line("escalation", "merge", "1", "3", "--into", "2", "--by", "ada", "--json")
    assert (merged.code, merged.json["id"], merged.json["count"]) == (0, 2, 3)
    assert listed(line) == [2]
    assert line("escalation", "show", "1", "--json").json["merged_into"] == 2

    line("escalation", "resolve", "2", "--recommended", "--by", "ada")

    shown = line("escalation", "show", "3", "--json").json
    assert (shown["status"], shown["resolution"]["by"], shown["resolution"]["provenance"]) == (
        "resolved",
        "escalation 2",
        "rule",
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("merge", "1", "--into", "1"), "name the others"),
        (("merge", "1", "--into", "9"), "There is no escalation 9"),
        (("merge", "9", "--into", "1"), "There is no escalation 9"),
        (("escalate", "2"), "IMMEDIATE already"),
        (("undo", "1"), "no answer to take back"),
        (("undo", "9"), "There is no escalation 9"),
        (("escalate", "9"), "There is no escalation 9"),
        (("ack", "1", "--for", "9999w"), "acknowledge for 1 to"),
        (("snooze", "1", "--for", "9999w"), "a year ahead at most"),
        (("assign", "1", "--to", " "), "name the person"),
        (("merge", "--into", "1"), "Missing argument"),
    ],
)
def test_what_cannot_be_done_is_refused_with_code_2(line: CommandLine, words: tuple[str, ...], told: str) -> None:
    ended = line("escalation", *words)

    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err


def test_pressing_makes_it_more_urgent(line: CommandLine) -> None:
    shown = line("escalation", "escalate", "3", "--reason", "today", "--json").json

    assert (shown["urgency"], shown["due_at"] is None) == ("DAILY", False)
    assert line("escalation", "escalate", "1").out == "Escalation 1 is more urgent now.\n"


def test_an_answer_is_taken_back_and_stays_on_the_record(line: CommandLine) -> None:
    line("escalation", "resolve", "1", "--recommended", "--by", "ada")

    shown = line("escalation", "undo", "1", "--by", "grace", "--reason", "too early", "--json").json

    assert (shown["status"], shown["resolution"]) == ("open", None)
    undone = shown["undone_answers"][0]
    assert (undone["option"], undone["by"], undone["undone_by"], undone["why"]) == ("go", "ada", "grace", "too early")
    assert line("escalation", "undo", "1").code == 2


def test_an_answer_to_what_was_shown_is_refused_once_that_has_changed(line: CommandLine) -> None:
    digest = line("escalation", "show", "1", "--json").json["digest"]
    line.write(lambda tx: raise_question(tx, question(question="Go on, at twice the price?")))

    ended = line("escalation", "resolve", "1", "--recommended", "--digest", digest)

    assert ended.code == 2
    assert "has changed since it was shown: question was Go on? (1), is Go on, at twice the price?" in ended.err
    fresh = line("escalation", "show", "1", "--json").json["digest"]
    assert line("escalation", "resolve", "1", "--recommended", "--digest", fresh).code == 0


def test_a_digest_of_nothing_is_refused(line: CommandLine) -> None:
    ended = line("escalation", "resolve", "1", "--recommended", "--digest", "abc")

    assert (ended.code, "was never shown as that digest says" in ended.err) == (2, True)


def test_an_answer_that_comes_too_late_says_so_and_is_kept(line: CommandLine) -> None:
    line.write(lambda tx: withdraw(tx, 1, why="so"))

    ended = line("escalation", "resolve", "1", "--recommended", "--by", "ada")

    assert ended.code == 0
    assert "too late: it is withdrawn, and the answer is kept with it" in ended.out
    shown = line("escalation", "show", "1", "--json").json
    assert (shown["resolution"], [a["option"] for a in shown["late_answers"]]) == (None, ["go"])
    assert "too late: 'go' by ada at " in line("escalation", "show", "1").out


def test_a_person_is_shown_what_was_taken_back_and_with_which_word_it_was_handed_over(line: CommandLine) -> None:
    line("escalation", "resolve", "1", "--recommended", "--by", "ada")
    line("escalation", "undo", "1", "--by", "grace")
    line("escalation", "assign", "1", "--to", "bob", "--note", "you know the price")

    told = line("escalation", "show", "1").out

    assert "taken back: 'go' by ada at " in told
    assert "you know the price" in told


def test_a_merged_question_says_where_it_is_answered(line: CommandLine) -> None:
    line("escalation", "merge", "2", "--into", "1")

    assert "merged into   1\n" in line("escalation", "show", "2").out


def hostile() -> Question:
    return question(
        7,
        question=HARM * 3,
        missing=(HARM,),
        options=(Option("go", HARM, HARM), Option("stop", HARM, HARM, asks={"risks": "lines"})),
        details={"findings": [HARM], "agents": {HARM: {"suggestion": HARM, "missing": [HARM]}}, "rule": HARM},
        chain=(HARM,),
    )


def test_nothing_that_a_terminal_obeys_is_printed_of_a_hostile_question(line: CommandLine) -> None:
    number = str(line.write(lambda tx: raise_question(tx, hostile())))
    line("escalation", "assign", number, "--to", f"gra{HARM}ce", "--note", HARM)
    line("escalation", "resolve", number, "--recommended", "--reason", HARM, "--by", f"a{HARM}da")

    printed = [
        line("escalation", *words)
        for words in (("show", number), ("show", number, "--json"), ("list", "--all"), ("list", "--all", "--json"))
    ]

    assert [e.code for e in printed] == [0] * 4
    assert "evil" in printed[0].out
    assert not [mark for e in printed for mark in FORBIDDEN if mark in e.out + e.err]
    assert "\\u001b" not in printed[1].out
    assert "\\u202e" not in printed[1].out
    assert "\\u001b" not in printed[3].out


@pytest.mark.parametrize(
    "words",
    [
        ("escalation", "resolve", "1", "--option", "stop", "--reason"),
        ("escalation", "assign", "1", "--to", "bea", "--note"),
        ("escalation", "escalate", "1", "--reason"),
        ("budget", "set", "workspace", "--dollars", "5", "--reason"),
    ],
)
def test_a_reason_that_is_longer_than_is_kept_is_refused_with_its_size(
    line: CommandLine, words: tuple[str, ...]
) -> None:
    before = line("audit", "tail", "--json").json

    ended = line(*words, "x" * 10_001, "--by", "ada")

    assert ended.code == 2
    assert "10,001 characters; at most 10,000 are taken" in ended.err
    assert line("audit", "tail", "--json").json == before
    assert line(*words, "x" * 10_000, "--by", "ada").code == 0
