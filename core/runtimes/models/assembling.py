"""An answer of the Messages API, put together from the events of its stream.

What comes is another program's word: an event that does not fit makes the answer a broken one, never a crash.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

from core.contract import Json
from core.runtimes.models.meter import Meter, counted

MOST_CHARACTERS = 20_000_000
"""Beyond this a stream is no answer: the largest model writes a fortieth of it."""

DEEPEST = 200
"""Objects and lists within each other; what is kept and sent back must be read by all that read it."""

_PIECES = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}


class Broken(ValueError):
    """The stream is not what the protocol says."""


class ErrorEvent(Exception):
    """The provider ended a stream with an error of its own."""

    def __init__(self, type_: str, message: str) -> None:
        super().__init__(message)
        self.type, self.message = type_, message


class Assembly:
    """The answer so far. `take` each event's data in order, then `content` and `stop_reason` are the whole."""

    def __init__(self, meter: Meter) -> None:
        self.model = ""
        self.stop_reason: str | None = None
        self._meter = meter
        self._blocks: list[Json] = []
        self._pieces: list[dict[str, list[str]]] = []
        self._characters = 0

    def take(self, event: Any) -> None:
        """One event's data. Raises Broken or ErrorEvent."""
        if not isinstance(event, Mapping):
            raise Broken("an event is no JSON object")
        take = self._TAKERS.get(str(event.get("type")))
        if take is not None:
            take(self, event)

    def content(self) -> tuple[Json, ...]:
        """The blocks. A tool call that the token limit cut has no whole input and is left out, as is empty text."""
        if self.stop_reason is None:
            raise Broken("it ended before the answer did")
        blocks = (self._block(block, pieces) for block, pieces in zip(self._blocks, self._pieces, strict=True))
        return tuple(block for block in blocks if block is not None)

    def _start(self, event: Mapping[str, Any]) -> None:
        message = _object(event, "message")
        self.model = str(message.get("model") or "")
        usage = message.get("usage")
        self._count(usage if isinstance(usage, Mapping) else {})
        self._meter.show()

    def _open(self, event: Mapping[str, Any]) -> None:
        if event.get("index") != len(self._blocks):
            raise Broken(f"block {len(self._blocks)} was to begin, and block {event.get('index')} did")
        self._blocks.append(dict(_object(event, "content_block")))
        self._pieces.append({})

    def _grow(self, event: Mapping[str, Any]) -> None:
        index, delta = event.get("index"), _object(event, "delta")
        if not isinstance(index, int) or not 0 <= index < len(self._blocks):
            raise Broken(f"a piece came for block {index}, which has not begun")
        kind = delta.get("type")
        if kind == "citations_delta":
            before = self._blocks[index].get("citations")
            self._blocks[index]["citations"] = [*(before if isinstance(before, list) else ()), delta.get("citation")]
            return
        key = "partial_json" if kind == "input_json_delta" else _PIECES.get(str(kind))
        if key is None:
            return
        piece = delta.get(key)
        if not isinstance(piece, str):
            raise Broken(f"a piece of block {index} has no text")
        self._characters += len(piece)
        if self._characters > MOST_CHARACTERS:
            raise Broken("it does not end")
        self._pieces[index].setdefault(key, []).append(piece)
        self._meter.received(piece)

    def _change(self, event: Mapping[str, Any]) -> None:
        reason = _object(event, "delta").get("stop_reason")
        if isinstance(reason, str) and reason:
            self.stop_reason = reason
        usage = event.get("usage")
        if isinstance(usage, Mapping):
            self._count(usage)
            # Nothing is no figure for an answer of which something came.
            told = counted(usage.get("output_tokens"), -1)
            self._meter.output_is_final |= told > 0 or (told == 0 and not self._characters)

    def _count(self, usage: Mapping[str, Any]) -> None:
        """Both reports are totals so far; the later one leaves out what has not changed."""
        meter = self._meter
        meter.input = counted(usage.get("input_tokens"), meter.input)
        meter.output = counted(usage.get("output_tokens"), meter.output)
        meter.cache_read = counted(usage.get("cache_read_input_tokens"), meter.cache_read)
        meter.cache_write = counted(usage.get("cache_creation_input_tokens"), meter.cache_write)
        kept = usage.get("cache_creation")
        if isinstance(kept, Mapping):
            meter.kept_an_hour = counted(kept.get("ephemeral_1h_input_tokens"), meter.kept_an_hour)

    def _fail(self, event: Mapping[str, Any]) -> None:
        error = _object(event, "error")
        raise ErrorEvent(str(error.get("type") or "api_error"), str(error.get("message") or ""))

    def _block(self, block: Json, pieces: Mapping[str, list[str]]) -> Json | None:
        whole, kind = {**block}, block.get("type")
        if not isinstance(kind, str):
            raise Broken("a block has no type")
        for key in _PIECES.values():
            if key in pieces:
                whole[key] = str(block.get(key) or "") + "".join(pieces[key])
            if not isinstance(whole.get(key), str | None):
                raise Broken(f"the {key} of a block is no text")
        if fault := unkept(whole):
            raise Broken(f"a block holds {fault}")
        if kind == "text" and not whole.get("text"):
            return None
        if kind == "tool_use":
            return self._tool_call(whole, "".join(pieces.get("partial_json", ())))
        return whole

    def _tool_call(self, block: Json, arguments: str) -> Json | None:
        if arguments.strip():
            try:
                block["input"] = arguments_of(arguments)
            except ValueError as error:
                if self.stop_reason == "max_tokens":
                    return None
                raise Broken(str(error)) from None
        named = isinstance(block.get("id"), str) and isinstance(block.get("name"), str)
        if not named or not isinstance(block.setdefault("input", {}), dict):
            raise Broken("a tool call has no name, or arguments that are no object")
        return block

    _TAKERS = {  # noqa: RUF012
        "message_start": _start,
        "content_block_start": _open,
        "content_block_delta": _grow,
        "message_delta": _change,
        "error": _fail,
    }


def arguments_of(text: str) -> Any:
    """The arguments of a tool call. Raises ValueError for what is no JSON, or cannot be kept as such."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("the arguments of a tool call are no JSON") from None
    if fault := unkept(found):
        raise ValueError(f"the arguments of a tool call hold {fault}")
    return found


def unkept(value: Any) -> str:
    """What of a value no JSON document can hold, or is nested too deep to be read back; "" for nothing."""
    rest = [(value, 1)]
    while rest:
        part, depth = rest.pop()
        if isinstance(part, float) and not isfinite(part):
            return f"{part}, which is no number of JSON"
        if isinstance(part, Mapping | list):
            if depth > DEEPEST:
                return f"more than {DEEPEST} objects within each other"
            rest += [(inner, depth + 1) for inner in (part.values() if isinstance(part, Mapping) else part)]
    return ""


def _object(event: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = event.get(key)
    if not isinstance(value, Mapping):
        raise Broken(f"{event.get('type') or 'an event'} has no {key}")
    return value
