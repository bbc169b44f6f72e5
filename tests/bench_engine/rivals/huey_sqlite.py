"""huey: every step a task of a SqliteHuey with `fsync` (`synchronous=FULL`, WAL), worked on by threads of the process.

Who waits for a task is woken by huey's own signal, which comes after the result was stored; polling would measure the
polling. The workers look for work every millisecond for the same reason.
"""

# mypy: disable-error-code="import-not-found, misc, untyped-decorator, no-untyped-call"

from __future__ import annotations

import argparse
import asyncio
import logging
import os
from pathlib import Path
from typing import Any

from huey import SqliteHuey
from huey.signals import SIGNAL_COMPLETE

from tests.bench_engine.standard import PHASES, WORKERS, Meter, Outcome, Shape, parse, result, run_items, tell

THREADS = 8
LOOK_SECONDS = 0.001


async def run(folder: Path, shape: Shape) -> Outcome:
    huey = SqliteHuey("bench", filename=str(folder / "huey.db"), fsync=True)
    loop, waiting = asyncio.get_running_loop(), dict[str, asyncio.Future[None]]()

    @huey.task()
    def step(phase: int, n: int) -> dict[str, Any]:
        return result(phase, n)

    @huey.signal(SIGNAL_COMPLETE)
    def completed(_: str, task: Any) -> None:
        loop.call_soon_threadsafe(_settle, waiting, task.id)

    meter = Meter(shape.seconds)

    async def done(phase: int, n: int) -> None:
        task = step.s(phase, n)
        waiting[task.id] = loop.create_future()
        huey.enqueue(task)
        await waiting[task.id]
        del waiting[task.id]
        huey.result(task.id, preserve=True)
        meter.steps += 1

    async def one(_: int) -> None:
        for phase in range(PHASES):
            if shape.side_by_side:
                await asyncio.gather(*(done(phase, n) for n in range(WORKERS)))
            else:
                for n in range(WORKERS):
                    await done(phase, n)
            await done(phase, WORKERS)

    consumer = huey.create_consumer(
        workers=THREADS, periodic=False, initial_delay=LOOK_SECONDS, max_delay=LOOK_SECONDS, backoff=1.0
    )
    consumer.start()
    meter.restart()
    cut = await run_items(shape, meter, one)
    return meter.outcome("FULL", cut=cut)


def _settle(waiting: dict[str, asyncio.Future[None]], task: str) -> None:
    if task in waiting and not waiting[task].done():
        waiting[task].set_result(None)


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    asked, given = parse(argparse.ArgumentParser())
    tell(asyncio.run(run(given.folder, asked)))
    # The consumer's threads wait for work that does not come.
    os._exit(0)
