"""The executions that run at this moment: those can be ended which nobody wants any more, and one waits for another."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


@dataclass(eq=False, slots=True)
class Execution:
    """One execution, running as long as the `with` that it is used in. `is_ended` is set when it was cancelled by
    itself, and not by whoever stops all."""

    work_item: int
    running: set[Execution]
    task: asyncio.Task[object] | None
    is_ended: bool = False

    def __enter__(self) -> Execution:
        self.running.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        self.running.discard(self)


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

    def one(self, work_item: int) -> Execution:
        """The current task as an execution of this work item."""
        return Execution(work_item, self._running, asyncio.current_task())

    def end(self, but: Execution | None, work_item: int | None) -> None:
        """Cancel those of a work item, or all; the one that found the budget used up ends by itself."""
        for execution in tuple(self._running):
            if execution is not but and work_item in (None, execution.work_item) and execution.task is not None:
                execution.is_ended = True
                execution.task.cancel()
