"""What is on record of a task, and the dialogue that follows from it: the same one, however often it is taken up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from core.agents.session import Turn, Usage
from core.contract import Json
from core.runtimes.models.dialogue import Reply, tool_results

START, REPLY, INTENT, TOOLS, END = "start", "reply", "intent", "tools", "end"
"""Kinds of turns: the beginning, an answer of the model, a change about to happen, what a tool said, the end."""

TAKEN_OUT = "[taken out to save room; ask for it again if you need it]"
_FEW_LEFT = 5


@dataclass
class Exchange:
    """One answer of the model and what came of it, by the number of the call in the answer, from 0."""

    reply: Reply
    results: dict[int, Json] = field(default_factory=dict)
    intents: dict[int, Json] = field(default_factory=dict)


@dataclass
class Record:
    """What an interrupted execution left. `head` is the commit it began at, empty when there was none."""

    head: str = ""
    exchanges: list[Exchange] = field(default_factory=list)


def read_record(turns: Sequence[Turn]) -> Record:
    """The record since the last beginning: what was given up before counts no more."""
    record = Record()
    for turn in turns:
        content = turn.content
        if turn.kind in (START, END):
            record = Record(str(content.get("head", "")) if turn.kind == START else "")
        elif turn.kind == REPLY:
            record.exchanges.append(Exchange(reply_of(content)))
        elif turn.kind in (INTENT, TOOLS) and record.exchanges:
            last = record.exchanges[-1]
            (last.intents if turn.kind == INTENT else last.results)[int(content["call"])] = content
    return record


def reply_content(reply: Reply) -> Json:
    """A model's answer as it is put on record."""
    usage = reply.usage
    return {
        "content": list(reply.content),
        "stop_reason": reply.stop_reason,
        "model": reply.model,
        "request_id": reply.request_id,
        "usage": {
            "input": usage.input,
            "output": usage.output,
            "cache_read": usage.cache_read,
            "cache_write": usage.cache_write,
            "dollars": usage.dollars,
        },
    }


def reply_of(content: Json) -> Reply:
    return Reply(
        content=tuple(content["content"]),
        stop_reason=str(content["stop_reason"]),
        usage=Usage(**content["usage"]),
        model=str(content["model"]),
        request_id=str(content["request_id"]),
    )


@dataclass
class Conversation:
    """The messages so far. Old results are taken out in one go when there is too much of them, so that what stays the
    same from turn to turn stays long, and a provider can keep it."""

    opening: str
    history_characters: int
    most_turns: int
    messages: list[Json] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    models: list[str] = field(default_factory=list)
    request_ids: list[str] = field(default_factory=list)
    turns: int = 0
    fruitless: int = 0
    """Answers in a row of which nothing could be carried out."""
    _kept_from: int = 1

    def __post_init__(self) -> None:
        self.messages.append({"role": "user", "content": [{"type": "text", "text": self.opening}]})

    def replied(self, reply: Reply) -> None:
        self.turns += 1
        self.usage += reply.usage
        self.models += [reply.model] if reply.model not in self.models else []
        self.request_ids += [reply.request_id] if reply.request_id else []
        blocks = [block for block in reply.content if block["type"] != "text" or block["text"].strip()]
        self.messages.append({"role": "assistant", "content": blocks or [{"type": "text", "text": "(nothing)"}]})

    def answered(self, results: Sequence[tuple[str, str, bool]]) -> None:
        """What the tools said, and how many answers are left when they are few."""
        message = tool_results(results)
        self.fruitless = 0 if any(not failed for _, _, failed in results) else self.fruitless + 1
        left = self.most_turns - self.turns
        if left <= _FEW_LEFT:
            told = f"{left} more answers are possible. Bring the task to its end, and call `done`."
            message["content"].append({"type": "text", "text": told})
        self.messages.append(message)
        self._make_room()

    def told(self, text: str) -> None:
        """Our word to an answer of which nothing could be carried out."""
        self.fruitless += 1
        self.messages.append({"role": "user", "content": [{"type": "text", "text": text}]})

    def _make_room(self) -> None:
        sizes = [sum(len(str(block.get("content", ""))) for block in message["content"]) for message in self.messages]
        if sum(sizes) <= self.history_characters:
            return
        while sum(sizes[self._kept_from :]) > self.history_characters // 2 and self._kept_from < len(sizes) - 1:
            message = self.messages[self._kept_from]
            if message["role"] == "user":
                message["content"] = [_emptied(block) for block in message["content"]]
            self._kept_from += 1


def _emptied(block: Json) -> Json:
    return {**block, "content": TAKEN_OUT} if block["type"] == "tool_result" else block
