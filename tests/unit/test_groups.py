"""Closures that share a commit: together they leave what each by itself would have left, whatever they do."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from peewee import fn

from core.contract import ApmError
from core.store.audit import verify
from core.store.replay import replay
from core.store.schema import TABLES, Counter, Lease, PhaseRun, Setting, WorkItem
from core.store.store import Reader, Store
from core.store.transaction import UNCHAINED, Transaction

NOW = 1_795_000_000_000
PHASES = ("D1", "P1")

Deed = Callable[[Transaction], object]


def add(tx: Transaction) -> int:
    number = tx.insert(WorkItem, title="x", type="feature", origin="human", created_at=tx.now)
    tx.event("work_item.created", work_item=number)
    return number


def enter(phase: str, work_item: int) -> Deed:
    """Fails where the work item is none, or is in that phase already."""

    def deed(tx: Transaction) -> int:
        number = tx.insert(
            PhaseRun, work_item=work_item, phase=phase, round=1, input_digest="0" * 64, started_at=tx.now
        )
        tx.event("phase.entered", work_item=work_item, phase=phase)
        return number

    return deed


def rename(work_item: int, title: str) -> Deed:
    def deed(tx: Transaction) -> None:
        tx.update(WorkItem, work_item, title=title)
        tx.event("work_item.renamed", work_item=work_item)

    return deed


def rename_all(tx: Transaction) -> int:
    """Reads what it and those before it have written."""
    found = tx.rows(WorkItem.select(WorkItem.id, WorkItem.title).order_by(WorkItem.id))
    for number, title in found:
        tx.update(WorkItem, number, title=f"{title}{len(found)}")
    add(tx)
    return int((tx.one(WorkItem.select(fn.COUNT(WorkItem.id))) or (0,))[0])


def keep(tx: Transaction) -> None:
    """A row whose key is a word; a second one with the word fails."""
    tx.insert(Setting, key="word", value="1")
    tx.event("setting.changed")


def count(tx: Transaction) -> None:
    tx.count("ac-writer", runs=1, milliseconds=5)


def take(tx: Transaction) -> tuple[int, int]:
    """A table that is written at once; what was known of it does not hold any more."""
    before = tx.once(fence)
    tx.execute(Lease.delete())
    tx.execute(Lease.insert(name="engine", holder="h", pid=1, fence=tx.seq, heartbeat_at=tx.now))
    return before, tx.once(fence)


def fence(tx: Transaction) -> int:
    found = tx.sql("SELECT fence FROM leases")
    return int(found[0][0]) if found else 0


def add_in_a_phase(tx: Transaction) -> None:
    """A row, and one that refers to it."""
    enter("D1", add(tx))(tx)


def forget_the_event(tx: Transaction) -> None:
    tx.update(WorkItem, 1, title="unrecorded")


def failing(deed: Deed) -> Deed:
    """Does all of it, and then fails."""

    def fails(tx: Transaction) -> None:
        deed(tx)
        raise KeyError("after it")

    return fails


@dataclass(frozen=True)
class Held:
    """A check that passes under this lease alone."""

    number: int

    def __call__(self, tx: Transaction) -> None:
        if tx.once(fence) != self.number:
            raise ApmError("the lease is another's")


class Asked(NamedTuple):
    """A closure as it is handed over, with what has to hold for it."""

    deed: Deed
    check: Held | None

    def __call__(self, tx: Transaction) -> object:
        if self.check is not None:
            self.check(tx)
        return self.deed(tx)


THERE = 3
"""Work items that are there before; with the one after them nothing can be done unless it is added."""
numbers, phases = st.integers(1, THERE), st.sampled_from(PHASES)
deeds: st.SearchStrategy[Deed] = st.one_of(
    st.sampled_from((add, add_in_a_phase, rename_all, keep, count, take, forget_the_event)),
    st.builds(enter, phases, st.integers(1, THERE + 1)),
    st.builds(rename, numbers, st.sampled_from(("a", "b"))),
)


asked_for = st.builds(
    Asked,
    deeds | st.builds(failing, deeds),
    st.sampled_from((None, None, Held(0), Held(0), Held(9))),
)
groups = st.lists(st.lists(asked_for, min_size=1, max_size=8), min_size=1, max_size=3)


@settings(max_examples=30)
@given(groups)
def test_a_group_of_closures_leaves_what_each_by_itself_leaves(given_groups: list[list[Asked]]) -> None:
    with TemporaryDirectory() as folder:
        together = outcome(Path(folder) / "together", given_groups, at_once)
        apart = outcome(Path(folder) / "apart", given_groups, one_by_one)

    assert together == apart


Groups = Sequence[Sequence[Asked]]


def outcome(state: Path, given_groups: Groups, write: Callable[[Store, Groups], list[list[str]]]) -> Any:
    """What each closure was told, every table but the chain's own, and the events without their macs."""
    with Store.open(state, synchronous="off", clock=lambda: NOW) as store:
        for _ in range(THERE):
            store.write_now(add)
        told = write(store, given_groups)
        assert store.read_now(lambda r: verify(r, store.key)).is_whole
        assert store.read_now(lambda r: replay(r, store.key, state)).is_equal
        return told, store.read_now(contents)


def contents(reader: Reader) -> list[Any]:
    shown = [m for m in TABLES if m not in UNCHAINED or m in (Counter, Lease)]
    rows = [reader.sql(f'SELECT * FROM "{m._meta.table_name}" ORDER BY 1, 2') for m in shown]
    return [*rows, reader.sql("SELECT seq, at, kind, work_item, payload FROM events ORDER BY seq")]


def at_once(store: Store, given_groups: Groups) -> list[list[str]]:
    async def ask() -> list[list[str]]:
        told = []
        for group in given_groups:
            writes = [store.write(one.__call__) for one in group]
            found = await asyncio.gather(*writes, return_exceptions=True)
            told.append([described(one) for one in found])
        return told

    return asyncio.run(ask())


def one_by_one(store: Store, given_groups: Groups) -> list[list[str]]:
    return [[alone(store, one) for one in group] for group in given_groups]


def alone(store: Store, one: Asked) -> str:
    try:
        return described(store.write_now(lambda tx: one(tx)))
    except Exception as error:
        return described(error)


def described(found: object) -> str:
    """A fault of the database is told with its file, which is another's."""
    return type(found).__name__ if isinstance(found, Exception) else repr(found)


async def test_what_is_asked_for_in_one_turn_is_one_commit(tmp_path: Path) -> None:
    commits: list[int] = []
    with Store.open(tmp_path) as store:
        store.subscribe(lambda events: commits.append(len(events)))

        found = await asyncio.gather(*(store.write(add) for _ in range(40)))

        assert found == list(range(1, 41))
        assert commits == [40]


async def test_what_was_asked_for_when_the_store_is_closed_is_committed(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    asked = asyncio.create_task(store.write(add))
    await asyncio.sleep(0)

    store.close()

    assert await asked == 1
    with Store.open(tmp_path) as again:
        assert again.read_now(lambda r: r.rows(WorkItem.select(WorkItem.id))) == [(1,)]


async def test_of_a_group_that_cannot_be_committed_whole_only_the_one_at_fault_is_refused(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        await store.write(add)
        given_deeds = (enter("D1", 1), enter("P1", 1), enter("D1", 1), rename(1, "b"))

        found = await asyncio.gather(*(store.write(deed) for deed in given_deeds), return_exceptions=True)

        assert [isinstance(one, Exception) for one in found] == [False, False, True, False]
        assert store.read_now(lambda r: r.rows(PhaseRun.select(PhaseRun.phase).order_by(PhaseRun.id))) == [
            ("D1",),
            ("P1",),
        ]


def test_keys_go_on_where_another_process_has_written(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store, Store.open(tmp_path) as other:
        assert [store.write_now(add), other.write_now(add), other.write_now(add), store.write_now(add)] == [1, 2, 3, 4]


async def test_a_row_is_written_before_those_that_refer_to_it_whatever_was_asked_for_first(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        await store.write(add)

        await asyncio.gather(store.write(enter("D1", 1)), store.write(add_in_a_phase))

        assert store.read_now(lambda r: r.sql("SELECT work_item_id FROM phase_runs ORDER BY id")) == [(1,), (2,)]


async def test_what_is_asked_for_while_a_commit_is_on_its_way_is_the_next_one(tmp_path: Path) -> None:
    commits: list[int] = []
    begun, may_end = threading.Event(), threading.Event()

    def slow(tx: Transaction) -> int:
        begun.set()
        may_end.wait()
        return add(tx)

    with Store.open(tmp_path) as store:
        store.subscribe(lambda events: commits.append(len(events)))
        first = asyncio.create_task(store.write(slow))
        await asyncio.to_thread(begun.wait)
        others = [asyncio.create_task(store.write(add)) for _ in range(20)]
        await asyncio.sleep(0)
        may_end.set()

        assert await asyncio.gather(first, *others) == list(range(1, 22))

    assert commits == [1, 20]


async def test_who_has_waited_for_a_commit_goes_on_first_and_shares_the_next_with_what_came_meanwhile(
    tmp_path: Path,
) -> None:
    commits: list[int] = []
    begun, may_end = threading.Event(), threading.Event()

    def slow(tx: Transaction) -> int:
        begun.set()
        may_end.wait()
        return add(tx)

    async def two_steps() -> int:
        await store.write(slow)
        return await store.write(add)

    with Store.open(tmp_path) as store:
        store.subscribe(lambda events: commits.append(len(events)))
        steps = asyncio.create_task(two_steps())
        await asyncio.to_thread(begun.wait)
        meanwhile = asyncio.create_task(store.write(add))
        await asyncio.sleep(0)
        may_end.set()

        assert {await steps, await meanwhile} == {2, 3}

    assert commits == [1, 2]


async def test_who_was_answered_together_and_asks_a_few_turns_later_shares_the_next_commit(tmp_path: Path) -> None:
    commits: list[int] = []

    async def two_steps(turns: int) -> None:
        await store.write(add)
        for _ in range(turns):
            await asyncio.sleep(0)
        await store.write(add)

    with Store.open(tmp_path) as store:
        store.subscribe(lambda events: commits.append(len(events)))

        await asyncio.gather(two_steps(0), two_steps(3))

    assert commits == [2, 2]


async def test_who_is_alone_waits_for_nobody(tmp_path: Path) -> None:
    commits: list[int] = []
    with Store.open(tmp_path) as store:
        store.subscribe(lambda events: commits.append(len(events)))
        await store.write(add)
        alone = asyncio.create_task(store.write(add))
        for _ in range(3):
            await asyncio.sleep(0)

        await asyncio.gather(alone, store.write(add))

    assert commits == [1, 1, 1]


async def test_what_waits_behind_a_commit_when_the_store_is_closed_is_committed(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    await store.write(add)
    first = asyncio.create_task(store.write(add))
    for _ in range(3):
        await asyncio.sleep(0)
    second = asyncio.create_task(store.write(add))
    await asyncio.sleep(0)

    store.close()

    assert list(await asyncio.gather(first, second)) == [2, 3]


async def test_a_listener_on_an_event_loop_hears_before_whoever_waits_for_the_commit_goes_on(tmp_path: Path) -> None:
    told: list[str] = []
    with Store.open(tmp_path) as store:
        end = store.subscribe(lambda events: told.append(f"heard {len(events)}"), asyncio.get_running_loop())

        told.append(f"wrote {await store.write(add)}")
        end()
        told.append(f"wrote {await store.write(add)}")

    assert told == ["heard 1", "wrote 1", "wrote 2"]
