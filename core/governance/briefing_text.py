"""A briefing to read: as plain text, and as Markdown. Every line was sanitised when it was made."""

from __future__ import annotations

from core.governance.briefing_document import Briefing

_SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*_[]<>|#&~"})
"""A title may hold links and markup of its own; Markdown is to show it as it is."""


def as_text(found: Briefing) -> str:
    lines = [heading(found)]
    for section in found.sections:
        lines += ["", section.title, *(f"  {item}" for item in section.items or (section.nothing,))]
    return "\n".join(lines)


def as_markdown(found: Briefing) -> str:
    lines = [f"# {heading(found)}"]
    for section in found.sections:
        title, items = section.title.translate(_SPECIAL), section.items or (section.nothing,)
        lines += ["", f"## {title}", "", *(f"- {item.translate(_SPECIAL)}" for item in items)]
    return "\n".join(lines)


def heading(found: Briefing) -> str:
    """What it is called, as the subject of a mail is: the day, and the moment of its readings."""
    return f"Briefing of {found.date}, {found.time} UTC"
