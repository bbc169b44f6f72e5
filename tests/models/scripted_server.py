"""A server of the Messages protocol that plays a script over a real socket, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from core.contract import Json

INPUT_TOKENS, OUTPUT_TOKENS = 100, 20
"""What every reply says it used."""
STALL = "stall"
"""A reply that begins and never goes on."""

Reply = Sequence[Json] | int | str
"""Blocks of an answer, the status of an error, or STALL."""

_numbers = itertools.count(1)


def text(words: str) -> Json:
    return {"type": "text", "text": words}


def tool(name: str, **given: object) -> Json:
    return {"type": "tool_use", "id": f"toolu_{next(_numbers):03d}", "name": name, "input": given}


@dataclass
class ScriptedServer:
    """`script` is played reply by reply; `asked` are the bodies of the requests, `headers` what came with them."""

    script: list[Reply]
    says: Callable[[Json], Reply] | None = None
    """Makes a reply of a request's body, where a script would not do."""
    port: int = 0
    asked: list[Json] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def heard(self) -> list[str]:
        """The texts of all tool results that the last request brought."""
        content = [b for m in self.asked[-1]["messages"] if isinstance(m["content"], list) for b in m["content"]]
        return [str(b["content"]) for b in content if b.get("type") == "tool_result"]

    async def until_asked(self, times: int) -> None:
        while len(self.asked) < times:
            self.changed.clear()
            await self.changed.wait()

    def _reply(self, body: Json) -> Reply:
        if self.says is not None:
            return self.says(body)
        return self.script.pop(0) if self.script else [text("The script is over.")]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                await self._answer(line.decode().split(" ")[1], reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        headers: dict[str, str] = {}
        while line := (await reader.readline()).decode().strip():
            key, _, value = line.partition(":")
            headers[key.lower()] = value.strip()
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        if path.partition("?")[0] != "/v1/messages":
            return await _error(writer, 404)
        self.asked.append(json.loads(body))
        self.headers.append(headers)
        self.changed.set()
        reply = self._reply(self.asked[-1])
        if isinstance(reply, int):
            return await _error(writer, reply)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        if isinstance(reply, str):
            await reader.read()
            raise ConnectionError("whoever asked has left")
        for event in _events(self.asked[-1]["model"], reply):
            data = f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
            writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        writer.write(b"0\r\n\r\n")
        await writer.drain()


async def _error(writer: asyncio.StreamWriter, status: int) -> None:
    body = json.dumps({"type": "error", "error": {"type": "api_error", "message": f"scripted {status}"}}).encode()
    head = f"HTTP/1.1 {status} Scripted\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()


def _events(model: str, blocks: Sequence[Json]) -> list[Json]:
    usage = {"input_tokens": INPUT_TOKENS, "output_tokens": 1}
    usage |= {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    head: Json = {"id": f"msg_{next(_numbers)}", "type": "message", "role": "assistant", "model": model, "content": []}
    head |= {"stop_reason": None, "stop_sequence": None, "usage": usage}
    events: list[Json] = [{"type": "message_start", "message": head}]
    for index, block in enumerate(blocks):
        empty: Json = {"text": ""} if block["type"] == "text" else {"input": {}}
        delta: Json = (
            {"type": "text_delta", "text": block["text"]}
            if block["type"] == "text"
            else {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        )
        events += [
            {"type": "content_block_start", "index": index, "content_block": block | empty},
            {"type": "content_block_delta", "index": index, "delta": delta},
            {"type": "content_block_stop", "index": index},
        ]
    stop = "tool_use" if any(block["type"] == "tool_use" for block in blocks) else "end_turn"
    end: Json = {"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None}}
    return [*events, end | {"usage": {"output_tokens": OUTPUT_TOKENS}}, {"type": "message_stop"}]


@asynccontextmanager
async def scripted(*script: Reply, says: Callable[[Json], Reply] | None = None) -> AsyncIterator[ScriptedServer]:
    """The script, or what makes replies, served on a free port of loopback."""
    server = ScriptedServer(list(script), says)
    working: set[asyncio.Task[None]] = set()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(server.serve(reader, writer))
        working.add(task)
        task.add_done_callback(working.discard)

    listening = await asyncio.start_server(begin, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
