"""A workspace that tells people things: its clock, its questions, and real servers for what leaves the house."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope

from core.contract import Json
from core.governance import escalations
from core.governance.escalations import Option, Question
from core.governance.notices.delivery import Delivered, deliver
from core.store import reads_governance
from core.store.rows_governance import NotificationRow
from core.store.store import Store
from core.store.transaction import Transaction

NOON = 1_800_000_000_000
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS


class Clock:
    """Stands still until it is put."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> int:
        return self.now


def question(**changes: Any) -> Question:
    facts: dict[str, Any] = {
        "kind": "gate",
        "subject": {"phase": "D1"},
        "question": "Which criteria are missing?",
        "urgency": "DAILY",
        "options": (
            Option("retry", "Try again", "It runs again."),
            Option("stop", "Stop", "It ends.", ends=True),
        ),
        "recommended": "retry",
        "chain": ("master-orchestrator", "definition-orch"),
    }
    return Question(**{**facts, **changes})


def ask(store: Store, **changes: Any) -> int:
    return store.write_now(lambda tx: escalations.raise_question(tx, question(**changes)))


def ask_many(store: Store, count: int, **changes: Any) -> list[int]:
    """So many different questions."""

    def work(tx: Transaction) -> list[int]:
        return [
            escalations.raise_question(
                tx, question(**{"question": f"Question number {n}?", **changes, "subject": {"n": n}})
            )
            for n in range(count)
        ]

    return store.write_now(work)


def tell(store: Store, kind: str, **facts: Any) -> None:
    """An event that another part of apm writes."""
    store.write_now(lambda tx: tx.event(kind, **facts))


def rows(store: Store, channel: str | None = None) -> list[NotificationRow]:
    """Every notice, oldest first; of one channel where it is named."""
    found = store.read_now(lambda r: reads_governance.notifications(r, limit=100_000))
    return [row for row in reversed(found) if channel in (None, row.channel)]


def write_channels(state: Path, *entries: Json) -> None:
    """A file of channels: JSON is YAML too."""
    state.mkdir(parents=True, exist_ok=True)
    path = state / "notifications.yaml"
    path.write_text(json.dumps({"version": 1, "channels": list(entries)}))
    path.chmod(0o600)


async def send_all(store: Store, state: Path, console: Callable[[str], None] | None = None) -> Delivered:
    return await deliver(store, state, console or (lambda line: None), environment={})


@dataclass
class Received:
    """One request as the server got it."""

    path: str
    headers: dict[str, str]
    json: Any


@dataclass
class HttpServer:
    """Answers each request with the next status of its list, and the last one from then on."""

    port: int = 0
    statuses: list[int] = field(default_factory=lambda: [200])
    received: list[Received] = field(default_factory=list)
    on_request: Callable[[], None] = lambda: None

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.port}/hook"


@contextmanager
def http_server(*statuses: int) -> Iterator[HttpServer]:
    server = HttpServer(statuses=list(statuses) or [200])
    lock = threading.Lock()

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"]))
            with lock:
                server.received.append(Received(self.path, dict(self.headers), json.loads(content)))
                status = server.statuses.pop(0) if len(server.statuses) > 1 else server.statuses[0]
            server.on_request()
            self._answer(status)

        def do_GET(self) -> None:
            """Where a redirect leads."""
            self._answer(200)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Says nothing: the test's output is not the place."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as listening:
        server.port = listening.server_port
        serving = threading.Thread(target=listening.serve_forever, daemon=True)
        serving.start()
        try:
            yield server
        finally:
            listening.shutdown()
            serving.join()


@contextmanager
def silent_server() -> Iterator[int]:
    """The port of a server that takes connections and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


def closed_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@dataclass
class Mails:
    """What a mail server took."""

    port: int = 0
    envelopes: list[Envelope] = field(default_factory=list)

    @property
    def messages(self) -> Sequence[EmailMessage]:
        return [_message(envelope) for envelope in self.envelopes]

    def url(self, **parameters: str) -> str:
        words = {"from": "apm@example.org", "to": "ada@example.org", **parameters}
        return f"mailto://127.0.0.1:{self.port}?" + "&".join(f"{key}={value}" for key, value in words.items())

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        self.envelopes.append(envelope)
        return "250 OK"


def _message(envelope: Envelope) -> EmailMessage:
    content = envelope.content
    assert isinstance(content, bytes)
    found = message_from_bytes(content, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


@asynccontextmanager
async def mail_server(**settings: Any) -> AsyncIterator[Mails]:
    """A mail server in the test's own event loop, which is free while apm sends: sending is another process."""
    import asyncio

    mails = Mails()
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: SMTP(mails, loop=loop, **settings), "127.0.0.1", 0)
    mails.port = listening.sockets[0].getsockname()[1]
    try:
        yield mails
    finally:
        listening.close()
        await listening.wait_closed()
