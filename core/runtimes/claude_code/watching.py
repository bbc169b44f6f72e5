"""What Claude Code does, as it does it: shown in lines, kept in short, counted as it is used."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from core.agents.session import OverBudget, Session, Usage
from core.contract import Json
from core.runtimes.claude_code.past import EVENT
from core.runtimes.models.meter import counted
from core.sanitise import one_line

MOST_EVENTS = 400
"""Lines of one delegation that are kept; what comes after is shown and forgotten."""
LINE_CHARACTERS = 300
REDACTED = "[redacted]"


@dataclass
class Watch:
    """One run's events. `result` is the SDK's last result message, None when the run ended without one."""

    session: Session
    secrets: Sequence[str]
    kept: int
    most_tokens: int
    result: Any = None
    model: str = ""
    denials: int = 0
    used: Usage = field(default_factory=Usage)
    _calls: dict[str, Usage] = field(default_factory=dict)

    async def take(self, message: Any) -> None:
        """One message of the SDK, of whatever kind. Raises OverBudget when the run has used its tokens."""
        match type(message).__name__:
            case "AssistantMessage":
                self._count(message)
                for block in message.content:
                    await self._event(_line_of(block))
                self._hold_to_tokens()
            case "UserMessage" if isinstance(message.content, list):
                for block in message.content:
                    await self._event(_line_of(block))
            case "SystemMessage" if message.subtype == "init":
                self.model = str(message.data.get("model") or self.model)
            case "ResultMessage":
                self._conclude(message)

    def _count(self, message: Any) -> None:
        """A message comes block by block, each time with the usage of the whole call so far."""
        self.model = str(message.model or self.model)
        if message.usage and message.message_id:
            self._calls[message.message_id] = usage_of(message.usage)

    @property
    def so_far(self) -> Usage:
        return sum(self._calls.values(), self.used)

    def _hold_to_tokens(self) -> None:
        used = self.so_far.tokens
        if used > self.most_tokens:
            budget = {"scope": "delegation", "unit": "tokens", "limit": self.most_tokens, "spent": used, "needed": 0}
            raise OverBudget(f"Claude Code has used {used:,} tokens of the {self.most_tokens:,} it may use.", budget)

    def _conclude(self, result: Any) -> None:
        self.result = result
        self.denials += len(result.permission_denials or ())
        self.used += usage_of(result.usage or {})
        self._calls.clear()

    async def _event(self, line: str) -> None:
        for secret in self.secrets:
            line = line.replace(secret, REDACTED)
        line = one_line(line, LINE_CHARACTERS)
        if not line:
            return
        self.session.show(line, self.so_far)
        if self.kept < MOST_EVENTS:
            self.kept += 1
            await self.session.keep(EVENT, {"line": line})


def usage_of(told: Json, dollars: float | None = 0.0) -> Usage:
    """Usage as the Messages API counts it."""
    return Usage(
        input=counted(told.get("input_tokens"), 0),
        output=counted(told.get("output_tokens"), 0),
        cache_read=counted(told.get("cache_read_input_tokens"), 0),
        cache_write=counted(told.get("cache_creation_input_tokens"), 0),
        dollars=dollars,
    )


def _line_of(block: Any) -> str:
    match type(block).__name__:
        case "TextBlock":
            return str(block.text)
        case "ToolUseBlock":
            return f"{block.name}: {_telling(block.input)}"
        case "ToolResultBlock":
            text = block.content if isinstance(block.content, str) else json.dumps(block.content, default=str)
            return f"{'failed' if block.is_error else 'result'}: {text}"
    return ""


def _telling(given: Json) -> str:
    for key in ("command", "file_path", "pattern", "url", "query", "path"):
        if given.get(key):
            return str(given[key])
    return json.dumps(given, ensure_ascii=False)
