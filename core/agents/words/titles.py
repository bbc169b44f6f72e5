"""A task's title from the words of its criterion: the same words, turned towards the one who does it."""

from __future__ import annotations

import re

from core.agents.words.text import brief

TITLE_CHARACTERS = 100

_MODAL = r"(?:must|shall|should|will|needs? to|has to|have to)"
_PASSIVE = r"(?!not\b|never\b|be\b|have\b|only\b|always\b|no\b)"
_TURNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(rf"^(.{{2,60}}?) (?:{_MODAL} be able to|can) (?!not\b|only\b|be\b)(\w.*)$", re.I), "Let {0} {1}"),
    (re.compile(rf"^(.{{2,60}}?) {_MODAL} {_PASSIVE}(\w.*)$", re.I), "Make {0} {1}"),
)
"""Subject, modal verb, what it does. Denials and passives stay as they are: turned round they read worse."""
_IDS_AT_END = re.compile(
    r"(?:,? ?(?:\((?:AC-?\d{1,4}(?:, | and |,)?){1,20}\)"
    r"|(?:after|depends on|requires|once) (?:(?:T|task |step |#)\d{1,4}(?:, | and )?){1,20}(?: is done)?)){1,3}$",
    re.I,
)
_NAME = re.compile(r"^([^:]{3,90}): (?=given\b|when\b)", re.I)
_BEFORE_SUBJECT = re.compile(r"\b(?:if|when|whenever|once|after|before|while|given|unless|that|which|,|:|;|`)", re.I)


_CODE = re.compile(r"\S*[^\w\s'’,;:!?-]|\S*[a-z][A-Z]|\S*[\d_]")
"""A first word that is a name in code, such as `sub(5,3)`, `csv.writer` or `isEmpty`: it is written as it is."""


def task_title(words: str) -> str:
    """One line of at most TITLE_CHARACTERS that begins with a capital and has no full stop at its end."""
    text = brief(words).rstrip(" .;")
    scenario = _NAME.match(text)
    text = scenario[1] if scenario else _turned(text)
    return _shortened(text if _CODE.match(text) else text[:1].upper() + text[1:])


def listed_title(words: str) -> str:
    """A listed task's own words, without the ids of criteria and tasks at their end, which the plan has as data."""
    return _shortened(_IDS_AT_END.sub("", brief(words).rstrip(" .;")) or brief(words))


def _turned(text: str) -> str:
    for pattern, form in _TURNS:
        match = pattern.match(text)
        if match and not _BEFORE_SUBJECT.search(match[1]):
            subject, does = match[1], match[2]
            return form.format(_lower_first(subject), does)
    return text


def _lower_first(subject: str) -> str:
    """A subject inside a sentence; a name or an abbreviation keeps its capital."""
    first = subject.split()[0]
    ordinary = first.lower() in ("the", "a", "an", "each", "every", "all", "it", "its", "this", "users", "user", "no")
    return subject[0].lower() + subject[1:] if ordinary else subject


def _shortened(text: str) -> str:
    if len(text) <= TITLE_CHARACTERS:
        return text
    return text[: TITLE_CHARACTERS - 1].rsplit(" ", 1)[0].rstrip(" .,;:") + "…"
