"""What a model's call costs beside the call: over the bare SDK, many at once, in memory, and at import."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

import anthropic
import psutil
from anthropic.types import MessageParam

from core.agents.bench import Bench
from core.contract import AgentRequest, Json
from core.governance.budgets import Spender
from core.orchestration import lease, work_items
from core.orchestration.executions import Executions
from core.orchestration.lease import HeldStore
from core.orchestration.live import Live
from core.orchestration.providers import Providers
from core.orchestration.sessions import JournalSession
from core.runtimes.models.answering import AnsweringRuntime
from core.runtimes.models.anthropic_api import AnthropicConnection, AnthropicModel
from core.runtimes.models.calling import open_line
from core.runtimes.models.dialogue import Prompt
from core.runtimes.models.endpoints import Endpoint
from core.store import reads
from core.workspace import Workspace
from tests.bench.children import ROOT, environment
from tests.bench.measure import Baseline, Figure, duration, rate, settled, size
from tests.bench.model_server import ROLE
from tests.fresh import fresh_workspace

WARM_UP, CALLS = 20, 300
AT_ONCE, ROUNDS = 50, 5
IMPORTS = 7
NAME = "claude-sonnet-5-5"
MESSAGES: list[MessageParam] = [{"role": "user", "content": "For a greeting in Spanish."}]
PROMPT = Prompt("You write acceptance criteria.", tuple(dict(message) for message in MESSAGES))


def measure(place: Path) -> list[Figure]:
    with _server(place) as port:
        figures = asyncio.run(_measure(place, f"http://127.0.0.1:{port}"))
    return [*figures, *_imports(place)]


@contextmanager
def _server(place: Path) -> Iterator[int]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.model_server"],
        cwd=ROOT,
        env=environment(place),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


async def _measure(place: Path, url: str) -> list[Figure]:
    connection = AnthropicConnection(open_line(Endpoint("anthropic", url, "none"), environ={}))
    with Workspace.open(fresh_workspace(place / "workspace")) as workspace:
        store = await _held(workspace)
        try:
            figures = await _one_by_one(workspace, store, connection, url)
            return [*figures, *await _at_once(workspace, store, connection, place)]
        finally:
            await connection.aclose()


async def _held(workspace: Workspace) -> HeldStore:
    held = await workspace.store.write(lease.take)
    for _ in range(AT_ONCE):
        await workspace.store.write(lambda tx: work_items.create(tx, title="measured"))
    return HeldStore(workspace.store, lambda: held)


def _session(workspace: Workspace, store: HeldStore, work_item: int, round_: int) -> JournalSession:
    live, providers = Live(0), Providers(store)
    with live.delegation(work_item, "D1", ROLE, "") as shown:
        spender = Spender(work_item, "D1", round_, ROLE)
        chain = ("master", "definition-orch", ROLE)
        return JournalSession(store, spender, "d" * 32, workspace.catalog, (), chain, shown, providers, Executions())


async def _one_by_one(
    workspace: Workspace, store: HeldStore, connection: AnthropicConnection, url: str
) -> list[Figure]:
    """The bare SDK and ours by turns, each streaming the same answer from the same server."""
    model = AnthropicModel(NAME, connection)
    bare, ours = [], []
    async with anthropic.AsyncAnthropic(api_key="none", base_url=url, max_retries=0) as client:

        async def asked_bare() -> None:
            async with client.messages.stream(
                model=NAME, max_tokens=PROMPT.most_output, system=PROMPT.system, messages=MESSAGES
            ) as stream:
                await stream.get_final_message()

        session = _session(workspace, store, 1, 1)
        for _ in range(WARM_UP + CALLS):
            bare.append(await _seconds(asked_bare))
            ours.append(await _seconds(lambda: model.ask(PROMPT, session)))
    baseline = Baseline("bare SDK", bare[WARM_UP:])
    over = [max(0.0, one - other) for one, other in zip(ours[WARM_UP:], bare[WARM_UP:], strict=True)]
    return [
        duration("a call, reserved and settled on disk", ours[WARM_UP:], "ms", baseline=baseline),
        duration("bare SDK: the same call", bare[WARM_UP:], "ms"),
        duration("the difference of the two, call by call", over, "ms"),
    ]


async def _seconds(work: Callable[[], Awaitable[object]]) -> float:
    began = perf_counter()
    await work()
    return perf_counter() - began


async def _at_once(
    workspace: Workspace, store: HeldStore, connection: AnthropicConnection, place: Path
) -> list[Figure]:
    """Whole delegations side by side: prompt, reservation, stream, turn on record, settlement, judged answer."""
    runtime = AnsweringRuntime("anthropic", lambda _: AnthropicModel(NAME, connection))
    agent = await store.read(lambda r: reads.agent(r, ROLE))
    if agent is None:
        raise RuntimeError(f"the team has no {ROLE}")
    process, rounds, memory = psutil.Process(), [], []
    settled()
    for round_ in range(2, 2 + ROUNDS):
        before = process.memory_info().rss
        benches = [
            Bench(None, place, place, _session(workspace, store, number, round_)) for number in range(1, AT_ONCE + 1)
        ]
        began = perf_counter()
        found = await asyncio.gather(*(runtime.execute(_request(n), agent, b) for n, b in enumerate(benches, 1)))
        rounds.append(AT_ONCE / (perf_counter() - began))
        memory.append(max(0, process.memory_info().rss - before) / AT_ONCE / 1024)
        if any(response.status != "SUCCESS" for response in found):
            raise RuntimeError(f"a delegation ended otherwise: {found[0].metadata}")
    return [
        rate(f"{AT_ONCE} delegations at once", rounds, "delegations/s"),
        size("memory that a running agent adds", memory[:1], "KiB"),
    ]


def _request(number: int) -> AgentRequest:
    context: Json = {"work_item": {"id": number, "title": "A greeting", "type": "feature", "tags": [], "impact": 3}}
    context["results"] = {"problem-framer": {"problem": "Spanish speakers are greeted in English."}}
    return AgentRequest("definition-orch", {"title": "A greeting", "body": "In Spanish."}, context, ROLE)


_STATEMENTS = {
    "import of the runtimes, before their first use": "import core.orchestration.runtimes",
    "the same with what their first use loads": (
        "import core.orchestration.runtimes, core.orchestration.making_models, anthropic"
    ),
}


def _imports(place: Path) -> list[Figure]:
    """Whole programs that import and end, by turns with one that does nothing."""
    samples: dict[str, list[float]] = {name: [] for name in ("", *_STATEMENTS)}
    for _ in range(IMPORTS + 1):
        for name, statement in {"": "pass", **_STATEMENTS}.items():
            began = perf_counter()
            subprocess.run([sys.executable, "-c", statement], cwd=ROOT, env=environment(place), check=True)
            samples[name].append(perf_counter() - began)
    baseline = Baseline("python -c pass", samples[""][1:])
    return [duration(name, samples[name][1:], "ms", baseline=baseline) for name in _STATEMENTS]
