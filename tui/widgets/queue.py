"""The questions that wait for a human, those that need an answer now first: pane 3, and the list of the triage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import BindingType

from core.sanitise import one_line
from core.store import states
from tui.actions import bindings
from tui.questions.deeds import QuestionDeeds
from tui.text.words import Line, due, plural, urgency, urgency_cell
from tui.widgets.columns import Column
from tui.widgets.live import DELEGATIONS
from tui.widgets.windowed import WindowedList

if TYPE_CHECKING:
    from core.store.reads import Connection
    from core.store.rows import EscalationRow, LiveRow

COLUMNS = (
    Column("urgency", 11),
    Column("due", 9),
    Column("kind", 8, rank=2),
    Column("question", least=20),
    Column("for", 7, rank=1),
)
COMPACT = (Column("when", 6), Column("question", least=20))
COMPACT_BELOW = 60
"""Cells; with less than that the question has all the room but for a glyph and a short word."""
TITLE = 10, 32
"""The fewest and the most characters of a work item's title before its question: a sixth of the line between them."""
APPEAR: Line = (("Questions of the agents appear here.", "dim"),)


def nothing_asked(to_accept: int = 0) -> tuple[Line, ...]:
    """What stands where questions will; so many work items wait to be accepted, which none of them asks."""
    if not to_accept:
        return (("Nothing waits for you.", "good"),), APPEAR
    wait = f"{plural(to_accept, 'work item waits', 'work items wait')} to be accepted:"
    return ((wait, "ask"), (" 2", "accent"), (", then", "text"), (" a", "accent")), APPEAR


class Queue(QuestionDeeds, WindowedList["EscalationRow"]):
    """Questions. One that was seen or put away stays in the list, below those that need an answer now."""

    PLACES: ClassVar[tuple[str, ...]] = ("queue", "list")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("queue")]
    TITLE = "questions"
    UNMOVED_BY = DELEGATIONS
    MOVED_BY = ("escalation.",)

    def __init__(self, **options: Any) -> None:
        super().__init__(COLUMNS, key=lambda row: row.id, cells=self._cells_of, empty=nothing_asked(), **options)
        self._shown_until = 0
        self._changes_at: int | None = None
        self._drawn: dict[int, str] = {}
        """The digest with which each question was last on the screen."""

    @property
    def summary(self) -> str:
        return f"{self.total:,} open" if self.total else ""

    def question_shown(self) -> EscalationRow | None:
        return self.row

    def question_in_hand(self) -> EscalationRow | None:
        """The question under the cursor, once its line stands on the screen: nobody answers what was not to be read."""
        row = self.row
        return row if row is not None and self._drawn.get(row.id) == row.payload_digest else None

    def is_drawing(self) -> bool:
        return bool(self.count) and self.question_in_hand() is None

    def line_drawn(self, y: int) -> None:
        n = self.scroll_offset.y + y - self._top
        row = self.row_at(n) if y >= self._top and n < self.count else None
        if row is not None:
            self._drawn[row.id] = row.payload_digest

    def read_order(self, reader: Connection, live: LiveRow, now: int) -> Sequence[int]:
        from core.store import reads_windows

        # Read on the same thread, and in one moment, as the order that it is the end of.
        self._changes_at = reads_windows.next_change(reader, now)
        return reads_windows.escalation_order(reader, None, *self.filter_words, now, person=self.apm.person)

    def read_rows(
        self, reader: Connection, live: LiveRow, now: int, keys: Sequence[int]
    ) -> Mapping[int, EscalationRow]:
        from core.store import reads_windows

        return reads_windows.escalations(reader, keys)

    def read_total(self, reader: Connection, live: LiveRow, now: int) -> int:
        from core.store import reads_windows

        return reads_windows.section_counts(reader, now)[None]

    def tick(self, now: int) -> None:
        """Countdowns change by the minute, those of the last minute by the second."""
        if self._changes_at is not None and now >= self._changes_at:
            self._changes_at = None
            self.apm.bridge.ask(self)
        if now >= self._shown_until and self.count:
            soon = any(row.due_at is not None and abs(row.due_at - now) < 120_000 for row in self.rows)
            self._shown_until = now + (1_000 if soon else 20_000)
            self.redraw()

    def on_resize(self) -> None:
        self.columns = COMPACT if self.size.width < COMPACT_BELOW else COLUMNS

    def _cells_of(self, row: EscalationRow) -> tuple[Line, ...]:
        now = self.apm.now()
        needs = states.needs_me(row, now, self.apm.person)
        again: Line = ((f" ×{row.count}", "ask"),) if row.count > 1 else ()
        tone, is_compact = "text" if needs else "dim", self.columns is COMPACT
        about = self._about(row, is_compact, tone)
        other = row.assigned_to if row.assigned_to != self.apm.person else None
        whose: Line = ((f"for {one_line(other, 24)} · ", "dim"),) if other else ()
        question: Line = (*whose, *about, (one_line(row.question), "dim" if about else tone), *again)
        if is_compact:
            return urgency_cell(row, now), question
        target = f"#{row.work_item} {row.phase or ''}".rstrip() if row.work_item is not None else ""
        return (
            urgency(row, now),
            (due(row, now),),
            ((one_line(row.kind, 20), "dim"),),
            question,
            ((target, "dim"),),
        )

    def _about(self, row: EscalationRow, with_number: bool, tone: str) -> Line:
        """What a line begins with: many questions say the same of different work items."""
        number = f"#{row.work_item} " if with_number else ""
        fewest, most = TITLE
        longest = min(most, max(fewest, self.size.width // 6))
        return ((f"{number}{one_line(row.title, longest)}", tone), (" · ", "faint")) if row.title else ()


class QueuePane(Queue):
    """The queue among other panes: a line has room for the beginning of a question and for none of its answers. So the
    keys that answer open it, and answer there."""

    def action_accept(self) -> None:
        self._look_first()

    def action_accept_and_propose(self) -> None:
        self._look_first()

    def action_other(self) -> None:
        self._look_first()

    def action_values(self) -> None:
        self._look_first()

    def action_values_in_editor(self) -> None:
        self._look_first()

    def _look_first(self) -> None:
        question = self.question_for_key()
        if question is not None:
            self.apm.open_question(question.id)


def waiting_for_me(reader: Connection, now: int, person: str) -> tuple[int, ...]:
    """The numbers of the questions that need an answer of that person now, in the queue's order."""
    from core.store import reads_windows

    return tuple(reads_windows.escalation_order(reader, "needs-me", (), (), now, person=person))
