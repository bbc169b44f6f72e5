"""Notices across kills, restarts and processes side by side."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.governance.notices import claims, log_file, planning
from core.governance.notices.channels import read_channels
from core.governance.notices.delivery import log_line_of
from core.store.store import Store
from tests.unit.notice_place import (
    HOUR_MS,
    MINUTE_MS,
    NOON,
    Clock,
    ask,
    ask_many,
    http_server,
    rows,
    send_all,
    write_channels,
)

DELIVER = """
import asyncio, sys
from pathlib import Path
from core.governance.notices.delivery import deliver
from core.store.store import Store

state = Path(sys.argv[1])
with Store.open(state, clock=lambda: int(sys.argv[2])) as store:
    asyncio.run(deliver(store, state, print, environment={}))
"""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with Store.open(tmp_path, clock=clock) as opened:
        yield opened


def deliver_elsewhere(state: Path) -> subprocess.Popen[str]:
    argv = [sys.executable, "-c", DELIVER, str(state), str(NOON)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


async def test_a_delivery_killed_while_it_sends_is_made_good_once(store: Store, tmp_path: Path, clock: Clock) -> None:
    ask(store)
    reached, over = threading.Event(), threading.Event()

    def hold() -> None:
        if not reached.is_set():
            reached.set()
            over.wait(60)

    with http_server() as server:
        server.on_request = hold
        write_channels(tmp_path, {"name": "hook", "url": server.url + "?rto=600"})
        with deliver_elsewhere(tmp_path) as sending:
            assert reached.wait(60)
            os.kill(sending.pid, signal.SIGKILL)
            sending.communicate()
        over.set()
        (killed,) = rows(store, "hook")
        at_once = await send_all(store, tmp_path)
        clock.now += claims.SPANS_MS[0]
        after_the_span = await send_all(store, tmp_path)
        clock.now += 10 * MINUTE_MS
        later = await send_all(store, tmp_path)

    assert (killed.outcome, killed.attempts) == (None, 1)
    assert (at_once.sent, after_the_span.sent, later.sent) == (0, 1, 0)
    assert len(server.received) == 2


async def test_a_notice_that_kills_every_delivery_is_given_up(store: Store, tmp_path: Path, clock: Clock) -> None:
    ask(store)
    with http_server() as server:
        write_channels(tmp_path, {"name": "hook", "url": server.url})
        store.write_now(lambda tx: planning.plan(tx, read_channels(tmp_path)))
        for _ in range(claims.MOST_TRIES):
            assert store.write_now(lambda tx: claims.claim(tx, "hook", 1)).rows
            clock.now += max(claims.SPANS_MS)
        await send_all(store, tmp_path)

    (row,) = rows(store, "hook")
    assert (row.outcome, row.error) == ("failed", "apm was stopped while it was being sent")
    assert server.received == []


def test_two_processes_that_deliver_at_once_send_each_notice_once(store: Store, tmp_path: Path) -> None:
    ask_many(store, 8)
    with http_server() as server:
        write_channels(tmp_path, {"name": "hook", "url": server.url})
        printed = []
        with deliver_elsewhere(tmp_path) as one, deliver_elsewhere(tmp_path) as other:
            for process in (one, other):
                out, err = process.communicate()
                assert process.returncode == 0, err
                printed += out.splitlines()

    told = Counter(received.json["title"] for received in server.received)
    assert sorted(told.values()) == [1] * 8
    assert len(printed) == len(set(printed)) == 8
    assert {row.outcome for row in rows(store)} == {"sent"}


async def test_a_restart_sends_nothing_again(store: Store, tmp_path: Path, clock: Clock) -> None:
    ask(store)
    with http_server() as server:
        write_channels(tmp_path, {"name": "hook", "url": server.url})
        await send_all(store, tmp_path)
        with Store.open(tmp_path, clock=clock) as again:
            await send_all(again, tmp_path)

    assert len(server.received) == 1


def test_nothing_of_this_loads_apprise_into_apm() -> None:
    code = (
        "import sys; import core.governance.notices.delivery, core.governance.notices.handover, core.doctor;"
        "sys.exit(any(name.partition('.')[0] in ('apprise', 'requests') for name in sys.modules))"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_a_delivery_killed_after_it_wrote_the_log_writes_no_line_again(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    ask(store)
    store.write_now(planning.plan_some)
    claimed = store.write_now(lambda tx: claims.claim(tx, "file", 100)).rows
    log_file.append(log_file.log_path(tmp_path), [log_line_of(row) for row in claimed])

    clock.now += HOUR_MS
    ask(store, question="Another one?", subject={"phase": "P1"})
    await send_all(store, tmp_path)

    lines = log_file.log_path(tmp_path).read_text().splitlines()
    assert [line.partition(": ")[2].partition("?")[0] for line in lines] == [
        "Which criteria are missing",
        "Another one",
    ]
    assert [row.outcome for row in rows(store, "file")] == ["sent", "sent"]
