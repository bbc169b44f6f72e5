"""Pane 4: the day's briefing, made by code from the database. It folds to its heading."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.binding import BindingType

from core.sanitise import one_line
from tui.actions import bindings
from tui.bridge import Change
from tui.pace import Pace
from tui.text.words import MINUTE
from tui.widgets.document import Document, Paragraph
from tui.widgets.live import DELEGATIONS, Live

if TYPE_CHECKING:
    from core.governance.briefing import Briefing
    from core.store.reads import Connection
    from core.store.rows import LiveRow
    from tui.screens.pane_screen import PaneScreen

NOTHING = (
    Paragraph((("Nothing to report yet.", "dim"),)),
    Paragraph((("Each day's progress, decisions and opportunities appear here.", "dim"),)),
)


class BriefingPane(Live, Document):
    """Sections that have something to say; an empty one is not shown."""

    PLACES: ClassVar[tuple[str, ...]] = ("briefing", "document")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("briefing")]
    TITLE = "briefing"
    UNMOVED_BY = DELEGATIONS
    """What they add up to is told with the next other change, or within a minute."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._date = ""
        self._read_at = 0
        self._pace = Pace(self.set_timer, lambda: self.apm.bridge.ask(self))

    @property
    def summary(self) -> str:
        return self._date

    async def read_anew(self, change: Change) -> None:
        if not self._pace.is_due():
            return

        def read(reader: Connection, live: LiveRow, now: int) -> tuple[Briefing, float]:
            from core.governance.briefing import briefing

            began = time.thread_time()
            return briefing(reader, now, live=live), time.thread_time() - began

        found, took = await self.apm.bridge.read(read)
        self._pace.took(took)
        self._date, self._read_at = found.date, self.apm.now()
        self.show(_paragraphs(found.sections) or NOTHING)

    def tick(self, now: int) -> None:
        """Its spans of time grow old."""
        if now - self._read_at >= MINUTE:
            self.apm.bridge.ask(self)

    @property
    def _screen_of_panes(self) -> PaneScreen:
        return cast("PaneScreen", self.screen)

    def applies(self, action_id: str) -> bool | str:
        """Nothing is folded where only one pane is shown."""
        if action_id == "briefing.fold" and self._screen_of_panes.shows_one:
            return "only one pane is shown"
        return True

    def action_fold(self) -> None:
        self._screen_of_panes.action_fold()


def _paragraphs(sections: Any) -> list[Paragraph]:
    made: list[Paragraph] = []
    for section in sections:
        if section.items:
            made.append(Paragraph(((one_line(section.title), "accent"),)))
            made += [Paragraph(((" · ", "faint"), (one_line(item, 400), "text")), 3) for item in section.items]
    return made
