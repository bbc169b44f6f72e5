"""Servers that speak OpenAI's chat protocol, through pydantic-ai's direct requests: one library for all of them.

It is an extra, loaded at the first call. What it does beyond sending stays unused: no agent, no retries, no tools run.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.agents.session import Session
from core.contract import UsageError
from core.installing import install_extra
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
from core.runtimes.models.endpoints import OPENAI, Endpoint, read_endpoint
from core.runtimes.models.meter import Meter, counted
from core.runtimes.models.outgoing import estimated_input, redacted_messages, redacted_tools

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from pydantic_ai.exceptions import ModelAPIError
    from pydantic_ai.messages import ModelMessage
    from pydantic_ai.models import ModelRequestParameters, StreamedResponse
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.settings import ModelSettings

_CONNECT_SECONDS = 10.0


def endpoint_from(environ: Mapping[str, str]) -> Endpoint | None:
    """The endpoint that the environment names, or None without a key for a server that is not on this machine."""
    return read_endpoint(OPENAI, environ)


class CompatibleConnection:
    """The client for one endpoint and event loop; its models share it. `aclose` it before the loop ends."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self._clients: PerLoop[AsyncOpenAI] = PerLoop(self._client, lambda client: client.close())

    async def client(self) -> AsyncOpenAI:
        """Raises UsageError where the extra is not installed."""
        return await self._clients.get()

    async def aclose(self) -> None:
        await self._clients.aclose()

    def _client(self) -> AsyncOpenAI:
        """No redirect is followed, and what goes to this machine goes through no proxy."""
        try:
            import httpx2
            import openai
            import pydantic_ai.direct
            import pydantic_ai.models.openai  # noqa: F401
        except ImportError as error:
            raise UsageError(
                "The openai-compatible runtime needs pydantic-ai, which is not installed: "
                f"{install_extra('openai-compatible')}"
            ) from error
        for said in ("Failed to extract usage", "Pydantic serializer warnings"):
            # What a server counts wrongly is counted by the estimate; standard error may be a screen.
            warnings.filterwarnings("ignore", message=said)
        endpoint, silence = self.line.endpoint, self.line.policy.silence
        timeout = httpx2.Timeout(silence, connect=_CONNECT_SECONDS)
        return openai.AsyncOpenAI(
            api_key=endpoint.api_key,
            base_url=endpoint.base_url,
            max_retries=0,
            timeout=timeout,
            http_client=openai.DefaultAsyncHttpxClient(
                timeout=timeout,
                follow_redirects=False,
                trust_env=not endpoint.is_loopback,
                headers=PLAIN,
                event_hooks={"response": [bounded]},
            ),
        )


@dataclass(frozen=True, slots=True)
class _Request:
    """What pydantic-ai is given."""

    model: OpenAIChatModel
    messages: list[ModelMessage]
    settings: ModelSettings
    parameters: ModelRequestParameters


class CompatibleModel:
    """A model behind the chat protocol. See `core.runtimes.models.dialogue.Model`."""

    def __init__(self, name: str, connection: CompatibleConnection, *, holds_to_shapes: bool = True) -> None:
        """`holds_to_shapes`: whether the server obeys a JSON schema as the form of its answer; llama.cpp does."""
        self.name, self._connection, self._line = name, connection, connection.line
        self.provider = connection.line.endpoint.provider
        self.holds_to_shapes = holds_to_shapes

    async def ask(self, prompt: Prompt, session: Session) -> Reply:
        client = await self._connection.client()
        order, request = await asyncio.to_thread(self._prepared, prompt, client)

        async def attempt(meter: Meter) -> Reply:
            return await self._attempt(request, order, meter)

        return await call(self._line, order, session, attempt)

    def _prepared(self, prompt: Prompt, client: AsyncOpenAI) -> tuple[Order, _Request]:
        from core.runtimes.models import translation

        redactor = self._line.redactor
        messages, tools = redacted_messages(prompt, redactor), redacted_tools(prompt, redactor)
        system, shape = redactor.text(prompt.system), prompt.shape if self.holds_to_shapes else None
        tokens = estimated_input(system, messages, tools, shape)
        order = order_of(self._line, self.name, tokens, prompt.most_output)
        return order, _Request(
            translation.chat_model(self.name, client, of_openai=self._line.endpoint.host == "api.openai.com"),
            translation.translated(system, messages),
            translation.settings(order.output_tokens, prompt.choice),
            translation.parameters(tools, shape),
        )

    async def _attempt(self, request: _Request, order: Order, meter: Meter) -> Reply:
        """One try. What the libraries raise is not chained: it holds the provider's words as they came."""
        from pydantic_ai.exceptions import ModelAPIError, UnexpectedModelBehavior

        try:
            return await self._streamed(request, order, meter)
        except ModelAPIError as error:
            raise self._fault_of(error, begun=meter.is_begun, meter=meter) from None
        except (UnexpectedModelBehavior, ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
            # The libraries trust a server to keep to the protocol, and trip over one that does not.
            raise Fault(Kind.BROKEN, self._line.sentence(f"the answer is damaged: {error}")) from None

    async def _streamed(self, request: _Request, order: Order, meter: Meter) -> Reply:
        from pydantic_ai.direct import model_request_stream

        from core.runtimes.models import translation

        async with model_request_stream(
            request.model,
            request.messages,
            model_settings=request.settings,
            model_request_parameters=request.parameters,
            instrument=False,
        ) as stream:
            async for event in stream:
                # Usage comes with the last event; until then the prompt counts as what was reserved for it.
                meter.is_begun = True
                meter.received(translation.written(event))
            _count(stream, meter)
            answer = stream.get()
        stop_reason, content = translation.reply_of(answer)
        meter.request_id = answer.provider_response_id or ""
        meter.show()
        return Reply(content, stop_reason, meter.usage(), answer.model_name or self.name, meter.request_id)

    def _fault_of(self, error: ModelAPIError, *, begun: bool, meter: Meter) -> Fault:
        from openai import APIStatusError
        from pydantic_ai.exceptions import ModelConnectionError

        if isinstance(status := error.__cause__, APIStatusError):
            # Whatever the status: pydantic-ai has a word of its own only for those from 400 on, and none for redirects.
            headers = status.response.headers
            meter.request_id = headers.get("x-request-id", "")
            said, type_ = _said(status.body)
            return fault_of_status(status.status_code, self._line.sentence(said), asked_rest(headers), type_)
        if isinstance(error, ModelConnectionError) and not begun:
            return Fault(
                Kind.PASSING,
                self._line.sentence(f"no answer from it at {self._line.endpoint.address}: {in_words(_cause(error))}"),
            )
        return Fault(Kind.BROKEN, self._line.sentence(f"the answer broke off: {error.message}"))


def _count(stream: StreamedResponse, meter: Meter) -> None:
    """What the server reports; one that reports nothing is counted by the estimate."""
    used = stream.usage
    meter.is_begun = True
    meter.cache_read, meter.cache_write = counted(used.cache_read_tokens, 0), counted(used.cache_write_tokens, 0)
    meter.input = max(0, counted(used.input_tokens, 0) - meter.cache_read - meter.cache_write)
    meter.output, meter.output_is_final = counted(used.output_tokens, 0), bool(counted(used.output_tokens, 0))


def _cause(error: BaseException) -> BaseException:
    """What happened to the connection, which the libraries wrap in words that do not tell."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _said(body: Any) -> tuple[str, str]:
    """The sentence and the type or code in an error's body, in one of the forms that servers give it."""
    error = body.get("error", body) if isinstance(body, Mapping) else body
    if isinstance(error, Mapping):
        return str(error.get("message") or ""), f"{error.get('type') or ''} {error.get('code') or ''}"
    return str(error or ""), ""
