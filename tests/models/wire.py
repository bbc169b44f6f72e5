"""A provider over a real socket, that does to each request what a test says: where a scripted server has no words.

It speaks HTTP/1.1 with keep-alive, one deed per request. A deed writes what it likes, and ends the connection by
returning True.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from core.contract import Json


@dataclass(frozen=True)
class Sent:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Deed = Callable[[Sent, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bool]]


@dataclass
class Wire:
    """The server, with what it was sent. The last deed is done again for every request after it."""

    deeds: list[Deed] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    connections: int = 0
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while (sent := await _request(reader)) is not None:
                self.sent.append(sent)
                deed = self.deeds.pop(0) if len(self.deeds) > 1 else self.deeds[0]
                if await deed(sent, reader, writer):
                    break
        except ConnectionError:
            pass  # The client has gone away, which some tests are about.
        finally:
            writer.close()


@asynccontextmanager
async def wired(*deeds: Deed) -> AsyncIterator[Wire]:
    wire = Wire(list(deeds))
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    wire.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield wire


async def _request(reader: asyncio.StreamReader) -> Sent | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Sent(first.split(" ")[1], headers, body.decode())


def answers(status: int, body: Json, **headers: str) -> Deed:
    """A JSON answer that is not streamed."""

    async def deed(sent: Sent, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        content = json.dumps(body).encode()
        lines = [f"HTTP/1.1 {status} x", "content-type: application/json", f"content-length: {len(content)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + content)
        await writer.drain()
        return False

    return deed


Ending = Callable[[asyncio.StreamReader], Awaitable[bool]]


def streams(*events: Json, then: Ending | None = None) -> Deed:
    """A stream of the Messages API; then its proper end, or what `then` does instead: True drops the connection."""
    return sends(*(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events), then=then)


def chats(*chunks: Json, then: Ending | None = None) -> Deed:
    """A stream of the chat protocol."""
    last = () if then else ("data: [DONE]\n\n",)
    return sends(*(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks), *last, then=then)


def sends(*pieces: str, then: Ending | None = None) -> Deed:

    async def deed(sent: Sent, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nrequest-id: req_1\r\n"
            b"transfer-encoding: chunked\r\n\r\n"
        )
        for piece in pieces:
            data = piece.encode()
            writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        await writer.drain()
        if then is not None:
            return await then(reader)
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return False

    return deed


async def dropped(reader: asyncio.StreamReader) -> bool:
    return True


def started(**usage: int) -> Json:
    return {"type": "message_start", "message": {"id": "msg_1", "model": "served", "usage": usage}}


def piece(text: str) -> Json:
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}


TEXT_BEGINS: Json = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}


def ended(reason: str = "end_turn", **usage: int) -> tuple[Json, ...]:
    return (
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage},
        {"type": "message_stop"},
    )


def says(text: str) -> Deed:
    """A whole answer of 10 tokens to a prompt of 100, 5 of them from the cache."""
    start = started(input_tokens=95, cache_read_input_tokens=5, output_tokens=1)
    return streams(start, TEXT_BEGINS, piece(text), *ended(output_tokens=10))


def chunk(usage: Json | None = None, finish: str | None = None, **delta: Any) -> Json:
    """A piece of a chat answer; with `usage` the last one, which has no choices."""
    common: Json = {"id": "chat-1", "object": "chat.completion.chunk", "created": 1, "model": "served"}
    if usage is not None:
        return {**common, "choices": [], "usage": usage}
    return {**common, "choices": [{"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": finish}]}
