"""A simulated machine, and the processes on it that drive one workspace or want to.

One process moves at a time, and time goes on for all of them: whoever does not move stands still, as under SIGSTOP.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

from core.agents import telemetry
from core.orchestration import engine, lease
from core.orchestration.engine import Engine
from core.orchestration.lease import LeaseLost
from core.projects import commands
from core.registry.catalog import Catalog
from core.store.carried import carried
from core.store.chain import KEY_BYTES, StoredEvent
from core.store.database import StoreError
from core.workspace import Workspace
from tests.simulation.agents import Key, Ledger
from tests.simulation.disk import Disk, SimulatedStore
from tests.simulation.loop import Killed, VirtualLoop
from tests.simulation.outside import Outside, ReleasingAgents, Ungitted

START = 1_800_000_000_000
JOURNAL_KEY = bytes(KEY_BYTES)
HOST = "simulated"
MOST_TURNS, MOST_TURNS_A_SECOND = 5_000, 100
"""Of the event loop: who takes more does the same over and over."""
PATIENCE_SECONDS = 60.0
UNFENCED = ("agents.",)
"""Kinds of events that a process may write whether it drives or not: whoever begins reads the team's files."""


@dataclass
class Machine:
    """What all processes share. `now` only counts, in seconds; the wall clock is `ahead_ms` off what it counts."""

    folder: Path
    chance: Random
    ledger: Ledger
    outside: Outside
    disk: Disk = field(default_factory=Disk)
    now: float = 0.0
    ahead_ms: int = 0
    is_calm: bool = False
    moving: Process | None = None
    alive: set[int] = field(default_factory=set)
    driver: int = 0
    """The process that took the lease last."""
    begun: int = 0
    turns: int = 0

    def clock(self) -> int:
        """Milliseconds since the epoch, for whoever looks at this moment."""
        return START + self.ahead_ms + int((self.now if self.moving is None else self.moving.loop.now) * 1000)

    def store(self) -> SimulatedStore:
        return SimulatedStore.on(self.disk, self.folder / "state", JOURNAL_KEY, self.clock)

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.outside.pass_time(self.now)

    def identity(self) -> str:
        """Of the process that moves."""
        assert self.moving is not None
        return f"{HOST}:{self.moving.number}"

    def is_dead(self, identity: str) -> bool:
        return int(identity.removeprefix(f"{HOST}:")) not in self.alive


class Process:
    """One apm that has just been started. It moves only in `run`, `stop_after`, `end` and `kill`."""

    def __init__(self, machine: Machine, catalog: Catalog) -> None:
        machine.begun += 1
        self.machine, self.number = machine, machine.begun
        machine.alive.add(self.number)
        self.loop = VirtualLoop(machine.now, machine.chance)
        with self._moving():
            self._store = machine.store()
            self._workspace = Workspace(machine.folder, self._store, _catalog=catalog)
            self._workspace.update_registry()
            self._store.subscribe(self._hear)
            agents = ReleasingAgents(
                machine.ledger, machine.chance, lambda: machine.is_calm, machine.outside, self.number
            )
            self._engine = Engine(self._workspace, agents.as_runtimes())
        self._starting = self.loop.create_task(self._engine.start())

    @contextmanager
    def _moving(self) -> Iterator[None]:
        self.loop.now, self.machine.moving = self.machine.now, self
        try:
            yield
        finally:
            self.machine.moving = None
            self.machine.pass_time(self.loop.now - self.machine.now)

    def _hear(self, events: Any) -> None:
        """Take down what is on the disk from now on. What a process writes that has lost the lease is a fault."""
        for event in events:
            if event.kind == "engine.started":
                self.machine.driver = self.number
            elif self.machine.driver != self.number and not event.kind.startswith(UNFENCED):
                self.machine.ledger.violations.append(f"process {self.number}, fenced off, wrote {event.kind}")
            if event.kind == "delegation.recorded":
                self.machine.ledger.recorded.update(_keys(event))

    @property
    def is_driving(self) -> bool:
        return self._engine.is_driving and not self.could_not_begin

    @property
    def could_not_begin(self) -> bool:
        """Whether it has ended with a message in the place of beginning. Raises what is no reason to end so."""
        if not self._starting.done():
            return False
        error = self._starting.exception()
        if error is not None and not isinstance(error, StoreError | LeaseLost):
            raise error
        return error is not None

    def run(self, seconds: float) -> None:
        """Let so much time pass."""
        loop = self.loop
        with self._moving():
            before, ends = loop.turns, loop.call_later(seconds, loop.stop)
            try:
                loop.run_forever()
            finally:
                ends.cancel()
        if loop.turns - before > MOST_TURNS + MOST_TURNS_A_SECOND * seconds:
            self.machine.ledger.violations.append(f"the loop turned {loop.turns - before} times in {seconds:g} s")

    def stop_after(self, turns: int) -> None:
        """Let it stand still after so many turns of its loop, wherever it is then; it can be run again."""
        self.loop.turns_left = turns
        with suppress(Killed):
            self.run(PATIENCE_SECONDS)
        self.loop.turns_left = None

    def end(self) -> None:
        """It stops what it does and gives the lease back."""
        # That the disk has no room for it is the last it could say.
        with self._moving(), suppress(StoreError):
            self.loop.run_until_complete(self._engine.stop())
        self._go()

    def kill(self) -> None:
        with self._moving():
            self.machine.outside.pass_time(self.loop.now)
            self.machine.outside.end_commands(self.number)
            self._store.die(self.machine.chance)
        self._go()

    def _go(self) -> None:
        loop = self.loop
        with self._moving():
            while left := asyncio.all_tasks(loop):
                for task in left:
                    task.cancel()
                loop.run_until_complete(asyncio.wait(left))
            loop.run_until_complete(loop.shutdown_asyncgens())
        self.machine.turns += loop.turns
        self.machine.alive.discard(self.number)
        self.machine.ledger.end(self.number)
        loop.close()
        self._workspace.close()


def _keys(event: StoredEvent) -> list[Key]:
    rows = carried(json.loads(event.payload), seq=event.seq, at=event.at, work_item=event.work_item)
    found = [row for table, _, row in rows if table == "delegations"]
    return [(row["work_item"], row["phase"], row["round"], row["agent"], row["subject"]) for row in found]


class _Watching:
    """In the place of `watchfiles`: hears nothing, so that folders are looked at as often as is promised anyway."""

    @staticmethod
    async def awatch(*_: Path, rust_timeout: int, **__: Any) -> AsyncIterator[set[Any]]:
        while True:
            await asyncio.sleep(rust_timeout / 1000)
            yield set()


def _places(machine: Machine) -> tuple[tuple[Any, Mapping[str, Any]], ...]:
    """Modules, and what of them is the simulation's own."""

    async def nothing_left(_: str | None = None) -> int:
        return 0

    def wall_clock(zone: dt.tzinfo) -> dt.datetime:
        return dt.datetime.fromtimestamp(machine.clock() / 1000, zone)

    def number() -> int:
        assert machine.moving is not None
        return machine.moving.number

    return (
        (lease, {"identity": SimpleNamespace(own=machine.identity, is_dead=machine.is_dead)}),
        (lease, {"os": SimpleNamespace(getpid=number)}),
        (engine, {"Drive": Ungitted}),
        (commands, {"sweep_stale": nothing_left}),
        (telemetry, {"dt": SimpleNamespace(UTC=dt.UTC, datetime=SimpleNamespace(now=wall_clock))}),
    )


@contextmanager
def simulated(machine: Machine) -> Iterator[None]:
    """What the product takes from the real machine is the simulated one's own while this lasts."""
    places: list[tuple[Any, str, Callable[..., Any] | Any]] = [
        (module, name, value) for module, values in _places(machine) for name, value in values.items()
    ]
    before = [(module, name, getattr(module, name)) for module, name, _ in places]
    watching = sys.modules.get("watchfiles")
    sys.modules["watchfiles"] = _Watching  # type: ignore[assignment]
    try:
        for module, name, value in places:
            setattr(module, name, value)
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)
        del sys.modules["watchfiles"]
        if watching is not None:
            sys.modules["watchfiles"] = watching
