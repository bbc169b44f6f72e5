"""Calls over the chat protocol: the same dialogue, the same budget, the same tries as over the Messages API."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import traceback
from contextlib import suppress

import pytest

from core.agents.session import Usage
from core.contract import Json
from core.installing import install_extra
from core.runtimes.base import Unavailable
from core.runtimes.models.calling import Policy
from core.runtimes.models.dialogue import ModelFailed, Prompt, tool_results
from tests.models.conftest import KEY, Book, Mock, Shop, Waits
from tests.models.wire import answers, chats, chunk, dropped, wired

QUESTION = Prompt("You answer.", ({"role": "user", "content": "What is it?"},), most_output=500)

TOOL: Json = {
    "name": "read_file",
    "description": "Reads a file",
    "input_schema": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
}

WHOLE = (
    chunk(content="It is "),
    chunk(content="a table.", finish="stop"),
    chunk({"prompt_tokens": 100, "completion_tokens": 9, "prompt_tokens_details": {"cached_tokens": 40}}),
)


def fails(status: int, times: int | None = 1, **more: object) -> Json:
    return {"type": "fail", "status": status, "times": times, **more}


def breaks(kind: str, times: int | None = 1, **more: object) -> Json:
    return {"type": "stream_fault", "kind": kind, "times": times, **more}


async def test_a_whole_answer_comes_with_what_it_used(shop: Shop, book: Book) -> None:
    async with wired(chats(*WHOLE)) as wire:
        reply = await shop.compatible(f"{wire.url}/v1").ask(QUESTION, book)

    assert (reply.text, reply.stop_reason, reply.model, reply.request_id) == (
        "It is a table.",
        "end_turn",
        "served",
        "chat-1",
    )
    assert reply.usage == Usage(input=60, output=9, cache_read=40, dollars=None)
    assert book.settled == [reply.usage]


async def test_a_request_has_the_dialogue_the_limit_and_the_shape(shop: Shop, book: Book) -> None:
    shape: Json = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    failed = tool_results([("t1", "x", True)])
    messages: tuple[Json, ...] = (
        {"role": "user", "content": "Read it."},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "s"},
                {"type": "text", "text": "I read."},
                {"type": "tool_use", "id": "t1", "name": "read_file", "input": {"path": "a.py"}},
            ],
        },
        {
            "role": "user",
            "content": [{"type": "text", "text": "Go on."}, *failed["content"]],
        },
    )

    async with wired(chats(*WHOLE)) as wire:
        await shop.compatible(f"{wire.url}/v1").ask(Prompt("You work.", messages, (TOOL,), shape=shape), book)

    request = wire.sent[0].json
    assert wire.sent[0].path == "/v1/chat/completions"
    assert wire.sent[0].headers["authorization"] == f"Bearer {KEY}"
    assert (request["model"], request["max_tokens"], request["stream"]) == ("ours-7b", 8_000, True)
    assert not {"temperature", "max_completion_tokens"} & set(request)
    assert request["response_format"]["json_schema"]["schema"]["properties"] == {"a": {"type": "string"}}
    assert request["tools"][0]["function"]["parameters"]["required"] == ["path"]
    roles = [(message["role"], message.get("content")) for message in request["messages"]]
    assert roles == [
        ("system", "You work."),
        ("user", "Read it."),
        ("assistant", "I read."),
        ("tool", '{"error":"x"}'),
        ("user", "Go on."),
    ]
    call = request["messages"][2]["tool_calls"][0]
    assert (call["id"], call["function"]["name"]) == ("t1", "read_file")
    assert request["messages"][3]["tool_call_id"] == "t1"


async def test_a_tool_is_forced_and_its_result_answered(mock: Mock, shop: Shop, book: Book) -> None:
    model = shop.compatible(f"{mock.url}/v1")
    asked = Prompt("You work.", QUESTION.messages, (TOOL,), {"type": "tool", "name": "read_file"})
    mock.script({"type": "reply", "tool_calls": [{"name": "read_file", "arguments": {"path": "a.py"}}]})

    first = await model.ask(asked, book)
    results = tool_results([(call["id"], "print()", False) for call in first.tool_calls])
    messages = (*asked.messages, {"role": "assistant", "content": list(first.content)}, results)
    second = await model.ask(Prompt("You work.", messages, (TOOL,)), book)

    assert first.stop_reason == "tool_use"
    assert [(call["name"], call["input"]) for call in first.tool_calls] == [("read_file", {"path": "a.py"})]
    assert (second.stop_reason, bool(second.text)) == ("end_turn", True)


async def test_a_judge_of_retries_finds_nothing(mock: Mock, shop: Shop, book: Book) -> None:
    model = shop.compatible(f"{mock.url}/v1", policy=Policy(first_wait=0.1, chance=random.Random(7).random))
    may_pass = [fails(429, retry_after=0.2), fails(503, 2), breaks("truncate", 2), breaks("disconnect")]
    never_pass = [fails(400), fails(404), fails(422), fails(401)]

    for number, behaviour in enumerate((*may_pass, *never_pass)):
        mock.script(behaviour)
        question = Prompt("", ({"role": "user", "content": f"Question {number}"},))
        with suppress(ModelFailed, Unavailable):
            await model.ask(question, book)

    assert mock.requests() == 2 + 3 + 3 + 2 + 4
    assert mock.findings() == []


@pytest.mark.parametrize("kind", ["disconnect", "truncate", "malformed"])
async def test_an_answer_that_breaks_off_each_time_is_no_answer(mock: Mock, shop: Shop, book: Book, kind: str) -> None:
    mock.script(breaks(kind, None, after_chunks=2))

    with pytest.raises(ModelFailed, match="no whole answer in 3 tries"):
        await shop.compatible(f"{mock.url}/v1").ask(QUESTION, book)

    assert mock.requests() == 3


async def test_what_a_broken_answer_used_is_counted_by_its_estimate(shop: Shop, book: Book) -> None:
    async with wired(chats(chunk(content="x" * 30), then=dropped), chats(*WHOLE)) as wire:
        await shop.compatible(f"{wire.url}/v1").ask(QUESTION, book)

    broken = book.settled[0]
    assert (broken.input, broken.output) == (book.reserved[0].tokens - 500, 10)


@pytest.mark.parametrize(
    ("status", "error", "why"),
    [
        (401, {"message": "bad key"}, "refuses the key: bad key"),
        (429, {"message": "Pay", "code": "insufficient_quota"}, "quota is used up: Pay"),
    ],
)
async def test_a_provider_that_takes_no_calls_is_left_alone(
    shop: Shop, book: Book, waits: Waits, status: int, error: Json, why: str
) -> None:
    async with wired(answers(status, {"error": error}), chats(*WHOLE)) as wire:
        model = shop.compatible(f"{wire.url}/v1")
        for _ in range(2):
            with pytest.raises(Unavailable, match=why):
                await model.ask(QUESTION, book)
        sent = len(wire.sent)
        waits.now += 30
        await model.ask(QUESTION, book)

    assert sent == 1


async def test_a_wait_that_the_server_asks_for_is_waited(shop: Shop, book: Book, waits: Waits) -> None:
    async with wired(answers(503, {"error": "busy"}, retry_after="12"), chats(*WHOLE)) as wire:
        await shop.compatible(f"{wire.url}/v1").ask(QUESTION, book)

    assert waits.waited == [12]


async def test_a_wait_that_is_no_number_hides_none_that_is_one(shop: Shop, book: Book, waits: Waits) -> None:
    async with wired(answers(503, {}, retry_after_ms="many", retry_after="7"), chats(*WHOLE)) as wire:
        await shop.compatible(f"{wire.url}/v1").ask(QUESTION, book)

    assert waits.waited == [7]


async def test_a_redirect_does_not_take_the_key_along(shop: Shop, book: Book) -> None:
    async with wired(chats(*WHOLE)) as other, wired(answers(307, {}, location=f"{other.url}/v1/chat")) as wire:
        with pytest.raises(ModelFailed, match=r"sends elsewhere \(status 307\)"):
            await shop.compatible(f"{wire.url}/v1").ask(QUESTION, book)

    assert other.sent == []
    assert len(wire.sent) == 1


async def test_cancelling_ends_the_stream_at_once(shop: Shop, book: Book) -> None:
    gone = asyncio.Event()

    async def until_gone(reader: asyncio.StreamReader) -> bool:
        assert await reader.read() == b""
        gone.set()
        return True

    async with wired(chats(chunk(content="x"), then=until_gone)) as wire:
        asking = asyncio.create_task(shop.compatible(f"{wire.url}/v1").ask(QUESTION, book))
        while not book.usages:
            await asyncio.wait({asking}, timeout=0.01)
        asking.cancel()
        await asyncio.wait_for(gone.wait(), 10)
        with pytest.raises(asyncio.CancelledError):
            await asking

    assert len(book.settled) == 1


async def test_neither_secrets_are_sent_nor_is_the_key_told(shop: Shop, book: Book) -> None:
    refused: Json = {"error": {"message": f"Incorrect API key provided: {KEY}"}}
    prompt = Prompt("opensesame", ({"role": "user", "content": f"{KEY} opensesame"},))

    async with wired(answers(400, refused)) as wire:
        with pytest.raises(ModelFailed) as error:
            await shop.compatible(f"{wire.url}/v1", environ={"MY_TOKEN": "opensesame"}).ask(prompt, book)

    told = "".join(traceback.format_exception(error.value)) + "".join(book.shown)
    assert "Incorrect API key" in told
    assert KEY not in told
    assert not [word for word in ("opensesame", KEY) if word in wire.sent[0].body]


def test_without_the_extra_a_sentence_says_what_to_install() -> None:
    words = """
import asyncio, sys
sys.modules["pydantic_ai"] = None
from core.agents.session import Alone
from core.runtimes.models.calling import open_line
from core.runtimes.models.compatible import CompatibleConnection, CompatibleModel
from core.runtimes.models.dialogue import Prompt
from core.runtimes.models.endpoints import Endpoint
model = CompatibleModel("m", CompatibleConnection(open_line(Endpoint("x", "http://127.0.0.1:9", "k"))))
try:
    asyncio.run(model.ask(Prompt("", ()), Alone()))
except Exception as error:
    print(type(error).__name__, error)
"""
    ran = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)

    assert ran.stdout.startswith("UsageError ")
    assert f"not installed: {install_extra('openai-compatible')}" in ran.stdout
