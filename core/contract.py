"""The one language all three tiers speak: requests, responses, artifacts, and how they are digested.

This module imports nothing of ours, so that a delegation can be executed anywhere its JSON can travel.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any, cast

import rapidjson

Json = dict[str, Any]
"""A JSON object: string keys, values that `json.dumps` accepts without a hook."""


PHASE_CODES = ("D1", "P1", "I1", "R1", "O1", "E1")
"""The phases in the order in which work passes them."""


class ApmError(Exception):
    """Something a person can mend. The message says what happened, to what, and what to do next.

    `exit_code` is what the command line ends with: 1 failed, 2 bad usage, 3 waits for a human.
    """

    exit_code = 1


class UsageError(ApmError):
    """The words of a command, or a file handed to it, are not what it takes."""

    exit_code = 2


class Status(StrEnum):
    """How a delegation ended."""

    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    BLOCKED = "BLOCKED"


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text, so equal digests.

    Raises TypeError or ValueError for what JSON cannot hold (NaN and infinities included).
    """
    try:
        return _FAST(value)
    except (TypeError, ValueError, RecursionError):
        # Tuples, keys that are no texts, half a pair of surrogates; or no JSON at all, which this then says.
        return _CANONICAL.encode(value)


class Written(str):
    """Canonical JSON that is written already, where it would otherwise be written once more."""

    __slots__ = ()


def canonical_object(members: Mapping[str, Any]) -> str:
    """The canonical JSON of an object; members that are `Written` stand in it as they are."""
    parts = [
        f"{_word(name)}:{members[name] if type(members[name]) is Written else canonical_json(members[name])}"
        for name in sorted(members)
    ]
    return f"{{{','.join(parts)}}}"


_FAST = cast(
    "Callable[[Any], str]",
    rapidjson.Encoder(
        ensure_ascii=False,
        number_mode=rapidjson.NM_NONE,
        iterable_mode=rapidjson.IM_ONLY_LISTS,
        mapping_mode=rapidjson.MM_ONLY_DICTS | rapidjson.MM_SORT_KEYS,
        bytes_mode=rapidjson.BM_NONE,
    ),
)
"""Writes to the letter what the next one does, or raises."""
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest_of(value: Any) -> str:
    """SHA-256 of the value's canonical JSON, as 64 hexadecimal digits."""
    return digest_of_text(canonical_json(value))


def digest_of_text(text: str) -> str:
    """The same of what is written already."""
    data, found = text.encode("utf-8", "surrogatepass"), hashlib.sha256()
    piece = _PIECE if len(data) < _LARGE else len(data)
    for at in range(0, len(data), piece):
        found.update(data[at : at + piece])
    return found.hexdigest()


_PIECE = 2_000
"""Bytes. For more at once `hashlib` lets go of the interpreter's lock, and has it back milliseconds later."""
_LARGE = 100_000
"""From here on that is worth it."""


@lru_cache(1_000)
def _word(name: str) -> str:
    return canonical_json(name)


@dataclass(frozen=True, slots=True)
class Artifact:
    """An immutable typed document that one phase hands to the next.

    `digest` covers type and content. `id` is the row's number once stored, 0 before. `written` is the content's
    canonical JSON.
    """

    type: str
    content: Json
    producer: str
    parent: str | None = None
    id: int = 0
    digest: str = ""
    written: Written = field(default=Written(), init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "written", Written(canonical_json(self.content)))
        if not self.digest:
            text = canonical_object({"type": self.type, "content": self.written})
            object.__setattr__(self, "digest", digest_of_text(text))


@dataclass(frozen=True, slots=True)
class AgentRequest:
    """What one agent asks of another. Plain JSON throughout.

    `context` holds what the asked agent needs besides the artifact: see `core.phases`. `written` is the artifact's
    canonical JSON, and `known` that of parts of the context, where whoever asks has it: many are asked about the same.
    """

    requesting_agent: str
    input_artifact: Json
    context: Json
    expected_output: str
    written: Written | None = field(default=None, repr=False, compare=False)
    known: Mapping[str, Written] = field(default_factory=dict, repr=False, compare=False)
    _digest: str = field(default="", init=False, repr=False, compare=False)

    def to_json(self) -> Json:
        return {
            "requesting_agent": self.requesting_agent,
            "input_artifact": self.input_artifact,
            "context": self.context,
            "expected_output": self.expected_output,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> AgentRequest:
        """The request a mapping describes; raises UsageError naming the key that is missing or unknown."""
        _check_keys("AgentRequest", value, {"requesting_agent", "input_artifact", "context", "expected_output"})
        return cls(**value)

    @property
    def digest(self) -> str:
        """Equal for equal questions: what lets an unaffected answer serve again in a later round."""
        if not self._digest:
            known = self.known
            told = {name: known.get(name, value) for name, value in self.context.items()}
            context = canonical_object(told) if known else canonical_json(self.context)
            artifact = self.written or canonical_json(self.input_artifact)
            asked, asking = _word(self.expected_output), _word(self.requesting_agent)
            # The canonical JSON of `to_json`, without writing the artifact once more.
            text = f'{{"context":{context},"expected_output":{asked},"input_artifact":{artifact},'
            object.__setattr__(self, "_digest", digest_of_text(f'{text}"requesting_agent":{asking}}}'))
        return self._digest


@dataclass(frozen=True, slots=True)
class AgentResponse:
    """What the asked agent answers.

    `metadata` carries `seconds, runtime, model, tokens, cost, tool, tool_version`, the `evidence[]` of commands
    that ran, the `decisions[]` it raises, and on FAILURE or BLOCKED `error, missing[], suggestion`.
    """

    responding_agent: str
    output_artifact: Json
    status: Status
    metadata: Json = field(default_factory=dict)

    def to_json(self) -> Json:
        return {
            "responding_agent": self.responding_agent,
            "output_artifact": self.output_artifact,
            "status": self.status.value,
            "metadata": self.metadata,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> AgentResponse:
        """The response a mapping describes; raises UsageError for a missing key or an unknown status."""
        _check_keys("AgentResponse", value, {"responding_agent", "output_artifact", "status", "metadata"})
        if value["status"] not in list(Status):
            raise UsageError(f"AgentResponse: status is {value['status']!r}; it must be one of {', '.join(Status)}.")
        return cls(**{**value, "status": Status(value["status"])})

    def with_metadata(self, **metadata: Any) -> AgentResponse:
        """The same answer with these metadata, where it has none of its own by these names."""
        return AgentResponse(self.responding_agent, self.output_artifact, self.status, {**metadata, **self.metadata})

    @property
    def missing(self) -> list[str]:
        return list(self.metadata.get("missing", ()))


def succeeded(agent: str, output: Json, **metadata: Any) -> AgentResponse:
    return AgentResponse(agent, output, Status.SUCCESS, metadata)


def blocked(agent: str, output: Json, missing: Sequence[str], suggestion: str, **metadata: Any) -> AgentResponse:
    """What was found so far, what is missing, and what would supply it. Never an invention to fill the hole."""
    return AgentResponse(
        agent, output, Status.BLOCKED, {**metadata, "missing": list(missing), "suggestion": suggestion}
    )


def failed(agent: str, error: str, missing: Sequence[str] = (), suggestion: str = "", **metadata: Any) -> AgentResponse:
    return AgentResponse(
        agent, {}, Status.FAILURE, {**metadata, "error": error, "missing": list(missing), "suggestion": suggestion}
    )


def _check_keys(name: str, value: Mapping[str, Any], expected: set[str]) -> None:
    if not isinstance(value, Mapping):
        raise UsageError(f"{name}: expected a JSON object with {', '.join(sorted(expected))}.")
    missing, unknown = expected - set(value), set(value) - expected
    if missing:
        raise UsageError(f"{name}: the key {sorted(missing)[0]!r} is missing.")
    if unknown:
        raise UsageError(f"{name}: the key {sorted(unknown)[0]!r} is unknown; known are {', '.join(sorted(expected))}.")
