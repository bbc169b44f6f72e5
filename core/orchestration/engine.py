"""The engine: it holds the lease, picks up what can run, drives it, and hears when something has changed.

Its tasks are plain asyncio tasks. No screen owns them: whoever looks on may come and go.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from core.contract import ApmError
from core.governance.budgets import lose_open
from core.governance.escalations import is_over
from core.orchestration import lease
from core.orchestration.clearing import clear_after_others, clear_away
from core.orchestration.drive import Drive, Equipment
from core.orchestration.duties import Duties
from core.orchestration.live import Live
from core.orchestration.picking import runnable
from core.orchestration.providers import Providers
from core.orchestration.reloading import Reload, Team
from core.orchestration.runtimes import NO_TAPE, Available, Tape, available_runtimes
from core.orchestration.standing import News, Roster
from core.projects import commands
from core.runtimes.base import Runtime
from core.store import reads, rows
from core.store.database import StoreError
from core.store.looking import Looking
from core.store.store import Reader

if TYPE_CHECKING:
    from core.workspace import Workspace

logger = logging.getLogger(__name__)

REST_SECONDS = 5.0
"""How long a work item rests that could not be driven: by then the disk may have space again."""
DUTIES_SECONDS = 30.0
"""How long a run that has nothing more to drive waits for its notices; what is not sent by then is sent by the next."""
ENDING = frozenset({"work_item.cancelled", "escalation.resolved"})
"""Events that may have ended their work item."""
POLL_SECONDS = 0.25
"""How often other processes' commits are looked for; this process's own are heard at once."""


class Engine:
    """Drives one workspace's work items. `start` it inside a running event loop; `stop` it before that ends."""

    def __init__(
        self,
        workspace: Workspace,
        runtimes: Mapping[str, Runtime] | None = None,
        only: Collection[int] | None = None,
        tape: Tape = NO_TAPE,
    ) -> None:
        """Drives every work item, or `only` some.

        `runtimes` by name, where others than the ones that come with apm are to execute the agents. Raises UsageError
        for a cassette that is none.
        """
        self._only = None if only is None else frozenset(only)
        self._ws = workspace
        self._store = workspace.store
        self._live = Live(os.getpid(), workspace.store.clock)
        self._held: lease.Held | None = None
        self._drives: dict[int, asyncio.Task[None]] = {}
        self._ready: set[int] = set()
        """Work items that a drive could bring further, and that none drives yet."""
        self._changed: set[int] | None = None
        """Work items that something happened to since they were last looked at; None: look at all."""
        self._doubtful: set[int] = set()
        """Work items that are driven and that something has happened to which may have ended them."""
        self._uncleared: set[int] = set()
        """Work items that something happened to, and whose worktrees may have to go."""
        self._parked: dict[int, frozenset[int]] = {}
        """By work item, the questions at which its last drive was parked in the middle of a phase."""
        self._seen = 0
        """The newest event that was heard of."""
        self._looking = False
        self._wake = asyncio.Event()
        self._settled = asyncio.Condition()
        self._tasks: list[asyncio.Task[None]] = []
        self._unsubscribe: Callable[[], None] | None = None
        self._faults: dict[int | None, BaseException] = {}
        """By work item, what keeps it from being driven; under None what keeps the engine itself from going on."""
        store = lease.HeldStore(workspace.store, lambda: self._held)
        self._team = Team(workspace, store)
        self._duties = Duties(store, workspace.state, lambda: self._team.catalog, self._notify)
        self._notice_listeners: list[Callable[[str], None]] = []
        self._available = Available(dict(runtimes)) if runtimes else available_runtimes(workspace, tape=tape)
        self._news = News()
        self._equipment = Equipment(
            store=store,
            state=workspace.state,
            team=self._team,
            runtimes=self._available.by_name,
            live=self._live,
            news=self._news,
            roster=Roster(store, self._news),
            providers=Providers(store),
        )

    @property
    def is_driving(self) -> bool:
        return self._held is not None

    def live(self) -> rows.LiveRow:
        return self._live.row()

    def on_live(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call the listener, on the event loop, whenever what runs has changed; what it returns ends that."""
        return self._live.on_change(listener)

    def on_registry(self, listener: Callable[[Reload], None]) -> Callable[[], None]:
        """Call the listener, on the event loop, when the team's files were brought in or could not be."""
        return self._team.on_reload(listener)

    def on_notice(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """Call the listener, on the event loop, with every line for the console; what it returns ends that."""
        self._notice_listeners.append(listener)
        return lambda: self._notice_listeners.remove(listener) if listener in self._notice_listeners else None

    def _notify(self, line: str) -> None:
        for listener in tuple(self._notice_listeners):
            listener(line)

    @property
    def fault(self) -> BaseException | None:
        """What keeps a work item from being driven, when it is no agent's failure: a full disk, a lost lease."""
        return next(iter(self._faults.values()), None)

    async def start(self) -> bool:
        """Take the lease and begin. False when another process drives this workspace: then this one only looks on."""
        self._held = await self._store.write(lease.take)
        if self._held is None:
            return False
        self._live.is_driven = True
        self._faults.clear()
        self._changed = None
        # Cleaning up may take longer than a lease stays fresh.
        self._tasks = [asyncio.create_task(self._beat(), name="apm-heartbeat")]
        try:
            await self._begin()
        except BaseException:
            # A lease that is kept by its heartbeat alone would keep everybody else from driving.
            with contextlib.suppress(StoreError):
                await self.stop()
            raise
        return True

    async def _begin(self) -> None:
        """Clear up after whoever drove before, then look at what there is."""
        await self._store.write(lose_open)
        await clear_after_others(self._equipment, self._ws.id)
        await self._team.look()
        self._seen = await self._store.read(_newest_event)
        self._unsubscribe = self._store.subscribe(
            lambda events: self._hear([(e.seq, e.work_item, e.kind) for e in events]), asyncio.get_running_loop()
        )
        # Tasks inherit the mark, and with it every command that an agent runs: a later start finds what we left.
        with commands.in_workspace(self._ws.id):
            self._tasks += [
                asyncio.create_task(self._watch(), name="apm-watch"),
                asyncio.create_task(self._serve(), name="apm-engine"),
                asyncio.create_task(self._team.follow(), name="apm-team"),
                asyncio.create_task(self._duties.follow(), name="apm-duties"),
            ]

    async def stop(self) -> None:
        """Stop everything that runs and give the lease back. What is not recorded will be done at the next start."""
        tasks = self._cancel_everything()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.clear()
        self._drives.clear()
        await self._available.aclose()
        held, self._held = self._held, None
        if held is not None:
            await self._store.write(lambda tx: lease.give_back(tx, held))

    def _cancel_everything(self) -> tuple[asyncio.Task[None], ...]:
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        tasks = tuple(t for t in (*self._tasks, *self._drives.values()) if t is not asyncio.current_task())
        for task in tasks:
            task.cancel()
        self._live.is_driven = False
        return tasks

    async def _give_up(self, error: lease.LeaseLost) -> None:
        """Another process drives now: nothing of ours may go on, and whoever waits is told."""
        self._faults[None], self._held = error, None
        self._cancel_everything()
        await self._tell_settled()

    async def keep_duties(self) -> None:
        """Do now what is due, so that whoever ends after this has told people what waits for them. Bounded in time."""
        if self._held is not None:
            with contextlib.suppress(TimeoutError, lease.LeaseLost):
                async with asyncio.timeout(DUTIES_SECONDS):
                    await self._duties.run_due()

    async def until_settled(self, work_items: Iterable[int] | None = None) -> None:
        """Wait until none of these (all, by default) is running or able to. Raises what stopped the engine itself."""
        wanted = None if work_items is None else frozenset(work_items)
        while True:
            if self.fault is not None:
                raise self.fault
            if self._held is None or self.is_settled(wanted):
                return
            async with self._settled:
                try:
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._settled.wait()
                except TimeoutError:
                    continue

    def is_settled(self, wanted: frozenset[int] | None = None) -> bool:
        """Whether none of these (all, by default) is running or able to, as far as has been looked."""
        if self._changed is None or self._changed or self._looking or self._wake.is_set():
            return False
        busy = self._ready | set(self._drives)
        return not (busy if wanted is None else busy & wanted)

    def _hear(self, events: Sequence[tuple[int, int | None, str]]) -> None:
        """Take in events without a gap among them. `_seen` never passes one that was not heard: what another
        process wrote just before this one did is still to be found by the watch."""
        if events[0][0] <= self._seen + 1:
            self._seen = max(self._seen, events[-1][0])
        self._news.take_in((number, kind) for _, number, kind in events)
        self._note(number for _, number, _ in events)
        ended = {number for _, number, kind in events if kind in ENDING and number} & set(self._drives)
        if ended:
            self._doubtful |= ended
            self._wake.set()
        self._duties.wake()

    def _note(self, work_items: Iterable[int | None]) -> None:
        """Look at these again. What a drive does to its own work item is no news: it is looked at when that ends."""
        news = {w for w in work_items if w is not None and self._is_mine(w)} - set(self._drives)
        if news and self._changed is not None:
            self._changed |= news
        if news:
            self._wake.set()

    async def _serve(self) -> None:
        """The loop: look at what has changed, drive what can run, as many at once as the limits allow."""
        self._wake.set()
        while True:
            await self._wake.wait()
            self._wake.clear()
            self._looking = True
            try:
                self._uncleared |= await self._look()
                await self._end_what_is_over()
                limit = self._equipment.catalog.defaults.limits.parallel_work_items
                for number in sorted(self._ready)[: max(0, limit - len(self._drives))]:
                    self._ready.discard(number)
                    self._drives[number] = asyncio.create_task(self._drive(number), name=f"apm-drive-{number}")
                await self._clear_what_is_over()
                self._faults.pop(None, None)
            except Exception as error:
                # An engine that holds the lease and serves nobody would be worse than one that tries again.
                logger.exception("the engine cannot look at what has changed")
                self._faults[None] = error
                asyncio.get_running_loop().call_later(REST_SECONDS, self._wake.set)
            self._looking = False
            await self._tell_settled()

    async def _look(self) -> set[int]:
        """Find out what can be driven now; the work items that something had happened to."""
        changed, self._changed = self._changed, set()
        try:
            found = await self._store.read(lambda r: runnable(r, changed, self._parked))
        except BaseException:
            self._changed = None
            raise
        ready = {number for number in found if self._is_mine(number)} - self._live.resting.keys()
        self._ready = (ready if changed is None else (self._ready - changed) | ready) - set(self._drives)
        return changed or set()

    async def _end_what_is_over(self) -> None:
        """Cancel what still runs for work that was cancelled: nobody wants it, and a model is paid by the word."""
        for number in tuple(self._doubtful):
            if await self._store.read(lambda r, number=number: is_over(r, number)):  # type: ignore[misc]
                self._equipment.executions.end(None, number)
            self._doubtful.discard(number)

    def _is_mine(self, number: int) -> bool:
        return self._only is None or number in self._only

    async def _drive(self, number: int) -> None:
        try:
            drive = Drive(self._equipment, number)
            with self._live.work_item(number):
                await drive.run()
            self._faults.pop(number, None)
            self._parked.pop(number, None)
            if drive.waits_for:
                self._parked[number] = drive.waits_for
            if drive.rest_seconds:
                self._live.rest(number, drive.rest_seconds)
                asyncio.get_running_loop().call_later(drive.rest_seconds, self._try_again, number)
        except lease.LeaseLost as error:
            await self._give_up(error)
        except Exception as error:
            # The store failed, or the program did. Whoever waits is told, and it is tried again after a rest.
            logger.exception("work item %s cannot be driven", number)
            self._faults[number] = error
            asyncio.get_running_loop().call_later(REST_SECONDS, self._try_again, number)
        finally:
            self._drives.pop(number, None)
            if number not in self._faults:
                self._note([number])
            # Its place is free for one that is ready.
            self._wake.set()
            await self._tell_settled()

    def _try_again(self, number: int) -> None:
        """What kept it from being driven is over, as far as anybody knows; it may have been cancelled meanwhile."""
        self._faults.pop(number, None)
        self._live.end_rest(number)
        self._parked.pop(number, None)
        self._note([number])

    async def _clear_what_is_over(self) -> None:
        """Take away the worktrees of work that has just ended; a fault of git there stops nothing."""
        resting = self._uncleared - set(self._drives)
        found = await self._store.read(lambda r: [reads.work_item_facts(r, number) for number in resting])
        self._uncleared.clear()
        for facts in found:
            if facts is None or not facts.is_over:
                continue
            self._parked.pop(facts.id, None)
            try:
                await clear_away(self._equipment, facts)
            except (ApmError, OSError) as error:
                logger.warning("the worktree of work item %s could not be removed: %s", facts.id, error)

    async def _tell_settled(self) -> None:
        async with self._settled:
            self._settled.notify_all()

    async def _beat(self) -> None:
        """Heartbeat, and what runs, for other processes; at once when it changes, at most four times a second."""
        held = self._held
        if held is None:
            return
        changed = asyncio.Event()
        unsubscribe = self._live.on_change(changed.set)
        clock = asyncio.get_running_loop().time
        last = clock()
        try:
            while True:
                changed.clear()
                live = self._live.facts()
                try:
                    self._held = held = await self._store.write(partial(lease.beat, held=held, live=live))
                    last = clock()
                except StoreError as error:
                    # A disk that is full for a moment must not end the work; a lease that others see as stale must.
                    if clock() - last > lease.GIVE_UP_SECONDS:
                        raise lease.LeaseLost(f"The lease could not be renewed: {error}") from error
                await asyncio.sleep(POLL_SECONDS)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(lease.HEARTBEAT_SECONDS):
                        await changed.wait()
        except lease.LeaseLost as error:
            await self._give_up(error)
        finally:
            unsubscribe()

    async def _watch(self) -> None:
        """Hear what other processes have committed: an answer from a viewer, a work item from the command line."""
        looking = Looking(self._store, asyncio.get_running_loop().time)
        while True:
            await asyncio.sleep(POLL_SECONDS)
            if not looking.is_due():
                continue
            seen = self._seen
            try:
                others = await self._store.read(lambda r, seen=seen: reads.news(r, seen))  # type: ignore[misc]
            except StoreError as error:
                logger.warning("other processes are not heard for a moment: %s", error)
                await asyncio.sleep(REST_SECONDS)
                continue
            if others:
                self._hear(others)


def _newest_event(reader: Reader) -> int:
    found = reads.events(reader, last=1)
    return found[0].seq if found else 0
