"""From commits to the screen: what changed is gathered, and at most ten times a second the views read anew.

Commits of this process arrive from the writer's thread, the running set from the engine, and other processes' writes
by looking at the journal's head a few times a second. A view that is still reading is never asked twice at once: what
happens meanwhile is one more reading afterwards. Reading happens on the store's threads, never on the event loop.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from core.contract import ApmError
from core.store.looking import Looking

if TYPE_CHECKING:
    from core.store.chain import StoredEvent
    from core.store.reads import Connection
    from core.store.rows import LiveRow
    from core.store.store import Store
    from core.store.transaction import Transaction

logger = logging.getLogger(__name__)

T = TypeVar("T")

FLUSH_SECONDS = 0.1
"""Least time between two readings of a view."""
POLL_SECONDS = 0.3
"""How often it is looked whether another process has written."""
LATE_SECONDS = 0.5
"""A write that takes longer is one that waits, and that is said."""
RETRY_SECONDS = 1.0
"""Least time before a view that could not read tries it again by itself."""


class Change(NamedTuple):
    """What happened since a view last read."""

    kinds: frozenset[str] = frozenset()
    work_items: frozenset[int] = frozenset()
    live: bool = False
    """The set of running delegations changed."""
    everything: bool = False
    """Another process wrote, or the view has just appeared."""
    told: bool = False
    """A running delegation says something else of itself: what it does, what it has used. The set is as it was."""

    def __or__(self, other: Change) -> Change:
        return Change(
            self.kinds | other.kinds,
            self.work_items | other.work_items,
            self.live or other.live,
            self.everything or other.everything,
            self.told or other.told,
        )


EVERYTHING = Change(everything=True)
NOTHING = Change()


def _who_runs(live: LiveRow) -> tuple[Any, ...]:
    """What of the running set says who runs or rests, and not what they do."""
    named = ("work_item", "phase", "agent", "subject", "since")
    told = tuple(tuple(d.get(n) for n in named) for d in live.delegations)
    return live.is_driven, live.pid, live.work_items, tuple(live.resting.items()), told


class Engine(Protocol):
    """What the screen needs of the engine."""

    @property
    def is_driving(self) -> bool: ...
    async def start(self) -> bool: ...
    async def stop(self) -> None: ...
    def live(self) -> LiveRow: ...
    def on_live(self, callback: Callable[..., None]) -> Callable[[], None]: ...


class LiveView(Protocol):
    """Something on the screen that shows the store."""

    @property
    def is_left(self) -> bool:
        """Whether its screen is gone, or going: what it reads then has no place, and parts of it are missing."""
        ...

    async def reload(self, change: Change) -> None: ...


class _Attached:
    __slots__ = ("pending", "retry_at", "task", "trouble", "view")

    def __init__(self, view: LiveView) -> None:
        self.view = view
        self.pending: Change | None = None
        self.task: asyncio.Task[None] | None = None
        self.retry_at = 0.0
        self.trouble = ""
        """Why it could not read the last time."""


class Bridge:
    """Owned by the app; started with a store once there is one. What is asked before that is answered then."""

    def __init__(self, report: Callable[[str], None], late: Callable[[bool], None] = lambda is_late: None) -> None:
        """`late` is told when a write takes long, and when that one has ended."""
        self._report, self._late = report, late
        self._started = asyncio.Event()
        self._engine: Engine | None = None
        self._views: list[_Attached] = []
        self._noted: Change | None = None
        self._lock = threading.Lock()
        self._incoming: list[tuple[Change, tuple[int, int]]] = []
        self._is_woken = False
        self._flush_at: asyncio.TimerHandle | None = None
        self._last_flush = 0.0
        self._ends: list[Callable[[], None]] = []
        self._poll: asyncio.Task[None] | None = None
        self._seen = 0
        self._seen_live: LiveRow | None = None
        self._running: tuple[Any, ...] = ()
        """Who ran when it was last looked."""
        self._trouble = ""
        """Why the store could not be looked at the last time."""

    def start(self, store: Store) -> None:
        self._store = store
        self._loop = asyncio.get_running_loop()
        # Reloads touch widgets, which find their app in a context variable; the writer's thread has none.
        self._context = contextvars.copy_context()
        self._ends.append(self._store.subscribe(self._committed))
        self._poll = self._task(self._poll_forever())
        self._started.set()
        for attached in self._views:
            self._ask(attached, EVERYTHING)

    def follow(self, engine: Engine) -> None:
        """Hear of the engine's running set as well."""
        self._engine = engine
        self._ends.append(engine.on_live(lambda *_: self._note(Change(told=True))))
        self._note(Change(live=True))

    @property
    def is_driven(self) -> bool:
        """Whether some process holds a fresh lease, as far as was last looked."""
        return self._seen_live is not None and self._seen_live.is_driven

    def reload_all(self) -> None:
        self._note(EVERYTHING)

    async def stop(self) -> None:
        for end in self._ends:
            end()
        self._ends.clear()
        tasks = [t for t in (self._poll, *(a.task for a in self._views)) if t is not None]
        self._views.clear()
        if self._flush_at is not None:
            self._flush_at.cancel()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def read(self, work: Callable[[Connection, LiveRow, int], T]) -> T:
        """Run a reading closure with what runs at this moment and the time (milliseconds)."""
        from core.store import reads

        await self._started.wait()
        engine = self._engine
        live = engine.live() if engine is not None and engine.is_driving else None
        now = self._store.clock()
        return await self._store.read(lambda reader: work(reader, live or reads.read_live(reader, now), now))

    async def write(self, work: Callable[[Transaction], T]) -> T:
        await self._started.wait()
        waiting = self._loop.call_later(LATE_SECONDS, self._late, True)
        try:
            return await self._store.write(work)
        finally:
            waiting.cancel()
            self._late(False)

    def attach(self, view: LiveView) -> Callable[[], None]:
        """Reload the view now (or once started) and after every change, until what this returns is called."""
        attached = _Attached(view)
        self._views.append(attached)
        if self._poll is not None:
            self._ask(attached, EVERYTHING)

        def detach() -> None:
            if attached in self._views:
                self._views.remove(attached)

        return detach

    def ask(self, view: LiveView, change: Change = EVERYTHING) -> None:
        """Reload one view: what it shows of the store is another part now."""
        for attached in self._views:
            if attached.view is view:
                self._ask(attached, change)

    @property
    def is_reading(self) -> bool:
        """Whether something that was committed is still to be shown."""
        return bool(self._incoming or self._noted or any(a.task for a in self._views))

    async def idle(self) -> None:
        """Return once everything that was committed so far is on the screen."""
        while True:
            self._take_in()
            running = [a.task for a in self._views if a.task is not None]
            if running:
                await asyncio.wait(running)
            elif self._noted is not None:
                if self._flush_at is not None:
                    self._flush_at.cancel()
                self._flush()
            else:
                return

    def _committed(self, events: Sequence[StoredEvent]) -> None:
        """On the writer's thread. The loop is woken once for all that comes until it next flushes."""
        change = Change(
            frozenset(e.kind for e in events), frozenset(e.work_item for e in events if e.work_item is not None)
        )
        with self._lock:
            self._incoming.append((change, (events[0].seq, events[-1].seq)))
            is_woken, self._is_woken = self._is_woken, True
        if is_woken:
            return
        try:
            self._loop.call_soon_threadsafe(self._schedule, context=self._context.copy())
        except RuntimeError:
            # The loop has ended with commits still to come; nobody is left to show them to.
            return

    def _take_in(self) -> None:
        with self._lock:
            incoming, self._incoming, self._is_woken = self._incoming, [], False
        for change, (first, last) in incoming:
            # What another process wrote just before is still to be found by the poll.
            if first <= self._seen + 1:
                self._seen = max(self._seen, last)
            self._noted = change if self._noted is None else self._noted | change

    def _note(self, change: Change) -> None:
        self._noted = change if self._noted is None else self._noted | change
        self._schedule()

    def _schedule(self) -> None:
        if self._flush_at is None:
            wait = max(0.0, self._last_flush + FLUSH_SECONDS - self._loop.time())
            self._flush_at = self._loop.call_later(wait, self._flush, context=self._context.copy())

    def _flush(self) -> None:
        self._take_in()
        self._flush_at = None
        self._last_flush = self._loop.time()
        change, self._noted = self._noted, None
        if change is not None and change.told and self._engine is not None:
            # Looked at once for all that came: a stream tells far oftener than anybody begins or ends.
            live = self._engine.live()
            before, self._running = self._running, _who_runs(live)
            if self._engine.is_driving:
                # The poll is not to find it once more.
                self._seen_live = live
            change = change._replace(live=change.live or self._running != before)
        if change is not None:
            for attached in self._views:
                self._ask(attached, change)

    def _ask(self, attached: _Attached, change: Change) -> None:
        attached.pending = change if attached.pending is None else attached.pending | change
        if attached.task is None and self._started.is_set():
            attached.task = self._task(self._reload(attached))

    async def _reload(self, attached: _Attached) -> None:
        """What could not be read stays pending: the next change, or after a while the poll, asks for it again."""
        try:
            while attached.pending is not None and attached in self._views:
                change, attached.pending = attached.pending, None
                trouble, may_pass = await _trouble_with(attached.view, change)
                self._tell_once(trouble)
                attached.trouble = trouble
                if may_pass:
                    attached.pending = change if attached.pending is None else change | attached.pending
                    attached.retry_at = self._loop.time() + RETRY_SECONDS
                    return
        finally:
            attached.task = None

    def _tell_once(self, trouble: str) -> None:
        """Tell it, unless it has been told and whoever met it has still not read since."""
        if trouble and trouble not in (self._trouble, *(attached.trouble for attached in self._views)):
            self._report(trouble)

    def _retry(self) -> None:
        for attached in self._views:
            if attached.pending is not None and self._loop.time() >= attached.retry_at:
                self._ask(attached, NOTHING)

    async def _poll_forever(self) -> None:
        looking = Looking(self._store)
        while True:
            await asyncio.sleep(POLL_SECONDS)
            self._retry()
            if not looking.is_due():
                continue
            try:
                head, live = await self.read(lambda reader, live, _: (_head(reader), live))
            except ApmError as error:
                self._tell_once(str(error))
                self._trouble = str(error)
                continue
            self._trouble = ""
            if head > self._seen:
                self._seen = head
                self._note(EVERYTHING)
            if live != self._seen_live:
                before, self._seen_live = self._seen_live, live
                is_same = before is not None and _who_runs(before) == _who_runs(live)
                self._note(Change(told=True, live=not is_same))

    def _task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return self._loop.create_task(work, context=self._context.copy())


async def _trouble_with(view: LiveView, change: Change) -> tuple[str, bool]:
    """Let the view read. Why it could not, "" when it could; and whether that may be otherwise the next time."""
    try:
        await view.reload(change)
    except ApmError as error:
        return str(error), True
    except Exception as error:
        if view.is_left:
            return "", False
        # A fault of the program in one view; the others go on, and so does this one with the next change.
        logger.exception("a view could not read anew")
        return f"A part of the screen could not be read anew. {type(error).__name__}: {error}", False
    return "", False


def _head(reader: Connection) -> int:
    from core.store import reads

    newest = reads.events(reader, last=1)
    return newest[-1].seq if newest else 0
