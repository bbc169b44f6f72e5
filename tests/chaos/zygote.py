"""Makes processes of `apm` quickly: one process loads the program once, and forks a new one for each order.

The forks are what a start of `apm` is from its first line on: no thread, no connection, no event loop is inherited.
What is saved is the second that loading takes. Orders come as lines of JSON, a line of JSON answers each.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import subprocess
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.chaos.driver import Order
from tests.e2e.apm_process import ROOT, environment

PATIENCE_SECONDS = 120.0
HUNG = 99
"""The exit code of a process that did not end in that time."""


class Zygote:
    """The side that gives orders. One at a time."""

    def __init__(self) -> None:
        argv = [sys.executable, "-m", "tests.chaos.zygote"]
        self._process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env=environment(), text=True
        )
        self._codes: dict[int, int] = {}

    def __enter__(self) -> Zygote:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def start(self, order: Order) -> int:
        """The number of the new process."""
        pid = int(self._ask({"start": order.to_json()}))
        self._codes.pop(pid, None)
        return pid

    def wait(self, pid: int) -> int:
        """Its exit code once it has ended: -9 when it was killed."""
        if pid not in self._codes:
            self._codes[pid] = int(self._ask({"wait": pid}))
        return self._codes[pid]

    def has_ended(self, pid: int) -> bool:
        if pid not in self._codes and (found := self._ask({"ended": pid})) is not None:
            self._codes[pid] = int(found)
        return pid in self._codes

    def _ask(self, what: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def _load() -> None:
    """All that a run, an answer and the app load on their way."""
    from importlib import import_module

    for name in (
        *("tui.cli.running", "tui.cli.driving", "tui.cli.escalations", "tui.cli.work_items", "tui.cli.audit"),
        *("core.runtimes.functions", "core.registry.catalog", "core.agents.release", "core.agents.evolution"),
        *("core.agents.deciding", "core.agents.telemetry", "core.agents.review", "core.agents.implementation"),
        "core.workspace",
    ):
        import_module(name)
    gc.freeze()


def _fork(order: Order) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        from tests.chaos.driver import run

        out = os.open(order.out, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        null = os.open(os.devnull, os.O_RDONLY)
        for target, source in ((0, null), (1, out), (2, out)):
            os.dup2(source, target)
        code = run(order)
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _serve() -> None:
    _load()
    for line in sys.stdin:
        told = json.loads(line)
        answer: int | None
        if "start" in told:
            answer = _fork(Order.from_json(told["start"]))
        else:
            answer = _ended(int(told["wait"]), PATIENCE_SECONDS) if "wait" in told else _ended(int(told["ended"]), 0)
        print(json.dumps(answer), flush=True)


def _ended(pid: int, patience: float) -> int | None:
    """How a process ended, if it does within so many seconds; one that was to end and does not is killed."""
    running = os.pidfd_open(pid)
    try:
        if select.select([running], [], [], patience)[0]:
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    finally:
        os.close(running)
    if not patience:
        return None
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return HUNG


if __name__ == "__main__":
    os.chdir(Path(__file__).parents[2])
    _serve()
