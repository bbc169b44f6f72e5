"""What was done on this screen and can be taken back, the newest last."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from core.store.writer import Transaction

MOST = 100


class Undo(NamedTuple):
    """How one thing is taken back: `work` runs inside a write and raises UsageError when it is too late for it."""

    said: str
    """What to say once it is taken back; nothing where `work` begins what says so itself."""
    work: Callable[[Transaction], Any]


class UndoStack:
    """The last things done, of which the newest is taken back first."""

    def __init__(self) -> None:
        self._done: list[Undo] = []

    def push(self, undo: Undo) -> None:
        self._done.append(undo)
        del self._done[:-MOST]

    def pop(self) -> Undo | None:
        return self._done.pop() if self._done else None
