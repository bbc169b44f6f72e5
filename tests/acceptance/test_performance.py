"""Facts that speed rests on: agents run at the same moment, writers lose nothing, and context reads what it must."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.contract import AgentRequest, AgentResponse, succeeded
from core.orchestration import work_items
from core.store.transaction import Transaction
from tests.acceptance import writers
from tests.acceptance.people import Driving, agent, escalation, write
from tests.e2e.apm_process import ROOT, environment
from tests.unit.command_line import CommandLine
from tests.unit.scripted import OUTPUTS, Scripted

PROCESSES = 5


async def test_parallel_agent_operations(pm33: CommandLine) -> None:
    """Two agents are in their work at once, as are two work items; fifty writers leave fifty writers' work."""
    meeting = asyncio.Barrier(4)

    def meets(role: str) -> Callable[[AgentRequest], Any]:
        async def answer(_: AgentRequest) -> AgentResponse:
            # Nobody goes on before the other agent of the phase, and both of the other work item, are here too.
            await meeting.wait()
            return succeeded(role, OUTPUTS[role])

        return answer

    def add(tx: Transaction) -> None:
        for title in ("One", "Other"):
            number = work_items.create(tx, title=title, project=None)
            work_items.accept(tx, number, "ada")
            work_items.stop_after(tx, number, "D1")

    pm33.write(add)
    script = Scripted(value_articulator=meets("value-articulator"), risk_notary=meets("risk-notary"))
    async with Driving(pm33.folder, runtimes=script.as_runtimes()) as driving:
        await driving.settle()
    shown = [pm33("work-item", "show", number, "--json").json for number in ("1", "2")]
    assert [item["phases"][0]["status"] for item in shown] == ["passed", "passed"]

    words = (sys.executable, "-m", writers.__name__, str(pm33.folder))
    started = [
        await asyncio.create_subprocess_exec(*words, f"process {n}", cwd=ROOT, env=environment())
        for n in range(PROCESSES)
    ]
    assert [await process.wait() for process in started] == [0] * PROCESSES

    made = pm33("decisions", "list", "--limit", "1000", "--json").json
    own = {row["question"] for row in made if row["outcome"] == "decided"}
    assert len(own) == PROCESSES * writers.THREADS * writers.EACH
    assert len(made) == len(own) + 1
    [shared] = [row for row in made if row["outcome"] == "escalated"]
    assert escalation(pm33, shared["escalation"])["count"] == PROCESSES * writers.THREADS
    assert pm33("audit", "verify").code == 0


@contextmanager
def watched(below: Path) -> Iterator[tuple[set[str], set[str]]]:
    """The folders that are listed and the files that are opened below a folder, while inside."""
    listed: set[str] = set()
    opened: set[str] = set()

    def see(event: str, arguments: tuple[Any, ...]) -> None:
        seen = {"os.scandir": listed, "os.listdir": listed, "open": opened}.get(event)
        place = arguments[0] if arguments else None
        if is_on and seen is not None and isinstance(place, str | Path) and Path(place).is_relative_to(below):
            seen.add(Path(place).relative_to(below).as_posix())

    is_on = True
    sys.addaudithook(see)
    try:
        yield listed, opened
    finally:
        is_on = False


def test_context_loading_efficiency(pm33: CommandLine) -> None:
    """Only folders that a pattern leads to are looked into, no document is opened, and what is too much is counted."""
    write(pm33.folder, {f"PM33/marketing/week {n:03}/post.md": "a post" for n in range(250)})
    write(pm33.folder, {f"PM33/architecture/part {n}/notes.md": "for others" for n in range(40)})
    write(pm33.folder, {f"node_modules/package {n}/README.md": "of somebody" for n in range(40)})
    write(pm33.folder, {"PM33/Templates/mail.md": "Hello", "PM33/Templates/film.md": "x" * 1_000_001})

    with watched(pm33.folder) as (listed, opened):
        context = agent(pm33, "gtm")["context"]

    assert len(context["given"]) == 200
    assert context["left_out"] == 52
    looked_into = {place.split("/")[1] if "/" in place else place for place in listed if place.startswith("PM33")}
    assert looked_into == {"PM33", "marketing", "Templates"}
    assert not any(place.startswith(("node_modules", "state")) for place in listed)
    assert not any(place.endswith(".md") for place in opened)
