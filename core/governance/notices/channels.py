"""`state/notifications.yaml`: the channels outside the house that a person has set up. Without the file there are none.

A channel's URL is a secret as a whole: it stands in no message, event, row or output. Errors name the line and the
key, never a value.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from core.contract import UsageError
from core.registry.documents import Document, DocumentError, Place, Problem, did_you_mean, read
from core.sanitise import one_line

FILE_NAME: Final = "notifications.yaml"
VERSION: Final = 1

CONSOLE, FILE = "console", "file"
HOUSE = (CONSOLE, FILE)
"""The channels of the house: always there, and told of everything."""

PAGING = ("IMMEDIATE", "DAILY")
"""Urgencies of which channels outside the house may be told; a WEEKLY question waits for its review and never pages."""

SUBJECTS: Mapping[str, str] = {
    "questions": "questions that wait for a human, when they come up, become more urgent, are handed over or expire",
    "reminders": "questions that still wait",
    "releases": "work items that are released",
    "briefing": "the daily briefing",
    "reviews": "scope reviews, changes of authority that people ask for, and proposals to take authority back",
    "decisions": "decisions dropped as files, applied or refused, and answers that came late",
}
"""What a channel can be told of."""

MOST_CHANNELS = 16
MOST_CHARACTERS = 4_096
"""Of a URL."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]{0,127})\}")
_OF_MODELS = re.compile(r"(anthropic|claude|openai)_", re.IGNORECASE)
"""Variables that hold what a model is paid with: no notice needs one."""
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9]{0,23})://")
_HELD_SECRET = re.compile(r"://[^/@\s]*:[^/@\s]+@|[A-Za-z0-9_-]{16,}")
"""A password before the host, or a word as long as a token's."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One way out of the house. `url` is as the file has it, with the names of variables in place of their values."""

    name: str
    url: str = field(repr=False)
    urgencies: tuple[str, ...] = PAGING
    what: tuple[str, ...] = tuple(SUBJECTS)

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(_VARIABLE.findall(self.url))

    @property
    def holds_secret(self) -> bool:
        """Whether what looks like a password or a token stands in the file itself."""
        return bool(_HELD_SECRET.search(_VARIABLE.sub("", self.url)))

    def missing(self, environment: Mapping[str, str]) -> tuple[str, ...]:
        """The variables that the URL names and that have no value where apm runs."""
        return tuple(name for name in self.variables if not environment.get(name))

    def address(self, environment: Mapping[str, str]) -> str:
        """The URL with its variables filled in: a part is quoted as URLs quote, a whole URL stands as it is.

        Raises UsageError naming the channel and the variable that is not set.
        """
        if missing := self.missing(environment):
            raise UsageError(f"The channel {self.name} needs the variable {missing[0]}, which is not set here.")
        if _VARIABLE.fullmatch(self.url):
            return environment[self.variables[0]].strip()
        return _VARIABLE.sub(lambda match: quote(environment[match[1]], safe=""), self.url)

    def secrets(self, environment: Mapping[str, str]) -> frozenset[str]:
        """What no notice may say of it: its URL as it is called, and the value of each variable in it.

        Raises UsageError as `address` does.
        """
        return frozenset({self.address(environment), *(environment[name] for name in self.variables)})

    def scheme(self, environment: Mapping[str, str]) -> str:
        """What its URL begins with, the one part of it that may be shown; "" where that cannot be told."""
        url = self.url if _SCHEME.match(self.url) or self.missing(environment) else self.address(environment)
        found = _SCHEME.match(url)
        return found[1].lower() if found else ""


@dataclass(frozen=True, slots=True)
class Channels:
    """The channels outside the house, and whether others on the machine can read the file that holds their URLs."""

    outside: tuple[Channel, ...] = ()
    is_readable_by_others: bool = False

    @property
    def by_name(self) -> dict[str, Channel]:
        return {channel.name: channel for channel in self.outside}


def read_channels(state: Path) -> Channels:
    """The channels of the `state/` folder. Raises DocumentError with every problem and its line."""
    path = state / FILE_NAME
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return Channels()
    except OSError:
        mode = 0  # Reading it says why it cannot be read.
    document = read(path)
    outside, problems = _channels(document)
    if problems:
        raise DocumentError(document.source, problems)
    return Channels(outside, bool(stat.S_IMODE(mode) & 0o077))


def _channels(document: Document) -> tuple[tuple[Channel, ...], list[Problem]]:
    data = document.data
    if not isinstance(data, Mapping):
        return (), [document.problem((), f"is no mapping; it begins with `version: {VERSION}` and `channels:`")]
    problems = _unknown_keys(document, (), data, ("version", "channels"))
    if data.get("version") != VERSION or isinstance(data.get("version"), bool):
        problems.append(document.problem(("version",), f"must be {VERSION}"))
    entries = data.get("channels")
    if not isinstance(entries, list):
        return (), [*problems, document.problem(("channels",), "must be a list of channels")]
    if len(entries) > MOST_CHANNELS:
        problems.append(document.problem(("channels",), f"has more than {MOST_CHANNELS} entries"))
    for n, entry in enumerate(entries):
        problems += _entry_problems(document, ("channels", n), entry)
    problems += _twice(document, entries)
    return (() if problems else tuple(_channel(entry) for entry in entries)), problems


def _channel(entry: Mapping[str, Any]) -> Channel:
    return Channel(
        entry["name"],
        entry["url"].strip(),
        tuple(entry.get("urgencies", PAGING)),
        tuple(entry.get("what", SUBJECTS)),
    )


def _entry_problems(document: Document, place: Place, entry: Any) -> list[Problem]:
    if not isinstance(entry, Mapping):
        return [document.problem(place, "must be a mapping with name and url")]
    problems = _unknown_keys(document, place, entry, ("name", "url", "urgencies", "what"))
    for key, fault in (
        ("name", _name_fault(entry.get("name"))),
        ("url", _url_fault(entry.get("url"))),
        ("urgencies", _list_fault(entry.get("urgencies", list(PAGING)), PAGING)),
        ("what", _list_fault(entry.get("what", list(SUBJECTS)), tuple(SUBJECTS))),
    ):
        if fault:
            problems.append(document.problem((*place, key), fault))
    return problems


def _name_fault(name: Any) -> str:
    if name is None:
        return "is missing; every channel needs a name"
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return "must be 1 to 32 of a-z, 0-9, _ and -, with a letter or a digit first"
    return f"is taken: {name} is a channel of the house, which is always there" if name in HOUSE else ""


def _url_fault(url: Any) -> str:
    """What is wrong with a URL, without a letter of it. Whether Apprise can use it is only known when it is loaded."""
    if url is None:
        return "is missing; every channel needs the URL of a service, as Apprise writes it"
    if not isinstance(url, str) or not url.strip():
        return "must be text; put quotes around it"
    if len(url) > MOST_CHARACTERS:
        return f"is longer than {MOST_CHARACTERS} characters"
    if one_line(url, MOST_CHARACTERS) != url.strip() or " " in url.strip():
        return "holds spaces or control characters; write one URL, without any"
    if "${" in _VARIABLE.sub("", url):
        return "has a `${` that names no variable; write ${NAME}, or %24%7B for the two characters"
    if kept := next(filter(_OF_MODELS.match, _VARIABLE.findall(url)), None):
        return f"names {kept}, which is for a model's provider; no channel is told it"
    if not _SCHEME.match(url.strip()) and not _VARIABLE.fullmatch(url.strip()):
        return "must begin with a scheme, as in mailto:// or slack://, or be one ${NAME} as a whole"
    return ""


def _list_fault(value: Any, known: Sequence[str]) -> str:
    if not isinstance(value, list) or not value:
        return f"must be a list of {', '.join(known)}"
    strange = [item for item in value if item not in known]
    if not strange:
        return "names one twice" if len(set(value)) < len(value) else ""
    if strange[0] == "WEEKLY":
        return f"cannot have WEEKLY: a weekly question never pages; it takes {', '.join(known)}"
    hint = did_you_mean(strange[0], known) if isinstance(strange[0], str) else ""
    return f"takes {', '.join(known)}, and nothing else{hint}"


def _unknown_keys(document: Document, place: Place, found: Mapping[str, Any], known: Sequence[str]) -> list[Problem]:
    problems = []
    for key in found:
        if key in known:
            continue
        if _NAME.fullmatch(key.lower()):
            problems.append(document.problem((*place, key), "is not a key known here" + did_you_mean(key, known)))
        else:
            # A line that lost its colon may have a URL for a key.
            text = f"has a key that is none; known are {', '.join(known)}"
            problems.append(Problem(document.line_of((*place, key)), document.name_of(place), text))
    return problems


def _twice(document: Document, entries: Sequence[Any]) -> list[Problem]:
    seen: set[str] = set()
    problems = []
    for n, entry in enumerate(entries):
        name = entry.get("name") if isinstance(entry, Mapping) else None
        if isinstance(name, str) and _NAME.fullmatch(name):
            if name in seen:
                problems.append(document.problem(("channels", n, "name"), f"stands twice: {name} names one channel"))
            seen.add(name)
    return problems
