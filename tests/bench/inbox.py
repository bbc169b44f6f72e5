"""A hundred questions of seven kinds, as a team of agents raises them, and what a person means to answer to each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from core.governance.escalations import Option, Question, raise_question
from core.orchestration import work_items
from core.store.transaction import Transaction

APPROVE = (
    Option("approve", "Approve", "The agent goes on as it proposed."),
    Option("reject", "Reject", "The agent proposes something else."),
)
RETRY = (
    Option("retry", "Try again", "The failed step runs again; what is recorded is kept."),
    Option("stop", "Stop this work item", "It is cancelled; its branch is kept.", ends=True),
)
SUPPLY = (
    Option("supply", "Supply what is missing", "The phase goes on.", asks={"acceptance_criteria": "lines"}),
    Option("retry", "Try again", "The phase runs again from where it stood."),
)
SIDES = (
    Option("technical", "As technical wants it", "One code path."),
    Option("ux", "As ux wants it", "A second screen to keep alive."),
)


@dataclass(frozen=True, slots=True)
class Sort:
    """Questions of one sort: how many there are, and what a person means to answer to each of them."""

    word: str
    count: int
    text: str
    options: tuple[Option, ...]
    meant: str
    kind: str = "decision"
    urgency: str = "DAILY"
    of_work: bool = False


SORTS = (
    Sort("upgrade", 28, "Upgrade package {n} to its next release: approve?", APPROVE, "approve"),
    Sort("major", 6, "Move package {n} to a major version that breaks its callers?", APPROVE, "reject"),
    Sort("locked", 14, "I1: migration-author failed at task {n}: locked", RETRY, "retry", "error", of_work=True),
    Sort("obsolete", 6, "I1: doc-toucher failed at task {n}: obsolete file", RETRY, "stop", "error", of_work=True),
    Sort("criteria", 12, "D1: criteria are missing in request {n}", SUPPLY, "retry", "gate", of_work=True),
    Sort("wish", 11, "Wish {n} of a user: shall it go on the list?", APPROVE, "reject"),
    Sort("budget", 6, "Spend another dollar on work item {n}?", APPROVE, "approve", "budget"),
    Sort("conflict", 13, "technical and ux differ about screen {n}: which one?", SIDES, "technical", "conflict"),
    Sort(
        "urgent",
        4,
        "Certificate {n} of the download server ends tonight: renew it?",
        APPROVE,
        "approve",
        urgency="IMMEDIATE",
    ),
)
REASONED = 3
"""Of the conflicts, the first so many are meant for the other side, which takes a reason."""


def ask_all(tx: Transaction) -> dict[int, str]:
    """Raise them; what is meant to be answered, by question."""
    return {
        raise_question(tx, _question(sort, n, _work(tx, n) if sort.of_work else None)): _meant(sort, n)
        for sort, n in _each()
    }


def _each() -> Iterator[tuple[Sort, int]]:
    return ((sort, n) for sort in SORTS for n in range(1, sort.count + 1))


def _meant(sort: Sort, n: int) -> str:
    return "ux" if sort.word == "conflict" and n <= REASONED else sort.meant


def _work(tx: Transaction, n: int) -> int:
    number = work_items.create(tx, title=f"Spring cleaning, part {n}")
    work_items.accept(tx, number, by="bench")
    return number


def _question(sort: Sort, n: int, work_item: int | None) -> Question:
    return Question(
        kind=sort.kind,
        subject={"sort": sort.word, "n": n},
        question=sort.text.format(n=n),
        urgency=sort.urgency,
        options=sort.options,
        recommended=sort.options[0].key,
        chain=("master-orchestrator", "technical"),
        work_item=work_item,
        phase="I1" if work_item is not None else None,
        round=1 if work_item is not None else None,
    )
