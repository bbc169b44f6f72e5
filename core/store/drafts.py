"""What closures that only write have made, before there is a transaction: drawn up on the event loop's thread.

The interpreter runs one thread at a time. While the writer's thread waits for the disk it needs no interpreter; while
it runs closures it takes it away from the agents, and each statement between gives it back and waits to have it again.
So closures that read nothing are run where they are asked for. What is left for the writer is to carry out the
statements, provided that the journal still ends where the draft begins; else it runs the closures itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Never

from peewee import Database

from core.contract import ApmError
from core.store.chain import StoredEvent
from core.store.pending import Statement
from core.store.tickets import Ticket
from core.store.transaction import Ending, Transaction


@dataclass(frozen=True, slots=True)
class Draft:
    """What the first closures of a group have made, as statements."""

    begin: Ending
    end: Ending
    closures: int
    statements: Sequence[Statement]
    checks: Sequence[Callable[[Transaction], None]]
    """What has to hold in the transaction, each once; every one of the closures holds one of them or none."""
    events: Sequence[StoredEvent]

    def holds(self, tx: Transaction) -> bool:
        """Whether what was to be checked is so. Where not, each closure by itself finds out."""
        try:
            for check in self.checks:
                check(tx)
        except ApmError:
            return False
        return True


class NeedsDatabase(BaseException):
    """A closure wants to read, and there is no database in a draft. Nothing that a closure catches."""


def drawn_up(
    tickets: Sequence[Ticket], database: Database, key: bytes, begin: Ending, clock: Callable[[], int]
) -> Draft | None:
    """A draft of the tickets that only write, up to the first that does not; None where that is the first already."""
    tx, count = _Unconnected(database, _refuse, key, begin, clock), 0
    checks: dict[Callable[[Transaction], None], None] = {}
    for ticket in tickets:
        if not ticket.only_writes:
            break
        try:
            ticket.run(tx, checked=True)
        except NeedsDatabase:
            tx.undo_closure()
            break
        count += 1
        if ticket.check is not None:
            checks[ticket.check] = None
    if not count:
        return None
    return Draft(
        begin=begin,
        end=tx.ending,
        closures=count,
        statements=tx.statements(),
        checks=tuple(checks),
        events=tx.events,
    )


class _Unconnected(Transaction):
    """A transaction that can only be written to."""

    def _write_pending(self) -> None:
        raise NeedsDatabase

    def _keep_undoable(self) -> None:
        raise NeedsDatabase


def _refuse(*_: Any) -> Never:
    raise NeedsDatabase
