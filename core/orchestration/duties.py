"""What the engine owes the team besides driving: deadlines, schedules, notices, and the inbox.

Each duty has a short transaction of its own, fenced like every write of whoever drives, and one that fails stops no
other. Notices are delivered beside the rest: a mail server that does not answer holds up nothing.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from core.governance import schedules
from core.governance.schedules import Duty
from core.orchestration.inbox import Inbox
from core.orchestration.lease import HeldStore, LeaseLost
from core.store.database import StoreError
from core.store.store import Reader
from core.store.transaction import Transaction

if TYPE_CHECKING:
    from core.registry.catalog import Catalog

logger = logging.getLogger(__name__)

LONGEST_WAIT_SECONDS = 15.0
"""How long nothing is looked at although nothing is due: the wall clock may be put, the machine may sleep."""
GATHER_SECONDS = 0.5
"""Events that follow each other faster are looked at together."""
REST_SECONDS = 5.0
"""How long a duty rests that has failed, or that says it is due and does nothing."""
CHECK_AFTER_SECONDS = 60.0
"""When an engine first looks whether the database's file is whole: a short command ends without having read it all."""
CHECK_SECONDS = 24 * 3_600.0
"""How often it looks again."""
PRUNE_MS = 24 * 3_600_000
"""How often `state/` is rid of what nothing needs any more; the first time when an engine begins."""
MOST_TURNS = 1_000
"""Transactions of one duty in one look. Each does some hundreds of things and lets other writes in between."""


class Duties:
    """The recurring duties of whoever holds the lease. `catalog` gives the team's files as they are now.

    `tell` takes the lines for the console: notices, and what became of files in the inbox. Run `follow` as one task
    and cancel it, or `stop` it; `wake` it when something has happened.
    """

    def __init__(
        self, store: HeldStore, state: Path, catalog: Callable[[], Catalog], tell: Callable[[str], None]
    ) -> None:
        self._store, self._state, self._catalog, self._tell = store, state, catalog, tell
        self._inbox = Inbox(store, state, tell)
        self._prune_at = 0
        self._due, self._news = asyncio.Event(), asyncio.Event()
        """For the two loops that wait: something has happened."""
        self._stopped = asyncio.Event()

    def wake(self) -> None:
        """Look at once, on the event loop: there are new events."""
        self._due.set()
        self._news.set()

    def stop(self) -> None:
        """End `follow`. What is in the middle of being done is not waited for; what is committed stays."""
        self._stopped.set()

    async def follow(self) -> None:
        """Do what falls due, when it falls due, until stopped, cancelled, or until the lease is lost."""
        loops: tuple[tuple[str, Callable[[], Awaitable[object]]], ...] = (
            ("deadlines", self._follow_duties),
            ("delivery", self._follow_delivery),
            ("inbox", self._inbox.follow),
            ("damage", self._follow_damage),
            ("stop", self._stopped.wait),
        )
        tasks = [asyncio.create_task(self._keep_up(name, work), name=f"apm-{name}") for name, work in loops]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._stopped.clear()

    async def run_due(self) -> None:
        """Do once what is due now, delivery and the inbox included. Raises LeaseLost when another process drives."""
        await self._attempt("the inbox could not be looked at", self._look_last)
        await self._do_duties()
        await self._deliver_now()

    @staticmethod
    async def _keep_up(name: str, work: Callable[[], Awaitable[object]]) -> None:
        while True:
            try:
                await work()
                return
            except LeaseLost:
                # Whoever drives now has the duties now; the heartbeat tells the engine.
                return
            except Exception:
                logger.exception("%s cannot be followed for a moment", name)
                await asyncio.sleep(REST_SECONDS)

    async def _follow_duties(self) -> None:
        while True:
            self._due.clear()
            moment = await self._do_duties()
            # What the duties wrote is news for whoever delivers.
            self._news.set()
            await self._wait(self._due, moment)

    async def _follow_delivery(self) -> None:
        while True:
            self._news.clear()
            moment = await self._deliver_now()
            await self._wait(self._news, moment)

    async def _follow_damage(self) -> None:
        await asyncio.sleep(CHECK_AFTER_SECONDS)
        while True:
            await self._look_for_damage()
            await asyncio.sleep(CHECK_SECONDS)

    async def _look_for_damage(self) -> None:
        """Have every page read on a thread, and tell a person what is damaged. Whoever ends meanwhile does not wait."""
        from core.governance.damage import is_sound, raise_once
        from core.store.soundness import damage

        ends = threading.Event()
        try:
            damaged = await asyncio.to_thread(damage, self._store.store.path, ends.is_set)
        finally:
            ends.set()
        try:
            await self._store.write(lambda tx: raise_once(tx, damaged) if damaged else is_sound(tx))
        except StoreError:
            # Where not even a question can be kept, the console and the log are who is told.
            if not damaged:
                raise
            logger.exception("%s", damaged)
            self._tell(damaged)

    async def _wait(self, news: asyncio.Event, moment: int | None) -> None:
        """Until there is news or the moment (milliseconds) has come, and not too long in any case."""
        left = LONGEST_WAIT_SECONDS if moment is None else (moment - self._now) / 1000
        seconds = min(left if left > 0 else REST_SECONDS, LONGEST_WAIT_SECONDS)
        gathered = min(GATHER_SECONDS, seconds)
        await asyncio.sleep(gathered)
        try:
            async with asyncio.timeout(seconds - gathered):
                await news.wait()
        except TimeoutError:
            return

    async def _do_duties(self) -> int | None:
        """Do what is due; the moment at which the next thing is."""
        steps: tuple[tuple[str, Callable[[], Awaitable[int | None]]], ...] = (
            ("deadlines could not be swept", self._sweep),
            ("schedules could not be kept", self._keep_schedules),
            ("notices could not be planned", self._plan_notices),
            ("state/ could not be tidied", self._prune),
            ("the next deadline could not be read", self._next_moment),
        )
        moments = [await self._attempt(what, step) for what, step in steps]
        return _earliest(moments)

    async def _look_last(self) -> None:
        await self._inbox.look(last=True)

    async def _deliver_now(self) -> int | None:
        return await self._attempt("notices could not be delivered", self._deliver)

    async def _attempt(self, what: str, step: Callable[[], Awaitable[int | None]]) -> int | None:
        """Do a step; when something is to be done again. A step that fails is in the log, and tried after a rest."""
        try:
            return await step()
        except LeaseLost:
            raise
        except Exception:
            logger.exception("%s", what)
            return self._now + int(REST_SECONDS * 1000)

    @property
    def _now(self) -> int:
        return self._store.store.clock()

    async def _next_moment(self) -> int | None:
        """The earliest moment at which a deadline or a schedule has something to do."""
        from core.governance import clock

        def read(reader: Reader) -> list[int | None]:
            return [clock.next_moment(reader), schedules.next_moment(reader)]

        return _earliest(await self._store.read(read))

    async def _sweep(self) -> None:
        from core.governance import clock
        from core.governance.scope import deciding

        now = self._now
        if await self._store.read(lambda r: deciding.cooling_too_long(r, now)):
            await self._store.write(deciding.bring_forward)
        for _ in range(MOST_TURNS):
            if not await self._store.write(clock.sweep):
                return

    async def _keep_schedules(self) -> int | None:
        """Plan the scheduled duties, then do each that is due; one that cannot be done holds up no other."""
        duties, now = schedules.duties_of(self._catalog().defaults.schedules), self._now
        if await self._store.read(lambda r: schedules.unplanned(r, duties, now)):
            await self._store.write(lambda tx: schedules.plan(tx, duties))
        return _earliest([await self._attempt(f"{d.name} could not be done", partial(self._do, d)) for d in duties])

    async def _do(self, duty: Duty) -> None:
        """Do a scheduled duty if it is due; one that fails keeps its error on its row and is tried again."""
        now = self._now
        if not await self._store.read(lambda r: schedules.is_due(r, duty, now)):
            return
        deeds = {schedules.DAILY_BRIEFING: self._brief, schedules.WEEKLY_SCOPE_REVIEW: self._review}
        try:
            await deeds[duty.name](duty)
        except LeaseLost:
            raise
        except Exception as error:
            logger.exception("%s could not be done", duty.name)
            why = f"{type(error).__name__}: {error}"
            await self._store.write(lambda tx: schedules.fail(tx, duty, why))

    async def _brief(self, duty: Duty) -> None:
        from core.governance.briefing import briefing, keep

        # Read outside of the transaction that keeps it: it may take a while, in which others write.
        title, now = self._catalog().defaults.milestone.title, self._now
        found = await self._store.read(lambda r: briefing(r, now, milestone=title))

        def work(tx: Transaction) -> None:
            if schedules.claim(tx, duty):
                keep(tx, found, send=True)

        await self._store.write(work)

    async def _review(self, duty: Duty) -> None:
        from core.governance.scope.review import review

        def work(tx: Transaction) -> None:
            if schedules.claim(tx, duty):
                review(tx, by=None)

        await self._store.write(work)

    async def _prune(self) -> int:
        from core.store import pruning

        if self._now >= self._prune_at:
            now = self._now
            paths = await self._store.read(lambda r: pruning.to_prune(self._state, r, now))
            await asyncio.to_thread(pruning.prune, paths)
            self._prune_at = now + PRUNE_MS
        return self._prune_at

    async def _plan_notices(self) -> None:
        from core.governance.notices import planning

        for _ in range(MOST_TURNS):
            if (await self._store.write(planning.plan_some)).is_done:
                return

    async def _deliver(self) -> int | None:
        from core.governance.notices import delivery

        delivered = await delivery.deliver(self._store, self._state, self._tell)
        return delivered.next_try_at


def _earliest(moments: Iterable[int | None]) -> int | None:
    return min((moment for moment in moments if moment is not None), default=None)
