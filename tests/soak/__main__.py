"""`python -m tests.soak [ITEMS] [--seed N]`: 1,000 work items in one process, 20 at once, and what the process takes.

After a quarter of them, and at the end, all has come to rest: exit code 1 when the second time the process takes more
than the first, beyond `BOUNDS`.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.soak.work import Sample, soak

MB = 2**20
CACHES = 3 * 32_000 * 1_024
"""The page caches of the writer and the two readers, which fill as the database grows."""

POOL = min(32, (os.cpu_count() or 1) + 4)

BOUNDS: tuple[tuple[str, Callable[[Sample], int], float, str], ...] = (
    ("memory", lambda s: s.rss, CACHES + 16 * MB, "the three page caches and 16 MB"),
    ("allocations", lambda s: s.blocks, 20_000, "20,000 blocks: fewer than thirty for each work item"),
    (
        "descriptors",
        lambda s: s.descriptors,
        1,
        "one: SQLite keeps that of the daily look for the next",
    ),
    ("threads", lambda s: s.threads, POOL, f"the {POOL} of asyncio's pool, which come one by one"),
    ("tasks", lambda s: s.tasks, 0, "none"),
    ("scratch folders", lambda s: s.scratch, 0, "none"),
)
"""What may grow from rest to rest, by how much at most, and that in words."""

ROW = "{:>6} {:>9} {:>12} {:>12} {:>8} {:>6} {:>12} {:>8} {:>7}"


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    arguments.add_argument("items", nargs="?", type=int, default=1_000)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    # An agent's own faults are part of the work, and are recorded where they belong.
    logging.disable(logging.CRITICAL)
    began = time.monotonic()

    def heard(sample: Sample) -> None:
        figures = (f"{sample.rss / MB:.1f} MB", sample.blocks, sample.descriptors, sample.threads, sample.tasks)
        rest = (f"{sample.database / MB:.1f} MB", sample.scratch, f"{time.monotonic() - began:.0f} s")
        print(ROW.format(sample.done, *figures, *rest), flush=True)

    print(ROW.format("done", "memory", "allocations", "descriptors", "threads", "tasks", "database", "scratch", "time"))
    with tempfile.TemporaryDirectory(prefix="apm-soak-") as folder:
        work = asyncio.run(soak(Path(folder) / "ws", given.seed, given.items, max(1, given.items // 20), heard))
    print(f"{work.done} work items, {work.ledger.executions} executions, {work.answers} answers")
    warm, last = work.at_rest
    return 1 if sum(_told(bound, warm, last) for bound in BOUNDS) else 0


def _told(bound: tuple[str, Callable[[Sample], int], float, str], warm: Sample, last: Sample) -> bool:
    """Say what has grown by how much; whether that is too much."""
    name, figure, most, words = bound
    grown = figure(last) - figure(warm)
    print(f"{'GREW' if grown > most else 'ok':<5} {name:<16} {grown:>+12,} (allowed: {words})")
    return grown > most


if __name__ == "__main__":
    sys.exit(main())
