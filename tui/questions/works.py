"""What a person does to a question, as works for a write; no screen.

Each is called with the transaction, and can be taken back by calling its `back` with a later one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from core.contract import Json

if TYPE_CHECKING:
    from core.store.rows import EscalationRow
    from core.store.transaction import Transaction

Step: TypeAlias = "Callable[[Transaction], Any]"


class Shown(Protocol):
    """What a work needs of the question that a person saw."""

    @property
    def id(self) -> int: ...
    @property
    def payload_digest(self) -> str: ...


class Work:
    """One thing done to one question. What governs it is imported when it runs: the first frame needs none of that."""

    def __init__(self, do: Step, back: Callable[[Transaction, Any], Any]) -> None:
        self._do, self._back = do, back
        self._left: Any = None

    def __call__(self, tx: Transaction) -> None:
        self._left = self._do(tx)

    def back(self, tx: Transaction) -> None:
        """Take it back. Raises UsageError when it is too late for that."""
        self._back(tx, self._left)


def answer_work(
    question: Shown, option_key: str, values: Json | None, reason: str, person: str, *, propose: bool = False
) -> Work:
    """Answer, bound to the question as it was shown; with `propose` its rule is wished for as well."""

    def do(tx: Transaction) -> int:
        from core.governance import escalations

        number = escalations.resolve(
            tx,
            question.id,
            option=option_key,
            answer=values,
            reason=reason,
            by=person,
            shown_digest=question.payload_digest,
        )
        if propose:
            from core.governance.scope.wishes import wish

            wish(tx, question.id, by=person)
        return number

    def back(tx: Transaction, number: int) -> None:
        from core.governance import life

        life.undo(tx, question.id, by=person, answer=number)

    return Work(do, back)


def acknowledge_work(question: Shown, person: str, *, minutes: int = 30) -> Work:
    def deed(tx: Transaction) -> None:
        from core.governance import life

        life.acknowledge(tx, question.id, by=person, minutes=minutes)

    return _handling(question, deed, person)


def snooze_work(question: Shown, until: int, person: str) -> Work:
    """Put away until a moment, in milliseconds since the epoch."""

    def deed(tx: Transaction) -> None:
        from core.governance import life

        life.snooze(tx, question.id, until=until, by=person)

    return _handling(question, deed, person)


def assign_work(question: Shown, to: str, note: str, person: str) -> Work:
    def deed(tx: Transaction) -> None:
        from core.governance import life

        life.assign(tx, question.id, to=to, by=person, note=note)

    return _handling(question, deed, person)


def escalate_work(question: Shown, reason: str, person: str) -> Work:
    def deed(tx: Transaction) -> None:
        from core.governance import life

        life.escalate(tx, question.id, by=person, reason=reason)

    return _handling(question, deed, person)


def _handling(question: Shown, deed: Step, person: str) -> Work:
    """A deed that changes how a question is handled; taken back by giving it the columns that it had."""

    def do(tx: Transaction) -> tuple[EscalationRow, EscalationRow]:
        from core.governance.escalations import existing

        before = existing(tx, question.id)
        deed(tx)
        return before, existing(tx, question.id)

    def back(tx: Transaction, left: tuple[EscalationRow, EscalationRow]) -> None:
        from core.governance import life

        life.put_back(tx, *left, by=person)

    return Work(do, back)


def ask_work(question: Shown, text: str, person: str) -> Work:
    """Ask back."""

    def do(tx: Transaction) -> tuple[EscalationRow, EscalationRow, int]:
        from core.governance import asking
        from core.governance.escalations import existing

        before = existing(tx, question.id)
        asked = asking.ask_back(tx, question.id, text, by=person)
        return before, existing(tx, question.id), asked

    def back(tx: Transaction, left: tuple[EscalationRow, EscalationRow, int]) -> None:
        from core.governance import asking

        before, after, asked = left
        asking.unask(tx, before, after, asked=asked, by=person)

    return Work(do, back)


def merge_work(numbers: Sequence[int], into: int, person: str) -> Work:
    """Merge these questions into one that takes the same answers."""

    def do(tx: Transaction) -> tuple[list[EscalationRow], EscalationRow]:
        from core.governance import life
        from core.governance.escalations import existing
        from core.store import reads_escalations

        target = existing(tx, into)
        others = [existing(tx, number) for number in dict.fromkeys(numbers)]
        moved = [row for other in others for row in reads_escalations.merged_into(tx, other.id)]
        life.merge(tx, numbers, into=into, by=person)
        return [*others, *moved], target

    def back(tx: Transaction, left: tuple[list[EscalationRow], EscalationRow]) -> None:
        from core.governance import life

        merged, target = left
        life.unmerge(tx, merged, target=target, by=person)

    return Work(do, back)
