"""How the app says things: spans of time, states as glyph and word, and the ASCII stand-ins for glyphs.

A state is never told by colour alone: every mark has a glyph and a word, and a tone that the theme colours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from core.store import states

if TYPE_CHECKING:
    from core.store.rows import EscalationRow, PhaseCell

Span = tuple[str, str]
"""A piece of text and its tone (see `TONES`)."""
Line = tuple[Span, ...]

TONES = ("text", "strong", "dim", "faint", "accent", "run", "ask", "good", "bad", "loud")
"""Every tone a span may have; styles/app.tcss gives each its colour."""

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Mark(NamedTuple):
    """A state as a person sees it."""

    glyph: str
    word: str
    tone: str

    def line(self) -> Line:
        return ((f"{self.glyph} {self.word}", self.tone),)


UNKNOWN = Mark("·", "else", "faint")
"""A state that this version has no word for."""

AGENT_MARKS = {
    "idle": Mark("·", "idle", "faint"),
    "running": Mark("●", "running", "run"),
    "asking": Mark("◆", "asking", "ask"),
    "failed": Mark("✗", "failed", "bad"),
}

WORK_MARKS = {
    "proposed": Mark("○", "proposed", "dim"),
    "ready": Mark("○", "ready", "dim"),
    "running": Mark("●", "running", "run"),
    "waiting": Mark("◆", "waiting", "ask"),
    "resting": Mark("○", "resting", "ask"),
    "paused": Mark("‖", "paused", "dim"),
    "released": Mark("✓", "released", "good"),
    "closed": Mark("✓", "closed", "good"),
    "failed": Mark("✗", "failed", "bad"),
    "cancelled": Mark("✗", "cancelled", "faint"),
}

PHASE_MARKS = {
    "": Mark("·", "", "faint"),
    "ready": Mark("○", "next", "dim"),
    "running": Mark("●", "runs", "run"),
    "waiting": Mark("◆", "asks", "ask"),
    "passed": Mark("✓", "pass", "good"),
    "blocked": Mark("▲", "held", "ask"),
    "sent_back": Mark("↺", "back", "ask"),
    "failed": Mark("✗", "fail", "bad"),
    "void": Mark("✗", "void", "faint"),
}
"""Words of four letters, so that six cells and a title fit into 80 columns."""

STATE_CELLS = {
    "proposed": Mark("○", "new", "dim"),
    "waiting": Mark("◆", "asks", "ask"),
    "paused": Mark("‖", "wait", "dim"),
    "resting": Mark("○", "rest", "ask"),
    "cancelled": Mark("✗", "end", "faint"),
    "failed": Mark("✗", "fail", "bad"),
}
"""What the cell of the phase at hand says where the work item's state says more than the phase's."""

URGENCY_MARKS = {
    "IMMEDIATE": Mark("▲", "immediate", "bad"),
    "DAILY": Mark("◆", "daily", "ask"),
    "WEEKLY": Mark("·", "weekly", "dim"),
}

_URGENCY_CELLS = {"IMMEDIATE": "now", "DAILY": "day", "WEEKLY": "week"}

DELEGATION_MARKS = {
    "SUCCESS": Mark("✓", "done", "good"),
    "BLOCKED": Mark("◆", "blocked", "ask"),
    "FAILURE": Mark("✗", "failed", "bad"),
    "RUNNING": Mark("●", "running", "run"),
}

FILE_MARKS = {
    "added": Mark("+", "added", "good"),
    "changed": Mark("~", "changed", "run"),
    "removed": Mark("-", "removed", "bad"),
    "renamed": Mark("→", "renamed", "ask"),
    "copied": Mark("→", "copied", "ask"),
    "retyped": Mark("~", "retyped", "ask"),
    "in conflict": Mark("▲", "conflict", "bad"),
    "new": Mark("+", "new", "ask"),
}
"""What became of a file; "new" is one that git does not track yet."""

PASSED = Mark("✓", "passed", "good")
NOT_PASSED = Mark("✗", "missing", "bad")
NOT_APPLICABLE = Mark("·", "exempt", "dim")

ASCII = str.maketrans(
    {
        "●": ">",
        "◆": "?",
        "▲": "!",
        "✓": "+",
        "✗": "x",
        "‖": "=",
        "○": "o",
        "·": ".",
        "↺": "<",
        "↻": "*",
        "├": "|",
        "└": "`",
        "│": "|",
        "─": "-",
        "▾": "v",
        "▸": ">",
        "›": ">",
        "…": "~",
        "—": "-",
        "→": ">",
        "←": "<",
        "▌": "|",
        "⟨": "<",
        "⟩": ">",
        "␣": "_",
        "␍": "r",
        "↑": "^",
        "↓": "v",
    }
)
"""One character for one, so that columns stay where they are."""


def span_of_time(milliseconds: int) -> str:
    """At most four cells: `0.8s`, `12s`, `4m`, `2h`, `3d`."""
    ms = max(milliseconds, 0)
    if ms < 9_950:
        return f"{ms / SECOND:.1f}s"
    for unit, letter, below in ((SECOND, "s", MINUTE), (MINUTE, "m", HOUR), (HOUR, "h", 2 * DAY)):
        if ms < below:
            return f"{ms // unit}{letter}"
    return f"{min(ms // DAY, 999)}d"


def exact_time(milliseconds: int) -> str:
    """For a place with room: `840 ms`, `12.3 s`, `4 min 05 s`, `2 h 10 min`."""
    ms = max(milliseconds, 0)
    if ms < SECOND:
        return f"{ms} ms"
    if ms < MINUTE:
        return f"{ms / SECOND:.1f} s"
    if ms < HOUR:
        return f"{ms // MINUTE} min {ms % MINUTE // SECOND:02d} s"
    return f"{ms // HOUR} h {ms % HOUR // MINUTE:02d} min"


def due(row: EscalationRow, now: int) -> Span:
    """When an answer is wanted, as `wanted`; of one that is snoozed when it comes back, `back 2h`, unless it is due
    before that."""
    back = row.snoozed_until if states.escalation_state(row, now) == "snoozed" else None
    if back is None or (row.due_at is not None and row.due_at < back):
        return wanted(row, now)
    return f"back {span_of_time(back - now)}", "faint"


def wanted(row: EscalationRow, now: int) -> Span:
    """When an answer is wanted: `in 42m`, `3h late`, `review` (the next scope review)."""
    if row.due_at is None:
        return "review", "dim"
    if states.is_overdue(row, now):
        return f"{span_of_time(now - row.due_at)} late", "bad"
    is_soon = row.due_at - now < HOUR and states.escalation_state(row, now) == "open"
    return f"in {span_of_time(row.due_at - now)}", "ask" if is_soon else "dim"


def urgency(row: EscalationRow, now: int) -> Line:
    """The urgency, or what a person has done about the question in the meantime."""
    state = states.escalation_state(row, now)
    if state in ("snoozed", "acknowledged"):
        return ((f"‖ {'seen' if state == 'acknowledged' else state}", "faint"),)
    return URGENCY_MARKS.get(row.urgency, UNKNOWN).line()


def urgency_cell(row: EscalationRow, now: int) -> Line:
    """Urgency and lateness in six cells: `▲ now`, `◆ day`, `◆ late`, `‖ seen`, `‖ away` (snoozed)."""
    state = states.escalation_state(row, now)
    if state in ("snoozed", "acknowledged"):
        return ((f"‖ {'seen' if state == 'acknowledged' else 'away'}", "faint"),)
    mark = URGENCY_MARKS.get(row.urgency, UNKNOWN)
    if states.is_overdue(row, now):
        return ((f"{mark.glyph} late", "bad"),)
    return ((f"{mark.glyph} {_URGENCY_CELLS.get(row.urgency, '')}".rstrip(), mark.tone),)


def phase_cell(cell: PhaseCell, now: int) -> Line:
    """A phase as a cell of at most six: a time once it has one, a word until then."""
    mark = PHASE_MARKS.get(cell.status, UNKNOWN)
    if cell.status == "passed" and cell.milliseconds is not None:
        return (("✓ ", "good"), (span_of_time(cell.milliseconds), "dim"))
    if cell.status == "running" and cell.started_at is not None:
        return ((f"● {whole_time(now - cell.started_at)}", "run"),)
    return ((f"{mark.glyph} {mark.word}".rstrip(), mark.tone),)


def whole_time(milliseconds: int) -> str:
    """Time that still runs: whole units only, so that it changes at most once a second."""
    return span_of_time(max(milliseconds, 10_000)) if milliseconds >= 10_000 else f"{max(milliseconds, 0) // SECOND}s"


def in_screen_words(text: str) -> str:
    """What `core` says of escalation 12, which the screens call question 12. Commands in it stay as they are."""
    return _NUMBERED.sub(lambda found: f"{'Q' if found[1] == 'E' else 'q'}uestion {found[2]}", text)


_NUMBERED = re.compile(r"\b([Ee])scalation (\d+)")


def plural(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


_NAMES = ("id", "title", "name", "text")


def in_words(record: Mapping[str, Any]) -> str:
    """A small record on one line: what names it, then what else it says; nothing of what is empty."""
    names = ": ".join(str(record[key]) for key in _NAMES if record.get(key))
    rest = {key: value for key, value in record.items() if key not in _NAMES and value not in (None, "", [], {})}
    said = (f"{key.replace('_', ' ')}: {_listed(value)}" for key, value in rest.items())
    return "; ".join(filter(None, (names, ", ".join(said))))


def _listed(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
