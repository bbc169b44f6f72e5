"""Home: the tier tree left, work items, questions and the briefing right, all live."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from tui.actions import bindings
from tui.screens.pane_screen import PaneScreen
from tui.text.words import Line
from tui.widgets.briefing_pane import BriefingPane
from tui.widgets.pipeline import Pipeline
from tui.widgets.queue import QueuePane, nothing_asked
from tui.widgets.row_list import RowList
from tui.widgets.tier_tree import TierTree
from tui.widgets.top_line import TopLine

WELCOME: Line = (
    ("apm", "strong"),
    (" takes work through six phases with a team of agents, and asks you what only a person can decide.", "text"),
)
WRITE: Line = (("n", "accent"), (" writes the first work item", "dim"))
ADD: Line = (("apm project add PATH", "accent"), (" makes a repository known", "dim"))
DEMO: Line = (("apm demo", "accent"), (" shows all of it on a small sample project", "dim"))


def welcome(projects: int) -> tuple[Line, ...]:
    """What stands where work will: what this is, and what to do first."""
    return (WELCOME, (), ADD, WRITE, DEMO) if not projects else (WELCOME, (), WRITE)


class Dashboard(PaneScreen):
    """The first screen; leaving it means leaving the app."""

    PLACES: ClassVar[tuple[str, ...]] = ("home", "panes")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("home")]
    PANES: ClassVar[tuple[str, ...]] = ("agents", "work", "queue", "briefing")
    BESIDE: ClassVar[dict[tuple[str, int], str]] = {
        ("agents", 1): "work",
        ("work", -1): "agents",
        ("queue", -1): "agents",
        ("briefing", -1): "agents",
    }

    def body(self) -> Iterable[Widget]:
        yield Horizontal(
            TierTree(widget_id="agents"),
            Vertical(
                Pipeline(widget_id="work"),
                QueuePane(widget_id="queue"),
                BriefingPane(widget_id="briefing"),
                id="right",
                classes="column",
            ),
            id="home",
        )

    @property
    def start_pane(self) -> str:
        return "work"

    def refresh_titles(self) -> None:
        super().refresh_titles()
        facts = self.query_one(TopLine).facts
        empty = {"work": welcome(len(facts.projects)), "queue": nothing_asked(facts.to_accept)}
        for pane, told in ((self.pane(name), told) for name, told in empty.items()):
            if pane.empty != told:
                pane.empty = told
                pane.refresh()

    def leave(self) -> None:
        """Escape on the home screen has nowhere to go; quitting is `q`."""

    @on(RowList.Opened)
    def _open(self, message: RowList.Opened) -> None:
        row: Any = message.row
        if self.unfold(str(message.rows.id)):
            return
        if message.rows.id == "work":
            self.apm.open_work_item(row.id)
        elif message.rows.id == "queue":
            self.apm.open_question(row.id)

    def action_diff(self) -> None:
        """Of the work item under the cursor, wherever the hands are."""
        item = self.pane("work").row
        if item is None:
            self.apm.tell("There is no work item here to show the changes of; n writes one.")
        else:
            self.apm.open_diff(item.id)
