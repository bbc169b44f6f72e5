"""Commands that are told files by name, where there may be more of them than one command line takes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence

from core.projects.commands import CommandResult

FILES_AT_ONCE = 1_000
"""File names on one command line."""


async def in_portions(
    command: Callable[[Sequence[str]], Awaitable[CommandResult]], files: Sequence[str]
) -> list[CommandResult]:
    """What the command did with each portion of the files, in their order; as many run at once as there are cores."""
    free = asyncio.Semaphore(os.cpu_count() or 1)

    async def one(names: Sequence[str]) -> CommandResult:
        async with free:
            return await command(names)

    starts = range(0, len(files), FILES_AT_ONCE)
    return await asyncio.gather(*(one(files[start : start + FILES_AT_ONCE]) for start in starts))


def here(names: Sequence[str]) -> list[str]:
    """Paths of the folder that a command runs in, none of which it can take for an option."""
    return [f"./{name}" for name in names]
