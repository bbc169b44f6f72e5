"""CrewAI flows: every step a method of a flow, persisted after each by SQLiteFlowPersistence (WAL, `synchronous=FULL`).

The state holds the newest result alone. CrewAI's own lock between processes waits a quarter of a second wherever two
methods meet; there is one process here, so it gets a lock of threads, which is what it offers for that.
"""

# mypy: disable-error-code="import-not-found, misc, untyped-decorator, no-untyped-call"

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import threading
from collections import defaultdict
from pathlib import Path
from typing import Any

os.environ |= {"CREWAI_DISABLE_TELEMETRY": "true", "OTEL_SDK_DISABLED": "true", "CREWAI_TRACING_ENABLED": "false"}

from crewai.flow.flow import Flow, and_, listen, start
from crewai.flow.persistence import SQLiteFlowPersistence, persist
from crewai_core.lock_store import set_lock_backend

from tests.bench_engine.standard import (
    PHASES,
    WORKERS,
    Meter,
    Outcome,
    Shape,
    parse,
    result,
    run_items,
    tell,
)


def flow(shape: Shape, meter: Meter, path: Path) -> Any:
    """The class of the flow: its methods listen to those that they depend on."""
    methods: dict[str, Any] = {}
    before: Any = None
    for phase in range(PHASES):
        workers = []
        for n in range(WORKERS):
            name = f"phase{phase}_step{n}"
            when = start() if before is None else listen(before)
            methods[name] = when(_method(name, phase, n, meter))
            workers.append(name)
            before = before if shape.side_by_side else name
        gate = f"phase{phase}_step{WORKERS}"
        methods[gate] = listen(and_(*workers) if shape.side_by_side else before)(_method(gate, phase, WORKERS, meter))
        before = gate
    made = type("Work", (Flow,), {**methods, "__module__": __name__})
    return persist(SQLiteFlowPersistence(str(path)))(made)


def _method(name: str, phase: int, n: int, meter: Meter) -> Any:
    async def step(self: Any) -> dict[str, Any]:
        meter.steps += 1
        found = result(phase, n)
        self.state["result"] = found
        return found

    step.__name__ = step.__qualname__ = name
    return step


async def run(folder: Path, shape: Shape) -> Outcome:
    meter = Meter(shape.seconds)
    locks: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)
    set_lock_backend(lambda name, timeout: locks[name])
    work = flow(shape, meter, folder / "crewai.db")
    # The first flow of a process imports for seconds.
    work(suppress_flow_events=True)
    meter.restart()

    async def one(_: int) -> None:
        await work(suppress_flow_events=True).kickoff_async()

    cut = await run_items(shape, meter, one)
    return meter.outcome("FULL", cut=cut)


if __name__ == "__main__":
    logging.disable(logging.ERROR)
    asked, given = parse(argparse.ArgumentParser())
    os.environ["CREWAI_STORAGE_DIR"] = str(given.folder)
    tell(asyncio.run(run(given.folder, asked)))
    os._exit(0)
