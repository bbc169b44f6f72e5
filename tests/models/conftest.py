"""What tests of models share: a scripted server as a process of its own."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import urllib.request
from collections import deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import pytest

from core.agents.session import Alone, Reservation, Usage
from core.contract import Json
from core.runtimes.models.anthropic_api import AnthropicConnection, AnthropicModel
from core.runtimes.models.calling import Line, Policy, open_line
from core.runtimes.models.compatible import CompatibleConnection, CompatibleModel
from core.runtimes.models.endpoints import Endpoint

KEY = "marker-key-7f3a9c"


@dataclass(frozen=True)
class Mock:
    """A running llmock. `script` says what it does to the next requests, `verdict` what it thinks of our retries."""

    url: str

    def script(self, *behaviours: Json) -> None:
        self._call("POST", "scenario", {"behaviors": list(behaviours)})

    def findings(self) -> list[str]:
        return [finding["code"] for finding in self._call("GET", "verdict")["findings"]]

    def requests(self) -> int:
        return int(self._call("GET", "requests")["count"])

    def reset(self) -> None:
        self._call("POST", "reset")

    def _call(self, method: str, path: str, body: Json | None = None) -> Json:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_llmock/{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return dict(json.loads(answer.read()))


@pytest.fixture(scope="session")
def served() -> Iterator[Mock]:
    process = subprocess.Popen(
        [sys.executable, "-m", "llmock.cli", "serve", "--port", "0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        log = iter(process.stderr.readline, "")
        line = next((line for line in log if "Uvicorn running on" in line), "")
        assert line, "llmock did not start"
        draining = threading.Thread(target=deque, args=(log, 0), daemon=True)
        draining.start()
        yield Mock(line.split("running on ")[1].split()[0])
    finally:
        process.terminate()
        process.wait(30)
        draining.join(30)
        process.stderr.close()


@pytest.fixture
def mock(served: Mock) -> Mock:
    served.reset()
    return served


@dataclass
class Waits:
    """A sleeper that does not sleep, and a clock that goes on by what was to be slept."""

    waited: list[float] = field(default_factory=list)
    now: float = 1_000.0

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        return self.now


@pytest.fixture
def waits() -> Waits:
    return Waits()


@dataclass
class Book(Alone):
    """A session that remembers each reservation and settlement, and lets a test hold a settlement up."""

    reserved: list[Reservation] = field(default_factory=list)
    settled: list[Usage] = field(default_factory=list)
    request_ids: list[str] = field(default_factory=list)
    usages: list[Usage] = field(default_factory=list)
    settling: asyncio.Event = field(default_factory=asyncio.Event)
    may_settle: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.may_settle.set()

    async def reserve(self, provider: str, model: str, *, tokens: int, dollars: float | None) -> Reservation:
        self.reserved.append(Reservation(len(self.reserved) + 1, tokens, dollars))
        return self.reserved[-1]

    async def settle(self, reservation: Reservation, usage: Usage, request_id: str = "") -> None:
        self.settling.set()
        await self.may_settle.wait()
        self.settled.append(usage)
        self.request_ids.append(request_id)

    def show(self, line: str, usage: Usage | None = None) -> None:
        super().show(line)
        if usage is not None:
            self.usages.append(usage)


@pytest.fixture
def book() -> Book:
    return Book()


class Shop:
    """Makes models, and closes what they opened."""

    def __init__(self, waits: Waits) -> None:
        self.waits = waits
        self.connections: list[AnthropicConnection | CompatibleConnection] = []

    def line(
        self,
        url: str,
        provider: str = "anthropic",
        policy: Policy | None = None,
        environ: dict[str, str] | None = None,
    ) -> Line:
        policy = policy or Policy(sleep=self.waits.sleep, clock=self.waits.clock, chance=lambda: 0.0)
        return open_line(Endpoint(provider, url, KEY), policy=policy, environ=environ or {})

    def model(
        self,
        url: str,
        name: str = "claude-haiku-4-5",
        policy: Policy | None = None,
        environ: dict[str, str] | None = None,
    ) -> AnthropicModel:
        connection = AnthropicConnection(self.line(url, policy=policy, environ=environ))
        self.connections.append(connection)
        return AnthropicModel(name, connection)

    def compatible(
        self, url: str, name: str = "ours-7b", policy: Policy | None = None, environ: dict[str, str] | None = None
    ) -> CompatibleModel:
        connection = CompatibleConnection(self.line(url, "openai-compatible", policy, environ))
        self.connections.append(connection)
        return CompatibleModel(name, connection)


@pytest.fixture
async def shop(waits: Waits) -> AsyncIterator[Shop]:
    shop = Shop(waits)
    yield shop
    for connection in shop.connections:
        await connection.aclose()
