"""A model that answers for a whole team: what each role is asked for it gives, as the Messages protocol wants it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.contract import Json
from tests.models.scripted_server import Reply, text, tool

SIX = ("who", "what", "when", "where", "why", "how")
TITLE = "Add a greeting in another language"
CRITERIA = (
    "`greet('es')` returns `Hola`",
    "An unknown language is refused with a ValueError that names it",
    "The README says which languages there are",
)
TASK: Json = {"id": "T1", "title": "Greet in Spanish", "criteria": ["AC1", "AC2", "AC3"]}
CODE = '''"""Greetings."""

GREETINGS = {"en": "Hello", "es": "Hola"}


def greet(language: str = "en") -> str:
    """The greeting of a language; raises ValueError for one that is not known."""
    if language not in GREETINGS:
        raise ValueError(f"no greeting in {language!r}")
    return GREETINGS[language]
'''
TESTS = """import pytest

from greetings import greet


def test_spanish() -> None:
    assert greet("es") == "Hola"


def test_an_unknown_language_is_named() -> None:
    with pytest.raises(ValueError, match="xx"):
        greet("xx")
"""
OUTPUTS: dict[str, Json] = {
    "intent-triage": {
        "classification": {"type": "feature", "domain": "library", "complexity": "low"},
        "reasons": ["it asks for something new"],
    },
    "problem-framer": {
        "problem": "Spanish speakers are greeted in English.",
        "six_w": dict.fromkeys(SIX, 0.9),
        "six_w_evidence": dict.fromkeys(SIX, "the request says so"),
        "confidence": 0.9,
        "stated": {"tasks": [], "tasks_found": 0, "approach": ""},
    },
    "value-articulator": {
        "value": "Spanish speakers feel welcome.",
        "business_context": "A third of those who use it speak Spanish, and they write in about it every week.",
    },
    "risk-notary": {"risks": [{"id": "R1", "text": "A typo", "severity": "low", "mitigation": "A test for it"}]},
    "ac-writer": {"acceptance_criteria": [{"id": f"AC{n}", "text": t} for n, t in enumerate(CRITERIA, 1)]},
    "decomposer": {"tasks": [TASK]},
    "estimator": {"estimates": {"T1": 2}, "basis": {"T1": "one file"}},
    "mitigation-planner": {"mitigations": [{"risk": "R1", "plan": "A test compares the word"}]},
    "backlog-curator": {
        "tasks": [{**TASK, "estimate_hours": 2, "depends_on": []}],
        "order": ["T1"],
        "mitigations": [{"risk": "R1", "plan": "A test compares the word"}],
    },
}
WORK: dict[str, tuple[Json, ...]] = {
    "code-implementer": (
        {"name": "read", "path": "greetings.py"},
        {"name": "write", "path": "greetings.py", "content": CODE},
        {"name": "edit", "path": "README.md", "old": "English.", "new": "English (`en`) and Spanish (`es`)."},
        {"name": "done", "summary": "Spanish is known, the unknown refused.", "verifies": {}},
    ),
    "test-implementer": (
        {"name": "write", "path": "tests/test_spanish.py", "content": TESTS},
        {"name": "run", "command": "test"},
        {
            "name": "done",
            "summary": "Each criterion has its test.",
            "verifies": {
                "AC1": ["tests/test_spanish.py::test_spanish"],
                "AC2": ["tests/test_spanish.py::test_an_unknown_language_is_named"],
            },
        },
    ),
}
FILES = {
    "greetings.py": '"""Greetings."""\n\n\ndef greet() -> str:\n    """The greeting."""\n    return "Hello"\n',
    "tests/test_it.py": "from greetings import greet\n\n\ndef test_it() -> None:\n    assert greet() == 'Hello'\n",
    "README.md": "# Greetings\n\nIt greets in English.\n",
    "pyproject.toml": (
        '[project]\nname = "g"\nversion = "1"\n\n'
        '[tool.pytest.ini_options]\npythonpath = ["."]\naddopts = "--disable-plugin-autoload"\n'
    ),
    ".gitignore": "__pycache__/\n.pytest_cache/\n.coverage\n",
}
"""The project that it works on."""

_ASKED = re.compile(r"asks you for: ([a-z-]+)\.")


def role_of(body: Json) -> str:
    """Who is asked, by the first line of the request."""
    first = body["messages"][0]["content"]
    words = first if isinstance(first, str) else "".join(str(b.get("text", "")) for b in first)
    found = _ASKED.search(words)
    assert found, words[:200]
    return found[1]


@dataclass
class Team:
    """What was asked, role by role; `says` is for a ScriptedServer."""

    asked: Counter[str] = field(default_factory=Counter)
    raising: Mapping[str, Sequence[Json]] = field(default_factory=dict)
    """Decisions that a role's answer raises."""

    def says(self, body: Json) -> Reply:
        role = role_of(body)
        self.asked[role] += 1
        if role in OUTPUTS:
            answer = {
                "status": "SUCCESS",
                "output": OUTPUTS[role],
                "missing": [],
                "suggestion": "",
                "decisions": list(self.raising.get(role, ())),
            }
            return [text(json.dumps(answer))]
        steps = WORK[role]
        # By what it has already done in this talk, so that who was interrupted goes on where it was.
        done = sum(message["role"] == "assistant" for message in body["messages"])
        step = dict(steps[min(done, len(steps) - 1)])
        return [tool(step.pop("name"), **step)]
