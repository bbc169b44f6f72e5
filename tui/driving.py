"""The engine behind the screen: how it is made, what it tells of the team, and what happens while it cannot be made."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from core.contract import ApmError
from tui.bridge import Engine

if TYPE_CHECKING:
    from core.orchestration.reloading import Reload
    from core.workspace import Workspace

Say = Callable[[str], None]


def in_short(text: str) -> str:
    """The first line, and where the others are: a notice has room for one thing to mend."""
    first, *more = text.splitlines() or [""]
    return f"{first}\n(and {len(more)} more: `apm doctor` lists them)" if more else first


def make_engine(workspace: Workspace, tell: Say, complain: Say) -> Engine:
    """An engine on the workspace. Raises CatalogError when a file of the team is broken."""
    from core.orchestration import engine

    def tell_of_team(reload: Reload) -> None:
        (complain if reload.fault else tell)(in_short(str(reload)))

    made = engine.Engine(workspace)
    made.on_registry(tell_of_team)
    made.on_notice(Notices(tell))
    return made


class Notices:
    """Notices on the screen: one by one as they come, and counted where many come at once."""

    GATHER_SECONDS = 0.3
    MOST = 2

    def __init__(self, tell: Say) -> None:
        self._tell = tell
        self._lines: list[str] = []

    def __call__(self, line: str) -> None:
        if not self._lines:
            asyncio.get_running_loop().call_later(self.GATHER_SECONDS, self._flush)
        self._lines.append(line)

    def _flush(self) -> None:
        lines, self._lines = self._lines, []
        if len(lines) <= self.MOST:
            for line in lines:
                self._tell(line)
        else:
            self._tell(f"{len(lines)} notices have come; the questions among them wait in the queue.")


async def engine_of(workspace: Workspace, make: Callable[[Workspace], Engine], complain: Say) -> Engine:
    """The engine, as soon as there can be one: broken files of the team are waited for until somebody mends them."""
    while True:
        before = await asyncio.to_thread(workspace.digest)
        try:
            # Its imports and the catalog take a moment, in which keys are to be answered.
            return await asyncio.to_thread(make, workspace)
        except ApmError as error:
            complain(in_short(str(error)))
        from core.orchestration.reloading import until_changed

        await until_changed(workspace, before)
