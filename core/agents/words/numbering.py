"""Ids of criteria, risks and tasks: the request's own where it gives them, otherwise the next free number."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any

from core.agents.words.text import as_text, brief, normalised
from core.placeholders import is_placeholder

_PREFIX_NAMES = {"AC": "ac|criterion|requirement|req", "R": "r|risk", "T": "t|task|step"}
_LABELS = {
    prefix: re.compile(rf"^\W{{0,3}}(?:{names})[ #-]{{0,2}}(\d{{1,3}})\W{{0,3}}(?:[:.)–—-]|(?=\())\s{{0,3}}", re.I)
    for prefix, names in _PREFIX_NAMES.items()
}
_PAIR_LINE = {prefix: re.compile(rf"^(?:{prefix})-?(\d{{1,3}})\b\s*[:=→-]?\s*(.*)$", re.I) for prefix in _PREFIX_NAMES}
_ID = re.compile(r"[A-Z]{1,3}[1-9]\d{0,3}")
_MARK = re.compile(r"^\s*(?:[-*+•–]|\(?\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?")
_TEXT_KEYS = ("text", "title", "criterion", "risk", "name", "description", "value")


def split_label(text: str, prefix: str) -> tuple[str, str]:
    """("AC2", rest) for "AC-2: rest"; ("", text) where no such label stands first."""
    match = _LABELS[prefix].match(text)
    rest = text[match.end() :].strip() if match else ""
    return (f"{prefix}{int(match[1])}", rest) if match and rest else ("", text)


def distinct(entries: Iterable[dict[str, Any]], prefix: str) -> list[dict[str, Any]]:
    """The entries with different `text`, each with an `id`; a given id is kept when it is well-formed and free."""
    kept: dict[str, dict[str, Any]] = {}
    for entry in entries:
        key = normalised(entry["text"])
        if key and key not in kept:
            kept[key] = entry
    given: dict[str, str] = {}
    for key, entry in kept.items():
        own = entry.get("id", "")
        if own.startswith(prefix) and _ID.fullmatch(own):
            given.setdefault(own, key)
    keys = {key: own for own, key in given.items()}
    free = (f"{prefix}{number}" for number in count(1) if f"{prefix}{number}" not in given)
    return [{**entry, "id": keys.get(key) or next(free)} for key, entry in kept.items()]


def answered(value: Any, prefix: str, textless: bool = False) -> list[dict[str, Any]]:
    """A human's answer as entries with `text` and perhaps `id`, in whatever shape it came.

    One text (a line each, list marks allowed), a list of texts, a list of objects, one object, or {id: text}.
    `textless` keeps objects that only have an id: they change what has that id.
    """
    entries = [_entry(raw, prefix) for raw in _shapes(value)]
    return [e for e in entries if not is_placeholder(e["text"]) or (textless and e["id"] and not e["text"])]


def _shapes(value: Any) -> Sequence[Any]:
    if isinstance(value, list | tuple):
        return [part for entry in value for part in (_shapes(entry) if isinstance(entry, str) else [entry])]
    if isinstance(value, dict):
        if any(key in value for key in (*_TEXT_KEYS, "id")):
            return [value]
        return [{**entry, "id": key} if isinstance(entry, dict) else {"id": key, "text": entry}
                for key, entry in value.items()]  # fmt: skip
    return [_MARK.sub("", line) for line in as_text(value).split("\n") if line.strip()]


def _entry(raw: Any, prefix: str) -> dict[str, Any]:
    if not isinstance(raw, dict):
        given, text = split_label(as_text(raw).strip(), prefix)
        return {"id": given, "text": brief(text)}
    words = next((as_text(raw[key]) for key in _TEXT_KEYS if as_text(raw.get(key))), "")
    return {**raw, "id": id_of(raw.get("id"), prefix), "text": brief(words)}


def answered_pairs(value: Any, prefix: str, keys: tuple[str, ...]) -> list[tuple[str, Any]]:
    """A human's answer as (id, value): {id: value}, objects with an id and one of `keys`, or lines "T1: value".

    The id is "" where an entry names none.
    """
    if isinstance(value, dict) and not any(key in value for key in keys):
        return [(id_of(key, prefix), entry) for key, entry in value.items()]
    entries = value if isinstance(value, list | tuple) else [value]
    return [pair for entry in entries for pair in _pairs(entry, prefix, keys)]


def _pairs(entry: Any, prefix: str, keys: tuple[str, ...]) -> list[tuple[str, Any]]:
    if isinstance(entry, dict):
        named = next((entry[key] for key in ("id", "task", "risk") if key in entry), "")
        return [(id_of(named, prefix), entry[key]) for key in keys if key in entry][:1]
    found = []
    for line in as_text(entry).split("\n"):
        match = _PAIR_LINE[prefix].match(_MARK.sub("", line).strip())
        if match:
            found.append((f"{prefix}{int(match[1])}", match[2].strip()))
        elif line.strip():
            found.append(("", line.strip()))
    return found


def id_of(value: Any, prefix: str) -> str:
    """An id as the plan writes it, so T1 for 1, "1" and "t1"; any other id in capitals."""
    text = as_text(value).strip().upper()
    return f"{prefix}{text}" if text.isdigit() else text
