"""Every action of the app, once: keys, command palette, footer, `?` help and the README's key table come from here.

An action belongs to a place. A widget or screen that is a place names it in `PLACE`, takes its bindings from
`bindings(place)` and has a method `action_<handler>` for each. Letters reach these only while no text field has the
focus, so none of them needs priority.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a person can do. `handler` is a Textual action; `{key}` in it stands for the key pressed."""

    id: str
    keys: tuple[str, ...]
    title: str
    description: str
    place: str
    handler: str
    footer: int = 0
    """Rank in the footer, lower first; 0 keeps it out."""
    palette: bool = True


PLACES = {
    "app": "Everywhere",
    "panes": "Panes",
    "list": "In a list",
    "document": "In a text",
    "tree": "Agents",
    "work": "Work items",
    "queue": "Questions",
    "briefing": "Briefing",
    "decision": "A question",
    "work_item": "A work item",
    "delegations": "Delegations",
    "detail": "A delegation",
    "form": "A form",
    "options": "Among answers",
    "filter": "Filtering",
    "palette": "Commands",
    "choice": "A choice",
    "confirm": "A confirmation",
    "help": "Help",
}
"""Places in the order in which help lists them, with their headings."""

DIGITS = tuple("123456789")

ACTIONS: tuple[Action, ...] = (
    Action("next", ("space",), "Next for me", "Open the next question that needs me", "app", "next_for_me", 30),
    Action("new", ("n",), "New", "Write a new work item", "app", "new_work_item", 40),
    Action("palette", ("colon", "ctrl+p"), "Commands", "Find and run any command by name", "app", "commands", 80),
    Action("help", ("question_mark", "f1"), "Help", "Show what every key does in this place", "app", "help", 90),
    Action("theme", (), "Dark or light", "Switch between the dark and the light theme", "app", "toggle_theme"),
    Action(
        "glyphs", (), "ASCII glyphs", "Draw with plain ASCII characters, or with symbols again", "app", "toggle_ascii"
    ),
    Action("quit", ("q",), "Quit", "Stop cleanly; running work goes on at the next start", "app", "leave", 95),
    Action("pane.1", ("1",), "Pane 1", "Go to the first pane", "panes", "pane(1)"),
    Action("pane.2", ("2",), "Pane 2", "Go to the second pane", "panes", "pane(2)"),
    Action("pane.3", ("3",), "Pane 3", "Go to the third pane", "panes", "pane(3)"),
    Action("pane.4", ("4",), "Pane 4", "Go to the fourth pane", "panes", "pane(4)"),
    Action("pane.next", ("tab",), "Next pane", "Go to the next pane", "panes", "pane_step(1)", 50),
    Action("pane.previous", ("shift+tab",), "Previous pane", "Go to the previous pane", "panes", "pane_step(-1)"),
    Action(
        "pane.large", ("plus",), "Enlarge", "Give the whole screen to this pane, or take it back", "panes", "enlarge"
    ),
    Action("out", ("escape",), "Out", "Drop the filter, else leave this screen", "panes", "out", 85),
    Action("list.open", ("enter",), "Open", "Go into the row under the cursor", "list", "open", 10),
    Action(
        "list.filter",
        ("slash",),
        "Filter",
        "Show only rows with these words; !word leaves rows out",
        "list",
        "filter",
        60,
    ),
    Action("list.down", ("j", "down"), "Down", "Next row", "list", "down(1)", palette=False),
    Action("list.up", ("k", "up"), "Up", "Previous row", "list", "down(-1)", palette=False),
    Action("list.left", ("h", "left"), "Left", "Fold, or the pane to the left", "list", "sideways(-1)", palette=False),
    Action(
        "list.right", ("l", "right"), "Right", "Unfold, or the pane to the right", "list", "sideways(1)", palette=False
    ),
    Action("list.half_down", ("ctrl+d",), "Half a page down", "Half a page down", "list", "half(1)", palette=False),
    Action("list.half_up", ("ctrl+u",), "Half a page up", "Half a page up", "list", "half(-1)", palette=False),
    Action("list.page_down", ("pagedown",), "Page down", "A page down", "list", "page(1)", palette=False),
    Action("list.page_up", ("pageup",), "Page up", "A page up", "list", "page(-1)", palette=False),
    Action("list.top", ("g", "home"), "First row", "First row", "list", "end(-1)", palette=False),
    Action("list.bottom", ("G", "end"), "Last row", "Last row", "list", "end(1)", palette=False),
    Action("text.down", ("j", "down"), "Down", "A line down", "document", "lines(1)", palette=False),
    Action("text.up", ("k", "up"), "Up", "A line up", "document", "lines(-1)", palette=False),
    Action(
        "text.half_down",
        ("ctrl+d", "pagedown"),
        "Down half a page",
        "Half a page down",
        "document",
        "half(1)",
        palette=False,
    ),
    Action(
        "text.half_up", ("ctrl+u", "pageup"), "Up half a page", "Half a page up", "document", "half(-1)", palette=False
    ),
    Action("text.top", ("g", "home"), "Beginning", "To the beginning", "document", "edge(-1)", palette=False),
    Action("text.bottom", ("G", "end"), "End", "To the end", "document", "edge(1)", palette=False),
    Action("text.left", ("h", "left"), "Left", "The pane to the left", "document", "sideways(-1)", palette=False),
    Action("text.right", ("l", "right"), "Right", "The pane to the right", "document", "sideways(1)", palette=False),
    Action(
        "briefing.fold",
        ("enter", "z"),
        "Fold",
        "Fold the briefing to its heading, or unfold it",
        "briefing",
        "fold",
        10,
    ),
    Action("work.pause", ("p",), "Pause", "Pause the work item, or let it go on", "work", "pause", 20),
    Action("work.accept", ("a",), "Accept", "Accept a proposed work item", "work", "accept", 25),
    Action("work.cancel", ("x",), "Cancel", "Cancel the work item", "work", "cancel"),
    Action("queue.accept", ("a",), "Accept", "Answer as recommended", "queue", "accept", 15),
    Action(
        "queue.ack",
        ("exclamation_mark",),
        "Seen",
        "Acknowledge: no reminders for 30 minutes",
        "queue",
        "acknowledge",
        25,
    ),
    Action("queue.snooze", ("s",), "Snooze", "Put it away for a while", "queue", "snooze", 26),
    Action(
        "decision.answer", DIGITS, "Answer", "Answer with the option of that number", "decision", "answer({key})", 10
    ),
    Action("decision.accept", ("a",), "Accept", "Answer as recommended", "decision", "accept", 11),
    Action("decision.values", ("e",), "Fill in", "Answer with the values that are missing", "decision", "values", 12),
    Action("decision.other", ("r",), "Other", "Another answer, with a reason", "decision", "other", 13),
    Action(
        "decision.ack",
        ("exclamation_mark",),
        "Seen",
        "Acknowledge: no reminders for 30 minutes",
        "decision",
        "acknowledge",
        25,
    ),
    Action("decision.snooze", ("s",), "Snooze", "Put it away for a while", "decision", "snooze", 26),
    Action("decision.work", ("w",), "Work item", "Open the work item it is about", "decision", "work_item", 35),
    Action("decision.down", ("J",), "Scroll down", "Scroll the question", "decision", "scroll_text(1)", palette=False),
    Action("decision.up", ("K",), "Scroll up", "Scroll the question", "decision", "scroll_text(-1)", palette=False),
    Action("decision.out", ("escape",), "Out", "Back, without an answer", "decision", "out", 85),
    Action("work_item.pause", ("p",), "Pause", "Pause the work item, or let it go on", "work_item", "pause", 20),
    Action("work_item.accept", ("a",), "Accept", "Accept a proposed work item", "work_item", "accept", 25),
    Action("work_item.cancel", ("x",), "Cancel", "Cancel the work item", "work_item", "cancel"),
    Action("detail.out", ("escape",), "Out", "Back", "detail", "out", 85),
    Action("help.out", ("escape", "q", "question_mark"), "Out", "Back", "help", "out", 85, palette=False),
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
    Action("palette.run", ("enter",), "Run", "Run the command under the cursor", "palette", "run", 10, palette=False),
    Action("palette.down", ("down", "ctrl+n"), "Down", "Next command", "palette", "down(1)", 20, palette=False),
    Action("palette.up", ("up", "ctrl+p"), "Up", "Previous command", "palette", "down(-1)", 21, palette=False),
    Action("palette.out", ("escape",), "Out", "Leave", "palette", "out", 85, palette=False),
    Action("options.down", ("j", "down"), "Down", "Next answer", "options", "down(1)", palette=False),
    Action("options.up", ("k", "up"), "Up", "Previous answer", "options", "down(-1)", palette=False),
    Action(
        "options.take", ("enter",), "Take", "Take the answer under the cursor", "options", "take", 14, palette=False
    ),
    Action("confirm.yes", ("y",), "Yes", "Do it", "confirm", "answer(True)", 10, palette=False),
    Action(
        "confirm.no", ("n", "escape"), "No", "Leave everything as it is", "confirm", "answer(False)", 11, palette=False
    ),
    Action("choice.pick", DIGITS, "Pick", "Take the choice of that number", "choice", "pick({key})", 10, palette=False),
    Action("choice.out", ("escape",), "Out", "Leave everything as it is", "choice", "out", 85, palette=False),
)

BY_PLACE: dict[str, tuple[Action, ...]] = {place: tuple(a for a in ACTIONS if a.place == place) for place in PLACES}


def bindings(place: str) -> list[Binding]:
    """The Textual bindings of a place."""
    return [made for action in BY_PLACE[place] for made in _bindings_of(action)]


def _bindings_of(action: Action) -> Iterator[Binding]:
    if "{key}" in action.handler:
        for key in action.keys:
            yield Binding(key, action.handler.format(key=key), action.title, show=False, id=f"{action.id}.{key}")
    elif action.keys:
        yield Binding(",".join(action.keys), action.handler, action.title, show=False, id=action.id)


_KEY_NAMES = {
    "colon": ":",
    "question_mark": "?",
    "slash": "/",
    "exclamation_mark": "!",
    "plus": "+",
    "escape": "esc",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "down": "↓",
    "up": "↑",
    "left": "←",
    "right": "→",
}


def key_names(action: Action) -> tuple[str, ...]:
    """The keys as a person reads them; a row of digits is one name."""
    if action.keys == DIGITS:
        return ("1-9",)
    return tuple(_KEY_NAMES.get(key, key) for key in action.keys)


def in_places(places: Iterable[str]) -> tuple[Action, ...]:
    """What can be done in these places, the nearest first; a key that a nearer place took is not repeated."""
    found: list[Action] = []
    taken: set[str] = set()
    for place in places:
        for action in BY_PLACE.get(place, ()):
            free = tuple(key for key in action.keys if key not in taken)
            if free or not action.keys:
                found.append(action)
        taken.update(key for action in BY_PLACE.get(place, ()) for key in action.keys)
    return tuple(found)


def key_table_markdown() -> str:
    """The README's key table."""
    rows = ["| where | keys | what |", "|---|---|---|"]
    for place, heading in PLACES.items():
        for action in BY_PLACE[place]:
            if action.keys:
                keys = " ".join(f"`{name}`" for name in key_names(action))
                rows.append(f"| {heading} | {keys} | {action.description} |")
    return "\n".join(rows) + "\n"
