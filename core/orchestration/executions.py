"""The executions that run at this moment: those can be ended which nobody wants any more, and one waits for another."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(eq=False)
class Execution:
    """One running execution. `is_ended` is set when it was cancelled by itself, and not by whoever stops all."""

    work_item: int
    task: asyncio.Task[object] | None
    is_ended: bool = False


@dataclass
class Executions:
    """Every execution of an engine."""

    _running: set[Execution] = field(default_factory=set)
    _settled: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def next_settled(self) -> asyncio.Event:
        """Set when the next call of any execution has settled, so that what it reserved beyond its use is free."""
        return self._settled

    def settled(self) -> None:
        self._settled.set()
        self._settled = asyncio.Event()

    @contextmanager
    def one(self, work_item: int) -> Iterator[Execution]:
        """The current task as an execution of this work item."""
        execution = Execution(work_item, asyncio.current_task())
        self._running.add(execution)
        try:
            yield execution
        finally:
            self._running.discard(execution)

    def end(self, but: Execution | None, work_item: int | None) -> None:
        """Cancel those of a work item, or all; the one that found the budget used up ends by itself."""
        for execution in tuple(self._running):
            if execution is not but and work_item in (None, execution.work_item) and execution.task is not None:
                execution.is_ended = True
                execution.task.cancel()
