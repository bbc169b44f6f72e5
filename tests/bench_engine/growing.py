"""Whether the journal's speed stays: 50 work items at once on an empty journal and on a long one, by turns."""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from core.contract import Json
from core.governance.notices.delivery import deliver
from core.store.audit import verify
from core.workspace import Workspace
from tests.bench_engine.filling import driven_once, fill
from tests.bench_engine.ours import COUNTED, measure, opened
from tests.bench_engine.standard import PHASES, STEPS, Shape
from tests.bench_engine.team import install

BATCH = 2_000
"""Work items between two lines that say how far it is."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench_engine.growing")
    parser.add_argument("folder", type=Path, help="an empty folder for the databases")
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--items", type=int, default=100)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20.0)
    given = parser.parse_args()
    install(True, with_git=False)
    shape = Shape(given.items, 50, True, given.seconds)
    print(json.dumps(asyncio.run(_grown(given.folder, shape, given.steps, given.runs))))


async def _grown(folder: Path, shape: Shape, steps: int, runs: int) -> Json:
    began = perf_counter()
    recorded = await _filled(folder / "long", steps)
    spent = perf_counter() - began
    rates: dict[str, list[float]] = {"empty": [], "long": []}
    for turn in range(runs + 1):
        for name, place in (("empty", folder / f"empty-{turn}"), ("long", folder / "long")):
            # The first turn of each fills caches, and counts for nothing.
            place.mkdir(exist_ok=True)
            outcome = await measure(
                place, replace(shape, items=max(1, shape.items // 5)) if not turn else shape, "full"
            )
            rates[name] += [outcome.rate] if turn else []
    return {**rates, "recorded": recorded, "seconds_to_fill": spent}


async def _filled(place: Path, steps: int) -> int:
    place.mkdir()
    with opened(place / "workspace", 50, "full") as workspace:
        pattern = await driven_once(workspace)
        items = math.ceil(steps / STEPS)
        for done in range(0, items, BATCH):
            await fill(workspace, pattern, [(PHASES, 0)] * min(BATCH, items - done))
            # As the engine does it: what it would find untold is no part of the workload.
            await deliver(workspace.store, workspace.state, lambda line: None, environment={})
            print(f"{min(items, done + BATCH) * STEPS:,} steps are recorded …", file=sys.stderr)
        _check_chain(workspace)
        (recorded,) = workspace.store.read_now(lambda r: r.sql(COUNTED))[0]
    return int(recorded)


def _check_chain(workspace: Workspace) -> None:
    """Raises RuntimeError when the chain does not hold: then it would be no journal that is measured."""
    audit = workspace.store.read_now(lambda r: verify(r, workspace.store.key))
    if not audit.is_whole:
        raise RuntimeError(f"the chain of the long journal does not hold: {audit.faults[0].what}")


if __name__ == "__main__":
    main()
