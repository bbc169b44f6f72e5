"""Questions: in a list of them, and one by itself. What is done to one is done by the same keys in both."""

from __future__ import annotations

from tui.actions.model import DIGITS, Action

PLACES: dict[str, str] = {
    "queue": "Questions",
    "decision": "A question",
    "answer": "An answer in parts",
    "evidence": "Evidence",
}

_DEEDS = (
    ("accept", "a", "Accept", "Answer as recommended", "accept", 11),
    ("rule", "A", "Accept, rule", "Accept, and wish for a rule at the next scope review", "accept_and_propose", 0),
    ("values", "e", "Fill in", "Answer with the values that are missing", "values", 12),
    ("editor", "E", "In editor", "Answer with values in your $EDITOR", "values_in_editor", 36),
    ("other", "r", "Other", "Another answer, with a reason", "other", 13),
    ("ask", "c", "Ask back", "Ask whoever raised it, or reply to what was asked", "ask_back", 20),
    ("ack", "exclamation_mark", "Seen", "Acknowledge: no reminders for 30 minutes", "acknowledge", 31),
    ("snooze", "s", "Snooze", "Put it away for a while", "snooze", 26),
    ("assign", "o", "Hand over", "Hand it over to somebody, with a word", "assign", 32),
    ("escalate", "circumflex_accent", "More urgent", "Make it more urgent", "escalate", 33),
    ("merge", "m", "Merge", "One answer for several questions that take the same answers", "merge", 34),
    ("diff", "d", "Diff", "What the work item has changed so far", "diff", 18),
    ("work", "w", "Work item", "Open the work item it is about", "work_item", 35),
)
"""Id, key, title, description, handler, footer rank."""


def _deeds(place: str) -> tuple[Action, ...]:
    return tuple(
        Action(f"{place}.{name}", (key,), title, description, place, handler, rank)
        for name, key, title, description, handler, rank in _DEEDS
    )


ACTIONS: tuple[Action, ...] = (
    *_deeds("queue"),
    Action(
        "decision.answer", DIGITS, "Answer", "Answer with the option of that number", "decision", "answer({key})", 10
    ),
    *_deeds("decision"),
    Action(
        "decision.evidence", ("v",), "Evidence", "What it rests on: every command, in full", "decision", "evidence", 17
    ),
    Action("decision.down", ("J",), "Scroll down", "Scroll the question", "decision", "scroll_text(1)", palette=False),
    Action("decision.up", ("K",), "Scroll up", "Scroll the question", "decision", "scroll_text(-1)", palette=False),
    Action("decision.search", ("slash",), "Search", "Find words in the question", "decision", "search", 60),
    Action("decision.out", ("escape",), "Out", "Back, without an answer", "decision", "out", 85),
    Action("evidence.out", ("escape", "v", "q"), "Out", "Back to the question", "evidence", "out", 85, palette=False),
    Action(
        "answer.editor",
        ("f4",),
        "In editor",
        "Go on in your $EDITOR with what is written",
        "answer",
        "editor",
        15,
        palette=False,
    ),
)
