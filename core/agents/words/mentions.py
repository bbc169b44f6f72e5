"""Names in a request's words that a repository may know: paths, modules, identifiers, command options."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from core.agents.words.document import CODE, Document
from core.agents.words.sections import EXCLUDED, SECTIONS, UNNAMED
from core.agents.words.text import STOP_WORDS, words

_MOST = 40
"""Names of each kind; a log under a request may hold thousands."""

_CODE_SPAN = re.compile(r"`([^`\n]{2,200})`")
_PATH = re.compile(r"(?<![\w./-])(?:[\w.-]{1,60}/){0,12}[\w.-]{1,80}\.[A-Za-z]\w{0,5}(?![\w/])")
_FOLDER = re.compile(r"(?<![\w./:-])(?:[\w.-]{1,60}/){1,12}(?=[\s,;:)`\"']|$)")
_FRAME = re.compile(r"File \"([^\"\n]{1,400})\", line \d")
_DOTTED = re.compile(r"(?<![\w./-])[a-z_]\w{0,60}(?:\.[A-Za-z_]\w{0,60}){1,6}(?=\(|[^\w./]|\.?\s|\.?$)")
_IDENTIFIER = re.compile(r"(?<![\w-])(?:[a-z]\w{0,60}_\w{1,60}|[A-Z][a-z0-9]{1,40}(?:[A-Z][a-z0-9]{1,40}){1,6})(?!\w)")
_OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]{1,40}")
_BARE_NAME = re.compile(r"[A-Za-z_]\w{1,60}")


@dataclass(frozen=True, slots=True)
class Mentions:
    """Distinct names in order. `paths` include dotted names; `words` are the title's, for the names of files."""

    paths: tuple[str, ...]
    identifiers: tuple[str, ...]
    words: tuple[str, ...]


def mentions(title: str, document: Document) -> Mentions:
    """What the request's words point to; code blocks count only for the frames of a traceback."""
    kinds = (UNNAMED, *(kind for kind in SECTIONS if kind != EXCLUDED))
    texts = [title, *(block.text for block in document.of(*kinds))]
    frames = (path for block in document.of(*kinds, kinds=(CODE,)) for path in _FRAME.findall(block.text))
    spans = list(islice((span for text in texts for span in _CODE_SPAN.findall(text)), _MOST * 5))
    paths = _first(path for source in ([*spans, *texts]) for path in _paths_in(source))
    # The last frames of a traceback are where it broke.
    broken_at = list(dict.fromkeys(frames))[-_MOST:][::-1]
    return Mentions(
        paths=tuple(dict.fromkeys([*paths, *broken_at])),
        identifiers=_first(_identifiers(spans, texts)),
        words=_first(word for word in words(title) if len(word) >= 4 and word not in STOP_WORDS),
    )


def _paths_in(text: str) -> Iterator[str]:
    for pattern in (_PATH, _FOLDER, _DOTTED):
        for match in pattern.finditer(text):
            yield match[0].rstrip(".")


def _identifiers(spans: Iterable[str], texts: Iterable[str]) -> Iterator[str]:
    for span in spans:
        yield from _OPTION.findall(span)
        yield from _IDENTIFIER.findall(span)
        bare = span.strip().split("(")[0]
        if _BARE_NAME.fullmatch(bare) and len(bare) > 2:
            yield bare
        elif _DOTTED.fullmatch(bare):
            yield bare.rpartition(".")[2]
    for text in texts:
        yield from _OPTION.findall(text)
        yield from _IDENTIFIER.findall(text)


def _first(names: Iterable[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for name in names:
        found[name] = None
        if len(found) == _MOST:
            break
    return tuple(found)
