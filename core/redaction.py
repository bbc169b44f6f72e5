"""Text without what looks like a secret, before it leaves the house or is kept: a notice, a prompt, a model's turn.

Agents and repositories put into a question what they came across, keys included. What is matched is what keys are
known to look like, and what stands where a password stands: a word too many is replaced rather than one too few.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MARK = "[redacted]"

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


def redact(text: str) -> str:
    """The text with each secret replaced by a mark. What is no secret but looks like one is replaced too."""
    for pattern in _PATTERNS:
        text = pattern.sub(MARK, text)
    text = _IN_URL.sub(rf"\1{MARK}\2", text)
    text = _IN_HEADER.sub(rf"\1{MARK}", text)
    return _NAMED.sub(rf"\1{MARK}", text)


def redacted(value: Any) -> Any:
    """A JSON value with every text in it redacted; its keys stay."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {key: redacted(entry) for key, entry in value.items()}
    return [redacted(entry) for entry in value] if isinstance(value, list | tuple) else value
