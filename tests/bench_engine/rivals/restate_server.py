"""Restate: its own server beside a Python service, every step a `ctx.run`, as the server comes (its log with fsync).

The server is one node on loopback that keeps everything in the run's folder. It is told nothing about tuning.
"""

# mypy: disable-error-code="import-not-found, misc, untyped-decorator, no-untyped-call"

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import restate
from hypercorn.asyncio import serve
from hypercorn.config import Config

from tests.bench_engine.standard import PHASES, WORKERS, Meter, Outcome, Shape, parse, result, run_items, tell

PATIENCE_SECONDS = 45.0
_meter = Meter(0.0)
_side_by_side = False
bench = restate.Service("bench")


@bench.handler()
async def work(ctx: restate.Context, number: int) -> int:
    for phase in range(PHASES):
        if _side_by_side:
            await restate.gather(*(ctx.run_typed("step", step, phase=phase, n=n) for n in range(WORKERS)))
        else:
            for n in range(WORKERS):
                await ctx.run_typed("step", step, phase=phase, n=n)
        await ctx.run_typed("gate", step, phase=phase, n=WORKERS)
    return number


async def step(phase: int, n: int) -> dict[str, Any]:
    _meter.steps += 1
    return result(phase, n)


async def run(folder: Path, shape: Shape) -> Outcome:
    global _meter, _side_by_side
    _side_by_side = shape.side_by_side
    ports = Ports(*free_ports(4))
    async with served(ports), server(folder, ports), httpx.AsyncClient(timeout=None) as client:
        await registered(client, ports)
        _meter = Meter(shape.seconds)

        async def one(number: int) -> None:
            answer = await client.post(f"http://127.0.0.1:{ports.ingress}/bench/work", json=number)
            answer.raise_for_status()

        cut = await run_items(shape, _meter, one)
        return _meter.outcome("fsync", cut=cut)


class Ports:
    def __init__(self, service: int, ingress: int, admin: int, node: int) -> None:
        self.service, self.ingress, self.admin, self.node = service, ingress, admin, node


def free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


@contextlib.asynccontextmanager
async def served(ports: Ports) -> AsyncIterator[None]:
    """The Python service, in this process."""
    config, over = Config(), asyncio.Event()
    config.bind, config.loglevel = [f"127.0.0.1:{ports.service}"], "ERROR"
    task = asyncio.create_task(serve(restate.app([bench]), config, shutdown_trigger=over.wait))
    try:
        yield
    finally:
        over.set()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextlib.asynccontextmanager
async def server(folder: Path, ports: Ports) -> AsyncIterator[None]:
    program = next(Path(sys.prefix, "node_modules", "@restatedev").glob("restate-server-*/bin/restate-server"))
    environ = os.environ | {
        "RESTATE_BASE_DIR": str(folder / "restate"),
        "RESTATE_LISTEN_MODE": "tcp",
        "RESTATE_BIND_IP": "127.0.0.1",
        "RESTATE_BIND_PORT": str(ports.node),
        "RESTATE_INGRESS__BIND_ADDRESS": f"127.0.0.1:{ports.ingress}",
        "RESTATE_ADMIN__BIND_ADDRESS": f"127.0.0.1:{ports.admin}",
        "RESTATE_LOG_FILTER": "error",
        "RESTATE_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "1",
    }
    # Its words are written to a file: a pipe that nobody reads would stop it.
    with (folder / "server.log").open("wb") as log:
        child = await asyncio.create_subprocess_exec(program, "--no-logo", env=environ, stdout=log, stderr=log)
    try:
        yield
    finally:
        child.kill()
        await child.wait()


async def registered(client: httpx.AsyncClient, ports: Ports) -> None:
    """Tell the server of the service, as soon as it listens."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            with contextlib.suppress(httpx.TransportError):
                uri = f"http://127.0.0.1:{ports.service}"
                answer = await client.post(f"http://127.0.0.1:{ports.admin}/deployments", json={"uri": uri})
                if answer.is_success and await _answers(client, ports):
                    return
            await asyncio.sleep(0.2)


async def _answers(client: httpx.AsyncClient, ports: Ports) -> bool:
    """Whether a whole work item goes through: the first is also the warm-up."""
    found = await client.post(f"http://127.0.0.1:{ports.ingress}/bench/work", json=0)
    return found.is_success


if __name__ == "__main__":
    asked, given = parse(argparse.ArgumentParser())
    tell(asyncio.run(run(given.folder, asked)))
