"""What works in dialogs and text fields."""

from __future__ import annotations

from tui.actions.model import DIGITS, Action

PLACES: dict[str, str] = {
    "form": "A form",
    "line": "A line to write",
    "picker": "A choice of words",
    "options": "Among answers",
    "filter": "Filtering",
    "search": "Searching",
    "palette": "Commands",
    "choice": "A choice",
    "confirm": "A confirmation",
    "help": "Help",
}

ACTIONS: tuple[Action, ...] = (
    Action("form.send", ("f2", "ctrl+s"), "Send", "Send what is written", "form", "send", 10, palette=False),
    Action(
        "form.out",
        ("escape",),
        "Out",
        "Leave; what is written is kept until it is sent",
        "form",
        "out",
        85,
        palette=False,
    ),
    Action(
        "form.anew",
        ("f5", "ctrl+l"),
        "Anew",
        "Every field as it began; once more brings back what was written",
        "form",
        "anew",
        86,
        palette=False,
    ),
    Action("line.send", ("enter", "f2", "ctrl+s"), "Send", "Send what is written", "line", "send", 10, palette=False),
    Action(
        "line.out",
        ("escape",),
        "Out",
        "Leave; what is written is kept until it is sent",
        "line",
        "out",
        85,
        palette=False,
    ),
    Action("picker.next", ("right", "l", "space"), "Next", "The next word", "picker", "step(1)", 12, palette=False),
    Action("picker.previous", ("left", "h"), "Previous", "The word before", "picker", "step(-1)", 13, palette=False),
    Action("options.down", ("j", "down"), "Down", "Next answer", "options", "down(1)", palette=False),
    Action("options.up", ("k", "up"), "Up", "Previous answer", "options", "down(-1)", palette=False),
    Action(
        "options.take", ("enter",), "Take", "Take the answer under the cursor", "options", "take", 14, palette=False
    ),
    Action(
        "filter.keep",
        ("enter", "down", "tab"),
        "Keep",
        "Back to the list, filtered",
        "filter",
        "keep",
        10,
        palette=False,
    ),
    Action("filter.drop", ("escape",), "Drop", "Drop the filter", "filter", "drop", 85, palette=False),
    Action("search.next", ("enter", "down"), "Next", "To the next place", "search", "hit(1)", 10, palette=False),
    Action("search.before", ("up",), "Before", "To the place before", "search", "hit(-1)", 11, palette=False),
    Action("search.out", ("escape",), "Back", "Back to the text, where it is now", "search", "drop", 85, palette=False),
    Action("palette.run", ("enter",), "Run", "Run the command under the cursor", "palette", "run", 10, palette=False),
    Action("palette.down", ("down", "ctrl+n"), "Down", "Next command", "palette", "down(1)", 20, palette=False),
    Action("palette.up", ("up", "ctrl+p"), "Up", "Previous command", "palette", "down(-1)", 21, palette=False),
    Action("palette.out", ("escape",), "Out", "Leave", "palette", "out", 85, palette=False),
    Action("choice.pick", DIGITS, "Pick", "Take the choice of that number", "choice", "pick({key})", 10, palette=False),
    Action("choice.out", ("escape",), "Out", "Leave everything as it is", "choice", "out", 85, palette=False),
    Action("confirm.yes", ("y",), "Yes", "Do it", "confirm", "answer(True)", 10, palette=False),
    Action(
        "confirm.no", ("n", "escape"), "No", "Leave everything as it is", "confirm", "answer(False)", 11, palette=False
    ),
    Action(
        "confirm.down",
        ("J", "pagedown"),
        "Read on",
        "Scroll what is to be confirmed",
        "confirm",
        "scroll_text(1)",
        12,
        palette=False,
    ),
    Action(
        "confirm.up",
        ("K", "pageup"),
        "Read back",
        "Scroll what is to be confirmed",
        "confirm",
        "scroll_text(-1)",
        13,
        palette=False,
    ),
    Action("help.out", ("escape", "q", "question_mark"), "Out", "Back", "help", "out", 85, palette=False),
)
