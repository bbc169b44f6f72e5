"""What an agent asks leave for: the command to its last character, where it would run, what the agent says of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from core.contract import Json
from core.sanitise import one_line, sanitise
from core.store.rows import EscalationRow
from tui.text.words import Line, Span, plural
from tui.widgets.document import BLANK, Paragraph

SHOWN_HERE = frozenset(
    {
        *("permission", "command", "folder", "reason", "tool", "decision", "impact", "rule", "worktree"),
        *("session", "tool_use_id", "about"),
    }
)
"""Details of a permission that are told here, or that only its runtime needs to find the call again."""
MOST_CHARACTERS = 100_000
LONG_BLANK = 6
"""Blanks in a row from which they are counted: a command's end is not to be pushed out of sight."""
NAMES = 11
_ODD = re.compile(rf"⟨U\+[0-9A-F]{{4,6}}⟩| {{{LONG_BLANK},}}|\t+")
_CUT = re.compile(r"… \[cut, [\d,]+ characters in all\]$")


def is_permission(row: EscalationRow) -> bool:
    return row.kind == "permission" and isinstance(row.details.get("command"), str)


def permission_paragraphs(row: EscalationRow) -> list[Paragraph]:
    """First who asks and how much there is to read, then every line of the command, then where and why."""
    command = sanitise(_text(row.details, "command"), limit=MOST_CHARACTERS)
    lines = command.split("\n")
    made = [_lead(row, lines), *(_command_line(n, line) for n, line in enumerate(lines))]
    if _CUT.search(command):
        warning = "Too long to show: what is missing here cannot be judged. Refuse it."
        made.append(Paragraph((("✗ ", "bad"), (warning, "bad")), 2))
    made += [BLANK, _fact("folder", _text(row.details, "folder") or "not said")]
    made += _where(row)
    reason = _text(row.details, "reason")
    if reason:
        words: Line = ((f"{'it says':<{NAMES}}", "dim"), (f"“{one_line(reason, 2_000)}”", "text"))
        made.append(Paragraph((*words, ("  in the agent's own words, which nobody checked", "faint")), NAMES))
    made.append(_chain(row))
    session = _text(row.details, "session")
    return made + ([_fact("session", session, "dim")] if session else [])


def _lead(row: EscalationRow, lines: list[str]) -> Paragraph:
    """Who wants what; of more than one line how many, so that nobody takes the first for all."""
    agent = one_line(_text(row.details, "agent") or (row.chain[-1] if row.chain else "An agent"), 60)
    tool = one_line(_text(row.details, "tool"), 40)
    many = f", {plural(len(lines), 'line')}" if len(lines) > 1 else ""
    return Paragraph(((f"{agent} asks to run this{f' with {tool}' if tool else ''}{many}:", "text"),))


def _command_line(number: int, line: str) -> Paragraph:
    return Paragraph((("$ " if number == 0 else "  ", "accent"), *_spans(line)), 2)


def _spans(line: str) -> Iterator[Span]:
    """What an eye would miss stands out."""
    at = 0
    for found in _ODD.finditer(line):
        if found.start() > at:
            yield line[at : found.start()], "strong"
        blank = found[0][0]
        told = {" ": f"␣×{len(found[0])}", "\t": f"⟨tab⟩×{len(found[0])}" if len(found[0]) > 1 else "⟨tab⟩"}
        is_indent = blank == " " and found.start() == 0
        yield (found[0], "strong") if is_indent and len(found[0]) <= 40 else (told.get(blank, found[0]), "bad")
        at = found.end()
    yield line[at:], "strong"


def _where(row: EscalationRow) -> list[Paragraph]:
    """On whose behalf, and by which rule it came to a person."""
    subject = one_line(_text(row.details, "subject"), 40)
    about = " ".join(part for part in (f"#{row.work_item}" if row.work_item else "", row.phase or "", subject) if part)
    kind, impact = _text(row.details, "decision"), row.details.get("impact")
    grave = f", impact {impact}" if isinstance(impact, int) else ""
    rule = _text(row.details, "rule")
    made = [_fact("for", about)] if about else []
    made += [_fact("act", f"{kind.replace('_', ' ')}{grave}")] if kind else []
    return made + ([_fact("why you", rule)] if rule else [])


def _chain(row: EscalationRow) -> Paragraph:
    spans: list[Span] = [(f"{'through':<{NAMES}}", "dim")]
    for n, role in enumerate(row.chain):
        spans += [(" › ", "faint")] if n else []
        spans.append((one_line(role, 40), "text"))
    return Paragraph(tuple(spans), NAMES)


def _fact(name: str, value: str, tone: str = "text") -> Paragraph:
    return Paragraph(((f"{name:<{NAMES}}", "dim"), (one_line(value, 1_000), tone)), NAMES)


def _text(details: Json, name: str) -> str:
    found: Any = details.get(name)
    return found if isinstance(found, str) else ""
