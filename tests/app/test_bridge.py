from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from core.store import reads
from core.store.database import StoreError
from core.store.store import Store
from tests.app.driving import Driving
from tests.app.seeding import MORNING, SeededWorkspace, seed_project, seed_running, seed_work_item
from tui.bridge import EVERYTHING, Bridge, Change


@dataclass
class Watcher:
    """A view that remembers what it was told, and what it then read."""

    bridge: Bridge
    changes: list[Change] = field(default_factory=list)
    seen: list[tuple[str, ...]] = field(default_factory=list)
    running: list[int] = field(default_factory=list)
    gate: asyncio.Event | None = None
    is_reading: bool = False
    is_left: bool = False
    told: asyncio.Event = field(default_factory=asyncio.Event)

    async def reload(self, change: Change) -> None:
        assert not self.is_reading
        self.is_reading = True
        self.changes.append(change)
        self.told.set()
        if self.gate is not None:
            await self.gate.wait()
        names, running = await self.bridge.read(
            lambda reader, live, _: (tuple(p.name for p in reads.projects(reader)), len(live.delegations))
        )
        self.seen.append(names)
        self.running.append(running)
        self.is_reading = False


@pytest.fixture
async def bridge(empty_workspace: SeededWorkspace) -> AsyncIterator[Bridge]:
    made = Bridge(lambda text: None)
    made.start(empty_workspace.store)
    yield made
    await made.stop()


async def test_a_view_reads_when_it_is_attached_and_after_each_commit(
    bridge: Bridge, empty_workspace: SeededWorkspace
) -> None:
    watcher = Watcher(bridge)
    bridge.attach(watcher)
    await bridge.idle()
    await empty_workspace.store.write(lambda tx: seed_project(tx, "ledger"))
    await bridge.idle()
    assert watcher.seen == [(), ("ledger",)]
    assert watcher.changes[0] == EVERYTHING
    assert watcher.changes[1].kinds == {"project.added"}


async def test_a_change_names_the_work_items_it_is_about(bridge: Bridge, empty_workspace: SeededWorkspace) -> None:
    watcher = Watcher(bridge)
    bridge.attach(watcher)
    await bridge.idle()
    number = await empty_workspace.store.write(lambda tx: seed_work_item(tx, "Export"))
    await bridge.idle()
    assert watcher.changes[-1].work_items == {number}


async def test_a_burst_of_commits_is_one_reading(bridge: Bridge, empty_workspace: SeededWorkspace) -> None:
    watcher = Watcher(bridge)
    bridge.attach(watcher)
    await bridge.idle()
    for n in range(50):
        await empty_workspace.store.write(lambda tx, n=n: seed_project(tx, f"p{n:02}"))  # type: ignore[misc]
    await bridge.idle()
    assert len(watcher.seen[-1]) == 50
    assert len(watcher.seen) < 25


async def test_a_view_that_still_reads_is_asked_again_afterwards_and_never_twice_at_once(
    bridge: Bridge, empty_workspace: SeededWorkspace
) -> None:
    watcher = Watcher(bridge, gate=asyncio.Event())
    bridge.attach(watcher)
    await watcher.told.wait()
    for name in ("a", "b", "c"):
        await empty_workspace.store.write(lambda tx, name=name: seed_project(tx, name))  # type: ignore[misc]
    assert watcher.gate is not None
    watcher.gate.set()
    await bridge.idle()
    assert watcher.seen[-1] == ("a", "b", "c")


async def test_what_another_process_writes_is_seen_too(bridge: Bridge, empty_workspace: SeededWorkspace) -> None:
    watcher = Watcher(bridge)
    bridge.attach(watcher)
    await bridge.idle()
    watcher.told.clear()
    other = Store.open(empty_workspace.state, synchronous="off", clock=empty_workspace.clock)
    other.write_now(lambda tx: seed_project(tx, "ledger"))
    other.close()
    await asyncio.wait_for(watcher.told.wait(), 10)
    await bridge.idle()
    assert watcher.seen[-1] == ("ledger",)


async def test_what_another_process_runs_is_seen_from_its_lease(
    bridge: Bridge, empty_workspace: SeededWorkspace
) -> None:
    watcher = Watcher(bridge)
    bridge.attach(watcher)
    await bridge.idle()
    watcher.told.clear()
    await empty_workspace.store.write(lambda tx: seed_running(tx, [(1, "D1", "ac-writer", "", 0)]))
    await asyncio.wait_for(watcher.told.wait(), 10)
    await bridge.idle()
    assert watcher.changes[-1].live
    assert watcher.running[-1] == 1


async def test_what_the_engine_runs_is_heard_at_once(bridge: Bridge) -> None:
    engine, watcher = Driving(), Watcher(bridge)
    await engine.start()
    bridge.attach(watcher)
    bridge.follow(engine)
    await bridge.idle()
    engine.run(1, "D1", "ac-writer", MORNING)
    await bridge.idle()
    assert watcher.running[-1] == 1
    assert watcher.changes[-1] == Change(live=True, told=True)


async def test_a_detached_view_is_left_alone(bridge: Bridge, empty_workspace: SeededWorkspace) -> None:
    watcher = Watcher(bridge)
    detach = bridge.attach(watcher)
    await bridge.idle()
    detach()
    await empty_workspace.store.write(lambda tx: seed_project(tx, "ledger"))
    await bridge.idle()
    assert watcher.seen == [()]


async def test_a_store_that_fails_is_reported_and_stops_nothing(empty_workspace: SeededWorkspace) -> None:
    said: list[str] = []
    bridge = Bridge(said.append)
    bridge.start(empty_workspace.store)
    watcher = Watcher(bridge)

    class Failing:
        is_left = False

        async def reload(self, change: Change) -> None:
            raise StoreError("The disk is full.")

    bridge.attach(Failing())
    bridge.attach(watcher)
    await bridge.idle()
    await bridge.stop()
    assert said == ["The disk is full."]
    assert watcher.seen == [()]


@pytest.mark.parametrize(("is_left", "told"), [(False, 1), (True, 0)])
async def test_a_fault_is_told_unless_the_screen_around_it_was_left(
    is_left: bool, told: int, empty_workspace: SeededWorkspace, caplog: pytest.LogCaptureFixture
) -> None:
    said: list[str] = []
    bridge = Bridge(said.append)
    bridge.start(empty_workspace.store)

    @dataclass
    class Broken:
        is_left: bool

        async def reload(self, change: Change) -> None:
            raise LookupError("the list beside it is gone")

    bridge.attach(Broken(is_left))
    await bridge.idle()
    await bridge.stop()
    assert (len(said), len(caplog.records)) == (told, told)


@dataclass
class Troubled:
    """A view that cannot read as often as is said here."""

    failures: int
    is_left: bool = False
    changes: list[Change] = field(default_factory=list)
    has_read: asyncio.Event = field(default_factory=asyncio.Event)

    async def reload(self, change: Change) -> None:
        self.changes.append(change)
        if self.failures:
            self.failures -= 1
            raise StoreError("The database is locked.")
        self.has_read.set()


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed is tried again at once."""
    monkeypatch.setattr("tui.bridge.POLL_SECONDS", 0.01)
    monkeypatch.setattr("tui.bridge.RETRY_SECONDS", 0.0)


@pytest.mark.usefixtures("soon")
async def test_what_could_not_be_read_is_read_again_by_itself_and_told_once(empty_workspace: SeededWorkspace) -> None:
    said: list[str] = []
    bridge, view = Bridge(said.append), Troubled(failures=3)
    bridge.start(empty_workspace.store)
    bridge.attach(view)
    await asyncio.wait_for(view.has_read.wait(), 10)
    await bridge.stop()
    assert all(change.everything for change in view.changes[:4])
    assert said == ["The database is locked."]


@pytest.mark.usefixtures("soon")
async def test_an_error_is_told_again_once_it_had_passed(empty_workspace: SeededWorkspace) -> None:
    said: list[str] = []
    bridge, view = Bridge(said.append), Troubled(failures=1)
    bridge.start(empty_workspace.store)
    bridge.attach(view)
    await asyncio.wait_for(view.has_read.wait(), 10)
    view.failures = 1
    view.has_read.clear()
    bridge.ask(view)
    await asyncio.wait_for(view.has_read.wait(), 10)
    await bridge.stop()
    assert said == ["The database is locked."] * 2


async def test_a_view_that_cannot_read_is_not_asked_all_the_time(empty_workspace: SeededWorkspace) -> None:
    bridge, view = Bridge(lambda text: None), Troubled(failures=1_000)
    bridge.start(empty_workspace.store)
    bridge.attach(view)
    await bridge.idle()
    assert (view.changes, bridge.is_reading) == ([EVERYTHING], False)
    await bridge.stop()


async def test_after_stop_commits_are_not_looked_at_any_more(empty_workspace: SeededWorkspace) -> None:
    bridge = Bridge(lambda text: None)
    bridge.start(empty_workspace.store)
    watcher = Watcher(bridge)
    bridge.attach(watcher)
    await bridge.idle()
    await bridge.stop()
    await empty_workspace.store.write(lambda tx: seed_project(tx, "ledger"))
    assert watcher.seen == [()]
