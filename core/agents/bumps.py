"""Which version a release gets.

A version is SemVer where it can be read as SemVer, else PEP 440 (`1.2`, `1.2.3rc1`, `2024.1`). PEP 440 versions keep
their number of components where those can say the change (`1.2` + minor is `1.3`, `1.2` + patch is `1.2.1`).
Calendar versions (first component a year) only ever count their last component up: apm cannot know which component is
the month, and a person who wants another version answers `version`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from packaging.version import Version

from core.contract import Json

LEVELS = ("major", "minor", "patch")
LEVEL_OF_TYPE = {"feature": "minor", "bug": "patch", "chore": "patch", "docs": "patch", "spike": "patch"}
BREAKING_TAGS = frozenset({"breaking", "breaking-change"})
CALENDAR_YEARS = range(1990, 2200)
MAX_VERSION = 100
"""Characters; longer is no version."""

_SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
    r"(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?",
    re.ASCII,
)
_BREAKING_FOOTER = re.compile(r"^BREAKING[ -]CHANGE(?::| #)", re.MULTILINE)
_BREAKING_SUBJECT = re.compile(r"\w+(?:\([^()\n]*\))?!:")
_NUMBERS = re.compile(r"(?:\d+!)?\d+(?:\.\d+)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Bump:
    """How far a release moves the version, and why. `breaking` stays true where 0.x turns it into a minor bump."""

    level: str
    reason: str
    breaking: bool = False


def bump_of(work_item: Json, messages: Sequence[str], current: str) -> Bump:
    """The level that a work item's type and its breaking markers ask for; `messages` are whole commit messages."""
    kind = str(work_item.get("type", ""))
    marker = _breaking_marker(work_item, messages)
    if marker and _components(current)[0] == 0:
        return Bump("minor", f"{marker}; below 1.0 a breaking change raises the minor number", breaking=True)
    if marker:
        return Bump("major", marker, breaking=True)
    return Bump(LEVEL_OF_TYPE.get(kind, "patch"), f"the work item is a {kind or 'change without a type'}")


def _breaking_marker(work_item: Json, messages: Sequence[str]) -> str:
    tags = {str(tag).lower() for tag in work_item.get("tags", ())}
    if tags & BREAKING_TAGS:
        return f"the work item is tagged {sorted(tags & BREAKING_TAGS)[0]!r}"
    for message in messages:
        subject = message.strip().partition("\n")[0]
        if _BREAKING_SUBJECT.match(subject) or _BREAKING_FOOTER.search(message):
            return f"the commit {subject[:80]!r} is marked as breaking"
    return ""


def is_version(text: str) -> bool:
    """Whether `text` is a SemVer or PEP 440 version that can also name a tag and a folder."""
    if not 0 < len(text) <= MAX_VERSION or not re.fullmatch(r"\d[0-9A-Za-z.!+_-]*", text, re.ASCII) or ".." in text:
        return False
    try:
        _key(text)
    except ValueError:
        return False
    return True


def is_greater(new: str, old: str) -> bool:
    """Precedence by SemVer when both are SemVer, else by PEP 440; raises ValueError for what is neither."""
    return bool(_key(new, old) > _key(old, new))


def _key(version: str, other: str = "") -> Any:
    """What versions are compared by; `other` is the version on the other side of the comparison."""
    match = _SEMVER.fullmatch(version)
    if match and (not other or _SEMVER.fullmatch(other)):
        numbers = tuple(int(part) for part in match.groups()[:3])
        return (*numbers, match[4] is None, tuple(_identifier_key(part) for part in (match[4] or "").split(".")))
    return Version(version)


def _identifier_key(identifier: str) -> tuple[bool, int, str]:
    """SemVer 11.4: numbers before words, numbers by value, words by their ASCII order."""
    return (False, int(identifier), "") if identifier.isdigit() else (True, 0, identifier)


def next_version(current: str, level: str) -> str:
    """The release that follows `current`; always greater. Raises ValueError for a version that cannot be read.

    A pre-release (also `.dev`) is followed by its own release when that already says the level.
    """
    _key(current)
    numbers = _NUMBERS.match(current)
    if numbers is None:
        raise ValueError(f"{current!r} does not begin with a number")
    epoch, _, release = numbers[0].rpartition("!")
    parts = release.split(".")
    counted = _counted(parts, LEVELS.index(level), pending=_is_prerelease(current))
    return (f"{epoch}!" if epoch else "") + ".".join(counted)


def _counted(parts: list[str], index: int, *, pending: bool) -> list[str]:
    """The release numbers after counting up at `index`; `pending` when they have not been released yet."""
    if int(parts[0]) in CALENDAR_YEARS:
        index = max(len(parts) - 1, 1)
    if pending and not any(int(part) for part in parts[index + 1 :]):
        return parts
    padded = parts + ["0"] * (index + 1 - len(parts))
    raised = str(int(padded[index]) + 1).zfill(len(padded[index]))
    return [*padded[:index], raised, *("0" for _ in padded[index + 1 :])]


def _is_prerelease(version: str) -> bool:
    match = _SEMVER.fullmatch(version)
    return match[4] is not None if match else Version(version).is_prerelease


def _components(version: str) -> tuple[int, ...]:
    """The release numbers of a version; raises ValueError for what is none."""
    match = _SEMVER.fullmatch(version)
    return tuple(int(part) for part in match.groups()[:3]) if match else Version(version).release
