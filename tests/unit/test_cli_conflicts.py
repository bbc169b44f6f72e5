"""`apm conflict`: settled by the rules with exit code 0, or waiting for a human with 3."""

from __future__ import annotations

import pytest

from tests.unit.command_line import CommandLine


def test_a_rule_settles_it(line: CommandLine) -> None:
    ended = line("conflict", "raise", "--between", "technical", "ux", "--topic", "performance of the list", "--json")

    assert ended.code == 0
    assert ended.json == {
        "outcome": "resolved",
        "winner": "technical",
        "rule": "technical-wins-performance",
        "escalation": None,
        "urgency": None,
        "conflict": 1,
    }


def test_what_no_rule_settles_waits_for_a_human(line: CommandLine) -> None:
    ended = line(
        *("conflict", "raise", "--between", "ux", "gtm", "--topic", "the colour", "--impact", "9"),
        *("--position", "ux=blue", "--position", "gtm=red", "--json"),
    )

    assert ended.code == 3
    assert (ended.json["outcome"], ended.json["urgency"]) == ("escalated", "IMMEDIATE")
    asked = line("escalation", "show", str(ended.json["escalation"]), "--json").json
    assert (asked["kind"], [o["label"] for o in asked["options"]]) == ("conflict", ["ux: blue", "gtm: red", "Neither"])


def test_the_list_says_how_each_ended(line: CommandLine) -> None:
    line("conflict", "raise", "--between", "strategy", "gtm", "--topic", "execution")
    line("conflict", "raise", "--between", "ux", "gtm", "--topic", "the colour")

    found = line("conflict", "list", "--json").json

    assert [(c["topic"], c["winner"]) for c in found] == [("the colour", None), ("execution", "gtm")]
    assert "waits" in line("conflict", "list").out


def test_an_answer_settles_the_conflict(line: CommandLine) -> None:
    asked = line("conflict", "raise", "--between", "ux", "gtm", "--topic", "the colour", "--json").json["escalation"]

    line("escalation", "resolve", str(asked), "--option", "gtm", "--reason", "it sells", "--by", "ada")

    (found,) = line("conflict", "list", "--json").json
    assert (found["winner"], found["provenance"], found["decided_by"]) == ("gtm", "human", "ada")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--between", "ux", "sales", "--topic", "x"), "no domain agent 'sales'"),
        (("--between", "ux", "ux", "--topic", "x"), "two different agents"),
        (("--between", "ux", "gtm", "--topic", " "), "needs a topic"),
        (("--between", "ux", "gtm", "--topic", "x", "--position", "technical=y"), "write ux=TEXT or gtm=TEXT"),
    ],
)
def test_what_is_no_conflict_is_bad_usage(line: CommandLine, words: tuple[str, ...], says: str) -> None:
    ended = line("conflict", "raise", *words)

    assert ended.code == 2
    assert says in ended.err


def test_a_broken_file_of_the_team_leaves_the_rules_as_they_were(line: CommandLine) -> None:
    with (line.folder / "agents.yaml").open("a") as file:
        file.write("nonsense: [\n")

    ended = line("conflict", "raise", "--between", "technical", "ux", "--topic", "performance", "--json")
    decided = line("decide", "--agent", "technical", "--kind", "api_endpoints", "--json")

    assert (ended.code, ended.json["winner"]) == (0, "technical")
    assert (decided.code, decided.json["outcome"]) == (0, "decided")


@pytest.mark.parametrize("more", [("--topic", "x" * 501), ("--topic", "colour", "--position", f"ux={'x' * 501}")])
def test_what_is_longer_than_a_conflict_keeps_is_refused(line: CommandLine, more: tuple[str, ...]) -> None:
    ended = line("conflict", "raise", "--between", "ux", "gtm", *more)

    assert ended.code == 2
    assert "has 501 characters; at most 500 are taken" in ended.err
    assert line("conflict", "list", "--json").json == []
