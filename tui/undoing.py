"""What was done on this screen and can be taken back, the newest last."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from core.store.transaction import Transaction

MOST = 100


class Undo(NamedTuple):
    """How one thing is taken back: `work` runs inside a write and raises UsageError when it is too late for it.

    Without a `work` nothing takes it back: it stands in the way of what was done before it, so that `u` never reaches
    past what a person did last.
    """

    said: str
    """What to say once it is taken back (nothing where `work` begins what says so itself), or why it is not."""
    work: Callable[[Transaction], Any] | None


ONCE_MORE = "u once more takes back what was done before it."


def for_good(done: str) -> Undo:
    """What was done and cannot be taken back, in the words that told of it."""
    return Undo(f"{done} That cannot be taken back; {ONCE_MORE}", None)


class UndoStack:
    """The last things done, of which the newest is taken back first."""

    def __init__(self) -> None:
        self._done: list[Undo] = []

    def push(self, undo: Undo) -> None:
        self._done.append(undo)
        del self._done[:-MOST]

    def __bool__(self) -> bool:
        return bool(self._done)

    def pop(self) -> Undo | None:
        return self._done.pop() if self._done else None
