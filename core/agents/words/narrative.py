"""What the prose of a request tells: problem, circumstances, value, approach. Quoted, never composed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from core.agents.words.conditions import is_demand
from core.agents.words.dangers import names_a_risk
from core.agents.words.document import ITEM, PARAGRAPH, Block, Document
from core.agents.words.sections import (
    CONTEXT,
    CRITERIA,
    HOW,
    PROBLEM,
    STORIES,
    TASKS,
    UNNAMED,
    VALUE,
    WHAT,
    WHEN,
    WHERE,
    WHO,
)
from core.agents.words.text import brief, words
from core.placeholders import is_placeholder

PROBLEM_CHARACTERS = 1_000
NARRATIVE_CHARACTERS = 2_000
_CLAUSES = 5
_PARAGRAPHS = 20
_SENTENCES_READ = 2_000

_CIRCUMSTANCE = re.compile(
    r"\b(?:today|currently|at the moment|right now|so far|at present|these days|until now|because|since|every"
    r"|each (?:day|week|month|time)|always|often|customers?|users?|colleagues?|team|we|our|they|cost|costs|hours?"
    r"|by hand|manual(?:ly)?|used to|last (?:week|month|year|release)|when(?:ever)?|after|before)\b",
    re.I,
)
PURPOSE = re.compile(
    r"\b(?:so that|in order to|because|which (?:means|costs|takes|saves)|otherwise"
    r"|so (?:i|we|they|the|our|every|users?|customers?)"
    r"|(?:this|that|it) (?:would |will )?(?:saves?|lets?|allows?|enables?|helps?|avoids?|reduces?))\b",
    re.I,
)
_PURPOSE_SECTIONS = (UNNAMED, STORIES, CONTEXT, PROBLEM, WHAT, WHO, WHEN, WHERE, HOW, CRITERIA, TASKS)
_GREETING = re.compile(r"^(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|thanks|thank you|cheers|best|regards"
                       r"|kind regards|best regards|greetings)\b.{0,60}$", re.I)  # fmt: skip
_MEANS = re.compile(
    r"^(?:it |this |i think |maybe |perhaps )?(?:needs?|requires?|uses?|using|we (?:could|would|can))\b", re.I
)
_STORY = re.compile(r"^as an? [\w -]{2,60},? i\b", re.I)


def problem(document: Document, title: str) -> str:
    """The words that say what is wrong or wanted: the first of these that the request has, else its title."""
    stories = (said.text for said in document.sentences(STORIES, UNNAMED) if _STORY.match(said.text))
    candidates = (
        _text(document.of(PROBLEM)),
        _text(document.of(WHAT, kinds=(PARAGRAPH,))),
        next(stories, ""),
        next((block.text for block in _telling(document.of(UNNAMED))), ""),
    )
    return brief(next(filter(None, candidates), title), PROBLEM_CHARACTERS)


def circumstances(document: Document) -> Iterator[str]:
    """Where the business context may stand, best first: its own sections, problem and value, then telling prose."""
    yield _text(document.of(CONTEXT))
    yield _text(document.of(PROBLEM, VALUE, STORIES))
    yield brief(" ".join(islice(_situations(document), _PARAGRAPHS)), NARRATIVE_CHARACTERS)


def _situations(document: Document) -> Iterator[str]:
    """What loose paragraphs tell beside demands and risks, where that is at least half of a paragraph."""
    for block in _telling(document.of(UNNAMED, WHAT)):
        said = [sentence.text for sentence in block.sentences()]
        telling = [text for text in said if not is_demand(text) and not names_a_risk(text)]
        words = " ".join(telling)
        if len(telling) * 2 >= len(said) and (_CIRCUMSTANCE.search(words) or _STORY.match(words)):
            yield words


def value(document: Document) -> str:
    """What it is good for: the sections for value, else the clauses that give a reason or a purpose."""
    stated = _text(document.of(VALUE))
    return stated or brief("; ".join(_purposes(document)), NARRATIVE_CHARACTERS)


def approach(document: Document) -> str:
    """What the request says about the way to do it: its sections for that, and loose sentences that name a means."""
    loose = (
        said.text for said in islice(document.sentences(UNNAMED, WHAT), _SENTENCES_READ) if _MEANS.match(said.text)
    )
    return joined_until((_text(document.of(HOW)), *islice(loose, _CLAUSES)), NARRATIVE_CHARACTERS)


def _purposes(document: Document) -> list[str]:
    found: dict[str, None] = {}
    for said in islice(document.sentences(*_PURPOSE_SECTIONS), _SENTENCES_READ):
        match = PURPOSE.search(said.text)
        if match and not said.text.endswith("?") and not names_a_risk(said.text):
            found[brief(said.text[match.start() :].rstrip("."))] = None
            if len(found) == _CLAUSES:
                break
    return list(found)


def _telling(blocks: Iterable[Block]) -> Iterator[Block]:
    """Paragraphs that tell something: no greeting, no words that only introduce a list."""
    for block in blocks:
        introduces = block.text.endswith(":") or len(block.text.split()) < 4
        if block.kind == PARAGRAPH and not introduces and not _GREETING.match(block.text):
            yield block


def _text(blocks: Iterable[Block]) -> str:
    """The words of these blocks in order, an item per sentence, bounded."""
    parts: list[str] = []
    size = 0
    for block in blocks:
        if is_placeholder(block.text):
            continue
        ends = block.text[-1] in ".!?:;,"
        parts.append(block.text if ends or block.kind != ITEM else f"{block.text};")
        size += len(parts[-1]) + 1
        if size > NARRATIVE_CHARACTERS:
            break
    return brief(" ".join(parts).rstrip(";"), NARRATIVE_CHARACTERS)


def joined_until(sources: Iterable[str], characters: int) -> str:
    """The sources in order, until they have so many characters; none is there twice."""
    parts: dict[str, str] = {}
    for source in sources:
        if source.strip():
            parts.setdefault(" ".join(words(source)), source.strip())
        if sum(map(len, parts.values())) >= characters:
            break
    return brief(" ".join(parts.values()), NARRATIVE_CHARACTERS)
