"""A workspace, the process that drives it, and a person: everything that can happen to them, one deed after another.

The engine, the store, the database and the team's files are the real ones. Simulated are the clock, the order in which
threads answer, the agents, the watching of folders, and the name under which a process holds the lease.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, TypeVar

from core import workspace as workspaces
from core.contract import UsageError
from core.governance import authority, escalations, life, reversal
from core.orchestration import lease, work_items
from core.orchestration.engine import Engine
from core.projects import commands
from core.registry.catalog import Catalog, CatalogError, load
from core.store import audit, reads, reads_escalations, rows, states
from core.store.carried import carried
from core.store.chain import KEY_BYTES, StoredEvent, event_from_row
from core.store.database import StoreError
from core.store.schema import Event
from core.store.store import Reader, Store
from core.store.writer import Transaction
from core.workspace import Workspace
from tests.fresh import copied
from tests.simulation.agents import Agents, Key, Ledger
from tests.simulation.disk import Disk, SimulatedStore
from tests.simulation.loop import Killed, VirtualLoop
from tests.simulation.shadow import Shadow

T = TypeVar("T")

START = 1_800_000_000_000
LIMIT_SECONDS = 20
"""How long a delegation may take here: those that hang are to be stopped, and not to be waited for."""
PATIENCE_SECONDS = 60.0
MOST_TURNS, MOST_TURNS_A_SECOND = 5_000, 100
"""Of the event loop: who takes more does the same over and over."""
MOST_ROUNDS = 40
"""Of answering everything in calm weather; by then all work has come to its end, or something is lost."""
PHASES = ("D1", "P1", "I1", "R1")
"""What needs no project: releases are git's, whose commits are made on a clock of their own."""
CACHING = '- {key: caching, title: "What is kept, for how long, and what invalidates it", impact: 4}'
ARCHITECTURE = "- {key: architecture,"
INDENT = "\n        "
TEAMS: tuple[Callable[[str], str], ...] = (
    lambda text: text,
    lambda text: text.replace(INDENT + CACHING, ""),
    lambda text: text.replace(INDENT + CACHING, "").replace(
        ARCHITECTURE, CACHING.replace("}", ", ceiling: escalate}") + INDENT + ARCHITECTURE
    ),
    lambda text: text.replace("parallel_work_items: 4", "parallel_work_items: many"),
    lambda text: text.replace("parallel_work_items: 4", "parallel_work_items: 2"),
)
"""What an editor makes of the team's file; with the broken one nobody can begin."""


def _make(folder: Path) -> None:
    """A workspace that is the same to the byte wherever and whenever it is made."""
    workspaces.create(folder)
    file = folder / "agents.yaml"
    text = file.read_text(encoding="utf-8")
    short = text.replace("delegation_seconds: 600", f"delegation_seconds: {LIMIT_SECONDS}")
    assert short != text
    file.write_text(short, encoding="utf-8")
    (folder / "state" / "journal.key").write_bytes(bytes(KEY_BYTES))
    with Workspace(folder, Store.open(folder / "state", clock=lambda: START)) as begun:
        begun.update_registry()


def _catalog(file: Path) -> Catalog:
    """What the file says. Read once for each text: it takes a tenth of a second, and every life begins with it."""
    text = file.read_bytes()
    if text not in _CATALOGS:
        _CATALOGS[text] = load(file)
    return _CATALOGS[text]


_CATALOGS: dict[bytes, Catalog] = {}


class _Watching:
    """In the place of `watchfiles`: hears nothing, so that folders are looked at as often as is promised anyway."""

    @staticmethod
    async def awatch(*_: Path, rust_timeout: int, **__: Any) -> AsyncIterator[set[Any]]:
        while True:
            await asyncio.sleep(rust_timeout / 1000)
            yield set()


@contextmanager
def simulated(name: Callable[[], str]) -> Iterator[None]:
    """What the product takes from the machine beside its clock is the simulation's own while this lasts."""

    async def nothing_left(_: str | None = None) -> int:
        return 0

    watching = sys.modules.get("watchfiles")
    places: tuple[tuple[Any, Mapping[str, Any]], ...] = (
        (lease, {"process_identity": lambda _: name(), "platform": SimpleNamespace(node=lambda: "simulated")}),
        (commands, {"sweep_stale": nothing_left}),
    )
    before = [(module, {key: getattr(module, key) for key in names}) for module, names in places]
    sys.modules["watchfiles"] = _Watching  # type: ignore[assignment]
    try:
        for module, names in places:
            for key, value in names.items():
                setattr(module, key, value)
        yield
    finally:
        for module, names in before:
            for key, value in names.items():
                setattr(module, key, value)
        del sys.modules["watchfiles"]
        if watching is not None:
            sys.modules["watchfiles"] = watching


class World:
    """Deeds are methods; each leaves the world at rest between two turns of the engine's loop. Close it at the end."""

    def __init__(self, folder: Path, chance: Random) -> None:
        self.folder = copied(_make, folder)
        self._chance = chance
        self._now, self._ahead_ms = 0.0, 0
        self._disk, self._ledger = Disk(), Ledger()
        self.kills = self.turns = self.lives = 0
        self.is_calm = False
        self.added: list[int] = []
        self._text = (self.folder / "agents.yaml").read_text(encoding="utf-8")
        self._simulated = simulated(lambda: f"simulated:{self.lives}:0.00")
        self._simulated.__enter__()
        self._key = bytes(KEY_BYTES)
        self._person = self._store()
        self._shadow = Shadow(self._key)
        self._loop: VirtualLoop | None = None
        self._begin()

    # The process that drives.

    def _store(self) -> SimulatedStore:
        return SimulatedStore.on(self._disk, self.folder / "state", self._key, self._clock)

    def _clock(self) -> int:
        seconds = self._now if self._loop is None else self._loop.now
        return START + self._ahead_ms + int(seconds * 1000)

    def _begin(self) -> None:
        self.lives += 1
        self._loop = VirtualLoop(self._now, self._chance)
        self._workspace = Workspace(self.folder, self._store(), _catalog=self._mended())
        self._workspace.update_registry()
        self._workspace.store.subscribe(self._record)
        self._engine = Engine(self._workspace, Agents(self._ledger, self._chance, lambda: self.is_calm).as_runtimes())
        self._starting = self._loop.create_task(self._engine.start())

    def _mended(self) -> Catalog:
        """The team's files, put in order where they are broken: whoever starts the process is told so."""
        try:
            return _catalog(self.folder / "agents.yaml")
        except CatalogError:
            self.edit_team(0)
            return _catalog(self.folder / "agents.yaml")

    def _record(self, events: Any) -> None:
        for event in events:
            if event.kind == "delegation.recorded":
                self._ledger.recorded.update(_keys(event))

    def run(self, seconds: float) -> None:
        """Let so much time pass."""
        loop = self._loop
        assert loop is not None
        before = loop.turns
        ends = loop.call_later(seconds, loop.stop)
        try:
            loop.run_forever()
        finally:
            ends.cancel()
        if loop.turns - before > MOST_TURNS + MOST_TURNS_A_SECOND * seconds:
            self._ledger.violations.append(f"the loop turned {loop.turns - before} times in {seconds:g} s")
        if self._starting.done() and isinstance(self._starting.exception(), StoreError):
            # It could not begin, and ended with a message; somebody starts it anew.
            self._restart()
        elif self._starting.done():
            self._starting.result()

    def kill(self, turns: int) -> None:
        """Kill the process after so many turns of its loop, wherever it is then, and start another one."""
        assert self._loop is not None
        self._loop.turns_left = turns
        with suppress(Killed):
            self.run(PATIENCE_SECONDS)
        self.kills += 1
        self._restart()

    def _restart(self) -> None:
        self._end(is_killed=True)
        self._begin()

    def _end(self, *, is_killed: bool) -> None:
        loop, store = self._loop, self._workspace.store
        assert loop is not None
        assert isinstance(store, SimulatedStore)
        loop.turns_left = None
        if is_killed:
            store.die(self._chance)
        else:
            loop.run_until_complete(self._engine.stop())
        while left := asyncio.all_tasks(loop):
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.wait(left))
        loop.run_until_complete(loop.shutdown_asyncgens())
        self._now, self.turns = loop.now, self.turns + loop.turns
        self._loop = None
        loop.close()
        self._ledger.running.clear()
        self._workspace.close()

    def close(self) -> None:
        self._end(is_killed=True)
        self._person.close()
        self._simulated.__exit__(None, None, None)

    # What a person does, and what happens to the machine.

    def _do(self, work: Callable[[Transaction], T]) -> T | None:
        """Done, or refused in a sentence, in another process than the one that drives."""
        try:
            return self._person.write_now(work)
        except UsageError:
            return None

    def add(self, until: str, tags: tuple[str, ...] = ()) -> None:
        def work(tx: Transaction) -> int:
            number = work_items.create(tx, title=f"Work {len(self.added) + 1}", tags=tags)
            work_items.accept(tx, number, "ada")
            work_items.stop_after(tx, number, until)
            return number

        self.added.append(self._person.write_now(work))

    def _of_work(self, pick: int, work: Callable[[Transaction, int, str], None]) -> None:
        if self.added:
            number = self.added[pick % len(self.added)]
            self._do(lambda tx: work(tx, number, "ada"))

    def pause(self, pick: int) -> None:
        self._of_work(pick, work_items.pause)

    def resume(self, pick: int) -> None:
        self._of_work(pick, work_items.resume)

    def cancel(self, pick: int) -> None:
        self._of_work(pick, work_items.cancel)

    def questions(self, *wanted: str) -> list[rows.EscalationRow]:
        now = self._clock()
        found = self._person.read_now(lambda r: reads_escalations.escalations(r, open_only=False, limit=100_000))
        return [q for q in sorted(found, key=lambda q: q.id) if states.escalation_state(q, now) in wanted]

    def _of_question(self, pick: int, work: Callable[[Transaction, rows.EscalationRow], object], *wanted: str) -> None:
        found = self.questions(*wanted)
        if found:
            question = found[pick % len(found)]
            self._do(lambda tx: work(tx, question))

    def answer(self, pick: int, option: int) -> None:
        """One of the answers that need no values; the same question may have been answered a moment ago."""
        self._of_question(pick, lambda tx, q: self._answer(tx, q, option), *WAITING, "resolved")

    @staticmethod
    def _answer(tx: Transaction, question: rows.EscalationRow, option: int) -> None:
        plain = [o["key"] for o in question.options if not o.get("asks")]
        if plain:
            key = plain[option % len(plain)]
            escalations.resolve(tx, question.id, option=key, by="ada", reason="because")

    def snooze(self, pick: int, seconds: int) -> None:
        self._of_question(pick, lambda tx, q: life.snooze(tx, q.id, until=tx.now + seconds * 1000, by="ada"), *WAITING)

    def acknowledge(self, pick: int, minutes: int) -> None:
        self._of_question(pick, lambda tx, q: life.acknowledge(tx, q.id, by="ada", minutes=minutes), *WAITING)

    def undo(self, pick: int) -> None:
        self._of_question(pick, lambda tx, q: life.undo(tx, q.id, by="ada", reason="too soon"), "resolved")

    def grant(self, agent: str, kind: str, mode: authority.Mode) -> None:
        self._do(lambda tx: authority.grant(tx, agent, kind, mode, by="ada", reason="seen"))

    def reverse(self, pick: int) -> None:
        made = self._person.read_now(lambda r: reads.decisions(r, limit=10_000))
        if made:
            number = made[pick % len(made)].id
            self._do(lambda tx: reversal.reverse(tx, number, by="ada", reason="no"))

    def edit_team(self, which: int) -> None:
        (self.folder / "agents.yaml").write_text(TEAMS[which % len(TEAMS)](self._text), encoding="utf-8")

    def put_clock(self, seconds: int) -> None:
        """The machine's clock is put; the one that only counts goes on as before."""
        self._ahead_ms += seconds * 1000

    def fill_disk(self, writes: int) -> None:
        """So many writes of the driving process find no room."""
        self._disk.refuses += writes

    # What must hold.

    @property
    def violations(self) -> list[str]:
        """Whatever did not hold so far."""
        for event in self._person.read_now(lambda r: _events_after(r, self._shadow.seq)):
            self._shadow.take(event)
        nobody = rows.LiveRow(False, None, (), ())
        items = self._person.read_now(lambda r: reads.work_items(r, limit=100_000, live=nobody))
        has_state = {item.id for item in items if item.state in states.WORK_ITEM_STATES}
        self._ledger.violations += [f"work item {n} has no state" for n in self.added if n not in has_state]
        return self._ledger.violations + self._shadow.violations

    @property
    def head(self) -> tuple[int, str]:
        """The number of the last event, and the link that covers every byte of all before it."""
        events = self._person.read_now(lambda r: r.sql("SELECT seq, mac FROM chain_head"))
        return int(events[0][0]), bytes(events[0][1]).hex()

    def finish(self) -> list[str]:
        """Calm weather: every agent answers, every question is answered. What is wrong when all has come to rest."""
        self.is_calm = True
        self._disk.refuses = 0
        self.edit_team(0)
        for number in self.added:
            self._do(lambda tx, n=number: _let_end(tx, n))  # type: ignore[misc]
        for _ in range(MOST_ROUNDS):
            self.run(PATIENCE_SECONDS)
            waiting = self.questions(*WAITING)
            if not waiting and all(self._is_at_end(number) for number in self.added):
                break
            for question in waiting:
                self._do(lambda tx, q=question: self._answer(tx, q, 0))  # type: ignore[misc]
        lost = [f"work item {n} never came to its end" for n in self.added if not self._is_at_end(n)]
        left = [f"{q.question!r} takes no answer" for q in self.questions(*WAITING) if q.work_item is not None]
        found = self._person.read_now(lambda r: audit.verify(r, self._key))
        return self.violations + lost + left + [fault.what for fault in found.faults]

    def _facts(self, number: int) -> rows.WorkItemFactsRow:
        facts = self._person.read_now(lambda r: reads.work_item_facts(r, number))
        assert facts is not None
        return facts

    def _is_at_end(self, number: int) -> bool:
        facts = self._facts(number)
        runs = self._person.read_now(lambda r: reads.phase_runs(r, number))
        passed = any((run.phase, run.outcome) == (facts.until, "passed") for run in runs)
        return passed or any(at is not None for at in (facts.cancelled_at, facts.closed_at, facts.failed_at))

    @property
    def executions(self) -> int:
        return self._ledger.executions


WAITING = ("open", "acknowledged", "snoozed")


def _let_end(tx: Transaction, number: int) -> None:
    """Nothing keeps the work item from going to its end; one that is on the way to a release ends as it is."""
    facts = work_items.existing(tx, number)
    if facts.paused_at is not None:
        work_items.resume(tx, number, "ada")
    if facts.until is None and any(run.phase == "O1" for run in reads.phase_runs(tx, number)):
        work_items.cancel(tx, number, "ada")
    elif facts.until is None:
        work_items.stop_after(tx, number, "R1")


def _keys(event: StoredEvent) -> list[Key]:
    rows = carried(json.loads(event.payload), seq=event.seq, at=event.at, work_item=event.work_item)
    found = [row for table, _, row in rows if table == "delegations"]
    return [(row["work_item"], row["phase"], row["round"], row["agent"], row["subject"]) for row in found]


def _events_after(reader: Reader, seq: int) -> list[StoredEvent]:
    columns = (Event.seq, Event.at, Event.kind, Event.work_item, Event.payload, Event.mac)
    return [
        event_from_row(row) for row in reader.rows(Event.select(*columns).where(Event.seq > seq).order_by(Event.seq))
    ]
