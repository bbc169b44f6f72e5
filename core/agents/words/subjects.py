"""What kind of work a request is, which domain it touches and how complex it is: weighted words and counted facts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from core.agents.words.document import CODE, Document
from core.agents.words.sections import EXCLUDED, REFERENCE, SECTIONS, UNNAMED
from core.agents.words.text import stem, words

TYPES = ("feature", "bug", "chore", "spike", "docs")
COMPLEXITIES = ("low", "medium", "high")
GENERAL = "general"
CHARACTERS_READ = 200_000
"""A subject shows early; a log of 2 MB under a request does not change it."""

_TYPE_WORDS = {
    "bug": r"bugs?|fix(?:es)?|fail(?:s|ed|ing|ure)?|crash(?:es|ed|ing)?|errors?|traceback|exceptions?|regression"
    r"|broken|wrong(?:ly)?|does(?:n't| not) work|stopped working|no longer works|incorrect(?:ly)?|hangs?|freezes?"
    r"|(?:reproduc|defect)\w*",
    "docs": r"document(?:ation|ed|ing)?|docs?|readme|tutorials?|changelog|docstrings?|typos?|user guide",
    "spike": r"spike|investigate|evaluate|explore|find out|compare|prototype|feasib\w+|proof of concept|research",
    "chore": r"upgrade|bump|clean(?: |-)?up|refactor(?:ing)?|rename|remove dead|housekeeping|ci|linter|pin"
    r"|migrate to|reformat|tidy|dependency updates?|deprecat\w+",
    "feature": r"add|support|implement|introduce|allow|enable|new|create|want|would like|feature"
    r"|let (?:users|me|us)|offer|provide|extend|make it possible|able to",
}
"""In this order the first wins a draw: "add a fix for the crash" is a bug."""
_TYPE_PATTERNS = {kind: re.compile(rf"\b(?:{either})\b", re.I) for kind, either in _TYPE_WORDS.items()}

_DOMAIN_WORDS: dict[str, dict[int, str]] = {
    "security": {
        3: "authentication authenticate authorization authorisation password vulnerability encryption encrypt decrypt "
        "csrf xss injection oauth sso credentials secrets breach exploit hash certificate 2fa mfa permission",
        2: "login logout token auth role access sanitise sanitize escape private signature session gdpr audit",
        1: "user safe trust admin",
    },
    "data": {
        3: "database migration schema sql query csv etl dataset backup postgres sqlite mysql warehouse",
        2: "table column record row import export index data storage json parquet field duplicate",
        1: "value format file list encoding date",
    },
    "api": {
        3: "api endpoint rest graphql webhook grpc openapi http",
        2: "client request response payload header status url route sdk library function argument parameter",
        1: "call return json service",
    },
    "ui": {
        3: "ui button screen page dialog css layout frontend widget theme accessibility tooltip modal dropdown",
        2: "form click view menu icon colour color font mobile browser keyboard dashboard panel checkbox",
        1: "show display user text title",
    },
    "cli": {
        3: "cli terminal stdout stderr stdin shell argv subcommand",
        2: "command option flag exit console prompt print pipe",
        1: "output argument print",
    },
    "performance": {
        3: "performance latency slow faster throughput memory cpu cache timeout benchmark optimise optimize",
        2: "speed fast second millisecond ms load scale bottleneck profile concurrent parallel",
        1: "large time big",
    },
    "docs": {
        3: "documentation readme docs tutorial changelog docstring glossary",
        2: "guide manual typo document wording",
        1: "example explain page describe",
    },
    "infrastructure": {
        3: "deploy deployment docker kubernetes ci pipeline terraform server cloud container helm monitoring",
        2: "build package release environment configuration config log logging dependency upgrade python version",
        1: "install run host",
    },
    "testing": {
        3: "pytest unittest coverage flaky fixture regression",
        2: "test tests testing mock assertion",
        1: "check verify",
    },
}
_WEIGHTS: dict[str, dict[str, tuple[int, str]]] = {
    domain: {stem(word): (weight, word) for weight, listed in sorted(by_weight.items()) for word in listed.split()}
    for domain, by_weight in _DOMAIN_WORDS.items()
}
"""Stem to weight and word, the greatest weight where two words share a stem."""
_COUNTED_AT_MOST = 4
"""Of one word: a log that says "error" a thousand times has one subject."""
_TITLE_WEIGHT = 3
_CLEAR_SCORE = 4
_AREA_SCORE = 8
"""From here on a second domain makes a request touch more than one area."""

_STEPS_UP: tuple[tuple[str, tuple[int, int]], ...] = (("criteria", (4, 7)), ("areas", (2, 3)), ("words", (200, 800)))
"""A fact adds one point from its first figure on, two from its second."""
_LEVELS = (("high", 4), ("medium", 2), ("low", 0))
_GREAT_IMPACT = 7


def type_of(title: str, text: str) -> tuple[str, str]:
    """(type, the words it rests on) from the words alone; ("", "") when none of the table's occurs.

    A type's words in the title decide; only then the text is asked, where the most frequent wins.
    """
    for source in (title, text[:CHARACTERS_READ]):
        found = {kind: [m[0].lower() for m in pattern.finditer(source)] for kind, pattern in _TYPE_PATTERNS.items()}
        best = max(found, key=lambda kind: len(set(found[kind])))
        if found[best]:
            return best, ", ".join(dict.fromkeys(found[best]))[:120]
    return "", ""


def prose(document: Document, limit: int = CHARACTERS_READ) -> str:
    """The words of a body without its code, and without what it excludes or only refers to; at most `limit`."""
    parts: list[str] = []
    size = 0
    for block in document.of(UNNAMED, *(kind for kind in SECTIONS if kind not in (EXCLUDED, REFERENCE))):
        parts.append(block.text)
        size += len(block.text) + 1
        if size > limit:
            break
    return "\n".join(parts)[:limit]


def domain_scores(title: str, text: str) -> dict[str, tuple[int, list[str]]]:
    """Each domain's score and the words that gave it, best first.

    The title's words count _TITLE_WEIGHT times more; words of weight 1 alone ("file", "list") tell no domain.
    """
    counts = Counter({word: min(n, _COUNTED_AT_MOST) for word, n in Counter(_stems(text[:CHARACTERS_READ])).items()})
    for word in set(_stems(title)):
        counts[word] += _TITLE_WEIGHT
    scores = {}
    for domain, weights in _WEIGHTS.items():
        hits = [(weight * counts[word], weight, name) for word, (weight, name) in weights.items() if counts[word]]
        telling = any(weight > 1 for _, weight, _ in hits)
        total = sum(points for points, _, _ in hits) if telling else 0
        scores[domain] = (total, [name for _, _, name in sorted(hits, reverse=True)])
    return dict(sorted(scores.items(), key=lambda item: -item[1][0]))


def domain_of(title: str, text: str) -> tuple[str, str]:
    """(domain, the words it rests on); GENERAL when no domain stands out."""
    domain, (score, hits) = next(iter(domain_scores(title, text).items()))
    return (domain, ", ".join(hits[:5])) if score >= _CLEAR_SCORE else (GENERAL, "")


def complexity_of(title: str, text: str, criteria: int, impact: int) -> tuple[str, list[str]]:
    """(low, medium or high, the counted facts it rests on)."""
    areas = [domain for domain, (score, _) in domain_scores(title, text).items() if score >= _AREA_SCORE]
    facts = {"criteria": criteria, "areas": len(areas), "words": len(text.split())}
    points = sum(facts[name] >= figure for name, figures in _STEPS_UP for figure in figures)
    points += impact >= _GREAT_IMPACT
    level = next(name for name, least in _LEVELS if points >= least)
    return level, [
        f"{facts['criteria']} conditions to check",
        f"areas: {', '.join(areas) or 'one'}",
        f"{facts['words']} words",
        *([f"impact {impact} of 10"] if impact else []),
    ]


def has_traceback(document: Document) -> bool:
    blocks = document.of(UNNAMED, *SECTIONS, kinds=(CODE,))
    return any("Traceback (most recent call last)" in block.text for block in blocks)


def _stems(text: str) -> Sequence[str]:
    return [stem(word) for word in words(text)]
