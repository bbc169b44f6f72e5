"""Pane 4: the day's briefing, made by code from the database. It folds to its heading."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.binding import BindingType

from core.sanitise import one_line
from tui.actions import bindings
from tui.bridge import Change
from tui.widgets.document import Document, Paragraph
from tui.widgets.live import DELEGATIONS, Live
from tui.words import MINUTE

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

    @property
    def summary(self) -> str:
        return self._date

    async def read_anew(self, change: Change) -> None:
        from core.governance.briefing import briefing

        found = await self.apm.bridge.read(lambda reader, live, now: briefing(reader, now, live=live))
        self._date, self._read_at = found.date, self.apm.now()
        self.show(_paragraphs(found.sections) or NOTHING)

    def tick(self, now: int) -> None:
        """Its spans of time grow old."""
        if now - self._read_at >= MINUTE:
            self.apm.bridge.ask(self)

    def action_fold(self) -> None:
        self.toggle_class("-folded")


def _paragraphs(sections: Any) -> list[Paragraph]:
    made: list[Paragraph] = []
    for section in sections:
        if section.items:
            made.append(Paragraph(((one_line(section.title), "accent"),)))
            made += [Paragraph(((" · ", "faint"), (one_line(item, 400), "text")), 3) for item in section.items]
    return made
