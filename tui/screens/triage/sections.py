"""The sections of the inbox, each with how many it holds."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from core.sanitise import one_line
from core.store import reads_triage
from core.store.reads import Connection
from core.store.reads_triage import TriageCounts
from tui.bridge import Change
from tui.questions.sections import HOUSE, Section, count_of, read_kept
from tui.screens.triage.orders import answer_order, question_order
from tui.text.words import Line, Mark
from tui.widgets.columns import Column
from tui.widgets.filtering import filter_words
from tui.widgets.live import DELEGATIONS, Live
from tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from tui.screens.triage.screen import Triage

RECOUNT_MS = 20_000
"""What time alone moves from one section to another is counted again after so long."""

REST = 3.0
"""How many times as long as counting took there is no counting after it."""
LONGEST_REST = 2.0

SECTION_MARKS = {
    "needs-me": Mark("◆", "", "ask"),
    "overdue": Mark("▲", "", "bad"),
    "immediate": Mark("▲", "", "bad"),
    "snoozed": Mark("‖", "", "dim"),
    "acknowledged": Mark("‖", "", "dim"),
    "mine": Mark("›", "", "ask"),
    "open": Mark("○", "", "dim"),
}
ANSWERED = Mark("✓", "", "good")
KEPT = Mark("/", "", "accent")


@dataclass(frozen=True, slots=True)
class SectionRow:
    section: Section
    count: int

    @property
    def mark(self) -> Mark:
        if self.section.is_kept:
            return KEPT
        return SECTION_MARKS.get(self.section.key, ANSWERED)


class Sections(Live, RowList[SectionRow]):
    """The section under the cursor is the one that is shown."""

    TITLE = "sections"
    UNMOVED_BY = DELEGATIONS

    def __init__(self, **options: Any) -> None:
        columns = (Column("", 1), Column("section", least=10), Column("", 5, right=True))
        super().__init__(columns, key=lambda r: r.section.key, cells=_section_cells, heading=False, **options)
        self.counts = TriageCounts()
        self._counted_at = 0
        self._rests_until = 0.0

    @property
    def summary(self) -> str:
        return ""

    async def read_anew(self, change: Change) -> None:
        """Counting walks all open questions, so under a flood of changes it rests in between."""
        loop, person = asyncio.get_running_loop(), self.apm.person
        await asyncio.sleep(max(self._rests_until - loop.time(), 0))
        began = loop.time()
        counts, rows = await self.apm.bridge.read(lambda reader, _, now: _count(reader, person, now))
        self._rests_until = loop.time() + min((loop.time() - began) * REST, LONGEST_REST)
        if self.is_attached:
            self.counts, self._counted_at = counts, self.apm.now()
            self.set_rows(rows)
            cast("Triage", self.screen).counted()

    def tick(self, now: int) -> None:
        if now - self._counted_at >= RECOUNT_MS:
            self._counted_at = now
            self.apm.bridge.ask(self)


def _count(reader: Connection, person: str, now: int) -> tuple[TriageCounts, list[SectionRow]]:
    counts = reads_triage.triage_counts(reader, person, now)
    house = [SectionRow(section, count_of(section, counts)) for section in HOUSE]
    kept = [SectionRow(section, _kept_count(reader, section, person, now)) for section in read_kept(reader)]
    return counts, [*house, *kept]


def _kept_count(reader: Connection, section: Section, person: str, now: int) -> int:
    words = filter_words(section.words)
    if section.shown.provenance:
        return len(answer_order(reader, section.shown.provenance, words, now))
    return len(question_order(reader, section.shown, words, person, now))


def _section_cells(row: SectionRow) -> tuple[Line, ...]:
    tone = row.mark.tone if row.count or row.section.is_kept else "faint"
    return (
        ((row.mark.glyph, tone),),
        ((one_line(row.section.title, 40), "text" if row.count or row.section.is_kept else "dim"),),
        ((f"{row.count:,}", "strong" if row.count else "faint"),),
    )
