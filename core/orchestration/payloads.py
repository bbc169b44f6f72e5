"""Reading a gate's payload whatever its shape: each function answers for any JSON value and never raises."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.contract import Json


@dataclass(frozen=True, slots=True)
class Named:
    """A criterion or a risk: its id, its text with case and white space folded, and as it was written."""

    id: str
    text: str
    words: str = ""

    def is_named_by(self, word: Any) -> bool:
        """Whether somebody means this one: by its id, or by its very words."""
        return word == self.id or (bool(self.text) and folded(word) == self.text)


_NUMBER = r"(?:0|[1-9][0-9]*)"
_IDENTIFIER = rf"(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_BUILD = r"[0-9A-Za-z-]+"
_SEMVER = re.compile(
    rf"v?({_NUMBER})\.({_NUMBER})(?:\.({_NUMBER}))?"
    rf"(?:-({_IDENTIFIER}(?:\.{_IDENTIFIER})*))?(?:\+{_BUILD}(?:\.{_BUILD})*)?"
)
_PADDED = re.compile(r"(?:^|\.)0[0-9]")


def semver(text: Any) -> tuple[Any, ...] | None:
    """Precedence by SemVer 2.0.0 §11 as a comparable tuple; None for what is no version. A missing patch is 0."""
    match = _SEMVER.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        return None
    major, minor, patch, pre = match.groups()
    # Numeric identifiers rank below alphanumeric ones, and any pre-release below none at all.
    identifiers = tuple((0, _rank(p)) if p.isdigit() else (1, p) for p in pre.split(".")) if pre else ()
    return (_rank(major), _rank(minor), _rank(patch or "0"), pre is None, identifiers)


def _rank(digits: str) -> tuple[int, str]:
    """The order of numbers without leading zeros, of any length: Python makes no number of more than 4,300 digits."""
    return len(digits), digits


def comparable_versions(before: Any, after: Any) -> tuple[Any, Any]:
    """Both versions in one order: SemVer's, or PEP 440's where either is written as Python projects may.

    None stands for what is no version in that order.
    """
    old, new = semver(before), semver(after)
    if new is not None and (old is not None or before in (None, "")):
        return old, new
    # PEP 440 takes 1.0.01 for 1.0.1; only a project whose versions are dates (2024.07.04) writes it so on purpose.
    if _is_padded(after) and not _is_padded(before):
        return None, None
    return _python_version(before), _python_version(after)


def _is_padded(version: Any) -> bool:
    return isinstance(version, str) and bool(_PADDED.search(version))


def _python_version(text: Any) -> Any:
    """None also for a number that is too long for Python, which is a ValueError as InvalidVersion is."""
    from packaging.version import Version

    try:
        return Version(text) if isinstance(text, str) else None
    except ValueError:
        return None


def is_evidence(criterion: Mapping[str, Any]) -> bool:
    evidence = criterion.get("evidence")
    return bool(evidence.strip()) if isinstance(evidence, str) else bool(evidence)


def was_measured(tool: Any) -> bool:
    """Whether a tool in a report did its work. One that is only named did; a row says so by status or exit code."""
    if not isinstance(tool, Mapping):
        return isinstance(tool, str) and bool(tool.strip())
    if "status" in tool:
        return bool(tool["status"] == "measured")
    return "exit_code" not in tool or tool["exit_code"] is not None


def as_object(value: Any) -> Json:
    return dict(value) if isinstance(value, Mapping) else {}


def as_objects(value: Any) -> list[Json]:
    return [dict(v) for v in value if isinstance(v, Mapping)] if isinstance(value, list) else []


def as_strings(value: Any) -> list[str]:
    return [v for v in value if isinstance(v, str)] if isinstance(value, list) else []


def misshapen(payload: Mapping[str, Any], key: str, *shapes: type) -> list[str]:
    """A sentence for a value that is there and no list, or else for each of its entries that has none of the shapes.

    What reads only the entries that it understands calls this as well, or the others would be as good as not there.
    """
    value = payload.get(key, [])
    if not isinstance(value, list):
        return [f"{key} is {kind_of(value)}, not a list"]
    return [f"{key}: entry {n} is {kind_of(v)}" for n, v in enumerate(value, 1) if not isinstance(v, shapes)]


def as_texts(value: Any) -> list[str]:
    """The non-empty texts of a list whose entries are strings or objects with a text of their own."""
    found = []
    for entry in value if isinstance(value, list) else []:
        text = entry
        if isinstance(entry, Mapping):
            text = next(
                (entry[k] for k in ("text", "title", "name", "description", "id") if isinstance(entry.get(k), str)), ""
            )
        if isinstance(text, str) and text.strip():
            found.append(text.strip())
    return found


def as_named(value: Any, prefix: str) -> list[Named]:
    """Criteria or risks by id and text; entries without an id are numbered as the phases number them."""
    found = []
    for n, entry in enumerate(value if isinstance(value, list) else [], 1):
        given = entry.get("id") if isinstance(entry, Mapping) else None
        text = entry.get("text") if isinstance(entry, Mapping) else entry
        name = given if isinstance(given, str) and given else f"{prefix}{n}"
        found.append(Named(name, folded(text), text if isinstance(text, str) else ""))
    return found


def task_name(task: Json, n: int) -> str:
    given = task.get("id")
    return given if isinstance(given, str) and given else f"task {n}"


def folded(value: Any) -> str:
    return " ".join(value.split()).casefold() if isinstance(value, str) else ""


def as_number(value: Any) -> float | None:
    """A finite number; None for anything else, an integer that no float can hold among it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def as_count(value: Any) -> int | None:
    number = as_number(value)
    return int(number) if number is not None and number >= 0 and number == int(number) else None


def in_words(value: int | None) -> str:
    return "unknown" if value is None else str(value)


def kind_of(value: Any) -> str:
    kinds = {list: "a list", str: "a text", dict: "an object", type(None): "null"}
    return kinds.get(type(value), "a number or a boolean")
