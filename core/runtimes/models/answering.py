"""The agents that think, on a model: one exchange, judged against the role's shape, with one round to mend it.

What is asked next follows from the replies so far and from nothing else. Each reply is put on record before it is
judged, so an execution that was killed goes on with the answers that were paid for.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.agents.bench import Bench
from core.agents.session import Session, Usage
from core.contract import AgentRequest, AgentResponse, Json, Status, blocked, canonical_json, failed, succeeded
from core.runtimes.models.dialogue import Model, ModelFailed, Prompt, Reply, tool_results
from core.runtimes.models.prompts import system_prompt, task_message
from core.runtimes.models.shapes import ANSWER_TOOL, Answer, Shape, Unfit, shape_of
from core.sanitise import one_line, sanitise
from core.store.rows import AgentRow

REPLY = "reply"
"""The kind of the turns that a session keeps of an exchange."""
SHAPE, TOOL = "shape", "tool"
"""How an answer was asked for: the provider holds the model to the shape, or the model has to call a tool."""
TOO_LONG, BROKE_OFF = "too_long", "max_tokens"
MOST_CHARACTERS = 400_000
"""Of one reply; ten times what MOST_OUTPUT tokens come to."""
SHOWN_CHARACTERS = 160
"""Of a reply that is no answer."""
MOST_OUTPUT = 8_000
DEEPEST = 24
REPAIRS = 1
_CALL = f"Call the tool `{ANSWER_TOOL}` with your whole answer as its input, and write no text."
"""Servers that only ask for a call, and do not force one, are followed by models that are told so last."""
_OTHERWISE = "Try again, or give the agent another `model:` or `runtime:` in agents.yaml."


@dataclass(frozen=True, slots=True)
class Kept:
    """A reply as it is on record: its blocks without anything that a screen obeys, and what it used."""

    mode: str
    content: tuple[Json, ...]
    stop_reason: str
    usage: Usage
    model: str
    request_id: str
    seconds: float

    @classmethod
    def of(cls, reply: Reply, mode: str, seconds: float) -> Kept:
        content, stop = tuple(_blocks(reply.content)), one_line(reply.stop_reason, 60)
        if len(canonical_json(content)) > MOST_CHARACTERS:
            content, stop = (), TOO_LONG
        name, number = one_line(reply.model, 100), one_line(reply.request_id, 100)
        return cls(mode, content, stop, reply.usage, name, number, round(seconds, 3))

    @classmethod
    def from_json(cls, value: Json) -> Kept:
        return cls(**{**value, "content": tuple(value["content"]), "usage": Usage(**value["usage"])})

    def to_json(self) -> Json:
        return {
            "mode": self.mode,
            "content": list(self.content),
            "stop_reason": self.stop_reason,
            "usage": {name: getattr(self.usage, name) for name in Usage.__slots__},
            "model": self.model,
            "request_id": self.request_id,
            "seconds": self.seconds,
        }

    @property
    def text(self) -> str:
        return "".join(block["text"] for block in self.content if block["type"] == "text")

    @property
    def calls(self) -> tuple[Json, ...]:
        return tuple(block for block in self.content if block["type"] == "tool_use")


@dataclass(frozen=True, slots=True)
class _Asking:
    """What is sent next: how, and what follows the request (a wrong answer, and what is wrong about it)."""

    mode: str
    after: tuple[Json, ...] = ()
    addition: str = ""
    """Put under the request itself, where there is no whole answer that could be quoted back."""


@dataclass(frozen=True, slots=True)
class _Ended:
    """No more is asked: an answer, or why there is none."""

    answer: Answer | None
    error: str = ""
    suggestion: str = _OTHERWISE


class _Ignored(Exception):
    """The reply has not the form that the provider was to hold the model to: so nobody has shown it the form yet."""


@dataclass
class AnsweringRuntime:
    """Executes the agents that think. `models` gives the model that an agent's row asks for."""

    name: str
    models: Callable[[AgentRow], Model]
    most_output: int = MOST_OUTPUT
    """Tokens of one reply at most."""
    _shapeless: set[tuple[str, str]] = field(default_factory=set)
    """Models that were seen to ignore a shape: they are given the tool at once."""

    async def execute(self, request: AgentRequest, agent: AgentRow, bench: Bench) -> AgentResponse:
        """Raises OverBudget and Unavailable as the model does, and ApmError for a role that only measures."""
        shape, model, session = shape_of(agent.role, request), self.models(agent), bench.session
        hidden = [str(place) for place in (bench.worktree, bench.releases, bench.scratch) if place is not None]
        task = task_message(request, hidden)
        replies = [Kept.from_json(turn.content) for turn in await session.turns() if turn.kind == REPLY]
        while True:
            step = _step(shape, replies, SHAPE if self._holds(model) else TOOL)
            if isinstance(step, _Ended):
                return _response(agent.role, model, replies, step)
            if step.mode == TOOL and any(reply.mode == SHAPE for reply in replies):
                self._shapeless.add((model.provider, model.name))
            try:
                prompt = _prompt(shape, agent, task, step, self.most_output)
                replies.append(await _asked(model, session, prompt, step.mode))
            except ModelFailed as error:
                return _response(agent.role, model, replies, _Ended(None, sanitise(str(error), limit=2_000)))

    def _holds(self, model: Model) -> bool:
        return model.holds_to_shapes and (model.provider, model.name) not in self._shapeless


async def _asked(model: Model, session: Session, prompt: Prompt, mode: str) -> Kept:
    session.show(f"asks {model.name}")
    began = time.monotonic()
    kept = Kept.of(await model.ask(prompt, session), mode, time.monotonic() - began)
    await session.keep(REPLY, kept.to_json())
    session.show(f"{model.name} has answered, {kept.usage.output} tokens", kept.usage)
    return kept


def _prompt(shape: Shape, agent: AgentRow, task: str, step: _Asking, most: int) -> Prompt:
    said = "\n\n".join(part for part in (task, step.addition, _CALL if step.mode == TOOL else "") if part)
    system = system_prompt(agent, by_tool=step.mode == TOOL)
    messages: tuple[Json, ...] = ({"role": "user", "content": said}, *step.after)
    if step.mode == SHAPE:
        return Prompt(system, messages, shape=shape.schema, most_output=most)
    choice = {"type": "tool", "name": ANSWER_TOOL}
    return Prompt(system, messages, tools=(shape.tool,), choice=choice, most_output=most)


def _step(shape: Shape, replies: Sequence[Kept], mode: str) -> _Asking | _Ended:
    """What follows from the replies so far; `mode` is how the first one is asked for."""
    step, repairs = _Asking(mode), 0
    for reply in replies:
        ended = _without_answer(reply)
        if ended is not None:
            return ended
        try:
            return _Ended(_judged(shape, reply))
        except _Ignored:
            step = _Asking(TOOL)
        except Unfit as unfit:
            if repairs == REPAIRS:
                found = one_line(" ".join(unfit.problems), 1_000)
                why = (
                    f"the model's answer was no answer, nor was it when it had been told why. {_quoted(reply)} {found}"
                )
                return _Ended(None, why)
            repairs += 1
            step = _repair(reply, unfit.problems)
    return step


def _quoted(reply: Kept) -> str:
    """How a reply begins, for the person who has to find out what is wrong with the model."""
    said = reply.text.strip() or next((json.dumps(call["input"], ensure_ascii=False) for call in reply.calls), "")
    return f"It said “{one_line(said, SHOWN_CHARACTERS)}”." if said else "It said nothing."


def _without_answer(reply: Kept) -> _Ended | None:
    if reply.stop_reason == "refusal":
        why = f": {one_line(reply.text, 300)}" if reply.text.strip() else ", and gave no reason"
        return _Ended(
            None,
            f"the model refused to answer{why}",
            "Read the request for what a provider's rules may forbid; else give the agent another model.",
        )
    if reply.stop_reason == "model_context_window_exceeded":
        return _Ended(None, "the request is longer than the model can read", "Shorten it, or use a model that can.")
    return None


def _judged(shape: Shape, reply: Kept) -> Answer:
    """The answer of a reply. Raises Unfit, or _Ignored where the shape was not heeded at all."""
    if reply.stop_reason == TOO_LONG:
        raise Unfit([f"The answer has more than {MOST_CHARACTERS:,} characters; the shape asks for far less."])
    given = [call["input"] for call in reply.calls if call["name"] == ANSWER_TOOL]
    if not given:
        given = [_in_text(reply)]
    elif reply.stop_reason == BROKE_OFF:
        raise Unfit([_told_to_be_brief(reply)])
    if any(other != given[0] for other in given[1:]):
        raise Unfit([f"`{ANSWER_TOOL}` was called {len(given)} times with different answers; call it once."])
    try:
        return shape.judged(given[0])
    except Unfit as unfit:
        if reply.mode == SHAPE and unfit.is_of_form:
            raise _Ignored from unfit
        raise


def _in_text(reply: Kept) -> Json:
    """The JSON object of a text. One that is closed, with nothing after it, is whole even where the reply broke off:
    servers that wait for a call let a model that has answered in text go on to its last token."""
    found, rest = _object_in(reply.text)
    if reply.stop_reason == BROKE_OFF and (found is None or rest):
        raise Unfit([_told_to_be_brief(reply)])
    if reply.mode == SHAPE and found is None:
        raise _Ignored
    if found is None:
        raise Unfit([f"There is no answer: call `{ANSWER_TOOL}` with it, or give it as one JSON object."])
    return found


def _told_to_be_brief(reply: Kept) -> str:
    return f"The answer broke off after {reply.usage.output} tokens; say the same in far fewer words."


def _object_in(text: str) -> tuple[Json | None, str]:
    """The first JSON object of a text, and what follows it but for the end of a fence."""
    start = text.find("{")
    try:
        found, end = _READER.raw_decode(text, start) if start >= 0 else (None, 0)
    except (ValueError, RecursionError):
        return None, text
    return (_clean(found), text[end:].strip("`\n\r\t ")) if isinstance(found, dict) else (None, text)


def _refused(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


_READER = json.JSONDecoder(parse_constant=_refused)


def _repair(reply: Kept, problems: Sequence[str]) -> _Asking:
    """The second and last round: the wrong answer quoted back with what is wrong about it, where it can be."""
    listed = "\n".join(f"- {problem}" for problem in problems)
    told = f"Your answer cannot be used:\n{listed}\nGive the whole answer again with this mended."
    if reply.stop_reason in (TOO_LONG, BROKE_OFF) or not (reply.calls or reply.text.strip()):
        return _Asking(reply.mode, addition=told)
    wrong: Json = {
        "role": "assistant",
        "content": [b for b in reply.content if b["type"] != "text" or b["text"].strip()],
    }
    if reply.calls:
        return _Asking(reply.mode, (wrong, tool_results([(call["id"], told, True) for call in reply.calls])))
    return _Asking(reply.mode, (wrong, {"role": "user", "content": told}))


def _blocks(content: Sequence[Json]) -> Iterator[Json]:
    """The blocks that an exchange needs, their texts fit for a screen and a journal."""
    for block in content:
        if block["type"] == "text":
            yield {"type": "text", "text": _clean(block["text"])}
        elif block["type"] == "tool_use":
            name, number = one_line(str(block["name"]), 100), one_line(str(block["id"]), 200)
            yield {"type": "tool_use", "id": number, "name": name, "input": _clean(block["input"])}


def _clean(value: Any, depth: int = 0) -> Any:
    """A JSON value without what a terminal obeys or an eye misses; what lies deeper than any answer is cut off."""
    if depth > DEEPEST:
        return None
    if isinstance(value, str):
        return sanitise(value, limit=len(value))
    if isinstance(value, dict):
        return {one_line(str(key)): _clean(part, depth + 1) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(part, depth + 1) for part in value]
    # NaN and infinities are no JSON, and no figure either.
    return value if not isinstance(value, float) or abs(value) < float("inf") else None


def _response(role: str, model: Model, replies: Sequence[Kept], ended: _Ended) -> AgentResponse:
    facts = _facts(model, replies)
    if ended.answer is None:
        return failed(role, ended.error, suggestion=ended.suggestion, **facts)
    answer = ended.answer
    if answer.decisions:
        facts["decisions"] = list(answer.decisions)
    if answer.status is Status.BLOCKED:
        return blocked(role, answer.output, answer.missing, answer.suggestion, **facts)
    return succeeded(role, answer.output, **facts)


def _facts(model: Model, replies: Sequence[Kept]) -> Json:
    """What is known of the calls; all of it ours, none of it the model's word."""
    used = sum((reply.usage for reply in replies), Usage())
    facts: Json = {
        "model": replies[-1].model if replies else model.name,
        "tokens": used.tokens,
        "usage": {name: getattr(used, name) for name in ("input", "output", "cache_read", "cache_write")},
        "seconds": round(sum(reply.seconds for reply in replies), 3),
        "tries": len(replies),
        "request_ids": [reply.request_id for reply in replies if reply.request_id],
    }
    return facts if used.dollars is None else {**facts, "cost": round(used.dollars, 6)}
