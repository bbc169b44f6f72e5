"""What goes over the wire to the Messages API, and what is made of streams that a scripted server does not send."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import traceback

import pytest

from core.agents.session import OverBudget, Reservation, Usage
from core.contract import Json
from core.redaction import MARK
from core.runtimes.base import Unavailable
from core.runtimes.models.breaker import State
from core.runtimes.models.dialogue import ModelFailed, Prompt
from tests.models.conftest import KEY, Book, Shop, Waits
from tests.models.wire import TEXT_BEGINS, Sent, answers, dropped, ended, piece, says, started, streams, wired

QUESTION = Prompt("You answer.", ({"role": "user", "content": "What is it?"},), most_output=500)

SHAPE: Json = {
    "type": "object",
    "properties": {"verdict": {"type": "string", "minLength": 3}},
    "required": ["verdict"],
}


def tool_loop(*texts: str) -> tuple[Json, ...]:
    return (
        {"role": "user", "content": texts[0]},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "t1", "name": "read", "input": {"path": texts[1]}}],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": texts[2]}]},
    )


async def test_a_request_has_a_cached_system_block_and_a_shape_and_no_temperature(shop: Shop, book: Book) -> None:
    async with wired(says("{}")) as wire:
        await shop.model(wire.url).ask(Prompt("You answer.", QUESTION.messages, shape=SHAPE, most_output=500), book)

    request = wire.sent[0].json
    assert wire.sent[0].path == "/v1/messages"
    assert wire.sent[0].headers["authorization"] == f"Bearer {KEY}"
    assert request == {
        "model": "claude-haiku-4-5",
        "max_tokens": 500,
        "stream": True,
        "system": [{"type": "text", "text": "You answer.", "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": "What is it?"}],
        "output_config": {
            "format": {
                "type": "json_schema",
                "schema": {
                    "type": "object",
                    "properties": {"verdict": {"type": "string", "description": "{minLength: 3}"}},
                    "required": ["verdict"],
                    "additionalProperties": False,
                },
            }
        },
    }


async def test_the_end_of_a_tool_loop_is_marked_for_the_cache(shop: Shop, book: Book) -> None:
    async with wired(says("done")) as wire:
        await shop.model(wire.url).ask(Prompt("", tool_loop("a", "b", "c")), book)

    request = wire.sent[0].json
    assert "system" not in request
    assert request["messages"][2]["content"][0]["cache_control"] == {"type": "ephemeral"}
    assert wire.sent[0].body.count("cache_control") == 1


async def test_no_secret_is_sent_in_whatever_place_it_stands(shop: Shop, book: Book) -> None:
    environ = {"DEPLOY_TOKEN": "opensesame", "HOME": "/home/ada"}
    tool: Json = {"name": "read", "description": "opensesame", "input_schema": {"type": "object"}}
    literal = 'password = "hunter2"'

    async with wired(says("done")) as wire:
        model = shop.model(wire.url, environ=environ)
        await model.ask(Prompt("opensesame", tool_loop("opensesame", "opensesame", literal), (tool,)), book)
        await model.ask(Prompt(KEY, ({"role": "user", "content": [{"type": "text", "text": "opensesame"}]},)), book)

    sent = "".join(request.body for request in wire.sent)
    assert not [word for word in ("opensesame", "hunter2", KEY) if word in sent]
    assert sent.count(MARK) == 7


async def test_the_key_is_in_no_error_no_log_and_no_line(
    shop: Shop, book: Book, caplog: pytest.LogCaptureFixture
) -> None:
    told: Json = {"type": "error", "error": {"type": "overloaded_error", "message": f"busy with {KEY}"}}
    refused: Json = {"type": "error", "error": {"type": "authentication_error", "message": f"invalid x-api-key {KEY}"}}
    caplog.set_level(logging.DEBUG)

    async with wired(streams(started(), told), answers(529, told), answers(401, refused)) as wire:
        model = shop.model(wire.url)
        with pytest.raises(Unavailable) as error:
            await model.ask(QUESTION, book)

    words = [*traceback.format_exception(error.value), caplog.text, *book.shown, *book.request_ids]
    assert len(wire.sent) == 3
    assert any("busy with" in word for word in words)
    assert not [word for word in words if KEY in word]
    assert KEY not in repr(model._line)


async def test_what_a_broken_answer_used_is_counted(shop: Shop, book: Book) -> None:
    begun = started(input_tokens=100, cache_read_input_tokens=40, cache_creation_input_tokens=7, output_tokens=1)
    breaks = streams(begun, TEXT_BEGINS, piece("x" * 30), then=dropped)

    async with wired(breaks, says("whole")) as wire:
        reply = await shop.model(wire.url).ask(QUESTION, book)

    broken, whole = book.settled
    assert (broken.input, broken.cache_read, broken.cache_write, broken.output) == (100, 40, 7, 10)
    assert broken.dollars == pytest.approx((100 + 4 + 8.75 + 50) / 1e6)
    assert whole == reply.usage
    assert (whole.input, whole.output, whole.cache_read) == (95, 10, 5)
    assert whole.dollars == pytest.approx((95 + 0.5 + 50) / 1e6)
    assert book.request_ids == ["req_1", "req_1"]


async def test_cancelling_ends_the_stream_at_once_and_settles_what_was_used(shop: Shop, book: Book) -> None:
    gone = asyncio.Event()

    async def until_gone(reader: asyncio.StreamReader) -> bool:
        assert await reader.read() == b""
        gone.set()
        return True

    book.may_settle.clear()
    async with wired(streams(started(input_tokens=100), TEXT_BEGINS, piece("x"), then=until_gone)) as wire:
        asking = asyncio.create_task(shop.model(wire.url).ask(QUESTION, book))
        while not book.usages:
            await asyncio.wait({asking}, timeout=0.01)
        asking.cancel()
        await book.settling.wait()
        asking.cancel()
        await asyncio.wait_for(gone.wait(), 10)
        book.may_settle.set()
        with pytest.raises(asyncio.CancelledError):
            await asking

    assert [usage.input for usage in book.settled] == [100]


async def test_a_call_that_is_cancelled_while_it_waits_for_its_reservation_gives_it_back(shop: Shop) -> None:
    class Slow(Book):
        asked = asyncio.Event()
        may_reserve = asyncio.Event()

        async def reserve(self, provider: str, model: str, *, tokens: int, dollars: float | None) -> Reservation:
            self.asked.set()
            await self.may_reserve.wait()
            return await super().reserve(provider, model, tokens=tokens, dollars=dollars)

    book = Slow()
    async with wired(says("never")) as wire:
        asking = asyncio.create_task(shop.model(wire.url).ask(QUESTION, book))
        await book.asked.wait()
        asking.cancel()
        book.may_reserve.set()
        with pytest.raises(asyncio.CancelledError):
            await asking

    assert book.settled == [Usage()]
    assert wire.sent == []


async def test_nothing_is_sent_without_a_budget(shop: Shop) -> None:
    class Poor(Book):
        async def reserve(self, provider: str, model: str, *, tokens: int, dollars: float | None) -> Reservation:
            raise OverBudget("no room", {"scope": "day"})

    async with wired(says("never")) as wire:
        model = shop.model(wire.url)
        with pytest.raises(OverBudget):
            await model.ask(QUESTION, Poor())

    assert wire.sent == []
    assert model._line.breaker.state is State.CLOSED


async def test_a_connection_that_the_server_closed_while_idle_costs_no_answer(shop: Shop, book: Book) -> None:
    async def closes(sent: Sent, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        return True

    whole = (started(input_tokens=1), TEXT_BEGINS, piece("again"), *ended(output_tokens=1))

    async with wired(streams(*whole)) as wire:
        model = shop.model(wire.url)
        await model.ask(QUESTION, book)
        wire.deeds[:] = [closes, streams(*whole)]
        reply = await model.ask(QUESTION, book)

    assert reply.text == "again"
    assert wire.connections == 2


async def test_a_provider_that_nobody_serves_is_unavailable(shop: Shop, book: Book, waits: Waits) -> None:
    async with wired(says("never")) as wire:
        url = wire.url

    with pytest.raises(Unavailable, match=r"no answer from it at 127\.0\.0\.1:\d+: "):
        await shop.model(url).ask(QUESTION, book)

    assert waits.waited == [0.5, 1.0]
    assert book.settled == [Usage(), Usage(), Usage()]


async def test_while_one_call_tries_a_provider_that_failed_the_others_are_not_sent(
    shop: Shop, book: Book, waits: Waits
) -> None:
    trying, may_end = asyncio.Event(), asyncio.Event()

    async def hesitates(reader: asyncio.StreamReader) -> bool:
        trying.set()
        await may_end.wait()
        return True

    async with wired(answers(402, {}), streams(started(), then=hesitates), says("back")) as wire:
        model = shop.model(wire.url)
        with pytest.raises(Unavailable):
            await model.ask(QUESTION, book)
        waits.now += 30
        trial = asyncio.create_task(model.ask(QUESTION, book))
        await trying.wait()
        with pytest.raises(Unavailable):
            await model.ask(QUESTION, book)
        sent = len(wire.sent)
        may_end.set()
        reply = await trial

    assert sent == 2
    assert reply.text == "back"


async def test_fifty_calls_at_once_are_all_answered(shop: Shop, book: Book) -> None:
    async with wired(says("yes")) as wire:
        model = shop.model(wire.url)
        replies = await asyncio.gather(*(model.ask(QUESTION, book) for _ in range(50)))
        connections = wire.connections
        await model.ask(QUESTION, book)

    assert [reply.text for reply in replies] == ["yes"] * 50
    assert wire.connections == connections <= 50


async def test_the_screen_is_told_at_most_four_times_a_second(shop: Shop, book: Book) -> None:
    pieces = [piece("word ") for _ in range(200)]

    async with wired(streams(started(input_tokens=9), TEXT_BEGINS, *pieces, *ended(output_tokens=200))) as wire:
        await shop.model(wire.url).ask(QUESTION, book)

    assert [usage.output for usage in book.usages] == [0, 200]
    assert book.shown == ["reads 9 tokens (claude-haiku-4-5)", "200 tokens written (claude-haiku-4-5)"]


async def test_an_error_in_the_midst_of_a_stream_is_what_it_says(shop: Shop, book: Book) -> None:
    busy: Json = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    wrong: Json = {"type": "error", "error": {"type": "invalid_request_error", "message": "too deep"}}

    async with wired(streams(started(), busy), streams(started(), wrong)) as wire:
        with pytest.raises(ModelFailed, match="too deep"):
            await shop.model(wire.url).ask(QUESTION, book)

    assert len(wire.sent) == 2


async def test_a_redirect_does_not_take_the_key_along(shop: Shop, book: Book) -> None:
    async with wired(says("stolen")) as other, wired(answers(307, {}, location=f"{other.url}/v1/messages")) as wire:
        with pytest.raises(ModelFailed, match=r"sends elsewhere \(status 307\)"):
            await shop.model(wire.url).ask(QUESTION, book)

    assert other.sent == []


async def test_a_tool_call_that_the_token_limit_cut_is_none(shop: Shop, book: Book) -> None:
    call: Json = {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "tool_use", "id": "t1", "name": "write", "input": {}},
    }
    part: Json = {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "input_json_delta", "partial_json": '{"text": "half'},
    }

    async with wired(streams(started(), call, part, *ended("max_tokens", output_tokens=9))) as wire:
        reply = await shop.model(wire.url).ask(QUESTION, book)

    assert (reply.stop_reason, reply.content) == ("max_tokens", ())


def test_no_sdk_is_loaded_before_the_first_call() -> None:
    words = (
        "import sys, core.runtimes, core.runtimes.functions, core.runtimes.human, core.runtimes.replay,"
        "core.runtimes.models.anthropic_api, core.runtimes.models.compatible;"
        "print([name for name in ('anthropic', 'pydantic_ai', 'openai', 'httpx', 'httpx2', 'claude_agent_sdk')"
        " if name in sys.modules])"
    )

    ran = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "[]"
