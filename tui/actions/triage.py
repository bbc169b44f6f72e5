"""Clearing the inbox: sections, answers straight on a row, and what is done to many at once."""

from __future__ import annotations

from tui.actions.model import DIGITS, Action

PLACES: dict[str, str] = {
    "inbox": "Triage, on a question",
    "triage": "Triage",
    "bulk": "One answer for many",
}

ACTIONS: tuple[Action, ...] = (
    Action("inbox.answer", DIGITS, "Answer", "Answer with the option of that number", "inbox", "answer({key})", 14),
    Action(
        "triage.next",
        ("right_square_bracket",),
        "Next section",
        "Show the next section of questions",
        "triage",
        "section(1)",
        45,
    ),
    Action(
        "triage.previous",
        ("left_square_bracket",),
        "Section before",
        "Show the section before this one",
        "triage",
        "section(-1)",
    ),
    Action(
        "triage.down",
        ("J",),
        "Scroll down",
        "Scroll the question under the cursor",
        "triage",
        "scroll_text(1)",
        palette=False,
    ),
    Action(
        "triage.up",
        ("K",),
        "Scroll up",
        "Scroll the question under the cursor",
        "triage",
        "scroll_text(-1)",
        palette=False,
    ),
    Action("triage.keep", ("W",), "Keep filter", "Keep this filter as a section of its own", "triage", "keep", 62),
    Action("triage.drop", ("X",), "Drop section", "Remove the kept section that is shown", "triage", "drop"),
    Action("bulk.yes", ("y",), "Do it", "Do it to all that take it", "bulk", "do_it", 10, palette=False),
    Action(
        "bulk.no",
        ("n", "escape"),
        "Leave",
        "Leave everything as it is; stop what runs",
        "bulk",
        "out",
        11,
        palette=False,
    ),
)
