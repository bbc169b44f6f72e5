"""LangGraph, a graph: every step a node, AsyncSqliteSaver in WAL with `synchronous=FULL`, `durability="sync"`.

The state holds the newest results alone, so that a checkpoint does not grow with the steps before it.
"""

# mypy: disable-error-code="import-not-found, misc, untyped-decorator, no-untyped-call"

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Annotated, Any, TypedDict

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph

from tests.bench_engine.standard import PHASES, STEPS, WORKERS, Meter, Outcome, Shape, parse, result, run_items, tell


def newest(_: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    return given


class State(TypedDict):
    result: Annotated[dict[str, Any], newest]


def graph(shape: Shape, meter: Meter) -> StateGraph:
    built = StateGraph(State)
    before = START
    for phase in range(PHASES):
        names = [f"phase{phase}-step{n}" for n in range(WORKERS + 1)]
        for n, name in enumerate(names):
            built.add_node(name, _node(phase, n, meter))
        if shape.side_by_side:
            for name in names[:-1]:
                built.add_edge(before, name)
            built.add_edge(names[:-1], names[-1])
        else:
            for a, b in zip([before, *names], names, strict=False):
                built.add_edge(a, b)
        before = names[-1]
    built.add_edge(before, END)
    return built


def _node(phase: int, n: int, meter: Meter) -> Any:
    async def step(_: State) -> dict[str, Any]:
        meter.steps += 1
        return {"result": result(phase, n)}

    return step


async def run(folder: Path, shape: Shape) -> Outcome:
    async with AsyncSqliteSaver.from_conn_string(str(folder / "langgraph.db")) as saver:
        await saver.setup()
        await saver.conn.execute("PRAGMA synchronous = FULL")
        meter = Meter(shape.seconds)
        compiled = graph(shape, meter).compile(checkpointer=saver)
        meter.restart()

        async def one(number: int) -> None:
            config = {"configurable": {"thread_id": str(number)}, "recursion_limit": 2 * STEPS}
            await compiled.ainvoke({"result": {}}, config, durability="sync")

        cut = await run_items(shape, meter, one)
        return meter.outcome("FULL", cut=cut)


if __name__ == "__main__":
    asked, given = parse(argparse.ArgumentParser())
    tell(asyncio.run(run(given.folder, asked)))
