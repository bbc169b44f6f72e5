"""The panes of the scope review: its rows, the one under the cursor in words, and what that rests on."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, cast

from textual.binding import BindingType

from core.governance.scope.evidence import Evidence
from core.governance.scope.proposing import status
from core.sanitise import one_line
from core.store.rows_governance import ScopeProposalRow
from tui.actions import bindings
from tui.bridge import Change
from tui.governance.scope_reading import ReviewLine, ReviewLines, Seen, read_lines
from tui.screens.scope.text import (
    CHANGES,
    OUTCOMES,
    RISKS,
    SECTION_WORDS,
    STATUSES,
    WORDS,
    hours_words,
    proposal_paragraphs,
    record_words,
    subject_words,
    wish_paragraphs,
)
from tui.text.words import MINUTE, UNKNOWN, Line, whole_time
from tui.widgets.columns import Column
from tui.widgets.document import Document, Paragraph
from tui.widgets.live import Live
from tui.widgets.row_list import RowList

UNDECIDED = ("proposed", "clarify")
CONCERNS = ("scope.", "authority.", "agents.", "escalation.", "decision.", "conflict.")
"""How the events begin that may change a proposal, its record or what it rests on."""
COLUMNS = (
    Column("", 11, rank=8),
    Column("#", 4, right=True),
    Column("agent", 9, rank=1),
    Column("kind", least=14),
    Column("change", 15, rank=2),
    Column("record", 7, right=True, rank=5),
    Column("bound", 5, right=True, rank=6),
    Column("a week", 12, right=True, rank=7),
    Column("risk", 8, rank=4),
    Column("recommended", 11, rank=3),
    Column("status", 10),
)
EMPTY: tuple[Line, ...] = (
    (("No agent has earned a change, and nobody asked for one.", "dim"),),
    (("R", "accent"), (" holds a review now", "dim")),
    (("p", "accent"), (" asks for a change yourself", "dim")),
)
NO_GROUNDS: tuple[Line, ...] = ((("It rests on nothing that was counted.", "dim"),),)
GROUNDS = (
    Column("", 12),
    Column("#", 5, right=True, rank=1),
    Column("what was asked", least=16),
    Column("", 4, right=True, rank=2),
)


class Proposals(Live, RowList[ReviewLine]):
    """Pane 1: proposals in the package's order, with wishes and questions that wait for it, then decided ones."""

    MARKS = True
    PLACES: ClassVar[tuple[str, ...]] = ("marks", "list")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("marks")]
    CONCERNED_BY = CONCERNS
    TITLE = "proposals"

    def __init__(self, **options: Any) -> None:
        super().__init__(COLUMNS, key=lambda line: line.key, cells=line_cells, empty=EMPTY, **options)
        self.read = ReviewLines((), None, 0)
        self.wanted: int | None = None
        """A proposal to go to once it has been read."""

    @property
    def summary(self) -> str:
        if self.read.review is None:
            return "no review yet" if self.is_loaded else ""
        ago = whole_time(self.apm.now() - self.read.review.at)
        return f"{self.read.waiting} waiting · review {self.read.review.id}, {ago} ago{self.marks_note}"

    async def read_anew(self, change: Change) -> None:
        self.read = await self.apm.bridge.read(lambda reader, _, now: read_lines(reader, now))
        self.set_rows(self.read.lines)
        if self.wanted is not None and self.go_to(("proposal", str(self.wanted))):
            self.wanted = None

    def text_of(self, row: ReviewLine) -> str:
        return f"{super().text_of(row)} {row.section}"


class Reading(Protocol):
    """The screen around the panes, which reads for two of them at once."""

    async def read_proposal(self) -> None: ...


class ProposalView(Live, Document):
    """Pane 2: the row under the cursor in words. It reads for the pane beside it as well."""

    CONCERNED_BY = CONCERNS
    TITLE = "proposal"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.seen: Seen | None = None
        self._key: tuple[str, str] | None = None
        self._section = ""
        self._ages_until = 0

    @property
    def summary(self) -> str:
        if self.seen is None:
            return ""
        return " · ".join(word for word in (self._section, STATUSES[status(self.seen.row)].word) if word)

    async def read_anew(self, change: Change) -> None:
        await cast("Reading", self.screen).read_proposal()

    def tick(self, now: int) -> None:
        """Ages change by the minute, here and in the pane beside it."""
        if now >= self._ages_until:
            self._ages_until = now + MINUTE
            self.apm.bridge.ask(self)

    def show_line(self, line: ReviewLine | None, seen: Seen | None, now: int) -> None:
        fresh = line is None or line.key != self._key
        self._key = None if line is None else line.key
        self._section = "" if line is None else line.section
        self.seen, self._ages_until = seen, now + MINUTE
        self.show(_paragraphs(line, seen, now), from_top=fresh)


class Grounds(RowList[Evidence]):
    """Pane 3: what the proposal rests on; enter opens a question."""

    TITLE = "rests on"

    def __init__(self, **options: Any) -> None:
        super().__init__(GROUNDS, key=lambda e: e.key, cells=self._cells, empty=NO_GROUNDS, **options)

    @property
    def summary(self) -> str:
        return str(self.total) if self.total else ""

    def show_evidence(self, seen: Seen | None) -> None:
        self.empty = NO_GROUNDS if seen is not None else ()
        self.set_rows(seen.evidence if seen is not None else ())

    def _cells(self, one: Evidence) -> tuple[Line, ...]:
        age = "" if one.at is None else whole_time(self.apm.now() - one.at)
        said: Line = ((f"  {one.said}", "dim"),) if one.said else ()
        return (
            OUTCOMES.get(one.outcome, UNKNOWN).line(),
            ((str(one.number), "dim"),),
            ((one.text, "text"), *said),
            ((age, "faint"),),
        )


def _paragraphs(line: ReviewLine | None, seen: Seen | None, now: int) -> list[Paragraph]:
    if seen is not None:
        return proposal_paragraphs(seen, now)
    if line is not None and line.wish is not None:
        return wish_paragraphs(line.wish, now)
    if line is not None and line.question is not None:
        asked: Line = ((one_line(line.question.question, 500), "strong"),)
        return [
            Paragraph(asked),
            Paragraph(()),
            Paragraph(((" It waits for the scope review: enter opens it.", "dim"),)),
        ]
    return []


def line_cells(line: ReviewLine) -> tuple[Line, ...]:
    margin: Line = ((SECTION_WORDS.get(line.section, line.section) if line.is_first else "", "faint"),)
    if line.proposal is not None:
        return (margin, *_proposal_cells(line.proposal))
    nothing: Line = (("", "text"),)
    if line.wish is not None:
        wish = line.wish
        record = f"{wish.accepted}/{wish.n}" if wish.n else ""
        state = "next review" if wish.waits else "not earned"
        return (
            *(margin, nothing, ((one_line(wish.agent, 40), "text"),), ((one_line(wish.kind, 64), "text"),)),
            *((("○ wish", "text"),), ((record, "text"),), ((_bound(wish.bound), "dim"),), nothing, nothing, nothing),
            ((state, "dim"),),
        )
    asked = line.question
    text, number = ("", "") if asked is None else (one_line(asked.question, 300), str(asked.id))
    return (
        *(margin, ((number, "dim"),), nothing, ((text, "text"),), (("◆ question", "ask"),)),
        *(nothing, nothing, nothing, nothing, nothing),
        (("waits", "dim"),),
    )


def _proposal_cells(row: ScopeProposalRow) -> tuple[Line, ...]:
    is_open = status(row) in UNDECIDED
    tone = "text" if is_open else "dim"

    def toned(line: Line) -> Line:
        return line if is_open else tuple((text, "dim") for text, _ in line)

    return (
        ((str(row.id), "dim"),),
        ((one_line(row.agent, 40), tone),),
        ((subject_words(row), "strong" if is_open else "dim"),),
        toned(CHANGES.get(row.change, UNKNOWN).line()),
        ((record_words(row), tone),),
        ((_bound(row.lower_bound), tone),),
        ((hours_words(row), "dim"),),
        toned(RISKS.get(row.risk, UNKNOWN).line()),
        toned(WORDS.get(row.recommendation, UNKNOWN).line()),
        STATUSES[status(row)].line(),
    )


def _bound(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
