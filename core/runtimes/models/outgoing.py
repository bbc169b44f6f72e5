"""What leaves for a model: every text of it without secrets, the parts that stay the same marked for the cache."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from core.contract import Json
from core.redaction import Redactor
from core.runtimes.models.dialogue import Prompt
from core.runtimes.models.meter import estimated_tokens

KEPT: Json = {"type": "ephemeral"}
"""The cache holds what stands before this mark, for five minutes."""

_CACHEABLE = frozenset({"text", "image", "document", "tool_use", "tool_result"})

# Their text is the provider's: it is signed or encoded, and a changed one is refused.
_SEALED = frozenset({"thinking", "redacted_thinking", "image"})


def redacted_messages(prompt: Prompt, redactor: Redactor) -> list[Json]:
    return [{**message, "content": _content(message.get("content", ""), redactor)} for message in prompt.messages]


def redacted_tools(prompt: Prompt, redactor: Redactor) -> list[Json]:
    """Names and schemas stay as they are: what a tool takes is part of the program."""
    return [
        {**tool, "description": redactor.text(tool["description"])} if "description" in tool else {**tool}
        for tool in prompt.tools
    ]


def marked(messages: list[Json]) -> list[Json]:
    """The messages with a mark for the cache at their end, once they are a dialogue that goes on.

    Each turn of a tool loop sends all the turns before it, at a tenth of their price from the cache. A single question
    is not sent again, and writing it to the cache would cost a quarter more.
    """
    if len(messages) < 3:
        return messages
    last = messages[-1]
    content = last["content"]
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
    if not blocks or blocks[-1].get("type") not in _CACHEABLE:
        return messages
    return [*messages[:-1], {**last, "content": [*blocks[:-1], {**blocks[-1], "cache_control": KEPT}]}]


def estimated_input(*parts: Any) -> int:
    """Tokens that the parts of a request have at most."""
    return sum(estimated_tokens(json.dumps(part, ensure_ascii=False)) for part in parts if part)


def _content(content: Any, redactor: Redactor) -> Any:
    if isinstance(content, str):
        return redactor.text(content)
    return [_block(block, redactor) for block in content]


def _block(block: Mapping[str, Any], redactor: Redactor) -> Json:
    kind = block.get("type")
    if kind in _SEALED:
        return dict(block)
    redacted = dict(block)
    for key in ("text", "input"):
        if key in block:
            redacted[key] = redactor.content(block[key])
    if "content" in block:
        redacted["content"] = _content(block["content"], redactor)
    return redacted
