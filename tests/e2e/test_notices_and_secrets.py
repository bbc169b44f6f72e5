"""What apm was started with stays with it: no notice and no document says a secret of its own environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.apm_process import Apm
from tests.unit.notice_place import http_server, write_channels

SECRETS = {
    "HOOK_PASSWORD": "correct horse battery",
    "DB_PASSWORD": "plainlowerwords",
    # Nothing in its name says so; that a channel's URL is made with it does.
    "HOOK_WORD": "an-ordinary-word",
}


def test_a_notice_says_no_secret_of_the_environment_nor_the_channel_s_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    apm = Apm(tmp_path, tmp_path / "here")
    assert apm("init", "here").code == 0
    question = f"Login fails with {', '.join(SECRETS.values())}: rotate?"
    asked = apm(
        "decide", "--agent", "technical", "--kind", "security", "--question", question, "--tag", "plainlowerwords"
    )

    with http_server() as server:
        url = f"json://user:${{HOOK_PASSWORD}}@127.0.0.1:{server.port}/${{HOOK_WORD}}"
        write_channels(tmp_path / "here" / "state", {"name": "web", "url": url})
        told = apm("briefing", "--send")
        exported = apm("state", "export", "-")

    assert asked.code == 3
    assert server.received
    log = (tmp_path / "here" / "state" / "logs" / "notifications.log").read_text()
    sent = "".join(str(received.json) for received in server.received)
    for text in (told.err, log, sent):
        assert "Login fails with [redacted], [redacted], [redacted]: rotate?" in text
        assert not [value for value in SECRETS.values() if value in text]
    assert "Login fails with [redacted], [redacted]" in exported.out
    assert not [name for name, value in SECRETS.items() if name != "HOOK_WORD" and value in exported.out]
