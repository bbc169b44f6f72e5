"""A workspace, the processes that drive it, and a person: everything that can happen to them, one deed after another.

The engine, the store, the database and the team's files are the real ones. Simulated are the clock, the order in which
threads answer, the agents, the world they release to, the watching of folders, and the number of a process.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import TypeVar

from core.contract import UsageError
from core.governance import authority, escalations, life, reversal
from core.orchestration import work_items
from core.orchestration.engine import POLL_SECONDS
from core.orchestration.lease import HEARTBEAT_SECONDS
from core.orchestration.questions import SUPPLY
from core.registry.catalog import Catalog, CatalogError
from core.store import audit, reads, reads_escalations, rows, states
from core.store.chain import StoredEvent, event_from_row
from core.store.schema import Event
from core.store.store import Reader
from core.store.transaction import Transaction
from tests.fresh import copied
from tests.simulation.agents import Key, Ledger
from tests.simulation.outside import ACTS, PROPOSAL, Outside
from tests.simulation.place import TEAMS, make_workspace, read_catalog
from tests.simulation.process import JOURNAL_KEY, PATIENCE_SECONDS, Machine, Process, simulated
from tests.simulation.shadow import Shadow

T = TypeVar("T")

_INTENDED = "SELECT 1 FROM intents WHERE work_item = ? AND phase = ? AND round = ? AND agent = ? LIMIT 1"

MOST_ROUNDS = 40
"""Of answering everything in calm weather; by then all work has come to its end, or something is lost."""
PHASES = ("D1", "P1", "I1", "R1", "O1", "E1")
NOTICED_SECONDS = HEARTBEAT_SECONDS + 2 * POLL_SECONDS
"""After which a process that moves has found out that another one took its lease."""
RELEASED = (*(act for role, acts in ACTS.items() if role != "incident-scribe" for act in acts), "deployment")
"""What the world knows of a release; a scribe that is kept from writing it down holds nothing up."""
SLICE_SECONDS = 0.3
"""How long one of two processes moves at most before it is the other's turn."""


class World:
    """Deeds are methods; each leaves the world at rest between two turns of the engine's loop. Close it at the end."""

    def __init__(self, folder: Path, chance: Random) -> None:
        self.folder = copied(make_workspace, folder)
        self._chance = chance
        self._outside = Outside(self._is_intended)
        self._machine = Machine(self.folder, chance, Ledger(), self._outside)
        self.kills = self.hands = 0
        self.added: list[int] = []
        self._text = (self.folder / "agents.yaml").read_text(encoding="utf-8")
        self._simulated = simulated(self._machine)
        self._simulated.__enter__()
        self._person = self._machine.store()
        self._shadow = Shadow(JOURNAL_KEY)
        self._driver = self._begun()

    # The processes that drive.

    def _begun(self) -> Process:
        return Process(self._machine, self._mended())

    def _mended(self) -> Catalog:
        """The team's files, put in order where they are broken: whoever starts the process is told so."""
        try:
            return read_catalog(self.folder / "agents.yaml")
        except CatalogError:
            self.edit_team(0)
            return read_catalog(self.folder / "agents.yaml")

    def run(self, seconds: float) -> None:
        """Let so much time pass."""
        self._driver.run(seconds)
        if self._driver.could_not_begin:
            # It ended with a message; somebody starts it anew.
            self._driver.kill()
            self._driver = self._begun()

    def kill(self, turns: int) -> None:
        """Kill the process after so many turns of its loop, wherever it is then, and start another one."""
        self._driver.stop_after(turns)
        self._kill(self._driver)
        self._driver = self._begun()

    def _kill(self, process: Process) -> None:
        process.kill()
        self.kills += 1

    def stall(self, turns: int, seconds: float, *, is_rival_killed: bool, rival_seconds: float | None = None) -> None:
        """The process stands still for so long, wherever it is; another one begins meanwhile, and then it goes on.

        The other one has so many seconds before; by default fewer than one, in which it may not come to its lease.
        """
        stalled = self._driver
        stalled.stop_after(turns)
        drove = stalled.is_driving
        self._machine.pass_time(seconds)
        rival = self._begun()
        rival.run(self._chance.random() if rival_seconds is None else rival_seconds)
        if is_rival_killed:
            self._kill(rival)
            rival = self._begun()
        self.hands += drove and self._machine.driver != stalled.number
        self._settle_between(stalled, rival)

    def compete(self, turns: int) -> None:
        """The process is killed, and two are begun in its place."""
        self._driver.stop_after(turns)
        self._kill(self._driver)
        self._settle_between(self._begun(), self._begun())

    def _settle_between(self, one: Process, other: Process) -> None:
        """Two that want to drive go on side by side, until it is clear which does; whoever does not, ends."""
        noticed = self._machine.now + 2 * NOTICED_SECONDS
        while self._machine.now < noticed:
            for process in (one, other):
                process.run(self._chance.random() * SLICE_SECONDS)
        driving = [process for process in (one, other) if process.is_driving]
        if len(driving) > 1:
            self._machine.ledger.violations.append(f"{one.number} and {other.number} drive at the same time")
        for process in (one, other):
            if process not in driving[:1]:
                process.end()
        self._driver = driving[0] if driving else self._begun()

    def _is_intended(self, key: Key) -> bool:
        work_item, phase, round_, agent, _ = key
        return self._person.read_now(lambda r: bool(r.sql(_INTENDED, (work_item, phase, round_, agent))))

    def close(self) -> None:
        self._driver.kill()
        self._person.close()
        self._simulated.__exit__(None, None, None)

    def calm_down(self) -> None:
        """From now on every agent answers at once what its gate asks for."""
        self._machine.is_calm = True

    @property
    def turns(self) -> int:
        return self._machine.turns + self._driver.loop.turns

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

    def bring_to_release(self, until: tuple[str, ...]) -> None:
        """Work that was reviewed in calm weather and is about to be released; each stops after one of these phases."""
        self.calm_down()
        for _ in until:
            self.add("R1")
        numbers = self.added[-len(until) :] if until else []
        while not all(self._is_at_end(number) for number in numbers):
            self.run(1.0)
        self._machine.is_calm = False
        for number, phase in zip(numbers, until, strict=True):
            self._do(lambda tx, n=number, p=phase: work_items.stop_after(tx, n, p))  # type: ignore[misc]

    def _of_work(self, pick: int, work: Callable[[Transaction, int, str], object]) -> None:
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
        now = self._machine.clock()
        found = self._person.read_now(lambda r: reads_escalations.escalations(r, open_only=False, limit=100_000))
        return [q for q in sorted(found, key=lambda q: q.id) if states.escalation_state(q, now) in wanted]

    def _of_question(self, pick: int, work: Callable[[Transaction, rows.EscalationRow], object], *wanted: str) -> None:
        found = self.questions(*wanted)
        if found:
            question = found[pick % len(found)]
            self._do(lambda tx: work(tx, question))

    def answer(self, pick: int, option: int) -> None:
        """One of the answers; the same question may have been answered a moment ago."""
        self._of_question(pick, lambda tx, q: self._answer(tx, q, option), *WAITING, "resolved")

    def _answer(self, tx: Transaction, question: rows.EscalationRow, option: int) -> None:
        """One that needs no values; whether a release is deployed is looked for where it would be."""
        seen = self._outside.seen(question.work_item)
        plain = [o["key"] for o in question.options if not o.get("asks")]
        if seen is not None and any("deployment" in o.get("asks", ()) for o in question.options):
            told = {"deployment": seen}
            escalations.resolve(tx, question.id, option=SUPPLY, by="ada", reason="looked", answer=told)
        elif plain:
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
        self._machine.ahead_ms += seconds * 1000

    def fill_disk(self, writes: int) -> None:
        """So many writes of the driving process find no room."""
        self._machine.disk.refuses += writes

    # What must hold.

    @property
    def violations(self) -> list[str]:
        """Whatever did not hold so far."""
        for event in self._person.read_now(lambda r: _events_after(r, self._shadow.seq)):
            self._shadow.take(event)
        nobody = rows.LiveRow(False, None, (), ())
        items = self._person.read_now(lambda r: reads.work_items(r, limit=100_000, live=nobody))
        has_state = {item.id for item in items if item.state in states.WORK_ITEM_STATES}
        self._machine.ledger.violations += [f"work item {n} has no state" for n in self.added if n not in has_state]
        return self._machine.ledger.violations + self._outside.violations + self._shadow.violations

    @property
    def head(self) -> tuple[int, str]:
        """The number of the last event, and the link that covers every byte of all before it."""
        events = self._person.read_now(lambda r: r.sql("SELECT seq, mac FROM chain_head"))
        return int(events[0][0]), bytes(events[0][1]).hex()

    def finish(self) -> list[str]:
        """Calm weather: every agent answers, every question is answered. What is wrong when all has come to rest."""
        self.calm_down()
        self._machine.disk.refuses = 0
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
        found = self._person.read_now(lambda r: audit.verify(r, JOURNAL_KEY))
        return self.violations + lost + left + self._half_released() + [fault.what for fault in found.faults]

    def _half_released(self) -> list[str]:
        """Work that the journal calls released and the world does not know as such, or evolution proposed twice for."""
        items = self._person.read_now(lambda r: reads.work_items(r, limit=100_000))
        proposed = Counter(item.facts.parent for item in items if item.facts.title == PROPOSAL)
        missing = [
            f"work item {number} is released without a {act}"
            for number in self.added
            for act in RELEASED
            if self._facts(number).released_at is not None and not self._outside.acts[number, act]
        ]
        return missing + [f"{count} proposals of work item {n}" for n, count in proposed.items() if count > 1]

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
        return self._machine.ledger.executions

    @property
    def releases(self) -> int:
        return sum(self._facts(number).released_at is not None for number in self.added)


WAITING = ("open", "acknowledged", "snoozed")


def _let_end(tx: Transaction, number: int) -> None:
    """Nothing keeps the work item from going to its end."""
    if work_items.existing(tx, number).paused_at is not None:
        work_items.resume(tx, number, "ada")
    if work_items.existing(tx, number).until is None:
        work_items.stop_after(tx, number, PHASES[-1])


def _events_after(reader: Reader, seq: int) -> list[StoredEvent]:
    columns = (Event.seq, Event.at, Event.kind, Event.work_item, Event.payload, Event.mac)
    return [
        event_from_row(row) for row in reader.rows(Event.select(*columns).where(Event.seq > seq).order_by(Event.seq))
    ]
