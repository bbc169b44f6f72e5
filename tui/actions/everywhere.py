"""What works everywhere."""

from __future__ import annotations

from tui.actions.model import Action
from tui.destinations import DESTINATIONS

PLACES: dict[str, str] = {
    "app": "Everywhere",
}

ACTIONS: tuple[Action, ...] = (
    Action("next", ("space",), "Next for me", "Open the next question that needs me", "app", "next_for_me", 30),
    Action("go", ("0",), "Go to", "Go to another screen: triage, scope review, history and more", "app", "go", 75),
    *(Action(f"go.{d.key}", d.keys, d.title, d.about, "app", f"go('{d.key}')") for d in DESTINATIONS),
    Action("copy", ("y",), "Copy", "Copy what is under the cursor, also to state/copied.txt", "app", "copy"),
    Action("undo", ("u",), "Undo", "Take back what you did last", "app", "undo", 70),
    Action("new", ("n",), "New", "Write a new work item", "app", "new_work_item", 40),
    Action("palette", ("colon", "ctrl+p"), "Commands", "Find and run any command by name", "app", "commands", 80),
    Action("help", ("question_mark", "f1"), "Help", "Show what every key does in this place", "app", "help", 90),
    Action("theme", (), "Dark or light", "Switch between the dark and the light theme", "app", "toggle_theme"),
    Action(
        "glyphs", (), "ASCII glyphs", "Draw with plain ASCII characters, or with symbols again", "app", "toggle_ascii"
    ),
    Action("quit", ("q",), "Quit", "Stop cleanly; running work goes on at the next start", "app", "leave", 95),
)
