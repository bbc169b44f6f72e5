"""What is on record: history, activity, the briefing as a whole."""

from __future__ import annotations

from tui.actions.model import Action

PLACES: dict[str, str] = {
    "history": "History",
    "activity": "Activity",
    "record": "The briefing",
}

ACTIONS: tuple[Action, ...] = (
    Action("history.section", ("f",), "Choose", "Choose which sort of events is shown", "history", "section", 20),
    Action(
        "history.item",
        ("i",),
        "This item",
        "Show only what happened to the work item under the cursor, or everything again",
        "history",
        "only_item",
        21,
    ),
    Action(
        "history.verify",
        ("V",),
        "Verify",
        "Look at the whole chain of events, from the first to the last",
        "history",
        "verify",
        22,
    ),
    Action(
        "history.reverse",
        ("r",),
        "Take back",
        "Take back what an agent or a rule decided, or what was answered, with a reason",
        "history",
        "reverse",
        23,
    ),
    Action(
        "activity.failed",
        ("f",),
        "Failed",
        "Show only what failed, or everything again",
        "activity",
        "failed_only",
        20,
    ),
    Action(
        "record.next",
        ("right_square_bracket",),
        "Next link",
        "Step to the next thing that the briefing names",
        "record",
        "step(1)",
        11,
    ),
    Action(
        "record.previous",
        ("left_square_bracket",),
        "Link before",
        "Step to the thing named before it",
        "record",
        "step(-1)",
    ),
    Action("record.open", ("enter",), "Open", "Open what the link leads to", "record", "open_link", 12),
    Action(
        "record.earlier",
        ("left_parenthesis",),
        "Earlier",
        "Look at the briefing that was kept before this one",
        "record",
        "turn(1)",
        20,
    ),
    Action(
        "record.later",
        ("right_parenthesis",),
        "Later",
        "Look at the briefing that was kept after this one, at last at that of now",
        "record",
        "turn(-1)",
        21,
    ),
    Action(
        "record.send",
        ("S",),
        "Send",
        "Keep the briefing of now, and send it through the channels",
        "record",
        "send",
        22,
    ),
    Action("record.write", ("w",), "Write", "Write the briefing to a file, as Markdown", "record", "write", 23),
)
