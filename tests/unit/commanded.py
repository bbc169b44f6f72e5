"""Python programs as commands, and the processes that they leave or do not leave."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil

from core.projects import commands
from core.projects.commands import CommandResult, Limits, run

PYTHON = sys.executable

DAEMON = """
import os, sys, time
if os.fork():
    os.wait()
    sys.exit(0)
os.setsid()
if os.fork():
    os._exit(0)
if "quiet" in sys.argv:
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
with open(sys.argv[1], "w") as file:
    file.write(str(os.getpid()))
time.sleep(300)
"""
"""A program whose grandchild left its session and its parent; argv: where the grandchild writes its pid."""


async def python(code: str, *args: str, cwd: Path, limits: Limits = commands.DEFAULT) -> CommandResult:
    return await run([PYTHON, "-c", code, *args], cwd=cwd, limits=limits)


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what another process does; the timeout only bounds a broken test."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 (another process gives no event to wait for)
            await asyncio.sleep(0.01)


def python_process(code: str, *args: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """A Python beside the test's, started without the code under test."""
    return subprocess.Popen([PYTHON, "-c", code, *args], env=env, stdout=subprocess.PIPE, text=True)


async def pid_in(file: Path) -> int:
    await until(lambda: file.is_file() and file.read_text() != "")
    return int(file.read_text())
