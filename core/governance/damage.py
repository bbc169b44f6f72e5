"""A database whose file is damaged: one question, so that a person hears of it while there is a backup to restore."""

from __future__ import annotations

from core.governance.escalations import Option, Question, open_with, raise_question, withdraw
from core.sanitise import one_line
from core.store.transaction import Transaction

SEEN = "seen"


def damage_question(sentence: str) -> Question:
    """It holds nothing back: what can still be read and written goes on, and only a person can mend the file."""
    return Question(
        kind="error",
        subject={"database": "damaged"},
        question=one_line(sentence, 500),
        urgency="IMMEDIATE",
        options=(
            Option(
                SEEN,
                "I have seen it",
                "apm goes on with what it can read, and asks again a day later while the file is damaged.",
            ),
        ),
        recommended=SEEN,
        chain=("apm",),
        details={"why": one_line(sentence, 500)},
    )


def raise_once(tx: Transaction, sentence: str) -> int:
    """The question that waits, raised now if there is none: each look must not count as a question."""
    question = damage_question(sentence)
    found = open_with(tx, question.key)
    return raise_question(tx, question) if found is None else found.id


def is_sound(tx: Transaction) -> None:
    """Close the question, if there is one, for a file that has been restored."""
    found = open_with(tx, damage_question("").key)
    if found is not None:
        withdraw(tx, found.id, why="the database's file is sound again")
