"""Panes, lists and texts: moving, filtering, marking."""

from __future__ import annotations

from tui.actions.model import Action

PLACES: dict[str, str] = {
    "panes": "Panes",
    "list": "In a list",
    "marks": "Marking rows",
    "document": "In a text",
    "tree": "Agents",
    "briefing": "Briefing",
}

ACTIONS: tuple[Action, ...] = (
    Action("pane.1", ("1",), "Pane 1", "Go to the first pane", "panes", "pane(1)"),
    Action("pane.2", ("2",), "Pane 2", "Go to the second pane", "panes", "pane(2)"),
    Action("pane.3", ("3",), "Pane 3", "Go to the third pane", "panes", "pane(3)"),
    Action("pane.4", ("4",), "Pane 4", "Go to the fourth pane", "panes", "pane(4)"),
    Action("pane.next", ("tab",), "Next pane", "Go to the next pane", "panes", "pane_step(1)", 50),
    Action("pane.previous", ("shift+tab",), "Previous pane", "Go to the previous pane", "panes", "pane_step(-1)"),
    Action(
        "pane.large", ("plus",), "Enlarge", "Give the whole screen to this pane, or take it back", "panes", "enlarge"
    ),
    Action("pane.wider", ("greater_than_sign",), "Larger", "Give this pane more room", "panes", "resize(1)"),
    Action("pane.narrower", ("less_than_sign",), "Smaller", "Give this pane less room", "panes", "resize(-1)"),
    Action("pane.fold", ("z",), "Fold", "Fold this pane to its title, or unfold it", "panes", "fold"),
    Action(
        "pane.reset", ("underscore",), "Panes as at first", "Give every pane its first size", "panes", "reset_sizes"
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
    Action("marks.mark", ("x",), "Mark", "Mark the row, or take its mark away, and step down", "marks", "mark", 16),
    Action(
        "marks.range", ("v",), "Range", "Begin a range that follows the cursor; again ends it", "marks", "mark_range"
    ),
    Action("marks.all", ("asterisk",), "Mark all", "Mark every row that the filter lets through", "marks", "mark_all"),
    Action(
        "marks.others", ("minus",), "Invert", "Mark what is not marked, and the other way round", "marks", "mark_others"
    ),
    Action(
        "marks.none",
        ("escape",),
        "Out",
        "Take all marks away; without marks drop the filter, else leave this screen",
        "marks",
        "unmark",
        85,
        palette=False,
    ),
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
    Action("text.search", ("slash",), "Search", "Find words in this text", "document", "search", 60),
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
)
