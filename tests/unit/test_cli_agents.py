"""`apm agents list`: who handles what, and what they have done."""

from __future__ import annotations

from core.store.transaction import Transaction
from tests.unit.command_line import CommandLine


def roles(line: CommandLine, *words: str) -> list[str]:
    return [row["role"] for row in line("agents", "list", *words, "--json").json]


def test_options_and_words_narrow_the_list(line: CommandLine) -> None:
    assert roles(line, "--tier", "1") == ["master-orchestrator"]
    assert roles(line, "--type", "utility") == ["evidence-writer", "workflow-updater", "decision-recorder"]
    in_definition = roles(line, "--phase", "D1", "--type", "sub-agent")
    assert in_definition[0] == "intent-triage"
    assert "ac-writer" in in_definition
    assert roles(line, "phase:d1", "criteria", "!gate", "type:sub-agent", "acceptance")[0] == "ac-writer"


def test_who_handles_django(line: CommandLine) -> None:
    found = roles(line, "--technology", "django")

    assert {"django-backend-implementer", "django-api-integrator", "django-tester"} <= set(found)
    assert "react-tester" not in found


def test_a_value_that_nobody_has_is_answered_with_the_nearest(line: CommandLine) -> None:
    ended = line("agents", "list", "--technology", "djnago")

    assert ended.code == 2
    assert "No agent has the technology 'djnago'; did you mean 'django'?" in ended.err


def test_nobody_is_said_in_words(line: CommandLine) -> None:
    ended = line("agents", "list", "nothing-of-the-kind")

    assert (ended.code, ended.out) == (0, "")
    assert "No agent answers to that." in ended.err


def test_what_agents_did_is_shown_and_sorted_by(line: CommandLine) -> None:
    def work(tx: Transaction) -> None:
        for role, runs, failures, at in (("ac-writer", 3, 1, 5_000), ("estimator", 9, 0, 4_000)):
            tx.sql(
                "INSERT INTO counters (agent, day, runs, failures, milliseconds, tokens, cost, last_at)"
                " VALUES (?, 0, ?, ?, 1500, 10, 0.25, ?)",
                (role, runs, failures, at),
            )

    line.write(work)

    assert roles(line, "--sort", "runs")[:2] == ["estimator", "ac-writer"]
    assert roles(line, "--sort", "last-used")[:2] == ["ac-writer", "estimator"]
    assert "ac-writer" not in roles(line, "--unused")
    [writer] = [r for r in line("agents", "list", "ac-writer", "--json").json if r["role"] == "ac-writer"]
    assert writer["metrics"] == {
        "runs": 3,
        "failures": 1,
        "success_rate": 2 / 3,
        "seconds": 1.5,
        "tokens": 10,
        "cost": 0.25,
        "last_used_at": "1970-01-01T00:00:05.000Z",
    }
    shown = line("agents", "list", "--sort", "runs").out.splitlines()
    assert shown[0].split()[:2] == ["ROLE", "TIER"]
    assert "$0.25" in shown[1]
