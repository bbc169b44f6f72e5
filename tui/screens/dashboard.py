"""Home: the tier tree left, work items, questions and the briefing right, all live."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from textual import on
from textual.containers import Vertical
from textual.widget import Widget

from core.store.rows import EscalationRow, WorkItemRow
from tui.screens.pane_screen import PaneScreen
from tui.widgets.briefing_pane import BriefingPane
from tui.widgets.pipeline import Pipeline
from tui.widgets.queue import Queue
from tui.widgets.row_list import RowList
from tui.widgets.tier_tree import TierTree


class Dashboard(PaneScreen):
    """The first screen; leaving it means leaving the app."""

    PANES: ClassVar[tuple[str, ...]] = ("agents", "work", "queue", "briefing")
    BESIDE: ClassVar[dict[tuple[str, int], str]] = {
        ("agents", 1): "work",
        ("work", -1): "agents",
        ("queue", -1): "agents",
        ("briefing", -1): "agents",
    }

    def body(self) -> Iterable[Widget]:
        from textual.containers import Horizontal

        yield Horizontal(
            TierTree(widget_id="agents"),
            Vertical(
                Pipeline(widget_id="work"),
                Queue(widget_id="queue"),
                BriefingPane(widget_id="briefing"),
                id="right",
                classes="column",
            ),
            id="home",
        )

    @property
    def start_pane(self) -> str:
        return "work"

    def leave(self) -> None:
        """Escape on the home screen has nowhere to go; quitting is `q`."""

    @on(RowList.Opened)
    def _open(self, message: RowList.Opened) -> None:
        row: Any = message.row
        if isinstance(row, WorkItemRow):
            self.apm.open_work_item(row.id)
        elif isinstance(row, EscalationRow):
            self.apm.open_question(row.id)
