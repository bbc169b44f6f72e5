"""The Messages API through the anthropic SDK, always streaming. The SDK is loaded at the first call, in a thread."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from core.agents.session import Session
from core.contract import Json
from core.runtimes.models.assembling import Assembly, Broken, ErrorEvent
from core.runtimes.models.bounds import PLAIN, bounded
from core.runtimes.models.calling import (
    Fault,
    Kind,
    Line,
    Order,
    PerLoop,
    asked_rest,
    call,
    fault_of_status,
    in_words,
    order_of,
)
from core.runtimes.models.dialogue import Prompt, Reply
from core.runtimes.models.endpoints import ANTHROPIC, Endpoint, read_endpoint
from core.runtimes.models.meter import Meter
from core.runtimes.models.outgoing import KEPT, estimated_input, marked, redacted_messages, redacted_tools

if TYPE_CHECKING:
    from anthropic import APIStatusError, AsyncAnthropic
    from httpx2 import Response

_CONNECT_SECONDS = 10.0
MOST_ERROR_BYTES = 64 * 1024

# What the provider's word for an error means where no status says it: in the midst of a stream.
_STATUS_OF_TYPE = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "timeout_error": 504,
    "overloaded_error": 529,
}


def endpoint_from(environ: Mapping[str, str]) -> Endpoint | None:
    """The endpoint that the environment names, or None without a key for a server that is not on this machine."""
    return read_endpoint(ANTHROPIC, environ)


class AnthropicConnection:
    """The SDK's client for one endpoint and event loop; its models share it. `aclose` it before the loop ends."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self._clients: PerLoop[AsyncAnthropic] = PerLoop(self._client, lambda client: client.close())

    async def client(self) -> AsyncAnthropic:
        return await self._clients.get()

    async def aclose(self) -> None:
        await self._clients.aclose()

    def _client(self) -> AsyncAnthropic:
        """The key is given and not looked up, so no profile on disk is read. No redirect is followed: the header
        that holds the key would go along."""
        import anthropic
        import httpx2

        endpoint, silence = self.line.endpoint, self.line.policy.silence
        client = anthropic.AsyncAnthropic(
            api_key=endpoint.api_key,
            base_url=endpoint.base_url,
            max_retries=0,
            http_client=anthropic.DefaultAsyncHttpxClient(
                timeout=httpx2.Timeout(silence, connect=_CONNECT_SECONDS),
                follow_redirects=False,
                trust_env=not endpoint.is_loopback,
                headers=PLAIN,
                event_hooks={"response": [bounded]},
            ),
            timeout=httpx2.Timeout(silence, connect=_CONNECT_SECONDS),
        )
        import_module("anthropic.resources.messages")
        return client


class AnthropicModel:
    """A model behind the Messages API. See `core.runtimes.models.dialogue.Model`."""

    holds_to_shapes = True

    def __init__(self, name: str, connection: AnthropicConnection) -> None:
        self.name, self._connection, self._line = name, connection, connection.line
        self.provider = connection.line.endpoint.provider

    async def ask(self, prompt: Prompt, session: Session) -> Reply:
        client = await self._connection.client()
        order, payload = await asyncio.to_thread(self._prepared, prompt)

        async def attempt(meter: Meter) -> Reply:
            return await self._attempt(client, payload, meter)

        return await call(self._line, order, session, attempt)

    def _prepared(self, prompt: Prompt) -> tuple[Order, Json]:
        """What is sent, and what it can cost. No temperature: the API takes none."""
        redactor = self._line.redactor
        messages, tools = redacted_messages(prompt, redactor), redacted_tools(prompt, redactor)
        system = redactor.text(prompt.system)
        tokens = estimated_input(system, messages, tools, prompt.shape)
        order = order_of(self._line, self.name, tokens, prompt.most_output)
        payload: Json = {"model": self.name, "max_tokens": order.output_tokens, "messages": marked(messages)}
        if system:
            payload["system"] = [{"type": "text", "text": system, "cache_control": KEPT}]
        if tools:
            payload["tools"] = tools
        if prompt.choice is not None:
            payload["tool_choice"] = prompt.choice
        if prompt.shape is not None:
            payload["output_config"] = {"format": {"type": "json_schema", "schema": _strict(prompt.shape)}}
        return order, payload

    async def _attempt(self, client: AsyncAnthropic, payload: Json, meter: Meter) -> Reply:
        """One try. What the SDK raises is not chained: it holds the provider's words as they came, and the request."""
        import anthropic
        import httpx2

        try:
            return await self._streamed(client, payload, meter)
        except ErrorEvent as error:
            raise self._fault(_STATUS_OF_TYPE.get(error.type, 500), error.message, None, error.type) from None
        except anthropic.APIStatusError as error:
            meter.request_id = error.request_id or meter.request_id
            raise self._fault_of_answer(error) from None
        except anthropic.APIConnectionError as error:
            why = f"no answer from it at {self._line.endpoint.address}: {in_words(error.__cause__ or error)}"
            raise Fault(Kind.PASSING, self._line.sentence(why)) from None
        except httpx2.HTTPError as error:
            # The SDK lets through what happens to a connection in the midst of a stream.
            raise Fault(Kind.BROKEN, self._line.sentence(f"the connection broke: {in_words(error)}")) from None
        except (ValueError, RecursionError) as error:
            # An event that is no JSON, no UTF-8, nested beyond reading, or none of the protocol.
            raise Fault(Kind.BROKEN, self._line.sentence(f"the answer is damaged: {error}")) from None

    async def _streamed(self, client: AsyncAnthropic, payload: Json, meter: Meter) -> Reply:
        assembly = Assembly(meter)
        stream = await client.messages.create(stream=True, **payload)
        async with stream:
            if not stream.response.headers.get("content-type", "").lower().startswith("text/event-stream"):
                raise self._no_stream(await _beginning(stream.response), meter)
            meter.is_begun = True
            meter.request_id = stream.response.headers.get("request-id", "")
            async for event in stream.raw_events(stream.response):
                if event.data:
                    assembly.take(json.loads(event.data))
        content = assembly.content()
        if assembly.stop_reason is None:
            raise Broken("it ended before the answer did")
        meter.show()
        model = assembly.model or self.name
        return Reply(content, assembly.stop_reason, meter.usage(), model, meter.request_id)

    def _no_stream(self, body: str, meter: Meter) -> Exception:
        """What an answer says that is none: an error under a good status, a page of something in between."""
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            found = None
        error = found.get("error") if isinstance(found, Mapping) else None
        if isinstance(error, Mapping):
            return ErrorEvent(str(error.get("type") or "api_error"), str(error.get("message") or ""))
        address = self._line.endpoint.address
        if isinstance(found, Mapping) and found.get("type") == "message":
            # It was written, whoever pays for it.
            meter.is_begun = True
            return Fault(Kind.WRONG, self._line.sentence(f"the server at {address} does not stream its answers"))
        return Fault(Kind.PASSING, self._line.sentence(f"what answers at {address} is no model: it sends no stream"))

    def _fault_of_answer(self, error: APIStatusError) -> Fault:
        said = error.api_message or (error.body if isinstance(error.body, str) else "")
        return self._fault(error.status_code, said, asked_rest(error.response.headers), error.type or "")

    def _fault(self, status: int, said: str, asked: float | None, type_: str) -> Fault:
        return fault_of_status(status, self._line.sentence(said), asked, type_)


async def _beginning(response: Response) -> str:
    """As much of an answer that is no stream as an error takes."""
    held = b""
    async for part in response.aiter_bytes():
        held += part
        if len(held) >= MOST_ERROR_BYTES:
            break
    return held[:MOST_ERROR_BYTES].decode("utf-8", "replace")


def _strict(shape: Json) -> Json:
    """The schema in the part of JSON Schema that the API holds a model to; of the rest it makes descriptions."""
    from anthropic import transform_schema

    return transform_schema(shape)
