"""The triage screen: what it shows, and what was answered from it."""

from __future__ import annotations

from typing import Any

from tests.app import asked
from tests.app.seeding import SeededWorkspace
from tui.screens.triage.screen import Triage

NEXT, BEFORE = "right_square_bracket", "left_square_bracket"


def triage_of(pilot: Any) -> Triage:
    screen = pilot.app.screen
    assert isinstance(screen, Triage)
    return screen


def preview_text(pilot: Any) -> str:
    shown = triage_of(pilot).preview.paragraphs
    return "\n".join("".join(text for text, _ in (*p.line, *p.tail)) for p in shown)


def under_cursor(pilot: Any) -> str:
    row = triage_of(pilot).inbox.row
    return "" if row is None else row.question


def section_counts(pilot: Any) -> dict[str, int]:
    return {row.section.title: row.count for row in triage_of(pilot).sections.rows}


async def answers(made: SeededWorkspace, escalation: int) -> list[tuple[str, str]]:
    """Option and reason of every answer that stands."""
    return [(a.option, a.reason) for a in await asked.answers(made, escalation) if a.undone_at is None]
