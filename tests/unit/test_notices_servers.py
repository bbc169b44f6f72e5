"""Servers in trouble, gone, silent or unwilling: what is tried again, what is given up, and how that is told."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiosmtpd.smtp import AuthResult

from core.governance.notices import claims, outside
from core.store.store import Store
from tests.fresh import fresh_store
from tests.unit.notice_place import (
    MINUTE_MS,
    Clock,
    ask,
    closed_port,
    http_server,
    mail_server,
    rows,
    send_all,
    silent_server,
    write_channels,
)
from tests.unit.notice_record import SECRET, everything_kept, kinds, row_of


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with fresh_store(tmp_path, clock=clock, synchronous="normal") as opened:
        yield opened


async def test_a_server_in_trouble_is_tried_again_and_then_has_it(store: Store, tmp_path: Path, clock: Clock) -> None:
    ask(store)
    with http_server(500, 503, 200) as server:
        write_channels(tmp_path, {"name": "hook", "url": server.url})
        first = await send_all(store, tmp_path)
        put_off = row_of(store, "hook")
        await send_all(store, tmp_path)
        for span in claims.SPANS_MS[:2]:
            clock.now += span
            last = await send_all(store, tmp_path)

    assert (put_off.outcome, put_off.attempts, put_off.error) == (None, 1, "the server refused it (500)")
    assert first.next_try_at == put_off.next_try_at
    assert len(server.received) == 3
    assert (row_of(store, "hook").outcome, last.next_try_at) == ("sent", None)
    assert [kind for kind in kinds(store) if kind.startswith("notification.")][-3:] == [
        "notification.put_off",
        "notification.claimed",
        "notification.sent",
    ]


async def test_a_server_that_is_gone_is_given_up_after_its_tries(store: Store, tmp_path: Path, clock: Clock) -> None:
    ask(store)
    write_channels(tmp_path, {"name": "hook", "url": f"json://u:{SECRET}@127.0.0.1:{closed_port()}/x"})
    spans = []
    for _ in range(claims.MOST_TRIES):
        delivered = await send_all(store, tmp_path)
        spans.append((delivered.next_try_at or clock.now) - clock.now)
        clock.now = delivered.next_try_at or clock.now

    row = row_of(store, "hook")
    assert spans == [*claims.SPANS_MS, 0]
    assert (row.outcome, row.attempts, row.error) == ("failed", 5, "the server cannot be reached")
    assert delivered.failed == 1
    assert SECRET.encode() not in everything_kept(tmp_path)


@pytest.mark.parametrize(
    ("status", "why"),
    [(401, "the server refuses the sign-in (401)"), (410, "the server knows no such address (410)")],
)
async def test_what_would_fail_again_is_not_tried_again(store: Store, tmp_path: Path, status: int, why: str) -> None:
    ask(store)
    with http_server(status) as server:
        write_channels(tmp_path, {"name": "hook", "url": server.url})
        delivered = await send_all(store, tmp_path)

    assert (row_of(store, "hook").outcome, row_of(store, "hook").error) == ("failed", why)
    assert (delivered.failed, delivered.next_try_at) == (1, None)


async def test_a_mail_server_that_refuses_the_password_is_not_tried_again(store: Store, tmp_path: Path) -> None:
    ask(store)
    with warnings.catch_warnings():
        # The server of the test asks for a password without a safe connection, and says so.
        warnings.simplefilter("ignore")
        settings: dict[str, Any] = {
            "authenticator": lambda *_: AuthResult(success=False, handled=False),
            "auth_require_tls": False,
            "auth_required": True,
        }
        async with mail_server(**settings) as mails:
            url = mails.url(mode="insecure").replace("mailto://", f"mailto://ada:{SECRET}@")
            write_channels(tmp_path, {"name": "mail", "url": url})
            await send_all(store, tmp_path)

    assert row_of(store, "mail").error == "the server refuses the sign-in (535)"
    assert row_of(store, "mail").outcome == "failed"
    assert SECRET.encode() not in everything_kept(tmp_path)


async def test_a_redirect_does_not_pass_for_a_success(store: Store, tmp_path: Path) -> None:
    ask(store)
    with http_server(302) as server:
        write_channels(tmp_path, {"name": "hook", "url": server.url})
        await send_all(store, tmp_path)

    assert row_of(store, "hook").error == "the server refused it (302)"


async def test_a_question_that_says_error_401_is_no_answer_of_a_server(store: Store, tmp_path: Path) -> None:
    ask(store, question="Socket Exception: (535, b'no') error=401 was refused: 550 ")
    write_channels(tmp_path, {"name": "hook", "url": f"json://127.0.0.1:{closed_port()}/x"})
    await send_all(store, tmp_path)

    assert row_of(store, "hook").error == "the server cannot be reached"


async def test_a_url_that_apprise_cannot_read_fails_at_once(store: Store, tmp_path: Path) -> None:
    ask(store)
    write_channels(tmp_path, {"name": "hook", "url": f"nosuch://u:{SECRET}@host"})
    await send_all(store, tmp_path)

    row = row_of(store, "hook")
    assert (row.outcome, row.error) == ("failed", "Apprise cannot read the channel's URL")
    assert SECRET.encode() not in everything_kept(tmp_path)


async def test_a_server_that_keeps_silent_holds_nobody_up(store: Store, tmp_path: Path) -> None:
    ask(store)
    printed: list[str] = []
    with http_server() as server:
        with silent_server() as port:
            write_channels(
                tmp_path,
                {"name": "deaf", "url": f"json://127.0.0.1:{port}/x?rto=600"},
                {"name": "hook", "url": server.url},
            )
            delivery = asyncio.create_task(send_all(store, tmp_path, printed.append))
            await _until(lambda: any(row.outcome == "sent" for row in rows(store, "hook")))
            late = ask(store, subject={"later": 1}, question="And this?")
            await _until(lambda: any("And this?" in line for line in printed) and len(server.received) == 2)

            assert not delivery.done()
        await delivery

    assert any(f"question {late}" in received.json["title"] for received in server.received)
    assert [(row.outcome, row.attempts) for row in rows(store, "deaf")] == [(None, 1), (None, 1)]


async def test_a_server_that_keeps_silent_is_left_alone_after_its_time(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside, "SEND_SECONDS", 1.0)
    ask(store)
    ask(store, subject={"another": 1})
    with silent_server() as port:
        write_channels(tmp_path, {"name": "deaf", "url": f"json://127.0.0.1:{port}/x?rto=600"})
        delivered = await send_all(store, tmp_path)

    deaf = rows(store, "deaf")
    assert [row.attempts for row in deaf] == [1, 0]
    assert deaf[0].error == "the server does not answer within 1 seconds"
    assert delivered.next_try_at == 0


async def _until(condition: Any) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 — what is waited for happens in another process
            await asyncio.sleep(0.01)


def senders() -> list[psutil.Process]:
    """The programs that send for this process now."""
    found = psutil.Process().children(recursive=True)
    return [child for child in found if any("handover.py" in word for word in child.cmdline())]


async def test_cancelling_a_delivery_ends_its_processes_and_loses_nothing(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    ask(store)
    with silent_server() as port:
        write_channels(tmp_path, {"name": "hook", "url": f"json://127.0.0.1:{port}/x?rto=600"})
        delivery = asyncio.create_task(send_all(store, tmp_path))
        await _until(senders)
        delivery.cancel()
        with pytest.raises(asyncio.CancelledError):
            await delivery

    assert senders() == []
    with http_server() as server:
        write_channels(tmp_path, {"name": "hook", "url": server.url})
        clock.now += MINUTE_MS
        await send_all(store, tmp_path)
    assert len(server.received) == 1
