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


_SEMVER = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")


def semver(text: Any) -> tuple[Any, ...] | None:
    """Precedence by SemVer 2.0.0 §11 as a comparable tuple; None for what is no version. A missing patch is 0."""
    match = _SEMVER.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        return None
    major, minor, patch, pre = match.groups()
    # Numeric identifiers rank below alphanumeric ones, and any pre-release below none at all.
    identifiers = tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in pre.split(".")) if pre else ()
    return (int(major), int(minor), int(patch or 0), pre is None, identifiers)


def comparable_versions(before: Any, after: Any) -> tuple[Any, Any]:
    """Both versions in one order: SemVer's, or PEP 440's where either is written as Python projects may.

    None stands for what is no version in that order.
    """
    old, new = semver(before), semver(after)
    if new is not None and (old is not None or before in (None, "")):
        return old, new
    return _python_version(before), _python_version(after)


def _python_version(text: Any) -> Any:
    from packaging.version import InvalidVersion, Version

    try:
        return Version(text) if isinstance(text, str) else None
    except InvalidVersion:
        return None


def is_evidence(criterion: Mapping[str, Any]) -> bool:
    evidence = criterion.get("evidence")
    return bool(evidence.strip()) if isinstance(evidence, str) else bool(evidence)


def as_object(value: Any) -> Json:
    return dict(value) if isinstance(value, Mapping) else {}


def as_objects(value: Any) -> list[Json]:
    return [dict(v) for v in value if isinstance(v, Mapping)] if isinstance(value, list) else []


def as_strings(value: Any) -> list[str]:
    return [v for v in value if isinstance(v, str)] if isinstance(value, list) else []


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
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def as_count(value: Any) -> int | None:
    number = as_number(value)
    return int(number) if number is not None and number >= 0 and number == int(number) else None


def in_words(value: int | None) -> str:
    return "unknown" if value is None else str(value)


def kind_of(value: Any) -> str:
    return {list: "a list", str: "a text", type(None): "null"}.get(type(value), "a number or a boolean")
