"""Notices on their way: real mail, real webhooks, servers that fail, refuse, redirect or keep silent."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.governance import escalations
from core.governance.notices import log_file, planning
from core.governance.notices.delivery import deliver
from core.store.schema import Briefing
from core.store.store import Store
from tests.fresh import fresh_store
from tests.unit.notice_place import (
    HOUR_MS,
    MINUTE_MS,
    Clock,
    ask,
    http_server,
    mail_server,
    rows,
    send_all,
    tell,
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


async def test_the_house_is_always_told_on_the_console_and_in_the_file(store: Store, tmp_path: Path) -> None:
    number = ask(store)
    printed: list[str] = []

    delivered = await send_all(store, tmp_path, printed.append)

    line = f"DAILY question {number}: Which criteria are missing? (apm escalation show {number})"
    assert printed == [line]
    log = log_file.log_path(tmp_path)
    assert log.read_text() == f"2027-01-15T08:00:00Z {line}\n"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert (delivered.sent, delivered.failed, delivered.next_try_at) == (2, 0, None)
    assert [row.outcome for row in rows(store)] == ["sent", "sent"]


async def test_however_much_has_come_few_rows_wait_at_a_time(store: Store, tmp_path: Path) -> None:
    await send_all(store, tmp_path)
    for _ in range(3 * planning.MOST_NOTICES):
        tell(store, "scope.reviewed", review=1, proposals=[])
    waiting: list[int] = []

    await send_all(store, tmp_path, lambda _: waiting.append(sum(row.outcome is None for row in rows(store))))

    assert len(waiting) == 3 * planning.MOST_NOTICES
    assert max(waiting) == 2 * planning.MOST_NOTICES


async def test_a_mail_arrives_with_subject_and_text(store: Store, tmp_path: Path) -> None:
    number = ask(store, urgency="IMMEDIATE")
    async with mail_server() as mails:
        write_channels(tmp_path, {"name": "mail", "url": mails.url()})
        await send_all(store, tmp_path)

    (message,) = mails.messages
    assert message["Subject"] == f"IMMEDIATE question {number}: Which criteria are missing?"
    assert message["To"] == "ada@example.org"
    text = message.get_content()
    assert "Which criteria are missing?" in text
    assert f"apm escalation resolve {number} --recommended" in text
    assert row_of(store, "mail").outcome == "sent"


async def test_a_webhook_gets_the_notice_as_json(store: Store, tmp_path: Path) -> None:
    number = ask(store)
    with http_server() as server:
        write_channels(tmp_path, {"name": "hook", "url": server.url})
        await send_all(store, tmp_path)

    (received,) = server.received
    assert received.path == "/hook"
    assert received.json["title"] == f"DAILY question {number}: Which criteria are missing?"
    assert "Recommended: retry" in received.json["message"]


async def test_a_chat_that_takes_what_slack_takes_gets_the_notice(store: Store, tmp_path: Path) -> None:
    ask(store, question="Which? <!channel> @here")
    with http_server() as server:
        write_channels(
            tmp_path, {"name": "chat", "url": f"mmost://127.0.0.1:{server.port}/3ccdd113474722377935511fc85d3"}
        )
        await send_all(store, tmp_path)

    (received,) = server.received
    assert received.path == "/hooks/3ccdd113474722377935511fc85d3"
    assert "DAILY question 1: Which?" in received.json["text"]
    assert "<!channel>" not in received.json["text"]
    assert "@here" not in received.json["text"]


SLACK = """
import json, sys
from apprise.plugins.slack import NotifySlack
from core.governance.notices import handover

NotifySlack.webhook_url = f"http://127.0.0.1:{sys.argv[1]}/services"
task = {"url": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", "subject": "s", "body": "a < b & c"}
print(json.dumps([handover.outcome(task), handover.outcome(task)]))
"""
"""Slack's address is a constant of Apprise; everything but that address is what runs for a person's channel."""


def test_slack_itself_gets_text_that_it_shows_as_it_is() -> None:
    with http_server(200, 404) as server:
        ended = subprocess.run(
            [sys.executable, "-c", SLACK, str(server.port)], capture_output=True, text=True, check=True
        )

    assert json.loads(ended.stdout) == [{"code": "sent"}, {"code": "gone", "status": 404}]
    assert server.received[0].path == "/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    assert server.received[0].json["attachments"][0]["text"] == "a &lt; b &amp; c"


async def test_hostile_text_becomes_no_header_and_no_markup(store: Store, tmp_path: Path) -> None:
    ask(store, question="x\r\nBcc: eve@example.org\r\n\r\n<script>alert(1)</script> \u202egnp.exe\x1b]0;t\x07")
    async with mail_server() as mails:
        write_channels(tmp_path, {"name": "mail", "url": mails.url(format="html")})
        await send_all(store, tmp_path)

    (envelope,), (message,) = mails.envelopes, mails.messages
    assert envelope.rcpt_tos == ["ada@example.org"]
    assert message["Bcc"] is None
    assert message["Subject"] == "DAILY question 1: x Bcc: eve@example.org <script>alert(1)</script> gnp.exe"
    parts = {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}
    assert "<script>" not in parts["text/html"]
    assert not any(character in "".join(parts.values()) for character in "\x1b\x07\u202e")


async def test_a_question_answered_before_the_next_try_is_not_sent(store: Store, tmp_path: Path, clock: Clock) -> None:
    number = ask(store)
    with http_server(500, 200) as server:
        write_channels(tmp_path, {"name": "hook", "url": server.url})
        await send_all(store, tmp_path)
        store.write_now(lambda tx: escalations.resolve(tx, number, option="retry", by="ada"))
        clock.now += MINUTE_MS
        delivered = await send_all(store, tmp_path)

    row = row_of(store, "hook")
    assert (row.outcome, row.error) == ("suppressed", "the question was resolved before this was sent")
    assert (len(server.received), delivered.suppressed) == (1, 1)


async def test_what_waits_for_a_channel_that_was_taken_away_fails(store: Store, tmp_path: Path) -> None:
    ask(store)
    with http_server(500) as server:
        write_channels(tmp_path, {"name": "hook", "url": server.url})
        await send_all(store, tmp_path)
    write_channels(tmp_path)
    await send_all(store, tmp_path)
    at_once = row_of(store, "hook").outcome
    await send_all(store, tmp_path)

    assert at_once is None
    assert (row_of(store, "hook").outcome, row_of(store, "hook").error) == (
        "failed",
        "the channel is not configured any more",
    )


async def test_a_broken_file_keeps_what_waits_and_tells_the_house(store: Store, tmp_path: Path, clock: Clock) -> None:
    printed: list[str] = []
    with http_server() as server:
        write_channels(tmp_path, {"name": "hook", "url": server.url})
        await send_all(store, tmp_path, printed.append)
        sound = (tmp_path / "notifications.yaml").read_text()
        (tmp_path / "notifications.yaml").write_text("version: 1\nchannels:\n  - name: hook\n")
        ask(store)
        delivered = await send_all(store, tmp_path, printed.append)
        kept = row_of(store, "hook").outcome
        (tmp_path / "notifications.yaml").write_text(sound)
        await send_all(store, tmp_path, printed.append)

    assert kept is None
    assert delivered.faults == (
        "notifications.yaml:3: channels[0].url: is missing; every channel needs the URL of a"
        " service, as Apprise writes it",
    )
    assert any("channels[0].url: is missing" in line for line in printed)
    assert len(server.received) == 1


async def test_a_file_that_was_never_sound_holds_up_nothing_in_the_house(store: Store, tmp_path: Path) -> None:
    (tmp_path / "notifications.yaml").write_text("channels")
    ask(store)
    printed: list[str] = []
    await send_all(store, tmp_path, printed.append)

    assert len(printed) == 2


async def test_a_password_from_the_environment_is_used_and_kept_nowhere(store: Store, tmp_path: Path) -> None:
    ask(store)
    printed: list[str] = []
    with http_server() as server:
        url = server.url.replace("json://", "json://ada:${HOOK_PASSWORD}@")
        write_channels(tmp_path, {"name": "hook", "url": url})
        without = await send_all(store, tmp_path, printed.append)
        await deliver(store, tmp_path, printed.append, environment={"HOOK_PASSWORD": SECRET})

    assert without.faults == ("The channel hook needs the variable HOOK_PASSWORD, which is not set.",)
    assert without.next_try_at is None
    assert server.received[0].headers["Authorization"].startswith("Basic ")
    assert SECRET.encode() not in everything_kept(tmp_path)
    assert SECRET not in "".join(printed)


async def test_a_clock_that_was_put_back_does_not_keep_a_notice_waiting(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    ask(store)
    with http_server(500, 200) as server:
        write_channels(tmp_path, {"name": "hook", "url": server.url})
        await send_all(store, tmp_path)
        clock.now -= 30 * 24 * HOUR_MS
        await send_all(store, tmp_path)

    assert len(server.received) == 2


async def test_what_waited_for_a_day_is_not_sent_outside_any_more(store: Store, tmp_path: Path, clock: Clock) -> None:
    ask(store)
    with http_server() as server:
        write_channels(tmp_path, {"name": "hook", "url": server.url.replace("//", "//ada:${NOT_SET}@")})
        await send_all(store, tmp_path)
        clock.now += 25 * HOUR_MS
        write_channels(tmp_path, {"name": "hook", "url": server.url})
        await send_all(store, tmp_path)

    assert server.received == []
    assert row_of(store, "hook").error == "it waited for its channel for more than 24 hours"


async def test_a_console_that_is_gone_leaves_the_file_and_the_record(store: Store, tmp_path: Path) -> None:
    def broken(line: str) -> None:
        raise BrokenPipeError

    ask(store)
    await send_all(store, tmp_path, broken)

    assert row_of(store, "console").error == "the console takes no line (BrokenPipeError)"
    assert row_of(store, "file").outcome == "sent"


async def test_a_log_that_cannot_be_written_is_tried_again(store: Store, tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "logs").write_text("in the way")
    ask(store)
    await send_all(store, tmp_path)
    assert row_of(store, "file").error == "the log cannot be written (file exists)"

    (tmp_path / "logs").unlink()
    clock.now += MINUTE_MS
    await send_all(store, tmp_path)
    assert row_of(store, "file").outcome == "sent"


async def test_what_apm_writes_about_its_own_notices_is_no_news(store: Store, tmp_path: Path) -> None:
    ask(store)
    await send_all(store, tmp_path)
    before = kinds(store)

    delivered = await send_all(store, tmp_path)

    assert kinds(store) == before
    assert (delivered.sent, delivered.failed, delivered.suppressed) == (0, 0, 0)


async def test_a_briefing_counts_as_sent_once_a_channel_has_it(store: Store, tmp_path: Path) -> None:
    await send_all(store, tmp_path)
    number = store.write_now(
        lambda tx: (tx.insert(Briefing, at=1, date="2027-01-15", content='{"sections": []}'), tx.event("x"))[0]
    )
    tell(store, "briefing.made", briefing=number, send=True)
    await send_all(store, tmp_path)

    row = store.read_now(lambda r: r.one(Briefing.select(Briefing.sent_at)))
    assert row == (store.clock(),)


def test_a_full_log_makes_room_and_one_older_is_kept(tmp_path: Path) -> None:
    path = log_file.log_path(tmp_path)
    line = "x" * 99_999
    log_file.append(path, [line] * 25)

    assert sorted(found.name for found in path.parent.iterdir()) == [path.name, f"{path.name}.1"]
    assert (path.stat().st_size, path.with_name(f"{path.name}.1").stat().st_size) == (500_000, 1_000_000)


def test_a_log_that_is_a_link_is_not_written_through(tmp_path: Path) -> None:
    path = log_file.log_path(tmp_path)
    path.parent.mkdir()
    path.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OSError, match="symbolic links"):
        log_file.append(path, ["x"])
    assert not (tmp_path / "elsewhere").exists()
