"""What a person and the agents do in these tests, in one line each."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.contract import Json
from core.orchestration.engine import Engine
from core.store.store import Store
from core.store.writer import milliseconds_now
from core.workspace import Workspace
from tests.unit.command_line import CommandLine

HOUR_MS = 3_600_000
PATIENCE_SECONDS = 30
OPTIONS: list[Json] = [
    {"key": "move", "label": "Move it", "consequence": "People find it after one release."},
    {"key": "stay", "label": "Leave it", "consequence": "Support goes on explaining it."},
]


def decide(line: CommandLine, agent: str, kind: str, *words: str, question: str = "") -> tuple[int, Json]:
    """What `apm decide` ends with; with two options, of which the first is recommended."""
    context = json.dumps({"options": OPTIONS, "recommended": "move"})
    asked = ("--question", question) if question else ()
    ended = line("decide", "--agent", agent, "--kind", kind, "--context", context, *asked, *words, "--json")
    return ended.code, ended.json


def escalation(line: CommandLine, number: int) -> Json:
    shown: Json = line("escalation", "show", str(number), "--json").json
    return shown


def agent(line: CommandLine, role: str) -> Json:
    shown: Json = line("agents", "show", role, "--json").json
    return shown


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


class Driving:
    """An engine that drives the workspace, on a clock that may be ahead; `told` are its lines for the console."""

    def __init__(self, folder: Path, ahead_ms: int = 0, runtimes: Mapping[str, Any] | None = None) -> None:
        store = Store.open(folder / "state", clock=lambda: milliseconds_now() + ahead_ms)
        self.workspace = Workspace(folder, store)
        self.workspace.update_registry()
        self.engine = Engine(self.workspace, runtimes)
        self.told: list[str] = []
        self._news = asyncio.Event()
        self.engine.on_notice(self._hear)

    def _hear(self, line: str) -> None:
        self.told.append(line)
        self._news.set()

    async def __aenter__(self) -> Driving:
        assert await self.engine.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.engine.stop()
        self.workspace.close()

    async def until_told(self, word: str, times: int) -> None:
        """Wait until so many lines have had the word."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while sum(word in line for line in self.told) < times:
                self._news.clear()
                await self._news.wait()

    async def settle(self) -> None:
        """Wait until nothing can go on without a person, and what is due has been done."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.engine.until_settled()
            await self.engine.keep_duties()


def document(by: str, *entries: Any) -> str:
    """Human decisions as they are handed in."""
    return json.dumps({"decided_by": by, "decisions": list(entries)})
