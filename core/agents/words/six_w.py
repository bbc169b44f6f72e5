"""How well a request answers who, what, when, where, why and how: 0 to 1 each, by the table SIX_W.

1.0 is said outright (a section of its own, a date, a path), 0.8 is said in a sentence, 0.5 is only hinted at,
0.0 is nothing found. The first rule that finds words gives the score, and those words are the evidence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice

from core.agents.words.dangers import names_a_risk
from core.agents.words.document import CODE, Document, Said
from core.agents.words.narrative import PURPOSE
from core.agents.words.sections import (
    CONTEXT,
    EXCLUDED,
    HOW,
    MITIGATIONS,
    PROBLEM,
    REFERENCE,
    REPRODUCTION,
    RISKS,
    SECTIONS,
    TASKS,
    UNNAMED,
    VALUE,
    WHAT,
    WHEN,
    WHERE,
    WHO,
)
from core.agents.words.text import content_stems, plain
from core.placeholders import is_placeholder

SENTENCES_READ = 2_000
"""Who has not said it in so many sentences has not said it where a reader would find it."""
SENTENCE_READ = 2_000
"""Characters."""
ENOUGH = 0.70
"""The mean that D1's gate asks for by default."""

QUESTIONS = {
    "who": "Who is affected, and what are they trying to do?",
    "what": "What exactly should be different when this is done?",
    "when": "When does it happen, or by when is it needed?",
    "where": "Where does it happen: which page, command, module or file?",
    "why": "Why does it matter: what does it cost today, or what becomes possible?",
    "how": "How would you go about it, or how would someone check that it works?",
}


_SAYS_NOTHING = (EXCLUDED, REFERENCE, RISKS, MITIGATIONS)
"""What might happen, or shall not be done, tells none of the six."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A request as the rules look at it."""

    title: str
    document: Document
    domain: str
    conditions: tuple[Said, ...]
    sentences: tuple[Said, ...]

    @classmethod
    def of(cls, title: str, document: Document, domain: str, conditions: Iterable[Said]) -> Reading:
        sections = (UNNAMED, *(kind for kind in SECTIONS if kind not in _SAYS_NOTHING))
        read = islice(document.sentences(*sections), SENTENCES_READ)
        said = (Said(s.text[:SENTENCE_READ], s.line) for s in read if not names_a_risk(s.text[:SENTENCE_READ]))
        return cls(title, document, domain, tuple(conditions), (Said(plain(title), 0), *said))


Finder = Callable[[Reading], Said | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """What gives a score: a sentence for people, and the search."""

    score: float
    takes: str
    find: Finder


def section(*kinds: str, words: int = 1) -> Finder:
    """The first block of at least so many words in a section of one of these kinds."""

    def find(reading: Reading) -> Said | None:
        blocks = (b for b in reading.document.of(*kinds) if len(b.text.split()) >= words and not is_placeholder(b.text))
        return next((block.said() for block in blocks), None)

    return find


def sentence(pattern: str | re.Pattern[str]) -> Finder:
    """The first sentence, title included, in which the pattern is found."""
    compiled = re.compile(pattern, re.I) if isinstance(pattern, str) else pattern

    def find(reading: Reading) -> Said | None:
        return next((said for said in reading.sentences if compiled.search(said.text)), None)

    return find


def title(stems: int) -> Finder:
    """The title, when it has so many words that carry meaning."""

    def find(reading: Reading) -> Said | None:
        return Said(reading.title, 0) if len(content_stems(reading.title)) >= stems else None

    return find


def criteria(at_least: int) -> Finder:
    """The first condition, when there are so many."""

    def find(reading: Reading) -> Said | None:
        return reading.conditions[0] if len(reading.conditions) >= at_least else None

    return find


def code(reading: Reading) -> Said | None:
    """The first piece of code: what was run, or what it printed."""
    return next((block.said() for block in reading.document.of(*_ANYWHERE, kinds=(CODE,))), None)


def domain_word(reading: Reading) -> Said | None:
    """The title, when its words belong to one domain."""
    return Said(reading.title, 0) if reading.domain not in ("", "general") else None


_ANYWHERE = (UNNAMED, *SECTIONS)
_PEOPLE = (
    r"\b(?:end[- ])?(?:users?|customers?|clients|developers?|admins?|administrators?|operators?|analysts?|accountants?"
    r"|managers?|maintainers?|contributors?|engineers?|testers?|readers?|visitors?|editors?|authors?|buyers?|sellers?"
    r"|patients?|students?|teachers?|people|staff|employees?|colleagues?|reviewers?|writers?|members?|guests?"
    r"|subscribers?|shoppers?|teams?|support (?:desk|agents?|people)|newcomers?|everyone|anyone who|data scientists?)\b"
)
_PERIOD = r"(?:day|week|month|quarter|year|sprint|release|launch|deadline|milestone|iteration)"
_DAY = (
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:january|february|march|april|june|july|august|september|october"
    r"|november|december)\b"
)
_MOMENT = (
    r"\b\d{4}-\d\d(?:-\d\d)?\b|\bq[1-4]\b"
    r"|\b(?:by|until|before|due|on|after|since|in|for|from) (?:the )?(?:end of )?(?:the )?"
    rf"(?:next |this |last |coming )?(?:{_PERIOD}\b|{_DAY}|(?:version |release )?v?\d{{1,4}}\.\d|tomorrow|may \d)"
)
_CIRCUMSTANCE = (
    r"\b(?:when(?:ever)?|every (?:time|day|week|month|morning|night|release|request|run)|each (?:time|day|week|month)"
    r"|as soon as|while|once|if|after (?:the|a|an|\w+ing)|before (?:the|a|an|\w+ing)|during|on (?:start(?:up)?|save"
    r"|upload|login|import|export)|daily|weekly|nightly|monthly|hourly|(?:a|per) (?:day|week|month))\b"
)
_PART = (
    r"\b(?:in|on|at|from|into|of|to|through|via|under) (?:the |our |a |an |its |every |each )?(?:[\w-]{1,30} ){0,3}"
    r"(?:page|screen|view|module|command|endpoint|table|form|dialog|menu|report|service|api|cli|app|application"
    r"|library|package|script|function|class|file|database|server|repository|repo|site|website|dashboard|editor"
    r"|parser|job|pipeline|settings|documentation|docs|readme|build|component|button|window|tool|client|backend"
    r"|frontend|header|footer|sidebar|template|config|configuration|output|terminal|console|shell)s?\b"
)
_PLACE = (
    r"`[^`\s]{2,}[^`]*`|https?://\S|(?<![\w-])[\w-]{1,80}\.(?:py|pyi|js|ts|tsx|jsx|go|rs|java|rb|php|c|h|cpp|cs|md|rst|toml|ya?ml"
    r"|json|csv|html?|css|sql|sh|ini|cfg|txt)\b|(?<![\w-])[\w-]{1,80}/[\w-]{1,80}/[\w./-]"
)
_REQUEST = (
    r"\b(?:i|we|they|users?|customers?) (?:\w+ )?(?:wants?|needs?|would like|should be able|must be able)\b"
    r"|\b(?:please|let's|must|shall|should|has to|have to|needs? to)\b(?:[^.]{0,60}) \w+"
)
_SYMPTOM = (
    r"\b(?:fails? (?:with|to|on|when|if)|crash(?:es|ed)|raises?|throws?"
    r"|(?:returns?|prints?|shows?|gives?) (?:the |a |an )?"
    r"(?:wrong|empty|nothing|error|blank|old|\w*(?:error|exception))"
    r"|instead of|no longer|stops? (?:working|after|at)"
    r"|does(?:n't| not) \w+)\b"
)
_PAIN = (
    r"\b(?:slow(?:er|ly)?|annoying|tedious|manual(?:ly)?|by hand|error-prone|confus(?:ing|ed)|fail(?:s|ed|ure)?"
    r"|crash\w*|los(?:e|es|ing|t)|can(?:not|'t)|unable|wast(?:e|es|ed|ing)|costs?"
    r"|takes? (?:too |so |very )?(?:long|hours?|days?)"
    r"|complain\w*|broken|wrong|misleading|impossible|blocked|risky?|outdated)\b"
)

SIX_W: dict[str, tuple[Rule, ...]] = {
    "who": (
        Rule(1.0, "a section that says who", section(WHO)),
        Rule(1.0, "a user story's role", sentence(r"\bas an? [\w -]{2,60},? i\b")),
        Rule(0.8, "a group of people in a sentence", sentence(_PEOPLE)),
        Rule(0.5, "the writer", sentence(r"\b(?:i|we|me|us|my|our)\b")),
    ),
    "what": (
        Rule(1.0, "a section that says what, or what is wrong", section(WHAT, PROBLEM, words=3)),
        Rule(1.0, "3 conditions to check under a title of 2 words", lambda r: title(2)(r) and criteria(3)(r)),
        Rule(0.8, "a sentence that asks for something", sentence(_REQUEST)),
        Rule(0.8, "a symptom", sentence(_SYMPTOM)),
        Rule(0.5, "a title of 2 words that carry meaning", title(2)),
    ),
    "when": (
        Rule(1.0, "a section that says when", section(WHEN)),
        Rule(1.0, "a date, a version or a deadline", sentence(_MOMENT)),
        Rule(0.8, "the circumstances in which it happens", sentence(_CIRCUMSTANCE)),
        Rule(0.8, "the steps that show it", section(REPRODUCTION)),
        Rule(0.5, "a vague time", sentence(
            r"\b(?:currently|today|now|sometimes|often|always|never|soon|asap|urgent(?:ly)?|regularly|lately|recently)\b"
        )),
    ),
    "where": (
        Rule(1.0, "a section that says where", section(WHERE)),
        Rule(1.0, "a path, a file, an address or a name in code marks", sentence(_PLACE)),
        Rule(0.8, "a named part of the product", sentence(_PART)),
        Rule(0.5, "a word of one domain", domain_word),
    ),
    "why": (
        Rule(1.0, "a section that gives the background or the value", section(CONTEXT, VALUE, words=5)),
        Rule(0.8, "a reason or a purpose", sentence(PURPOSE)),
        Rule(0.5, "a complaint", sentence(_PAIN)),
    ),
    "how": (
        Rule(1.0, "a section with the approach or the tasks", section(HOW, TASKS)),
        Rule(0.8, "3 conditions that say how to check it", criteria(3)),
        Rule(0.8, "a way in a sentence", sentence(
            r"\b(?:by \w+ing|using|via|we (?:could|can|would)|with (?:a|an|the) (?:new )?(?:\S+ )?(?:option|flag|button"
            r"|command|setting|parameter|field|link))\b"
        )),
        Rule(0.5, "1 condition", criteria(1)),
        Rule(0.5, "a piece of code or output", code),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Score:
    """One W: its score, and the words it rests on."""

    score: float
    evidence: str


def six_w(reading: Reading) -> dict[str, Score]:
    """The scores of the six, each by the first of its rules that finds words."""
    return {name: _score(rules, reading) for name, rules in SIX_W.items()}


def confidence(scores: dict[str, Score]) -> float:
    """The mean of the six, to two places, never rounded up over the gate's line."""
    return int(sum(score.score for score in scores.values()) / len(scores) * 100 + 1e-9) / 100


def _score(rules: tuple[Rule, ...], reading: Reading) -> Score:
    for rule in rules:
        said = rule.find(reading)
        if said:
            return Score(rule.score, f"{rule.takes} ({said.quoted()})")
    return Score(0.0, "")
