"""apm on the standard workload, in a process of its own: see `tests.bench_engine.team` for what is measured."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core import workspace as workspaces
from core.demo import sample
from core.interpreter import tune
from core.orchestration import work_items
from core.orchestration.engine import Engine
from core.places import FILE
from core.projects import registering
from core.store.chain import StoredEvent
from core.store.store import Store
from core.store.transaction import Transaction
from core.workspace import Workspace
from tests.bench_engine.standard import PHASES, Meter, Outcome, Shape, parse, tell
from tests.bench_engine.team import Idle, install

LIMITS = "parallel_work_items: 4"
"""What the team's file says as it ships; the workload has its own number."""
COUNTED = "SELECT count(*) FROM delegations WHERE agent NOT LIKE '%-orch'"
"""Recorded steps: workers and gates. The orchestrators' own answers are recorded as well, and count for nothing."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench_engine.ours")
    parser.add_argument("--synchronous", choices=("full", "normal"), default="full")
    parser.add_argument("--git", action="store_true", help="the work items have a project, and git is asked")
    shape, given = parse(parser)
    logging.basicConfig(level=logging.WARNING)
    install(shape.side_by_side, with_git=given.git)
    tell(asyncio.run(measure(given.folder, shape, given.synchronous, with_git=given.git)))


async def measure(folder: Path, shape: Shape, synchronous: str, *, with_git: bool = False) -> Outcome:
    """Run the workload in the folder: an empty workspace, or one whose journal has been filled before."""
    with opened(folder / "workspace", shape.at_once, synchronous) as workspace:
        project = await _sample_project(workspace, folder / "project") if with_git else None
        before = size(workspace.store.path)
        outcome = await _run(workspace, shape, project)
        spoken = _synchronous_of(workspace.store)
    return replace(outcome, synchronous=spoken, bytes=size(folder / "workspace" / "state" / "apm.db") - before)


def opened(folder: Path, at_once: int, synchronous: str) -> Workspace:
    """A workspace whose team works on so many work items at once."""
    file = workspaces.create(folder) / FILE
    text = file.read_text(encoding="utf-8")
    if LIMITS in text:
        file.write_text(text.replace(LIMITS, f"parallel_work_items: {at_once}"), encoding="utf-8")
    workspace = Workspace(folder.resolve(), Store.open(folder.resolve() / "state", synchronous=synchronous))
    workspace.update_registry()
    return workspace


async def _run(workspace: Workspace, shape: Shape, project: int | None) -> Outcome:
    ended = Ended(asyncio.get_running_loop(), shape.items * PHASES)
    engine = Engine(workspace, Idle().as_runtimes())
    (already,) = workspace.store.read_now(lambda r: r.sql(COUNTED))[0]
    await engine.start()
    tune()
    try:
        await engine.until_settled()
        end_listening = workspace.store.subscribe(ended.heard)
        meter = Meter(shape.seconds)
        await workspace.store.write(lambda tx: _accept(tx, shape.items, project))
        cut = not await ended.within(shape.seconds)
        outcome = meter.outcome("", cut=cut)
        end_listening()
        (steps,) = workspace.store.read_now(lambda r: r.sql(COUNTED))[0]
    finally:
        await engine.stop()
    return replace(outcome, steps=steps - already)


def _accept(tx: Transaction, items: int, project: int | None) -> None:
    for _ in range(items):
        number = work_items.create(tx, title="measured", project=project)
        work_items.accept(tx, number, "bench")


class Ended:
    """Hears of phases that end, on the writer's thread, and wakes whoever waits once so many have passed."""

    def __init__(self, loop: asyncio.AbstractEventLoop, phases: int) -> None:
        self._loop, self._left, self._broken = loop, phases, ""
        self._done, self._lock = asyncio.Event(), threading.Lock()

    def heard(self, events: Sequence[StoredEvent]) -> None:
        kinds = [e.kind for e in events]
        broken = [kind for kind in kinds if kind in ("phase.failed", "phase.blocked", "phase.sent_back")]
        with self._lock:
            self._left -= kinds.count("phase.passed")
            self._broken = self._broken or next(iter(broken), "")
            if self._left <= 0 or self._broken:
                self._loop.call_soon_threadsafe(self._done.set)

    async def within(self, seconds: float) -> bool:
        """Whether all have passed within the time. Raises RuntimeError when one did not pass at all."""
        try:
            async with asyncio.timeout(seconds):
                await self._done.wait()
        except TimeoutError:
            return False
        if self._broken:
            raise RuntimeError(f"a work item of the workload stopped: {self._broken}")
        return True


async def _sample_project(workspace: Workspace, folder: Path) -> int:
    facts = await registering.examine(await sample.write_project(folder))
    return await workspace.store.write(lambda tx: registering.add_project(tx, facts, {}))


def _synchronous_of(store: Store) -> str:
    """As the writing connection itself says."""
    found = store.write_now(lambda tx: tx.sql("PRAGMA synchronous"))[0][0]
    return {1: "NORMAL", 2: "FULL"}.get(found, str(found))


def size(path: Path) -> int:
    """The bytes of a database once its log is back in it."""
    database = sqlite3.connect(path)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return path.stat().st_size


if __name__ == "__main__":
    main()
