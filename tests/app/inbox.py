"""An inbox in the middle of a morning: questions of every section, and answers of a person, a rule and the clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.governance import escalations, life
from core.store.transaction import Transaction
from tests.app.busy import busy
from tests.app.seeding import (
    HOUR,
    MINUTE,
    Option,
    Question,
    SeededWorkspace,
    acknowledge,
    raise_question,
    seed_work_item,
    snooze,
)

RETRY = (
    Option("retry", "Try again", "The failed step runs again; what is recorded is kept."),
    Option("stop", "Stop this work item", "It is cancelled; its branch is kept.", ends=True),
)
APPROVE = (
    Option("approve", "Approve", "The agent goes on as it proposed."),
    Option("reject", "Reject", "The agent proposes something else."),
)
SUPPLY = (
    Option("supply", "Supply what is missing", "The phase goes on.", asks={"acceptance_criteria": "lines"}),
    Option("retry", "Try again", "The phase runs again."),
)
FAULTS = (
    "README.md has two sections called Usage",
    "the index of prices is locked by another process",
    "ruff found 3 errors that it cannot fix",
    "the branch has moved on since it was read",
)
WISHES = (
    "Use tabs as the separator of exports?",
    "Drop Python 3.10 from the test matrix?",
    "Add a progress bar to long imports?",
    "Round amounts half to even everywhere?",
    "Cache exchange rates for one day?",
)


def ask(tx: Transaction, text: str, options: tuple[Option, ...] = APPROVE, **more: Any) -> int:
    """A question that differs from all others by its text."""
    given: dict[str, Any] = {
        "kind": "decision",
        "subject": {"text": text, **more.pop("about", {})},
        "urgency": "DAILY",
        "recommended": options[0].key,
        "chain": ("master-orchestrator", "strategy"),
    }
    return raise_question(tx, Question(question=text, options=options, **(given | more)))


def failed(tx: Transaction, number: int, **more: Any) -> int:
    """An agent failed at a task of a work item of its own."""
    item = seed_work_item(tx, f"Task {number} of the spring cleaning")
    text = f"I1: doc-toucher (T{number}) failed: {FAULTS[number % len(FAULTS)]}"
    given: dict[str, Any] = {"kind": "error", "phase": "I1", "round": 1, "work_item": item}
    return ask(tx, text, RETRY, **(given | more))


def inbox(folder: Path) -> SeededWorkspace:
    """The busy workspace with a fuller inbox: late, immediate, put away, seen, handed over, and answered ones."""
    made = busy(folder)
    made.at(30 * HOUR, lambda tx: [ask(tx, text) for text in WISHES[:2]])
    made.at(6 * HOUR, lambda tx: ask(tx, "The signing key expires tonight: renew it?", urgency="IMMEDIATE"))
    made.at(2 * HOUR, lambda tx: [failed(tx, n) for n in range(8)])
    made.at(80 * MINUTE, lambda tx: [ask(tx, text) for text in WISHES[2:]])
    made.at(70 * MINUTE, _attended)
    made.at(60 * MINUTE, _answered)
    return made


def _attended(tx: Transaction) -> None:
    away = ask(tx, "Rename the command report to show?", urgency="WEEKLY")
    seen = ask(tx, "Which licence shall the example data have?")
    handed = ask(tx, "Who owns the nightly export from May on?")
    snooze(tx, away, until=tx.now + 5 * HOUR, by="ada")
    acknowledge(tx, seen, by="ada", minutes=120)
    life.assign(tx, handed, to="ada", by="grace", note="you know this best")


def _answered(tx: Transaction) -> None:
    """Three by persons, two by a rule, one by the clock."""
    for n, (by, provenance, option) in enumerate(
        (
            ("ada", "human", "approve"),
            ("ada", "human", "reject"),
            ("grace", "human", "approve"),
            ("technical", "rule", "approve"),
            ("strategy", "rule", "approve"),
            ("time-out", "timeout", "reject"),
        )
    ):
        asked = ask(tx, f"Take the smaller of the two batches in run {n}?")
        reason = "" if option == "approve" else "the larger one is faster"
        escalations.resolve(tx, asked, option=option, by=by, provenance=provenance, reason=reason)


@contextmanager
def workspace(folder: Path) -> Iterator[SeededWorkspace]:
    """An empty one, closed at the end."""
    made = SeededWorkspace(folder)
    try:
        yield made
    finally:
        made.close()
