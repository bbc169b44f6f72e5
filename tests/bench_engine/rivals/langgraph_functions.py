"""LangGraph, the functional API: every step a task, SQLite in WAL with `synchronous=NORMAL`.

It goes on before a result is written, also with `durability="sync"`; `FULL` would promise what it does not keep.
"""

# mypy: disable-error-code="import-not-found, misc, untyped-decorator, no-untyped-call"

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Any

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.func import entrypoint, task

from tests.bench_engine.standard import PHASES, STEPS, WORKERS, Meter, Outcome, Shape, parse, result, run_items, tell


async def run(folder: Path, shape: Shape) -> Outcome:
    meter = Meter(shape.seconds)

    @task
    async def step(phase: int, n: int) -> dict[str, Any]:
        meter.steps += 1
        return result(phase, n)

    async with AsyncSqliteSaver.from_conn_string(str(folder / "langgraph.db")) as saver:
        await saver.setup()
        await saver.conn.execute("PRAGMA synchronous = NORMAL")

        @entrypoint(checkpointer=saver)
        async def work(_: int) -> int:
            for phase in range(PHASES):
                if shape.side_by_side:
                    await asyncio.gather(*(step(phase, n) for n in range(WORKERS)))
                else:
                    for n in range(WORKERS):
                        await step(phase, n)
                await step(phase, WORKERS)
            return STEPS

        meter.restart()

        async def one(number: int) -> None:
            await work.ainvoke(number, {"configurable": {"thread_id": str(number)}}, durability="sync")

        cut = await run_items(shape, meter, one)
        return meter.outcome("NORMAL", cut=cut)


if __name__ == "__main__":
    asked, given = parse(argparse.ArgumentParser())
    tell(asyncio.run(run(given.folder, asked)))
