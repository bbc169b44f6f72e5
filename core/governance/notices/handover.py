"""A program of its own: hands one notice to Apprise, and says in one word how that went.

It stands apart from apm's process because a channel's URL is a secret and a channel's server a stranger. The URL comes
by standard input, so neither the list of processes nor an environment shows it; what Apprise and the libraries below
it log, URLs included, ends with this process; and a server that answers a byte a minute is ended by killing it.

Input is one JSON object: `url`, and with `subject` and `body` a notice to send; without them the URL is only looked
at. Output is one JSON object: `code`, one of `sent`, `known`, `url`, `auth`, `gone`, `status`, `tls`, `silent`,
`unreachable`, `unknown`; `status` is what an HTTP or SMTP server answered, where it did.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterable
from typing import Any

_EXCEPTION = "Socket Exception: "
"""How Apprise begins the record that says what a library raised."""

_STATUS = re.compile(rf"\berror=(\d{{3}})\b|^{_EXCEPTION}.{{0,400}}?\((\d{{3}}), b['\"]|was refused: (\d{{3}}) ")
"""A server's answer: of HTTP, of SMTP to the sender, of SMTP about somebody the mail is for."""

_WORDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("auth", re.compile("SMTP AUTH extension not supported")),
    ("tls", re.compile("SSL|CERTIFICATE|STARTTLS extension")),
    ("silent", re.compile("timed out", re.IGNORECASE)),
    ("unreachable", re.compile(f"Connection error|^{_EXCEPTION}", re.IGNORECASE)),
)
"""Failures without an answer of the server's, by what the log says of them; the first that is met counts."""

_CODES = {401: "auth", 403: "auth", 404: "gone", 410: "gone", 530: "auth", 534: "auth", 535: "auth"}


class _Complaints(logging.Handler):
    """Keeps what Apprise says of a failure, in memory only. It says why nowhere but in its log.

    Records of other kinds may hold the notice's own text, which must not pass for a server's answer.
    """

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.levelno >= logging.WARNING or text.startswith(_EXCEPTION):
            self.texts.append(text)


def outcome(task: dict[str, Any]) -> dict[str, Any]:
    """What became of the task, in the words above."""
    import apprise

    complaints = _Complaints()
    log = logging.getLogger("apprise")
    log.addHandler(complaints)
    log.setLevel(logging.DEBUG)
    log.propagate = False
    asset = apprise.AppriseAsset(
        app_id="apm",
        app_desc="apm",
        app_url="",
        async_mode=False,
        # A redirected POST arrives as a GET without the notice, and is answered as if it had been taken.
        http_redirects=False,
        image_url_mask="",
        image_url_logo="",
        interpret_emojis=False,
        storage_mode="memory",
    )
    service = apprise.Apprise.instantiate(task["url"], asset=asset, suppress_exceptions=True)
    if service is None:
        return {"code": "url"}
    if "subject" not in task:
        return {"code": "known"}
    if "overflow=" not in task["url"]:
        # A service that takes less text gets its beginning, where otherwise it would refuse the whole.
        service.overflow_mode = apprise.OverflowMode.TRUNCATE
    is_sent = service.notify(title=task["subject"], body=task["body"], body_format=apprise.NotifyFormat.TEXT)
    return {"code": "sent"} if is_sent else failure(complaints.texts)


def failure(complaints: Iterable[str]) -> dict[str, Any]:
    """The failure that the complaints tell of: the server's answer where there was one."""
    texts = list(complaints)
    for match in filter(None, map(_STATUS.search, texts)):
        status = int(next(filter(None, match.groups())))
        return {"code": _CODES.get(status, "status"), "status": status}
    return {"code": next((code for code, words in _WORDS if any(map(words.search, texts))), "unknown")}


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(outcome(json.load(sys.stdin))) + "\n")
