"""The app as it is, opened by the benchmark, which tells it through a socket what to do and asks what it noticed.

`python -m tests.bench.watched_app WORKSPACE FD`. Orders are lines of JSON, and each is answered by one when it is done.
"""

from __future__ import annotations

import asyncio
import gc
import json
import re
import socket
import sys
from collections.abc import Coroutine, Sequence
from itertools import cycle
from pathlib import Path
from time import perf_counter
from typing import Any

from core.contract import Json
from core.store.chain import StoredEvent
from core.store.transaction import Transaction
from core.workspace import Workspace
from tests.bench.crowd import rename
from tests.bench.load import Load
from tui import app
from tui.app import ApmApp

LOOK_SECONDS = 0.005
"""How often the event loop is asked to be on time."""
MARK = re.compile(r"mark-(\d{6})")
"""A text that is on the screen once and never again; the bytes of its commit carry it as well."""


class WatchedApp(ApmApp):
    """The app, and one that looks at the clock beside it."""

    CSS_PATH = str(Path(app.__file__).parent / "styles" / "app.tcss")
    """Textual looks for a relative one beside the class that is run."""

    def __init__(self, workspace: Workspace, orders: socket.socket) -> None:
        self._load = Load(workspace.store)
        # Opened by a function, as `apm` does it: only then is what was loaded left out of later collections.
        super().__init__(lambda: workspace, self._load)
        self._orders = orders
        self._late: list[float] = []
        self._is_looking = False
        self._committed: dict[str, float] = {}
        self._marks = 0
        self._beside: set[asyncio.Task[None]] = set()
        workspace.store.subscribe(self._heard)

    def on_ready(self) -> None:
        self._begin_task(self._obey())

    def _begin_task(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    def _heard(self, events: Sequence[StoredEvent]) -> None:
        """On the writer's thread, as soon as the commit is durable."""
        now = perf_counter()
        for event in events:
            if event.kind == "work_item.limited" and (found := MARK.search(event.payload)):
                self._committed[found[1]] = now

    async def _look_at_the_clock(self) -> None:
        while True:
            before = perf_counter()
            await asyncio.sleep(LOOK_SECONDS)
            self._late.append(perf_counter() - before - LOOK_SECONDS)

    async def _obey(self) -> None:
        reader, writer = await asyncio.open_connection(sock=self._orders)
        async for line in reader:
            order = json.loads(line)
            self._begin_task(self._answer(writer, order))

    async def _answer(self, writer: asyncio.StreamWriter, order: Json) -> None:
        try:
            answer = await getattr(self, f"order_{order.pop('do')}")(**order)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        writer.write(json.dumps(answer).encode() + b"\n")
        await writer.drain()

    async def order_load(self, work_items: list[int], rate: float, seconds: float) -> Json:
        """Write events for so long, about these work items by turns."""
        return await self._load.run(cycle(work_items), rate, seconds)

    async def order_mark(self, work_items: list[int], every: float, seconds: float) -> Json:
        """Change the titles of these rows by turns; when each of the new ones was committed."""
        began, self._committed = perf_counter(), {}
        while perf_counter() - began < seconds:
            number, text = work_items[self._marks % len(work_items)], f"mark-{self._marks:06d}"
            self._marks += 1

            def write(tx: Transaction, number: int = number, text: str = text) -> None:
                rename(tx, number, text)

            await self.workspace.store.write(write)
            await asyncio.sleep(every)
        return {"committed": self._committed}

    async def order_lateness(self) -> Json:
        """How late the loop was, in seconds, each time since this was asked last; how often all was collected.

        It begins when it is asked for the first time: two hundred looks a second are 1 % of a core by themselves.
        """
        if not self._is_looking:
            self._is_looking = True
            self._begin_task(self._look_at_the_clock())
        late, self._late = self._late, []
        return {"late": late, "full_collections": gc.get_stats()[-1]["collections"]}


def main(folder: Path, descriptor: int) -> int:
    with Workspace.open(folder, team="as-known") as workspace:
        return WatchedApp(workspace, socket.socket(fileno=descriptor)).run() or 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
