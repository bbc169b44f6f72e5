"""The lease changes hands when its holder is dead or silent, and at no other time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from core.orchestration import lease
from core.projects import identity
from core.store.reads import LEASE_STALE_MS
from core.store.schema import Lease
from core.store.store import Store
from core.store.transaction import Transaction
from tests.unit.other_processes import another, nobody_here, set_clock

HOUR_MS = 3_600_000
TAKE = """
import sys
from pathlib import Path
from core.orchestration import lease
from core.store.store import Store
with Store.open(Path(sys.argv[1])) as store:
    print(store.write_now(lease.take))
"""
IN_A_NAMESPACE = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc")


class Clock:
    now = 1_800_000_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with Store.open(tmp_path / "state", clock=clock) as opened:
        yield opened


def held_by(store: Store, holder: str, heartbeat_at: int) -> None:
    row = {"name": "engine", "holder": holder, "pid": 1, "fence": 7, "heartbeat_at": heartbeat_at}
    store.write_now(lambda tx: tx.execute(Lease.insert(row)))


def heartbeat(store: Store) -> int:
    (at,) = store.read_now(lambda r: r.one(Lease.select(Lease.heartbeat_at))) or (0,)
    return int(at)


def take(store: Store) -> int | None:
    """The fencing number under which this process drives now."""
    held = store.write_now(lease.take)
    return None if held is None else held.fence


def elsewhere(part: int) -> str:
    """A living process of another host, another boot or another namespace."""
    parts = identity.own().split(":")
    parts[part] = "another"
    return ":".join(parts)


def test_who_is_dead_is_replaced_at_once(store: Store, clock: Clock) -> None:
    held_by(store, nobody_here(), clock.now)
    assert take(store) == 8


def test_who_is_dead_is_replaced_at_once_also_when_its_clock_was_ahead(store: Store, clock: Clock) -> None:
    held_by(store, nobody_here(), clock.now + HOUR_MS)
    assert take(store) == 8


@pytest.mark.parametrize("part", [0, 1, 2])
def test_who_is_elsewhere_keeps_the_lease_while_its_heart_beats(store: Store, clock: Clock, part: int) -> None:
    held_by(store, elsewhere(part), clock.now)
    clock.now += LEASE_STALE_MS
    assert take(store) is None
    clock.now += 1
    assert take(store) == 8


def test_of_a_holder_from_an_earlier_version_the_heartbeat_tells(store: Store, clock: Clock) -> None:
    host = identity.own().partition(":")[0]
    held_by(store, f"{host}:999999999:1.00", clock.now)
    assert take(store) is None
    clock.now += LEASE_STALE_MS + 1
    assert take(store) == 8


@pytest.mark.skipif(not psutil.LINUX, reason="this system has no /proc")
@pytest.mark.parametrize("seconds", [1, -1, -3_600])
def test_setting_the_clock_takes_nothing_from_who_lives(
    store: Store, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    with another() as (_, holder):
        held_by(store, holder, clock.now)
        (tmp_path / "proc").mkdir()
        set_clock(seconds, tmp_path / "proc", monkeypatch)
        clock.now += seconds * 1000

        assert take(store) is None


def test_a_silent_holder_whose_clock_was_ahead_holds_nobody_up(store: Store, clock: Clock) -> None:
    held_by(store, elsewhere(0), clock.now + HOUR_MS)
    assert take(store) is None
    clock.now += LEASE_STALE_MS
    assert take(store) is None
    clock.now += 1
    assert take(store) == 8


def test_a_holder_that_lives_is_not_replaced_because_its_clock_is_ahead(store: Store, clock: Clock) -> None:
    held_by(store, elsewhere(0), clock.now + HOUR_MS)
    held = lease.Held(elsewhere(0), 7, clock.now + HOUR_MS)

    def beat_ahead(tx: Transaction) -> None:
        lease.beat(tx, held, {})
        tx.execute(Lease.update(heartbeat_at=tx.now + HOUR_MS))

    for _ in range(20):
        assert take(store) is None
        assert heartbeat(store) == clock.now
        clock.now += round(1000 * lease.HEARTBEAT_SECONDS)
        store.write_now(beat_ahead)


def hand_over(store: Store, held: lease.Held) -> None:
    changes = {"holder": elsewhere(0), "fence": held.fence + 1}
    store.write_now(lambda tx: tx.execute(Lease.update(changes)))


@pytest.mark.parametrize("since", [round(LEASE_STALE_MS - 1000 * lease.HEARTBEAT_SECONDS), -HOUR_MS])
async def test_whoever_has_not_beaten_for_long_or_whose_clock_was_set_back_asks_whether_the_lease_is_still_its_own(
    store: Store, clock: Clock, since: int
) -> None:
    held = store.write_now(lease.take)
    assert held is not None
    mine = lease.HeldStore(store, lambda: held)
    await mine.check_held()
    hand_over(store, held)
    clock.now += since

    with pytest.raises(lease.LeaseLost):
        await mine.check_held()


def test_a_holder_that_cannot_renew_stops_before_anybody_may_take_over() -> None:
    assert 0 < lease.SURE_MS < 1000 * lease.GIVE_UP_SECONDS < LEASE_STALE_MS


def test_a_lease_that_has_changed_hands_is_not_given_back_by_who_had_it(store: Store, clock: Clock) -> None:
    held = store.write_now(lease.take)
    assert held is not None
    hand_over(store, held)

    store.write_now(lambda tx: lease.give_back(tx, held))

    assert heartbeat(store) == clock.now


def test_a_process_in_another_pid_namespace_takes_nothing_from_who_lives(tmp_path: Path) -> None:
    try:
        tried = subprocess.run([*IN_A_NAMESPACE, "true"], capture_output=True, text=True)
    except FileNotFoundError as error:
        pytest.skip(f"no PID namespaces here: {error}")
    if tried.returncode:
        pytest.skip(f"no PID namespaces here: {tried.stderr.strip()}")
    with Store.open(tmp_path / "state") as ours:
        held = ours.write_now(lease.take)
        assert held is not None

        words = [*IN_A_NAMESPACE, sys.executable, "-c", TAKE, str(tmp_path / "state")]
        other = subprocess.run(words, capture_output=True, text=True, check=True)

        assert other.stdout == "None\n"
        ours.write_now(lambda tx: lease.beat(tx, held, {}))
