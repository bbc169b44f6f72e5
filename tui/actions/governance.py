"""Scope review, conflicts and the agents with their authority."""

from __future__ import annotations

from tui.actions.model import Action

PLACES: dict[str, str] = {
    "scope": "Scope review",
    "kinds": "Choosing a kind",
    "conflicts": "Conflicts",
    "team": "The team",
}

ACTIONS: tuple[Action, ...] = (
    Action(
        "scope.approve", ("a",), "Approve", "Approve the proposal, after a look at what it does", "scope", "approve", 11
    ),
    Action("scope.reject", ("r",), "Reject", "Reject the proposal, with a reason", "scope", "reject", 12),
    Action(
        "scope.clarify", ("c",), "Ask", "Ask about it; the next review answers with figures", "scope", "clarify", 13
    ),
    Action("scope.propose", ("p",), "Propose", "Ask for a change of authority yourself", "scope", "propose", 16),
    Action(
        "scope.review", ("R",), "Review now", "Hold a scope review now; it changes no authority", "scope", "review", 17
    ),
    Action(
        "scope.undo",
        ("U",),
        "Take back",
        "Take back the decision on the proposal under the cursor, with a reason",
        "scope",
        "take_back",
        18,
    ),
    Action("kinds.out", ("escape",), "Out", "Drop the filter, else leave everything as it is", "kinds", "out", 85),
    Action(
        "conflicts.question",
        ("enter",),
        "Question",
        "Open the question about it, whose answer settles it",
        "conflicts",
        "question",
        15,
    ),
    Action("conflicts.work", ("w",), "Work item", "Open the work item it came up in", "conflicts", "work_item", 20),
    Action(
        "team.edit",
        ("e",),
        "Authority",
        "Ask for a change of what this agent may decide; it becomes a scope proposal",
        "team",
        "edit",
        15,
    ),
    Action("team.scope", ("p",), "Proposals", "Go to the scope review", "team", "proposals", 20),
)
