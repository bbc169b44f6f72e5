"""`apm budget`: figures and a person's word."""

from __future__ import annotations

import itertools

import pytest

from core.agents.session import Usage
from core.governance import budgets
from core.governance.budgets import Spender
from core.orchestration import work_items
from core.store.schema import PhaseRun
from core.store.transaction import Transaction
from tests.unit.command_line import CommandLine


def pay(line: CommandLine, dollars: float | None) -> None:
    def write(tx: Transaction) -> None:
        spender = Spender(work_items.create(tx, title="x", body=""), "D1", 1, "ac-writer")
        held = budgets.reserve(tx, spender, {}, "anthropic", "m", 100, dollars)
        budgets.settle(tx, spender, {}, held, Usage(input=40, dollars=dollars))

    line.write(write)


def test_it_shows_limits_and_what_is_used_of_them(line: CommandLine) -> None:
    pay(line, 0.5)
    pay(line, None)

    shown = line("budget", "show", "--work-item", "2", "--json").json

    day = next(row for row in shown["budgets"] if row["scope"] == "day")
    assert (day["limit_dollars"], day["by"], day["dollars"], day["calls"], day["unpriced"]) == (
        50.0,
        "agents.yaml",
        0.5,
        2,
        1,
    )
    assert shown["phases"] == [
        {"phase": "D1", "agent": "ac-writer", "calls": 1, "tokens": 40, "dollars": 0.0, "unpriced": 1}
    ]


def test_a_persons_word_is_in_force_at_once_and_signed(line: CommandLine) -> None:
    row = line("budget", "set", "day", "--dollars", "5", "--reason", "a quiet day", "--by", "ada", "--json").json

    assert (row["limit_dollars"], row["limit_tokens"], row["by"]) == (5.0, None, "ada")


def test_without_an_amount_nothing_is_set(line: CommandLine) -> None:
    assert line("budget", "set", "day", "--reason", "x").code == 2
    assert line("budget", "set", "day", "--dollars", "-3", "--reason", "x").code == 2
    assert line("budget", "set", "work_item", "--dollars", "3", "--reason", "x").code == 2
    assert line("budget", "set", "work_item", "--work-item", "99", "--dollars", "3", "--reason", "x").code == 2


def test_what_is_not_named_stays_as_it_is(line: CommandLine) -> None:
    row = line("budget", "set", "day", "--tokens", "9000", "--reason", "tokens too", "--json").json
    assert (row["limit_dollars"], row["limit_tokens"]) == (50.0, 9000)

    row = line("budget", "set", "day", "--no-limit", "--reason", "today it may", "--json").json
    assert (row["limit_dollars"], row["limit_tokens"]) == (None, None)


def test_a_scope_is_understood_as_the_command_is_written_and_less_than_a_cent_is_not_nothing(line: CommandLine) -> None:
    pay(line, 0.002)

    told = line("budget", "set", "work-item", "--work-item", "1", "--dollars", "0.004", "--reason", "a try")

    assert "The budget is $0.0040; `apm budget show --work-item 1`" in told.out
    shown = line("budget", "show", "--work-item", "1").out
    assert "$0.0020" in shown
    assert "$0.0040" in shown


def test_a_work_item_tells_what_it_has_cost_phase_by_phase(line: CommandLine) -> None:
    pay(line, 0.25)

    shown = line("work-item", "show", "1", "--json").json

    assert shown["cost"] == {"calls": 1, "tokens": 40, "dollars": 0.25, "unpriced": 0}
    assert "40 tokens, $0.25" in line("work-item", "show", "1").out


def begin(tx: Transaction, phase: str) -> None:
    tx.insert(PhaseRun, work_item=1, phase=phase, round=1, input_digest="", started_at=tx.now)
    tx.event("phase.entered", work_item=1)


def test_the_phases_have_a_column_for_cost_where_one_of_them_cost_something(line: CommandLine) -> None:
    pay(line, 0.25)
    line.write(lambda tx: begin(tx, "D1"))
    line.write(lambda tx: begin(tx, "P1"))

    header, paid, free = phases_of(line)

    assert header[-1] == "COST"
    assert paid[-1] == "$0.25"
    assert (free[0], "$" in " ".join(free)) == ("P1", False)


def test_where_nothing_was_paid_there_is_no_column_for_it(line: CommandLine) -> None:
    line.write(lambda tx: work_items.create(tx, title="x", body=""))
    line.write(lambda tx: begin(tx, "D1"))

    header, _ = phases_of(line)

    assert header == ["PHASE", "STATUS", "ROUND", "SECONDS"]


def phases_of(line: CommandLine) -> list[list[str]]:
    """The table of phases that `show` prints, word by word."""
    lines = line("work-item", "show", "1").out.splitlines()
    first = next(n for n, text in enumerate(lines) if text.startswith("PHASE "))
    return [text.split() for text in itertools.takewhile(bool, lines[first:])]


@pytest.mark.parametrize("amount", ["0", "-1", "nan", "inf", "1000001"])
def test_an_amount_that_is_none_changes_nothing(line: CommandLine, amount: str) -> None:
    ended = line("budget", "set", "day", "--dollars", amount, "--by", "ada", "--reason", "x")

    assert ended.code == 2
    assert "dollars must be above 0 and at most 1,000,000" in ended.err
    assert line("budget", "show", "--json").json["budgets"][0]["by"] == "agents.yaml"


def test_a_work_item_that_never_was_is_told_as_everywhere(line: CommandLine) -> None:
    ended = line("budget", "show", "--work-item", "99")

    assert (ended.code, ended.err) == (2, "apm: There is no work item 99; `apm work-item list` shows them.\n")


def test_broken_prices_are_told_beside_the_figures(line: CommandLine) -> None:
    (line.folder / "prices.yaml").write_text("ours: 3\n")

    ended = line("budget", "show", "--json")

    assert (ended.code, len(ended.json["budgets"])) == (0, 2)
    assert ended.err == (
        "apm: prices.yaml:1: ours: must be a mapping with at least input and output. Until that is mended, "
        "no model is asked but by Claude Code.\n"
    )
