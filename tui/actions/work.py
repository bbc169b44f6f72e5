"""Work items, and what belongs to one."""

from __future__ import annotations

from tui.actions.model import Action

PLACES: dict[str, str] = {
    "work": "Work items",
    "home": "Dashboard",
    "work_item": "A work item",
    "delegations": "Delegations",
    "detail": "A record in full",
    "sections": "A delegation",
    "diff": "A diff",
}

_PAUSE = ("p",), "Pause", "Pause the work item, or let it go on"
GO_ON = "Go on", "Let the work item go on"
"""What pausing is called where a work item is held already."""
_ACCEPT = ("a",), "Accept", "Accept a proposed work item"
_CANCEL = ("X",), "Cancel", "Cancel the work item"
_DIFF = ("d",), "Diff", "Show what the work item's branch changes"
_NEXT, _PREVIOUS = ("right_square_bracket",), ("left_square_bracket",)

ACTIONS: tuple[Action, ...] = (
    Action("work.pause", *_PAUSE, "work", "pause", 20),
    Action("work.accept", *_ACCEPT, "work", "accept", 25),
    Action("work.cancel", *_CANCEL, "work", "cancel"),
    Action("home.diff", *_DIFF, "home", "diff", 28),
    Action("work_item.pause", *_PAUSE, "work_item", "pause", 20),
    Action("work_item.accept", *_ACCEPT, "work_item", "accept", 25),
    Action("work_item.diff", *_DIFF, "work_item", "diff", 15),
    Action("work_item.cancel", *_CANCEL, "work_item", "cancel"),
    Action("detail.out", ("escape",), "Out", "Back", "detail", "out", 85),
    Action("section.next", (*_NEXT, "tab"), "Next section", "To the next section", "sections", "step(1)", 10),
    Action(
        "section.previous", (*_PREVIOUS, "shift+tab"), "Section before", "To the section before", "sections", "step(-1)"
    ),
    *(
        Action(f"section.{n}", (str(n),), name, f"To the section {name.lower()}", "sections", f"section({n})")
        for n, name in enumerate(("Summary", "Request", "Response", "Evidence", "Log"), 1)
    ),
    Action(
        "diff.next", _NEXT, "Next change", "To the next place that changed, in the next file too", "diff", "hunk(1)", 10
    ),
    Action(
        "diff.previous", _PREVIOUS, "Change before", "To the place that changed before this one", "diff", "hunk(-1)", 12
    ),
)
