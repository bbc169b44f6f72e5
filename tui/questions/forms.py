"""Values that a person types, as text fields: what each shape is called, how it is written, how it is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


class NotReadable(ValueError):
    """What was typed is not what the field takes; the message says which line, and what to write.

    `key` names the value at fault where it is one of several.
    """

    def __init__(self, text: str, key: str = "") -> None:
        super().__init__(text)
        self.key = key


@dataclass(frozen=True, slots=True)
class Shape:
    """How a value of this shape is typed: a hint under its name, its height in lines, and what reads it."""

    hint: str
    lines: int
    read: Callable[[str], Any]


def _text(typed: str) -> str | None:
    return typed.strip() or None


def _lines(typed: str) -> list[str] | None:
    return _content_lines(typed) or None


def _risks(typed: str) -> list[Any] | None:
    """A line each. `text => plan` gives a risk with its mitigation."""
    made: list[Any] = []
    for line in _content_lines(typed):
        value, _, plan = line.partition("=>")
        made.append({"text": value.strip(), "mitigation": plan.strip()} if plan.strip() else line)
    return made or None


def _map(typed: str) -> dict[str, str] | None:
    return dict(_pairs(typed)) or None


def _numbers(typed: str) -> dict[str, float] | None:
    return {key: _number(key, value) for key, value in _pairs(typed)} or None


_THOUSANDS = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?")
_UNITS = {"h": 1, "k": 1_000, "m": 1_000_000}


def _number(key: str, typed: str) -> float:
    """`2.5`, `2,5`, `2h`, `$25`, `500k`, `1,500,000`. Raises NotReadable, also where a comma may mean two things."""
    word = typed.strip().casefold().removeprefix("$").replace("_", "").replace(" ", "")
    if _THOUSANDS.fullmatch(word):
        if word.count(",") == 1 and "." not in word:
            plain, part = word.replace(",", ""), word.replace(",", ".")
            raise NotReadable(f"{key}: {typed!r} may be {plain} or {part}; write it as one of them", key)
        word = word.replace(",", "")
    times = _UNITS.get(word[-1:], 1)
    try:
        return float(word.rstrip("hkm").replace(",", ".")) * times
    except ValueError:
        raise NotReadable(f"{key}: {typed!r} is no number", key) from None


def _lists(typed: str) -> dict[str, list[str]] | None:
    return {
        key: [v for v in re.split(r"[,\s]+", value) if v] for key, value in _pairs(typed, may_be_empty=True)
    } or None


def _tasks(typed: str) -> list[dict[str, Any]] | None:
    """`title | AC1, AC2`, a line each; numbered T1, T2, … A line that has no title yet is none."""
    made: list[dict[str, Any]] = []
    for line in _content_lines(typed):
        title, _, criteria = line.partition("|")
        named = [c for c in re.split(r"[,\s]+", criteria.strip()) if c]
        if title.strip():
            made.append({"id": f"T{len(made) + 1}", "title": title.strip(), "criteria": named})
    return made or None


def _flag(typed: str) -> bool | None:
    word = typed.strip().casefold()
    if not word:
        return None
    if word in ("y", "yes", "true"):
        return True
    if word in ("n", "no", "false"):
        return False
    raise NotReadable(f"{typed.strip()!r} is neither yes nor no")


SHAPES: Mapping[str, Shape] = {
    "text": Shape("in your own words", 3, _text),
    "lines": Shape("one on each line", 5, _lines),
    "map": Shape("id: text, one on each line", 4, _map),
    "numbers": Shape("id: number, one on each line", 4, _numbers),
    "lists": Shape("id: other ids, one on each line", 4, _lists),
    "tasks": Shape("title | criteria it serves, one task on each line", 5, _tasks),
    "flag": Shape("yes or no", 1, _flag),
}


OWN_SHAPES: Mapping[str, Shape] = {
    "business_context": Shape("the situation, who feels it, what it costs today", 3, _text),
    "acceptance_criteria": Shape("what somebody can check when it is done, one on each line", 5, _lines),
    "risks": Shape("what could go wrong, one on each line: risk => what will be done about it", 3, _risks),
    "who": Shape("who is affected", 1, _text),
    "what": Shape("what they need", 1, _text),
    "when": Shape("by when, or on what occasion", 1, _text),
    "where": Shape("where in the product or the code", 1, _text),
    "why": Shape("why it matters", 1, _text),
    "how": Shape("how it shall work", 1, _text),
    "docs": Shape("why no documentation is needed", 2, _text),
    "migrations": Shape("why no migration is needed", 2, _text),
}
"""Values that are typed in a way of their own, by key."""


def in_order(keys: Iterable[str]) -> list[str]:
    """Keys in the order in which one thinks of them: those named above first, as there."""
    known = list(OWN_SHAPES)
    return sorted(keys, key=lambda key: known.index(key) if key in known else len(known))


def shape_of(key: str, shape: str) -> Shape:
    return OWN_SHAPES.get(key) or SHAPES.get(shape, SHAPES["text"])


def read_values(asks: Mapping[str, str], typed: Mapping[str, str]) -> dict[str, Any]:
    """The values of the fields that were filled in. Raises NotReadable naming the field at fault."""
    made = {}
    for key, shape in asks.items():
        try:
            value = shape_of(key, shape).read(typed.get(key, ""))
        except NotReadable as error:
            raise NotReadable(
                f"{key.replace('_', ' ')}: {error}.", f"{key}.{error.key}" if error.key else key
            ) from None
        if value is not None:
            made[key] = value
    if not made:
        raise NotReadable("Nothing is filled in yet.", next(iter(in_order(asks)), ""))
    return made


def begun(shape: str, ids: Iterable[str]) -> str:
    """What stands in a field at first: a line for each of these ids, which is left out as long as nothing is added.

    Only in shapes where an empty line says nothing; in a list of ids it would say that there are none.
    """
    lines = {"map": "{}: ", "numbers": "{}: ", "tasks": " | {}"}
    return "\n".join(lines[shape].format(i) for i in ids) if shape in lines else ""


def said_about(key: str, missing: Iterable[str], names: Iterable[str] = ()) -> list[str]:
    """What the gate said about this value: the ends of the lines that begin with its name, or one of these."""
    heads = [f"{name}:" for name in (key, *names)]
    return [line.partition(":")[2].strip() for line in missing if any(line.startswith(head) for head in heads)]


def ids_in(lines: Iterable[str]) -> list[str]:
    """Identifiers such as AC3, T1 or R2, each once, in their order."""
    return list(dict.fromkeys(found for line in lines for found in re.findall(r"\b[A-Z]{1,4}\d+\b", line)))


def _content_lines(typed: str) -> list[str]:
    return [line.strip() for line in typed.splitlines() if line.strip()]


def _pairs(typed: str, *, may_be_empty: bool = False) -> list[tuple[str, str]]:
    """Lines as `id: value`; one without a value yet is left out, unless that is a value."""
    made = []
    for line in _content_lines(typed):
        key, colon, value = line.partition(":")
        if not colon or not key.strip():
            raise NotReadable(f"{line!r} is not written as `id: value`")
        if value.strip() or may_be_empty:
            made.append((key.strip(), value.strip()))
    return made
