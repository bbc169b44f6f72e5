"""What a heading announces. Requests have no fixed form, so each kind of section is known by many names."""

from __future__ import annotations

import re

from core.agents.words.text import word_set

PROBLEM, CONTEXT, VALUE, WHAT, STORIES = "problem", "context", "value", "what", "stories"
CRITERIA, RISKS, MITIGATIONS, TASKS, DEPENDENCIES = "criteria", "risks", "mitigations", "tasks", "dependencies"
WHO, WHEN, WHERE, HOW = "who", "when", "where", "how"
EXCLUDED, REPRODUCTION, REFERENCE, UNNAMED = "excluded", "reproduction", "reference", ""

SECTIONS: dict[str, tuple[str, ...]] = {
    PROBLEM: (
        "problem", "problems", "problem statement", "the problem", "issue", "pain", "pain point", "pain points", "bug",
        "what happens", "what happens now", "what is wrong", "what's wrong", "what went wrong", "actual",
        "actual behaviour", "actual behavior", "actual result", "actual results", "current behaviour",
        "current behavior", "observed", "observed behaviour", "observed behavior", "symptom", "symptoms",
        "bug description", "describe the bug", "is your feature request related to a problem",
    ),
    CONTEXT: (
        "background", "context", "business context", "why", "why now", "why this", "motivation", "rationale", "reason",
        "reasons", "situation", "circumstances", "introduction", "history", "current situation", "status quo",
        "additional context", "today",
    ),
    VALUE: (
        "value", "business value", "benefit", "benefits", "goal", "goals", "outcome", "outcomes", "objective",
        "objectives", "impact", "business impact", "expected benefit", "expected benefits", "expected outcome",
        "success metrics", "why it matters", "aim", "purpose", "business case",
    ),
    WHAT: (
        "what", "summary", "overview", "description", "feature", "feature request", "request", "change",
        "requested change", "tl;dr", "abstract", "in short",
    ),
    STORIES: ("user story", "user stories", "story", "stories", "use case", "use cases"),
    CRITERIA: (
        "acceptance criteria", "acceptance criterion", "acceptance", "ac", "acs", "definition of done", "dod",
        "done when", "it is done when", "this is done when", "we are done when", "done means", "requirements",
        "requirement", "functional requirements", "non-functional requirements", "expected", "expected behaviour",
        "expected behavior", "expected result", "expected results", "what should happen", "what i expected",
        "what you expected", "conditions of satisfaction", "success criteria", "scenarios", "acceptance tests",
        "must have", "must haves", "deliverables", "criteria", "nfr", "nfrs",
    ),
    RISKS: (
        "risk", "risks", "known risks", "concern", "concerns", "watch out", "watch out for", "assumptions",
        "assumption", "caveats", "pitfalls", "dangers", "danger", "what could go wrong", "what can go wrong",
        "worries", "risk assessment", "things that could go wrong",
        "things that can go wrong",
    ),
    MITIGATIONS: ("mitigation", "mitigations", "mitigation plan", "risk mitigation", "countermeasures", "safeguards"),
    WHO: (
        "who", "who is affected", "who is it for", "who is this for", "who needs this", "users", "user", "audience",
        "target audience", "target users", "affected users", "persona", "personas", "stakeholders", "actors",
        "reported by", "requester", "customers",
    ),
    WHEN: (
        "when", "deadline", "deadlines", "timeline", "schedule", "due", "due date", "due by", "milestone",
        "milestones", "timing", "frequency", "since when", "when does it happen", "needed by", "target date",
    ),
    WHERE: (
        "where", "scope", "in scope", "affected", "affected files", "affected areas", "affected components",
        "affected modules", "affected versions", "component", "components", "location", "environment", "version",
        "versions", "platform", "area", "areas", "files", "where it happens",
    ),
    HOW: (
        "how", "approach", "proposal", "proposed approach", "proposed solution", "proposed change", "solution",
        "suggested fix", "suggestion", "idea", "implementation", "implementation notes", "design", "technical notes",
        "technical approach", "technical details", "notes for developers", "describe the solution you'd like",
    ),
    EXCLUDED: (
        "out of scope", "not in scope", "non-goals", "non goals", "no goals", "not included", "excluded", "won't do",
        "exclusions", "alternatives", "alternatives considered", "describe alternatives you've considered",
    ),
    TASKS: (
        "tasks", "task list", "plan", "steps", "to do", "todo", "todos", "to-do", "to-dos", "work breakdown",
        "implementation plan", "work plan", "subtasks", "sub-tasks", "implementation steps", "next steps", "checklist",
    ),
    DEPENDENCIES: ("dependencies", "depends on", "blocked by", "prerequisites", "order of work"),
    REPRODUCTION: (
        "steps to reproduce", "to reproduce", "reproduction", "reproduction steps", "how to reproduce", "reproducer",
        "repro", "repro steps", "minimal example", "example", "examples",
    ),
    REFERENCE: (
        "links", "link", "references", "reference", "see also", "notes", "note", "screenshots", "screenshot", "logs",
        "log output", "attachments", "related", "related issues", "sources", "further reading", "open questions",
        "questions", "contact", "cc", "thanks", "regards", "subject", "from", "to", "date", "sent", "testing",
        "test plan", "glossary", "appendix", "re",
    ),
}  # fmt: skip

_KIND_OF = {name: kind for kind, names in SECTIONS.items() for name in names}
_LONGEST = max(len(name.split()) for name in _KIND_OF)
_HEADING_WORDS = 9
_LABEL_WORDS = 6
_QUESTION_WORDS = word_set("who what when where why how")
_JOINING = word_set("and & / or of for to in information statement notes list plan section we is are (draft)")
"""What may follow a one-word name that begins a longer heading: "Risks and concerns", not "Value objects"."""
_EDGES = re.compile(r"^[^\w]+|[^\w]+$")
_NUMBER = re.compile(r"^\d+(?:\.\d+)*[.)]?\s+")


def kind_of_heading(text: str) -> str:
    """The kind of section that a heading opens, UNNAMED for a heading that no table knows.

    The whole heading decides, else its longest known beginning ("Risks and concerns"), else a known name of two
    words or more anywhere in it ("Draft acceptance criteria").
    """
    name = _name(text)
    if name in _KIND_OF:
        return _KIND_OF[name]
    parts = name.split()
    if len(parts) > _HEADING_WORDS:
        return UNNAMED
    for length in range(min(len(parts), _LONGEST), 0, -1):
        known = _KIND_OF.get(" ".join(parts[:length]).rstrip(",:;&/"))
        if known and (length > 1 or parts[0] in _QUESTION_WORDS or parts[1] in _JOINING):
            return known
    runs = (" ".join(parts[at : at + 2 + more]) for more in (1, 0) for at in range(len(parts) - 1 - more))
    return next((_KIND_OF[run] for run in runs if run in _KIND_OF), UNNAMED)


def kind_of_label(text: str) -> str:
    """The kind that a label before a colon names; stricter than a heading, since prose has colons too."""
    name = _name(text)
    if name in _KIND_OF:
        return _KIND_OF[name]
    parts = name.replace("/", " ").replace("&", " ").split()
    if not 2 <= len(parts) <= _LABEL_WORDS:
        return UNNAMED
    joined = {_KIND_OF.get(part, UNNAMED) for part in parts if part not in ("and", "or", "the", "our", "known")}
    return joined.pop() if len(joined) == 1 else UNNAMED


def _name(text: str) -> str:
    name = _NUMBER.sub("", _EDGES.sub("", " ".join(text[:200].lower().split())))
    return name.replace("’", "'")
