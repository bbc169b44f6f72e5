"""Calls over the Messages API against a server that fails as the real one does: what is tried again, what it costs."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest

from core.agents.session import Usage
from core.contract import Json
from core.runtimes.base import Unavailable
from core.runtimes.models.breaker import State
from core.runtimes.models.calling import Policy
from core.runtimes.models.dialogue import ModelFailed, Prompt, tool_results
from tests.models.conftest import Book, Mock, Shop, Waits

QUESTION = Prompt("You answer.", ({"role": "user", "content": "What is it?"},), most_output=500)

TOOL: Json = {
    "name": "read_file",
    "description": "Reads a file",
    "input_schema": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
}


def fails(status: int, times: int | None = 1, **more: object) -> Json:
    return {"type": "fail", "status": status, "times": times, **more}


def breaks(kind: str, times: int | None = 1, **more: object) -> Json:
    return {"type": "stream_fault", "kind": kind, "times": times, **more}


async def test_a_whole_answer_comes_with_what_it_used_and_cost(mock: Mock, shop: Shop, book: Book) -> None:
    mock.script({"type": "reply", "text": "It is a table."})

    reply = await shop.model(f"{mock.url}/anthropic").ask(QUESTION, book)

    assert (reply.text, reply.stop_reason, reply.model) == ("It is a table.", "end_turn", "claude-haiku-4-5")
    assert book.settled == [reply.usage]
    assert reply.usage.input > 0
    assert reply.usage.output > 0
    assert reply.usage.dollars == pytest.approx((reply.usage.input + 5 * reply.usage.output) / 1e6)


async def test_no_call_uses_more_than_was_reserved_for_it(mock: Mock, shop: Shop, book: Book) -> None:
    reply = await shop.model(f"{mock.url}/anthropic").ask(QUESTION, book)

    reserved = book.reserved[0]
    assert reserved.tokens >= reply.usage.tokens
    assert reserved.dollars is not None
    assert reply.usage.dollars is not None
    assert reserved.dollars >= reply.usage.dollars


async def test_a_model_without_a_price_costs_not_known(mock: Mock, shop: Shop, book: Book) -> None:
    reply = await shop.model(f"{mock.url}/anthropic", "ours-7b").ask(QUESTION, book)

    assert book.reserved[0].dollars is None
    assert reply.usage.dollars is None


async def test_a_tool_is_called_and_its_result_answered(mock: Mock, shop: Shop, book: Book) -> None:
    model = shop.model(f"{mock.url}/anthropic")
    asked = Prompt("You work.", QUESTION.messages, (TOOL,), {"type": "tool", "name": "read_file"})
    mock.script({"type": "reply", "tool_calls": [{"name": "read_file", "arguments": {"path": "a.py"}}]})

    first = await model.ask(asked, book)
    results = tool_results([(call["id"], "print()", False) for call in first.tool_calls])
    messages = (*asked.messages, {"role": "assistant", "content": list(first.content)}, results)
    second = await model.ask(Prompt("You work.", messages, (TOOL,)), book)

    assert first.stop_reason == "tool_use"
    assert [(call["name"], call["input"]) for call in first.tool_calls] == [("read_file", {"path": "a.py"})]
    assert second.stop_reason == "end_turn"
    assert second.text


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503, 504, 529])
async def test_what_may_pass_is_tried_twice_again_and_costs_nothing(
    mock: Mock, shop: Shop, book: Book, waits: Waits, status: int
) -> None:
    mock.script(fails(status, 2, retry_after=0.01))

    reply = await shop.model(f"{mock.url}/anthropic").ask(QUESTION, book)

    assert waits.waited == [0.5, 1.0]
    assert book.settled == [Usage(), Usage(), reply.usage]
    assert mock.requests() == 3


async def test_a_judge_of_retries_finds_nothing(mock: Mock, shop: Shop, book: Book) -> None:
    model = shop.model(f"{mock.url}/anthropic", policy=Policy(first_wait=0.1, chance=random.Random(7).random))
    may_pass = [fails(429, retry_after=0.2), fails(529, 2), breaks("truncate", 2), breaks("disconnect")]
    never_pass = [fails(400), fails(404), fails(422), fails(401)]

    for number, behaviour in enumerate((*may_pass, *never_pass)):
        mock.script(behaviour)
        question = Prompt("", ({"role": "user", "content": f"Question {number}"},))
        with suppress(ModelFailed, Unavailable):
            await model.ask(question, book)

    assert mock.requests() == 2 + 3 + 3 + 2 + 4
    assert mock.findings() == []


@pytest.mark.parametrize("kind", ["disconnect", "truncate", "malformed"])
async def test_an_answer_that_breaks_off_is_asked_for_again(mock: Mock, shop: Shop, book: Book, kind: str) -> None:
    mock.script(breaks(kind, 2, after_chunks=2))

    reply = await shop.model(f"{mock.url}/anthropic").ask(QUESTION, book)

    assert reply.stop_reason == "end_turn"
    assert len(book.settled) == 3
    assert all(usage.input > 0 for usage in book.settled)


@pytest.mark.parametrize("kind", ["disconnect", "truncate", "malformed"])
async def test_an_answer_that_breaks_off_each_time_is_no_answer(mock: Mock, shop: Shop, book: Book, kind: str) -> None:
    mock.script(breaks(kind, None, after_chunks=2))

    with pytest.raises(ModelFailed, match="no whole answer in 3 tries"):
        await shop.model(f"{mock.url}/anthropic").ask(QUESTION, book)

    assert mock.requests() == 3


async def test_a_server_that_falls_silent_is_not_waited_for(mock: Mock, shop: Shop, book: Book, waits: Waits) -> None:
    mock.script(breaks("stall", after_chunks=1, stall_seconds=3))
    policy = Policy(silence=0.3, sleep=waits.sleep, clock=waits.clock)

    reply = await shop.model(f"{mock.url}/anthropic", policy=policy).ask(QUESTION, book)

    assert reply.stop_reason == "end_turn"
    assert len(waits.waited) == 1


@pytest.mark.parametrize("status", [400, 404, 413, 422])
async def test_a_wrong_request_is_sent_once_and_fails_with_the_providers_own_sentence(
    mock: Mock, shop: Shop, book: Book, status: int
) -> None:
    mock.script(fails(status, None, message="max_tokens:\x1b[31m must be\nless than 5"))
    model = shop.model(f"{mock.url}/anthropic")

    with pytest.raises(ModelFailed, match=rf"max_tokens: must be less than 5 \(status {status}\)"):
        await model.ask(QUESTION, book)

    assert mock.requests() == 1
    assert book.settled == [Usage()]


@pytest.mark.parametrize(("status", "why"), [(401, "refuses the key"), (402, "quota"), (403, "refuses the key")])
async def test_a_provider_that_takes_no_calls_is_sent_none_until_its_time_is_up(
    mock: Mock, shop: Shop, book: Book, waits: Waits, status: int, why: str
) -> None:
    mock.script(fails(status))
    model = shop.model(f"{mock.url}/anthropic")

    with pytest.raises(Unavailable, match=why) as refused:
        await model.ask(QUESTION, book)
    with pytest.raises(Unavailable, match=why):
        await model.ask(QUESTION, book)
    while_open = mock.requests()
    waits.now += refused.value.retry_seconds
    reply = await model.ask(QUESTION, book)

    assert while_open == 1
    assert reply.stop_reason == "end_turn"


async def test_a_wait_beyond_our_patience_opens_the_breaker_for_as_long_as_was_asked(
    mock: Mock, shop: Shop, book: Book, waits: Waits
) -> None:
    mock.script(fails(429, retry_after=3600))

    with pytest.raises(Unavailable) as refused:
        await shop.model(f"{mock.url}/anthropic").ask(QUESTION, book)

    assert refused.value.retry_seconds == 3600
    assert waits.waited == []


async def test_a_wait_within_our_patience_is_waited(mock: Mock, shop: Shop, book: Book, waits: Waits) -> None:
    mock.script(fails(429, retry_after=45))

    await shop.model(f"{mock.url}/anthropic").ask(QUESTION, book)

    assert waits.waited == [45]


async def test_an_outage_is_tried_three_times_then_once_whenever_the_time_is_up(
    mock: Mock, shop: Shop, book: Book, waits: Waits
) -> None:
    mock.script(fails(503, None))
    model = shop.model(f"{mock.url}/anthropic")
    sent = []

    for _ in range(3):
        with pytest.raises(Unavailable) as refused:
            await model.ask(QUESTION, book)
        sent.append(mock.requests())
        waits.now += refused.value.retry_seconds

    assert sent == [3, 4, 5]
    assert refused.value.retry_seconds == 120
    mock.reset()
    assert (await model.ask(QUESTION, book)).text
    assert model._line.breaker.state is State.CLOSED
