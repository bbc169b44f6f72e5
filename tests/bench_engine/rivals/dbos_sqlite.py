"""DBOS on SQLite as it comes: every work item a workflow, every step a step, `synchronous=FULL` by SQLite's default."""

# mypy: disable-error-code="import-not-found, misc, untyped-decorator, no-untyped-call"

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
from pathlib import Path
from typing import Any

from dbos import DBOS, SetWorkflowID

from tests.bench_engine.standard import PHASES, WORKERS, Meter, Outcome, Shape, parse, result, run_items, tell

_meter = Meter(0.0)
_side_by_side = False


@DBOS.step()
async def step(phase: int, n: int) -> dict[str, Any]:
    _meter.steps += 1
    return result(phase, n)


@DBOS.workflow()
async def work(number: int) -> int:
    for phase in range(PHASES):
        if _side_by_side:
            await asyncio.gather(*(step(phase, n) for n in range(WORKERS)))
        else:
            for n in range(WORKERS):
                await step(phase, n)
        await step(phase, WORKERS)
    return number


async def run(folder: Path, shape: Shape) -> Outcome:
    global _meter, _side_by_side
    _side_by_side = shape.side_by_side
    url = f"sqlite:///{folder / 'dbos.db'}"
    DBOS(config={"name": "bench", "system_database_url": url, "log_level": "ERROR", "run_admin_server": False})
    DBOS.launch()
    _meter = Meter(shape.seconds)

    async def one(number: int) -> None:
        with SetWorkflowID(f"work-{number}"):
            await work(number)

    cut = await run_items(shape, _meter, one)
    return _meter.outcome("FULL", cut=cut)


if __name__ == "__main__":
    asked, given = parse(argparse.ArgumentParser())
    tell(asyncio.run(run(given.folder, asked)))
    # What was cut goes on in its threads; nothing is left for it to do.
    with contextlib.suppress(Exception):
        sys.stdout.flush()
    os._exit(0)
