"""The shared context as a document: which keys it has, who maintains each, and what may not pass for one.

People maintain some keys and apm counts the others. A key that is not known here is somebody's too, and is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from core.contract import Json, UsageError, canonical_json
from core.governance import strict_json
from core.sanitise import one_line, sanitise

FILE_NAME = "shared_context.json"
MOST_CHARACTERS = 8 * 2**20
"""Characters of a document. What apm writes stays below it."""
MOST_KEPT = 256 * 2**10
"""Characters, as JSON, of all that people maintain."""
MOST_KEYS = 100
"""Keys of a workspace's own, beside those that every document has."""
MOST_DEPTH = 24
MOST_KEY = 100
"""Characters of a key."""
SHOWN_PROBLEMS = 10

REQUIREMENTS = "_requirements"
"""What the key of a milestone's requirements ends with; the milestone's tag stands before it."""
MAINTAINED = ("strategic_state", "technical_progress", "agentic_ai_teams")
"""Objects that people maintain, as they do every object of requirements."""
COUNTED: Mapping[str, type] = {
    "decisions_log": list,
    "conflicts_log": list,
    "agent_performance_metrics": dict,
    "scope_optimization_data": dict,
    "workspace": dict,
}
"""What apm counts, by its key. An import leaves it out: a record is earned in the workspace that it speaks of."""


class ContextRejected(UsageError):
    """A document that is no shared context; the message has a line for each of the first problems."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        lines = [one_line(problem, 400) for problem in self.problems[:SHOWN_PROBLEMS]]
        if len(self.problems) > SHOWN_PROBLEMS:
            lines.append(f"… and {len(self.problems) - SHOWN_PROBLEMS} more")
        super().__init__("\n".join(lines))


def parse(text: str) -> Json:
    """The document in a text, as `checked`. Raises ContextRejected."""
    try:
        value = strict_json.read(text, characters=MOST_CHARACTERS, depth=MOST_DEPTH)
    except strict_json.RefusedJson as error:
        raise ContextRejected([f"The shared context {error}."]) from None
    return checked(value)


def checked(value: Any) -> Json:
    """The document, sanitised where people maintain it. Raises ContextRejected: every problem names its key."""
    if not isinstance(value, dict):
        raise ContextRejected([f"The shared context is {_word_for(value)}; it must be an object."])
    if strict_json.is_deeper(value, MOST_DEPTH):
        raise ContextRejected([f"The shared context is nested deeper than {MOST_DEPTH} levels."])
    problems = [*_problems(value)]
    if problems:
        raise ContextRejected(problems)
    return {key: item if key in COUNTED else cleaned(item) for key, item in value.items()}


def maintained(context: Json) -> Json:
    """Of a document what people maintain: the known keys, and those that nobody knows here."""
    return {key: value for key, value in context.items() if key not in COUNTED}


def is_object_key(key: str) -> bool:
    return key in MAINTAINED or key.endswith(REQUIREMENTS)


def cleaned(value: Any) -> Any:
    """The value with every text sanitised; keys have been looked at before."""
    if isinstance(value, str):
        return sanitise(value, limit=len(value))
    if isinstance(value, list):
        return [cleaned(item) for item in value]
    return {key: cleaned(item) for key, item in value.items()} if isinstance(value, dict) else value


def _problems(value: Json) -> Iterator[str]:
    if len(value) > 2 * MOST_KEYS:
        yield f"The shared context has {len(value)} keys; {2 * MOST_KEYS} are the most."
    for key, item in value.items():
        wanted = COUNTED.get(key) or (dict if is_object_key(key) else None)
        if wanted is not None and not isinstance(item, wanted):
            yield f"{_shown(key)} is {_word_for(item)}; it must be {_word_for(wanted())}."
        if key not in COUNTED:
            yield from (f"{_shown(place)}: {fault}." for place, fault in _faults(key, item))
    size = len(canonical_json(maintained(value)))
    if size > MOST_KEPT:
        yield f"What people maintain takes {size:,} characters; {MOST_KEPT:,} are the most."


def _faults(key: str, value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Keys that a person could not read or tell apart, this one and those anywhere below it, with their places."""
    place = f"{place}.{key}" if place else key
    if not key or len(key) > MOST_KEY:
        yield place, f"a key has 1 to {MOST_KEY} characters"
    elif one_line(key, MOST_KEY) != key:
        yield place, "the key holds a line end, doubled spaces or characters that nobody sees"
    for name, item in _entries(value):
        yield from _faults(name, item, place)


def _entries(value: Any) -> Iterator[tuple[str, Any]]:
    """The entries of an object, or of the objects in a list."""
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        for item in value:
            yield from _entries(item)


def _shown(text: str) -> str:
    return repr(one_line(text, 120))


_WORDS: Mapping[type, str] = {
    dict: "an object", list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number",
}  # fmt: skip


def _word_for(value: Any) -> str:
    return _WORDS.get(type(value), "null")
