"""The screens one can go to from anywhere: their names, what they show, and where their code is."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from textual.screen import Screen


class Destination(NamedTuple):
    """A screen; its code is imported when somebody goes there."""

    key: str
    title: str
    about: str
    code: str
    """`module:class` within `tui.screens`; the class takes no arguments."""
    keys: tuple[str, ...] = ()

    def kind(self) -> type[Screen[None]]:
        module, _, name = self.code.partition(":")
        found: type[Screen[None]] = getattr(importlib.import_module(f"tui.screens.{module}"), name)
        return found


DESTINATIONS = (
    Destination("triage", "Triage", "Every question, section by section", "triage.screen:Triage", ("t",)),
    Destination(
        "scope", "Scope review", "What agents may decide, and what they earned", "scope.screen:ScopeReview", ("P",)
    ),
    Destination("conflicts", "Conflicts", "Agents that took different positions", "team.conflicts:Conflicts"),
    Destination("history", "History", "Everything that happened, and who decided it", "records.history:History"),
    Destination("agents", "Agents", "Who is in the team, and with what authority", "team.agents:Agents"),
    Destination("briefing", "Briefing", "The day in six sections", "records.briefing:BriefingScreen"),
    Destination("activity", "Activity", "Every command that was run", "records.activity:Activity"),
    Destination("settings", "Settings", "Theme, keys, notifications, runtimes", "settings.screen:Settings"),
)
"""In the order of their numbers in the menu."""

BY_KEY = {destination.key: destination for destination in DESTINATIONS}
