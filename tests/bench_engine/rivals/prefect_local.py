"""Prefect as it comes on one machine: every work item a flow, every step a task whose result is persisted.

Its own server runs beside it and keeps its state in SQLite (WAL, `synchronous=NORMAL`, which is Prefect's own); results
are files.
"""

# mypy: disable-error-code="import-not-found, misc, untyped-decorator, no-untyped-call"

from __future__ import annotations

import argparse
import asyncio
import logging
import os
from pathlib import Path
from typing import Any

from tests.bench_engine.standard import PHASES, WORKERS, Meter, Outcome, Shape, parse, result, run_items, tell


async def run(shape: Shape) -> Outcome:
    from prefect import flow, task

    meter = Meter(shape.seconds)

    @task(persist_result=True)
    async def step(phase: int, n: int) -> dict[str, Any]:
        meter.steps += 1
        return result(phase, n)

    @flow(persist_result=True)
    async def work(number: int) -> int:
        for phase in range(PHASES):
            if shape.side_by_side:
                await asyncio.gather(*(step(phase, n) for n in range(WORKERS)))
            else:
                for n in range(WORKERS):
                    await step(phase, n)
            await step(phase, WORKERS)
        return number

    @flow
    async def warm_up() -> None:
        """Its server is started by the first flow."""

    await warm_up()
    meter.restart()
    cut = await run_items(shape, meter, work)
    return meter.outcome("NORMAL", cut=cut)


def isolate(folder: Path) -> None:
    """Everything that Prefect keeps goes to the folder, and nothing is said or sent."""
    os.environ |= {
        "PREFECT_HOME": str(folder),
        "PREFECT_LOCAL_STORAGE_PATH": str(folder / "results"),
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "60",
        "DO_NOT_TRACK": "1",
    }


if __name__ == "__main__":
    asked, given = parse(argparse.ArgumentParser())
    isolate(given.folder)
    logging.disable(logging.CRITICAL)
    tell(asyncio.run(run(asked)))
