"""What runs at this moment. Not journalled: it is true only while this process lives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from core.agents.session import Usage
from core.contract import Json
from core.store.rows import LiveRow
from core.store.writer import milliseconds_now


class Shown:
    """What is told of one running delegation while it runs: as long as the `with` that it is used in."""

    def __init__(self, running: dict[int, Json], number: int, facts: Json, changed: Callable[[], None]) -> None:
        self._running, self._number, self._facts, self._changed = running, number, facts, changed

    def __enter__(self) -> Shown:
        self._running[self._number] = self._facts
        self._changed()
        return self

    def __exit__(self, *_: object) -> None:
        del self._running[self._number]
        self._changed()

    def update(self, line: str | None = None, used: Usage | None = None) -> None:
        """Tell what it does now, and the tokens and dollars it has used so far; None leaves what was told."""
        if line is not None:
            self._facts["doing"] = line
        if used is not None:
            self._facts |= {"tokens": used.tokens, "dollars": used.dollars}
        self._changed()


class Live:
    """The running work items and delegations, and those who want to hear when they change (on the event loop)."""

    def __init__(self, pid: int, clock: Callable[[], int] = milliseconds_now) -> None:
        self._pid, self._clock = pid, clock
        self._work_items: set[int] = set()
        self._delegations: dict[int, Json] = {}
        self.resting: dict[int, int] = {}
        """Work items that wait for a provider of models, and when it is tried again: milliseconds since the epoch."""
        self._listeners: list[Callable[[], None]] = []
        self._next = 0
        self.is_driven = False

    def row(self) -> LiveRow:
        return LiveRow(
            self.is_driven,
            self._pid,
            tuple(sorted(self._work_items)),
            tuple(dict(d) for d in self._delegations.values()),
            dict(self.resting),
        )

    def facts(self) -> Json:
        """The same for other processes, as the lease carries it and `reads.read_live` reads it."""
        row = self.row()
        resting = {str(number): until for number, until in row.resting.items()}
        return {"work_items": list(row.work_items), "delegations": list(row.delegations), "resting": resting}

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call the listener after each change; what it returns ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    @contextmanager
    def work_item(self, number: int) -> Iterator[None]:
        self._work_items.add(number)
        self._changed()
        try:
            yield
        finally:
            self._work_items.discard(number)
            self._changed()

    def delegation(self, work_item: int, phase: str, agent: str, subject: str) -> Shown:
        self._next += 1
        facts: Json = {
            "work_item": work_item,
            "phase": phase,
            "agent": agent,
            "subject": subject,
            "since": self._clock(),
        }
        return Shown(self._delegations, self._next, facts, self._changed)

    def rest(self, number: int, seconds: float) -> None:
        """The work item waits so long for a provider."""
        self.resting[number] = self._clock() + round(seconds * 1000)
        self._changed()

    def end_rest(self, number: int) -> None:
        self.resting.pop(number, None)
        self._changed()

    def _changed(self) -> None:
        for listener in tuple(self._listeners):
            listener()
