"""Words as such: marks taken off, sentences told apart, stems to compare by. All in linear time.

Nothing here uses a pattern whose quantifiers can trade characters with each other: a body of 2 MB is one line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from core.sanitise import one_line, sanitise

BODY_CHARACTERS = 4 * 2**20
"""Of a request's body, twice what an agent must take."""
TEXT_CHARACTERS = 1_000
"""Of one extracted text: a criterion that is longer is no criterion."""

_CODE_SPAN = re.compile(r"`[^`\n]+`")
_LINK = re.compile(r"!?\[([^\[\]\n]{0,300})\]\([^()\s]{0,1000}\)")
_STRONG = re.compile(r"\*\*([^*\n]+)\*\*")
_EMPHASIS = re.compile(
    r"(?<![\w*])\*([^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])|(?<![\w`])_([^\s_](?:[^_\n]*[^\s_])?)_(?![\w`])"
)
_TAG = re.compile(
    r"</?(?:a|b|blockquote|br|center|code|del|details|div|em|font|h[1-6]|hr|i|img|ins|kbd|li|ol|p|pre|s|span|strong"
    r"|sub|summary|sup|table|tbody|td|th|thead|tr|u|ul)(?:\s[^<>\n]{0,300})?/?>",
    re.I,
)
"""Only these: `<year>` in prose stands for a word."""


def word_set(text: str) -> frozenset[str]:
    """A table of words, written as one text."""
    return frozenset(text.split())


_SENTENCE_END = re.compile(r"(?<![.!?])[.!?]+[\"')\]»”’]*\s+")
_ABBREVIATIONS = word_set(
    "e.g i.e cf vs approx ca dr mr mrs ms no nr fig sec ch vol pp resp incl excl max min dept st inc ltd jan feb mar "
    "apr jun jul aug sep sept oct nov dec eq ref al viz a.k.a w.r.t"
)

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
STOP_WORDS = word_set(
    "a about after all also am an and any are as at be been before being both but by can cannot could did do does "
    "each every for from get gets got had has have having he her here his how i if in into is it its just like may "
    "me might more most must my need needs new no nor not now of off on once one only onto or other our out over own "
    "per please same shall she should so some such than that the their them then there these they this those through "
    "to too under until up us use used uses using very via want wants was we were what when where which while who "
    "whom why will with within without would you your"
)
_ENDINGS = (("ies", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("es", "e"), ("s", ""))
_KEEPS_ITS_S = ("ss", "us", "is")


def as_text(value: Any, limit: int = BODY_CHARACTERS) -> str:
    """What a person or a program wrote, as sanitised text; "" for what is no text (None, mappings, booleans)."""
    if isinstance(value, str):
        return sanitise(value, limit=limit)
    if isinstance(value, list | tuple):
        return "\n".join(filter(None, (as_text(entry, limit) for entry in value)))[:limit]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return ""


def plain(text: str) -> str:
    """`text` on one line without emphasis, link targets and HTML tags. Code spans stay as they are written."""
    parts: list[str] = []
    at = 0
    for span in _CODE_SPAN.finditer(text):
        parts += [_unmarked(text[at : span.start()]), span[0]]
        at = span.end()
    parts.append(_unmarked(text[at:]))
    return " ".join("".join(parts).replace("**", "").split())


def _unmarked(text: str) -> str:
    # Every pattern is tried only where its first character occurs: most text has none of them.
    if "[" in text:
        text = _LINK.sub(r"\1", text)
    if "<" in text:
        text = _TAG.sub(" ", text)
    if "*" in text or "_" in text:
        text = _EMPHASIS.sub(lambda match: match[1] or match[2], _STRONG.sub(r"\1", text))
    return text


def brief(text: str, limit: int = TEXT_CHARACTERS) -> str:
    """`text` as one extracted line, cut with an ellipsis where it is longer than `limit` characters."""
    return one_line(text, limit)


def sentences(text: str) -> Iterator[tuple[int, str]]:
    """(offset, sentence) in order. Versions, file names, addresses, abbreviations and code spans stay whole."""
    start = 0
    for end in _sentence_ends(text):
        if sentence := text[start:end].strip():
            yield start, sentence
        start = end
    if rest := text[start:].strip():
        yield start, rest


def _sentence_ends(text: str) -> Iterator[int]:
    spans = _CODE_SPAN.finditer(text)
    span = next(spans, None)
    for match in _SENTENCE_END.finditer(text):
        while span and span.end() <= match.start():
            span = next(spans, None)
        in_code = span is not None and span.start() < match.start()
        if not in_code and not _abbreviated(text, match):
            yield match.end()


def _abbreviated(text: str, end: re.Match[str]) -> bool:
    """Whether the full stop belongs to the word before it, or to three dots within a sentence."""
    if text[end.start()] != ".":
        return False
    before = text[max(end.start() - 24, 0) : end.start()]
    word = before.split()[-1].lstrip("(\"'[").lower() if before.split() else ""
    following = text[end.end() : end.end() + 1]
    if word in _ABBREVIATIONS or (len(word) == 1 and word.isalpha() and word != "i"):
        return True
    if word == "etc" or end[0].startswith("..."):
        return following.islower()
    return word.isdigit() and before.strip() == word


def words(text: str) -> list[str]:
    """The words of `text` in lower case, in order."""
    return _WORD.findall(text.lower())


def stem(word: str) -> str:
    """A word's beginning, for comparing "exports", "exported" and "export"; no dictionary, no claim to be right."""
    if word.endswith(_KEEPS_ITS_S):
        return word
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return (word[: len(word) - len(ending)] + instead).removesuffix("e")
    return word.removesuffix("e") if len(word) > 3 else word


def content_stems(text: str) -> frozenset[str]:
    """The stems of the words that carry meaning: what two texts share when they speak of the same thing."""
    return frozenset(stem(word) for word in words(text) if word not in STOP_WORDS)


def normalised(text: str) -> str:
    """Equal for texts that differ only in case, marks and white space."""
    return " ".join(words(text)) or text.strip().lower()
