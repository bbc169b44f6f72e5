"""Run as a process: ten threads, each of which puts choices to domain agents in one workspace, all at once."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from core.governance.decisions import Choice, make_decision
from core.workspace import Workspace

THREADS = 10
EACH = 4
"""Choices of its own that a thread puts; one more it shares with everybody."""
SHARED = "Is there one question or fifty?"


def main(folder: str, name: str) -> None:
    begin = threading.Barrier(THREADS)
    with Workspace.open(Path(folder)) as workspace, ThreadPoolExecutor(THREADS) as threads:

        def put(question: str, kind: str) -> None:
            choice = Choice("technical", kind, question, 5)
            workspace.store.write_now(lambda tx: make_decision(tx, choice))

        def work(number: int) -> None:
            begin.wait()
            for n in range(EACH):
                put(f"{name}, thread {number}, choice {n}?", "caching")
            put(SHARED, "breaking_change")

        for done in [threads.submit(work, number) for number in range(THREADS)]:
            done.result()


if __name__ == "__main__":
    main(*sys.argv[1:])
