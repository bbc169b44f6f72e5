"""Named risks: what a request says may go wrong, how bad, and what would limit it, where it says so."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from core.agents.words.document import ITEM, PARAGRAPH, ROW, Block, Document, Said
from core.agents.words.numbering import split_label
from core.agents.words.sections import (
    CONTEXT,
    HOW,
    MITIGATIONS,
    PROBLEM,
    RISKS,
    UNNAMED,
    VALUE,
    WHAT,
    WHEN,
    kind_of_label,
)
from core.agents.words.text import brief, content_stems
from core.placeholders import is_placeholder

LOW, MEDIUM, HIGH = "low", "medium", "high"
_PROSE_LIMIT = 50
"""Risks taken from running text, where a pattern finds them; a section for risks has no such limit."""
_PROSE_SECTIONS = (UNNAMED, WHAT, CONTEXT, PROBLEM, VALUE, WHEN, HOW)

_HARM = (
    r"(?:break|fail|los[et]|leak|corrupt|crash|slow|block|hang|overwrit|expos|damag|regress|conflict|time out"
    r"|delet|duplicat|confus|lock)"
)
_RISK = re.compile(
    r"(?<!no )(?<!without )(?<!zero )\brisk(?:s|y)?\b|\bdanger(?:ous)?\b|\bwatch out\b|\bbe careful\b"
    r"|\b(?:i am|i'm|we are|my|our|one|a|main|biggest|only) (?:\w+ )?(?:worried|worry|concern(?:ed)?|fear)\b"
    rf"|\b(?:might|could|may) (?:\w+ ){{0,3}}?{_HARM}",
    re.I,
)
_NO_RISK = re.compile(
    r"(?:(?:there (?:is|are)|(?:i|we) (?:see|have|know of|expect)) )?"
    r"(?:none|nothing|no (?:\w+ ){0,2}?(?:risks?|concerns?|dangers?|worries)"
    r"|(?:(?:i|we) )?(?:do not|don['’]t|cannot|can['’]t) (?:see|know of|think of|expect) any(?: (?:risks?|concerns?))?)"
    r"(?: (?:known|identified|found|expected|so far|yet|at all|at the moment|for now|to (?:us|me|my knowledge)"
    r"|(?:that )?(?:i|we) (?:know of|can see|see|expect)))*",
    re.I,
)
"""Words that say that nothing may go wrong."""
_EXPLAINED = re.compile(r"\s?[,;:(–—]\s?|\s-\s")
_BUT = re.compile(r"\b(?:but|except|apart|besides|unless|however|although|though|if|only)\b", re.I)
_IF = re.compile(r"\bif\b", re.I)
_CONSEQUENCE = re.compile(r"\b(?:then|will|would)\b", re.I)
_BREAKS = re.compile(rf"\b{_HARM}\w*", re.I)

LEVELS = {"critical": HIGH, "severe": HIGH, "blocker": HIGH, "high": HIGH, "medium": MEDIUM, "moderate": MEDIUM,
           "low": LOW, "minor": LOW, "negligible": LOW}  # fmt: skip
_LEVEL = "|".join(LEVELS)
_SEVERITY = re.compile(
    rf"[(\[]\s?(?:severity|impact|risk|likelihood)?[:=]?\s?({_LEVEL})\b[^)\]]{{0,60}}[)\]]"
    rf"|\b(?:severity|impact)\s?(?:is|[:=–-])\s?({_LEVEL})\b|^({_LEVEL})\s?[:–—-]\s"
    rf"|\b({_LEVEL})[ -](?:risk|severity|impact)\b",
    re.I,
)
_SEVERITY_AT_EDGE = re.compile(
    rf"^[(\[]?\s?(?:{_LEVEL})(?:[ -](?:risk|severity|impact))?\s?[)\]]?\s?[:–—-]\s|^[(\[]\s?(?:{_LEVEL})\s?[)\]]\s"
    rf"|[.,;–—-]?\s?[(\[]\s?(?:severity|impact|risk)?\s?[:=]?\s?(?:{_LEVEL})(?:[ -](?:risk|severity|impact))?\s?[)\]]$"
    rf"|[.,;–—-]\s?(?:severity|impact)\s?[:=]?\s?(?:{_LEVEL})$",
    re.I,
)
_LEAD = re.compile(
    r"^(?:there is (?:also )?)?"
    r"(?:(?:a|an|one|another|the|our|my|first|second|main|biggest|big|only|known|possible) ){0,3}"
    r"(?:risk|concern|danger|worry|fear)s?(?: is(?: that)?| that| of|\s?[:–—-])\s",
    re.I,
)
_GRAVE = re.compile(
    r"\b(?:data loss|los(?:e|es|ing|t) (?:\w+ )?(?:data|rows?|records?|work|money)|corrupt\w*|security|leak\w*|outage"
    r"|downtime|irreversible|cannot be undone|breach\w*|injection|locked out|unauthori[sz]ed|password)\b",
    re.I,
)
_SLIGHT = re.compile(r"\b(?:cosmetic|minor|unlikely|negligible|typos?)\b", re.I)

_MARKS = (
    r"mitigations?\s?[:=–—-]|mitigated (?:by|with|through)\b:?"
    r"|we (?:can |will )?mitigate (?:this |it |that )?(?:by|with)\b"
    r"|countermeasures?\s?[:=–—-]|→|->|=>|to (?:avoid|prevent|limit|counter|reduce) (?:this|that|it|the risk)\b[,:]?"
)
_MITIGATION = re.compile(rf"(?:[.;,(–—-]\s?)?(?:{_MARKS}|(?<=[;–—-] )by (?=\w{{1,30}}ing\b))\s?", re.I)
_WE_WOULD = r"(?=(?:in that case,? )?we(?:'d|'ll| would| can| could| will) (?!see\b|have\b|be\b|need\b|not\b|los)\w)"
_MITIGATION_FIRST = re.compile(rf"^(?:{_MARKS}|by (?=\w{{1,30}}ing\b)|{_WE_WOULD})\s?", re.I)

_COLUMN_WORDS = {
    "mitigation": ("mitigat", "counter", "response", "plan", "action"),
    "severity": ("severity", "impact", "level", "priority"),
    "text": ("risk", "concern", "description", "what", "danger"),
}


@dataclass(frozen=True, slots=True)
class Danger:
    """One risk as the request names it. `id` is the request's own ("R2") or "", `mitigation` "" when not stated."""

    text: str
    severity: str
    mitigation: str
    line: int
    id: str = ""


def names_a_risk(sentence: str, conditional: bool = True) -> bool:
    """Whether a sentence says that something may go wrong; `conditional` counts "if X then Y breaks" too."""
    if _RISK.search(sentence):
        # A title that ended up in the text ("Risks") announces one, and says none.
        return not kind_of_label(sentence) and not _denies(sentence)
    if not conditional or not _IF.search(sentence):
        return False
    consequence = _CONSEQUENCE.search(sentence)
    return consequence is not None and _BREAKS.search(sentence, consequence.end()) is not None


def risks(document: Document, conditional: bool = True) -> list[Danger]:
    """The named risks in the request's order: those of its sections for risks, then those in running text."""
    found = _in_sections(document) + _in_prose(document, conditional)
    return _with_loose_mitigations([d for d in found if not is_placeholder(d.text) and not _denies(d.text)], document)


def read_danger(said: Said) -> Danger:
    """One risk from its words: label, severity and mitigation are told apart from what may happen."""
    given, text = split_label(said.text, "R")
    severity = severity_of(text)
    text, mitigation = split_mitigation(text)
    text = _LEAD.sub("", text)
    text = _SEVERITY_AT_EDGE.sub("", text.strip(" .;,–—-")).strip(" .;,–—-")
    return Danger(brief(text), severity, brief(mitigation), said.line, given)


def severity_of(text: str) -> str:
    """The level a text states, else what its words weigh: data loss is high, a typo is low, the rest medium."""
    stated = _SEVERITY.search(text)
    if stated:
        return LEVELS[next(filter(None, stated.groups())).lower()]
    return HIGH if _GRAVE.search(text) else LOW if _SLIGHT.search(text) else MEDIUM


def split_mitigation(text: str) -> tuple[str, str]:
    """(what may happen, what would limit it); the second is "" when the text does not say."""
    match = _MITIGATION.search(text)
    if not match or not text[match.end() :].strip(" .)"):
        return text, ""
    plan = text[match.end() :].strip(" ;,")
    if plan.endswith(")") and plan.count(")") > plan.count("("):
        plan = plan[:-1]
    return text[: match.start()].strip(), plan


def _denies(sentence: str) -> bool:
    """Whether all that is said is that there is no risk, perhaps with the reason; "none, but ..." says more."""
    said, *reason = _EXPLAINED.split(sentence[:300].strip(" .!*_()"), maxsplit=1)
    if not _NO_RISK.fullmatch(said.strip()):
        return False
    return not any(_BUT.search(why) or names_a_risk(why) for why in reason)


def _in_sections(document: Document) -> list[Danger]:
    by_heading: dict[str, list[Block]] = {}
    for block in document.of(RISKS):
        by_heading.setdefault(block.heading, []).append(block)
    return [danger for blocks in by_heading.values() for danger in _under_one_heading(blocks)]


def _under_one_heading(blocks: list[Block]) -> list[Danger]:
    listed = any(block.kind != PARAGRAPH for block in blocks)
    found: list[Danger] = []
    for block in blocks:
        if block.kind == ROW:
            found.append(_row(block))
        elif block.kind == ITEM and block.depth and found:
            found[-1] = _with_detail(found[-1], block.text)
        elif block.kind == ITEM:
            found.append(read_danger(block.said()))
        elif not listed:
            for said in block.sentences():
                if found and _MITIGATION_FIRST.match(said.text):
                    found[-1] = _with_detail(found[-1], said.text)
                elif not said.text.endswith(":"):
                    found.append(read_danger(said))
    return found


def _in_prose(document: Document, conditional: bool) -> list[Danger]:
    found: list[Danger] = []
    named = False
    for said in document.sentences(*_PROSE_SECTIONS):
        if named and _MITIGATION_FIRST.match(said.text):
            found[-1] = _with_detail(found[-1], said.text)
        named = names_a_risk(said.text, conditional)
        if named:
            found.append(read_danger(said))
            if len(found) == _PROSE_LIMIT:
                break
    return found


def _with_detail(danger: Danger, detail: str) -> Danger:
    """A risk with what stands under or after it: its mitigation, its severity, or more about it."""
    match = _MITIGATION_FIRST.match(detail)
    if match:
        plan = detail[match.end() :].strip(" ;,")
        return replace(danger, mitigation=brief("; ".join(filter(None, (danger.mitigation, plan)))))
    if detail.lower().startswith(("severity", "impact")) and _SEVERITY.search(detail):
        return replace(danger, severity=severity_of(detail))
    more = read_danger(Said(f"{danger.text}; {detail}", danger.line))
    mitigation = "; ".join(filter(None, (danger.mitigation, more.mitigation)))
    return replace(more, severity=danger.severity, mitigation=mitigation, id=danger.id)


def _row(block: Block) -> Danger:
    """A table's row by the words of its head; without a head, the longest cell is the risk."""
    found = dict.fromkeys(_COLUMN_WORDS, "")
    for column, cell in zip(block.columns, block.cells, strict=False):
        role = next((r for r, known in _COLUMN_WORDS.items() if any(word in column for word in known)), "")
        if role and not found[role]:
            found[role] = cell
    read = read_danger(Said(found["text"] or max(block.cells, key=len), block.line))
    severity = severity_of(f"severity: {found['severity']}") if found["severity"] else read.severity
    plan = "" if is_placeholder(found["mitigation"]) else found["mitigation"]
    return replace(read, severity=severity, mitigation=plan or read.mitigation)


def _with_loose_mitigations(dangers: list[Danger], document: Document) -> list[Danger]:
    """Mitigations under a heading of their own go to the risk they number, else in order, else by shared words."""
    plans = [split_label(block.text, "R") for block in document.of(MITIGATIONS)]
    result = list(dangers)
    place = {danger.id: at for at, danger in enumerate(result) if danger.id}
    loose = [plan for given, plan in plans if given not in place]
    for given, plan in plans:
        if given in place:
            result[place[given]] = replace(result[place[given]], mitigation=brief(plan))
    bare = [at for at, danger in enumerate(result) if not danger.mitigation]
    if len(loose) == len(bare):
        pairs = list(zip(bare, loose, strict=True))
    else:
        pairs = [(at, plan) for plan in loose[:_PROSE_LIMIT] if (at := _closest(plan, result, bare)) is not None]
    for at, plan in pairs:
        result[at] = replace(result[at], mitigation=brief("; ".join(filter(None, (result[at].mitigation, plan)))))
    return result


def _closest(plan: str, dangers: list[Danger], among: list[int]) -> int | None:
    stems = content_stems(plan)
    shared = {at: len(stems & content_stems(dangers[at].text)) for at in among[:_PROSE_LIMIT]}
    best = max(shared, key=lambda at: shared[at], default=None)
    return best if best is not None and shared[best] else None
