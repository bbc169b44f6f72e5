"""Conditions that someone can check: where a request states them, and which sentences demand something.

What stands under a heading for criteria, in a scenario, a checkbox or a list that "must" introduces is stated.
Only when that is too little are sentences with must, should, will and unlabelled lists taken too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from core.agents.words.dangers import names_a_risk
from core.agents.words.document import ITEM, PARAGRAPH, ROW, SCENARIO, Block, Document, Said
from core.agents.words.sections import CRITERIA, STORIES, UNNAMED, VALUE, WHAT
from core.agents.words.text import brief
from core.placeholders import is_placeholder

WANTED = 3
"""What D1's gate asks for by default; fewer are worth a question before the gate is reached."""

_OPEN_SECTIONS = (UNNAMED, WHAT, STORIES, VALUE)
_MODAL = re.compile(r"\b(?:must|shall|should|will|needs? to|has to|have to|may not|cannot|can(?= (?:not )?\w))\b", re.I)
_CIRCUMSTANCE = re.compile(
    r"\b(?:today|currently|at the moment|right now|so far|at present|these days|until now|always (?:had|have) to"
    r"|as an? [\w-]+(?: [\w-]+)?,? i)\b",
    re.I,
)
_NO_DEMAND = re.compile(
    r"\b(?:i think|i guess|i will|i can(?:not|'t)?|we can(?:not|'t)"
    r"|(?:should|must|will) have been"
    r"|(?:this|that|it|which) (?:will|can|should) (?:also )?(?:save|help|make|allow|let|reduce|increase|improve|give)s?"
    r"|should (?:be (?:easy|simple|quick|trivial)|not take)|will be (?:happy|glad|great|nice|away)"
    r"|we (?:will|should|must|can) (?:discuss|think|talk|meet|decide|see|wait))\b",
    re.I,
)
_DEMANDING_LEAD = re.compile(
    r"\b(?:must|shall|should|wants?|needs?|requires?d?|requirements?|expect(?:ed)?|done|accept(?:ed|ance)?|make sure"
    r"|ensure|includes?|supports?|features?|changes?|improvements?|add|would like)\b",
    re.I,
)
_NO_CONDITIONS_LEAD = re.compile(
    r"\b(?:examples?|e\.g|tried|reproduce|logs?|output|errors?|happens?|links?|see|options|attach\w*)\b", re.I
)
_FIELD = re.compile(r"^[A-Z][\w-]*(?: [\w-]+)?: ")


def stated(document: Document) -> list[Said]:
    """The conditions that a request presents as such, in its order, those in criteria sections first."""
    found = list(_in_sections(document))
    for block in document.blocks:
        if block.section == CRITERIA:
            continue
        if block.kind == SCENARIO:
            found.append(block.said())
    for block, words in with_children(document.of(*_OPEN_SECTIONS)):
        if block.kind == ITEM and (block.marker.startswith("[") or _demanded(block) or _is_one_line_scenario(words)):
            found.append(Said(words, block.line))
        elif block.kind == PARAGRAPH:
            found += [said for said in block.sentences() if _is_one_line_scenario(said.text)]
    return [_cut(said) for said in found if not is_placeholder(said.text)]


def demanded(document: Document) -> list[Said]:
    """Sentences that demand something, and the items of lists that nothing introduces, in the request's order."""
    found: list[Said] = []
    for block, words in with_children(document.of(*_OPEN_SECTIONS)):
        if block.kind == ITEM and (is_demand(words) or _is_plain_item(block, words)):
            found.append(Said(words, block.line))
        elif block.kind == PARAGRAPH:
            found += [said for said in block.sentences() if is_demand(said.text)]
    return [_cut(said) for said in found if not is_placeholder(said.text)]


def conditions(document: Document) -> list[Said]:
    """What a request states, and where that is fewer than WANTED, in the request's order what it demands too."""
    found = stated(document)
    return found if len(found) >= WANTED else sorted(found + demanded(document), key=lambda said: said.line)


def is_demand(sentence: str) -> bool:
    """Whether a sentence says how something has to be: no question, no circumstance, no hope, no named risk."""
    return (
        _MODAL.search(sentence) is not None
        and not sentence.endswith(("?", ":"))
        and _CIRCUMSTANCE.search(sentence) is None
        and _NO_DEMAND.search(sentence) is None
        and not names_a_risk(sentence)
    )


def with_children(blocks: Iterable[Block]) -> Iterator[tuple[Block, str]]:
    """Each block with its words; an item with those of the items under it.

    An item that ends in a colon only introduces: each item under it comes by itself, introduced by those words.
    """
    group: list[Block] = []
    for block in blocks:
        if block.kind == ITEM and block.depth and group:
            group.append(block)
            continue
        yield from _joined(group)
        group = [block]
    yield from _joined(group)


def _joined(group: list[Block]) -> Iterator[tuple[Block, str]]:
    if not group:
        return
    parent, *children = group
    if children and parent.text.endswith(":"):
        yield from ((child, f"{parent.text} {child.text}") for child in children)
    else:
        yield parent, "; ".join([parent.text, *(child.text for child in children)])


def _in_sections(document: Document) -> Iterator[Said]:
    """Under each heading for criteria: its items, rows and scenarios; where there are none, its sentences."""
    by_heading: dict[str, list[Block]] = {}
    for block in document.of(CRITERIA):
        by_heading.setdefault(block.heading, []).append(block)
    for blocks in by_heading.values():
        listed = any(block.kind != PARAGRAPH for block in blocks)
        for block, words in with_children(blocks):
            if block.kind == PARAGRAPH:
                yield from (
                    said
                    for said in block.sentences()
                    if not said.text.endswith(("?", ":")) and (is_demand(said.text) or not listed)
                )
            elif block.kind == ROW:
                yield Said(max(block.cells, key=len), block.line)
            else:
                yield Said(words, block.line)


def _demanded(block: Block) -> bool:
    """Whether the words before the list make conditions of its items ("The export must:")."""
    lead = block.lead_in[-400:]
    return bool(_DEMANDING_LEAD.search(lead)) and not _NO_CONDITIONS_LEAD.search(lead)


def _is_plain_item(block: Block, words: str) -> bool:
    return (
        not block.lead_in
        and len(words.split()) >= 3
        and not words.endswith("?")
        and not _FIELD.match(words)
        and not _CIRCUMSTANCE.search(words)
        and not names_a_risk(words)
    )


def _is_one_line_scenario(words: str) -> bool:
    lower = words[:2_000].lower()
    given, when, then = lower.find("given "), lower.find("when "), lower.find("then ")
    return 0 <= given < 40 and given < when < then


def _cut(said: Said) -> Said:
    return Said(brief(said.text), said.line)
