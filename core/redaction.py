"""Text without what looks like a secret, before it leaves the house or is kept: in a notice, to or from a model.

Agents and repositories put into a text what they came across, keys included. What is matched is what keys are known to
look like, and what stands where a password stands. For people a word too many is replaced rather than one too few; a
model edits what it reads, so in a text for it only a value that looks like a secret goes, and the code around it stays.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any
from urllib.parse import unquote

MARK = "[redacted]"
"""What stands for a secret. A model echoes it: a write that brings it into a file which had none destroys a secret."""

_PATTERNS: tuple[re.Pattern[str], ...] = (
    # A private key, to its end or to the end of the text.
    re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----.*?(?:-----END [A-Z0-9 ]{0,40}-----|\Z)", re.S),
    # Keys that say by their first letters whose they are: language models, forges, clouds, chats, payments, packages.
    re.compile(
        r"\b(?:sk-|[rsp]k_live_|gh[opusr]_|github_pat_|glpat-|xox[a-z]-|xapp-|npm_|pypi-|hf_|dop_v1_|SG\.|ya29\.)"
        r"\w[\w.\-]{8,}"
    ),
    re.compile(r"\b(?:AKIA|ASIA|AGPA|AROA)[A-Z0-9]{12,}\b"),
    re.compile(r"\bAIza[\w\-]{30,}"),
    # A signed token: three parts in base64, the first of which is a JSON object.
    re.compile(r"\beyJ[A-Za-z0-9_\-]{8,400}\.[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]*)?"),
    # Webhooks, whose path is all that is needed to write there.
    re.compile(
        r"\bhttps?://(?:hooks\.slack(?:-gov)?\.com|(?:\w{1,20}\.)?discord(?:app)?\.com/api/webhooks"
        r"|[\w.\-]{1,80}\.webhook\.office\.com)/[^\s\"'<>]+",
        re.IGNORECASE,
    ),
)

_IN_URL = re.compile(r"(\b[A-Za-z][A-Za-z0-9+.\-]{0,24}://(?:[^/\s:@\"'<>]{0,80}:)?)[^\s@\"'<>]{1,400}(@)")
_IN_HEADER = re.compile(r"\b((?:Bearer|Basic|Token)\s+)[A-Za-z0-9+/_.\-=~]{8,}", re.IGNORECASE)
_NAMED = re.compile(
    r"((?:password|passwd|passphrase|pass|secret[_-]?key|secret|api[_-]?key|access[_-]?key|private[_-]?key|auth[_-]?token|access[_-]?token"
    r"|token|pwd|credentials?)\\?[\"']?\s{0,4}(?::=|=>|[:=])\s{0,4})"
    r"(\\?\"[^\"\n]{4,}\"|'[^'\n]{4,}'|[^\s\"',;)\]}]{6,})",
    re.IGNORECASE,
)
"""A value after a name that says what it is. Short words stay: `token: none` is no secret."""

_NAMES = (
    r"(?:password|passwd|passphrase|pwd|secret|token|credentials?"
    r"|(?:secret|api|access|private|auth|signing|encryption)[_-]?key)"
)
# A literal in code, in JSON or in a call: `password: str = "…"`, `"token": "…"`, `setenv("API_KEY", "…")`.
_LITERAL = re.compile(
    rf"({_NAMES}\\?[\"']?\s{{0,4}}(?::\s{{0,4}}[\w\[\]|. ]{{1,40}}=|:=|=>|==|[:=,(])\s{{0,4}}[rbuf]?)"
    r"(\\?[\"'])([^\"'\\\s]{6,400})(\\?[\"'])",
    re.IGNORECASE,
)
# A whole line of an environment file, a properties file or YAML.
_ASSIGNED = re.compile(
    rf"^([ \t]*(?:export |set |ENV |-e )?[\w.\-]{{0,80}}{_NAMES}[ \t]{{0,4}}[:=][ \t]{{0,4}})"
    r"([^\s\"'`,;()\[\]{}<>$]{6,400})[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_IN_QUERY = re.compile(rf"([?&]{_NAMES}=)([^&\s\"'`(){{}}<>$]{{6,400}})", re.IGNORECASE)
_IN_AUTHORITY = re.compile(
    r"(\b[A-Za-z][A-Za-z0-9+.\-]{0,24}://[^/\s:@\"'<>{}$]{0,80}:)([^/\s@\"'<>{}$%]{3,200})(@[\w\[])"
)
_SENT_HEADER = re.compile(r"\b((?:Bearer|Basic|Token)\s+)([A-Za-z0-9+/_.\-=~]{12,})", re.IGNORECASE)

_SECRET_NAME = re.compile(
    r"(?:^|_)(?:\w*KEY|\w*TOKEN|\w*SECRET|\w*PASSWORD|\w*PASSWD|PASSPHRASE|CREDENTIALS?)S?(?:_|$)", re.IGNORECASE
)
_PASSWORD_IN_URL = re.compile(r"://[^\s:/@]*:([^\s/@]+)@")
_OPEN_HEADERS = frozenset({"accept", "content-type", "user-agent", "anthropic-beta", "anthropic-version"})
_SHORTEST_SECRET = 8
"""Characters. What is shorter stands in too many texts that have nothing to do with it."""


def redact(text: str) -> str:
    """The text with each secret replaced by a mark: the values of this process's own, and whatever looks like one."""
    text = _without_keys(own_redactor().known(text))
    text = _IN_URL.sub(rf"\1{MARK}\2", text)
    text = _IN_HEADER.sub(rf"\1{MARK}", text)
    return _NAMED.sub(rf"\1{MARK}", text)


def secrets_of(environ: Mapping[str, str]) -> frozenset[str]:
    """What the environment holds in confidence: the values of the variables whose names say that they hold a key, a
    token, a secret or a password, what is sent in headers of one's own, and the passwords of proxies."""
    found: set[str] = set()
    for name, value in environ.items():
        if _SECRET_NAME.search(name):
            found.add(value)
        elif name.upper().endswith("_HEADERS"):
            found.update(*map(_in_header, value.splitlines()))
        elif name.upper().endswith("_PROXY"):
            # Only theirs: the password of a database on one's own machine is often a word that stands in its code.
            found.update(*((password, unquote(password)) for password in _PASSWORD_IN_URL.findall(value)))
    return frozenset(value for value in found if len(value) >= _SHORTEST_SECRET)


def _in_header(line: str) -> tuple[str, ...]:
    """The value of a header, and the last word of it, which is the token of an authorization."""
    name, _, value = line.partition(":")
    words = value.split()
    return (value.strip(), words[-1]) if words and name.strip().casefold() not in _OPEN_HEADERS else ()


@cache
def own_redactor() -> Redactor:
    """Knows the secrets of this process's environment, as it was when first asked for."""
    return Redactor(secrets_of(os.environ))


@dataclass(frozen=True, slots=True)
class Redactor:
    """Takes secrets out of what is sent to a model: `secrets` wherever they stand, and what looks like one."""

    secrets: frozenset[str] = field(default_factory=frozenset, repr=False)
    text: Callable[[str], str] = field(init=False, repr=False, compare=False)
    """A text without known secrets and without literals that look like one; a second time changes nothing.

    Half a second per megabyte, so what was read lately is remembered: a dialogue is sent again with every turn.
    """
    _exactly: re.Pattern[str] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_exactly", _any_of(self.secrets))
        object.__setattr__(self, "text", lru_cache(maxsize=512)(self._text))

    def known(self, text: str) -> str:
        """The text without the secrets that are known by their value."""
        return self._exactly.sub(MARK, text) if self._exactly else text

    def _text(self, text: str) -> str:
        text = _without_keys(self.known(text))
        text = _IN_AUTHORITY.sub(rf"\1{MARK}\3", text)
        for pattern in (_LITERAL, _ASSIGNED, _IN_QUERY, _SENT_HEADER):
            text = pattern.sub(_masked, text)
        return text

    def content(self, value: Any) -> Any:
        """A JSON value with every string in it redacted; keys and other values stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.content(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.content(item) for item in value]
        return value


def _without_keys(text: str) -> str:
    for pattern in _PATTERNS:
        text = pattern.sub(MARK, text)
    return text


def _any_of(secrets: Iterable[str]) -> re.Pattern[str] | None:
    longest_first = sorted((secret for secret in secrets if len(secret) >= _SHORTEST_SECRET), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first))) if longest_first else None


def _masked(found: re.Match[str]) -> str:
    """The match with its secret replaced. The secret is the group of values; quotes around it stay, so code parses."""
    groups = found.groups()
    place = 2 if len(groups) == 4 else 1
    if not _looks_secret(groups[place]):
        return found.group()
    return "".join(MARK if index == place else part for index, part in enumerate(groups))


def _looks_secret(value: str) -> bool:
    """Letters and digits together, or a long word of both cases: what a generator makes, or a person with a rule."""
    if "." in value and all(map(str.isidentifier, value.split("."))):
        return False  # an attribute, or a host
    letters, digits = any(map(str.isalpha, value)), any(map(str.isdigit, value))
    both_cases = value != value.lower() and value != value.upper()
    return (letters and digits) or (both_cases and len(value) >= 16 and not value.isidentifier())
