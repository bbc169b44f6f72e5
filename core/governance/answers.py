"""The values that an answer carries: which shapes there are, and whether what was given has them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from core.contract import Json, UsageError
from core.placeholders import is_placeholder
from core.sanitise import one_line, sanitise

SHAPES: Mapping[str, str] = {
    "text": "a text",
    "lines": "a list of texts (or one text with a line for each)",
    "map": "an object with a text for each id",
    "numbers": "an object with a number for each id",
    "lists": "an object with a list of ids for each id",
    "tasks": "a list of objects with id, title and criteria",
    "flag": "true or false",
}
"""Every shape by name, as a person is told it."""

MOST_CHARACTERS = 2_000_000
MOST = 1e15
"""Of a number, whichever sign. JSON as Python reads it also has NaN and Infinity, which no comparison lets through."""


def check_answer(
    escalation: int, asks: Mapping[str, str], answer: Any, names: Mapping[str, Mapping[str, str]] | None = None
) -> Json:
    """The answer's values, cleaned of control characters, in their declared shapes. `names` are the ids that are known
    of a value.

    Raises UsageError naming the key at fault when one is unknown, misshapen, a placeholder ("..."), about none of
    the known ids, or when nothing that was asked is given.
    """
    where = f"Escalation {escalation}"
    if answer is None or answer == {}:
        if asks:
            raise UsageError(f"{where}: this answer needs values: {_wanted(asks)}.")
        return {}
    if not isinstance(answer, Mapping):
        raise UsageError(f"{where}: the answer must be a JSON object with {_wanted(asks)}.")
    if not asks:
        raise UsageError(f"{where}: this option takes no values; leave the answer out.")
    unknown = sorted(set(answer) - set(asks))
    if unknown:
        raise UsageError(f"{where}: {unknown[0]!r} was not asked for; it takes {_wanted(asks)}.")
    shaped = {key: _shaped(f"{where}: {key}", asks[key], value) for key, value in answer.items()}
    for key, value in shaped.items():
        _check_words(f"{where}: {key}", value)
    for key, known in (names or {}).items():
        _check_names(f"{where}: {key}", known, shaped.get(key))
    return shaped


def words_of(answer: Any) -> str:
    """What an answer's values say, for the option of which they are the reason; "" for an answer without texts."""
    texts = answer.values() if isinstance(answer, Mapping) else ()
    return "; ".join(text.strip() for text in texts if isinstance(text, str))


def _check_words(where: str, value: Any) -> None:
    """A command that was pasted as `apm escalation show` prints it says nothing yet."""
    entries = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else [value]
    texts = [entry.get("text") if isinstance(entry, Mapping) else entry for entry in entries]
    words = [text for text in texts if isinstance(text, str)]
    if words and len(words) == len(texts) and all(map(is_placeholder, words)):
        raise UsageError(
            f"{where}: {one_line(words[0], 60)!r} only holds a place; write what is meant, or leave this value out."
        )


def _check_names(where: str, known: Mapping[str, str], value: Any) -> None:
    """An answer about something else alone would change nothing, and be asked for again."""
    given = {str(name).casefold() for name in value} if isinstance(value, Mapping) else set()
    if given and known and not given & {name.casefold() for name in known}:
        raise UsageError(
            f"{where} is asked about {', '.join(known)}, not about {one_line(str(next(iter(value))), 60)!r}."
        )


def _wanted(asks: Mapping[str, str]) -> str:
    return "; ".join(f"{key}: {SHAPES[shape]}" for key, shape in asks.items()) or "no values"


def _shaped(where: str, shape: str, value: Any) -> Any:
    checked = _CHECKS[shape](value)
    if checked is None:
        raise UsageError(f"{where} must be {SHAPES[shape]}.")
    return checked


def _text(value: Any) -> str | None:
    return sanitise(value, limit=MOST_CHARACTERS).strip() or None if isinstance(value, str) else None


def _lines(value: Any) -> list[Any] | None:
    entries = value.splitlines() if isinstance(value, str) else value
    if not isinstance(entries, list):
        return None
    cleaned: list[Any] = []
    for entry in entries:
        if isinstance(entry, Mapping) and isinstance(entry.get("text"), str) and _text(entry["text"]):
            cleaned.append({str(k): _text(v) or "" for k, v in entry.items() if isinstance(v, str)})
        elif isinstance(entry, str):
            cleaned += [_text(entry)] if _text(entry) else []
        else:
            return None
    return cleaned or None


def _map(value: Any) -> dict[str, str] | None:
    if not isinstance(value, Mapping) or not value:
        return None
    cleaned = {_key(k): _text(v) for k, v in value.items()}
    return {k: v for k, v in cleaned.items() if v} if all(cleaned.values()) else None


def _numbers(value: Any) -> dict[str, float] | None:
    if not isinstance(value, Mapping) or not value:
        return None
    legal = all(isinstance(v, int | float) and not isinstance(v, bool) and abs(v) <= MOST for v in value.values())
    return {_key(k): float(v) for k, v in value.items()} if legal else None


def _lists(value: Any) -> dict[str, list[str]] | None:
    if not isinstance(value, Mapping) or not value:
        return None
    legal = all(isinstance(v, list) and all(isinstance(e, str) for e in v) for v in value.values())
    return {_key(k): [_key(e) for e in v] for k, v in value.items()} if legal else None


def _tasks(value: Any) -> list[Json] | None:
    if not isinstance(value, list) or not value:
        return None
    legal = all(isinstance(t, Mapping) and isinstance(t.get("title"), str) and t["title"].strip() for t in value)
    return [_cleaned(t) for t in value] if legal else None


def _key(value: Any) -> str:
    return one_line(str(value), 200)


def _cleaned(value: Any) -> Any:
    """Any JSON value, its texts cleaned; a number that JSON cannot hold becomes null."""
    if isinstance(value, Mapping):
        return {_key(k): _cleaned(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_cleaned(v) for v in value]
    if isinstance(value, str):
        return sanitise(value, limit=MOST_CHARACTERS)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


_CHECKS = {
    "text": _text,
    "lines": _lines,
    "map": _map,
    "numbers": _numbers,
    "lists": _lists,
    "tasks": _tasks,
    "flag": _flag,
}
