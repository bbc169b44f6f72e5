"""Words that mean a choice someone has to answer for: which kind of decision, how weighty, between what.

The table names kinds of the domain agents' authority lists; each decision quotes the words that raised it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from core.agents.words.text import brief, sentences
from core.contract import Json

Option = tuple[str, str, str]
"""key, label, consequence."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One row: the words that raise it, and what is then asked. The first option is the recommended one."""

    kind: str
    domain: str
    impact: int
    question: str
    options: tuple[Option, ...]
    pattern: re.Pattern[str]


_PUBLIC_THING = (
    r"(?:endpoints?|routes?|sub-?commands?|commands?|options?|flags?|public (?:function|method|class|api)s?)"
)
_NEW = r"(?:adds?|added|adding|new|introduces?|offers?|provides?|takes?|accepts?|exposes?|gets?)"


def _choice(kind: str, domain: str, impact: int, question: str, options: tuple[Option, ...], *patterns: str) -> Choice:
    return Choice(kind, domain, impact, question, options, re.compile("|".join(patterns), re.I))


CHOICES: tuple[Choice, ...] = (
    _choice(
        "architecture", "technical", 8, "Should the structure of the system change?",
        (("step", "In steps behind the present structure", "Each step can be released and taken back by itself."),
         ("whole", "All at once", "Faster when it works; until then nothing else can be released.")),
        r"\b(?:rewrit(?:e|ing|ten)|re-?architect\w*|microservices?)\b",
        r"\bsplit\w* (?:[\w-]+ ){0,4}(?:into|in) (?:[\w-]+ ){0,3}(?:services?|packages?|processes)\b",
        r"\breplac\w+ (?:[\w-]+ ){0,4}(?:framework|orm|engine|database)\b",
    ),
    _choice(
        "security", "technical", 7, "This touches security. How strict should it be?",
        (("deny", "Deny by default", "What the request does not name is refused, at first some lawful use, too."),
         ("as-stated", "As the request states it", "Nothing beyond its words is refused; R1's checks still apply.")),
        r"\b(?:auth|authenticat\w+|authori[sz]\w+|passwords?|credentials?|oauth|sso|csrf|permissions?|encrypt\w*)\b",
        r"\b(?:access|api|auth|session|bearer|jwt|refresh|secret) ?tokens?\b",
        r"\b(?:user|caller|client)[- ](?:supplied|provided|controlled)\b",
        r"\b(?:validat\w+|saniti[sz]\w+|escap\w+) (?:[\w-]+ ){0,4}(?:inputs?|paths?|html|sql|uploads?)\b",
        r"\bpath traversal\b|\bsymlinks?\b",
    ),
    _choice(
        "external_service", "technical", 7, "Should the product depend on a service outside it?",
        (("optional", "Yes, and work without it", "An outage of the service costs that function only."),
         ("required", "Yes, as a condition", "An outage of the service is an outage of the product.")),
        r"\bthird[- ]party (?:[\w-]+ ){0,2}(?:api|service|provider)s?\b|\bwebhooks?\b|\bsaas\b",
        r"\bexternal (?:[\w-]+ ){0,2}(?:api|service|provider)s?\b",
    ),
    _choice(
        "db_schema", "technical", 5, "How should the stored data change?",
        (("additive", "Add only, keep the old readable", "The last release still runs on the changed data."),
         ("change", "Change in place", "Going back needs the migration undone, or a backup.")),
        r"\b(?:database|db|data|sql|table) (?:schema|migrations?)\b|\bschema (?:change|migration)s?\b|\balter table\b",
        r"\b(?:add|adds|new|drop|drops|rename|renames|remove|removes) (?:[\w`-]+ ){0,3}"
        r"(?:tables?|columns?) (?:to|from|in) (?:the )?(?:[\w`-]+ )?(?:table|database|db|schema)\b",
        r"\bmigrations? (?:that|to|must|should|adds?|creates?)\b",
    ),
    _choice(
        "new_dependency", "technical", 5, "Should the project take on another dependency?",
        (("none", "Do without it", "More code of our own, nothing new to update or audit."),
         ("take", "Take it, pinned", "Less code; its releases and its security are ours to follow.")),
        r"\b(?:new|another|additional|extra) (?:[\w-]+ )?(?:dependency|dependencies|library|package)\b",
        r"\b(?:adds?|use|using|install|introduce|adopt|depend on|requires?) (?:the )?`?[\w.-]+`? (?:library|package)\b",
        r"\bpip install \w|\bnpm install \w|\bas a dependency\b",
    ),
    _choice(
        "api_endpoints", "technical", 4, "Is this the form in which the product offers it to its callers?",
        (("as-stated", "As the request states it", "The name and the form become a promise to callers."),
         ("experimental", "Offer it as experimental", "It can still change; callers are told so.")),
        rf"\b{_NEW} (?:[\w`-]+ ){{0,3}}{_PUBLIC_THING}\b",
        r"(?<![\w-])--(?!help\b|version\b)[a-z][\w-]+|\b(?:option|flag) `?--\w",
    ),
    _choice(
        "performance", "technical", 4, "Which of speed and simplicity comes first here?",
        (("measure", "Simple first, then measure", "The stated figure is checked before anything is made complex."),
         ("optimise", "Fast from the start", "More code to keep, before anyone knows where the time goes.")),
        r"\b(?:latency|throughput|faster|speed up|benchmarks?|time[- ]?outs?|memory (?:use|usage|limit))\b",
        r"\b(?:under|within|less than|at most|below|in) \d[\d.,]* ?(?:ms|milliseconds?|s|sec|seconds?|mb|gb)\b",
        r"\b\d[\d,.]{0,20} ?(?:k|m|thousand|million)? (?:rows|requests|records|users|lines|files) "
        r"(?:per|a|in|within|at once)\b",
    ),
    _choice(
        "component_design", "technical", 3, "Should this be a part of its own?",
        (("own", "A part of its own", "It can be tested and replaced by itself."),
         ("inside", "Inside what is there", "Less to read now, harder to take apart later.")),
        r"\bnew (?:[\w`-]+ ){0,2}(?:component|widget|module|class|plugin|layer)s?\b",
        r"\bmodule of its own\b|\bseparate (?:module|class|component)\b|\bplug-?ins?\b",
    ),
    _choice(
        "conversion_flow", "ux", 6, "Should the way to the user's goal change here?",
        (("as-stated", "As the request states it", "Everyone gets the new way at once."),
         ("trial", "For a part of the users first", "Figures before everyone has it; two ways to keep meanwhile.")),
        r"\b(?:sign-?up|check-?out|onboarding|registration) (?:flow|form|page|process|steps?|funnel)\b",
        r"\bconversion (?:rate|flow|funnel)\b",
    ),
    _choice(
        "navigation", "ux", 4, "Where should people find it?",
        (("as-stated", "Where the request puts it", "People find it there, and nothing else moves."),
         ("secondary", "Out of the way at first", "Fewer notice it; those who know the place lose nothing.")),
        r"\b(?:navigation|sidebar|side bar|nav ?bar|main menu|menu (?:entry|item)s?|breadcrumbs?|tab bar)\b",
    ),
    _choice(
        "accessibility", "ux", 5, "Which people must be able to use it from the start?",
        (("full", "All, by the usual guidelines", "Keyboard, contrast and screen readers are part of done."),
         ("later", "Accessibility in a second step", "Some people are left out until then.")),
        r"\b(?:accessib(?:le|ility)|screen[- ]readers?|wcag|aria|colou?r[- ]blind\w*|keyboard[- ]only)\b",
        r"\bcontrast ratio\b",
    ),
    _choice(
        "pricing", "strategy", 8, "Should what customers pay change in this way?",
        (("new-only", "For new customers only", "Nobody's bill changes without their consent."),
         ("all", "For all customers", "Present customers must be told before it takes effect.")),
        r"\b(?:pricing|billing|subscriptions?|paid plans?|free (?:plan|tier|trial)|premium (?:plan|tier))\b",
        r"\bprices? (?:of|list|per|for customers)\b",
    ),
    _choice(
        "positioning", "gtm", 6, "Should the product present itself in this way?",
        (("as-stated", "As the request states it", "What is published is hard to take back."),
         ("trial", "With a small audience first", "Figures first; the wider announcement comes later.")),
        r"\b(?:positioning|landing page|tag ?lines?|slogans?|press release|rebrand\w*)\b",
        r"\bmarketing (?:copy|claims?|site|page)\b",
    ),
)  # fmt: skip

_NEGATION = re.compile(r"\b(?:no|not|never|without|instead of|avoid\w*|don't|doesn't|nor|neither)\b[^,;]{0,40}$", re.I)
_BEFORE = 60


def choices(texts: Iterable[str], blocks: str = "I1") -> list[Json]:
    """The decisions that these texts call for, one per kind, in the order of the table. Negated words call for none.

    None has a topic: no two rows of the table ask about the same thing.
    """
    said = [sentence for text in texts for _, sentence in sentences(text)]
    found = []
    for choice in CHOICES:
        words = next((sentence for sentence in said if _calls(choice.pattern, sentence)), None)
        if words is not None:
            found.append(_decision(choice, words, blocks))
    return found


def _calls(pattern: re.Pattern[str], sentence: str) -> bool:
    return any(
        not _NEGATION.search(sentence[max(match.start() - _BEFORE, 0) : match.start()])
        for match in pattern.finditer(sentence)
    )


def _decision(choice: Choice, words: str, blocks: str) -> Json:
    return {
        "kind": choice.kind,
        "domain": choice.domain,
        "question": f"{choice.question} The request says: “{brief(words, 240)}”",
        "impact": choice.impact,
        "options": [
            {"key": key, "label": label, "consequence": consequence} for key, label, consequence in choice.options
        ],
        "recommended": choice.options[0][0],
        "blocks": blocks,
    }
