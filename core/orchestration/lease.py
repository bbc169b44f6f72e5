"""Who drives the workspace: one lease with a heartbeat, and a fencing number that grows with each change of hands."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from core.contract import ApmError, Json, canonical_json
from core.projects import identity
from core.store.reads import LEASE_STALE_MS, Connection
from core.store.schema import Lease
from core.store.store import Reader, Store
from core.store.transaction import Transaction

T = TypeVar("T")

NAME = "engine"
HEARTBEAT_SECONDS = 3.0
SURE_MS = LEASE_STALE_MS - round(2 * 1000 * HEARTBEAT_SECONDS)
"""How old our last heartbeat may be and the lease certainly ours still, for as long as it takes to begin something."""
GIVE_UP_SECONDS = LEASE_STALE_MS / 1000 - HEARTBEAT_SECONDS
"""A holder that could not renew for so long stops, before anybody else may take over."""


class LeaseLost(ApmError):
    """Another process has taken the lease; whoever held it must stop at once."""


@dataclass(frozen=True, slots=True)
class Held:
    """A lease that this process holds."""

    holder: str
    fence: int
    renewed_at: int
    """The last heartbeat, in milliseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class HeldStore:
    """The store as whoever drives uses it: a write counts only while the lease is held.

    A process that slept through its lease wakes in the middle of an agent's work. Its heartbeat finds that out seconds
    later; until then the fencing number, checked in the transaction itself, keeps its results out.
    """

    store: Store
    held: Callable[[], Held | None]

    def read(self, work: Callable[[Reader], T]) -> Awaitable[T]:
        return self.store.read(work)

    async def check_held(self) -> None:
        """Raises LeaseLost when another process has the lease. Nobody can have it while our heartbeat is fresh; after
        that the database is asked."""
        held = self.held()
        if held is None or not 0 <= self.store.clock() - held.renewed_at <= SURE_MS:
            await self.store.read(lambda r: _check_fence(r, held))

    def write(self, work: Callable[[Transaction], T]) -> Awaitable[T]:
        """Raises LeaseLost, with nothing written, when another process has the lease."""
        held = self.held()

        def fenced(tx: Transaction) -> T:
            _check_fence(tx, held)
            return work(tx)

        return self.store.write(fenced)


def _check_fence(reader: Connection, held: Held | None) -> None:
    """Keep out what is asked for without a lease, or under one that has been lost."""
    found = reader.once(_fence) if isinstance(reader, Transaction) else _fence(reader)
    if held is None or found != held.fence:
        raise LeaseLost("Another apm drives this workspace now; this one has stopped.")


def _fence(reader: Connection) -> int | None:
    """The fencing number of whoever has the lease."""
    found = reader.sql("SELECT fence FROM leases WHERE name = ?", (NAME,))
    return int(found[0][0]) if found else None


def take(tx: Transaction) -> Held | None:
    """The lease, when nobody holds it, or its holder is dead or silent; None while another process drives.

    A holder that is known to be dead is so whatever its heartbeat says; of every other one the heartbeat alone tells. A
    heartbeat that is ahead of our clock is put back to now: a holder that lives sets it again within HEARTBEAT_SECONDS,
    and for one that does not nobody waits until the clock has come to where its own stood.
    """
    mine, pid = identity.own(), os.getpid()
    row = tx.one(Lease.select(Lease.holder, Lease.fence, Lease.heartbeat_at).where(Lease.name == NAME))
    if row is None:
        tx.execute(Lease.insert(name=NAME, holder=mine, pid=pid, fence=1, heartbeat_at=tx.now))
        tx.event("engine.started", holder=mine, fence=1)
        return Held(mine, 1, tx.now)
    holder, fence, heartbeat_at = row
    if holder != mine and tx.now - heartbeat_at <= LEASE_STALE_MS and not identity.is_dead(holder):
        if heartbeat_at > tx.now:
            tx.execute(Lease.update(heartbeat_at=tx.now).where(Lease.name == NAME))
        return None
    changes: Json = {"holder": mine, "pid": pid, "fence": fence + 1, "heartbeat_at": tx.now, "live": "{}"}
    tx.execute(Lease.update(changes).where(Lease.name == NAME))
    tx.event("engine.started", holder=mine, fence=fence + 1)
    return Held(mine, fence + 1, tx.now)


def beat(tx: Transaction, held: Held, live: Json) -> Held:
    """Say that the holder lives, and what it runs. Raises LeaseLost when the lease has changed hands."""
    query = Lease.update(heartbeat_at=tx.now, live=canonical_json(live)).where(
        (Lease.name == NAME) & (Lease.fence == held.fence)
    )
    if tx.execute(query).rowcount != 1:
        raise LeaseLost("Another apm drives this workspace now; this one has stopped.")
    return replace(held, renewed_at=tx.now)


def give_back(tx: Transaction, held: Held) -> None:
    """End the lease at once, so that the next process need not wait."""
    query = Lease.update(heartbeat_at=0, live="{}").where((Lease.name == NAME) & (Lease.fence == held.fence))
    if tx.execute(query).rowcount == 1:
        tx.event("engine.stopped", holder=held.holder, fence=held.fence)
