"""A question in words: what is asked, what was measured against what was required, where it came from."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from core.contract import Json
from core.sanitise import one_line, sanitise
from core.store.rows import EscalationRow
from tui.screens.questions.budget_text import Spending, budget_paragraphs
from tui.screens.questions.permission_text import SHOWN_HERE, is_permission, permission_paragraphs
from tui.screens.questions.question_about import about_paragraphs
from tui.text.words import NOT_APPLICABLE, NOT_PASSED, PASSED, Line, in_words
from tui.widgets.document import BLANK, Paragraph, heading, text

SHOWN_ELSEWHERE = frozenset(
    {
        "criteria",
        "findings",
        "suggested_action",
        "agents",
        "details",
        "agent",
        "subject",
        "phase",
        "blocker",
        "required_action",
        "budget",
    }
)
"""Details that have a place of their own, or say again what the question says."""


def question_paragraphs(row: EscalationRow, spending: Spending | None = None) -> list[Paragraph]:
    """The question, then what is known, of a budget what is used; sections that have nothing to say are left out."""
    made = _of(row) + (permission_paragraphs(row) if is_permission(row) else _asked(row))
    made += budget_paragraphs(row, spending)
    criteria = measured(row.details)
    made += _section("Measured", criteria_paragraphs(criteria))
    made += _section("Missing", _missing(row, criteria))
    made += _section("Findings", _findings(row.details))
    made += _section("What would help", _suggestions(row.details, row.question))
    made += _section("Failures", _failures(row.details))
    made += _section("Details", _other_details(row.details))
    made += _section("Evidence", evidence_paragraphs(criteria))
    return made


def _of(row: EscalationRow) -> list[Paragraph]:
    """The work item it is about: many questions say the same of different ones."""
    about: Line = ((f"#{row.work_item} ", "faint"), (one_line(row.title, 200), "accent"))
    return [Paragraph(about, 3)] if row.title else []


def led(row: EscalationRow, made: Sequence[Paragraph]) -> tuple[Sequence[Paragraph], Sequence[Paragraph]]:
    """What is asked, and the rest; of a permission the whole command is what is asked."""
    is_whole = is_permission(row) or row.kind == "budget"
    end = next((n for n, p in enumerate(made) if p == BLANK), len(made)) if is_whole else len(_of(row)) + 1
    return made[:end], made[end:]


def _asked(row: EscalationRow) -> list[Paragraph]:
    asked, rest = _sentences(sanitise(row.question, limit=4_000, keep_newlines=False))
    return [Paragraph(((asked, "strong"),)), *([Paragraph(((rest, "text"),))] if rest else [])]


def _sentences(question: str) -> tuple[str, str]:
    """The first sentence, which is the question, and what it adds."""
    match = re.match(r"(.{12,}?[.?!])\s+(.+)$", question)
    return (match[1], match[2]) if match else (question, "")


def measured(details: Json) -> list[Mapping[str, Any]]:
    """The criteria that a gate measured; a work item's own criteria under the same key are none."""
    found = details.get("criteria")
    return [c for c in found if isinstance(c, Mapping) and "required" in c] if isinstance(found, list) else []


def _section(title: str, body: Sequence[Paragraph]) -> list[Paragraph]:
    return [BLANK, heading(title), *body] if body else []


def bullet(item: Any, tone: str = "text") -> Paragraph:
    """An entry of a list."""
    return Paragraph(((" · ", "faint"), (one_line(str(item), 500), tone)), 3)


def criteria_paragraphs(criteria: Sequence[Mapping[str, Any]]) -> list[Paragraph]:
    """One line a criterion: its mark, its name, what it is, what it must be."""
    if not criteria:
        return []
    names = [one_line(str(c.get("name", "")).replace("_", " "), 24) for c in criteria]
    actuals = [one_line(str(c.get("actual", "")), 120) for c in criteria]
    wide, far = max(map(len, names)), min(max(map(len, actuals)), 26)
    made = []
    for criterion, name, actual in zip(criteria, names, actuals, strict=True):
        mark = _mark_of(criterion)
        line: Line = (
            (f" {mark.glyph} {mark.word:<8}", mark.tone),
            (f"{name:<{wide}}  ", "text"),
            (f"{actual:<{far}}  ", "text" if criterion.get("passed") else "strong"),
        )
        needs = one_line(str(criterion.get("required", "")), 120)
        made.append(Paragraph(line, 11, (("needs ", "faint"), (needs, "dim"))))
        for key, word in (("not_applicable", "exempt by"), ("loosened", "loosened:")):
            if criterion.get(key):
                made.append(Paragraph(((" " * 11, "text"), (f"{word} {one_line(str(criterion[key]))}", "ask")), 11))
    return made


def _mark_of(criterion: Mapping[str, Any]) -> Any:
    if criterion.get("not_applicable"):
        return NOT_APPLICABLE
    return PASSED if criterion.get("passed") else NOT_PASSED


def _missing(row: EscalationRow, criteria: Sequence[Mapping[str, Any]]) -> list[Paragraph]:
    """What the measurements do not say already, entries with a word that no line of them has; an id with its words."""
    lines = [_words(f"{c.get('name')} {c.get('actual')} {c.get('required')} of") for c in criteria]
    known = {i: said for o in row.options for ids in o.get("names", {}).values() for i, said in ids.items()}
    made = []
    for item in row.missing:
        words = _words(str(item))
        if not any(words <= told for told in lines):
            meant = next((f": “{one_line(said, 300)}”" for i, said in known.items() if said and i in words), "")
            made.append(bullet(f"{one_line(str(item), 400)}{meant}"))
    return made


def _words(text: str) -> set[str]:
    return set(re.findall(r"[\w.]+", text.replace("_", " ")))


def _findings(details: Json) -> list[Paragraph]:
    found = details.get("findings")
    return [bullet(in_words(f) if isinstance(f, Mapping) else f) for f in found[:60]] if isinstance(found, list) else []


def _suggestions(details: Json, question: str) -> list[Paragraph]:
    said = [details[k] for k in ("suggested_action", "required_action") if details.get(k)]
    made = [bullet(text) for text in said if str(text) not in question]
    agents = details.get("agents")
    for role, note in agents.items() if isinstance(agents, Mapping) else ():
        advice = note.get("suggestion") or note.get("error") if isinstance(note, Mapping) else note
        if advice:
            line: Line = (
                (" · ", "faint"),
                (f"{one_line(str(role), 40)}: ", "dim"),
                (one_line(str(advice), 500), "text"),
            )
            made.append(Paragraph(line, 3))
    return made


def _failures(details: Json) -> list[Paragraph]:
    found = details.get("details")
    made = []
    for entry in found if isinstance(found, list) else ():
        if isinstance(entry, Mapping):
            who = " ".join(str(entry.get(k, "")) for k in ("agent", "subject") if entry.get(k))
            said = entry.get("error") or entry.get("suggestion") or ""
            made.append(
                Paragraph(((" ✗ ", "bad"), (f"{one_line(who, 60)}: ", "dim"), (one_line(str(said), 500), "text")), 3)
            )
    return made


def _other_details(details: Json) -> list[Paragraph]:
    """What has no section of its own: short values in two columns, then those that need lines."""
    found = {
        one_line(str(key).replace("_", " "), 30): value
        for key, value in details.items()
        if not _is_shown_elsewhere(key, details) and value not in (None, "", [], {})
    }
    short = {name: _in_short(value) for name, value in found.items() if not _needs_lines(value)}
    wide = min(max(map(len, short), default=0), 20)
    made = [
        Paragraph(((f" {name:<{wide}}  ", "dim"), (one_line(value, 500), "text")), wide + 3)
        for name, value in short.items()
    ]
    for name, value in found.items():
        if isinstance(value, list):
            made.append(Paragraph(((f" {name}", "dim"),)))
            made += [bullet(item if not isinstance(item, Mapping) else in_words(item)) for item in value[:40]]
        elif _needs_lines(value):
            made.append(Paragraph(((f" {name}", "dim"),)))
            made += text(sanitise(value, limit=20_000), indent=3)
    return made


def _is_shown_elsewhere(key: str, details: Json) -> bool:
    if key in SHOWN_HERE and details.get("permission"):
        return True
    return key in SHOWN_ELSEWHERE and not (key == "criteria" and not measured(details))


def _needs_lines(value: Any) -> bool:
    return isinstance(value, list) or (isinstance(value, str) and "\n" in value)


def _in_short(value: Any) -> str:
    return in_words(value) if isinstance(value, Mapping) else str(value)


def evidence_paragraphs(criteria: Sequence[Mapping[str, Any]]) -> list[Paragraph]:
    """The commands that the measurements rest on, each once."""
    made: list[Paragraph] = []
    seen: set[str] = set()
    for entry in (e for c in criteria for e in c.get("evidence", ()) if isinstance(e, Mapping)):
        command = entry.get("command")
        shown = shlex.join(str(part) for part in command) if isinstance(command, list) else str(entry.get("agent", ""))
        if not shown or shown in seen:
            continue
        seen.add(shown)
        code = entry.get("exit_code", 0)
        spans: Line = (
            (f" exit {code}  " if command else " by  ", "good" if code == 0 else "bad"),
            (one_line(shown, 300), "text"),
        )
        made.append(Paragraph(spans, 9))
    return made


def plain_text(row: EscalationRow) -> str:
    """The question with everything it rests on and its answers, as lines to be copied."""
    lines = ["".join(piece for piece, _ in (*p.line, *p.tail)).rstrip() for p in question_paragraphs(row)]
    options = [
        f"{n}. {one_line(o['label'])}{' (recommended)' if o['key'] == row.recommended else ''}: "
        f"{one_line(o.get('consequence', ''), 400)}"
        for n, o in enumerate(row.options, 1)
    ]
    return "\n".join([f"Question {row.id}", *lines, "", *options]) + "\n"


__all__ = [
    "about_paragraphs",
    "criteria_paragraphs",
    "evidence_paragraphs",
    "led",
    "plain_text",
    "question_paragraphs",
]
