"""Steps a second that the journal takes, and bytes a step, against the same rows written by sqlite3 itself.

A step is a recorded delegation: its row, its event with request and response, its agent's counters, one link of the
chain. The raw side writes the same rows into the same tables with the same pragmas on one thread, without the chain,
and commits as many together as the store can: one at a time, or as many as wait side by side.
"""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from time import perf_counter

from core import workspace as workspaces
from core.contract import AgentRequest, AgentResponse, canonical_json, succeeded
from core.demo import sample
from core.orchestration import work_items
from core.orchestration.journal import Key, record, request_digest, shown_request
from core.store import reads
from core.store.rows import AgentRow
from core.store.store import Store
from core.workspace import Workspace
from tests.bench.measure import Baseline, Figure, rate, settled, size
from tests.unit.scripted import OUTPUTS

ROLE, PHASE = "ac-writer", "D1"
REPEATS = 5
ONE_BY_ONE, SIDE_BY_SIDE, LANES = 300, 4_000, 50

REQUEST = AgentRequest("definition-orch", sample.request(), {"work_item": {"id": 1, "tags": []}}, ROLE)
RESPONSE: AgentResponse = succeeded(ROLE, OUTPUTS[ROLE], runtime="offline")

_DELEGATION = (
    "INSERT INTO delegations (work_item, phase, round, agent, subject, status, runtime, request_digest, at, "
    "milliseconds, event) VALUES (1, ?, ?, ?, ?, 'SUCCESS', 'offline', ?, 0, 1, ?)"
)
_EVENT = "INSERT INTO events (seq, at, kind, work_item, payload, mac) VALUES (?, 0, 'delegation.recorded', 1, ?, ?)"
_COUNTER = (
    "INSERT INTO counters (agent, day, runs, failures, milliseconds, tokens, cost) VALUES (?, 0, 1, 0, 1, 0, 0) "
    "ON CONFLICT (agent, day) DO UPDATE SET runs = runs + 1, milliseconds = milliseconds + 1"
)


def measure(place: Path) -> list[Figure]:
    """Ours and the raw one by turns, so that a busy moment of the machine falls on both."""
    with Workspace.open(workspaces.create(place / "ours")) as workspace:
        ours = _Ours(workspace)
        raw = _Raw(place / "raw.db", workspace.store.path)
        settled()
        one = [(ours.run(ONE_BY_ONE, 1), raw.run(ONE_BY_ONE, 1)) for _ in range(REPEATS + 1)][1:]
        before = ours.bytes(), raw.bytes()
        many = [(ours.run(SIDE_BY_SIDE, LANES), raw.run(SIDE_BY_SIDE, LANES)) for _ in range(REPEATS + 1)][1:]
        written = SIDE_BY_SIDE * (REPEATS + 1)
        ours_bytes, raw_bytes = [
            (now - was) / written for now, was in zip((ours.bytes(), raw.bytes()), before, strict=True)
        ]
        raw.close()
    return [
        rate("one after another", [a for a, _ in one], "steps/s", baseline=Baseline("sqlite3", [b for _, b in one])),
        rate(
            f"{LANES} side by side", [a for a, _ in many], "steps/s", baseline=Baseline("sqlite3", [b for _, b in many])
        ),
        size("one step in the database", [ours_bytes], "bytes", baseline=Baseline("sqlite3", [raw_bytes])),
    ]


class _Ours:
    def __init__(self, workspace: Workspace) -> None:
        self._store: Store = workspace.store
        self._store.write_now(lambda tx: work_items.create(tx, title="measured"))
        agent = self._store.read_now(lambda r: reads.agent(r, ROLE))
        assert agent is not None
        self._agent: AgentRow = agent
        self._done = 0

    def run(self, steps: int, lanes: int) -> float:
        """Steps a second of `lanes` coroutines, each of which waits for its commit before its next step."""
        return asyncio.run(self._run(steps, lanes))

    async def _run(self, steps: int, lanes: int) -> float:
        began = perf_counter()
        await asyncio.gather(*(self._lane(steps // lanes) for _ in range(lanes)))
        return steps / (perf_counter() - began)

    async def _lane(self, steps: int) -> None:
        for _ in range(steps):
            self._done += 1
            key = Key(PHASE, 1, ROLE, str(self._done))
            await self._store.write(
                lambda tx, key=key: record(  # type: ignore[misc]
                    tx, 1, key, REQUEST, RESPONSE, self._agent.runtime, milliseconds=1
                )
            )

    def bytes(self) -> int:
        return _checkpointed(self._store.path)


class _Raw:
    def __init__(self, path: Path, like: Path) -> None:
        """A copy of our database before the first step: the same tables, the same rows for the steps to refer to."""
        self._path = path
        source = sqlite3.connect(like)
        source.execute("VACUUM INTO ?", (str(path),))
        source.close()
        self._db = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode = wal", "synchronous = full", "foreign_keys = 1", "wal_autocheckpoint = 4000"):
            self._db.execute(f"PRAGMA {pragma}")
        (self._event,) = self._db.execute("SELECT max(seq) FROM events").fetchone()
        self._digest = request_digest(REQUEST)
        self._payload = canonical_json({"request": shown_request(REQUEST), "response": RESPONSE.to_json()})
        self._done = 0

    def run(self, steps: int, group: int) -> float:
        """Steps a second with so many in each commit."""
        began = perf_counter()
        for _ in range(steps // group):
            self._db.execute("BEGIN IMMEDIATE")
            for _ in range(group):
                self._step()
            self._db.execute("COMMIT")
        return steps / (perf_counter() - began)

    def _step(self) -> None:
        self._done += 1
        self._event += 1
        self._db.execute(_DELEGATION, (PHASE, 1, ROLE, str(self._done), self._digest, self._event))
        self._db.execute(_EVENT, (self._event, self._payload, bytes(32)))
        self._db.execute(_COUNTER, (ROLE,))

    def bytes(self) -> int:
        return _checkpointed(self._path)

    def close(self) -> None:
        self._db.close()


def _checkpointed(path: Path) -> int:
    """The size of a database once its log is back in it."""
    db = sqlite3.connect(path)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return path.stat().st_size
