"""Driving work items without a screen: until they stand still, a signal comes, or another process does it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from typing import TYPE_CHECKING, Any

from core.contract import ApmError
from core.interpreter import tune
from core.orchestration.engine import Engine
from core.orchestration.runtimes import NO_TAPE, Tape
from core.store import reads, rows
from tui.cli.output import note
from tui.cli.progress import Progress

if TYPE_CHECKING:
    from core.workspace import Workspace

POLL_SECONDS = 0.5
"""How often a process that follows looks whether the work stands still, or the one that drives is gone."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
UNDERWAY = ("ready", "running", "released")
"""States of a work item that is on its way; `released` has E1 before it."""


class Stopped(ApmError):
    """A signal came. What ran was stopped in order, and what was recorded is kept."""

    def __init__(self, number: int) -> None:
        name = signal.Signals(number).name
        super().__init__(f"stopped by {name}; what was recorded is kept, and the next run goes on from there.")
        self.exit_code = 128 + number


Answer = Callable[[], Awaitable[bool]]
"""Called when nothing can go on: answers what is asked, and says whether that lets the work go on."""


async def drive(
    workspace: Workspace, work_items: Collection[int], answer: Answer | None = None, tape: Tape = NO_TAPE
) -> None:
    """Drive these work items until none of them can go on. Raises Stopped, or what stopped the engine itself.

    While another process drives the workspace this one only follows, and takes over when that one ends.
    """
    engine = Engine(workspace, only=work_items, tape=tape)
    tune()
    engine.on_notice(note)
    wanted = frozenset(work_items)
    progress = Progress(workspace.store, wanted, lambda: engine.live() if engine.is_driving else None)
    async with _signals() as stopped, progress.shown():
        try:
            while True:
                await _until_still(workspace, engine, wanted, stopped)
                await engine.keep_duties()
                await progress.tell()
                if engine.is_driving and not engine.is_settled(wanted):
                    # A file in the inbox has answered what it waited for.
                    continue
                if answer is None or not await answer():
                    return
        finally:
            await engine.stop()


async def _until_still(
    workspace: Workspace, engine: Engine, wanted: frozenset[int], stopped: asyncio.Future[int]
) -> None:
    """Wait until the work items stand still. Raises Stopped, with the engine at rest, when a signal comes first."""
    work = asyncio.create_task(_drive_or_follow(workspace, engine, wanted), name="apm-until-still")
    either: set[asyncio.Future[Any]] = {work, stopped}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if stopped.done():
        # The engine first: whoever waits for it to settle then has nothing left to wait for.
        await engine.stop()
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        raise Stopped(stopped.result())
    await work


async def _drive_or_follow(workspace: Workspace, engine: Engine, wanted: frozenset[int]) -> None:
    if engine.is_driving or await engine.start():
        await engine.until_settled(wanted)
        return
    live = await workspace.store.read(reads.read_live)
    note(f"Process {live.pid or '?'} drives this workspace; this one follows.")
    while await workspace.store.read(lambda r: are_underway(r, wanted)):
        await asyncio.sleep(POLL_SECONDS)
        if await engine.start():
            await engine.until_settled(wanted)
            return


def are_underway(reader: reads.Connection, wanted: Collection[int]) -> bool:
    """Whether any of the work items could go on without a word from a person."""
    live = reads.read_live(reader)
    found = (reads.work_item(reader, number, live=live) for number in wanted)
    return any(item is not None and _is_underway(item) for item in found)


def _is_underway(item: rows.WorkItemRow) -> bool:
    if item.state == "running":
        return True
    facts = item.facts
    passed = {c.phase for c in item.cells if c.status == "passed"}
    stands = facts.paused_at is not None or (facts.until is not None and facts.until in passed)
    return item.state in UNDERWAY and not item.questions and not stands


@contextlib.asynccontextmanager
async def _signals() -> AsyncIterator[asyncio.Future[int]]:
    """A future that a signal completes with its number; before and after, signals mean what they always do."""
    loop = asyncio.get_running_loop()
    stopped: asyncio.Future[int] = loop.create_future()

    def stop(number: int) -> None:
        if not stopped.done():
            stopped.set_result(number)

    for number in SIGNALS:
        loop.add_signal_handler(number, stop, number)
    try:
        yield stopped
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
