"""The border for text that came from an agent, a repository, a file or a tool.

A terminal obeys what it prints: `ESC ]52` writes the clipboard, bidirectional controls make code read as what it is
not, tag characters carry text that nobody sees. What passes here is only what a reader can see.
"""

from __future__ import annotations

import re

ONE_LINE_LIMIT = 200
"""Characters of a line in a list or a sentence."""

_LINE_END = "\r\n|[\r\n\x0b\x0c\x85\u2028\u2029]"

# A control string that is not ended on its own line loses only its introducer: otherwise one stray `ESC ]` in a
# file would hide the rest of it from the person who reviews it. None holds the introducer of another: looking for the
# end of each of many would take time with the square of their number.
_SEQUENCE = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"
    "|(?:\x1b[\\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x90\x98\x9c-\x9f\r\n]*(?:\x07|\x1b\\\\|\x9c)"
    "|\x1b[ -/]+[0-~]"
    "|\x1b[0-~]?"
)

# Controls, surrogates, and what Unicode calls default-ignorable (zero-width, bidirectional, tags, fillers), with
# the interlinear marks. The two emoji presentation selectors stay: without them a heart changes its looks.
_HIDDEN = (
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_JOINERS = "\u200c\u200d"
_INVISIBLE = re.compile(f"[{_HIDDEN}{_JOINERS}]")
_INVISIBLE_BUT_JOINERS = re.compile(f"[{_HIDDEN}]")
# Hebrew to the last of India's scripts, and what may be an emoji.
_JOINED = "[\u0590-\u1cff\u2190-\u2bff\ufe0e\ufe0f\U0001f000-\U0001faff]"
_UNJOINED = re.compile(f"(?<!{_JOINED})[{_JOINERS}]|[{_JOINERS}](?!{_JOINED})")
_UNSEEN = re.compile(f"{_INVISIBLE.pattern}|[\r\x0b\x0c\x85\u2028\u2029]|(?<=[\ufe0e\ufe0f])[\ufe0e\ufe0f]")
_SELECTORS = re.compile("([\ufe0e\ufe0f])[\ufe0e\ufe0f]+")
_LINE_ENDS = re.compile(_LINE_END)
_WHITE = re.compile("[\t\n]")


def sanitise(text: str, *, limit: int = 100_000, keep_newlines: bool = True) -> str:
    """`text` without anything that a terminal obeys or an eye misses, at most `limit` characters long.

    Line ends of every kind become `\\n`, tabs stay; with `keep_newlines=False` both become one space. A text that
    is too long keeps its beginning and ends in a mark that says how many characters are missing. Idempotent.
    """
    visible = _cleaned(text, _INVISIBLE)
    if not keep_newlines:
        visible = _WHITE.sub(" ", visible)
    return _bounded(visible, limit)


def as_written(text: str, *, limit: int = 100_000) -> str:
    """As `sanitise`, for what a person wrote and others are to have word for word: the joiners stay that Persian, Hindi
    and many an emoji are spelled with, between two characters that may be such. A screen takes them out."""
    return _bounded(_UNJOINED.sub("", _cleaned(text, _INVISIBLE_BUT_JOINERS)), limit)


def visible(text: str, *, limit: int = 100_000) -> str:
    """`text` with everything that a terminal obeys or an eye misses written out as `⟨U+001B⟩`; `sanitise` keeps that.

    For what a person is to allow word for word: what was taken out instead would be allowed unseen. `\\n` and tabs
    stay. One that is too long ends in the mark that `sanitise` gives it.
    """
    return _bounded(_UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text[: limit + 1]), limit, len(text))


def one_line(text: str, limit: int = ONE_LINE_LIMIT) -> str:
    """`text` on one line: sanitised, every run of white space one space, an ellipsis where it was cut."""
    line = " ".join(sanitise(text, limit=len(text)).split())
    return line if len(line) <= limit else line[: max(limit - 1, 0)].rstrip() + "…"[:limit]


def _cleaned(text: str, invisible: re.Pattern[str]) -> str:
    return _SELECTORS.sub(r"\1", invisible.sub("", _LINE_ENDS.sub("\n", _SEQUENCE.sub("", text))))


def _bounded(text: str, limit: int, length: int | None = None) -> str:
    """The text within the limit. `length` is what it had before it came here, where that is more."""
    length = len(text) if length is None else max(length, len(text))
    if length <= limit:
        return text
    mark = f"… [cut, {length:,} characters in all]"
    if len(mark) > limit:
        mark = "…"[:limit]
    return text[: max(limit - len(mark), 0)] + mark
