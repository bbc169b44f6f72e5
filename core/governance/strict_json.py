"""JSON as people hand it in: bounded before it is read, every key once, every number one that JSON has."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, NoReturn

from core.contract import Json
from core.sanitise import one_line

MOST_DIGITS = 40
MOST_PARTS = 2_000_000
"""Opening brackets and commas of a text: what bounds the memory it takes once it is read."""


class RefusedJson(ValueError):
    """Why a text is refused, in words that follow its name: "holds more than …", "has the key … twice"."""


class NotJson(RefusedJson):
    """It is no JSON, or not yet: whoever writes it may not have come to its end."""


def read(text: str, *, characters: int, depth: int) -> Any:
    """The value in a text of at most so many characters, nested at most so deep. Raises RefusedJson or NotJson."""
    if len(text) > characters:
        raise RefusedJson(f"holds more than {characters:,} characters")
    if sum(text.count(mark) for mark in "{[,") > MOST_PARTS:
        raise RefusedJson(f"holds more than {MOST_PARTS:,} values")
    try:
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_number, parse_float=_finite, parse_int=_short
        )
    except json.JSONDecodeError as error:
        raise NotJson(f"is not JSON: line {error.lineno}, column {error.colno}: {error.msg.lower()}") from None
    except RecursionError:
        raise RefusedJson(f"is nested deeper than {depth} levels") from None
    if is_deeper(value, depth):
        raise RefusedJson(f"is nested deeper than {depth} levels")
    return value


def is_deeper(value: Any, depth: int) -> bool:
    """Whether lists and objects stand in one another more often than that."""
    level = [value]
    for _ in range(depth):
        level = [inner for outer in level for inner in _inside(outer) if isinstance(inner, dict | list)]
        if not level:
            return False
    return True


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _unique(pairs: list[tuple[str, Any]]) -> Json:
    made: Json = {}
    for key, value in pairs:
        if key in made:
            raise RefusedJson(f"has the key {one_line(repr(key), 120)} twice in one object")
        made[key] = value
    return made


def _no_number(word: str) -> NoReturn:
    raise RefusedJson(f"has {one_line(word, 60)}, which is not a JSON number")


def _finite(word: str) -> float:
    value = float(word)
    return value if math.isfinite(value) else _no_number(word)


def _short(word: str) -> int:
    return int(word) if len(word) <= MOST_DIGITS else _no_number(word)
