"""`apm budget`: figures and a person's word."""

from __future__ import annotations

from core.agents.session import Usage
from core.governance import budgets
from core.governance.budgets import Spender
from core.orchestration import work_items
from core.store.writer import Transaction
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
