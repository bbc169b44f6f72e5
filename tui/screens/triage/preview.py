"""Pane 3 of the inbox: the question under the list's cursor, with its answers by number."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from textual.binding import BindingType

from core.contract import Json
from core.sanitise import one_line
from core.store import reads, reads_escalations, states
from core.store.reads import Connection
from core.store.rows import AnswerRow, EscalationRow, LiveRow, WorkItemRow
from tui.actions import bindings
from tui.bridge import Change
from tui.screens.questions.budget_text import Spending, spending_of
from tui.screens.questions.question_text import about_paragraphs, led, question_paragraphs
from tui.screens.triage.deeds import TriageDeeds
from tui.text.words import Line, whole_time
from tui.widgets.document import BLANK, Document, Paragraph, heading
from tui.widgets.live import DELEGATIONS, Live

PROVENANCE_WORDS = {"human": "by", "rule": "by rule, for", "timeout": "by"}


@dataclass(frozen=True, slots=True)
class Previewed:
    """A question as it is shown beside the list."""

    question: EscalationRow
    item: WorkItemRow | None
    answers: tuple[AnswerRow, ...]
    spending: Spending | None = None


class Preview(TriageDeeds, Live, Document):
    """The question under the list's cursor. An answer is bound to what is drawn here."""

    PLACES: ClassVar[tuple[str, ...]] = ("inbox", "queue", "document")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("inbox"), *bindings("queue")]
    UNMOVED_BY = DELEGATIONS
    TITLE = "question"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.wanted: int | None = None
        self.shown: Previewed | None = None
        self._drawn = ""

    @property
    def summary(self) -> str:
        if self.shown is None:
            return ""
        state = states.escalation_state(self.shown.question, self.apm.now())
        return "" if state == "open" else state

    def want(self, question: int | None) -> None:
        """Show this question; until it is drawn nothing is in hand."""
        if question == self.wanted:
            return
        self.wanted = question
        if question is None:
            self._show(None)
        else:
            self.apm.bridge.ask(self)

    async def read_anew(self, change: Change) -> None:
        wanted = self.wanted
        if wanted is None:
            return
        found = await self.apm.bridge.read(lambda reader, live, now: _read(reader, wanted, live, now))
        if wanted == self.wanted:
            self._show(found)

    def _show(self, found: Previewed | None) -> None:
        fresh = found is None or self.shown is None or found.question.id != self.shown.question.id
        digest = "" if found is None else found.question.payload_digest
        if fresh or digest != self._drawn:
            self._drawn = ""
        self.shown = found
        self.show([] if found is None else _paragraphs(found, self.apm.now()), from_top=fresh)
        if not self._drawn:
            self.call_after_refresh(self._arm, digest)
        if fresh and self.screen.is_current:
            self.apm.show_keys()

    def _arm(self, digest: str) -> None:
        if self.shown is not None and self.shown.question.payload_digest == digest:
            self._drawn = digest

    def drawn(self, question: int | None) -> EscalationRow | None:
        """The question with this number, if it is what can be seen here at this moment."""
        shown = self.shown
        if shown is None or shown.question.id != question or self._drawn != shown.question.payload_digest:
            return None
        return shown.question if self.is_open else None

    @property
    def is_open(self) -> bool:
        """It can be seen: it is not left out, and not folded to its title."""
        return self.is_on_screen and self.size.height > 0

    def tick(self, now: int) -> None:
        if self.shown is not None:
            self.show(_paragraphs(self.shown, now))


def _read(reader: Connection, number: int, live: LiveRow, now: int) -> Previewed | None:
    question = reads.escalation(reader, number)
    if question is None:
        return None
    item = None if question.work_item is None else reads.work_item(reader, question.work_item, live=live)
    question = question if item is None else replace(question, title=item.title)
    return Previewed(question, item, reads_escalations.answers(reader, number), spending_of(reader, question, now))


def _paragraphs(found: Previewed, now: int) -> list[Paragraph]:
    """The question, how it was answered or its answers by number, then what it rests on and its circumstances."""
    row = found.question
    lead, rest = led(row, question_paragraphs(row, found.spending))
    given = [answer for answer in found.answers if answer.undone_at is None]
    return [
        *lead,
        *(_given(row, answer, now) for answer in given),
        BLANK,
        *(p for n, option in enumerate(row.options, 1) for p in _option(row, n, option)),
        *([] if not rest else rest if not rest[0].line else [BLANK, *rest]),
        BLANK,
        heading("About"),
        *about_paragraphs(row, found.item, found.answers, now),
    ]


def _given(row: EscalationRow, answer: AnswerRow, now: int) -> Paragraph:
    label = next((str(o["label"]) for o in row.options if o["key"] == answer.option), answer.option)
    reason: Line = ((f": {one_line(answer.reason, 300)}", "text"),) if answer.reason else ()
    by = f"  {PROVENANCE_WORDS[answer.provenance]} {one_line(answer.by, 60)}, {whole_time(now - answer.at)} ago"
    return Paragraph((("✓ ", "good"), (one_line(label, 80), "strong"), (by, "dim"), *reason), 2)


def _option(row: EscalationRow, number: int, option: Json) -> list[Paragraph]:
    badge: Line = (("  recommended", "good"),) if option["key"] == row.recommended else ()
    takes: Line = (("  takes values", "ask"),) if option.get("asks") else ()
    label: Line = ((f" {number} ", "accent"), (one_line(str(option["label"])), "strong"), *badge, *takes)
    note = one_line(str(option.get("consequence", "")), 400)
    return [Paragraph(label, 3), *([Paragraph((("   ", "text"), (note, "dim")), 3)] if note else [])]
