"""Commands and calls: a filter finds what its rule says, and figures are only those that are on record."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contract import canonical_json
from core.store.reads_activity import (
    CommandRow,
    Wanted,
    call_holds,
    call_rows,
    calls,
    command_holds,
    command_record,
    command_rows,
    commands,
    meant,
)
from core.store.schema import Delegation, Evidence
from core.store.store import Store
from core.store.transaction import Transaction
from tests.fresh import fresh_store

AGENTS = ("test-runner", "Weiß", "static-analyzer")
PROGRAMS = (["python", "-m", "pytest"], ["git", "tag", 'a"b'], ["./done"], ["rüff", "50%"])


def write_some(store: Store, count: int, draw: random.Random) -> None:
    def work(tx: Transaction) -> None:
        for _ in range(count):
            write_one(tx, draw)

    store.write_now(work)


def write_one(tx: Transaction, draw: random.Random, **metadata: Any) -> None:
    agent, item = draw.choice(AGENTS), draw.randint(1, 4)
    number = tx.insert(
        Delegation,
        work_item=item,
        phase=draw.choice(("D1", "R1")),
        round=tx.next_seq,
        agent=agent,
        subject=draw.choice(("", "T1")),
        status=draw.choice(("SUCCESS", "FAILURE", "BLOCKED")),
        runtime=draw.choice(("tool", "replay")),
        request_digest="",
        at=tx.now,
        milliseconds=1,
        event=tx.next_seq,
    )
    tx.insert(
        Evidence,
        work_item=draw.choice((None, item)),
        delegation=number,
        agent=agent,
        command=canonical_json(draw.choice(PROGRAMS)),
        cwd=draw.choice((".", "state/worktrees/1")),
        exit_code=draw.choice((0, 0, 1, None, -9)),
        output_digest="",
        output_tail="out",
        tool=draw.choice(("", "pytest")),
        tool_version="",
        timed_out=draw.random() < 0.2,
        at=tx.now,
        milliseconds=1,
    )
    tx.event("delegation.recorded", work_item=item, request={}, response={"metadata": metadata})


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with fresh_store(tmp_path_factory.mktemp("state"), synchronous="off") as opened:
        write_some(opened, 150, random.Random(5))
        yield opened


WORDS = st.sampled_from(
    (
        *("done", "failed", "fail", "timed", "out", "e", "pytest", "weiß".casefold(), "rüff", "50%", 'a"b'),
        *("#2", "2", "r1", "t1", "blocked", "replay", "static", "state/", "success", "nothing"),
    )
)
ASKED = st.builds(
    Wanted,
    wanted=st.lists(WORDS, max_size=2).map(tuple),
    refused=st.lists(WORDS, max_size=2).map(tuple),
    failed_only=st.booleans(),
)


def failed(row: CommandRow) -> bool:
    return row.exit_code != 0 or bool(row.timed_out)


@given(asked=ASKED)
def test_commands_that_are_found_are_those_that_are_meant(store: Store, asked: Wanted) -> None:
    every = store.read_now(lambda r: command_rows(r, range(1, 1_000)))
    expected = [
        n for n, row in every.items() if meant(asked, command_holds(row)) and (failed(row) or not asked.failed_only)
    ]

    assert list(store.read_now(lambda r: commands(r, asked)).order) == sorted(expected, reverse=True)


@given(asked=ASKED)
def test_calls_that_are_found_are_those_that_are_meant(store: Store, asked: Wanted) -> None:
    every = store.read_now(lambda r: call_rows(r, range(1, 1_000))).values()
    expected = [
        row.id
        for row in every
        if meant(asked, call_holds(row.delegation)) and (row.delegation.status == "FAILURE" or not asked.failed_only)
    ]

    assert list(store.read_now(lambda r: calls(r, asked)).order) == sorted(expected, reverse=True)


@given(asked=ASKED, count=st.integers(0, 3))
def test_what_is_new_is_added_to_what_was_found(store: Store, asked: Wanted, count: int) -> None:
    before = store.read_now(lambda r: commands(r, asked))
    write_some(store, count, random.Random(count))

    after = store.read_now(lambda r: commands(r, asked, before))

    assert list(after.order) == list(store.read_now(lambda r: commands(r, asked)).order)


@pytest.mark.parametrize(
    ("metadata", "figures"),
    [
        ({}, (None, None, None)),
        ({"model": "m-1", "tokens": 0, "cost": 0}, ("m-1", 0, 0.0)),
        ({"model": 7, "tokens": "many", "cost": "much"}, (None, None, None)),
    ],
)
def test_figures_are_those_of_the_answer(tmp_path: Any, metadata: dict[str, Any], figures: tuple[Any, ...]) -> None:
    with fresh_store(tmp_path, synchronous="off") as opened:
        opened.write_now(lambda tx: write_one(tx, random.Random(1), **metadata))
        row = opened.read_now(lambda r: call_rows(r, [1]))[1]
    assert (row.model, row.tokens, row.cost) == figures


def test_a_command_is_read_with_its_output(store: Store) -> None:
    found = store.read_now(lambda r: command_record(r, 1))

    assert found is not None
    assert found.output_tail == "out"
    assert store.read_now(lambda r: command_record(r, 10**9)) is None
