"""Burr: every step an action, AsyncSQLitePersister in WAL with `synchronous=FULL`, saved after each action.

A graph of Burr runs one action after another, so side by side is the same as in a sequence here. Work items share the
connection, and with it its commits.
"""

# mypy: disable-error-code="import-not-found, misc, untyped-decorator, no-untyped-call"

from __future__ import annotations

import argparse
import asyncio
import itertools
from pathlib import Path
from typing import Any

from burr.core import ApplicationBuilder, State, action
from burr.integrations.persisters.b_aiosqlite import AsyncSQLitePersister

from tests.bench_engine.standard import PHASES, WORKERS, Meter, Outcome, Shape, parse, result, run_items, tell

NAMES = [f"phase{phase}_step{n}" for phase in range(PHASES) for n in range(WORKERS + 1)]


def actions(meter: Meter) -> dict[str, Any]:
    return {name: _action(*divmod(at, WORKERS + 1), meter) for at, name in enumerate(NAMES)}


def _action(phase: int, n: int, meter: Meter) -> Any:
    @action(reads=[], writes=["result"])
    async def step(state: State) -> tuple[dict[str, Any], State]:
        meter.steps += 1
        found = {"result": result(phase, n)}
        return found, state.update(**found)

    return step


async def run(folder: Path, shape: Shape) -> Outcome:
    meter = Meter(shape.seconds)
    persister = await AsyncSQLitePersister.from_values(db_path=str(folder / "burr.db"))
    for pragma in ("journal_mode = wal", "synchronous = full"):
        await persister.connection.execute(f"PRAGMA {pragma}")
    await persister.initialize()
    steps = actions(meter)
    ways = list(itertools.pairwise(NAMES))

    async def one(number: int) -> None:
        app = await (
            ApplicationBuilder()
            .with_actions(**steps)
            .with_transitions(*ways)
            .with_entrypoint(NAMES[0])
            .with_state(result={})
            .with_identifiers(app_id=str(number))
            .with_state_persister(persister)
            .abuild()
        )
        await app.arun(halt_after=[NAMES[-1]])

    meter.restart()
    cut = await run_items(shape, meter, one)
    outcome = meter.outcome("FULL", cut=cut)
    await persister.cleanup()
    return outcome


if __name__ == "__main__":
    asked, given = parse(argparse.ArgumentParser())
    tell(asyncio.run(run(given.folder, asked)))
