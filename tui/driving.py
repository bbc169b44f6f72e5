"""The engine behind the screen: how it is made, what it tells of the team, and what happens while it cannot be made."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from core.contract import ApmError
from tui.bridge import Engine

if TYPE_CHECKING:
    from core.orchestration.reloading import Reload
    from core.workspace import Workspace

Say = Callable[[str], None]
Standing = Callable[[], Iterable[str]]
"""What was told and can still be read."""
_COMMAND = re.compile(r" \(apm (?:escalation|scope|briefing)\b[^()]*\)$")
"""The shell's way to see more, at the end of a notice; in the app there are screens for it."""
_QUESTION = re.compile(r"\bquestion \d+\b", re.IGNORECASE)


def in_short(text: str) -> str:
    """The first line, and where the others are: a notice has room for one thing to mend."""
    first, *more = text.splitlines() or [""]
    return f"{first}\n(and {len(more)} more: `apm doctor` lists them)" if more else first


def make_engine(workspace: Workspace, tell: Say, complain: Say, standing: Standing) -> Engine:
    """An engine on the workspace. Raises CatalogError when a file of the team is broken."""
    from core.orchestration import engine

    def tell_of_team(reload: Reload) -> None:
        (complain if reload.fault else tell)(in_short(str(reload)))

    made = engine.Engine(workspace)
    made.on_registry(tell_of_team)
    made.on_notice(Notices(tell, standing))
    return made


class Notices:
    """Notices on the screen: one by one as they come, and counted where many come at once.

    What a person did to a question here has been told; while that stands, its notice says nothing new.
    """

    GATHER_SECONDS = 0.3
    MOST = 2

    def __init__(self, tell: Say, standing: Standing) -> None:
        self._tell, self._standing = tell, standing
        self._lines: list[str] = []

    def __call__(self, line: str) -> None:
        if not self._lines:
            asyncio.get_running_loop().call_later(self.GATHER_SECONDS, self._flush)
        self._lines.append(_COMMAND.sub("", line))

    def _flush(self) -> None:
        done_here = tuple(self._standing())
        lines, self._lines = [line for line in self._lines if not _is_told(line, done_here)], []
        if len(lines) <= self.MOST:
            for line in lines:
                self._tell(line)
        else:
            self._tell(f"{len(lines)} notices have come; the questions among them wait in the queue.")


def _is_told(line: str, done_here: Iterable[str]) -> bool:
    """Whether a sentence about a deed, which begins with its question, tells of the question that the notice names."""
    named = _QUESTION.search(line)
    return named is not None and any(told.startswith(f"{named[0].capitalize()} ") for told in done_here)


class TakingOver:
    """Driving on when whoever drove is gone: one attempt at a time, and what refuses it is told once."""

    def __init__(self, complain: Say) -> None:
        self._complain = complain
        self._is_trying, self._told = False, ""

    async def __call__(self, engine: Engine) -> bool:
        """Whether this process drives now."""
        if self._is_trying:
            return False
        self._is_trying = True
        try:
            drives, told = await engine.start(), ""
        except ApmError as error:
            drives, told = False, str(error)
        finally:
            self._is_trying = False
        if told and told != self._told:
            self._complain(told)
        self._told = told
        return drives


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
