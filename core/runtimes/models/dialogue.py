"""One exchange with a language model, whichever provider serves it: blocks in, blocks out, usage counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from core.agents.session import Session, Usage
from core.contract import ApmError, Json
from core.sanitise import one_line


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is sent. `messages`, `tools` and `choice` have the Messages API's form, the last message being the user's.

    `system` is the stable part, which a provider may cache. `shape` is the JSON Schema that the answer's text must
    meet where the provider can hold a model to one (`Model.holds_to_shapes`).
    """

    system: str
    messages: tuple[Json, ...]
    tools: tuple[Json, ...] = ()
    choice: Json | None = None
    shape: Json | None = None
    most_output: int = 8_000


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer. `content` are its blocks in the Messages API's form: {"type": "text" | "tool_use", …}."""

    content: tuple[Json, ...]
    stop_reason: str
    usage: Usage
    model: str
    request_id: str = ""

    @property
    def text(self) -> str:
        return "".join(str(block["text"]) for block in self.content if block["type"] == "text")

    @property
    def tool_calls(self) -> tuple[Json, ...]:
        """The blocks {"type": "tool_use", "id", "name", "input"}."""
        return tuple(block for block in self.content if block["type"] == "tool_use")


def presentable(reply: Reply) -> Reply:
    """The reply with names that are names, and with texts that can be kept and sent back: in JSON a model may write
    half of a character."""
    return Reply(
        tuple(_whole(block) for block in reply.content),
        one_line(str(reply.stop_reason), 60),
        reply.usage,
        one_line(str(reply.model), 100),
        one_line(str(reply.request_id), 128),
    )


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, Mapping):
        return {_whole(key): _whole(part) for key, part in value.items()}
    return [_whole(part) for part in value] if isinstance(value, list) else value


class ModelFailed(ApmError):
    """The model gave no whole answer, after as many tries as the policy allows. The message says why."""


class Model(Protocol):
    """A provider's endpoint with one model. Retries, the circuit breaker, budgets and prices are its business."""

    provider: str
    name: str
    holds_to_shapes: bool
    """Whether `Prompt.shape` is obeyed; where it is not, a forced tool asks for the same."""

    async def ask(self, prompt: Prompt, session: Session) -> Reply:
        """The whole answer; a reply that broke off is never returned.

        Reserves before it sends and settles after, whatever happens. Raises ModelFailed, OverBudget, Unavailable.
        Cancelling it ends the call at once.
        """


def tool_results(results: Sequence[tuple[str, str, bool]]) -> Json:
    """The user's message that answers tool calls: (id of the call, text, whether it failed)."""
    return {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": number, "content": text, "is_error": failed}
            for number, text, failed in results
        ],
    }
