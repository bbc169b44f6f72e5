"""The limit: the standard workload on sqlite3 alone, in WAL, `synchronous=FULL`.

A step is one row: its key, its 500 bytes (or `--bytes`, as many as a step of apm comes to), and an index over the key,
as every journal needs one. With a commit per step each step commits for itself, one after
another; with a group commit one writing thread commits together whatever waits. Neither has a chain, an engine, a
gate's judgement or anybody who listens: no journal can be faster than this on the machine at hand.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import queue
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

from tests.bench_engine.standard import (
    PHASES,
    RESULT_BYTES,
    WORKERS,
    Meter,
    Outcome,
    Shape,
    parse,
    result,
    run_items,
    tell,
)

GROUP = 512
"""Steps that may share a commit, as in apm's own writer."""

_SCHEMA = """
CREATE TABLE steps (id INTEGER PRIMARY KEY, item INTEGER, phase INTEGER, step INTEGER, result TEXT);
CREATE UNIQUE INDEX steps_key ON steps (item, phase, step);
"""
_STEP = "INSERT INTO steps (item, phase, step, result) VALUES (?, ?, ?, ?)"

Write = Callable[[sqlite3.Connection], None]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench_engine.raw")
    parser.add_argument("--commit", choices=("step", "group"), default="group")
    parser.add_argument("--bytes", type=int, default=RESULT_BYTES, help="how large a step's row is made at least")
    shape, given = parse(parser)
    path = given.folder / "raw.db"
    with _connected(path) as database:
        database.executescript(_SCHEMA)
    writer = _Grouped(path) if given.commit == "group" else _PerStep(path)
    outcome = asyncio.run(_run(shape, writer, given.bytes))
    tell(outcome)


async def _run(shape: Shape, writer: _PerStep | _Grouped, row_bytes: int) -> Outcome:
    meter = Meter(shape.seconds)

    async def one(item: int) -> None:
        for phase in range(PHASES):
            workers = [step(item, phase, n) for n in range(WORKERS)]
            if shape.side_by_side:
                await asyncio.gather(*workers)
            else:
                for worker in workers:
                    await worker
            await step(item, phase, WORKERS)

    async def step(item: int, phase: int, n: int) -> None:
        text = json.dumps(result(phase, n), separators=(",", ":"))

        def write(database: sqlite3.Connection) -> None:
            database.execute(_STEP, (item, phase, n, text.ljust(row_bytes)))

        await writer.write(write)
        meter.steps += 1

    cut = await run_items(shape, meter, one)
    outcome = meter.outcome("FULL", cut=cut)
    writer.close()
    return outcome


class _PerStep:
    """Every step commits by itself, on the thread that has it."""

    def __init__(self, path: Path) -> None:
        self._db = _connected(path)

    async def write(self, work: Write) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        work(self._db)
        self._db.execute("COMMIT")

    def close(self) -> None:
        self._db.close()


class _Grouped:
    """One writing thread; steps that wait at the same moment share a commit, and each waits for it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queue: queue.SimpleQueue[tuple[Write, asyncio.Future[None]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    async def write(self, work: Write) -> None:
        future = asyncio.get_running_loop().create_future()
        self._queue.put((work, future))
        await future

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join()

    def _serve(self) -> None:
        database = _connected(self._path)
        while (first := self._queue.get()) is not None:
            group = [first]
            while len(group) < GROUP and not self._queue.empty():
                following = self._queue.get()
                if following is None:
                    self._queue.put(None)
                    break
                group.append(following)
            database.execute("BEGIN IMMEDIATE")
            for work, _ in group:
                work(database)
            database.execute("COMMIT")
            group[0][1].get_loop().call_soon_threadsafe(_settle, [future for _, future in group])
        database.close()


def _settle(futures: list[asyncio.Future[None]]) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)


def _connected(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = wal", "synchronous = full", "cache_size = -32000"):
        database.execute(f"PRAGMA {pragma}")
    return database


if __name__ == "__main__":
    main()
