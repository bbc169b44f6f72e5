"""Between the Messages API's blocks, which our dialogues are made of, and pydantic-ai's parts.

Imports pydantic-ai: only `core.runtimes.models.compatible` loads this, at the first call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    ModelResponsePart,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ThinkingPart,
    ThinkingPartDelta,
    ToolCallPart,
    ToolCallPartDelta,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition

from core.contract import Json
from core.runtimes.models.assembling import Broken, arguments_of

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_call": "tool_use", "content_filter": "refusal"}


def chat_model(name: str, client: AsyncOpenAI, *, of_openai: bool) -> OpenAIChatModel:
    """The library takes a stream without a reason for its end as a whole answer, unless it is told not to.

    Other servers than OpenAI's own know the limit of an answer by its elder name.
    """
    profile = OpenAIModelProfile(
        openai_chat_streaming_requires_finish_reason=True,
        openai_chat_supports_max_completion_tokens=of_openai,
        supports_json_schema_output=True,
    )
    return OpenAIChatModel(name, provider=OpenAIProvider(openai_client=client), profile=profile)


def settings(most_output: int, choice: Json | None) -> ModelSettings:
    """`choice` is the Messages API's: {"type": "auto" | "any" | "none" | "tool", "name"?}."""
    chosen = ModelSettings(max_tokens=most_output)
    match (choice or {}).get("type"):
        case "any":
            chosen["tool_choice"] = "required"
        case "tool":
            chosen["tool_choice"] = [str((choice or {})["name"])]
        case "none":
            chosen["tool_choice"] = "none"
    return chosen


def parameters(tools: Sequence[Json], shape: Json | None) -> ModelRequestParameters:
    definitions = [
        ToolDefinition(
            name=tool["name"],
            parameters_json_schema=tool["input_schema"],
            description=tool.get("description"),
            strict=False,
        )
        for tool in tools
    ]
    if shape is None:
        return ModelRequestParameters(function_tools=definitions)
    answer = OutputObjectDefinition(shape, name="answer", strict=False)
    return ModelRequestParameters(function_tools=definitions, output_mode="native", output_object=answer)


def translated(system: str, messages: Sequence[Json]) -> list[ModelMessage]:
    """Messages in the library's form. The chat protocol wants the name of the tool with each of its results."""
    tools: dict[str, str] = {}
    result: list[ModelMessage] = []
    for message in messages:
        blocks = _blocks(message["content"])
        if message["role"] == "assistant":
            tools.update((block["id"], block["name"]) for block in blocks if block["type"] == "tool_use")
            result.append(ModelResponse([part for block in blocks for part in _said(block)]))
        else:
            # Results of tools come right after their calls, before anything else that a person says.
            ordered = sorted(blocks, key=lambda block: block["type"] != "tool_result")
            result.append(ModelRequest([_asked(block, tools) for block in ordered], instructions=system or None))
    return result


def written(event: object) -> str:
    """What an event of a stream adds to the answer."""
    match event:
        case PartStartEvent(part=TextPart(content=text) | ThinkingPart(content=text)):
            return text
        case PartStartEvent(part=ToolCallPart(args=str(text))):
            return text
        case PartDeltaEvent(delta=TextPartDelta(content_delta=text)):
            return text
        case PartDeltaEvent(delta=ThinkingPartDelta(content_delta=str(text))):
            return text
        case PartDeltaEvent(delta=ToolCallPartDelta(args_delta=str(text))):
            return text
    return ""


def reply_of(answer: ModelResponse) -> tuple[str, tuple[Json, ...]]:
    """The stop reason and the blocks of a whole answer. Raises Broken where it is none."""
    stop_reason = _STOP_REASONS.get(answer.finish_reason or "")
    if stop_reason is None:
        raise Broken("it ended before the answer did")
    blocks = [block for part in answer.parts if (block := _block(part, stop_reason)) is not None]
    calls = any(block["type"] == "tool_use" for block in blocks)
    return ("tool_use" if calls and stop_reason == "end_turn" else stop_reason), tuple(blocks)


def _blocks(content: str | Iterable[Json]) -> list[Json]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def _said(block: Mapping[str, Any]) -> list[ModelResponsePart]:
    """What a model thought belongs to the provider that it came from, and is not sent on."""
    if block["type"] == "text":
        return [TextPart(block["text"])]
    if block["type"] == "tool_use":
        return [ToolCallPart(block["name"], block["input"], block["id"])]
    return []


def _asked(block: Mapping[str, Any], tools: Mapping[str, str]) -> ModelRequestPart:
    if block["type"] == "tool_result":
        number, text = block["tool_use_id"], _plain(block.get("content", ""))
        failed = bool(block.get("is_error"))
        return ToolReturnPart(tools.get(number, "tool"), text, number, outcome="failed" if failed else "success")
    return UserPromptPart(_plain([dict(block)]))


def _plain(content: str | Iterable[Json]) -> str:
    return "\n".join(str(block.get("text", "")) for block in _blocks(content))


def _block(part: ModelResponsePart, stop_reason: str) -> Json | None:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.content} if part.content else None
    if isinstance(part, ToolCallPart):
        return _tool_call(part, stop_reason)
    return None


def _tool_call(part: ToolCallPart, stop_reason: str) -> Json | None:
    """A call whose arguments the token limit cut is none."""
    try:
        given = arguments_of(part.args or "{}") if isinstance(part.args, str | None) else part.args
    except ValueError as error:
        if stop_reason == "max_tokens":
            return None
        raise Broken(str(error)) from None
    if not isinstance(given, dict):
        raise Broken("the arguments of a tool call are no object")
    return {"type": "tool_use", "id": part.tool_call_id, "name": part.tool_name, "input": given}
