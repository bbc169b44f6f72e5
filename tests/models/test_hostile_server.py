"""A server that reports nonsense, answers without end or packs its answers: what is counted, kept and held."""

from __future__ import annotations

import asyncio
import zlib
from typing import Any

import pytest

from core.agents.session import Usage
from core.contract import Json
from core.runtimes.base import Unavailable
from core.runtimes.models.bounds import MOST_LINE
from core.runtimes.models.dialogue import ModelFailed, Prompt
from tests.models.conftest import Book, Shop
from tests.models.wire import TEXT_BEGINS, Deed, Sent, chats, chunk, ended, piece, started, streams, wired

QUESTION = Prompt("You answer.", ({"role": "user", "content": "What is it?" * 50},), most_output=500)
ESTIMATE = 200
"""Tokens of the question at most."""

NONSENSE = [{}, None, "abc", {"input_tokens": -5}, {"input_tokens": 1e308}, {"input_tokens": 10**400}]
CHAT_NONSENSE = [
    {"prompt_tokens": -5, "completion_tokens": 3},
    {"prompt_tokens": "abc"},
    {"prompt_tokens": 10**18, "completion_tokens": 10**18},
]


@pytest.mark.parametrize("usage", NONSENSE, ids=lambda usage: str(usage)[:30])
async def test_a_call_whose_usage_is_no_number_is_counted_by_the_estimate(shop: Shop, book: Book, usage: Any) -> None:
    start: Json = {"type": "message_start", "message": {"id": "m", "model": "served", "usage": usage}}
    async with wired(streams(start, TEXT_BEGINS, piece("hello"), *ended(output_tokens=10))) as wire:
        reply = await shop.model(wire.url).ask(QUESTION, book)

    assert book.settled == [reply.usage]
    assert (reply.usage.input, reply.usage.output) == (ESTIMATE, 10)


@pytest.mark.parametrize("usage", CHAT_NONSENSE, ids=str)
async def test_so_is_a_chat_and_nobody_is_warned_on_the_screen(shop: Shop, book: Book, usage: Any) -> None:
    async with wired(chats(chunk(content="hello"), chunk(finish="stop"), chunk(usage=usage))) as wire:
        reply = await shop.compatible(f"{wire.url}/v1").ask(QUESTION, book)

    assert book.settled == [reply.usage]
    assert reply.usage.input == ESTIMATE
    assert 0 < reply.usage.output < 10


async def test_a_call_that_is_cancelled_before_a_word_of_it_came_has_cost_its_prompt(shop: Shop, book: Book) -> None:
    seen = asyncio.Event()
    book.show = lambda line, usage=None: seen.set()  # type: ignore[method-assign]

    async def silent(reader: asyncio.StreamReader) -> bool:
        await reader.read()
        return True

    async with wired(streams(started(), then=silent)) as wire:
        asking = asyncio.create_task(shop.model(wire.url).ask(QUESTION, book))
        await seen.wait()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

    assert [usage.input for usage in book.settled] == [ESTIMATE]


@pytest.mark.parametrize("number", [5, "x\x1b[31m\ud800", "y" * 5_000], ids=["5", "controls", "long"])
async def test_a_request_id_is_a_line_whatever_the_server_calls_it(shop: Shop, book: Book, number: Any) -> None:
    chunks = [chunk(content="hello"), chunk(finish="stop"), chunk(usage={"prompt_tokens": 3, "completion_tokens": 2})]
    async with wired(chats(*({**one, "id": number} for one in chunks))) as wire:
        reply = await shop.compatible(f"{wire.url}/v1").ask(QUESTION, book)

    [kept] = book.request_ids
    assert kept == reply.request_id
    assert kept.isprintable()
    assert len(kept) <= 128


async def test_half_a_character_is_kept_as_a_mark(shop: Shop, book: Book) -> None:
    """Models write them where an escape of two parts is cut; neither a database nor a provider takes them."""
    async with wired(streams(started(input_tokens=3), TEXT_BEGINS, piece("a\ud83d"), *ended(output_tokens=2))) as wire:
        reply = await shop.model(wire.url).ask(QUESTION, book)

    assert reply.text == "a?"


async def test_an_event_that_is_no_object_is_a_damaged_answer(shop: Shop, book: Book) -> None:
    async with wired(chats([1])) as wire:  # type: ignore[arg-type]
        with pytest.raises(ModelFailed, match="gave no whole answer in 3 tries"):
            await shop.compatible(f"{wire.url}/v1").ask(QUESTION, book)

    assert len(book.settled) == 3


def raw(head: str, body: bytes) -> Deed:
    async def deed(sent: Sent, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        writer.write(f"HTTP/1.1 {head}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        return True

    return deed


OVERLOADED = b'{"type":"error","error":{"type":"overloaded_error","message":"come back later"}}'
WRITTEN = b'{"type":"message","content":[{"type":"text","text":"hello"}],"usage":{"output_tokens":1}}'


@pytest.mark.parametrize(
    ("body", "said"),
    [(OVERLOADED, "come back later"), (b"<html>Log in to the hotel</html>", "is no model: it sends no stream")],
    ids=["error", "page"],
)
async def test_what_is_no_stream_is_no_answer_though_its_status_is_good(
    shop: Shop, book: Book, body: bytes, said: str
) -> None:
    """A gateway's error, or a page that wants a log-in: nothing was written, and nothing is paid."""
    async with wired(raw("200 OK\r\ncontent-type: application/json", body)) as wire:
        with pytest.raises(Unavailable, match=said):
            await shop.model(wire.url).ask(QUESTION, book)

    assert {usage.tokens for usage in book.settled} == {0}


async def test_a_server_that_does_not_stream_is_asked_once(shop: Shop, book: Book) -> None:
    async with wired(raw("200 OK\r\ncontent-type: application/json", WRITTEN)) as wire:
        with pytest.raises(ModelFailed, match="does not stream its answers"):
            await shop.model(wire.url).ask(QUESTION, book)

    assert len(wire.sent) == 1


@pytest.mark.parametrize("status", [200, 500])
async def test_a_packed_answer_is_not_unpacked(shop: Shop, book: Book, status: int) -> None:
    """A hundred kilobytes that would be a hundred megabytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join([*(packer.compress(b"a" * 2**20) for _ in range(100)), packer.flush()])
    async with wired(raw(f"{status} x\r\ncontent-encoding: gzip", bomb)) as wire:
        with pytest.raises(Unavailable, match="packed"):
            await shop.model(wire.url).ask(QUESTION, book)
        with pytest.raises(Unavailable, match="packed"):
            await shop.compatible(f"{wire.url}/v1").ask(QUESTION, book)

    assert {request.headers["accept-encoding"] for request in wire.sent} == {"identity"}


async def test_a_line_that_does_not_end_is_not_read_on(shop: Shop, book: Book) -> None:
    line = b"data: " + b"a" * (MOST_LINE + 2**20) + b"\n\n"
    async with wired(raw("200 x\r\ncontent-type: text/event-stream", line)) as wire:
        for model in (shop.model(wire.url), shop.compatible(f"{wire.url}/v1")):
            with pytest.raises((ModelFailed, Unavailable), match="does not end"):
                await model.ask(QUESTION, book)
    assert all(usage != Usage() for usage in book.settled[:3])
