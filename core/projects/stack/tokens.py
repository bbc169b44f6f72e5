"""Source text as words, quoted texts and marks, comments left out: enough to read a manifest that is a program.

Nothing is executed, so a name or version that a program would compute is not known. The same tokens serve Gradle,
Swift packages, Gemfiles, CMake, meson and build scripts alike: what differs is in the tables below.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

Kind = Literal["word", "text", "mark", "end"]
MOST_TOKENS = 50_000
MOST_LEVELS = 12

_WORD = r"[^\W\d][\w]*|\d[\w.]*"


@dataclass(frozen=True, slots=True)
class Token:
    """`text` is the inside of a quoted text, without its quotes; `end` stands where a line ends."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Syntax:
    """What begins a comment, what spans lines, which quotes there are. Patterns, tried in this order."""

    comments: tuple[str, ...]
    quotes: tuple[str, ...]
    word: str = _WORD


def _quoted(mark: str) -> str:
    """A text in one-character quotes, at most to the end of its line; a backslash takes the next character in.

    One that is not closed still counts: otherwise a file of quotes would be gone over from each of them anew.
    """
    return rf"{mark}(?:[^{mark}\\\n]|\\.)*+(?:{mark}|(?=\n)|\Z)"


_SLASHES = (r"//[^\n]*", r"/\*.*?(?:\*/|\Z)")
_TRIPLE = (r'"""(?:.*?)(?:"""|\Z)', r"'''(?:.*?)(?:'''|\Z)")
_SINGLE, _DOUBLE = _quoted("'"), _quoted('"')

GRADLE = Syntax(_SLASHES, (*_TRIPLE, _SINGLE, _DOUBLE))
SWIFT = Syntax(_SLASHES, (_TRIPLE[0], _DOUBLE))
SCRIPT = Syntax(_SLASHES, (r"`(?:[^`\\]|\\.)*+(?:`|\Z)", _SINGLE, _DOUBLE), rf"{_WORD}|[$@][\w$]+")
"""JavaScript and TypeScript, as far as configuration goes."""
RUBY = Syntax((r"^=begin\b.*?(?:^=end\b[^\n]*|\Z)", r"#[^\n]*"), (_SINGLE, _DOUBLE), rf":?(?:{_WORD})[?!]?:?")
ELIXIR = Syntax((r"#[^\n]*",), (*_TRIPLE, _DOUBLE), rf":?(?:{_WORD})[?!]?:?")
CMAKE = Syntax((r"#\[(=*)\[.*?(?:\]\1\]|\Z)", r"#[^\n]*"), (r'"(?:[^"\\]|\\.)*+(?:"|\Z)',), r"[^\s()\"#]+")
MESON = Syntax((r"#[^\n]*",), (_TRIPLE[1], _SINGLE))
SCALA = Syntax(_SLASHES, (_TRIPLE[0], _DOUBLE), rf"{_WORD}|%+")


@cache
def _pattern(syntax: Syntax) -> re.Pattern[str]:
    parts = (
        f"(?P<comment>{'|'.join(syntax.comments)})",
        f"(?P<text>{'|'.join(syntax.quotes)})",
        r"(?P<end>\n|;)",
        f"(?P<word>{syntax.word})",
        r"(?P<mark>[^\s\w])",
    )
    # A back reference in CMake's brackets counts groups: the comment's own group is the first.
    return re.compile("|".join(parts).replace(r"\]\1\]", r"\]\2\]"), re.DOTALL | re.MULTILINE)


def tokens(text: str, syntax: Syntax) -> list[Token]:
    """The tokens of a text, at most `MOST_TOKENS`. Never raises: what begins and does not end, ends with its line."""
    found: list[Token] = []
    for match in _pattern(syntax).finditer(text.replace("\r\n", "\n").replace("\\\n", " ")):
        if (kind := match.lastgroup) != "comment":
            found.append(_token(kind, match[0]))
            if len(found) >= MOST_TOKENS:
                break
    return found


def _token(kind: str | None, text: str) -> Token:
    if kind == "text":
        width = 3 if text[:3] in ('"""', "'''") else 1
        closed = len(text) >= 2 * width and text.endswith(text[:width])
        return Token("text", text[width : -width if closed else None])
    return Token("word" if kind == "word" else "end" if kind == "end" else "mark", text)


def is_mark(token: Token, text: str) -> bool:
    return token.kind == "mark" and token.text == text


def spans(found: Sequence[Token], opening: str, closing: str) -> dict[int, int]:
    """Where each bracket opens, and where it closes: behind the last token if it never does.

    Brackets deeper than `MOST_LEVELS` are not told: nobody writes them, and all that stands inside of each would be
    gone over once per level.
    """
    found_spans: dict[int, int] = {}
    open_at: list[int] = []
    for place, token in enumerate(found):
        if is_mark(token, opening):
            open_at.append(place)
            if len(open_at) <= MOST_LEVELS:
                found_spans[place] = len(found)
        elif is_mark(token, closing) and open_at:
            start = open_at.pop()
            if start in found_spans:
                found_spans[start] = place
    return found_spans


def calls(found: Sequence[Token], *names: str, brackets: str = "()") -> Iterator[tuple[str, Sequence[Token]]]:
    """Each `name(…)` with the tokens between its brackets, wherever it stands; with other brackets `name {…}`."""
    wanted = frozenset(names)
    for start, end in spans(found, *brackets).items():
        if start and found[start - 1].kind == "word" and found[start - 1].text in wanted:
            yield found[start - 1].text, found[start + 1 : end]


def lines(found: Sequence[Token]) -> Iterator[list[Token]]:
    """The tokens line by line, empty ones left out; a bracket that is open carries a line on."""
    line: list[Token] = []
    depth = 0
    for token in found:
        if token.kind == "mark" and token.text in "([":
            depth += 1
        elif token.kind == "mark" and token.text in ")]":
            depth = max(0, depth - 1)
        if token.kind == "end" and depth == 0:
            if line:
                yield line
            line = []
        elif token.kind != "end":
            line.append(token)
    if line:
        yield line


def quoted(found: Sequence[Token]) -> list[str]:
    return [token.text for token in found if token.kind == "text"]


def argument(found: Sequence[Token], name: str) -> str | None:
    """The text behind `name:` or `name =`; None when there is none. Words written `name:` count as well."""
    for place, token in enumerate(found):
        if token.kind == "word" and token.text.strip(":") == name:
            rest = [t for t in found[place + 1 : place + 3] if not (is_mark(t, ":") or is_mark(t, "="))]
            if rest and rest[0].kind == "text":
                return rest[0].text
    return None
